//! Results in, and out again.

use super::Sqlite;
use super::dictionary::{Dictionary, Names};
use super::fleet::put_health;
use crate::store::entry::{IMPORTED, taken};
use crate::store::packed::{CODEC_GAPS, Packed, PackedRow, Ready};
use crate::store::{
    Entry, Filter, HistogramRow, Receipt, Rejected, Results, Row, RowValues, Source, SourceKind, StoreError,
    Window,
};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::result::{Counts, Direction, Load, Statistic};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Transaction, params};

const INSERT: &str = "INSERT INTO result(stream, number, digest, source, line, metric, method, target, started_at, \
    lasted, load, direction, statistic, hours, planned, sent, missed, received, lost, late, duplicate, reordered, \
    lost_forward, lost_backward, value, unmeasured, hist, details) \
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
    ?23, ?24, ?25, ?26, ?27, ?28) ON CONFLICT(stream, number) DO NOTHING";

/// Writes rows in one transaction.
struct Writer<'a> {
    transaction: &'a Transaction<'a>,
    dictionary: &'a mut Dictionary,
    insert: CachedStatement<'a>,
}

/// What the names of packed rows are in the database.
struct Ids {
    stream: i64,
    source: i64,
    lines: Vec<i64>,
    methods: Vec<i64>,
    targets: Vec<i64>,
}

impl<'a> Writer<'a> {
    fn new(transaction: &'a Transaction<'a>, dictionary: &'a mut Dictionary) -> Result<Self, StoreError> {
        Ok(Self { transaction, dictionary, insert: transaction.prepare_cached(INSERT)? })
    }

    fn put(&mut self, stream: i64, source: &Source, packed: &Packed) -> Result<Receipt, StoreError> {
        let (transaction, dictionary) = (self.transaction, &mut *self.dictionary);
        let ids = Ids {
            stream,
            source: dictionary.source(transaction, source)?,
            lines: packed
                .lines
                .iter()
                .map(|line| dictionary.line(transaction, line))
                .collect::<Result<_, _>>()?,
            methods: packed
                .methods
                .iter()
                .map(|method| dictionary.method(transaction, &method.name, method.version))
                .collect::<Result<_, _>>()?,
            targets: packed
                .targets
                .iter()
                .map(|target| dictionary.target(transaction, target))
                .collect::<Result<_, _>>()?,
        };
        let mut receipt = packed.receipt();
        for row in &packed.rows {
            if self.insert(&ids, packed, row)? {
                receipt.stored += 1;
            } else if self.digest(stream, row.identity)? == row.digest {
                receipt.already += 1;
            } else {
                let reason = taken(stream, row.number);
                receipt.rejected.push(Rejected { number: row.number, reason });
            }
        }
        Ok(receipt)
    }

    fn digest(&self, stream: i64, identity: i64) -> Result<i64, StoreError> {
        let mut known =
            self.transaction.prepare_cached("SELECT digest FROM result WHERE stream = ?1 AND number = ?2")?;
        Ok(known.query_row([stream, identity], |row| row.get(0))?)
    }

    /// Whether the row is new.
    fn insert(&mut self, ids: &Ids, packed: &Packed, row: &PackedRow) -> Result<bool, StoreError> {
        let (value, unmeasured) = match packed.values(row) {
            RowValues::Histogram(_) => (None, None),
            RowValues::Number(number) => (Some(number), None),
            RowValues::Unmeasured(reason) => (None, Some(reason)),
        };
        let counts = &row.counts;
        let added = self.insert.execute(params![
            ids.stream,
            row.identity,
            row.digest,
            ids.source,
            ids.lines[row.line],
            self.dictionary.metric(self.transaction, row.metric)?,
            ids.methods[row.method],
            row.target.map(|target| ids.targets[target]),
            row.started_at.0,
            row.lasted.0,
            row.load as i64,
            row.direction as i64,
            row.statistic as i64,
            row.window.code(),
            counts.planned as i64,
            counts.sent as i64,
            counts.missed as i64,
            counts.received as i64,
            counts.lost as i64,
            counts.late as i64,
            counts.duplicate as i64,
            counts.reordered as i64,
            counts.lost_forward.map(|c| c as i64),
            counts.lost_backward.map(|c| c as i64),
            value,
            unmeasured,
            packed.histogram(row),
            packed.details(row),
        ])?;
        Ok(added == 1)
    }
}

impl Results for Sqlite {
    fn put_batches(&self, batches: &[Ready]) -> Result<Vec<Receipt>, StoreError> {
        let receipts = self.write(|transaction, dictionary| {
            let mut receipts = Vec::with_capacity(batches.len());
            let mut writer = Writer::new(transaction, dictionary)?;
            for Ready { agent, health, rows } in batches {
                let stream = writer.dictionary.agent(transaction, agent)?;
                put_health(transaction, stream, health)?;
                let source = Source { kind: SourceKind::Measured, name: agent.clone() };
                receipts.push(writer.put(stream, &source, rows)?);
            }
            Ok(receipts)
        })?;
        self.wrote(receipts.iter().map(|receipt| receipt.stored).sum());
        Ok(receipts)
    }

    fn put_entries(&self, source: &Source, entries: &[Entry]) -> Result<Receipt, StoreError> {
        let packed = Packed::of_entries(entries);
        let receipt = self.write(|transaction, dictionary| {
            Writer::new(transaction, dictionary)?.put(IMPORTED, source, &packed)
        })?;
        self.wrote(receipt.stored);
        Ok(receipt)
    }

