//! The rules: words that speak for kinds.
//!
//! All words of all rules are looked for in one pass (Aho and Corasick, Commun. ACM 18, 1975), leftmost and longest first,
//! so that a phrase counts and not also its parts. English must stand alone, with any ending where the rule says so; Chinese
//! must begin and end where words do. Each word counts once, however often it stands there.

use super::words::{is_han, plain, words};
use super::{Kind, TAXONOMY, Verdict};
use aho_corasick::{AhoCorasick, MatchKind};
use broadgauge_model::complaint::Class;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The lead of the first class over the second, as a share of both, below which a text is unsure.
const LEAST_LEAD: f64 = 0.2;
/// What the words must weigh together, at least, for a verdict.
const LEAST_WEIGHT: f64 = 2.0;

#[derive(Deserialize)]
struct Written {
    version: String,
    rule: Vec<WrittenRule>,
}

#[derive(Deserialize)]
struct WrittenRule {
    kind: String,
    weight: f64,
    #[serde(default)]
    en: Vec<String>,
    #[serde(default)]
    zh: Vec<String>,
}

struct Pattern {
    kind: &'static Kind,
    weight: f64,
    open_ended: bool,
    han: bool,
}

/// Rules, ready to be used.
pub struct Rules {
    /// When they were last changed.
    pub version: String,
    patterns: Vec<Pattern>,
    search: AhoCorasick,
}

/// The rules that are shipped.
pub static RULES: LazyLock<Rules> = LazyLock::new(|| {
    Rules::parse(include_str!("rules.toml")).expect("the shipped rules are tested to parse")
});

impl Rules {
    /// Reads rules as they are written in `rules.toml`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|e| e.to_string())?;
        let (mut patterns, mut needles) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for rule in &written.rule {
            let kind = TAXONOMY
                .kind(&rule.kind)
                .ok_or_else(|| format!("rule for {:?}, which is not in the taxonomy", rule.kind))?;
            for word in rule.en.iter().chain(&rule.zh) {
                let open_ended = word.ends_with('*');
                let needle = plain(word.trim_end_matches('*'));
                if needle.is_empty() || !seen.insert(needle.clone()) {
                    return Err(format!("{word:?} stands twice, or is empty"));
                }
                let han = needle.chars().any(is_han);
                patterns.push(Pattern { kind, weight: rule.weight, open_ended, han });
                needles.push(needle);
            }
        }
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&needles)
            .map_err(|e| e.to_string())?;
        Ok(Self { version: written.version, patterns, search })
    }

    /// Judges a text.
    pub fn judge(&self, text: &str) -> Verdict {
        let text = plain(text);
        let mut kinds = BTreeMap::<&'static str, f64>::new();
        let mut found = Vec::new();
        for (pattern, word) in self.matches(&text) {
            let pattern = &self.patterns[pattern];
            *kinds.entry(&pattern.kind.id).or_default() += pattern.weight;
            found.push((pattern.weight, pattern.kind.class, word));
        }
        let by = format!("rules {}", self.version);
        let mut classes = BTreeMap::<Class, f64>::new();
        for (weight, class, _) in &found {
            *classes.entry(*class).or_default() += weight;
        }
        let mut order: Vec<(Class, f64)> = classes.into_iter().collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let first = order.first().copied().unwrap_or((Class::Unsure, 0.0));
        let second = order.get(1).map_or(0.0, |class| class.1);
        let lead = if first.1 > 0.0 { (first.1 - second) / (first.1 + second) } else { 0.0 };
        if lead < LEAST_LEAD || first.1 < LEAST_WEIGHT {
            let words = found.into_iter().map(|(_, _, word)| word).collect();
            return Verdict { class: Class::Unsure, kind: None, confidence: lead, words, by };
        }
        let kind = kinds
            .iter()
            .filter(|(kind, _)| TAXONOMY.kind(kind).is_some_and(|k| k.class == first.0))
            .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(a.0)))
            .map(|(kind, _)| *kind);
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let words = found.into_iter().filter(|f| f.1 == first.0).map(|f| f.2).collect();
        // One weak word may stand alone and still be no certainty.
        let confidence = lead * (first.1 / (first.1 + 1.0));
        Verdict { class: first.0, kind, confidence, words, by }
    }

    /// The weight of each class, as features for a model.
    pub(super) fn weights(&self, text: &str) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for (pattern, _) in self.matches(text) {
            let place = match self.patterns[pattern].kind.class {
                Class::Network => 0,
                Class::Billing => 1,
                Class::Service | Class::Unsure => 2,
            };
            sums[place] += self.patterns[pattern].weight;
        }
        sums
    }

    /// The patterns that stand in a plain text with whole words, longest first where they overlap, each once.
    fn matches(&self, text: &str) -> Vec<(usize, String)> {
        let borders = if text.chars().any(is_han) { borders(text) } else { BTreeSet::new() };
        let mut all: Vec<(usize, usize, usize)> = self
            .search
            .find_overlapping_iter(text)
            .filter(|m| self.stands_alone(text, &borders, m.pattern().as_usize(), m.start(), m.end()))
            .map(|m| (m.start(), m.end(), m.pattern().as_usize()))
            .collect();
        all.sort_by_key(|&(start, end, _)| (std::cmp::Reverse(end - start), start));
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for (start, end, pattern) in all {
            if taken.iter().all(|&(s, e)| end <= s || e <= start) {
                taken.push((start, end));
                if seen.insert(pattern) {
                    kept.push((pattern, text[start..end].to_owned()));
                }
            }
        }
        kept
    }

    fn stands_alone(
        &self,
        text: &str,
        borders: &BTreeSet<usize>,
        pattern: usize,
        start: usize,
        end: usize,
    ) -> bool {
        let pattern = &self.patterns[pattern];
        if pattern.han {
            return borders.contains(&start) && borders.contains(&end);
        }
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_han(c));
        let before = letter(text[..start].chars().next_back());
        let after = letter(text[end..].chars().next());
        !before && (pattern.open_ended || !after)
    }
}

/// Where Chinese words begin and end in a text.
fn borders(text: &str) -> BTreeSet<usize> {
    let mut borders = BTreeSet::from([0, text.len()]);
    let mut from = 0;
    for word in words(text) {
        if let Some(at) = text[from..].find(&word) {
            borders.insert(from + at);
            borders.insert(from + at + word.len());
            from += at + word.len();
        }
    }
    borders
}
