//! One fetch: connection, question, answer, and what the kernel saw of it meanwhile.

use crate::dial::{DialError, Phase, Times, Why, dial};
use crate::http::{Bounds, Exchange, HttpError, Payload, Session, Url, Version, Windows, exchange};
use crate::phases::{self, Fate};
use crate::probe::{Context, ProbeError};
use crate::tcp::info::TcpInfo;
use crate::tls::{Client, Facts};
use broadgauge_model::clock::{Mono, Span};
use hyper::header::LOCATION;
use hyper::{Method, StatusCode};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// How often the kernel is asked while a body comes in.
const SAMPLED_EVERY: Span = Span::millis(100);
/// How often at most.
const MOST_SAMPLES: usize = 600;

/// A redirection to a longer address is none.
const LONGEST_LOCATION: usize = 2_048;

/// What is wanted of each fetch.
pub(crate) struct Wanted {
    pub(crate) client: Client,
    pub(crate) timeout: Span,
    pub(crate) answer: Span,
    pub(crate) most_bytes: u64,
    pub(crate) follow: u32,
}

/// What the kernel said while a body came in.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sampled {
    at_ms: f64,
    rtt_us: Option<u32>,
    received_bytes: u64,
}

/// What one fetch came to.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) times: Times,
    /// The phase of the connection that did not succeed, and why.
    pub(crate) failed: Option<(Phase, Why)>,
    /// The same of the answer.
    pub(crate) unanswered: Option<Unanswered>,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) version: Option<Version>,
    pub(crate) facts: Option<Facts>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) location: Option<String>,
    pub(crate) redirections: u32,
    pub(crate) head: Option<Span>,
    pub(crate) first_byte: Option<Span>,
    pub(crate) transfer: Option<Span>,
    /// From the start of the last connection's making to the last byte.
    pub(crate) whole: Option<Span>,
    pub(crate) bytes: u64,
    pub(crate) tcp: Option<TcpInfo>,
    pub(crate) sampled: Vec<Sampled>,
}

/// Why an answer does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unanswered {
    /// It did not come in time, or did not end in time.
    Lost,
    /// It came, and is not what was asked for.
    Wrong(String),
}

impl Fetched {
    /// What became of a phase of the connection.
    pub(crate) fn phase(&self, phase: Phase) -> Fate {
        phases::fate(&self.times, self.failed.as_ref(), phase)
    }

    /// What became of the answer's first byte.
    pub(crate) fn first_byte(&self) -> Fate {
        match (self.status, self.first_byte, &self.unanswered) {
            (Some(status), Some(time), _) if status.is_success() => Fate::Took(time),
            (_, _, Some(Unanswered::Lost)) => Fate::Lost,
            (_, _, Some(Unanswered::Wrong(why))) => Fate::Failed(why.clone()),
            (Some(_), None, None) => Fate::Failed(String::from("the answer has no body")),
            _ => Fate::NotReached,
        }
    }

    /// What became of the rest of its body.
    pub(crate) fn transfer(&self) -> Fate {
        match (&self.first_byte(), self.transfer, &self.unanswered) {
            (Fate::Took(_), Some(time), None) => Fate::Took(time),
            (Fate::Took(_), _, Some(Unanswered::Lost)) => Fate::Lost,
            (Fate::Took(_), _, Some(Unanswered::Wrong(why))) => Fate::Failed(why.clone()),
            _ => Fate::NotReached,
        }
    }
}

/// Fetches once, following as many redirections as wanted. The times are those of the last connection.
pub(crate) async fn fetch(context: &Context, url: &Url, wanted: &Wanted) -> Result<Fetched, ProbeError> {
    let mut url = url.clone();
    let mut redirections = 0;
    loop {
        let fetched = fetch_here(context, &url, wanted).await?;
        let next = match (&fetched.location, fetched.status) {
            (Some(to), Some(status)) if status.is_redirection() && redirections < wanted.follow => {
                url.join(to)
            }
            _ => return Ok(Fetched { redirections, ..fetched }),
        };
        match next {
            Ok(next) => url = next,
            Err(problem) => {
                let unanswered =
                    Some(Unanswered::Wrong(format!("a redirection that cannot be followed: {problem}")));
                return Ok(Fetched { unanswered, redirections, ..fetched });
            }
        }
        redirections += 1;
    }
}

async fn fetch_here(context: &Context, url: &Url, wanted: &Wanted) -> Result<Fetched, ProbeError> {
    let mut out = Fetched::default();
    let client = url.secure.then_some(&wanted.client);
    let began = context.clock.mono();
    let dialled = match dial(context, &url.host, url.port, client, wanted.timeout).await {
        Ok(dialled) => dialled,
        Err(DialError::Here(error)) => return Err(error),
        Err(DialError::There { phase, why, times }) => {
            return Ok(Fetched { times, failed: Some((phase, why)), ..out });
        }
    };
    out.times = dialled.times;
    out.address = Some(dialled.address);
    out.facts.clone_from(&dialled.tls);
    let answer = async {
        let mut session = Session::over(dialled, Windows::default()).await?;
        out.version = Some(session.version());
        let request = session.request(Method::GET, url, &[], Payload::empty())?;
        let bounds =
            Bounds { head: wanted.timeout, within: wanted.answer, bytes: wanted.most_bytes, keep: 0 };
        let tap = Arc::clone(&session.tap);
        let mut received = 0;
        let mut sampled = Vec::new();
        let mut next = Span::ZERO;
        let answer = exchange(&mut session, request, bounds, |since, bytes| {
            received += bytes;
            if since >= next && sampled.len() < MOST_SAMPLES {
                next = since + SAMPLED_EVERY;
                let rtt_us = tap.info().and_then(|info| info.rtt_us);
                sampled.push(Sampled { at_ms: since.as_millis_f64(), rtt_us, received_bytes: received });
            }
        })
        .await?;
        out.tcp = session.tap.info();
        out.sampled = sampled;
        Ok::<_, HttpError>(answer)
    }
    .await;
    match answer {
        Ok(answer) => out.take(answer, began),
        Err(HttpError::Silent(_)) => out.unanswered = Some(Unanswered::Lost),
        Err(error) => out.unanswered = Some(Unanswered::Wrong(format!("the server {error}"))),
    }
    Ok(out)
}

impl Fetched {
    fn take(&mut self, answer: Exchange, began: Mono) {
        self.status = Some(answer.status);
        let location = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
        self.location = location.filter(|to| to.len() <= LONGEST_LOCATION).map(str::to_owned);
        self.head = Some(answer.head);
        self.first_byte = answer.first_byte;
        self.bytes = answer.bytes;
        let status = answer.status;
        self.unanswered = match (answer.ended, &self.location) {
            _ if status.is_redirection() && self.location.is_some() => {
                let to: String = self.location.iter().flat_map(|to| to.chars()).take(200).collect();
                Some(Unanswered::Wrong(format!(
                    "status {} leads to {to}; raise follow to go there",
                    status.as_u16()
                )))
            }
            _ if !status.is_success() => Some(Unanswered::Wrong(format!("status {}", status.as_u16()))),
            (Err(HttpError::Silent(_)), _) => Some(Unanswered::Lost),
            (Err(error), _) => Some(Unanswered::Wrong(format!("the server {error}"))),
            (Ok(()), _) => None,
        };
        if self.unanswered.is_none() {
            self.transfer = answer.first_byte.map(|first| answer.whole - first);
            self.whole = Some((answer.asked + answer.whole) - began);
        }
    }
}
