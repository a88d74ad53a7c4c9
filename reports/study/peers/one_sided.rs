//! Lines that found no counterpart, with counts: what was not compared is said, and said once.

use super::strata::{Group, Matched, Part, Strata};
use crate::study::{Note, Series, Words};
use broadgauge_model::text::Phrase;
use std::collections::BTreeSet;

/// Notes the lines of each pair that were observed where the other operator was not.
pub(super) fn note(strata: &Strata, own: &str, peers: &BTreeSet<&str>, notes: &mut Vec<Note>) {
    for peer in peers {
        let common = strata.series.values().any(|m| has(m, own) && has(m, peer));
        for (who, other) in [(own, *peer), (*peer, own)] {
            if common {
                // The lines are mostly the same ones in every series: the largest count stands for all.
                let most = strata.series.values().map(|m| alone(m, who, other)).max().unwrap_or(0);
                let phrase = Phrase {
                    en: "lines of {who} with figures where {other} has none on the same ground",
                    zh: "{who} 有数据而同一分层内 {other} 没有数据的线路",
                };
                let words = Words::with(phrase, &[("who", &who), ("other", &other)]);
                Note::push(notes, words, most as u64);
            } else {
                for (series, matched) in &strata.series {
                    by_series(series, who, other, alone(matched, who, other), notes);
                }
            }
        }
    }
}

/// Without a common series, the reader must see which metric by which method each side has.
fn by_series(series: &Series, who: &str, other: &str, count: usize, notes: &mut Vec<Note>) {
    let phrase = Phrase {
        en: "{metric} ({load}, {statistic}, {method}): lines of {who}, and none of {other}",
        zh: "{metric}（{load}，{statistic}，{method}）：有 {who} 的线路，没有 {other} 的线路",
    };
    let words = Words::with(
        phrase,
        &[
            ("metric", &series.metric),
            ("load", &series.load.word()),
            ("statistic", &series.statistic.word()),
            ("method", &series.method),
            ("who", &who),
            ("other", &other),
        ],
    );
    Note::push(notes, words, count as u64);
}

fn has(matched: &Matched, operator: &str) -> bool {
    matched.grounds.values().any(|groups| groups.contains_key(operator))
}

/// Lines with values in a part of the week, on a ground, in which the other operator has none.
fn alone(matched: &Matched, who: &str, other: &str) -> usize {
    matched.grounds.values().map(|groups| unmatched(groups.get(who), groups.get(other))).sum()
}

fn unmatched(group: Option<&Group>, other: Option<&Group>) -> usize {
    let known: BTreeSet<Part> =
        other.into_iter().flatten().flat_map(|l| l.parts.iter().map(|(part, _)| *part)).collect();
    group.into_iter().flatten().filter(|l| l.parts.iter().any(|(part, _)| !known.contains(part))).count()
}
