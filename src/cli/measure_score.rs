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
        let _ = writeln!(text, "declined: {} ({reason})", listed(&labels));
    }
    text
}

/// The labels; many of one family as its name and their number.
fn listed(labels: &[String]) -> String {
    const FEW: usize = 3;
    if labels.len() <= FEW {
        return labels.join("; ");
    }
    let mut families: Vec<(&str, usize)> = Vec::new();
    for label in labels {
        let family = label.split(',').next().unwrap_or(label);
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, count)) => *count += 1,
            None => families.push((family, 1)),
        }
    }
    let told = families.into_iter().map(|(family, count)| format!("{family} ({count})"));
    told.collect::<Vec<_>>().join("; ")
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

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn many_scores_of_one_family_are_told_by_their_number() {
        let labels = ["Voice, a, up", "Voice, b, up", "Voice, a, down", "Grade, x"].map(str::to_owned);
        assert_eq!(listed(&labels), "Voice (3); Grade (1)");
        assert_eq!(listed(&labels[2..]), "Voice, a, down; Grade, x");
    }
}
