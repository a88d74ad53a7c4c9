//! Output of ping on Linux (iputils, busybox), the BSDs and macOS. Each answer is one round trip; duplicates and answers
//! with an error are none. Sent and received are those of the closing statistics; without them nothing is said of loss.
//!
//! Times are those of `-D` (`[1595037214.26]`). Without them the caller says when the run was started, and a question's
//! time is that start plus its number times the interval: the one that the caller gives, else the time that the closing
//! line of Linux tells, through the number of gaps. Without either nothing is taken, rather than all at one moment.
//!
//! Of a run whose first line (`PING …`) is cut off, the answers that carry their time are taken, and the target is who
//! answered. Its statistics count what may be cut off too, so nothing is said of its loss.

use super::told::{LeftOut, Told, start};
use crate::import::table::{Reading, Row};
use broadgauge_model::clock::Wall;
use std::collections::BTreeSet;

const DUPLICATE: &str = "second answer to one question";
const NO_TIME: &str = "is empty: ping prints times with -D only; say when the run was started with --started-at and how \
                       long ping waited between two questions with --interval-ms (in a map, under [read])";

fn opens(line: &str) -> bool {
    line.starts_with("PING ") || line.starts_with("PING6(")
}

/// Whether a text begins as output of ping; `PATTERN: 0x..` may stand before.
pub(super) fn begins(output: &str) -> bool {
    output.lines().take(3).any(opens) || is_cut(output)
}

/// Whether a text begins in the middle of a run.
fn is_cut(output: &str) -> bool {
    output.lines().find(|line| !line.trim().is_empty()).is_some_and(|line| {
        let waits = stamp(line).is_some_and(|(_, rest)| rest.starts_with("no answer yet for icmp_seq="));
        waits || answer(line).is_some()
    })
}

/// Who answered: `64 bytes from one.example (192.0.2.1): icmp_seq=…`.
fn sender(line: &str) -> Option<&str> {
    let from = line.split_once(" bytes from ")?.1;
    from.split_whitespace().next().map(|name| name.trim_end_matches(':'))
}

/// `None` where the text is no output of ping.
pub(super) fn read(
    output: &str,
    reading: &Reading,
    left_out: &mut LeftOut,
) -> Result<Option<Vec<Row>>, String> {
    if !begins(output) {
        return Ok(None);
    }
    let started = reading.started_at.as_deref().map(start).transpose()?;
    let (mut runs, mut run) = (Vec::<Run>::new(), is_cut(output).then(|| Run::cut(output)).transpose()?);
    for (line, number) in output.lines().zip(1..) {
        let line = line.trim_end();
        if opens(line) {
            runs.extend(run.replace(Run::of(line)));
        } else if let Some(run) = &mut run {
            run.take(line, number, left_out);
        }
    }
    runs.extend(run);
    let unstamped = runs.iter().filter(|r| r.answers.iter().any(|a| a.at.is_none())).count();
    if started.is_some() && unstamped > 1 {
        return Err(format!("holds {unstamped} runs without -D, of which one start cannot tell the times"));
    }
    let mut rows = Vec::new();
    for run in runs {
        if run.is_cut {
            left_out.count("run without its first line: its loss is not known");
        } else if run.closing.is_none() {
            left_out.count("run without its closing statistics: its loss is not known");
        }
        rows.append(&mut run.rows(started, reading.interval_ms)?);
    }
    Ok(Some(rows))
}

/// One run: from its opening line to its closing statistics.
#[derive(Default)]
struct Run {
    target: String,
    /// Its first line is not there, and other lines may be missing too.
    is_cut: bool,
    /// The number of the first question: 1 on Linux, 0 elsewhere.
    first: u64,
    answers: Vec<Answer>,
    answered: BTreeSet<u64>,
    last: u64,
    /// The first stamp of `-D`, of an answer or of the lack of one.
    stamp: Option<Wall>,
    closing: Option<Closing>,
}

/// `20 packets transmitted, 18 received, +2 duplicates, 10% packet loss, time 19081ms`.
struct Closing {
    line: u64,
    sent: u64,
    received: u64,
    lasted_ms: Option<u64>,
}

struct Answer {
    line: u64,
    /// From the stamp of `-D`.
    at: Option<Wall>,
    sequence: u64,
    rtt: f64,
}

impl Run {
    fn of(line: &str) -> Self {
        let target = line.split_whitespace().nth(1).unwrap_or_default().trim_end_matches(':').to_owned();
        Self { target, first: u64::from(line.contains("bytes of data")), ..Self::default() }
    }

