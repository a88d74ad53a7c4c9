//! Flags that several commands share: which results are wanted.

use crate::store::Filter;
use broadgauge_model::clock::Wall;
use broadgauge_model::metric::MetricId;

/// Which results are wanted.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct Results {
    /// Only these metrics
    #[arg(long, value_name = "METRIC", value_delimiter = ',')]
    pub metric: Vec<MetricId>,
    /// From this moment on: 2026-03-01, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<Wall>,
    /// Before this moment
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<Wall>,
    /// Only lines of these operators
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub operator: Vec<String>,
}

impl Results {
    /// As the store understands it.
    pub fn filter(&self) -> Filter {
        Filter {
            metrics: self.metric.clone(),
            from: self.from,
            to: self.to,
            operators: self.operator.clone(),
        }
    }
}

/// Reads a moment: RFC 3339, or a date, which begins at midnight UTC.
pub fn moment(text: &str) -> Result<Wall, String> {
    Wall::parse_rfc3339(text).or_else(|| Wall::parse_rfc3339(&format!("{text}T00:00:00Z"))).ok_or_else(|| {
        format!("{text:?} is neither a date (2026-03-01) nor RFC 3339 (2026-03-01T18:00:00+01:00)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_at_midnight_utc() {
        assert_eq!(moment("1970-01-02"), Ok(Wall::from_secs(86_400)));
        assert_eq!(moment("1970-01-02T01:00:00+01:00"), Ok(Wall::from_secs(86_400)));
        assert!(moment("yesterday").is_err());
    }
}
