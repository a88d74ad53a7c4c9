//! The line-weighted distribution: F(x) is the mean of the lines' own distribution functions, so that a line with
//! many tests counts no more than one with few.
//!
//! Resampling asks for its quantiles thousands of times with other counts of the lines. The values in use are cut
//! into blocks, and the mass of each line in each block is kept: a quantile then costs one pass over lines and
//! blocks to find its block, and one over that block. Masses are whole numbers, so that no order of adding up and
//! no number of threads can move a result.

use crate::stats::standing::{independent, spread};

/// Mass of a line that counts once.
const UNIT: u64 = 1 << 31;
/// Room for rounding when a quantile is meant to fall on a whole number of lines.
const ROUNDING: f64 = 1e-9;

/// A value and how many observations had it.
pub(in crate::study) type Point = (f64, u64);

/// The distributions of several lines over their common support.
#[derive(Debug)]
pub(super) struct Mixture {
    values: Vec<f64>,
    /// (line, mass), by value, then line.
    entries: Vec<(u32, u32)>,
    /// First entry of each value, and the end.
    starts: Vec<u32>,
    /// First entry of each block, and the end.
    blocks: Vec<u32>,
    /// Mass by line, then block.
    block_mass: Vec<u32>,
    /// Mass of each line.
    mass: Vec<u64>,
    observations: u64,
}

/// Memory that one thread uses again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch(Vec<u64>);

impl Mixture {
    /// From each line's points (finite, ascending, counts above 0) and its weight relative to the heaviest line.
    pub(super) fn new(lines: &[(&[Point], f64)]) -> Self {
        let mut all: Vec<(f64, u32, u32)> = Vec::with_capacity(lines.iter().map(|l| l.0.len()).sum());
        let mut mass = Vec::with_capacity(lines.len());
        let mut observations = 0;
        for (line, (points, weight)) in lines.iter().enumerate() {
            let total: u64 = points.iter().map(|p| p.1).sum();
            observations += total;
            let whole = ((UNIT as f64 * weight.clamp(0.0, 1.0)).round() as u64).max(1);
            let (mut seen, mut given) = (0_u64, 0_u64);
            for &(value, count) in *points {
                seen += count;
                let reached =
                    (u128::from(seen) * u128::from(whole) / u128::from(total)).try_into().unwrap_or(whole);
                all.push((value, line as u32, (reached - given) as u32));
                given = reached;
            }
            mass.push(given);
        }
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut mixture = Self {
            values: Vec::new(),
            entries: Vec::with_capacity(all.len()),
            starts: Vec::new(),
            blocks: Vec::new(),
            block_mass: Vec::new(),
            mass,
            observations,
        };
        let count = ((3 * all.len() / lines.len().max(1)) as f64).sqrt().clamp(1.0, 256.0) as usize;
        let size = all.len().div_ceil(count).max(1);
        for (value, line, share) in all {
            if mixture.values.last() != Some(&value) {
                let here = mixture.entries.len();
                if mixture.blocks.last().is_none_or(|&b| here - b as usize >= size) {
                    mixture.blocks.push(here as u32);
                }
                mixture.values.push(value);
                mixture.starts.push(here as u32);
            }
            mixture.entries.push((line, share));
        }
        let blocks = mixture.blocks.len();
        mixture.starts.push(mixture.entries.len() as u32);
        mixture.blocks.push(mixture.entries.len() as u32);
        mixture.block_mass = vec![0; blocks * mixture.mass.len()];
        for block in 0..blocks {
            for &(line, share) in &mixture.entries[mixture.block(block)] {
                mixture.block_mass[line as usize * blocks + block] += share;
            }
        }
        mixture
    }

    fn block(&self, block: usize) -> std::ops::Range<usize> {
        self.blocks[block] as usize..self.blocks[block + 1] as usize
    }

    /// How many lines there are.
    pub(super) fn lines(&self) -> usize {
        self.mass.len()
    }

    /// How many observations there are.
    pub(super) fn observations(&self) -> u64 {
        self.observations
    }

    /// The quantiles `ps`, with line `i` counted `counts[i]` times; NaN where no line is counted.
    pub(super) fn quantiles(&self, counts: &[u32], ps: &[f64], scratch: &mut Scratch, out: &mut [f64]) {
        let blocks = self.blocks.len() - 1;
        let sums = &mut scratch.0;
        sums.clear();
        sums.resize(blocks, 0);
        let mut total = 0;
        for (line, &count) in counts.iter().enumerate().filter(|(_, c)| **c > 0) {
            total += u64::from(count) * self.mass[line];
            let row = &self.block_mass[line * blocks..(line + 1) * blocks];
            for (sum, &mass) in sums.iter_mut().zip(row) {
                *sum += u64::from(count) * u64::from(mass);
            }
        }
        if total == 0 {
            out.fill(f64::NAN);
            return;
        }
        for (p, answer) in ps.iter().zip(out) {
            let goal = ((total as f64 * (p - ROUNDING)).ceil() as u64).clamp(1, total);
            let mut sum = 0;
            let mut block = 0;
            while sum + sums[block] < goal {
                sum += sums[block];
                block += 1;
            }
            let range = self.block(block);
            let mut at = range.end - 1;
            for (place, &(line, share)) in self.entries[range.clone()].iter().enumerate() {
                sum += u64::from(counts[line as usize]) * u64::from(share);
                if sum >= goal {
                    at = range.start + place;
                    break;
                }
            }
            *answer = self.values[self.starts.partition_point(|&s| s as usize <= at) - 1];
        }
    }

