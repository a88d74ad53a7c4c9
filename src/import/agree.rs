//! Which metric, load and direction go together.

use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load};

/// The direction of a result, from what its row or its map says; or the column to blame, and why.
pub(super) fn direction(
    metric: MetricId,
    load: Load,
    said: Option<Direction>,
) -> Result<Direction, (&'static str, String)> {
    let own = [
        (MetricId::DOWNLOAD_GOODPUT, Direction::Down),
        (MetricId::DOWNLOAD_CAPACITY, Direction::Down),
        (MetricId::UPLOAD_GOODPUT, Direction::Up),
        (MetricId::UPLOAD_CAPACITY, Direction::Up),
    ]
    .into_iter()
    .find_map(|(m, direction)| (m == metric).then_some(direction));
    if metric == MetricId::LOADED_ROUND_TRIP_DELAY && load == Load::Idle {
        return Err(("load", format!("{metric} needs its load: down, up or both")));
    }
    match (own, said) {
        (Some(own), Some(said)) if own != said => {
            Err(("direction", format!("{metric} goes {}, not {}", own.word(), said.word())))
        }
        (own, said) => Ok(said.or(own).unwrap_or_default()),
    }
}
