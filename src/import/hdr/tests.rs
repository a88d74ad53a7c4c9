use super::*;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer, V2Serializer};

const NONE: Conversion = Conversion::NONE;

fn microseconds() -> Conversion {
    Conversion::delay("us").unwrap()
}

fn library(digits: u8, low: u64, values: &[u64]) -> hdrhistogram::Histogram<u64> {
    let mut out = hdrhistogram::Histogram::new_with_bounds(low, 3_600_000_000, digits).unwrap();
    for value in values {
        out.record(*value).unwrap();
    }
    out
}

fn v2(histogram: &hdrhistogram::Histogram<u64>) -> String {
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(histogram, &mut bytes).unwrap();
    STANDARD.encode(bytes)
}

// Oracle: the serializers and the quantiles of the hdrhistogram crate 7.6.
#[test]
fn what_the_library_writes_is_read_in_every_precision() {
    let values: Vec<u64> = (0..3_000_u64).map(|i| i * i % 7_000_003 + i % 3).collect();
    for digits in 1..=5 {
        for low in [1, 1_000] {
            let known = library(digits, low, &values);
            let mut packed = Vec::new();
            V2DeflateSerializer::new().serialize(&known, &mut packed).unwrap();
            for text in [v2(&known), STANDARD.encode(packed)] {
                let read = decode(&text).unwrap();
                assert_eq!(read.digits, u32::from(digits));
                let want: Vec<(u64, u64)> = known
                    .iter_recorded()
                    .map(|v| (known.highest_equivalent(v.value_iterated_to()), v.count_at_value()))
                    .collect();
                assert_eq!(read.buckets, want, "{digits} digits from {low}");
            }
        }
    }
}

#[test]
fn a_histogram_in_our_own_bounds_comes_back_exactly() {
    let ours = Histogram::of([0, 1, 2_047, 2_048, 2_049, 30_000, 123_456, 59_999_999, 60_000_000]);
    let text = STANDARD.encode(ours.to_v2_deflate());
    let read = decode(&text).unwrap().of(MetricId::ROUND_TRIP_DELAY, microseconds()).unwrap();
    assert_eq!(read, ours);
}

/// A count a word, as versions 0 and 1 write it: the values 3, 3 and 5 in two digits.
fn words(cookie: u32, width: usize) -> String {
    let mut bytes = cookie.to_be_bytes().to_vec();
    if cookie & BASE == V0 {
        bytes.extend(2_u32.to_be_bytes());
        bytes.extend([1_u64, 1_000, 3].map(u64::to_be_bytes).concat());
    } else {
        bytes.extend([6 * width as u32, 0, 2].map(u32::to_be_bytes).concat());
        bytes.extend([1, 1_000, 1.0_f64.to_bits()].map(u64::to_be_bytes).concat());
    }
    for count in [0_u64, 0, 0, 2, 0, 1] {
        bytes.extend(&count.to_be_bytes()[8 - width..]);
    }
    STANDARD.encode(bytes)
}

#[test]
fn the_older_encodings_have_a_word_for_each_count() {
    for (cookie, width) in [(V0 | 0x80, 8), (V0 | 0x40, 4), (V1 | 0x20, 2), (V1 | 0x80, 8)] {
        let read = decode(&words(cookie, width)).unwrap();
        assert_eq!(read, Decoded { digits: 2, buckets: vec![(3, 2), (5, 1)] }, "{cookie:x}");
    }
}

#[test]
fn values_are_taken_in_the_unit_that_the_map_names() {
    let known = decode(&v2(&library(3, 1, &[25_000_000]))).unwrap();
    let nanoseconds = Conversion::delay("ns").unwrap();
    let held = known.of(MetricId::ROUND_TRIP_DELAY, nanoseconds).unwrap();
    // 25 ms within a thousandth.
    assert!((held.quantile(0.5).unwrap() as f64 - 25_000.0).abs() <= 25.0, "{held:?}");
    let why = known.of(MetricId::ROUND_TRIP_DELAY, NONE).unwrap_err();
    assert!(why.contains("60000 ms") && why.contains("unit"), "{why}");
}

#[test]
fn hostile_cells_are_refused_with_a_reason() {
    let mut bomb = V2_DEFLATE.to_be_bytes().to_vec();
    bomb.extend(8_u32.to_be_bytes());
    bomb.extend([0; 8]);
    let mut fraction = STANDARD.decode(v2(&library(3, 1, &[5]))).unwrap();
    fraction[32..40].copy_from_slice(&0.5_f64.to_be_bytes());
    let mut short = STANDARD.decode(v2(&library(3, 1, &[5, 900]))).unwrap();
    short.pop();
    let mut far = STANDARD.decode(words(V1 | 0x80, 8)).unwrap();
    far[12..16].copy_from_slice(&9_u32.to_be_bytes());
    for (bytes, word) in [
        (b"\x1c\x84\x93".to_vec(), "breaks off"),
        (b"\x1c\x84\x93\x7f".to_vec(), "cookie"),
        (bomb, "unpacked"),
        (fraction, "fractions"),
        (short, "break off"),
        (far, "9 digits"),
    ] {
        let why = decode(&STANDARD.encode(bytes)).unwrap_err();
        assert!(why.contains(word), "{why}");
    }
    assert!(decode("HIST*").unwrap_err().contains("base64"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_behind_a_cookie_make_it_panic(
        kind in 0_usize..3, width in 0_u32..16, bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..120)
    ) {
        let mut all = ([V0, V1, V2][kind] | width << 4).to_be_bytes().to_vec();
        all.extend(bytes);
        if let Ok(read) = decode(&STANDARD.encode(all)) {
            let _ = read.of(MetricId::ROUND_TRIP_DELAY, microseconds());
        }
    }
}
