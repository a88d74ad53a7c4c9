use super::*;

const START: Wall = Wall::from_secs(1_780_315_200); // 2026-06-01T12:00:00Z

fn task(name: &str, line: &str, schedule: Schedule) -> Task {
    Task {
        name: format!("{name}@{line}"),
        method: "m".into(),
        line: line.into(),
        target: "t".into(),
        schedule,
        settings: serde_json::Map::new(),
        bytes_per_day: None,
    }
}

fn timed(task: &Task, loads: bool, zone: &str) -> Timed {
    Timed::new(task, loads, &TimeZone::get(zone).unwrap(), 7).unwrap()
}

fn every(secs: i64) -> Schedule {
    Schedule::Periodic { every: Span::secs(secs) }
}

fn slots(timed: &Timed, from: Wall, count: usize) -> Vec<Wall> {
    let next = |last: &Wall| timed.slots.after(*last, from);
    std::iter::successors(next(&from), next).take(count).collect()
}

/// Plays the planner on virtual time; each run takes `lasts` and moves `bytes`.
struct Play {
    tasks: Vec<Timed>,
    past: Vec<Past>,
    ends: Vec<Option<Wall>>,
    starts: Vec<(usize, Wall, bool)>,
    missed: Vec<(usize, u64, Why)>,
    suppression: Option<Suppression>,
}

impl Play {
    fn new(tasks: Vec<Timed>) -> Self {
        let past = vec![Past::none(START); tasks.len()];
        let ends = vec![None; tasks.len()];
        Self { tasks, past, ends, starts: Vec::new(), missed: Vec::new(), suppression: None }
    }

    fn run(&mut self, from: Wall, until: Wall, lasts: Span, bytes: u64) {
        let mut now = from;
        while now < until {
            for i in 0..self.tasks.len() {
                if self.ends[i].is_some_and(|end| end <= now) {
                    self.ends[i] = None;
                    self.past[i].finish(&self.tasks[i], now, bytes);
                }
            }
            let plan = plan(&self.tasks, &self.past, self.suppression.as_ref(), now, START);
            for &task in &plan.set_back {
                self.past[task].book(now);
            }
            for missed in &plan.missed {
                self.past[missed.task].book(missed.slot);
                self.missed.push((missed.task, missed.count, missed.why));
            }
            for start in &plan.start {
                self.past[start.task].book(start.slot);
                self.past[start.task].running = true;
                self.ends[start.task] = Some(now + lasts);
                self.starts.push((start.task, now, start.late));
            }
            let wake = plan.wake.into_iter().chain(self.ends.iter().flatten().copied()).min();
            now = wake.unwrap_or(until).max(now + Span(1));
        }
    }
}

#[test]
fn periodic_slots_keep_their_gap_and_their_seeded_phase() {
    let one = timed(&task("a", "l", every(30)), false, "UTC");
    let found = slots(&one, START, 5);
    assert!(found.windows(2).all(|pair| pair[1].since(pair[0]) == Span::secs(30)));
    assert!(found[0].since(START) <= Span::secs(30) && found[0] > START);
    assert_eq!(
        slots(&one, found[1] + Span(1), 1)[0],
        found[2],
        "whatever the question, the slots are the same"
    );
    let other = timed(&task("b", "l", every(30)), false, "UTC");
    assert_ne!(slots(&other, START, 1), slots(&one, START, 1));
}

#[test]
fn tasks_of_one_name_share_their_slots_on_every_line() {
    for schedule in [every(30), Schedule::Poisson { mean: Span::secs(600) }] {
        let own = timed(&task("pair", "own", schedule.clone()), false, "UTC");
        let peer = timed(&task("pair", "peer", schedule), false, "UTC");
        assert_eq!(slots(&own, START, 20), slots(&peer, START, 20));
    }
}

#[test]
fn poisson_gaps_stay_within_bounds_and_near_their_mean() {
    let poisson = timed(&task("a", "l", Schedule::Poisson { mean: Span::secs(600) }), false, "UTC");
    let found = slots(&poisson, START, 20_000);
    let gaps: Vec<f64> = found.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
    assert!(gaps.iter().all(|gap| (59.9..=1_500.1).contains(gap)));
    // Mean of an exponential held to [0.1, 2.5]: 0.1 + exp(-0.1) - exp(-2.5) = 0.92275.
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64 / 600.0;
    assert!((mean - 0.92275).abs() < 0.02, "{mean}");
}

