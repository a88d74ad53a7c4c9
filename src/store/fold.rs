//! Merging very many histograms in one scan: dense counters per group, filled straight from the bytes at rest.
//!
//! Bucket counts are added as whole numbers, so the answer is the same in whatever order rows come, and equals
//! recording every singleton once.

use super::{Filter, LocalHours, Results, StoreError};
use broadgauge_model::histogram::{HIGHEST, Histogram, RestError, bucket_index};
use broadgauge_model::metric::MetricId;
use std::collections::BTreeMap;

/// One operator, one metric, one hour of the local day.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    /// The operator; empty where nobody has told.
    pub operator: String,
    /// The metric.
    pub metric: MetricId,
    /// 0 to 23, in the zone of the line.
    pub hour: u8,
}

const HOURS: usize = 24;

#[derive(Clone, Default)]
struct Dense(Vec<u64>);

impl Dense {
    fn add(&mut self, at_rest: &[u8]) -> Result<(), RestError> {
        if self.0.is_empty() {
            self.0 = vec![0; usize::from(bucket_index(HIGHEST)) + 1];
        }
        let counts = &mut self.0;
        Histogram::visit_rest(at_rest, |index, count| {
            let index = usize::from(index);
            if index >= counts.len() {
                counts.resize(index + 1, 0);
            }
            counts[index] += count;
        })
    }

    fn finish(&self) -> Histogram {
        let used = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        Histogram::from_buckets(used.map(|(index, &count)| (index as u16, count)).collect())
    }
}

/// Merges every histogram that the filter lets through by operator, metric and hour of the local day.
pub fn fold_by_operator_metric_hour(
    store: &(impl Results + ?Sized),
    filter: &Filter,
    hours: &mut LocalHours,
) -> Result<BTreeMap<GroupKey, Histogram>, StoreError> {
    let mut operators: Vec<String> = Vec::new();
    let mut operator_of_line: Vec<Option<usize>> = Vec::new();
    let metrics: Vec<MetricId> = MetricId::all().collect();
    let mut groups: Vec<Dense> = Vec::new();
    let mut failure = None;
    store.scan_histograms(filter, &mut |row| {
        if operator_of_line.len() <= row.line_key {
            operator_of_line.resize(row.line_key + 1, None);
        }
        let operator = *operator_of_line[row.line_key].get_or_insert_with(|| {
            let name = row.line.map_or("", |line| line.operator.as_str());
            operators.iter().position(|o| o == name).unwrap_or_else(|| {
                operators.push(name.to_owned());
                operators.len() - 1
            })
        });
        let metric = metrics.iter().position(|m| *m == row.metric).unwrap_or_default();
        let (_, hour) = hours.of(row.line.and_then(|l| l.zone.as_deref()), row.started_at);
        let group = (operator * metrics.len() + metric) * HOURS + usize::from(hour);
        if groups.len() <= group {
            groups.resize(group + 1, Dense::default());
        }
        if let Err(error) = groups[group].add(row.at_rest) {
            failure.get_or_insert(error);
        }
    })?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    let used = groups.iter().enumerate().filter(|(_, dense)| !dense.0.is_empty());
    Ok(used
        .map(|(group, dense)| {
            let (pair, hour) = (group / HOURS, (group % HOURS) as u8);
            let key = GroupKey {
                operator: operators[pair / metrics.len()].clone(),
                metric: metrics[pair % metrics.len()],
                hour,
            };
            (key, dense.finish())
        })
        .collect())
}
