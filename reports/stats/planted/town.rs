//! A town in which bad days make people complain, at a rate ratio that is known.
//!
//! Complaints are a Poisson process per line. Mondays and a rising trend raise both bad days and complaints, whatever
//! the network does, and some lines have more of both: a comparison that forgets any of the three finds too much.

use super::{normal, poisson, random};
use crate::stats::Answer;
use crate::stats::Stream;
use crate::stats::clogit::MatchedSets;

/// Complaints by weekday, Monday first, as shares of the busiest.
const CALLS: [f64; 7] = [1.0, 0.8, 0.7, 0.7, 0.9, 0.4, 0.35];
/// Bad days by weekday, as probabilities for the typical line at the start.
const BAD_DAYS: [f64; 7] = [0.25, 0.17, 0.14, 0.14, 0.22, 0.10, 0.09];
/// Days of one block: referents are taken from the same block as the case.
pub(crate) const BLOCK: usize = 28;

/// How a town is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TownPlan {
    /// How many lines.
    pub(crate) lines: usize,
    /// How many blocks of 28 days.
    pub(crate) blocks: usize,
    /// Complaints per line and day of the typical line on the busiest weekday at the start, without a bad day.
    pub(crate) rate: f64,
    /// How many times more complaints on a bad day.
    pub(crate) ratio: f64,
    /// Growth of complaints over the whole time, as a logarithm.
    pub(crate) trend: f64,
}

impl TownPlan {
    /// A town of 1,500 lines with some 700 complaints in 24 weeks; fewer where bad days do no harm.
    pub(crate) const fn new(ratio: f64) -> Self {
        Self { lines: 1_500, blocks: 6, rate: 0.0012, ratio, trend: 1.0 }
    }
}

/// A town: who complained when, and which days were bad.
#[derive(Clone, Debug)]
pub(crate) struct Town {
    plan: TownPlan,
    seed: u64,
    number: u64,
    /// Per line, how prone it is to bad days.
    proneness: Vec<f64>,
    /// Complaints as (line, day), in order.
    pub(crate) complaints: Vec<(usize, usize)>,
}

impl Town {
    /// Replicate `number` under `seed`.
    pub(crate) fn new(plan: TownPlan, seed: u64, number: u64) -> Self {
        let mut stream = random(seed, number);
        let mut proneness = Vec::with_capacity(plan.lines);
        let mut reached = Vec::with_capacity(plan.lines);
        let mut total = 0.0;
        for _ in 0..plan.lines {
            let shared = normal(&mut stream);
            proneness.push((0.4 * shared).exp());
            total += (0.6 * shared + 0.4 * normal(&mut stream)).exp();
            reached.push(total);
        }
        let mut town = Self { plan, seed, number, proneness, complaints: Vec::new() };
        town.complaints = town.call(&mut stream, &reached);
        town
    }

    /// How many days are known.
    pub(crate) fn days(&self) -> usize {
        self.plan.blocks * BLOCK
    }

    /// Whether `day` was bad for `line`: fixed by seed, replicate, line and day, so that nothing need be stored.
    pub(crate) fn is_bad(&self, line: usize, day: usize) -> bool {
        let share = day as f64 / self.days() as f64;
        let chance = BAD_DAYS[day % 7] * (1.0 + 0.8 * share) * self.proneness[line];
        let place = (line * self.days() + day) as u64;
        uniform(self.seed, self.number, place) < chance.min(0.9)
    }

    /// Complaints by thinning: candidates at the highest rate, kept with the probability that the day deserves.
    fn call(&self, stream: &mut Stream, reached: &[f64]) -> Vec<(usize, usize)> {
        let total = reached.last().copied().unwrap_or(0.0);
        let most = self.plan.trend.max(0.0).exp() * self.plan.ratio.max(1.0);
        let mut complaints = Vec::new();
        for _ in 0..poisson(stream, total * self.days() as f64 * self.plan.rate * most) {
            let goal = stream.uniform() * total;
            let line = reached.partition_point(|&sum| sum <= goal).min(self.plan.lines - 1);
            let day = stream.below(self.days());
            let trend = (self.plan.trend * day as f64 / self.days() as f64).exp();
            let effect = if self.is_bad(line, day) { self.plan.ratio } else { 1.0 };
            if stream.uniform() * most < CALLS[day % 7] * trend * effect {
                complaints.push((line, day));
            }
        }
        complaints.sort_unstable();
        complaints
    }

    /// One matched set per complaint; `referents` says with which days of the same line a day is compared.
    pub(crate) fn sets(&self, referents: impl Fn(usize) -> Vec<usize>) -> Answer<MatchedSets> {
        let mut sets = MatchedSets::new(1)?;
        for &(line, day) in &self.complaints {
            let exposure = |day| [f64::from(u8::from(self.is_bad(line, day)))];
            let controls: Vec<_> = referents(day).into_iter().map(exposure).collect();
            sets.push(line as u64, &exposure(day), controls)?;
        }
        Ok(sets)
    }
}

/// All other days of the same weekday in the same block.
pub(crate) fn time_stratified(day: usize) -> Vec<usize> {
    let start = day / BLOCK * BLOCK;
    (start..start + BLOCK).filter(|other| *other != day && other % 7 == day % 7).collect()
}

/// The seven days before: a design with a known fault.
pub(crate) fn look_back(day: usize) -> Vec<usize> {
    (day.saturating_sub(7)..day).collect()
}

/// A number in [0, 1) for a place: SplitMix64 (Steele, Lea and Flood 2014) over all three.
fn uniform(seed: u64, number: u64, place: u64) -> f64 {
    let mix = |mut z: u64| {
        z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (mix(mix(mix(seed) ^ number) ^ place) >> 11) as f64 / (1_u64 << 53) as f64
}
