use super::*;
use broadgauge_model::clock::Wall;
use broadgauge_model::result::{Counts, Reason};

fn singleton(index: u64, gap: Span, outcome: Fact<Span>, one_way: Option<(Span, Span)>) -> Singleton {
    let intended = Span(gap.0 * index as i64);
    Singleton { index, intended, sent: Some(intended), at: Wall(intended.0), outcome, one_way }
}

fn sample(metric: MetricId, load: Load, values: Values, counts: Counts) -> Sample {
    Sample {
        metric,
        method: "stamp".into(),
        method_version: 1,
        line_id: "L1".into(),
        target: Some("peer".into()),
        load,
        direction: Direction::RoundTrip,
        started_at: Wall::from_secs(1_000),
        lasted: Span::secs(20),
        statistic: Statistic::Singleton,
        values,
        counts,
        details: Map::new(),
    }
}

/// The delay of a probe in ms, by its number; `None` is lost.
type Course = dyn Fn(u64) -> Option<i64>;

/// Probes every 100 ms: `delay_of(i)` in ms, or lost. The far clock is an hour ahead.
fn measurement(loads: &[(Load, &Course)], n: u64) -> Measurement {
    let hour = Span::secs(3_600);
    let mut out = Measurement {
        started_at: Wall::from_secs(1_000),
        samples: Vec::new(),
        singletons: Vec::new(),
        bytes_moved: 0,
        interrupted: false,
    };
    for (load, delay_of) in loads {
        let singletons: Vec<Singleton> = (0..n)
            .map(|i| match delay_of(i) {
                Some(ms) => {
                    let ways = (Span::millis(ms / 2) + hour, Span::millis(ms - ms / 2) - hour);
                    singleton(i, Span::millis(100), Fact::Value(Span::millis(ms)), Some(ways))
                }
                None => singleton(i, Span::millis(100), Fact::Lost, None),
            })
            .collect();
        let lost = singletons.iter().filter(|one| one.outcome == Fact::Lost).count() as u64;
        let counts = Counts {
            planned: n,
            sent: n,
            received: n - lost,
            lost,
            lost_forward: Some(lost),
            lost_backward: Some(0),
            ..Counts::default()
        };
        let metric = match load {
            Load::Idle => MetricId::ROUND_TRIP_DELAY,
            _ => MetricId::LOADED_ROUND_TRIP_DELAY,
        };
        out.samples.push(sample(metric, *load, Values::Unmeasured(Reason("not read here".into())), counts));
        out.singletons.push((*load, singletons));
    }
    out
}

fn find<'a>(scores: &'a [Scored], name: &str, by: &str, load: Load, direction: Direction) -> &'a Scored {
    let found =
        |one: &&Scored| (one.name, one.by.as_str(), one.load, one.direction) == (name, by, load, direction);
    scores.iter().find(found).unwrap_or_else(|| panic!("{name} by {by} under {load:?} {direction:?}"))
}

fn value(scored: &Scored) -> f64 {
    match scored.score.as_ref().unwrap() {
        Score::Estimate(estimate) => estimate.value,
        Score::Number(number) => *number,
        Score::Word(word) => panic!("{word}"),
    }
}

#[test]
fn a_clean_stream_is_scored_each_way_whatever_the_far_clock_says() {
    let measurement = measurement(&[(Load::Idle, &|_| Some(20))], 200);
    let scores = of(&measurement);
    for direction in [Direction::Down, Direction::Up] {
        let voice = find(&scores, "voice_mos", "g711_plc", Load::Idle, direction);
        // Ten ms one way, so played at 10 ms; with the codec's 20.125 ms mouth to ear.
        assert_eq!(voice.details["mouth_to_ear_ms"], 30.125);
        assert!(value(voice) > 4.38);
        assert_eq!(value(find(&scores, "rtp_jitter", "rfc3550", Load::Idle, direction)), 0.0);
    }
    let web = find(&scores, "quality_of_outcome", "web_browsing", Load::Idle, Direction::RoundTrip);
    assert_eq!(value(web), 100.0);
    assert_eq!(web.details["variant"], "min(delay, loss)");
    assert!(!scores.iter().any(|one| one.name.starts_with("bufferbloat")), "nothing loaded the line");
}

