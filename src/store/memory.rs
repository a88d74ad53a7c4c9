//! The store that forgets: for tests, trials and one-off studies.

use super::entry::{Encoded, Entry, IMPORTED, Ready, content_key, is_newer};
use super::lines::{Teller, settle};
use super::surroundings::Surroundings;
use super::{
    Complaints, Filter, Fleet, Receipt, Rejected, Results, Row, RowValues, Source, SourceKind, StoreError,
    Tally, Window,
};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::panel::MethodUse;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::{Health, Numbered, Sample, Values};
use broadgauge_model::wire::registration::Registration;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

/// Keeps everything in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rows: Vec<Kept>,
    place: HashMap<(i64, i64), usize>,
    agents: BTreeMap<String, Agent>,
    lines: BTreeMap<String, (AccessLine, Teller)>,
    complaints: BTreeMap<String, Complaint>,
    pub(super) surroundings: Surroundings,
}

#[derive(Debug, Default)]
struct Agent {
    stream: i64,
    registration: Option<Registration>,
    health: Option<Health>,
}

#[derive(Debug)]
struct Kept {
    sample: Sample,
    encoded: Encoded,
    window: Window,
    method: MethodUse,
    source: Source,
    number: Option<u64>,
}

impl Memory {
    pub(super) fn surroundings<T>(&self, work: impl FnOnce(&mut Surroundings) -> T) -> Result<T, StoreError> {
        Ok(work(&mut self.lock()?.surroundings))
    }

    fn lock(&self) -> Result<MutexGuard<'_, Inner>, StoreError> {
        self.0.lock().map_err(|_| StoreError::Poisoned)
    }
}

impl Inner {
    fn agent(&mut self, name: &str) -> &mut Agent {
        let next = self.agents.len() as i64 + 1;
        let agent = self.agents.entry(name.to_owned()).or_default();
        if agent.stream == IMPORTED {
            agent.stream = next;
        }
        agent
    }

    fn put(&mut self, identity: (i64, i64), number: u64, kept: Result<Kept, String>, to: &mut Receipt) {
        let kept = match kept {
            Ok(kept) => kept,
            Err(reason) => {
                to.rejected.push(Rejected { number, reason });
                return;
            }
        };
        match self.place.get(&identity) {
            Some(&at) if self.rows[at].encoded.digest == kept.encoded.digest => to.already += 1,
            Some(_) => to.rejected.push(Rejected { number, reason: super::entry::taken(identity.0, number) }),
            None => {
                self.place.insert(identity, self.rows.len());
                self.rows.push(kept);
                to.stored += 1;
            }
        }
    }

    fn put_line(&mut self, told: &AccessLine, teller: Teller) -> Tally {
        let known = self.lines.get(&told.line_id);
        let settled = settle(known.map(|(line, teller)| (line, *teller)), told, teller);
        let tally = Tally::of(known.map(|(line, _)| line), &settled.0);
        self.lines.insert(told.line_id.clone(), settled);
        tally
    }
}

fn keep(sample: &Sample, encoded: Encoded, window: Window, source: Source, number: Option<u64>) -> Kept {
    Kept {
        encoded,
        window,
        method: MethodUse { name: sample.method.clone(), version: sample.method_version, target_class: None },
        source,
        number,
        sample: sample.clone(),
    }
}

