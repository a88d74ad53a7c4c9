//! How far does a load lift the delay, and which grade would that get?
//!
//! The rise is the median round-trip delay under load less that of the idle line, for each direction. Grades are views on
//! the rise: sites draw the bounds differently and grade different things (the mean of both directions, the worse one,
//! a load both ways at once), so a grade always names its table.

use super::{Declined, Estimate, interval};
use broadgauge_model::clock::Span;
use serde::Deserialize;
use std::sync::LazyLock;

/// Which rise a table grades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Graded {
    /// The mean of the rises under a download and under an upload.
    Mean,
    /// The larger of them.
    Worse,
    /// The rise under both loads at once.
    BothAtOnce,
}

/// A published table of grades.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name in results.
    pub id: String,
    /// Who published it.
    pub source: String,
    /// When that was read.
    pub read: String,
    /// What it grades.
    pub of: Graded,
    /// Grades and the bound in ms below which they are earned.
    grades: Vec<(String, Option<f64>)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    tables: Vec<Table>,
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program, read by a test")]
    serde_json::from_str(include_str!("data/bufferbloat.json")).expect("data/bufferbloat.json")
});

/// Every table.
pub fn tables() -> &'static [Table] {
    &FILE.tables
}

/// The rises of the median delay in ms, by load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rises {
    /// Under a download.
    pub down: Option<f64>,
    /// Under an upload.
    pub up: Option<f64>,
    /// Under both at once.
    pub both: Option<f64>,
}

impl Table {
    /// The grade of a rise in ms.
    pub fn grade_of(&self, rise_ms: f64) -> Option<&str> {
        let earned = |(_, bound): &&(String, Option<f64>)| bound.is_none_or(|bound| rise_ms < bound);
        self.grades.iter().find(earned).map(|(grade, _)| grade.as_str())
    }

    /// The grade of a line.
    pub fn grade(&self, rises: &Rises) -> Result<&str, Declined> {
        let both_ways = rises.down.zip(rises.up);
        let graded = match self.of {
            Graded::Mean => both_ways.map(|(down, up)| f64::midpoint(down, up)),
            Graded::Worse => both_ways.map(|(down, up)| down.max(up)),
            Graded::BothAtOnce => rises.both,
        };
        graded.and_then(|rise| self.grade_of(rise)).ok_or_else(|| {
            Declined::because(match self.of {
                Graded::BothAtOnce => "this table grades a load in both directions at once",
                _ => "this table grades the delay under a download and under an upload",
            })
        })
    }
}

/// Fewer delays on either side bound no median.
pub const FEWEST: usize = 6;

/// The rise of the median in ms, from sorted delays. Its interval is from the order statistics that bound the two
/// medians, and so a little wider than 95 %.
pub fn rise(idle: &[Span], loaded: &[Span]) -> Result<Estimate, Declined> {
    let bounds = |sorted: &[Span]| {
        let n = sorted.len() as u64;
        let at = |rank: u64| sorted[(rank - 1) as usize].as_millis_f64();
        let (least, most) = interval::ranks(0.5, n);
        Some((at(least?), at(n.div_ceil(2)), at(most?)))
    };
    let (Some(before), Some(during)) = (bounds(idle), bounds(loaded)) else {
        let (idle, loaded) = (idle.len(), loaded.len());
        return Err(Declined::because(format!(
            "{idle} delays of the idle line and {loaded} of the loaded one bound no median; {FEWEST} of each do"
        )));
    };
    Ok(Estimate {
        value: during.1 - before.1,
        interval: (during.0 - before.2, during.2 - before.0),
        n: loaded.len() as u64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: &str) -> &'static Table {
        tables().iter().find(|table| table.id == id).unwrap()
    }

    #[test]
    fn dslreports_grades_by_its_own_bounds() {
        // dslreports.com FAQ 17930.
        let table = table("dslreports");
        let rises = [0.0, 4.9, 5.0, 29.9, 30.0, 60.0, 199.0, 200.0, 399.0, 400.0];
        let grades: Vec<_> = rises.iter().map(|&rise| table.grade_of(rise).unwrap()).collect();
        assert_eq!(grades, ["A+", "A+", "A", "A", "B", "C", "C", "D", "D", "F"]);
        let rises = Rises { down: Some(2.0), up: Some(7.0), both: None };
        assert_eq!(table.grade(&rises), Ok("A+"), "its grade is of the mean, 4.5 ms");
    }

    #[test]
    fn tables_grade_different_things() {
        let rises = Rises { down: Some(2.0), up: Some(70.0), both: None };
        assert_eq!(table("dslreports").grade(&rises), Ok("B"));
        assert_eq!(table("netspd").grade(&rises), Ok("C"));
        assert!(table("v_recipes").grade(&rises).unwrap_err().0.contains("both directions at once"));
        assert!(table("dslreports").grade(&Rises { up: None, ..rises }).is_err());
        for table in tables() {
            assert!(!table.source.is_empty() && table.read.len() == 10);
            assert!(table.grades.is_sorted_by(|a, b| a.1.unwrap_or(f64::MAX) < b.1.unwrap_or(f64::MAX)));
        }
    }

    #[test]
    fn the_rise_is_between_the_bounds_of_both_medians() {
        let idle: Vec<Span> = (10..30).map(Span::millis).collect();
        let loaded: Vec<Span> = (110..130).map(Span::millis).collect();
        let rise = rise(&idle, &loaded).unwrap();
        // scipy 1.17.1, binom(20, 0.5): the median of 20 lies between the 6th and the 15th (coverage 0.9586).
        assert_eq!((rise.value, rise.interval, rise.n), (100.0, (115.0 - 24.0, 124.0 - 15.0), 20));
    }

    #[test]
    fn five_delays_bound_no_median() {
        let five = [Span::millis(1); 5];
        assert!(rise(&five, &[Span::millis(9); 50]).unwrap_err().0.starts_with("5 delays of the idle line"));
    }
}
