//! What was measured and not yet taken by the collector, on this machine's disk.
//!
//! Samples are numbered and appended to segments; a sample counts as spooled once the disk has it. The collector's
//! word that a sample is durable is noted at once and deletes it, a whole segment at a time; killed in between, the
//! agent sends a few again, which is harmless. When the bound is reached the oldest segment is dropped, and what it held is counted.
//!
//! Numbers are never used twice, whenever the process is killed: they rise within the segments, and a segment is
//! deleted only after `spool.json` says up to where numbers were used. A spool that was lost starts anew with a number
//! from the calendar, which may be wrong: so the collector is asked for the highest number that it holds before
//! anything is sent, and what was never sent goes above it. What that cannot tell: two agents under one name.

mod segment;
#[cfg(test)]
mod tests;

use super::files;
use crate::config::SpoolLimits;
use crate::error::words;
use broadgauge_model::clock::Wall;
use broadgauge_model::result::{Batch, Health, Numbered, Sample};
use broadgauge_model::wire;
use segment::{FRAME_HEAD, Frame, Lost, Segment, is_damage};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a spool cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The disk refused.
    #[error("cannot {what} {path}", path = path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another agent; give each its own spool.dir", path = path.display())]
    InUse {
        /// Which folder.
        path: PathBuf,
    },
    /// It was filled under another name, and numbers belong to a name.
    #[error(
        "{path} belongs to agent {owner:?}; keep that name, or give agent {agent:?} another spool.dir",
        path = path.display()
    )]
    OtherAgent {
        /// Which folder.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who asked.
        agent: String,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SpoolError {
    move |source| SpoolError::Io { what, path: path.to_owned(), source }
}

/// What outlives the segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    agent: String,
    /// Every number below it was used, and its sample was taken or dropped.
    floor: u64,
    dropped: u64,
    rejected: u64,
    /// Numbers below it were given out, although the samples were lost and nothing else here says so.
    #[serde(default)]
    used: u64,
    /// The first number of a new spool, until a collector has said which numbers it holds.
    #[serde(default)]
    unsure_from: Option<u64>,
    /// By the numbers that they begin at.
    #[serde(default)]
    raised: Vec<Raised>,
}

/// Samples from a number on are sent under higher numbers than they lie here with, since the collector held these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Raised {
    from: u64,
    by: u64,
}

impl State {
    /// The number that the collector sees.
    fn sent_as(&self, kept_as: u64) -> u64 {
        let raised = self.raised.iter().rev().find(|raised| raised.from <= kept_as);
        kept_as + raised.map_or(0, |raised| raised.by)
    }

    /// The number under which a sample lies here.
    fn kept_as(&self, sent_as: u64) -> u64 {
        let raised = self.raised.iter().rev().find(|raised| raised.from + raised.by <= sent_as);
        sent_as - raised.map_or(0, |raised| raised.by)
    }
}

/// No agent comes as far by measuring: the store ends at 2^63, and a number near it would leave no room for others.
const HIGHEST: u64 = 1 << 62;

/// Samples to send, with their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// The samples, ascending, under the numbers that the collector is to see.
    pub samples: Vec<Numbered>,
    segment: u64,
    offset: u64,
}

/// A whole frame that this program cannot decode: another version wrote it.
struct Foreign {
    segment: u64,
    frame: Frame,
    /// Where the next begins.
    offset: u64,
    payload: Vec<u8>,
    why: String,
}

/// A spool that this process has to itself.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    state: State,
    segments: VecDeque<Segment>,
    active: Option<File>,
    next: u64,
    /// Nothing from here on was sent yet: no collector was asked since the spool was opened, or made.
    unsent_from: Option<u64>,
    _lock: File,
}

/// The last file of the spool that could not be read.
const DAMAGED: &str = "damaged.old";
/// The rejected samples of an agent, kept for a person to look at.
const REJECTED: &str = "rejected.jsonl";
const REJECTED_BYTES: u64 = 8 << 20;