    /// A run whose beginning is not there. Only stamps tell its times, and it must have one target.
    fn cut(output: &str) -> Result<Self, String> {
        let answers = || output.lines().take_while(|line| !opens(line)).filter(|line| answer(line).is_some());
        if answers().any(|line| !line.starts_with('[')) {
            let why = "is output of ping without its first line (PING …) and without the times of -D: put the first \
                       line back, and say when the run was started with --started-at";
            return Err(why.into());
        }
        let targets: BTreeSet<&str> = answers().filter_map(sender).collect();
        if targets.len() > 1 {
            let all = targets.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!(
                "is output of ping without its first line (PING …), and several hosts answer: {all}; put the first \
                 line back, or give each its own file"
            ));
        }
        let target = targets.first().map(|name| (*name).to_owned()).unwrap_or_default();
        Ok(Self { target, is_cut: true, ..Self::default() })
    }

    fn take(&mut self, line: &str, number: u64, left_out: &mut LeftOut) {
        self.stamp = self.stamp.or_else(|| stamp(line)?.0);
        if let Some((sent, received, lasted_ms)) = statistics(line) {
            self.closing = Some(Closing { line: number, sent, received, lasted_ms });
        } else if let Some((at, sequence, rtt)) = answer(line) {
            let sequence = self.unwrapped(sequence);
            // A second answer to one question is a duplicate, however it is marked.
            if self.answered.insert(sequence) {
                self.answers.push(Answer { line: number, at, sequence, rtt });
            } else {
                left_out.count(DUPLICATE);
            }
        } else if line.ends_with("(DUP!)") {
            left_out.count(DUPLICATE);
        } else if line.contains(" bytes from ") {
            left_out.count("answer that cannot be read, or that ping complains of");
        }
    }

    /// Sixteen bits go round: the number nearest to the last one is meant.
    fn unwrapped(&mut self, sequence: u64) -> u64 {
        const TURN: u64 = 1 << 16;
        let mut meant = sequence;
        if sequence < TURN {
            meant += self.last / TURN * TURN;
            if meant + TURN / 2 < self.last {
                meant += TURN;
            } else if meant >= TURN && meant > self.last + TURN / 2 {
                meant -= TURN;
            }
        }
        self.last = self.last.max(meant);
        meant
    }

    fn rows(self, started: Option<Wall>, interval_ms: Option<u64>) -> Result<Vec<Row>, String> {
        let told = self.closing.as_ref().and_then(|c| Some((c.lasted_ms?, c.sent.checked_sub(1)?)));
        let told = told.filter(|(_, gaps)| *gaps > 0).map(|(lasted, gaps)| lasted as f64 / gaps as f64);
        let interval = interval_ms.map(|ms| ms as f64).or(told);
        let stamped = self.answers.iter().all(|a| a.at.is_some());
        if started.is_some() && !stamped && interval.is_none() && self.answers.len() > 1 {
            return Err(
                "does not say how long ping waited between two questions: give interval_ms under [read] \
                 in the map, or --interval-ms (1000 where ping was not told otherwise)"
                    .into(),
            );
        }
        let text = |at: Option<Wall>| at.map(Wall::rfc3339).unwrap_or_default();
        let at = |answer: &Answer| {
            let gaps = answer.sequence.saturating_sub(self.first);
            let after = |start: Wall| {
                start.0.checked_add((gaps as f64 * interval.unwrap_or(0.0) * 1e6) as i64).map(Wall)
            };
            text(answer.at.or_else(|| started.and_then(after)))
        };
        let told = Told { method: "ping", target: self.target.clone(), ..Told::default() };
        let first = self.stamp.or(started);
        let mut rows: Vec<Row> = self
            .answers
            .iter()
            .map(|answer| {
                let (value, started_at) = (answer.rtt.to_string(), at(answer));
                let no_time = (started.is_none() && answer.at.is_none()).then(|| NO_TIME.to_owned());
                Told { metric: "round_trip_delay", value, started_at, no_time, ..told.clone() }
                    .row(answer.line)
            })
            .collect();
        if let Some(Closing { line, sent, received, .. }) = self.closing
            && let Some(lost) = sent.checked_sub(received).filter(|_| sent > 0 && !self.is_cut)
        {
            rows.push(
                Told {
                    metric: "loss_ratio",
                    started_at: text(first),
                    value: (lost as f64 / sent as f64).to_string(),
                    statistic: "mean",
                    sent: sent.to_string(),
                    lost: lost.to_string(),
                    no_time: first.is_none().then(|| NO_TIME.to_owned()),
                    ..told
                }
                .row(line),
            );
        }
        Ok(rows)
    }
}

/// The time that `-D` puts before a line, and the line; `None` where a bracket is left open.
fn stamp(line: &str) -> Option<(Option<Wall>, &str)> {
    let Some(stamped) = line.strip_prefix('[') else { return Some((None, line)) };
    let (at, rest) = stamped.split_once(']')?;
    let seconds: Option<f64> = at.parse().ok().filter(|s: &f64| s.is_finite());
    // Nanoseconds reach to the year 2262: a later time is none.
    let at = seconds.and_then(|s| ((s * 1e6).round() as i64).checked_mul(1_000)).map(Wall);
    Some((at, rest.trim_start()))
}

/// `[1595037214.26] 64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.041 ms`.
fn answer(line: &str) -> Option<(Option<Wall>, u64, f64)> {
    let (at, rest) = stamp(line)?;
    if !rest.contains(" bytes from ") || rest.ends_with("(DUP!)") {
        return None;
    }
    let after =
        |key: &str| rest.split_once(key).map(|(_, after)| after.split([' ', ',']).next().unwrap_or_default());
    let sequence =
        after("icmp_seq=").or_else(|| after("icmp_seq ")).or_else(|| after("seq="))?.parse::<u32>().ok()?;
    let time = rest.split_once("time=").or_else(|| rest.split_once("time "))?.1;
    // What follows the unit is a complaint of the tool: the answer is not to be trusted.
    let (rtt, unit) = time.split_once(' ')?;
    let rtt: f64 = rtt.parse().ok()?;
    (unit.trim() == "ms" && rtt.is_finite() && rtt >= 0.0).then_some((at, sequence.into(), rtt))
}

fn statistics(line: &str) -> Option<(u64, u64, Option<u64>)> {
    let (sent, rest) = line.split_once(" packets transmitted, ")?;
    let received = rest.split_once(" received").map(|(n, _)| n.trim_end_matches(" packets"))?;
    let lasted = rest.rsplit_once(", time ").and_then(|(_, ms)| ms.strip_suffix("ms")?.parse().ok());
    Some((sent.trim().parse().ok()?, received.trim().parse().ok()?, lasted))
}
