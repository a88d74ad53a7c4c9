//! A day's tests of one line.

use super::chance::lognormal;
use super::lines::Line;
use super::plan::{OWN, PEAK, Plan, Planted};
use super::tables::{Calendar, Table};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::io;

/// In the whole town idle delay and loss are tested every so many days, and so are quiet hours.
const SELDOM: i32 = 6;

/// What writing a line's day needs.
pub(super) struct Tests<'a> {
    pub(super) plan: &'a Plan,
    pub(super) planted: Planted,
    pub(super) calendar: &'a Calendar,
    pub(super) results: Table,
}

/// What a line's day came to.
pub(super) struct Day {
    /// The worst loaded delay of the day's tests (in busy hours, in the whole town), in milliseconds.
    pub(super) worst_ms: f64,
}

impl Tests<'_> {
    fn result(
        &mut self,
        line: &Line,
        at: &str,
        metric: &str,
        value: f64,
        load: &str,
        packets: &str,
    ) -> io::Result<()> {
        self.results
            .row(format_args!("{},{at},{metric},{value:.3},{load},{packets},town-exchange,town", line.id))
    }

    /// Tests a line on a day. `evening` is what delay in busy hours is multiplied by; `rate` is the download rate, where
    /// the town has one in store already.
    pub(super) fn day(
        &mut self,
        line: &Line,
        number: i32,
        evening: f64,
        rate: Option<f64>,
        rng: &mut ChaCha8Rng,
    ) -> io::Result<Day> {
        let early = rng.random_range(PEAK);
        let late = PEAK.start + (early - PEAK.start + rng.random_range(1..4)) % 4;
        let mut quiet = rng.random_range(0..20);
        if PEAK.contains(&quiet) {
            quiet += 4;
        }
        let seldom = number % SELDOM == 0;
        let hours: &[i8] = match (self.plan.whole, seldom) {
            (false, _) => &[quiet, early, late],
            (true, true) => &[quiet, early],
            (true, false) => &[early],
        };
        let mut worst_ms = 0.0_f64;
        for &hour in hours {
            let at = self.calendar.stamp(number, hour, rng.random_range(0..60))?;
            let mut loaded = line.technology.loaded_ms * line.level * lognormal(rng, 0.18);
            let busy = PEAK.contains(&hour);
            if busy {
                let own_fttc = line.operator == OWN && line.technology.name == "fttc";
                let Planted { fttc_peak_ratio, ratio_elsewhere, .. } = self.planted;
                loaded *= 1.3 * evening * if own_fttc { fttc_peak_ratio } else { ratio_elsewhere };
            }
            // What the table says is what the customer had: the planted effect is on the rounded value.
            let loaded = (loaded * 1e3).round() / 1e3;
            if busy || !self.plan.whole {
                worst_ms = worst_ms.max(loaded);
            }
            self.result(line, &at, "loaded_round_trip_delay", loaded, "down", ",")?;
        }
        let at = self.calendar.stamp(number, early, rng.random_range(0..60))?;
        let rate = rate.unwrap_or_else(|| {
            let share = (0.97 * line.rate_level * lognormal(rng, 0.04) / evening.powf(0.15)).min(1.02);
            share * line.promised_down_mbps
        });
        self.result(line, &at, "download_goodput", rate, "down", ",")?;
        if !self.plan.whole || seldom {
            let idle = line.technology.idle_ms * line.level.sqrt() * lognormal(rng, 0.10);
            self.result(line, &at, "round_trip_delay", idle, "idle", ",")?;
            let lost = (0..1_000).filter(|_| rng.random_bool((0.0004 * evening).min(0.2))).count();
            self.result(line, &at, "loss_ratio", lost as f64 / 1e3, "idle", &format!("1000,{lost}"))?;
        }
        Ok(Day { worst_ms })
    }
}