impl Spool {
    /// Opens the folder, or makes it. `now` gives the first number of a new spool.
    pub fn open(limits: &SpoolLimits, agent: &str, now: Wall) -> Result<Self, SpoolError> {
        let folder = limits.dir.clone();
        std::fs::create_dir_all(&folder).map_err(failed("make", &folder))?;
        let lock = lock(&folder)?;
        let path = folder.join("spool.json");
        let known = files::read_json::<State>(&path).map_err(failed("read", &path))?;
        let made = known.is_none();
        let state = match known {
            Some(state) if state.agent != agent => {
                return Err(SpoolError::OtherAgent { path: folder, owner: state.agent, agent: agent.into() });
            }
            Some(state) => state,
            None => {
                // 65,536 numbers for each second since 1970: more than any agent has used by then.
                let floor = (now.secs().max(0) as u64) << 16;
                State { agent: agent.to_owned(), floor, ..State::default() }
            }
        };
        let next = state.floor.max(state.used);
        let mut spool = Self {
            folder,
            max_bytes: limits.max_bytes,
            state,
            segments: VecDeque::new(),
            active: None,
            next,
            unsent_from: None,
            _lock: lock,
        };
        if made {
            // Samples may lie here although nobody knows any more which were done with: sending them again is harmless.
            let calendar = std::mem::take(&mut spool.state.floor);
            spool.load()?;
            spool.state.floor = spool.segments.front().map_or(calendar, |first| first.first);
            spool.next = spool.next.max(calendar);
            spool.state.unsure_from = Some(spool.next);
            spool.save()?;
        } else {
            spool.load()?;
            // Nothing below the floor is sent any more.
            while spool.state.raised.get(1).is_some_and(|next| next.from <= spool.state.floor) {
                spool.state.raised.remove(0);
            }
        }
        spool.unsent_from = Some(spool.state.unsure_from.unwrap_or(spool.next));
        Ok(spool)
    }

    fn load(&mut self) -> Result<(), SpoolError> {
        let listed = std::fs::read_dir(&self.folder).map_err(failed("list", &self.folder))?;
        let mut found: Vec<(u64, PathBuf)> = Vec::new();
        for entry in listed {
            let path = entry.map_err(failed("list", &self.folder))?.path();
            if let Some(first) = segment::first_of(&path) {
                found.push((first, path));
            }
        }
        found.sort_unstable();
        let starts: Vec<u64> = found.iter().map(|(first, _)| *first).collect();
        for (place, (first, path)) in found.into_iter().enumerate() {
            let next = starts.get(place + 1).copied();
            let (segment, lost) = match Segment::recover(path.clone(), first, next, self.state.floor) {
                Err(error) if is_damage(&error) => {
                    tracing::error!(path = %path.display(), %error, "a file of the spool cannot be read");
                    (Segment::new(path.clone(), first), Some(Lost::uncounted(first, 0)))
                }
                recovered => recovered.map_err(failed("recover", &path))?,
            };
            self.next = self.next.max(first);
            if let Some(lost) = lost {
                self.count_lost(&segment, lost, next)?;
            }
            // What lies below the floor was done with: the state is written before a segment is deleted.
            if segment.samples == 0 || segment.end <= self.state.floor {
                self.remove(&path, lost.is_some_and(|lost| lost.samples > 0))?;
                continue;
            }
            self.next = self.next.max(segment.end);
            self.segments.push_back(segment);
        }
        Ok(())
    }

    /// Counts what was lost at the end of a segment, in front of another that begins at `next`, and sees to it that the
    /// numbers are not given out again.
    fn count_lost(&mut self, segment: &Segment, lost: Lost, next: Option<u64>) -> Result<(), SpoolError> {
        let from = segment.end.max(self.state.floor);
        // In front of a later segment nothing was torn, and its number says how many there were.
        let gone = match next {
            Some(next) => next.saturating_sub(from),
            None => lost.samples.min(lost.end.saturating_sub(from)),
        };
        if gone == 0 {
            return Ok(());
        }
        tracing::error!(path = %segment.path.display(), gone, "spooled samples cannot be read");
        self.state.dropped += gone;
        self.state.used = self.state.used.max(next.unwrap_or(lost.end));
        self.next = self.next.max(self.state.used);
        self.save()
    }

    fn save(&self) -> Result<(), SpoolError> {
        let path = self.folder.join("spool.json");
        // Plain data with text keys always has a text.
        let text = serde_json::to_vec_pretty(&self.state).unwrap_or_default();
        files::replace(&path, &text).map_err(failed("write", &path))
    }