    /// How many independent observations the p-quantile stands on.
    pub(super) fn effective(&self, p: f64) -> f64 {
        let lines = self.lines();
        let mut quantile = [0.0];
        self.quantiles(&vec![1; lines], &[p], &mut Scratch::default(), &mut quantile);
        let at = self.values.partition_point(|&v| v < quantile[0]);
        let mut below = vec![0_u64; lines];
        for &(line, share) in &self.entries[..self.starts[at] as usize] {
            below[line as usize] += u64::from(share);
        }
        let mut tied = vec![0_u64; lines];
        for &(line, share) in &self.entries[self.starts[at] as usize..self.starts[at + 1] as usize] {
            tied[line as usize] += u64::from(share);
        }
        let total = self.mass.iter().sum::<u64>() as f64;
        let all = |sums: &[u64]| sums.iter().sum::<u64>() as f64 / total;
        // Mass tied at the quantile is split so that the share of all is p.
        let split = ((p - all(&below)) / all(&tied)).clamp(0.0, 1.0);
        let share = |line: usize| (below[line] as f64 + split * tied[line] as f64) / self.mass[line] as f64;
        let shares: Vec<f64> = (0..lines).map(share).collect();
        let weights: Vec<f64> = self.mass.iter().map(|&m| m as f64 / UNIT as f64).collect();
        independent(p, &weights, spread(&shares, &weights), self.observations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantiles(lines: &[Vec<Point>], counts: &[u32], ps: &[f64]) -> Vec<f64> {
        let lines: Vec<(&[Point], f64)> = lines.iter().map(|l| (l.as_slice(), 1.0)).collect();
        let mut out = vec![0.0; ps.len()];
        Mixture::new(&lines).quantiles(counts, ps, &mut Scratch::default(), &mut out);
        out
    }

    #[test]
    fn a_line_with_many_tests_counts_no_more_than_one_with_few() {
        let lines = [vec![(1.0, 1)], vec![(2.0, 1)], vec![(9.0, 1_000)]];
        assert_eq!(quantiles(&lines, &[1, 1, 1], &[0.3, 0.5, 0.9]), [1.0, 2.0, 9.0]);
        assert_eq!(quantiles(&lines, &[3, 0, 1], &[0.5, 0.75, 0.76]), [1.0, 1.0, 9.0]);
        assert!(quantiles(&lines, &[0, 0, 0], &[0.5])[0].is_nan());
    }

    #[test]
    fn quantiles_are_those_of_the_plain_definition_whatever_the_blocks() {
        use crate::stats::{Purpose, Stream};
        let mut stream = Stream::new(3, Purpose::Simulation, 0);
        for round in 0..40 {
            let lines: Vec<Vec<Point>> = (0..=round % 7)
                .map(|_| {
                    let mut points: Vec<Point> =
                        (0..=stream.below(90)).map(|_| (stream.below(200) as f64, 1)).collect();
                    points.sort_by(|a, b| a.0.total_cmp(&b.0));
                    points
                })
                .collect();
            let counts: Vec<u32> = lines.iter().map(|_| 1 + stream.below(3) as u32).collect();
            for p in [0.05, 0.5, 0.9, 0.95] {
                let mut all: Vec<(f64, f64)> = lines
                    .iter()
                    .zip(&counts)
                    .flat_map(|(l, &c)| l.iter().map(move |&(v, _)| (v, f64::from(c) / l.len() as f64)))
                    .collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0));
                let plain = crate::stats::quantile::weighted(&all, p).unwrap();
                assert_eq!(quantiles(&lines, &counts, &[p]), [plain], "round {round}, p {p}");
            }
        }
    }

    #[test]
    fn one_value_a_line_gives_as_many_effective_observations_as_lines() {
        let points: Vec<[Point; 1]> = (0..80).map(|i| [(f64::from(i), 1)]).collect();
        let lines: Vec<(&[Point], f64)> = points.iter().map(|p| (p.as_slice(), 1.0)).collect();
        let effective = Mixture::new(&lines).effective(0.5);
        assert!((effective - 80.0).abs() < 1e-9, "{effective}");
        // Every line repeats one value of its own: a hundred tests say no more than one.
        let points: Vec<[Point; 1]> = (0..80).map(|i| [(f64::from(i), 100)]).collect();
        let lines: Vec<(&[Point], f64)> = points.iter().map(|p| (p.as_slice(), 1.0)).collect();
        assert!((Mixture::new(&lines).effective(0.5) - 80.0).abs() < 1e-9);
    }

    // By hand: weights 1, 1/2, 1/2 and 1 are worth 3^2 / 2.5 = 3.6 equal ones, and half of the weight lies up to 2, a
    // variance of 1/4 = p (1 - p). The second are worth 3.3^2 / 3.03, and a third of the weight lies up to 2.
    #[test]
    fn unequal_weights_are_worth_fewer_lines_than_there_are() {
        let effective = |weights: &[f64], p: f64| {
            let points: Vec<[Point; 1]> = (1..=weights.len()).map(|i| [(i as f64, 1)]).collect();
            let lines: Vec<(&[Point], f64)> =
                points.iter().zip(weights).map(|(p, &w)| (p.as_slice(), w)).collect();
            Mixture::new(&lines).effective(p)
        };
        let got = effective(&[1.0, 0.5, 0.5, 1.0], 0.5);
        assert!((got - 3.6).abs() < 1e-6, "{got}");
        let got = effective(&[1.0, 0.1, 1.0, 0.1, 1.0, 0.1], 1.0 / 3.0);
        assert!((got - 10.89 / 3.03).abs() < 1e-6, "{got}");
    }
}
