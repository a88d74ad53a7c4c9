//! Synthetic series whose true rate is known.

use super::*;
use proptest::prelude::*;

/// 20 Mbit/s in bytes per interval.
const LEVEL: u64 = 250_000;

fn mbps(intervals: &[u64]) -> f64 {
    goodput(intervals, &[]).expect("a rate").rate.as_mbps()
}

#[test]
fn a_steady_series_reads_its_rate_and_leaves_out_the_first_half_second_only() {
    let rate = goodput(&[LEVEL; 100], &[]).expect("a rate");
    assert_eq!(rate.rate.as_mbps(), 20.0);
    assert_eq!(rate.warm_up, Span::millis(500));
    assert_eq!(rate.window, Span::millis(9_500));
    assert_eq!(rate.bytes, 95 * LEVEL);
}

#[test]
fn a_second_of_silence_at_the_end_is_told_and_one_before_it_is_not() {
    let mut series = vec![LEVEL; 50];
    series[10..30].fill(0);
    assert_eq!(fell_silent(&series), None);
    series[41..].fill(0);
    assert_eq!(fell_silent(&series), None, "nine intervals");
    series[40] = 0;
    let why = fell_silent(&series).expect("a second");
    assert!(why.ends_with("fell silent after 4.0 s of 5.0 s"), "{why}");
    assert_eq!(fell_silent(&[0; 50]), None, "what never spoke has not fallen silent");
}

#[test]
fn slow_start_is_left_out() {
    let mut series = vec![LEVEL; 100];
    for (i, bytes) in series.iter_mut().take(17).enumerate() {
        *bytes = LEVEL * (i as u64 + 1) / 20;
    }
    let rate = goodput(&series, &[]).expect("a rate");
    assert_eq!(rate.rate.as_mbps(), 20.0);
    assert_eq!(rate.warm_up, Span::secs(2));
    assert!(rate.rate_with_warm_up.as_mbps() < 19.0);
}

#[test]
fn a_token_burst_at_the_start_does_not_lift_the_rate() {
    let mut series = vec![LEVEL; 100];
    series[..8].fill(4 * LEVEL);
    assert_eq!(mbps(&series), 20.0);
}

#[test]
fn a_loss_sawtooth_reads_its_mean() {
    let series: Vec<u64> = (0..100).map(|i| LEVEL / 2 + LEVEL * (i % 20) / 38).collect();
    let mean = series[5..].iter().sum::<u64>() as f64 * 80.0 / 95.0 / 1e6;
    assert!((mbps(&series) / mean - 1.0).abs() < 0.03, "{} against {mean}", mbps(&series));
}

#[test]
fn head_of_line_blocking_does_not_lift_the_rate() {
    // Every other interval is held back and delivered with the next.
    let series: Vec<u64> = (0..100).map(|i| if i % 2 == 0 { 0 } else { 2 * LEVEL }).collect();
    assert!((mbps(&series) / 20.0 - 1.0).abs() < 0.03, "{}", mbps(&series));
}

#[test]
fn a_window_starts_with_no_more_waiting_than_it_ends_with() {
    let level = vec![10; 100];
    let mut waiting = vec![0; 100];
    assert_eq!(settle_edges(&level, &waiting, 10), 10..100);
    waiting[9..12].fill(7);
    assert_eq!(settle_edges(&level, &waiting, 10), 13..100, "the gap is filled in interval 12");
    waiting[97] = 7;
    assert_eq!(settle_edges(&level, &waiting, 10), 10..98, "as much waits when it ends, and it is longest");
    waiting[98..].fill(9);
    assert_eq!(settle_edges(&level, &waiting, 10), 10..98, "more waits at the end than at the start");
    assert_eq!(settle_edges(&[1_000; 100], &waiting, 10), 10..100, "hardly more, and it is longest");
    assert_eq!(settle_edges(&level, &[5; 100], 10), 10..100);
    assert_eq!(settle_edges(&level, &[], 10), 10..100);
    let falling: Vec<u64> = (0..100).rev().collect();
    assert_eq!(settle_edges(&level, &falling, 10), 50..95, "none will do: the nearest");
    let rising: Vec<u64> = (0..100).map(|i| i * i).collect();
    assert_eq!(settle_edges(&level, &rising, 10), 10..95, "the nearest from below, by share of the payload");
}

#[test]
fn a_stall_after_the_line_has_shown_its_rate_counts() {
    let mut series = vec![LEVEL; 100];
    series[20..40].fill(0);
    assert!(mbps(&series) < 16.0, "{}", mbps(&series));
}

#[test]
fn a_line_that_climbs_to_the_end_loses_no_more_than_half() {
    let series: Vec<u64> = (1..=100).map(|i| i * 1_000).collect();
    let rate = goodput(&series, &[]).expect("a rate");
    assert!(rate.warm_up <= Span::secs(5));
}

