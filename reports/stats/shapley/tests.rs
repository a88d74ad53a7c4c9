use super::*;
use crate::stats::{Purpose, Stream};

/// What is planted: a change within every case, and what each group adds.
struct Planted {
    cases: usize,
    within: f64,
    first: [f64; 2],
    second: [f64; 4],
    /// What nothing explains.
    rest: f64,
    noise: f64,
}

const PLANTED: Planted = Planted {
    cases: 400,
    within: 0.20,
    first: [0.0, 0.30],
    second: [0.0, 0.10, 0.20, 0.40],
    rest: 0.15,
    noise: 0.25,
};

impl Planted {
    fn cases(&self, run: u64) -> Vec<Case> {
        let stream = &mut Stream::new(71, Purpose::Simulation, run);
        let mut normal = || {
            (-2.0 * (1.0 - stream.uniform()).ln()).sqrt() * (std::f64::consts::TAU * stream.uniform()).cos()
        };
        (0..self.cases)
            .map(|i| {
                let (a, b) = (usize::from(i % 4 == 0), i / 4 % 4);
                let own = self.noise * normal();
                let short = self.rest + self.within + self.first[a] + self.second[b] + own;
                let within = Some(self.within + 0.2 * self.noise * normal());
                Case { short, value: short, within, groups: [Some(a), Some(b)], half: i / 16 % 2 == 0 }
            })
            .collect()
    }

    /// Within, first, second, rest: a quarter of the cases are of the worse group of the first grouping, and as many of each
    /// of the second.
    fn truth(&self) -> [f64; 4] {
        let best = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min);
        let first = 0.75 * self.first[0] + 0.25 * self.first[1] - best(&self.first);
        let second = self.second.iter().sum::<f64>() / 4.0 - best(&self.second);
        [self.within, first, second, self.rest + best(&self.first) + best(&self.second)]
    }
}

fn told(found: &Parts) -> [(f64, Interval); 4] {
    let factor = |k: usize| found.factors[k].clone().unwrap();
    [factor(0), factor(1), factor(2), found.rest]
}

#[test]
fn planted_parts_are_found_and_their_intervals_hold_the_truth() {
    let (mut sums, mut held) = ([0.0; 4], [0_usize; 4]);
    let runs = 60;
    for run in 0..runs {
        let found = parts(&PLANTED.cases(run), 199, run, 0.95).unwrap();
        for (k, (part, truth)) in told(&found).iter().zip(PLANTED.truth()).enumerate() {
            sums[k] += part.0 - truth;
            held[k] += usize::from(part.1.contains(truth));
        }
    }
    for k in 0..4 {
        let bias = sums[k] / runs as f64;
        assert!(bias.abs() < 0.01, "part {k} is off by {bias} on the average");
        // 95% of 60 is 57; 51 is as few as chance gives in one of 200.
        assert!(held[k] >= 51, "part {k}: the interval held the truth {} of {runs} times", held[k]);
    }
}

#[test]
fn where_groups_do_not_differ_no_part_is_made_of_the_luckiest() {
    let flat = Planted { first: [0.0; 2], second: [0.0; 4], ..PLANTED };
    let mut sums = [0.0; 2];
    for run in 0..40 {
        let found = told(&parts(&flat.cases(run), 99, run, 0.95).unwrap());
        sums[0] += found[1].0;
        sums[1] += found[2].0;
    }
    // Against the luckiest of four groups in the same data it would be 0.03.
    assert!(sums.iter().all(|sum| (sum / 40.0).abs() < 0.01), "{sums:?}");
}

#[test]
fn the_parts_and_the_rest_add_up_to_the_mean_to_the_last_digit() {
    let mut cases = PLANTED.cases(3);
    // Holes: no second group, no change known, one stratum without its yardstick.
    cases[5].groups[1] = None;
    for case in cases.iter_mut().step_by(7) {
        case.within = None;
    }
    cases.retain(|case| case.groups != [Some(0), Some(2)]);
    // What is compared need not be what is short.
    for case in &mut cases {
        case.short += 0.5;
    }
    let found = parts(&cases, 99, 1, 0.95).unwrap();
    let sum: f64 = told(&found).iter().map(|part| part.0).sum();
    assert!((sum - found.total.0).abs() < 1e-12, "{sum} {found:?}");
    assert_eq!(found, parts(&cases, 99, 1, 0.95).unwrap());
}

// Oracle: by hand. Without noise, the worse group of the first grouping has 0.3 more at its worse time and 0.1 more at its
// other one, because the change within it is 0.4 and not 0.2. Half of the cases are of that group. Taking the time first
// takes (0.2 + 0.4) / 2 = 0.3, and then the group 0.05; taking the group first takes 0.15, and then the time 0.2.
#[test]
fn a_part_that_depends_on_the_order_is_the_mean_of_all_orders() {
    let case = |i: usize| {
        let worse = i % 2;
        let value = 1.0 + 0.3 * worse as f64;
        let within = Some(0.2 + 0.2 * worse as f64);
        Case { short: value, value, within, groups: [Some(worse), Some(0)], half: (i / 2).is_multiple_of(2) }
    };
    let cases: Vec<Case> = (0..80).map(case).collect();
    let plan = Plan::of(&cases);
    let split = plan.split(&[1; 80]);
    assert!((split.factors[0] - 0.25).abs() < 1e-12 && (split.factors[1] - 0.10).abs() < 1e-12);
    assert_eq!((split.factors[2], plan.matched(1)), (0.0, 0.0), "one group is nothing to compare");
    assert!((split.total - 1.15).abs() < 1e-12);
}

#[test]
fn what_the_data_cannot_tell_is_refused_by_name() {
    let mut cases = PLANTED.cases(1);
    for case in &mut cases {
        case.within = None;
        case.groups[0] = Some(0);
    }
    let found = parts(&cases, 99, 1, 0.95).unwrap();
    assert!(matches!(found.factors[0], Err(Refusal::NoEvents { .. })));
    assert!(matches!(found.factors[1], Err(Refusal::NoEvents { .. })));
    assert!(found.factors[2].is_ok());
    assert!(matches!(parts(&cases[..10], 99, 1, 0.95), Err(Refusal::TooFew { what: "cases", .. })));
}
