use super::*;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use proptest::prelude::*;

fn library(values: &[u64]) -> hdrhistogram::Histogram<u64> {
    let mut out = index::empty();
    for &value in values {
        out.saturating_record(value);
    }
    out
}

fn ours(values: &[u64]) -> Histogram {
    Histogram::of(values.iter().map(|&v| v as i64))
}

#[test]
fn a_bucket_holds_the_values_that_the_library_calls_equivalent() {
    let reference = index::empty();
    for value in (0..5_000).chain((1..16_000).map(|i| i * 3_749)) {
        let index = bucket_index(value);
        assert_eq!(bucket_lowest(index), reference.lowest_equivalent(value), "{value}");
        assert_eq!(bucket_highest(index), reference.highest_equivalent(value), "{value}");
        assert_eq!(bucket_median(index), reference.median_equivalent(value), "{value}");
    }
}

#[test]
fn an_empty_histogram_has_no_quantile_and_survives_every_form() {
    let empty = Histogram::default();
    assert_eq!(empty.quantile(0.5), None);
    assert_eq!(Histogram::from_rest(empty.at_rest()), Ok(empty.clone()));
    assert_eq!(Histogram::from_v2(&empty.to_v2()).unwrap(), empty);
    assert_eq!(Histogram::from_v2_deflate(&empty.to_v2_deflate()).unwrap(), empty);
}

#[test]
fn a_bucket_that_is_written_in_two_parts_is_one_bucket() {
    // Bucket 3 with 2 and 5, then bucket 300 with 1,000, whose gap is written in three bytes.
    let bytes = [3, 2, 0, 5, 0xa9, 0x82, 0x00, 0xe8, 0x07];
    let held = Histogram::from_rest(&bytes).unwrap();
    assert_eq!(held, Histogram::from_buckets(vec![(300, 1_000), (3, 7)]));
    assert_eq!(held.at_rest(), [3, 7, 0xa9, 0x02, 0xe8, 0x07]);
}

#[test]
fn values_beyond_the_bounds_are_kept_at_the_bound_and_counted() {
    let mut recorder = Recorder::default();
    for value in [-5, 10, 70_000_000] {
        recorder.record(value);
    }
    assert_eq!(recorder.clamped(), (1, 1));
    assert_eq!(recorder.finish().len(), 3);
}

#[test]
fn hostile_bytes_are_refused_with_a_reason() {
    assert_eq!(Histogram::from_rest(&[0x80]), Err(RestError::Truncated(0)));
    assert_eq!(Histogram::from_rest(&[1, 0]), Err(RestError::Empty(0)));
    assert_eq!(Histogram::from_rest(&[0xff, 0xff, 0xff, 0x7f, 1]), Err(RestError::TooLarge(0)));
    // A gap of 2^64 - 1 after bucket 5 does not lead back to bucket 4.
    let round = [&[5, 1][..], &[0xff; 9], &[1, 1]].concat();
    assert_eq!(Histogram::from_rest(&round), Err(RestError::TooLarge(2)));
    let mut other = ours(&[5]).to_v2();
    other[15] = 2;
    assert!(matches!(Histogram::from_v2(&other), Err(StandardError::Bounds { digits: 2, .. })));
    assert!(matches!(Histogram::from_v2(&[0; 40]), Err(StandardError::NotV2)));
}

/// HdrHistogram_rust, tests/data_access.rs: 10,000 values of 1,000 us and one of 100 s, asked for every 10,000 us. A tick
/// here is 10 us, so that the 100 s lie within the bounds.
#[test]
fn coordinated_omission_is_corrected_as_in_the_reference_implementation() {
    let (mut raw, mut corrected) = (Recorder::default(), Recorder::default());
    for _ in 0..10_000 {
        raw.record(100);
        corrected.record_corrected(100, 1_000);
    }
    raw.record(10_000_000);
    corrected.record_corrected(10_000_000, 1_000);
    let (raw, corrected) = (raw.finish(), corrected.finish());
    let near = |got: f64, expected: f64| {
        assert!((got - expected).abs() <= expected * 1.01e-3, "{got} is not {expected} within 0.1 %");
    };
    let at = |histogram: &Histogram, q: f64| histogram.quantile(q).unwrap() as f64 * 10.0;
    assert_eq!(raw.len(), 10_001);
    near(at(&raw, 0.9999), 1_000.0);
    near(raw.mean().unwrap() * 10.0, 10_998.9);
    assert_eq!(corrected.len(), 20_000);
    near(corrected.mean().unwrap() * 10.0, 25_000_500.0);
    for (q, us) in [(0.5, 1_000.0), (0.75, 50_000_000.0), (0.9, 80_000_000.0), (0.99, 98_000_000.0)] {
        near(at(&corrected, q), us);
    }
}