    fn scan(&self, filter: &Filter, each: &mut dyn FnMut(&Row<'_>)) -> Result<(), StoreError> {
        self.read(|transaction| scan(transaction, filter, each))
    }

    fn scan_histograms(
        &self,
        filter: &Filter,
        each: &mut dyn FnMut(&HistogramRow<'_>),
    ) -> Result<(), StoreError> {
        self.read(|transaction| scan_histograms(transaction, filter, each))
    }
}

const SELECT: &str = "SELECT stream, number, source, line, metric, method, target, started_at, lasted, load, \
    direction, statistic, hours, planned, sent, missed, received, lost, late, duplicate, reordered, lost_forward, \
    lost_backward, value, unmeasured, hist, details FROM result \
    WHERE started_at >= ?1 AND (?2 IS NULL OR started_at < ?2) ORDER BY id";

fn scan(
    transaction: &Transaction<'_>,
    filter: &Filter,
    each: &mut dyn FnMut(&Row<'_>),
) -> Result<(), StoreError> {
    let names = Names::load(transaction)?;
    let mut statement = transaction.prepare_cached(SELECT)?;
    let mut rows =
        statement.query(params![filter.from.map_or(i64::MIN, |at| at.0), filter.to.map(|at| at.0)])?;
    while let Some(row) = rows.next()? {
        let metric = *names.metrics.get("metric", row.get(4)?)?;
        let line_key: i64 = row.get(3)?;
        let (line_id, line) = names.lines.get("line", line_key)?;
        let started_at = Wall(row.get(7)?);
        if !filter.takes(metric, started_at) || !filter.takes_operator(line.as_ref()) {
            continue;
        }
        let stream: i64 = row.get(0)?;
        let target: Option<i64> = row.get(6)?;
        let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
        let optional = |at: usize| row.get::<_, Option<i64>>(at).map(|count| count.map(|c| c as u64));
        each(&Row {
            line_id,
            line: line.as_ref(),
            line_key: line_key as usize,
            metric,
            method: names.methods.get("method", row.get(5)?)?,
            source: names.sources.get("source", row.get(2)?)?,
            number: if stream == IMPORTED { None } else { Some(count(1)?) },
            target: target.map(|id| names.targets.get("target", id)).transpose()?.map(String::as_str),
            load: word(&Load::ALL, "load", row.get(9)?)?,
            direction: word(&Direction::ALL, "direction", row.get(10)?)?,
            started_at,
            lasted: Span(row.get(8)?),
            statistic: word(&Statistic::ALL, "statistic", row.get(11)?)?,
            window: word(&[Window::At, Window::Peak, Window::AllDay], "hours", row.get(12)?)?,
            counts: Counts {
                planned: count(13)?,
                sent: count(14)?,
                missed: count(15)?,
                received: count(16)?,
                lost: count(17)?,
                late: count(18)?,
                duplicate: count(19)?,
                reordered: count(20)?,
                lost_forward: optional(21)?,
                lost_backward: optional(22)?,
            },
            values: values(row)?,
            details: text(row, 26)?,
        });
    }
    Ok(())
}

const SELECT_HISTOGRAMS: &str = "SELECT line, metric, started_at, hist FROM result \
    WHERE started_at >= ?1 AND (?2 IS NULL OR started_at < ?2) AND hours = ?3 AND hist IS NOT NULL ORDER BY id";

/// The same with a few columns of many: reading the others takes as long as merging.
fn scan_histograms(
    transaction: &Transaction<'_>,
    filter: &Filter,
    each: &mut dyn FnMut(&HistogramRow<'_>),
) -> Result<(), StoreError> {
    let names = Names::load(transaction)?;
    let mut statement = transaction.prepare_cached(SELECT_HISTOGRAMS)?;
    let (from, to) = (filter.from.map_or(i64::MIN, |at| at.0), filter.to.map(|at| at.0));
    let mut rows = statement.query(params![from, to, Window::At.code()])?;
    while let Some(row) = rows.next()? {
        let line_key: i64 = row.get(0)?;
        let line = names.lines.get("line", line_key)?.1.as_ref();
        let metric = *names.metrics.get("metric", row.get(1)?)?;
        let started_at = Wall(row.get(2)?);
        if filter.takes(metric, started_at) && filter.takes_operator(line) {
            let at_rest = gaps(row.get_ref(3)?)?;
            each(&HistogramRow { line, line_key: line_key as usize, metric, started_at, at_rest });
        }
    }
    Ok(())
}

/// The word behind a stored place in its list.
fn word<T: Copy>(all: &[T], what: &'static str, place: i64) -> Result<T, StoreError> {
    let found = usize::try_from(place).ok().and_then(|at| all.get(at)).copied();
    found.ok_or_else(|| StoreError::Unknown { what, value: place.to_string() })
}

fn text<'a>(row: &'a rusqlite::Row<'_>, at: usize) -> Result<Option<&'a str>, StoreError> {
    Ok(row.get_ref(at)?.as_str_or_null().map_err(rusqlite::Error::from)?)
}

fn values<'a>(row: &'a rusqlite::Row<'_>) -> Result<RowValues<'a>, StoreError> {
    match (row.get_ref(25)?, row.get_ref(23)?) {
        (hist @ ValueRef::Blob(_), _) => gaps(hist).map(RowValues::Histogram),
        (_, ValueRef::Real(value)) => Ok(RowValues::Number(value)),
        _ => text(row, 24)?
            .map(RowValues::Unmeasured)
            .ok_or_else(|| StoreError::Unknown { what: "result without", value: "a value".into() }),
    }
}

/// A histogram at rest without its codec.
fn gaps(hist: ValueRef<'_>) -> Result<&[u8], StoreError> {
    let codec = match hist {
        ValueRef::Blob([CODEC_GAPS, at_rest @ ..]) => return Ok(at_rest),
        ValueRef::Blob([other, ..]) => other.to_string(),
        _ => "none".into(),
    };
    Err(StoreError::Unknown { what: "histogram codec", value: codec })
}