#[test]
fn a_cron_slot_is_local_time_before_and_after_the_clocks_change() {
    let at = |text: &str| Wall::parse_rfc3339(text).unwrap();
    let nightly = Schedule::Cron { expression: "30 3 * * *".into(), spread: Span::ZERO };
    let london = timed(&task("a", "l", nightly), false, "Europe/London");
    // British Summer Time begins on 2026-03-29 and ends on 2026-10-25.
    let spring = slots(&london, at("2026-03-28T00:00:00Z"), 3);
    let expected = ["2026-03-28T03:30:00Z", "2026-03-29T02:30:00Z", "2026-03-30T02:30:00Z"];
    assert_eq!(spring, expected.map(at));
    let autumn = slots(&london, at("2026-10-24T00:00:00Z"), 3);
    let expected = ["2026-10-24T02:30:00Z", "2026-10-25T03:30:00Z", "2026-10-26T03:30:00Z"];
    assert_eq!(autumn, expected.map(at));
}

#[test]
fn a_slot_in_the_skipped_or_the_repeated_hour_runs_once_that_day() {
    let at = |text: &str| Wall::parse_rfc3339(text).unwrap();
    let nightly = Schedule::Cron { expression: "30 1 * * *".into(), spread: Span::ZERO };
    let london = timed(&task("a", "l", nightly), false, "Europe/London");
    for (from, to) in
        [("2026-03-28T12:00:00Z", "2026-03-31T12:00:00Z"), ("2026-10-24T12:00:00Z", "2026-10-27T12:00:00Z")]
    {
        let days: Vec<i32> = slots(&london, at(from), 10)
            .into_iter()
            .take_while(|s| *s < at(to))
            .map(|s| london.local_day(s))
            .collect();
        assert_eq!(days.len(), 3, "{days:?}");
        assert!(days.windows(2).all(|pair| pair[1] == pair[0] + 1), "{days:?}");
    }
}

#[test]
fn every_half_hour_means_so_through_the_change_of_clocks() {
    let at = |text: &str| Wall::parse_rfc3339(text).unwrap();
    let often = Schedule::Cron { expression: "*/30 * * * *".into(), spread: Span::ZERO };
    let london = timed(&task("a", "l", often), false, "Europe/London");
    for from in ["2026-03-28T23:00:00Z", "2026-10-24T23:00:00Z"] {
        let found = slots(&london, at(from), 12);
        assert!(found.windows(2).all(|pair| pair[1].since(pair[0]) == Span::secs(1_800)), "{found:?}");
    }
}

#[test]
fn a_spread_shifts_every_run_by_the_same_share() {
    let schedule = Schedule::Cron { expression: "0 * * * *".into(), spread: Span::secs(600) };
    let found = slots(&timed(&task("a", "l", schedule), false, "UTC"), START, 4);
    let shift = found[0].secs().rem_euclid(3_600);
    assert!(shift < 600);
    assert!(found.windows(2).all(|pair| pair[1].since(pair[0]) == Span::secs(3_600)));
}

#[test]
fn a_line_carries_one_load_at_a_time_and_no_idle_run_beside_it() {
    let tasks = vec![
        timed(&task("down", "l", every(60)), true, "UTC"),
        timed(&task("up", "l", every(60)), true, "UTC"),
        timed(&task("delay", "l", every(20)), false, "UTC"),
        timed(&task("other", "m", every(60)), true, "UTC"),
    ];
    let mut play = Play::new(tasks);
    let (lasts, hour) = (Span::secs(10), START + Span::secs(3_600));
    play.run(START, hour, lasts, 0);
    let overlap = |a: Wall, b: Wall| a.since(b).abs() < lasts;
    for (i, a) in play.starts.iter().enumerate() {
        for b in &play.starts[i + 1..] {
            let same_line = (a.0 == 3) == (b.0 == 3);
            let loads = a.0 != 2 || b.0 != 2;
            assert!(!(same_line && loads && overlap(a.1, b.1)), "{a:?} {b:?}");
        }
    }
    for loading in [0, 1] {
        let runs = play.starts.iter().filter(|start| start.0 == loading).count();
        assert!(runs >= 59, "a load that waits gets its turn: {runs}");
    }
}

#[test]
fn every_slot_is_booked_once() {
    let tasks = vec![
        timed(&task("a", "l", every(30)), true, "UTC"),
        timed(&task("b", "l", every(45)), true, "UTC"),
        timed(&task("c", "l", Schedule::Poisson { mean: Span::secs(40) }), false, "UTC"),
    ];
    let asked: Vec<usize> = tasks
        .iter()
        .map(|t| {
            slots(t, START + Span(-1), 10_000)
                .into_iter()
                .take_while(|s| *s < START + Span::secs(7_200))
                .count()
        })
        .collect();
    let mut play = Play::new(tasks);
    play.run(START, START + Span::secs(7_200), Span::secs(25), 0);
    for (index, asked) in asked.into_iter().enumerate() {
        let started = play.starts.iter().filter(|s| s.0 == index).count() as u64;
        let missed: u64 = play.missed.iter().filter(|m| m.0 == index).map(|m| m.1).sum();
        let open = asked as u64 - started - missed;
        assert!(open <= 1, "task {index}: asked {asked}, started {started}, missed {missed}");
    }
}

