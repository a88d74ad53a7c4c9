//! What customers said, and how it was dealt with.

use super::chance::lognormal;
use super::habits::SLOPE;
use super::lines::Line;
use super::plan::{Plan, Planted};
use super::tables::{Calendar, Table};
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::io;

const CLASSES: [(&str, &str); 3] = [
    ("network", "evenings are slow and video calls freeze"),
    ("billing", "the bill is higher than agreed"),
    ("service", "nobody called back"),
];
const CHANNELS: [&str; 3] = ["phone", "app", "shop"];
/// The team that answers, by class; one case in twenty is nobody's.
const OWNERS: [&str; 3] = ["network care", "billing desk", "customer care"];
/// Half of the cases are answered within this, and resolved within that, by class.
const RESPONSE_HOURS: f64 = 6.0;
const RESOLUTION_HOURS: [f64; 3] = [60.0, 30.0, 40.0];
/// Days until a case is due.
const DUE_DAYS: i64 = 5;

/// The table, and how many of each class it has.
pub(super) struct Complaints<'a> {
    pub(super) plan: &'a Plan,
    pub(super) planted: Planted,
    pub(super) calendar: &'a Calendar,
    pub(super) table: Table,
    pub(super) tickets: [u64; 3],
}

pub(super) const HEADER: &str = "complaint_id,opened_at,line_id,operator,class,text,channel,first_response_at,\
                                 resolved_at,reopened_at,status,owner,due_at";

impl Complaints<'_> {
    /// What the customer of a line says on a day: by the worst delay of the day before, and by how far short of
    /// expectation the week is.
    pub(super) fn day(
        &mut self,
        line: &Line,
        number: i32,
        worst_yesterday: Option<f64>,
        short: f64,
        rng: &mut ChaCha8Rng,
    ) -> io::Result<()> {
        let day = self.calendar.day(number)?;
        let weekday = match day.weekday() {
            Weekday::Monday => 1.3,
            Weekday::Sunday => 0.7,
            _ => 1.0,
        };
        let trend = 1.0 + 0.3 * f64::from(number) / f64::from(self.plan.days);
        let usual = line.readiness * weekday * trend;
        if let Some(worst) = worst_yesterday {
            let (base, steps) = match self.planted.knee_ms {
                None => (0.0035, (worst - 40.0) / 10.0),
                Some(knee) => (0.0010, (worst - knee).max(0.0) / 10.0),
            };
            let habit = (SLOPE * short).exp();
            let hazard = base * usual * habit * self.planted.complaint_rate_ratio_per_10_ms.powf(steps);
            if rng.random_bool(hazard.min(0.5)) {
                self.write(line, 0, day, rng)?;
            }
        }
        let quieter = if self.plan.whole { 0.3 } else { 1.0 };
        for (class, hazard) in [(1, 0.004), (2, 0.002)] {
            if rng.random_bool((hazard * quieter * usual).min(0.5)) {
                self.write(line, class, day, rng)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, line: &Line, class: usize, day: Date, rng: &mut ChaCha8Rng) -> io::Result<()> {
        self.tickets[class] += 1;
        let ticket = self.tickets.iter().sum::<u64>();
        let opened = self.calendar.moment(day, rng.random_range(8..18), rng.random_range(0..60))?.timestamp();
        let (_, end) = self.calendar.ends()?;
        let end: Timestamp = end.parse().map_err(io::Error::other)?;
        let after = |hours: f64| -> io::Result<Option<Timestamp>> {
            let seconds = (hours * 3_600.0) as i64;
            let at = opened.checked_add(SignedDuration::from_secs(seconds)).map_err(io::Error::other)?;
            // What has not happened yet is not in the table.
            Ok((at < end).then_some(at))
        };
        let answered = after(RESPONSE_HOURS * lognormal(rng, 0.8))?;
        let resolved =
            after(RESOLUTION_HOURS[class] * lognormal(rng, 0.9) + 1.0)?.filter(|_| answered.is_some());
        let resolved = resolved.zip(answered).map(|(resolved, answered)| resolved.max(answered));
        let reopened = match resolved {
            Some(_) if rng.random_bool(0.04) => after(24.0 * 9.0)?.filter(|at| Some(*at) > resolved),
            _ => None,
        };
        let status = if resolved.is_some() && reopened.is_none() { "closed" } else { "open" };
        let owner = if rng.random_bool(0.05) { "" } else { OWNERS[class] };
        let due = after(24.0 * DUE_DAYS as f64)?.map_or_else(
            || opened.checked_add(SignedDuration::from_hours(24 * DUE_DAYS)).map(|t| t.to_string()),
            |at| Ok(at.to_string()),
        );
        let channel = CHANNELS[if rng.random_bool(0.6) { 0 } else { rng.random_range(1..3) }];
        let (class, text) = CLASSES[class];
        let cell = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        self.table.row(format_args!(
            "T{ticket:05},{opened},{},{},{class},{text},{channel},{},{},{},{status},{owner},{}",
            line.id,
            line.operator,
            cell(answered),
            cell(resolved),
            cell(reopened),
            due.map_err(io::Error::other)?
        ))
    }
}
