//! One file of the spool: frames, each with its length, its numbers and a checksum.
//!
//! A frame is written in one piece and synced. What a crash leaves of a frame at the end of a file is shorter than its
//! length says, and is cut off when the file is opened: nobody was ever told of it. Anything else that does not fit is
//! a damaged disk, and is counted as lost before it is cut off.

use nix::errno::Errno;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Length (4), count (4), first number (8), checksum (8); little-endian.
pub(super) const FRAME_HEAD: usize = 24;
/// No frame is longer: a length beyond it is damage.
const LONGEST: u32 = 256 << 20;

/// The samples of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) first: u64,
    pub(super) count: u32,
}

impl Frame {
    pub(super) fn bytes(self, payload: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FRAME_HEAD + payload.len());
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(self.count.to_le_bytes());
        bytes.extend(self.first.to_le_bytes());
        let sum = checksum(&bytes, payload);
        bytes.extend(sum);
        bytes.extend(payload);
        bytes
    }

    /// What a head says, and how long the payload is.
    fn of(head: &[u8; FRAME_HEAD]) -> (Self, u32) {
        let frame =
            Self { count: u32::from_le_bytes(array(head, 4)), first: u64::from_le_bytes(array(head, 8)) };
        (frame, u32::from_le_bytes(array(head, 0)))
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 8] {
    let hash = Sha256::new_with_prefix(head).chain_update(payload).finalize();
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash[..8]);
    sum
}

fn array<const N: usize>(head: &[u8; FRAME_HEAD], at: usize) -> [u8; N] {
    std::array::from_fn(|i| head[at + i])
}

/// Reads the next frame; damage is `InvalidData`, an end inside a frame `UnexpectedEof`.
pub(super) fn read_frame(file: &mut impl Read) -> io::Result<(Frame, Vec<u8>)> {
    let mut head = [0; FRAME_HEAD];
    file.read_exact(&mut head)?;
    let (frame, length) = Frame::of(&head);
    if length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut payload = Vec::new();
    file.take(length.into()).read_to_end(&mut payload)?;
    if payload.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    if checksum(&head[..16], &payload) != array::<8>(&head, 16) {
        return Err(ErrorKind::InvalidData.into());
    }
    Ok((frame, payload))
}

/// Whether an error means that the bytes are damaged, or that the disk will not give them back: asking again later
/// does not help.
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) || is_unreadable(error)
}

fn is_unreadable(error: &io::Error) -> bool {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EIO | Errno::EBADMSG) => true,
        #[cfg(target_os = "linux")]
        Some(Errno::EUCLEAN) => true,
        _ => false,
    }
}

/// What is lost behind the whole frames of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// How many samples, at least; none where a write was torn.
    pub(super) samples: u64,
    /// No number from here on was given out in this file.
    pub(super) end: u64,
}

impl Lost {
    /// Nobody can say how many. No sample is shorter than a byte.
    pub(super) fn uncounted(end: u64, bytes: u64) -> Self {
        Self { samples: 1, end: end + bytes.max(1) }
    }

    /// Judges what stands where a frame with the number `end` was expected. A write that was torn leaves less than a
    /// frame, or room that nothing was written to.
    fn judged(tail: &[u8], end: u64) -> Self {
        let (mut at, mut after) = (0, end);
        while let Some(head) = tail[at..].first_chunk() {
            let (frame, length) = Frame::of(head);
            let may_be_one = frame.first.checked_sub(end).is_some_and(|ahead| ahead <= tail.len() as u64)
                && length as usize <= tail.len() - at - FRAME_HEAD;
            match may_be_one.then(|| read_frame(&mut &tail[at..])) {
                Some(Ok((frame, payload))) => {
                    after = after.max(frame.first + u64::from(frame.count));
                    at += FRAME_HEAD + payload.len();
                }
                _ => at += 1,
            }
        }
        let torn = Self { samples: 0, end };
        let Some(head) = tail.first_chunk() else { return torn };
        let (frame, length) = Frame::of(head);
        let has_a_head = frame.first == end && (1..=length).contains(&frame.count) && length <= LONGEST;
        if after > end {
            Self { samples: after - end, end: after }
        } else if (has_a_head && tail.len() - FRAME_HEAD < length as usize)
            || tail.iter().all(|byte| *byte == 0)
        {
            torn
        } else if has_a_head {
            Self { samples: frame.count.into(), end: end + u64::from(frame.count) }
        } else {
            Self::uncounted(end, tail.len() as u64)
        }
    }
}

/// What is known of a file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// The first number in it.
    pub(super) first: u64,
    /// The number after the last.
    pub(super) end: u64,
    pub(super) samples: u64,
    pub(super) bytes: u64,
    /// How many samples at its front are done with.
    pub(super) done: u64,
    pub(super) done_bytes: u64,
}

/// The name of the segment that begins with a number.
pub(super) fn name_of(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The number that a segment begins with, by its name.
pub(super) fn first_of(path: &Path) -> Option<u64> {
    path.file_name()?.to_str()?.strip_suffix(".seg")?.parse().ok()
}

impl Segment {
    pub(super) const fn new(path: PathBuf, first: u64) -> Self {
        Self { path, first, end: first, samples: 0, bytes: 0, done: 0, done_bytes: 0 }
    }

    /// Reads what is whole in a file, cuts off the rest, and says what was lost with it. Numbers from `next` on
    /// belong to a later segment: a frame that bears them was given up when it was written. Numbers below `floor` are
    /// done with.
    pub(super) fn recover(
        path: PathBuf,
        first: u64,
        next: Option<u64>,
        floor: u64,
    ) -> io::Result<(Self, Option<Lost>)> {
        let mut segment = Self::new(path, first);
        let file = File::options().read(true).write(true).open(&segment.path)?;
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(&file);
        let unreadable = loop {
            match read_frame(&mut reader) {
                Ok((frame, payload))
                    if frame.first == segment.end && next.is_none_or(|next| frame.first < next) =>
                {
                    segment.end += u64::from(frame.count);
                    segment.samples += u64::from(frame.count);
                    segment.bytes += (FRAME_HEAD + payload.len()) as u64;
                    if segment.end <= floor {
                        (segment.done, segment.done_bytes) = (segment.samples, segment.bytes);
                    }
                }
                Ok(_) => break false,
                Err(error) if is_damage(&error) => break is_unreadable(&error),
                Err(error) => return Err(error),
            }
        };
        if segment.bytes == length && !unreadable {
            return Ok((segment, None));
        }
        let mut tail = Vec::new();
        let read = segment.reader(segment.bytes)?.take(LONGEST.into()).read_to_end(&mut tail);
        let lost = match read {
            Ok(_) => Lost::judged(&tail, segment.end),
            Err(error) if is_unreadable(&error) => {
                Lost::uncounted(segment.end, length.saturating_sub(segment.bytes))
            }
            Err(error) => return Err(error),
        };
        // Where nothing is whole the file itself goes.
        if segment.bytes > 0 {
            file.set_len(segment.bytes)?;
            file.sync_all()?;
        }
        Ok((segment, Some(lost)))
    }

    /// A reader from a place in the file.
    pub(super) fn reader(&self, offset: u64) -> io::Result<BufReader<File>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(BufReader::new(file))
    }
}