#[test]
fn nothing_received_is_not_a_rate_of_zero() {
    assert_eq!(goodput(&[0; 100], &[]), None);
    assert_eq!(goodput(&[LEVEL; FEWEST - 1], &[]), None);
    assert_eq!(goodput(&[], &[]), None);
}

#[test]
fn payload_before_the_start_and_after_the_end_does_not_count() {
    let start = Mono(5_000_000_000);
    let mut meter = Meter::new(start, 10, 2);
    meter.record(Mono(4_999_999_999), 0, 7);
    meter.record(start, 0, 100);
    meter.record(start + Span::millis(150), 1, 10);
    meter.record(meter.end() + Span(-1), 1, 1);
    meter.record(meter.end(), 0, 1_000_000);
    assert_eq!(meter.intervals(), [100, 10, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(meter.streams(), [100, 11]);
    assert_eq!(meter.complete(start + Span::millis(299)), [100, 10]);
    assert_eq!(meter.complete(start + Span::secs(99)).len(), 10);
}

proptest! {
    #[test]
    fn the_rate_lies_between_the_slowest_and_the_fastest_interval(
        series in prop::collection::vec((0_u64..10_000_000, 0_u64..1_000_000), FEWEST..200)
    ) {
        let (series, waiting): (Vec<u64>, Vec<u64>) = series.into_iter().unzip();
        if let Some(found) = goodput(&series, &waiting) {
            let fastest = rates(&series).fold(Rate(0.0), |a, b| if b > a { b } else { a });
            prop_assert!(found.rate.0 >= 0.0);
            prop_assert!(found.rate.0 <= fastest.0 * (1.0 + 1e-12));
            prop_assert!(found.warm_up.0 * 2 <= INTERVAL.0 * series.len() as i64);
            let left_out = Span(INTERVAL.0 * series.len() as i64) - found.warm_up - found.window;
            prop_assert!(left_out >= Span::ZERO && left_out <= Span::millis(500));
            prop_assert!(found.window >= Span::millis(500));
            let first = (found.warm_up.0 / INTERVAL.0) as usize;
            let last = first + (found.window.0 / INTERVAL.0) as usize;
            prop_assert_eq!(found.bytes + found.waited, series[first..last].iter().sum::<u64>());
        }
    }

    #[test]
    fn a_line_that_never_exceeds_its_rate_is_never_read_above_it(
        held_back in prop::collection::vec(0_u64..LEVEL, 20..150)
    ) {
        // So much has arrived by the end of interval i: (i + 1) * LEVEL. So much of it waits: held_back[i].
        let counted: Vec<u64> = held_back.iter().zip(1..).map(|(held, i)| i * LEVEL - held).collect();
        let before = std::iter::once(0).chain(counted.iter().copied());
        let series: Vec<u64> = counted.iter().zip(before).map(|(now, before)| now - before).collect();
        let found = goodput(&series, &held_back).expect("a rate");
        let first = (found.warm_up.0 / INTERVAL.0) as usize;
        let last = first + (found.window.0 / INTERVAL.0) as usize;
        let excess = held_back[first - 1].saturating_sub(held_back[last - 1]);
        prop_assert_eq!(found.waited, excess);
        prop_assert!(found.rate.0 <= 20e6 + 1e-3);
        // Something is taken off only where every end it could have has less waiting.
        let ends = (held_back.len() - BATCH).max(first + BATCH)..=held_back.len();
        prop_assert!(excess == 0 || ends.into_iter().all(|end| held_back[end - 1] < held_back[first - 1]));
    }

    #[test]
    fn every_byte_counted_is_in_one_interval_and_on_one_stream(
        records in prop::collection::vec((0_u64..3_000_000_000, 0_usize..4, 0_u64..100_000), 0..200)
    ) {
        let mut meter = Meter::new(Mono(500_000_000), 20, 4);
        for (at, stream, bytes) in records {
            meter.record(Mono(at), stream, bytes);
        }
        prop_assert_eq!(meter.intervals().iter().sum::<u64>(), meter.streams().iter().sum::<u64>());
    }
}

#[test]
fn what_waits_at_the_start_of_every_window_is_taken_off() {
    // For half of the time a gap grows and is filled in the sixtieth interval; 1,000 bytes arrive in each.
    let (mut intervals, mut waiting) = (vec![1_000; 100], vec![0; 100]);
    for interval in 0..59 {
        intervals[interval] = 400;
        waiting[interval] = 600 * (interval as u64 + 1);
    }
    intervals[59] = 1_000 + 600 * 59;
    let goodput = goodput(&intervals, &waiting).unwrap();
    assert_eq!(goodput.bytes as usize, 10_000 * goodput.window.0 as usize / 1_000_000_000);
    let first = (goodput.warm_up.0 / INTERVAL.0) as usize;
    assert_eq!(goodput.waited, waiting[first - 1]);
    assert!(goodput.waited > 0);
}
