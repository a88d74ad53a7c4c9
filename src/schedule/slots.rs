//! When a schedule asks for a run: the next slot after a given one, from nothing but seeds.
//!
//! Periodic slots have a seeded phase (RFC 3432 section 4.2), Poisson slots exponential gaps (RFC 2330 section
//! 11.1.1) held between 0.1 and 2.5 times the mean, so that neither a burst nor a long silence comes of chance.
//! A gap is drawn from the seed and the slot before it: a restart does not change the plan, and tasks that share
//! a seed share their slots.

use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::task::Schedule;
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// Reads a cron expression: five fields, or six with seconds first.
pub fn cron(expression: &str) -> Result<Cron, CronError> {
    CronParser::builder().seconds(Seconds::Optional).build().parse(expression)
}

/// A seed of its own for everything that has a name.
pub fn seed_of(seed: u64, name: &str) -> u64 {
    let hash = Sha256::new_with_prefix(seed.to_le_bytes()).chain_update(name).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first)
}

/// A schedule with its seeds drawn.
#[derive(Clone, Debug)]
pub(super) enum Slots {
    Cron { cron: Box<Cron>, offset: Span, zone: TimeZone },
    Periodic { every: Span, phase: Span },
    Poisson { mean: Span, seed: u64 },
    Once,
}

impl Slots {
    pub(super) fn new(schedule: &Schedule, zone: &TimeZone, seed: u64) -> Result<Self, CronError> {
        let share = |of: Span| if of.0 > 0 { Span((seed % of.0 as u64) as i64) } else { Span::ZERO };
        Ok(match schedule {
            Schedule::Cron { expression, spread } => {
                Self::Cron { cron: Box::new(cron(expression)?), offset: share(*spread), zone: zone.clone() }
            }
            Schedule::Periodic { every } => Self::Periodic { every: *every, phase: share(*every) },
            Schedule::Poisson { mean } => Self::Poisson { mean: *mean, seed },
            Schedule::Once => Self::Once,
        })
    }

    /// The first slot after `last`; `None` where there is no other.
    pub(super) fn after(&self, last: Wall, agent_started: Wall) -> Option<Wall> {
        match self {
            Self::Periodic { every, phase } => {
                if every.0 <= 0 {
                    return None;
                }
                let passed = last.since(Wall(phase.0)).0.div_euclid(every.0);
                Some(Wall(phase.0.saturating_add((passed + 1).saturating_mul(every.0))))
            }
            Self::Poisson { mean, seed } => {
                let mut rng = ChaCha8Rng::seed_from_u64(seed ^ (last.0 as u64).rotate_left(17));
                let share: f64 = rng.random();
                let gap = -(1.0 - share).ln();
                Some(last + Span(((mean.0 as f64 * gap.clamp(0.1, 2.5)) as i64).max(1)))
            }
            Self::Cron { cron, offset, zone } => {
                let from = jiff::Timestamp::from_nanosecond(i128::from(last.0 - offset.0)).ok()?;
                let next = cron.find_next_occurrence(&from.to_zoned(zone.clone()), false).ok()?;
                let nanos = i64::try_from(next.timestamp().as_nanosecond()).ok()?;
                Some(Wall(nanos) + *offset)
            }
            Self::Once => (last < agent_started).then_some(agent_started),
        }
    }
}