#[test]
fn losses_on_the_way_there_are_not_heard_here() {
    let measurement = measurement(&[(Load::Idle, &|i| (i % 10 != 0).then_some(20))], 200);
    let scores = of(&measurement);
    let heard = |direction| find(&scores, "voice_mos", "g711_plc", Load::Idle, direction);
    assert_eq!(heard(Direction::Up).details["network_loss_ratio"], 0.1);
    assert_eq!(heard(Direction::Down).details["network_loss_ratio"], 0.0);
    assert!(value(heard(Direction::Up)) < value(heard(Direction::Down)));
}

#[test]
fn a_load_is_graded_against_the_idle_line() {
    let measurement = measurement(
        &[(Load::Idle, &|_| Some(20)), (Load::Down, &|_| Some(70)), (Load::Up, &|_| Some(320))],
        120,
    );
    let scores = of(&measurement);
    let rise = |load| value(find(&scores, "bufferbloat_rise", "median", load, Direction::RoundTrip));
    assert_eq!((rise(Load::Down), rise(Load::Up)), (50.0, 300.0));
    let grade =
        |by: &str| find(&scores, "bufferbloat_grade", by, Load::Idle, Direction::RoundTrip).score.clone();
    assert_eq!(grade("dslreports"), Ok(Score::Word("C".into())), "the mean of 50 and 300 is 175");
    assert_eq!(grade("netspd"), Ok(Score::Word("D".into())), "the worse is 300");
    assert!(grade("v_recipes").is_err());
    let share = value(find(&scores, "buffer_delay", "rfc6349", Load::Down, Direction::RoundTrip));
    assert!((share - 2.5).abs() < 1e-12);
    let aim = find(&scores, "aim", "streaming", Load::Idle, Direction::RoundTrip);
    assert!(aim.score.as_ref().unwrap_err().0.contains("download_mbps"), "no rate was measured");
}

#[test]
fn what_does_not_suffice_is_declined_with_its_reason_and_not_stored() {
    let measurement = measurement(&[(Load::Idle, &|_| Some(20))], 15);
    let scores = of(&measurement);
    let voice = find(&scores, "voice_mos", "g711_plc", Load::Idle, Direction::Down);
    assert!(voice.score.as_ref().unwrap_err().0.contains("15 packets"));
    assert!(scores.iter().all(|one| one.sample(&measurement).is_none()));
}

#[test]
fn stored_scores_name_what_they_were_scored_by() {
    let measurement = measurement(&[(Load::Idle, &|_| Some(20))], 200);
    let samples: Vec<Sample> = of(&measurement).iter().filter_map(|one| one.sample(&measurement)).collect();
    let methods: Vec<(&str, &str)> =
        samples.iter().map(|one| (one.metric.id(), one.method.as_str())).collect();
    assert_eq!(
        methods,
        [
            ("voice_mos", "stamp/g711_plc"),
            ("voice_mos", "stamp/g711_plc"),
            ("quality_of_outcome", "stamp/web_browsing"),
            ("quality_of_outcome", "stamp/video_conferencing"),
            ("quality_of_outcome", "stamp/real_time_gaming"),
        ]
    );
    assert_eq!(samples[0].direction, Direction::Down);
    assert_eq!((samples[0].line_id.as_str(), samples[0].method_version), ("L1", 101));
    assert!(samples[0].details["interval"][0].as_f64() <= samples[0].details["interval"][1].as_f64());
}

#[test]
fn connections_are_not_packets() {
    let mut measurement = measurement(&[(Load::Idle, &|_| Some(20))], 200);
    measurement.samples[0].metric = MetricId::CONNECT_TIME;
    assert!(of(&measurement).is_empty());
}
