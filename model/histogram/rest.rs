//! The form at rest: per bucket in use the gap to the previous index and the count, both LEB128, no header. A histogram
//! is held in memory in the same form, with each bucket once.

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

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take(bytes: &[u8], at: &mut usize) -> Result<u64, RestError> {
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

/// Reads bytes at rest bucket by bucket, without making a histogram.
#[derive(Clone, Debug)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    index: u64,
}

impl Reader<'_> {
    #[inline]
    fn bucket(&mut self) -> Result<(u16, u64), RestError> {
        let start = self.at;
        // Nearly all gaps and counts are one byte.
        let (gap, count) = match self.bytes[start..] {
            [gap, count, ..] if gap < 0x80 && count < 0x80 => {
                self.at += 2;
                (u64::from(gap), u64::from(count))
            }
            _ => (take(self.bytes, &mut self.at)?, take(self.bytes, &mut self.at)?),
        };
        self.index = self.index.checked_add(gap).ok_or(RestError::TooLarge(start))?;
        let index = u16::try_from(self.index).map_err(|_| RestError::TooLarge(start))?;
        if count == 0 {
            return Err(RestError::Empty(start));
        }
        Ok((index, count))
    }

    const fn is_done(&self) -> bool {
        self.at >= self.bytes.len()
    }
}

/// The buckets of a histogram, whose bytes are known to be well formed.
#[derive(Clone, Debug)]
pub(super) struct Buckets<'a>(Reader<'a>);

impl<'a> Buckets<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(Reader { bytes, at: 0, index: 0 })
    }
}

impl Iterator for Buckets<'_> {
    type Item = (u16, u64);
    #[inline]
    fn next(&mut self) -> Option<(u16, u64)> {
        if self.0.is_done() { None } else { self.0.bucket().ok() }
    }
}

/// Writes buckets that come in ascending order; those of one index become one.
#[derive(Debug, Default)]
pub(super) struct Builder {
    out: Vec<u8>,
    last: u16,
    held: Option<(u16, u64)>,
}

impl Builder {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), ..Self::default() }
    }

    #[inline]
    pub(super) fn push(&mut self, index: u16, count: u64) {
        match &mut self.held {
            Some(held) if held.0 == index => held.1 = held.1.saturating_add(count),
            held => {
                let before = held.replace((index, count));
                self.write(before);
            }
        }
    }

    #[inline]
    fn write(&mut self, bucket: Option<(u16, u64)>) {
        let Some((index, count)) = bucket else { return };
        let gap = index - self.last;
        if gap < 0x80 && count < 0x80 {
            self.out.extend_from_slice(&[gap as u8, count as u8]);
        } else {
            put(&mut self.out, u64::from(gap));
            put(&mut self.out, count);
        }
        self.last = index;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let held = self.held.take();
        self.write(held);
        self.out
    }
}

/// Writes buckets that come in strictly ascending order into room that is there already, two bytes at least for each.
#[derive(Debug)]
pub(super) struct Room {
    out: Vec<u8>,
    used: usize,
    last: u64,
}

impl Room {
    pub(super) fn for_bytes(bytes: usize) -> Self {
        Self { out: vec![0; bytes], used: 0, last: 0 }
    }

    #[inline]
    pub(super) const fn gap(&self, index: u64) -> u64 {
        index - self.last
    }

    /// A bucket whose gap and count are below 128. Where it is none, nothing is kept of it.
    #[inline]
    pub(super) fn push_short_if(&mut self, is_bucket: bool, index: u64, count: u8) {
        let bucket = [self.gap(index) as u8, count];
        self.out[self.used..self.used + 2].copy_from_slice(&bucket);
        self.used += 2 * usize::from(is_bucket);
        self.last = if is_bucket { index } else { self.last };
    }

    pub(super) fn push(&mut self, index: u64, count: u64) {
        for mut value in [self.gap(index), count] {
            while value >= 0x80 {
                self.out[self.used] = value as u8 | 0x80;
                self.used += 1;
                value >>= 7;
            }
            self.out[self.used] = value as u8;
            self.used += 1;
        }
        self.last = index;
    }

    /// What is written, and the index of the last bucket.
    pub(super) fn finish(mut self) -> (Vec<u8>, u64) {
        self.out.truncate(self.used);
        (self.out, self.last)
    }
}

/// Calls `each` with every bucket of a histogram at rest.
pub(super) fn visit(bytes: &[u8], mut each: impl FnMut(u16, u64)) -> Result<(), RestError> {
    let mut reader = Reader { bytes, at: 0, index: 0 };
    while !reader.is_done() {
        let (index, count) = reader.bucket()?;
        each(index, count);
    }
    Ok(())
}
