//! A histogram of the HdrHistogram projects where a number could stand: base64 of V0, V1 or V2, with or without
//! DEFLATE, as interval logs hold it.
//!
//! Each bucket is taken anew into our own bounds at its highest equivalent value, so that quantiles stay what the other
//! tool would have answered. With our precision (one unit, three digits) that is exact; a coarser histogram stays as
//! coarse as it was. The layout is that of HdrHistogram's `AbstractHistogram` (Java), whose three encodings differ in
//! their header and in how a count is written. Histograms of fractions (`DoubleHistogram`) are not read.

use super::unit::Conversion;
use base64::Engine as _;
use broadgauge_model::histogram::{HIGHEST, Histogram, bucket_index};
use broadgauge_model::metric::MetricId;
use flate2::read::ZlibDecoder;
use std::io::Read as _;

/// What a cookie says beside the width of a count.
const BASE: u32 = !0xf0;
const V0: u32 = 0x1c84_9308;
const V0_DEFLATE: u32 = 0x1c84_9309;
const V1: u32 = 0x1c84_9301;
const V1_DEFLATE: u32 = 0x1c84_9302;
const V2: u32 = 0x1c84_9303;
const V2_DEFLATE: u32 = 0x1c84_9304;

/// More bytes than any histogram in use has when unpacked.
const MOST_BYTES: u64 = 16 << 20;

/// Whether a cell holds a histogram: every cookie begins with these bytes.
pub(super) fn is_one(cell: &str) -> bool {
    cell.starts_with("HIST")
}

/// A histogram in somebody else's bounds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    /// Significant digits.
    pub(super) digits: u32,
    /// Highest equivalent value and count of each bucket in use, ascending.
    buckets: Vec<(u64, u64)>,
}

/// Reads a cell.
pub(super) fn decode(cell: &str) -> Result<Decoded, String> {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(cell)
        .map_err(|e| format!("is no histogram: its base64 is broken: {e}"))?;
    let mut outer = Bytes(&bytes);
    let cookie = outer.word()?;
    if [V0_DEFLATE, V1_DEFLATE, V2_DEFLATE].contains(&(cookie & BASE)) {
        let length = outer.word()? as usize;
        let packed = outer.0.get(..length).ok_or("is no histogram: it ends before its length says so")?;
        let mut plain = Vec::new();
        ZlibDecoder::new(packed)
            .take(MOST_BYTES)
            .read_to_end(&mut plain)
            .map_err(|e| format!("is no histogram: it cannot be unpacked: {e}"))?;
        let mut inner = Bytes(&plain);
        let cookie = inner.word()?;
        return body(cookie, inner);
    }
    body(cookie, outer)
}

fn body(cookie: u32, mut bytes: Bytes<'_>) -> Result<Decoded, String> {
    let (digits, lowest, payload) = match cookie & BASE {
        V0 => {
            let (digits, lowest) = (bytes.word()?, bytes.long()?);
            // The highest value and the total, which the counts tell as well.
            bytes.long()?;
            bytes.long()?;
            (digits, lowest, bytes.0)
        }
        V1 | V2 => {
            let length = bytes.word()? as usize;
            // How far the counts are shifted within their array: the encoding undoes it.
            bytes.word()?;
            let (digits, lowest) = (bytes.word()?, bytes.long()?);
            bytes.long()?;
            let factor = f64::from_bits(bytes.long()?);
            if factor != 1.0 {
                return Err(format!("is a histogram of fractions (factor {factor}), which is not read"));
            }
            let payload = bytes.0.get(..length).ok_or("is no histogram: its counts break off")?;
            (digits, lowest, payload)
        }
        other => return Err(format!("is no histogram of version 0, 1 or 2 (cookie {other:#x})")),
    };
    let layout = Layout::new(digits, lowest)?;
    let mut payload = Bytes(payload);
    let width = (cookie >> 4) & 0xe;
    let (mut index, mut buckets) = (0_u64, Vec::new());
    while !payload.0.is_empty() {
        let count = if cookie & BASE == V2 { payload.zigzag()? } else { payload.count(width)? };
        if count < 0 {
            if cookie & BASE != V2 {
                return Err(format!("is no histogram: bucket {index} has a count of {count}"));
            }
            index = index.saturating_add(count.unsigned_abs());
            continue;
        }
        if count > 0 {
            buckets.push((layout.highest(index)?, count as u64));
        }
        index += 1;
    }
    Ok(Decoded { digits, buckets })
}

