//! The scores of a measurement, for a person and for a script.

use broadgauge_model::result::{Direction, Load};
use broadgauge_probes::score::{Score, Scored};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// One line each; what is declined for the same reason stands on one line together.
pub(super) fn text(scores: &[Scored]) -> String {
    let mut text = String::new();
    let mut declined: Vec<(&str, Vec<String>)> = Vec::new();
    for scored in scores {
        let label = label(scored);
        match &scored.score {
            Ok(score) => {
                let _ = writeln!(text, "{label:<48} {}", words(scored, score));
            }
            Err(why) => match declined.iter_mut().find(|(reason, _)| *reason == why.0) {
                Some((_, labels)) => labels.push(label),
                None => declined.push((&why.0, vec![label])),
            },
        }
    }
    for (reason, labels) in declined {
        let _ = writeln!(text, "declined: {} ({reason})", labels.join("; "));
    }
    text
}

fn label(scored: &Scored) -> String {
    let mut label = scored.label.clone();
    if scored.direction != Direction::RoundTrip {
        let _ = write!(label, ", {}", scored.direction.word());
    }
    if scored.load != Load::Idle {
        let _ = write!(label, ", load {}", scored.load.word());
    }
    label
}

fn words(scored: &Scored, score: &Score) -> String {
    let (digits, unit) = match scored.unit {
        "mos" => (2, " MOS"),
        "score" => (0, " of 100"),
        "ms" => (3, " ms"),
        _ => (4, ""),
    };
    match score {
        Score::Estimate(estimate) => {
            let (worst, best) = estimate.interval;
            let value = estimate.value;
            format!("{value:.digits$}{unit} ({worst:.digits$} to {best:.digits$}), n {}", estimate.n)
        }
        Score::Number(number) => format!("{number:.digits$}{unit}"),
        Score::Word(word) => word.clone(),
    }
}

/// A list of objects; a refusal stands where the value would.
pub(super) fn json(scores: &[Scored]) -> Value {
    scores.iter().map(one).collect()
}

fn one(scored: &Scored) -> Value {
    let key = if scored.unit.is_empty() { "value".to_owned() } else { format!("value_{}", scored.unit) };
    let value = match &scored.score {
        Ok(Score::Estimate(estimate)) => json!(estimate),
        Ok(Score::Number(number)) => json!(number),
        Ok(Score::Word(word)) => json!(word),
        Err(declined) => json!(declined),
    };
    let mut out = Map::new();
    out.insert("score".into(), scored.name.into());
    out.insert("by".into(), scored.by.clone().into());
    out.insert("load".into(), scored.load.word().into());
    out.insert("direction".into(), scored.direction.word().into());
    out.insert(key, value);
    out.insert("details".into(), Value::Object(scored.details.clone()));
    Value::Object(out)
}