    /// To be told, before anything is sent, the highest of this agent's numbers that the collector holds: what was
    /// never sent is sent above it. What may have been sent keeps its number, so that the collector knows it again.
    pub fn start_above(&mut self, highest: Option<u64>) -> Result<(), SpoolError> {
        let Some(from) = self.unsent_from else { return Ok(()) };
        if let Some(highest) = highest.filter(|highest| *highest >= HIGHEST) {
            tracing::warn!(highest, "the collector names a number that no agent has reached; it is ignored");
        }
        let before = self.state.clone();
        let highest = highest.filter(|highest| (self.state.sent_as(from)..HIGHEST).contains(highest));
        if let Some(highest) = highest {
            tracing::info!(highest, "numbers go on above those that the collector holds");
            self.state.raised.retain(|raised| raised.from < from);
            self.state.raised.push(Raised { from, by: highest + 1 - from });
        }
        self.state.unsure_from = None;
        if self.state != before
            && let Err(error) = self.save()
        {
            self.state = before;
            return Err(error);
        }
        self.unsent_from = None;
        Ok(())
    }

    /// Numbers the samples and keeps them: on return the disk has them.
    pub fn append(&mut self, samples: &[Sample]) -> Result<(), SpoolError> {
        if samples.is_empty() {
            return Ok(());
        }
        let numbered = (self.next..).zip(samples);
        let samples: Vec<_> =
            numbered.map(|(number, sample)| Numbered { number, sample: sample.clone() }).collect();
        let frame = Frame { first: self.next, count: samples.len() as u32 };
        let payload = wire::encode(&Batch { agent: String::new(), health: Health::default(), samples });
        let bytes = frame.bytes(&payload);
        let roll = (self.max_bytes / 8).clamp(64 << 10, 1 << 20);
        let full = self.segments.back().is_some_and(|s| s.bytes + bytes.len() as u64 > roll && s.samples > 0);
        if self.active.is_none() || full {
            self.begin_segment()?;
        }
        let (Some(file), Some(segment)) = (&mut self.active, self.segments.back_mut()) else { return Ok(()) };
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if let Err(source) = written {
            // What was written in part is cut off by opening the segment anew, here or after a restart.
            let _ = file.set_len(segment.bytes);
            self.active = None;
            if segment.samples == 0 {
                let _ = std::fs::remove_file(&segment.path);
                self.segments.pop_back();
            }
            return Err(SpoolError::Io { what: "append to", path: self.folder.clone(), source });
        }
        segment.bytes += bytes.len() as u64;
        segment.samples += u64::from(frame.count);
        segment.end = frame.first + u64::from(frame.count);
        self.next = segment.end;
        // The disk has the samples, whatever becomes of the oldest.
        if let Err(error) = self.keep_within_bounds() {
            tracing::error!(error = words(&error), "the spool is beyond its bound");
        }
        Ok(())
    }

    fn begin_segment(&mut self) -> Result<(), SpoolError> {
        let path = self.folder.join(segment::name_of(self.next));
        let file =
            File::options().append(true).create_new(true).open(&path).map_err(failed("make", &path))?;
        if let Err(source) = files::sync_folder(&self.folder) {
            // Left behind, it would be in the way of the next attempt.
            let _ = std::fs::remove_file(&path);
            return Err(failed("make", &path)(source));
        }
        self.active = Some(file);
        self.segments.push_back(Segment::new(path, self.next));
        Ok(())
    }

    fn keep_within_bounds(&mut self) -> Result<(), SpoolError> {
        while self.segments.len() > 1 && self.bytes() > self.max_bytes {
            self.drop_oldest(false)?;
        }
        Ok(())
    }

    /// Deletes the oldest segment although it holds samples, and counts them. Where it cannot be deleted it is still
    /// there, and is counted when it goes.
    fn drop_oldest(&mut self, damaged: bool) -> Result<(), SpoolError> {
        let dropped = self.segments.front().map_or(0, |oldest| oldest.samples - oldest.done);
        self.state.dropped += dropped;
        self.forget_oldest_and(damaged).inspect_err(|_| self.state.dropped -= dropped)
    }

    /// Deletes a segment. A damaged one is kept under another name, in the place of the last such, for a person to look
    /// at.
    fn remove(&self, path: &Path, damaged: bool) -> Result<(), SpoolError> {
        if damaged {
            return std::fs::rename(path, self.folder.join(DAMAGED)).map_err(failed("rename", path));
        }
        std::fs::remove_file(path).map_err(failed("delete", path))
    }

