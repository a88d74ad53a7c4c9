//! Rules that others have made: regulators, standards, applications. Data with a source, a date and a version, and the
//! rule that reads them.
//!
//! A profile is a file under `data`: what it is called, where it is published, from when it holds, and the numbers of
//! its rule. Rules are pure functions of tests in local time: [`contract`] for what one line was promised, [`advertised`]
//! and [`program`] for what many lines show together, [`network`] for classes and applications. Each answers with its
//! evidence, or says what is missing; it is never "met" because there was too little to judge.
//!
//! A result here is not a legal finding: only the body that made the rule can make one.

pub mod advertised;
pub mod calendar;
pub mod contract;
mod local;
pub mod network;
pub mod program;
mod verdict;

pub use local::{Packets, Test};
pub use verdict::{Evidence, Finding, Verdict};

use serde::{Deserialize, Serialize};

/// A profile: whose rule, which version, and its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name on the command line.
    pub id: String,
    /// The version of this file: raised when a number of it moves.
    pub version: u32,
    /// Who made the rule, and what it is called.
    pub title: String,
    /// Where it is published.
    pub source: String,
    /// From when on it holds.
    pub since: String,
    /// Until when it held; absent while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// What is not in it, or was not checked against the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caveat: Option<String>,
    /// The rule with its numbers.
    pub rule: Rule,
}

/// The rules that are known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// A campaign of tests on one line against its contract.
    Campaign(contract::Campaign),
    /// Standing tests on one line against the rates of its contract.
    Available(contract::Available),
    /// Lines against what was advertised: median, bands and 80/80.
    Advertised(advertised::Advertised),
    /// Shares of all tests at required rate and delay.
    Required(program::Required),
    /// The range of similar customers at peak.
    Range(program::Range),
    /// Classes of network performance, one-way.
    Classes(network::Classes),
    /// What applications need.
    Applications(network::Applications),
}

/// Every profile's file.
const FILES: [&str; 8] = [
    include_str!("data/fcc-mba.json"),
    include_str!("data/fcc-high-cost.json"),
    include_str!("data/ofcom-speeds-code.json"),
    include_str!("data/eu-2015-2120.json"),
    include_str!("data/bnetza-2017.json"),
    include_str!("data/bnetza-2021.json"),
    include_str!("data/y1541.json"),
    include_str!("data/applications.json"),
];

/// All profiles, by id. A file that cannot be read is left out; a test sees to it that none is.
pub fn all() -> Vec<Profile> {
    let mut all: Vec<Profile> = FILES.iter().filter_map(|text| serde_json::from_str(text).ok()).collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// The profile of this id.
pub fn find(id: &str) -> Result<Profile, String> {
    let all = all();
    let known: Vec<&str> = all.iter().map(|p| p.id.as_str()).collect();
    let known = known.join(", ");
    all.into_iter().find(|p| p.id == id).ok_or_else(|| format!("profile {id:?} is not one of: {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_read_and_names_its_source_and_its_day() {
        for text in FILES {
            let profile: Profile = serde_json::from_str(text).unwrap();
            assert!(profile.version >= 1 && !profile.source.is_empty(), "{}", profile.id);
            let day: jiff::civil::Date = profile.since.parse().unwrap();
            assert!(day.year() > 1990, "{}", profile.id);
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn an_unknown_profile_is_told_what_there_is() {
        let told = find("fcc").unwrap_err();
        assert!(told.contains("fcc-mba") && told.contains("bnetza-2021"), "{told}");
        assert_eq!(find("y1541").unwrap().id, "y1541");
    }
}