impl Results for Memory {
    fn put_batches(&self, batches: &[Ready<'_>]) -> Result<Vec<Receipt>, StoreError> {
        let mut inner = self.lock()?;
        let mut receipts = Vec::with_capacity(batches.len());
        for Ready { batch, encoded } in batches {
            let agent = inner.agent(&batch.agent);
            if agent.health.as_ref().is_none_or(|known| is_newer(known.at, batch.health.at)) {
                agent.health = Some(batch.health.clone());
            }
            let stream = agent.stream;
            let mut receipt = Receipt::default();
            for (Numbered { number, sample }, encoded) in batch.samples.iter().zip(encoded) {
                let source = Source { kind: SourceKind::Measured, name: batch.agent.clone() };
                let kept =
                    encoded.clone().map(|encoded| keep(sample, encoded, Window::At, source, Some(*number)));
                inner.put((stream, *number as i64), *number, kept, &mut receipt);
            }
            receipts.push(receipt);
        }
        Ok(receipts)
    }

    fn put_entries(&self, source: &Source, entries: &[Entry]) -> Result<Receipt, StoreError> {
        let mut inner = self.lock()?;
        let mut receipt = Receipt::default();
        for (place, entry) in entries.iter().enumerate() {
            let identity = (IMPORTED, content_key(&entry.sample, entry.window));
            let numbered = Numbered { number: place as u64, sample: entry.sample.clone() };
            let kept = Encoded::of(&numbered, entry.window)
                .map(|encoded| keep(&entry.sample, encoded, entry.window, source.clone(), None));
            inner.put(identity, numbered.number, kept, &mut receipt);
        }
        Ok(receipt)
    }

    fn scan(&self, filter: &Filter, each: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
        let inner = self.lock()?;
        let mut keys: HashMap<&str, usize> = HashMap::new();
        for kept in &inner.rows {
            let sample = &kept.sample;
            let line = inner.lines.get(&sample.line_id).map(|(line, _)| line);
            if !filter.takes(sample.metric, sample.started_at) || !filter.takes_operator(line) {
                continue;
            }
            let next = keys.len();
            each(&Row {
                line_id: &sample.line_id,
                line,
                line_key: *keys.entry(&sample.line_id).or_insert(next),
                metric: sample.metric,
                method: &kept.method,
                source: &kept.source,
                number: kept.number,
                target: sample.target.as_deref(),
                load: sample.load,
                direction: sample.direction,
                started_at: sample.started_at,
                lasted: sample.lasted,
                statistic: sample.statistic,
                window: kept.window,
                counts: sample.counts,
                values: match &sample.values {
                    Values::Histogram(histogram) => RowValues::Histogram(histogram.at_rest()),
                    Values::Number(value) => RowValues::Number(*value),
                    Values::Unmeasured(reason) => RowValues::Unmeasured(&reason.0),
                },
                details: kept.encoded.details.as_deref(),
            });
        }
        Ok(())
    }
}

impl Complaints for Memory {
    fn put_complaints(&self, complaints: &[Complaint]) -> Result<Tally, StoreError> {
        let mut inner = self.lock()?;
        let mut tally = Tally::default();
        for complaint in complaints {
            tally.add(Tally::of(inner.complaints.get(&complaint.complaint_id), complaint));
            inner.complaints.insert(complaint.complaint_id.clone(), complaint.clone());
        }
        Ok(tally)
    }

    fn complaints(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Complaint>, StoreError> {
        let inner = self.lock()?;
        let wanted = |c: &&Complaint| {
            from.is_none_or(|from| c.opened_at >= from) && to.is_none_or(|to| c.opened_at < to)
        };
        let mut found: Vec<Complaint> = inner.complaints.values().filter(wanted).cloned().collect();
        found.sort_by(|a, b| (a.opened_at, &a.complaint_id).cmp(&(b.opened_at, &b.complaint_id)));
        Ok(found)
    }
}

impl Fleet for Memory {
    fn put_lines(&self, lines: &[AccessLine]) -> Result<Tally, StoreError> {
        let mut inner = self.lock()?;
        let mut tally = Tally::default();
        for line in lines {
            tally.add(inner.put_line(line, Teller::Table));
        }
        Ok(tally)
    }

    fn lines(&self) -> Result<Vec<AccessLine>, StoreError> {
        Ok(self.lock()?.lines.values().map(|(line, _)| line.clone()).collect())
    }

    fn register(&self, registration: &Registration) -> Result<Tally, StoreError> {
        let mut inner = self.lock()?;
        inner.agent(&registration.agent).registration = Some(registration.clone());
        let mut tally = Tally::default();
        for line in &registration.lines {
            tally.add(inner.put_line(line, Teller::Agent));
        }
        Ok(tally)
    }

    fn agents(&self) -> Result<Vec<Registration>, StoreError> {
        Ok(self.lock()?.agents.values().filter_map(|agent| agent.registration.clone()).collect())
    }

    fn health(&self) -> Result<Vec<(String, Health)>, StoreError> {
        let inner = self.lock()?;
        let all = inner.agents.iter();
        Ok(all.filter_map(|(name, agent)| Some((name.clone(), agent.health.clone()?))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;
    use crate::store::contract::store_contract;

    fn fresh() -> ((), Memory) {
        ((), Memory::default())
    }

    store_contract!(fresh);
}