    /// Deletes the oldest segment, after it is written down up to where numbers were used. Where the disk is too full
    /// for that, a later segment with samples says the same, and deleting this one makes room. What could not be
    /// deleted stays in the list, and is tried again.
    fn forget_oldest(&mut self) -> Result<(), SpoolError> {
        self.forget_oldest_and(false)
    }

    fn forget_oldest_and(&mut self, damaged: bool) -> Result<(), SpoolError> {
        let Some(oldest) = self.segments.front() else { return Ok(()) };
        self.state.floor = self.state.floor.max(oldest.end);
        let saved = self.save();
        if saved.is_err() && self.segments.iter().skip(1).all(|later| later.samples == 0) {
            return saved;
        }
        self.remove(&oldest.path, damaged)?;
        self.segments.pop_front();
        if self.segments.is_empty() {
            self.active = None;
        }
        if saved.is_err() {
            // There may be room now. If not, the next change is written with this one.
            let _ = self.save();
        }
        Ok(())
    }

    /// The oldest samples that are not done with, up to either bound, but at least one run's.
    pub fn peek(&mut self, max_samples: usize, max_bytes: u64) -> Result<Option<Chunk>, SpoolError> {
        loop {
            let mut chunk = None;
            match self.fill(&mut chunk, max_samples, max_bytes) {
                Err(SpoolError::Io { source, .. }) if is_damage(&source) => {}
                Err(error) => return Err(error),
                Ok(Some(foreign)) => {
                    self.skip(&foreign)?;
                    continue;
                }
                Ok(None) => return Ok(chunk),
            }
            if chunk.is_some() {
                return Ok(chunk);
            }
            // The oldest segment cannot be read: a damaged disk. It must not hold up the rest.
            while self.segments.front().is_some_and(|s| s.done_bytes == s.bytes) {
                self.forget_oldest()?;
            }
            if let Some(damaged) = self.segments.front() {
                let gone = damaged.samples - damaged.done;
                tracing::error!(path = %damaged.path.display(), gone, "spooled samples cannot be read");
                self.drop_oldest(true)?;
            }
        }
    }

    /// Fills a chunk, or says what stands in front that this program does not know.
    fn fill(
        &self,
        chunk: &mut Option<Chunk>,
        max_samples: usize,
        max_bytes: u64,
    ) -> Result<Option<Foreign>, SpoolError> {
        let mut bytes = 0;
        for segment in &self.segments {
            let mut offset = segment.done_bytes;
            if offset == segment.bytes {
                continue;
            }
            let mut file = segment.reader(offset).map_err(failed("read", &segment.path))?;
            while offset < segment.bytes {
                let (frame, payload) =
                    segment::read_frame(&mut file).map_err(failed("read", &segment.path))?;
                let length = FRAME_HEAD as u64 + payload.len() as u64;
                let held = chunk.as_ref().map_or(0, |c| c.samples.len());
                if held > 0 && (held + frame.count as usize > max_samples || bytes + length > max_bytes) {
                    return Ok(None);
                }
                offset += length;
                let mut batch = match wire::decode(&payload) {
                    Ok(batch) => batch,
                    // What stands in front of it goes first.
                    Err(_) if chunk.is_some() => return Ok(None),
                    Err(error) => {
                        let (segment, why) = (segment.first, words(&error));
                        return Ok(Some(Foreign { segment, frame, offset, payload, why }));
                    }
                };
                bytes += length;
                let chunk = chunk.get_or_insert_with(|| Chunk { samples: Vec::new(), segment: 0, offset: 0 });
                for numbered in &mut batch.samples {
                    numbered.number = self.state.sent_as(numbered.number);
                }
                chunk.samples.extend(batch.samples);
                (chunk.segment, chunk.offset) = (segment.first, offset);
            }
        }
        Ok(None)
    }