impl Decoded {
    /// The same in our bounds: values are in a unit that `conversion` takes to the metric's own.
    pub(super) fn of(&self, metric: MetricId, conversion: Conversion) -> Result<Histogram, String> {
        let mut buckets = Vec::with_capacity(self.buckets.len());
        for &(value, count) in &self.buckets {
            let ticks = (conversion.apply(value as f64) / metric.tick).round();
            let index = (ticks <= 2.0 * HIGHEST as f64).then(|| bucket_index(ticks as u64));
            let Some(index) = index.filter(|i| *i <= bucket_index(HIGHEST)) else {
                let most = HIGHEST as f64 * metric.tick;
                return Err(format!(
                    "holds {value}, which is more than {most} {}: is its unit another?",
                    metric.unit.code()
                ));
            };
            buckets.push((index, count));
        }
        Ok(Histogram::from_buckets(buckets))
    }
}

/// How values lie in buckets.
struct Layout {
    /// Bits of half a bucket row.
    half_bits: u32,
    /// The lowest value's own bits.
    unit_bits: u32,
}

impl Layout {
    fn new(digits: u32, lowest: u64) -> Result<Self, String> {
        if digits > 5 || lowest == 0 {
            return Err(format!("is no histogram: {digits} digits from {lowest} upwards"));
        }
        let single: u64 = 2 * 10_u64.pow(digits);
        let bits = u64::BITS - (single - 1).leading_zeros();
        Ok(Self { half_bits: bits.max(1) - 1, unit_bits: lowest.ilog2() })
    }

    /// The largest value that falls into a bucket.
    fn highest(&self, index: u64) -> Result<u64, String> {
        let half = 1_u64 << self.half_bits;
        let row = (index >> self.half_bits).saturating_sub(1);
        let within = index - row * half;
        let shift = row + u64::from(self.unit_bits);
        let value = u32::try_from(shift)
            .ok()
            .filter(|s| *s < within.leading_zeros())
            .map(|s| ((within << s) | ((1_u64 << s) - 1), s));
        value.map(|(v, _)| v).ok_or_else(|| format!("is no histogram: there is no bucket {index}"))
    }
}

/// Bytes that are read from the front, most significant first.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (first, rest) =
            self.0.split_first_chunk::<N>().ok_or("is no histogram: it breaks off".to_owned())?;
        self.0 = rest;
        Ok(*first)
    }

    fn word(&mut self) -> Result<u32, String> {
        self.take().map(u32::from_be_bytes)
    }

    fn long(&mut self) -> Result<u64, String> {
        self.take().map(u64::from_be_bytes)
    }

    fn count(&mut self, width: u32) -> Result<i64, String> {
        match width {
            2 => self.take().map(|b| i64::from(i16::from_be_bytes(b))),
            4 => self.take().map(|b| i64::from(i32::from_be_bytes(b))),
            8 => self.take().map(i64::from_be_bytes),
            _ => Err(format!("is no histogram: counts of {width} bytes")),
        }
    }

    /// Seven bits a byte, low ones first; the ninth byte carries eight.
    fn zigzag(&mut self) -> Result<i64, String> {
        let mut value = 0_u64;
        for place in 0..9 {
            let [byte] = self.take()?;
            if place == 8 {
                value |= u64::from(byte) << 56;
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                break;
            }
        }
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests;
