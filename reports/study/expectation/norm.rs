//! What stands for a promise where no delay is promised, which is nearly everywhere: the norm of the line's class.
//!
//! It is the median of what the other lines of the same technology and tier have, of every operator and in every region. A
//! contract promises a rate, so of a rate that is not promised nothing is known, and it has no norm.

use crate::study::experience::{Daily, median};
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::Panel;
use std::collections::BTreeMap;
use std::ops::Range;

/// Delays that a line has beside its rate.
const DELAYS: [MetricId; 2] = [MetricId::ROUND_TRIP_DELAY, MetricId::LOADED_ROUND_TRIP_DELAY];
/// Fewer other lines are no class.
const FEWEST_OTHERS: usize = 5;

/// By line, on the metric's scale; none where the class is not known, or too few others are of it.
pub(super) fn norms(panel: &Panel, daily: &Daily, days: Range<i32>) -> Vec<Option<f64>> {
    let mut norms = vec![None; panel.lines.len()];
    if !DELAYS.contains(&daily.series.metric) {
        return norms;
    }
    let mut classes: BTreeMap<(&str, u64), Vec<(f64, usize)>> = BTreeMap::new();
    for (at, line) in panel.lines.iter().enumerate() {
        let Some(technology) = line.technology.as_deref() else { continue };
        let had = daily.between(at, days.start, days.end).iter().map(|day| day.1).collect();
        let Some(level) = median(had) else { continue };
        let tier = line.promise.promised_down_mbps.map_or(0, f64::to_bits);
        classes.entry((technology, tier)).or_default().push((level, at));
    }
    for mut class in classes.into_values().filter(|class| class.len() > FEWEST_OTHERS) {
        class.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (place, &(_, line)) in class.iter().enumerate() {
            norms[line] = Some(middle_without(&class, place));
        }
    }
    norms
}

/// The median of a sorted class without one of its places.
fn middle_without(class: &[(f64, usize)], place: usize) -> f64 {
    let others = class.len() - 1;
    let at = |rank: usize| class[if rank >= place { rank + 1 } else { rank }].0;
    f64::midpoint(at((others - 1) / 2), at(others / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_not_its_own_norm() {
        let class = [(1.0, 0), (2.0, 1), (3.0, 2), (10.0, 3)];
        assert_eq!([0, 1, 2, 3].map(|place| middle_without(&class, place)), [3.0, 3.0, 2.0, 2.0]);
        assert_eq!(middle_without(&class[..3], 1), 2.0);
    }
}
