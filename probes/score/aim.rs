//! The points that Cloudflare's speed test gives a line for streaming, gaming and calls (AIM scoring).
//!
//! Each measure earns points by a table, an experience adds up the points of its measures and is named by their sum.
//! Unlike the original, a measure that is missing is not worth nought points: the experience is declined.

use super::Declined;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scale {
    bounds: Vec<f64>,
    points: Vec<i32>,
}

/// Something that people do on a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experience {
    /// The name in results.
    pub id: String,
    of: Vec<String>,
    bounds: Vec<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    source: String,
    #[serde(rename = "read")]
    _read: String,
    measures: BTreeMap<String, Scale>,
    experiences: Vec<Experience>,
    classes: Vec<String>,
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program, read by a test")]
    serde_json::from_str(include_str!("data/aim.json")).expect("data/aim.json")
});

/// What was measured, by the names of the table: `delay_ms`, `delay_rise_ms`, `jitter_ms`, `loss_ratio`,
/// `download_mbps`, `upload_mbps`.
pub type Measures = BTreeMap<&'static str, f64>;

/// Every experience.
pub fn experiences() -> &'static [Experience] {
    &FILE.experiences
}

/// Who published the points.
pub fn source() -> &'static str {
    &FILE.source
}

/// The points of one measure; `None` for a name that the table does not have.
pub fn points(measure: &str, value: f64) -> Option<i32> {
    let scale = FILE.measures.get(measure)?;
    scale.points.get(scale.bounds.partition_point(|&bound| bound <= value)).copied()
}

impl Experience {
    /// The points and the word for them.
    pub fn rate(&self, measures: &Measures) -> Result<(i32, &'static str), Declined> {
        let mut sum = 0;
        for name in &self.of {
            let value = measures.get(name.as_str()).copied();
            let earned = value.and_then(|value| points(name, value));
            sum += earned.ok_or_else(|| Declined::because(format!("{name} was not measured")))?;
        }
        let class = self.bounds.partition_point(|&bound| bound <= sum);
        Ok((sum, FILE.classes.get(class).map_or("", String::as_str)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_follow_the_published_scales() {
        // cloudflare/speedtest, internalConfig test: d3.scaleThreshold takes a value at a bound to the next step.
        let of = |name, values: &[f64]| values.iter().map(|&v| points(name, v).unwrap()).collect::<Vec<_>>();
        assert_eq!(of("delay_ms", &[9.9, 10.0, 20.0, 50.0, 100.0, 500.0]), [20, 10, 5, 0, -10, -20]);
        assert_eq!(of("delay_rise_ms", &[0.0, 499.0, 500.0]), [20, -10, -20]);
        assert_eq!(of("jitter_ms", &[9.0, 10.0, 20.0, 100.0, 500.0]), [10, 5, 0, -10, -20]);
        assert_eq!(of("loss_ratio", &[0.0, 0.01, 0.05, 0.25, 0.5]), [10, 5, 0, -10, -20]);
        assert_eq!(of("download_mbps", &[0.5, 1.0, 10.0, 50.0, 100.0]), [0, 5, 10, 20, 30]);
        assert_eq!(of("upload_mbps", &[0.5, 1.0, 10.0, 50.0, 100.0]), [0, 5, 10, 20, 30]);
        assert_eq!(points("colour", 1.0), None);
    }

    #[test]
    fn experiences_are_named_by_their_sum() {
        let good: Measures = [
            ("delay_ms", 8.0),
            ("jitter_ms", 2.0),
            ("loss_ratio", 0.0),
            ("delay_rise_ms", 3.0),
            ("download_mbps", 200.0),
        ]
        .into();
        let rate = |measures: &Measures| -> Vec<_> {
            experiences().iter().map(|one| one.rate(measures).map_err(|why| why.0)).collect()
        };
        assert_eq!(rate(&good), [Ok((80, "great")), Ok((50, "great")), Ok((60, "great"))]);
        let bad: Measures = [("delay_ms", 150.0), ("loss_ratio", 0.02), ("delay_rise_ms", 300.0)].into();
        assert_eq!(rate(&bad)[1], Ok((-15, "bad")));
        assert_eq!(rate(&bad)[2], Err(String::from("jitter_ms was not measured")));
    }
}