/// A minute of 100 questions a second at 1 ms, and a stall of 2 s: the closed loop sees one slow answer, and what it did not ask comes back.
#[test]
fn a_stall_is_hidden_from_a_closed_loop_until_it_is_corrected() {
    let (mut closed, mut corrected, mut open) = <(Recorder, Recorder, Recorder)>::default();
    for i in 0..5_800 {
        let ticks = if i == 2_900 { 2_001_000 } else { 1_000 };
        closed.record(ticks);
        corrected.record_corrected(ticks, 10_000);
    }
    for i in 0..6_000_i64 {
        let waits = if (2_900..3_100).contains(&i) { (3_100 - i) * 10_000 } else { 0 };
        open.record(1_000 + waits);
    }
    let p99 = |recorder: &Recorder| recorder.finish().quantile(0.99).unwrap() as f64 / 1e3;
    assert!(p99(&closed) < 5.0);
    assert!((p99(&corrected) - 1_400.0).abs() < 70.0, "{}", p99(&corrected));
    assert!((p99(&open) - 1_400.0).abs() < 70.0, "{}", p99(&open));
}

#[test]
fn forty_merged_hours_equal_one_recording_of_a_million_values() {
    use rand::{RngExt, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(6);
    let values: Vec<u64> = (0..1_000_000)
        .map(|_| {
            // A sum of uniforms is near normal, so this is near lognormal around 20 ms.
            let normal: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
            (20_000.0 * (0.6 * normal).exp()) as u64
        })
        .collect();
    let whole = ours(&values);
    let mut merged = Histogram::default();
    for hour in values.chunks(25_000) {
        merged.merge(&ours(hour));
    }
    assert_eq!(merged, whole);
    let mut sorted = values;
    sorted.sort_unstable();
    for q in [0.5, 0.9, 0.95, 0.99, 0.999] {
        let exact = sorted[(q * 1e6_f64).ceil() as usize - 1] as f64;
        let held = whole.quantile(q).unwrap() as f64;
        assert!((held - exact).abs() / exact <= 1e-3, "p{q}: {held} for {exact}");
    }
}

#[test]
fn a_bucket_at_the_end_of_the_numbers_is_impossible_and_wraps_nothing() {
    // Over 2^64 - 2 empty buckets by two long numbers, then three counts of one.
    let mut body = vec![0xff; 9];
    body.extend([&[0xfb][..], &[0xff; 8], &[2, 2, 2]].concat());
    let mut bytes = Histogram::default().to_v2();
    bytes.truncate(40);
    bytes[4..8].copy_from_slice(&(body.len() as u32).to_be_bytes());
    bytes.extend(body);
    assert!(matches!(Histogram::from_v2(&bytes), Err(StandardError::Impossible)));
}

#[test]
fn more_values_than_any_test_has_are_impossible_and_spoil_no_sum() {
    let of = |counts: &[u64]| {
        Histogram::from_buckets(counts.iter().enumerate().map(|(i, n)| (i as u16, *n)).collect())
    };
    let most = of(&[(1 << 42) - 2, 1, 1]);
    assert_eq!(Histogram::from_v2(&most.to_v2()).unwrap(), most);
    for counts in [&[(1 << 42) - 1, 1, 1][..], &[(1 << 63) - 1, (1 << 63) - 1, (1 << 63) - 1]] {
        assert!(matches!(Histogram::from_v2(&of(counts).to_v2()), Err(StandardError::Impossible)));
    }
}

proptest! {
    #[test]
    fn v2_is_byte_for_byte_what_the_library_writes(values in prop::collection::vec(0_u64..60_000_000, 0..200)) {
        let mut expected = Vec::new();
        V2Serializer::new().serialize(&library(&values), &mut expected).unwrap();
        prop_assert_eq!(ours(&values).to_v2(), expected);
    }

    #[test]
    fn every_form_gives_the_histogram_back(values in prop::collection::vec(0_u64..60_000_000, 0..200)) {
        let held = ours(&values);
        prop_assert_eq!(&Histogram::from_rest(held.at_rest()).unwrap(), &held);
        prop_assert_eq!(&Histogram::from_v2(&held.to_v2()).unwrap(), &held);
        prop_assert_eq!(&Histogram::from_v2_deflate(&held.to_v2_deflate()).unwrap(), &held);
    }

    #[test]
    fn counts_and_gaps_of_any_size_come_back(buckets in prop::collection::vec((0_u32..60, 0_u32..300, 0_u32..62), 0..80), few in any::<bool>()) {
        // Small and large in turn, as in counts of bytes and in gaps of rates.
        let mut index = 0_u64;
        let mut ascending = Vec::new();
        for (shift, gap, bits) in buckets {
            // Few enough for what is read from outside, or as many as a count may be.
            let bits = if few { bits % 35 } else { bits };
            index += 1 + if shift < 3 { u64::from(gap) * 60 } else { u64::from(gap % 9) };
            if index <= u64::from(bucket_index(HIGHEST)) {
                ascending.push((index as u16, 1 + (u64::from(gap) << bits >> 8)));
            }
        }
        let held = Histogram::from_buckets(ascending.clone());
        let rested = Histogram::from_rest(held.at_rest()).unwrap();
        prop_assert_eq!(rested.buckets().collect::<Vec<_>>(), &ascending[..]);
        let total: u128 = ascending.iter().map(|(_, count)| u128::from(*count)).sum();
        if total > 1 << 42 {
            prop_assert!(matches!(Histogram::from_v2(&held.to_v2()), Err(StandardError::Impossible)));
            return Ok(());
        }
        let read = Histogram::from_v2(&held.to_v2()).unwrap();
        prop_assert_eq!(read.buckets().collect::<Vec<_>>(), ascending);
        prop_assert_eq!(&Histogram::from_rest(read.at_rest()).unwrap(), &held);
    }

    #[test]
    fn whatever_the_library_reads_is_read_alike(numbers in prop::collection::vec((0_u8..8, -2_000_i64..2_000), 0..60)) {
        // Zeros in a row and runs in a row: nobody writes them so, but they mean something.
        let mut body = Vec::new();
        for (kind, number) in numbers {
            let number = match kind {
                0 => 0,
                1..=4 => number % 3,
                5 | 6 => number % 200,
                _ => number,
            };
            let mut rest = ((number << 1) ^ (number >> 63)) as u64;
            while rest >= 0x80 {
                body.push(rest as u8 | 0x80);
                rest >>= 7;
            }
            body.push(rest as u8);
        }
        let mut bytes = Histogram::default().to_v2();
        bytes.truncate(40);
        bytes[4..8].copy_from_slice(&(body.len() as u32).to_be_bytes());
        bytes.extend(body);
        let theirs: Result<hdrhistogram::Histogram<u64>, _> = Deserializer::new().deserialize(&mut bytes.as_slice());
        if let Ok(theirs) = theirs {
            let expected: Vec<_> = theirs.iter_recorded().map(|v| (bucket_index(v.value_iterated_to()), v.count_at_value())).collect();
            prop_assert_eq!(Histogram::from_v2(&bytes).unwrap().buckets().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn quantiles_agree_with_the_library(values in prop::collection::vec(1_u64..60_000_000, 1..200), q in 0.0_f64..1.0) {
        prop_assert_eq!(ours(&values).quantile(q).unwrap(), library(&values).value_at_quantile(q));
    }

    #[test]
    fn merging_is_recording_together(a in prop::collection::vec(0_u64..1_000_000, 0..99), b in prop::collection::vec(0_u64..1_000_000, 0..99)) {
        let mut merged = ours(&a);
        merged.merge(&ours(&b));
        prop_assert_eq!(merged, ours(&[a, b].concat()));
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Histogram::from_rest(&bytes);
        let _ = Histogram::from_v2(&bytes);
    }
}
