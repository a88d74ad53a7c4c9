//! Results in, and out again.

use super::Sqlite;
use super::dictionary::{Dictionary, Names};
use super::fleet::put_health;
use crate::store::entry::{CODEC_GAPS, Encoded, IMPORTED, content_key, taken};
use crate::store::{
    Entry, Filter, HistogramRow, Ready, Receipt, Rejected, Results, Row, RowValues, Source, SourceKind,
    StoreError, Window,
};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::result::{Counts, Direction, Load, Numbered, Sample, Statistic, Values};
use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Transaction, params};

const INSERT: &str = "INSERT INTO result(stream, number, digest, source, line, metric, method, target, started_at, \
    lasted, load, direction, statistic, hours, planned, sent, missed, received, lost, late, duplicate, reordered, \
    lost_forward, lost_backward, value, unmeasured, hist, details) \
    VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, \
    ?23, ?24, ?25, ?26, ?27, ?28) ON CONFLICT(stream, number) DO NOTHING";

/// Whose row it is: the stream with the number in it, and the source.
struct Identity {
    stream: i64,
    number: i64,
    source: i64,
}

/// Writes rows in one transaction.
struct Rows<'a> {
    transaction: &'a Transaction<'a>,
    dictionary: &'a mut Dictionary,
    insert: CachedStatement<'a>,
}

impl<'a> Rows<'a> {
    fn of(transaction: &'a Transaction<'a>, dictionary: &'a mut Dictionary) -> Result<Self, StoreError> {
        Ok(Self { transaction, dictionary, insert: transaction.prepare_cached(INSERT)? })
    }

    fn put(
        &mut self,
        identity: &Identity,
        (numbered, encoded): (&Numbered, &Result<Encoded, String>),
        window: Window,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        let Numbered { number, sample } = numbered;
        let encoded = match encoded {
            Ok(encoded) => encoded,
            Err(reason) => {
                receipt.rejected.push(Rejected { number: *number, reason: reason.clone() });
                return Ok(());
            }
        };
        if self.insert(identity, (sample, encoded), window)? {
            receipt.stored += 1;
            return Ok(());
        }
        let known: i64 = self
            .transaction
            .prepare_cached("SELECT digest FROM result WHERE stream = ?1 AND number = ?2")?
            .query_row([identity.stream, identity.number], |row| row.get(0))?;
        if known == encoded.digest {
            receipt.already += 1;
        } else {
            receipt.rejected.push(Rejected { number: *number, reason: taken(identity.stream, *number) });
        }
        Ok(())
    }

    /// Whether the row is new.
    fn insert(
        &mut self,
        identity: &Identity,
        (sample, encoded): (&Sample, &Encoded),
        window: Window,
    ) -> Result<bool, StoreError> {
        let (mut value, mut unmeasured, mut hist) = (None, None, None);
        match &sample.values {
            Values::Histogram(_) => hist = Some(&encoded.hist),
            Values::Number(number) => value = Some(*number),
            Values::Unmeasured(reason) => unmeasured = Some(reason.0.as_str()),
        }
        let line = self.dictionary.line(self.transaction, &sample.line_id)?;
        let metric = self.dictionary.metric(self.transaction, sample.metric)?;
        let method = self.dictionary.method(self.transaction, &sample.method, sample.method_version)?;
        let target = self.dictionary.target(self.transaction, sample.target.as_deref())?;
        let counts = &sample.counts;
        let added = self.insert.execute(params![
            identity.stream,
            identity.number,
            encoded.digest,
            identity.source,
            line,
            metric,
            method,
            target,
            sample.started_at.0,
            sample.lasted.0,
            sample.load as i64,
            sample.direction as i64,
            sample.statistic as i64,
            window.code(),
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
            hist,
            encoded.details,
        ])?;
        Ok(added == 1)
    }
}

impl Results for Sqlite {
    fn put_batches(&self, batches: &[Ready<'_>]) -> Result<Vec<Receipt>, StoreError> {
        self.write(|transaction, dictionary| {
            let mut receipts = Vec::with_capacity(batches.len());
            let mut rows = Rows::of(transaction, dictionary)?;
            for Ready { batch, encoded } in batches {
                let stream = rows.dictionary.agent(transaction, &batch.agent)?;
                let source = Source { kind: SourceKind::Measured, name: batch.agent.clone() };
                let source = rows.dictionary.source(transaction, &source)?;
                put_health(transaction, stream, &batch.health)?;
                let mut receipt = Receipt::default();
                for (numbered, encoded) in batch.samples.iter().zip(encoded) {
                    let identity = Identity { stream, number: numbered.number as i64, source };
                    rows.put(&identity, (numbered, encoded), Window::At, &mut receipt)?;
                }
                receipts.push(receipt);
            }
            Ok(receipts)
        })
    }

    fn put_entries(&self, source: &Source, entries: &[Entry]) -> Result<Receipt, StoreError> {
        self.write(|transaction, dictionary| {
            let source = dictionary.source(transaction, source)?;
            let mut rows = Rows::of(transaction, dictionary)?;
            let mut receipt = Receipt::default();
            for (place, Entry { sample, window }) in entries.iter().enumerate() {
                let number = content_key(sample, *window);
                let identity = Identity { stream: IMPORTED, number, source };
                let numbered = Numbered { number: place as u64, sample: sample.clone() };
                let encoded = Encoded::of(&numbered, *window);
                rows.put(&identity, (&numbered, &encoded), *window, &mut receipt)?;
            }
            Ok(receipt)
        })
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