#[test]
fn a_run_that_waited_is_late_and_one_that_waited_too_long_is_missed() {
    let tasks = vec![
        timed(&task("long", "l", Schedule::Once), true, "UTC"),
        timed(&task("b", "l", every(60)), false, "UTC"),
    ];
    let mut play = Play::new(tasks);
    play.run(START, START + Span::secs(400), Span::secs(200), 0);
    assert_eq!(play.starts[0].0, 0);
    assert!(play.starts[1].2, "the first idle run after the load is late");
    let missed: u64 = play.missed.iter().filter(|m| m.0 == 1 && m.2 == Why::TooLate).map(|m| m.1).sum();
    assert!((2..=3).contains(&missed), "{missed}");
}

#[test]
fn a_night_of_absence_is_counted_and_not_made_up_for() {
    let nightly = Schedule::Cron { expression: "0 2 * * *".into(), spread: Span::ZERO };
    let tasks =
        vec![timed(&task("a", "l", nightly), false, "UTC"), timed(&task("b", "l", every(60)), false, "UTC")];
    let past = vec![Past::none(START); 2];
    let back = START + Span::secs(3 * 86_400) + Span::secs(1);
    let plan = plan(&tasks, &past, None, back, back);
    assert!(plan.missed.contains(&Missed {
        task: 0,
        slot: Wall::parse_rfc3339("2026-06-04T02:00:00Z").unwrap(),
        count: 3,
        why: Why::TooLate
    }));
    assert_eq!(plan.missed.iter().find(|m| m.task == 1).map(|m| m.count), Some(4_319));
    assert_eq!(plan.start.iter().map(|s| s.task).collect::<Vec<_>>(), [1]);
}

#[test]
fn the_days_bytes_are_not_exceeded_and_start_anew_at_local_midnight() {
    let mut limited = task("a", "l", every(600));
    limited.bytes_per_day = Some(1_000);
    let mut play = Play::new(vec![timed(&limited, true, "Asia/Shanghai")]);
    // 12:00 UTC is 20:00 in Shanghai: four hours to midnight, then one full day.
    play.run(START, START + Span::secs(28 * 3_600), Span::secs(5), 300);
    let day = |at: Wall| play.tasks[0].local_day(at);
    let first = play.starts.iter().filter(|s| day(s.1) == day(START)).count();
    let second = play.starts.iter().filter(|s| day(s.1) == day(START) + 1).count();
    assert_eq!((first, second), (3, 3));
    assert!(play.missed.iter().all(|m| m.2 == Why::OverBudget));
}

#[test]
fn a_pause_is_booked_as_missed_and_ends_by_itself() {
    let mut play = Play::new(vec![timed(&task("a", "l", every(60)), false, "UTC")]);
    play.suppression = Some(Suppression { tasks: vec!["a".into()], until: Some(START + Span::secs(600)) });
    play.run(START, START + Span::secs(1_200), Span::secs(1), 0);
    let missed: u64 = play.missed.iter().map(|m| m.1).sum();
    assert_eq!((missed, play.starts.len()), (10, 10));
    assert!(play.starts.iter().all(|s| s.1 >= START + Span::secs(600)));
}

#[test]
fn a_clock_set_back_far_does_not_stop_measurement() {
    let tasks = vec![timed(&task("a", "l", every(60)), false, "UTC")];
    let mut past = vec![Past::none(START)];
    let back = START + Span::secs(-7_200);
    let wake = plan(&tasks, &past, None, back, back).wake.unwrap();
    assert!(wake.since(back) <= Span::secs(60));
    past[0].booked = START;
    let nudged = plan(&tasks, &past, None, START + Span::millis(-20), START);
    assert!(nudged.start.is_empty() && nudged.wake > Some(START), "a nudge repeats no slot");
}

#[test]
fn after_a_clock_was_set_back_runs_go_on_at_their_pace() {
    let mut play = Play::new(vec![timed(&task("a", "l", every(60)), false, "UTC")]);
    play.past[0].booked = START + Span::secs(86_400);
    play.run(START, START + Span::secs(7_200), Span::secs(1), 0);
    assert!((119..=120).contains(&play.starts.len()), "{} runs in two hours", play.starts.len());
    assert_eq!(play.missed, []);
}