    /// Keeps what this program does not know where a person finds it, counts it, and goes on behind it.
    fn skip(&mut self, foreign: &Foreign) -> Result<(), SpoolError> {
        while self.segments.front().is_some_and(|s| s.first < foreign.segment) {
            self.forget_oldest()?;
        }
        let Foreign { frame, payload, why, .. } = foreign;
        tracing::error!(first = frame.first, count = frame.count, why, "spooled samples are not known");
        let text = || String::from_utf8_lossy(payload).into_owned().into();
        let batch = serde_json::from_slice::<serde_json::Value>(payload).unwrap_or_else(|_| text());
        let line = serde_json::json!({ "reason": why, "batch": batch });
        if let Err(error) = self.keep_aside(&format!("{line}\n")) {
            // It must not hold up the rest.
            tracing::error!(error = words(&error), "they are not kept for a person either");
        }
        let end = frame.first + u64::from(frame.count);
        if let Some(front) = self.segments.front_mut().filter(|s| s.first == foreign.segment) {
            (front.done, front.done_bytes) = (end - front.first, foreign.offset);
        }
        self.state.dropped += u64::from(frame.count);
        self.state.floor = self.state.floor.max(end);
        self.save()
    }

    /// Deletes what the collector has said is durable, or will never take.
    pub fn acknowledge(&mut self, chunk: &Chunk) -> Result<(), SpoolError> {
        let oldest = self.segments.front().map_or(self.next, |segment| segment.first);
        // What was dropped while it was on its way did arrive.
        let kept_as = |numbered: &Numbered| self.state.kept_as(numbered.number);
        let arrived = chunk.samples.iter().filter(|numbered| kept_as(numbered) < oldest).count() as u64;
        let done_with = chunk.samples.last().map(|last| kept_as(last) + 1);
        self.state.dropped = self.state.dropped.saturating_sub(arrived);
        while self.segments.front().is_some_and(|s| s.first < chunk.segment) {
            self.forget_oldest()?;
        }
        if let Some(front) = self.segments.front_mut().filter(|s| s.first == chunk.segment) {
            front.done_bytes = chunk.offset;
            front.done = done_with.map_or(front.done, |done_with| done_with - front.first);
            let (emptied, done_with) = (front.done_bytes == front.bytes, front.first + front.done);
            // The one that is written to is kept while it is small: deleting it costs more than keeping it.
            if emptied && (self.segments.len() > 1 || self.bytes() > 64 << 10) {
                return self.forget_oldest();
            }
            self.state.floor = self.state.floor.max(done_with);
        }
        self.save()
    }

    /// Deletes all that is done with, at the end of a life.
    pub fn tidy(&mut self) -> Result<(), SpoolError> {
        while self.segments.front().is_some_and(|s| s.done_bytes == s.bytes) {
            self.forget_oldest()?;
        }
        Ok(())
    }

    /// Keeps samples that the collector will never take where a person finds them, and counts them.
    pub fn put_aside(&mut self, rejected: &[(Numbered, String)]) -> Result<(), SpoolError> {
        if rejected.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for (numbered, reason) in rejected {
            let batch = Batch {
                agent: self.state.agent.clone(),
                health: Health::default(),
                samples: vec![numbered.clone()],
            };
            let line = serde_json::json!({
                "reason": reason,
                "batch": serde_json::from_slice::<serde_json::Value>(&wire::encode(&batch)).unwrap_or_default(),
            });
            text.extend([line.to_string(), "\n".to_owned()]);
        }
        self.keep_aside(&text)?;
        self.state.rejected += rejected.len() as u64;
        self.save()
    }

    fn keep_aside(&self, lines: &str) -> Result<(), SpoolError> {
        let path = self.folder.join(REJECTED);
        if std::fs::metadata(&path).is_ok_and(|held| held.len() > REJECTED_BYTES) {
            std::fs::rename(&path, self.folder.join("rejected.old.jsonl"))
                .map_err(failed("rename", &path))?;
        }
        let file = File::options().append(true).create(true).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()))
            .map_err(failed("write", &path))
    }

    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Samples that are not done with.
    pub fn pending(&self) -> u64 {
        self.segments.iter().map(|segment| segment.samples - segment.done).sum()
    }

    /// Samples dropped since the spool was made.
    pub const fn dropped(&self) -> u64 {
        self.state.dropped
    }

    /// Samples put aside since the spool was made.
    pub const fn rejected(&self) -> u64 {
        self.state.rejected
    }

    /// Counts samples that could not even be appended.
    pub fn count_dropped(&mut self, samples: u64) -> Result<(), SpoolError> {
        self.state.dropped += samples;
        self.save()
    }
}

fn lock(folder: &Path) -> Result<File, SpoolError> {
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(failed("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(SpoolError::InUse { path: folder.to_owned() }),
        Err(std::fs::TryLockError::Error(source)) => Err(failed("lock", &path)(source)),
    }
}
