//! A measurement as a `ping` or `iperf3` user reads it at once.

use super::out;
use broadgauge_model::result::{Direction, Load, Outcome, Sample, Singleton, Values};
use broadgauge_model::text::Lang;
use broadgauge_probes::probe::{Descriptor, Event, Listener, Measurement};
use std::fmt::Write as _;
use std::sync::Arc;

/// Prints each event as it comes.
pub(super) fn live() -> Listener {
    Arc::new(|event| match event {
        Event::Singleton { load, singleton } => {
            out::line(&fate(load, &singleton));
        }
        Event::Hop { hop, round, answer: Some((from, delay)) } => {
            out::line(&format!("hop={hop} round={round} from={from} delay={:.3} ms", delay.as_millis_f64()));
        }
        Event::Hop { hop, round, answer: None } => out::line(&format!("hop={hop} round={round} no answer")),
        Event::Rate { load, at, rate } => {
            out::line(&format!(
                "{:>6.1} s  {:<4} {:>9.2} Mbit/s",
                at.as_secs_f64(),
                load.word(),
                rate.as_mbps()
            ));
        }
        Event::Phase(name) => out::talk(&format!("[{name}]")),
        Event::Queued { ahead } => {
            out::talk(&format!("the peer is busy: {ahead} test{} ahead", if ahead == 1 { "" } else { "s" }));
        }
        _ => {}
    })
}

/// What became of one packet.
fn fate(load: Load, singleton: &Singleton) -> String {
    let under = if load == Load::Idle { String::new() } else { format!(" load={}", load.word()) };
    let became = match &singleton.outcome {
        Outcome::Value(delay) => format!("delay={:.3} ms", delay.as_millis_f64()),
        Outcome::Lost => String::from("lost"),
        Outcome::Unmeasured(reason) => format!("unmeasured: {}", reason.0),
    };
    format!("seq={}{under} {became}", singleton.index)
}

/// The summary printed at the end.
pub(super) fn summary(target: &str, method: &Descriptor, measurement: &Measurement) -> String {
    let mut text = String::new();
    let cut = if measurement.interrupted { ", interrupted" } else { "" };
    let _ = writeln!(text, "--- {target}, {} (version {}){cut} ---", method.name, method.version);
    let mut counted = None;
    for sample in &measurement.samples {
        if sample.counts.planned > 0 && !sample.details.contains_key("hop") && counted != Some(sample.load) {
            counted = Some(sample.load);
            let _ = writeln!(text, "{}", packets(sample));
        }
    }
    for sample in &measurement.samples {
        let _ = writeln!(text, "{}", row(sample));
    }
    for note in notes(measurement) {
        let _ = writeln!(text, "{note}");
    }
    text
}

