//! The agent's own books: how many runs were asked for and what became of them, and what the planner must remember
//! over a restart. They are on the disk before a run is called done.

use super::files;
use super::spool::SpoolError;
use crate::schedule::{Missed, Past, Start, Timed};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::histogram::Recorder;
use broadgauge_model::result::Health;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    runs_done: u64,
    runs_late: u64,
    runs_missed: u64,
    tasks: BTreeMap<String, Past>,
}

/// The books of a running agent.
#[derive(Debug)]
pub(super) struct Books {
    path: PathBuf,
    names: Vec<String>,
    written: Written,
    past: Vec<Past>,
    running: u64,
    lateness: Recorder,
}

impl Books {
    /// Opens the books in the spool's folder. A task that they do not know begins now.
    pub(super) fn open(folder: &Path, names: Vec<String>, now: Wall) -> Result<Self, SpoolError> {
        let path = folder.join("books.json");
        let written = files::read_json::<Written>(&path)
            .map_err(|source| SpoolError::Io { what: "read", path: path.clone(), source })?
            .unwrap_or_default();
        let past = names
            .iter()
            .map(|name| written.tasks.get(name).cloned().unwrap_or_else(|| Past::none(now)))
            .collect();
        Ok(Self { path, names, written, past, running: 0, lateness: Recorder::default() })
    }

    /// What the planner asks for.
    pub(super) fn past(&self) -> &[Past] {
        &self.past
    }

    /// A run begins. On the disk it is booked when it ends: killed in between, it is still due.
    pub(super) fn start(&mut self, start: Start) {
        self.past[start.task].book(start.slot);
        self.past[start.task].running = true;
        self.running += 1;
    }

    /// The clock was set back: slots from now on count.
    pub(super) fn set_back(&mut self, task: usize, now: Wall) {
        self.past[task].book(now);
    }

    /// Slots went by.
    pub(super) fn miss(&mut self, missed: Missed) {
        self.past[missed.task].book(missed.slot);
        self.written.runs_missed += missed.count;
    }

    /// A run ended.
    pub(super) fn finish(&mut self, start: Start, task: &Timed, now: Wall, bytes_moved: u64) {
        self.past[start.task].finish(task, now, bytes_moved);
        self.running -= 1;
        self.written.runs_done += 1;
        self.written.runs_late += u64::from(start.late);
    }

    /// A packet left this much after its time.
    pub(super) fn packet_left(&mut self, lateness: Span) {
        self.lateness.record(lateness.0.max(0) / 1_000);
    }

    /// Writes down everything but the runs that go on.
    pub(super) fn save(&mut self) -> Result<(), SpoolError> {
        for (name, past) in self.names.iter().zip(&self.past) {
            if !past.running {
                self.written.tasks.insert(name.clone(), past.clone());
            }
        }
        // Plain data with text keys always has a text.
        let text = serde_json::to_vec_pretty(&self.written).unwrap_or_default();
        files::replace(&self.path, &text).map_err(|source| SpoolError::Io {
            what: "write",
            path: self.path.clone(),
            source,
        })
    }

    /// What is told to the collector.
    pub(super) fn health(&self, at: Wall, samples_dropped: u64) -> Health {
        let clock = broadgauge_probes::net::real::clock_state();
        let (done, missed) = (self.written.runs_done, self.written.runs_missed);
        let p99 = self.lateness.finish().quantile(0.99);
        Health {
            runs_planned: done + missed + self.running,
            runs_done: done,
            runs_late: self.written.runs_late,
            runs_missed: missed,
            samples_dropped,
            send_lateness_p99_ms: p99.map(|us| us as f64 / 1e3),
            clock_synchronised: Some(clock.synchronised),
            clock_error_ms: clock.synchronised.then(|| clock.error.as_millis_f64()),
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::Why;
    use broadgauge_model::task::{Schedule, Task};
    use jiff::tz::TimeZone;

    const NOW: Wall = Wall::from_secs(1_780_315_200);

    #[test]
    fn a_run_that_was_killed_is_still_due_and_one_that_ended_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let task = Task {
            name: "a@l".into(),
            method: "m".into(),
            line: "l".into(),
            target: "t".into(),
            schedule: Schedule::Once,
            settings: serde_json::Map::new(),
            bytes_per_day: None,
        };
        let timed = Timed::new(&task, false, &TimeZone::UTC, 1).unwrap();
        let names = || vec!["a@l".to_owned(), "b@l".to_owned()];
        let slot = NOW + Span::secs(60);
        let start = |task| Start { task, slot, late: true };
        let mut books = Books::open(folder.path(), names(), NOW).unwrap();
        books.save().unwrap();
        books.start(start(0));
        books.start(start(1));
        books.finish(start(0), &timed, slot, 500);
        books.miss(Missed { task: 0, slot: slot + Span::secs(60), count: 3, why: Why::TooLate });
        books.save().unwrap();
        assert_eq!(books.health(NOW, 0).runs_planned, 5);
        let books = Books::open(folder.path(), names(), NOW + Span::secs(900)).unwrap();
        assert_eq!(books.past()[0].booked, slot + Span::secs(60));
        assert_eq!((books.past()[0].bytes, books.past()[0].largest_run), (500, 500));
        assert_eq!(books.past()[1], Past::none(NOW));
        let health = books.health(NOW, 2);
        let counts = (health.runs_planned, health.runs_done, health.runs_late, health.runs_missed);
        assert_eq!((counts, health.samples_dropped), ((4, 1, 1, 3), 2));
    }
}
