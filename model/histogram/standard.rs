//! The HdrHistogram project's V2 format: read and written sparsely, because the library's own decoder fills
//! 18,000 dense counters for each histogram. Tests hold both to the library's serializer, byte for byte.

use super::index::{DIGITS, empty};
use super::rest::{RestError, Room};
use super::{HIGHEST, Histogram, bucket_index};
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

const COOKIE_V2: u32 = 0x1c84_9303 | 0x10;
const HEADER: usize = 40;

/// Why bytes are not a histogram of ours in a standard form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StandardError {
    /// Not V2.
    #[error("not a V2 histogram")]
    NotV2,
    /// The header and the body disagree.
    #[error("histogram body is cut short or too long")]
    Length,
    /// Other bounds than ours: merging would not be exact.
    #[error("histogram has lowest value {lowest} and {digits} digits; ours have 1 and 3")]
    Bounds {
        /// The lowest value told apart from zero.
        lowest: u64,
        /// The significant digits.
        digits: u32,
    },
    /// The body is not well formed.
    #[error("histogram body is not well formed")]
    Body(#[source] RestError),
    /// A count below zero, more values than any test has, or an index beyond the last bucket.
    #[error("histogram holds an impossible count or bucket")]
    Impossible,
    /// The library refused to read the compressed form.
    #[error("compressed histogram cannot be read")]
    Deflate(#[source] hdrhistogram::serialization::DeserializeError),
}

/// A histogram from outside holds no more values: counts of four million of them together still fit into 64 bits.
const MOST_VALUES: u64 = 1 << 42;

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// V2 numbers are LEB128 with at most nine bytes: the ninth carries eight bits.
fn put(out: &mut Vec<u8>, mut value: u64) {
    for _ in 0..8 {
        if value < 0x80 {
            out.push(value as u8);
            return;
        }
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &[u8], at: &mut usize) -> Result<u64, StandardError> {
    let mut value = 0_u64;
    for place in 0..9 {
        let byte = *bytes.get(*at).ok_or(StandardError::Body(RestError::Truncated(*at)))?;
        *at += 1;
        if place == 8 {
            return Ok(value | u64::from(byte) << 56);
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            break;
        }
    }
    Ok(value)
}

impl Histogram {
    /// V2, uncompressed.
    pub fn to_v2(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.at_rest.len() * 3 / 2);
        let mut next = 0_u16;
        for (index, count) in self.buckets() {
            match index - next {
                0 => {}
                // One empty bucket is written as its count, longer gaps as a negative length.
                1 => put(&mut body, zigzag(0)),
                gap => put(&mut body, zigzag(-i64::from(gap))),
            }
            put(&mut body, zigzag(i64::try_from(count).unwrap_or(i64::MAX)));
            next = index + 1;
        }
        if self.is_empty() {
            put(&mut body, zigzag(0));
        }
        let mut out = Vec::with_capacity(HEADER + body.len());
        out.extend(COOKIE_V2.to_be_bytes());
        out.extend((body.len() as u32).to_be_bytes());
        out.extend(0_u32.to_be_bytes());
        out.extend(DIGITS.to_be_bytes());
        out.extend(1_u64.to_be_bytes());
        out.extend(HIGHEST.to_be_bytes());
        out.extend(1.0_f64.to_be_bytes());
        out.extend(body);
        out
    }

    /// Reads V2, uncompressed, in our bounds.
    pub fn from_v2(bytes: &[u8]) -> Result<Self, StandardError> {
        if bytes.len() < HEADER {
            return Err(StandardError::Length);
        }
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) << 32 | u64::from(word(at + 4));
        if word(0) != COOKIE_V2 {
            return Err(StandardError::NotV2);
        }
        let (digits, lowest) = (word(12), long(16));
        if digits != DIGITS || lowest != 1 {
            return Err(StandardError::Bounds { lowest, digits });
        }
        let body = &bytes[HEADER..];
        if body.len() != word(4) as usize {
            return Err(StandardError::Length);
        }
        let last = u64::from(bucket_index(HIGHEST));
        let (mut at, mut index, mut total) = (0, 0_u64, 0_u64);
        let mut buckets = Room::for_bytes(2 * body.len());
        while at < body.len() {
            let byte = body[at];
            if byte < 0x80 && buckets.gap(index) < 0x80 {
                // Nearly all numbers. Whether one is a count, an empty bucket or several is as good as random: a branch
                // on it would be guessed wrong half of the time.
                let (empty, half) = (byte & 1, byte >> 1);
                buckets.push_short_if(empty == 0 && half > 0, index, half);
                total += u64::from(half * (1 - empty));
                index += 1 + u64::from(empty * half);
                at += 1;
                continue;
            }
            let value = unzigzag(take(body, &mut at)?);
            if value > 0 {
                // Checked at once, since a long way beyond the last bucket the short ones that follow might wrap.
                if index > last {
                    return Err(StandardError::Impossible);
                }
                buckets.push(index, value as u64);
                total = total.saturating_add(value as u64);
            }
            // A count speaks of one bucket, a number below zero of so many empty ones.
            let step = if value < 0 { value.unsigned_abs() } else { 1 };
            index = index.checked_add(step).ok_or(StandardError::Impossible)?;
        }
        let (at_rest, highest) = buckets.finish();
        if highest > last || total > MOST_VALUES {
            return Err(StandardError::Impossible);
        }
        Ok(Self { at_rest })
    }

    /// V2 compressed with DEFLATE, the form inside `.hlog` files.
    pub fn to_v2_deflate(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing into memory cannot fail, and every count fits: the library checks both.
        let written = V2DeflateSerializer::new().serialize(&self.to_standard_form(), &mut out);
        debug_assert!(written.is_ok(), "memory takes every byte");
        out
    }

    /// Reads V2 or V2 with DEFLATE, through the library, in our bounds.
    pub fn from_v2_deflate(mut bytes: &[u8]) -> Result<Self, StandardError> {
        let read: hdrhistogram::Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes).map_err(StandardError::Deflate)?;
        if read.sigfig() != DIGITS as u8 || read.low() != 1 {
            return Err(StandardError::Bounds { lowest: read.low(), digits: u32::from(read.sigfig()) });
        }
        Ok(Self::from_standard_form(&read))
    }

    /// As the library's dense histogram.
    pub fn to_standard_form(&self) -> hdrhistogram::Histogram<u64> {
        let mut out = empty();
        for (index, count) in self.buckets() {
            out.saturating_record_n(super::bucket_lowest(index), count);
        }
        out
    }

    /// From the library's dense histogram.
    pub fn from_standard_form(standard: &hdrhistogram::Histogram<u64>) -> Self {
        let recorded = standard.iter_recorded();
        Self::from_ascending(recorded.map(|v| (bucket_index(v.value_iterated_to()), v.count_at_value())))
    }
}