fn packets(sample: &Sample) -> String {
    let c = &sample.counts;
    let lost = if c.sent == 0 {
        String::from("loss not measured")
    } else {
        format!("{:.2}% lost", 100.0 * c.lost as f64 / c.sent as f64)
    };
    let told = |key: &str| sample.details.get(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut text = match told("refused") {
        0 => format!("{} sent, {} received, {lost}", c.sent, c.received),
        refused => format!("{} sent, {} answered ({refused} refused), {lost}", c.sent, c.received),
    };
    if told("unreachable") > 0 {
        let _ = write!(text, ", told {} times that the target cannot be reached", told("unreachable"));
    }
    if let (Some(forward), Some(backward)) = (c.lost_forward, c.lost_backward) {
        let _ = write!(text, " ({forward} going, {backward} coming)");
    }
    for (count, word) in
        [(c.missed, "slots missed"), (c.late, "late"), (c.duplicate, "duplicate"), (c.reordered, "reordered")]
    {
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    if sample.load == Load::Idle { text } else { format!("under load {}: {text}", sample.load.word()) }
}

fn row(sample: &Sample) -> String {
    let metric = sample.metric.row();
    let unit = metric.unit.symbol().get(Lang::En);
    let mut label = metric.label.get(Lang::En).to_owned();
    match (sample.direction, sample.load) {
        (Direction::RoundTrip, Load::Idle) => {}
        (Direction::RoundTrip, load) => {
            let _ = write!(label, ", {}", load.word());
        }
        (direction, _) => {
            let _ = write!(label, ", {}", direction.word());
        }
    }
    if let Some(hop) = sample.details.get("hop") {
        let who = sample.details.get("address").and_then(serde_json::Value::as_str).unwrap_or("*");
        label = format!("hop {hop:>2}  {who} ({} of {})", sample.counts.received, sample.counts.sent);
    }
    match &sample.values {
        Values::Histogram(h) if h.is_empty() => format!("{label:<34} nothing answered"),
        Values::Histogram(h) => {
            let at = |q: f64| h.quantile(q).map_or(f64::NAN, |t| t as f64 * metric.tick);
            let bound = |ticks: Option<u64>| ticks.map_or(f64::NAN, |t| t as f64 * metric.tick);
            format!(
                "{label:<34} min/p50/p90/p95/p99/max {:.3}/{:.3}/{:.3}/{:.3}/{:.3}/{:.3} {unit}, n {}",
                bound(h.min()),
                at(0.5),
                at(0.9),
                at(0.95),
                at(0.99),
                bound(h.max()),
                h.len()
            )
        }
        Values::Number(value) if metric.id == "loss_ratio" => {
            format!("{label:<34} {:.3}% of {}", 100.0 * value, sample.counts.sent)
        }
        Values::Number(value) => format!("{label:<34} {value:.3} {unit} ({})", sample.statistic.word()),
        Values::Unmeasured(reason) => format!("{label:<34} not measured: {}", reason.0),
    }
}

/// Plain facts from the samples' details, each said once.
fn notes(measurement: &Measurement) -> Vec<String> {
    let mut notes = Vec::new();
    for sample in measurement.samples.iter().filter(|sample| !sample.details.contains_key("hop")) {
        for (key, value) in &sample.details {
            if let serde_json::Value::String(text) = value {
                let note = format!("{}: {text}", key.replace('_', " "));
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        notes.extend(sample.details.get("stamps").and_then(stamps));
    }
    notes
}

/// Who stamped the packets, at either end.
fn stamps(used: &serde_json::Value) -> Option<String> {
    let end = |way: &str| {
        let count = |who: &str| used[way][who].as_u64();
        Some(match (count("kernel")?, count("user")?) {
            (0, 0) => return None,
            (_, 0) => String::from("kernel"),
            (0, _) => String::from("user"),
            (kernel, user) => format!("kernel {kernel}, user {user}"),
        })
    };
    Some(format!("stamps: sending {}; receiving {}", end("transmit")?, end("receive")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_whose_stamps_were_used() {
        let used = |sent: [u64; 2], received: [u64; 2]| {
            let each = |[kernel, user]: [u64; 2]| serde_json::json!({"kernel": kernel, "user": user});
            stamps(&serde_json::json!({"transmit": each(sent), "receive": each(received)}))
        };
        assert_eq!(used([9, 0], [0, 9]).as_deref(), Some("stamps: sending kernel; receiving user"));
        assert_eq!(
            used([8, 1], [9, 0]).as_deref(),
            Some("stamps: sending kernel 8, user 1; receiving kernel")
        );
        assert_eq!(used([0, 0], [0, 0]), None, "nothing answered");
    }
    use broadgauge_model::clock::{Span, Wall};
    use broadgauge_model::metric::MetricId;
    use broadgauge_model::result::{Counts, Reason, Statistic};

    fn said(counts: Counts) -> String {
        said_with(counts, serde_json::Map::new())
    }

    fn said_with(counts: Counts, details: serde_json::Map<String, serde_json::Value>) -> String {
        let sample = Sample {
            metric: MetricId::LOSS_RATIO,
            method: String::from("ping"),
            method_version: 1,
            line_id: String::new(),
            target: None,
            load: Load::Idle,
            direction: Direction::RoundTrip,
            started_at: Wall::default(),
            lasted: Span::ZERO,
            statistic: Statistic::Mean,
            values: Values::Number(0.0),
            counts,
            details,
        };
        packets(&sample)
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_not_called_not_sent() {
        let why = String::from("answered, but the far end's stamps cannot be right");
        let singleton = Singleton {
            index: 7,
            intended: Span::ZERO,
            sent: Some(Span::ZERO),
            at: Wall::default(),
            outcome: Outcome::Unmeasured(Reason(why)),
            one_way: None,
        };
        assert_eq!(
            fate(Load::Down, &singleton),
            "seq=7 load=down unmeasured: answered, but the far end's stamps cannot be right"
        );
    }

    #[test]
    fn where_nothing_was_sent_nothing_is_said_of_loss() {
        let nothing = Counts { planned: 10, missed: 10, ..Counts::default() };
        assert_eq!(said(nothing), "0 sent, 0 received, loss not measured, 10 slots missed");
        let some = Counts { planned: 10, sent: 10, received: 9, lost: 1, ..Counts::default() };
        assert_eq!(said(some), "10 sent, 9 received, 10.00% lost");
    }

    #[test]
    fn a_refusal_is_not_told_as_if_a_packet_had_come_back() {
        let told = |key: &str, n: u64| [(key.to_owned(), serde_json::json!(n))].into_iter().collect();
        let refused = Counts { planned: 3, sent: 3, received: 3, ..Counts::default() };
        assert_eq!(said_with(refused, told("refused", 3)), "3 sent, 3 answered (3 refused), 0.00% lost");
        let closed = Counts { planned: 3, sent: 3, lost: 3, ..Counts::default() };
        assert_eq!(
            said_with(closed, told("unreachable", 3)),
            "3 sent, 0 received, 100.00% lost, told 3 times that the target cannot be reached"
        );
    }
}
