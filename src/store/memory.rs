//! The store that forgets: for tests, trials and one-off studies.

use super::entry::{Entry, IMPORTED, is_newer, taken};
use super::lines::{Teller, settle};
use super::packed::{Packed, PackedRow, Ready};
use super::surroundings::Surroundings;
use super::{
    Complaints, Filter, Fleet, Receipt, Rejected, Results, Row, Source, SourceKind, StoreError, Tally,
};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::Health;
use broadgauge_model::wire::registration::Registration;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

/// Keeps everything in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    blocks: Vec<Block>,
    /// In the order of arrival: which block, and which row of it.
    rows: Vec<(usize, PackedRow)>,
    /// The digest under each stream and identity.
    digests: HashMap<(i64, i64), i64>,
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

/// Rows that came together.
#[derive(Debug)]
struct Block {
    packed: Packed,
    stream: i64,
    source: Source,
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

    fn put(&mut self, stream: i64, source: Source, packed: Packed) -> Receipt {
        let mut receipt = packed.receipt();
        for row in &packed.rows {
            match self.digests.get(&(stream, row.identity)) {
                Some(digest) if *digest == row.digest => receipt.already += 1,
                Some(_) => {
                    let reason = taken(stream, row.number);
                    receipt.rejected.push(Rejected { number: row.number, reason });
                }
                None => {
                    self.digests.insert((stream, row.identity), row.digest);
                    self.rows.push((self.blocks.len(), *row));
                    receipt.stored += 1;
                }
            }
        }
        self.blocks.push(Block { packed, stream, source });
        receipt
    }

    fn put_line(&mut self, told: &AccessLine, teller: Teller) -> Tally {
        let known = self.lines.get(&told.line_id);
        let settled = settle(known.map(|(line, teller)| (line, *teller)), told, teller);
        let tally = Tally::of(known.map(|(line, _)| line), &settled.0);
        self.lines.insert(told.line_id.clone(), settled);
        tally
    }
}

impl Results for Memory {
    fn put_batches(&self, batches: &[Ready]) -> Result<Vec<Receipt>, StoreError> {
        let mut inner = self.lock()?;
        let mut receipts = Vec::with_capacity(batches.len());
        for Ready { agent: name, health, rows } in batches {
            let agent = inner.agent(name);
            if agent.health.as_ref().is_none_or(|known| is_newer(known.at, health.at)) {
                agent.health = Some(health.clone());
            }
            let stream = agent.stream;
            let source = Source { kind: SourceKind::Measured, name: name.clone() };
            receipts.push(inner.put(stream, source, rows.clone()));
        }
        Ok(receipts)
    }

    fn put_entries(&self, source: &Source, entries: &[Entry]) -> Result<Receipt, StoreError> {
        Ok(self.lock()?.put(IMPORTED, source.clone(), Packed::of_entries(entries)))
    }

    fn scan(&self, filter: &Filter, each: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
        let inner = self.lock()?;
        let mut keys: HashMap<&str, usize> = HashMap::new();
        for (block, row) in &inner.rows {
            let Block { packed, stream, source } = &inner.blocks[*block];
            let line_id = packed.lines[row.line].as_str();
            let line = inner.lines.get(line_id).map(|(line, _)| line);
            if !filter.takes(row.metric, row.started_at) || !filter.takes_operator(line) {
                continue;
            }
            let next = keys.len();
            each(&Row {
                line_id,
                line,
                line_key: *keys.entry(line_id).or_insert(next),
                metric: row.metric,
                method: &packed.methods[row.method],
                source,
                number: (*stream != IMPORTED).then_some(row.number),
                target: row.target.map(|target| packed.targets[target].as_str()),
                load: row.load,
                direction: row.direction,
                started_at: row.started_at,
                lasted: row.lasted,
                statistic: row.statistic,
                window: row.window,
                counts: row.counts,
                values: packed.values(row),
                details: packed.details(row),
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

    fn highest_number(&self, agent: &str) -> Result<Option<u64>, StoreError> {
        let inner = self.lock()?;
        let Some(Agent { stream, .. }) = inner.agents.get(agent) else { return Ok(None) };
        let numbers = inner.digests.keys().filter(|(of, _)| of == stream).map(|(_, number)| *number as u64);
        Ok(numbers.max())
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
