//! `schedule`: when a task runs.

use super::{Wrong, time};
use crate::schedule::cron;
use broadgauge_model::clock::Span;
use broadgauge_model::task::Schedule;
use serde::Deserialize;

/// As written: exactly one of `cron`, `every`, `poisson` and `once`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSection {
    /// Five fields, or six with seconds first, in the line's zone.
    pub cron: Option<String>,
    /// With `cron`: each agent shifts its runs by a share of this.
    pub spread: Option<String>,
    /// A fixed gap.
    pub every: Option<String>,
    /// The mean of exponential gaps.
    pub poisson: Option<String>,
    /// Once, when the agent starts.
    pub once: bool,
}

impl ScheduleSection {
    pub(super) fn check(self) -> Result<Schedule, Wrong> {
        let schedule = match (self.cron, self.every, self.poisson, self.once) {
            (Some(expression), None, None, false) => {
                cron(&expression).map_err(|error| {
                    Wrong::new("cron", format!("{expression:?}: {error}; write it as \"*/15 * * * *\""))
                })?;
                let spread = self.spread.as_deref().map(|text| time::length("spread", text)).transpose()?;
                return Ok(Schedule::Cron { expression, spread: spread.unwrap_or(Span::ZERO) });
            }
            (None, Some(every), None, false) => Schedule::Periodic { every: time::length("every", &every)? },
            (None, None, Some(mean), false) => Schedule::Poisson { mean: time::length("poisson", &mean)? },
            (None, None, None, true) => Schedule::Once,
            _ => {
                return Err(Wrong::new(
                    "schedule",
                    "needs exactly one of: cron = \"0 * * * *\", every = \"30s\", poisson = \"10m\", once = true",
                ));
            }
        };
        if self.spread.is_some() {
            return Err(Wrong::new("spread", "goes with cron only; take it out"));
        }
        Ok(schedule)
    }
}
