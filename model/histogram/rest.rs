//! The form at rest: per bucket in use the gap to the previous index and the count, both LEB128, no header.

use super::Histogram;

/// Why bytes are not a histogram at rest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestError {
    /// The bytes end inside a number.
    #[error("histogram ends inside a number at byte {0}")]
    Truncated(usize),
    /// A number is longer than its type.
    #[error("histogram holds a number that is too large at byte {0}")]
    TooLarge(usize),
    /// A bucket has no count.
    #[error("histogram holds an empty bucket at byte {0}")]
    Empty(usize),
}

pub(super) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn take(bytes: &[u8], at: &mut usize) -> Result<u64, RestError> {
    let start = *at;
    let mut value = 0_u64;
    let mut shift = 0;
    loop {
        let byte = *bytes.get(*at).ok_or(RestError::Truncated(start))?;
        *at += 1;
        let part = u64::from(byte & 0x7f);
        if shift >= 64 || (shift == 63 && part > 1) {
            return Err(RestError::TooLarge(start));
        }
        value |= part << shift;
        if byte < 0x80 {
            return Ok(value);
        }
        shift += 7;
    }
}

/// Calls `each` with every bucket of a histogram at rest, without making one: the fast way to merge many.
pub(super) fn visit(bytes: &[u8], mut each: impl FnMut(u16, u64)) -> Result<(), RestError> {
    let (mut at, mut index) = (0, 0_u64);
    while at < bytes.len() {
        let start = at;
        // Nearly all gaps and counts are one byte.
        let (gap, count) = match bytes[at..] {
            [gap, count, ..] if gap < 0x80 && count < 0x80 => {
                at += 2;
                (u64::from(gap), u64::from(count))
            }
            _ => (take(bytes, &mut at)?, take(bytes, &mut at)?),
        };
        index = index.checked_add(gap).ok_or(RestError::TooLarge(start))?;
        let held = u16::try_from(index).map_err(|_| RestError::TooLarge(start))?;
        if count == 0 {
            return Err(RestError::Empty(start));
        }
        each(held, count);
    }
    Ok(())
}

impl Histogram {
    /// The form at rest.
    pub fn to_rest(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append_rest(&mut out);
        out
    }

    /// The form at rest, behind what is there.
    pub fn append_rest(&self, out: &mut Vec<u8>) {
        out.reserve(self.buckets.len() * 3);
        let mut last = 0;
        for &(index, count) in &self.buckets {
            put(out, u64::from(index - last));
            put(out, count);
            last = index;
        }
    }

    /// Reads the form at rest.
    pub fn from_rest(bytes: &[u8]) -> Result<Self, RestError> {
        let mut buckets: Vec<(u16, u64)> = Vec::with_capacity(bytes.len() / 2);
        visit(bytes, |index, count| match buckets.last_mut() {
            Some(last) if last.0 == index => last.1 += count,
            _ => buckets.push((index, count)),
        })?;
        Ok(Self { buckets })
    }

    /// Calls `each` with every bucket of a histogram at rest without building it.
    pub fn visit_rest(bytes: &[u8], each: impl FnMut(u16, u64)) -> Result<(), RestError> {
        visit(bytes, each)
    }
}
