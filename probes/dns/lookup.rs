//! What came of lookups, over whichever transport: fates in, figures out.
//!
//! Only an answer that settles the matter has a time: the name was found, or is surely not there. A server that
//! fails or refuses is often quick about it, so its times stand apart. Lost had no answer in time.

use crate::codec::dns::Answer;
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Histogram;
use broadgauge_model::result::{Counts, Outcome, Reason, Singleton, Values};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What came of one lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Answered after this long.
    Answered(Span, Answer),
    /// The UDP answer was cut, and no TCP answer came in time.
    Cut,
    /// Asked, and no answer in time.
    Lost,
    /// The resolver turned the connection down.
    Refused(String),
    /// Never asked: says nothing about the resolver.
    NotAsked(String),
}

/// One lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Its slot.
    pub index: u64,
    /// When it was planned, from the start.
    pub intended: Span,
    /// When it began, from the start.
    pub sent: Option<Span>,
    /// The same by the calendar.
    pub at: Wall,
    /// What came of it.
    pub fate: Fate,
    /// How often the question was sent.
    pub tries: u32,
    /// Whether the answer came over TCP after a cut one.
    pub retried_over_tcp: bool,
    /// How long the connection took, where there was one.
    pub connect: Option<Span>,
    /// How long the TLS handshake took, where there was one.
    pub handshake: Option<Span>,
}

impl Lookup {
    /// The time of a lookup that was settled.
    pub fn time(&self) -> Option<Span> {
        match &self.fate {
            Fate::Answered(after, answer) if answer.rcode.is_settled() => Some(*after),
            _ => None,
        }
    }

    /// As a singleton.
    pub fn singleton(&self) -> Singleton {
        let outcome = match (&self.fate, self.time()) {
            (_, Some(time)) => Outcome::Value(time),
            (Fate::Answered(after, answer), None) => Outcome::Unmeasured(Reason(format!(
                "answered {} after {:.3} ms",
                answer.rcode.word(),
                after.as_millis_f64()
            ))),
            (Fate::Cut | Fate::Lost, _) => Outcome::Lost,
            (Fate::Refused(why) | Fate::NotAsked(why), _) => Outcome::Unmeasured(Reason(why.clone())),
        };
        let (index, intended, sent, at) = (self.index, self.intended, self.sent, self.at);
        Singleton { index, intended, sent, at, outcome, one_way: None }
    }
}

/// One tick is a microsecond; rounded, so that nothing is biased down.
pub(super) fn ticks(times: impl IntoIterator<Item = Span>) -> Histogram {
    Histogram::of(times.into_iter().map(|time| (time.0 + 500).div_euclid(1_000)))
}

/// All lookups together.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Every answer counts as received, whatever it says.
    pub counts: Counts,
    /// Times of settled lookups.
    pub times: Vec<Span>,
    /// How long connections took.
    pub connects: Vec<Span>,
    /// How long TLS handshakes took.
    pub handshakes: Vec<Span>,
    /// Answers by response code.
    pub rcodes: BTreeMap<String, u64>,
    /// Questions sent again.
    pub sent_again: u64,
    /// Lookups that needed it.
    pub lookups_sent_again: u64,
    /// Answers that were cut.
    pub truncated: u64,
    /// Of these, answered over TCP.
    pub retried_over_tcp: u64,
    /// Connections turned down.
    pub refused: u64,
    /// Answers with signatures checked by the resolver.
    pub authentic: u64,
    /// Why the first lookup that was not made was not made.
    pub not_asked: Option<String>,
}

impl Figures {
    /// Reads the lookups.
    pub fn of(lookups: &[Lookup]) -> Self {
        let mut out = Self::default();
        for lookup in lookups {
            out.counts.planned += 1;
            if let Fate::NotAsked(why) = &lookup.fate {
                out.counts.missed += 1;
                out.not_asked.get_or_insert_with(|| why.clone());
                continue;
            }
            out.counts.sent += 1;
            out.sent_again += u64::from(lookup.tries.saturating_sub(1));
            out.lookups_sent_again += u64::from(lookup.tries > 1);
            out.times.extend(lookup.time());
            out.connects.extend(lookup.connect);
            out.handshakes.extend(lookup.handshake);
            out.retried_over_tcp += u64::from(lookup.retried_over_tcp);
            match &lookup.fate {
                Fate::Answered(_, answer) => {
                    out.counts.received += 1;
                    *out.rcodes.entry(answer.rcode.word()).or_default() += 1;
                    out.authentic += u64::from(answer.authentic);
                    out.truncated += u64::from(lookup.retried_over_tcp);
                }
                Fate::Refused(_) => {
                    out.counts.received += 1;
                    out.refused += 1;
                }
                Fate::Cut => {
                    out.truncated += 1;
                    out.counts.lost += 1;
                }
                Fate::Lost | Fate::NotAsked(_) => out.counts.lost += 1,
            }
        }
        out
    }

    /// The times as a sample has them. None where nothing was asked, or nothing that was answered was settled.
    pub fn values(&self) -> Values {
        if self.counts.sent == 0 {
            let why = self.not_asked.clone().unwrap_or_else(|| String::from("no lookup was made"));
            return Values::Unmeasured(Reason(why));
        }
        if self.times.is_empty() && self.counts.received > 0 {
            let said: Vec<String> =
                self.rcodes.iter().map(|(word, count)| format!("{word} {count}")).collect();
            let said = if said.is_empty() { String::from("connections refused") } else { said.join(", ") };
            return Values::Unmeasured(Reason(format!("no lookup was settled: {said}")));
        }
        Values::Histogram(ticks(self.times.iter().copied()))
    }

    /// What stands beside the times.
    pub fn describe(&self, details: &mut Map<String, Value>) {
        let more = [
            ("rcodes", json!(self.rcodes)),
            ("sent_again", json!(self.sent_again)),
            ("lookups_sent_again", json!(self.lookups_sent_again)),
            ("truncated", json!(self.truncated)),
            ("retried_over_tcp", json!(self.retried_over_tcp)),
            ("refused", json!(self.refused)),
            ("authentic", json!(self.authentic)),
        ];
        details.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
}
