//! Rows of the `results` table: one result a row, or one for each observation of the map.

use super::record::{Reading, Record, one};
use crate::import::agree;
use crate::import::draft::{Draft, Fault, whole};
use crate::import::hdr;
use crate::import::plan::BoundObservation;
use crate::import::unit::{Conversion, number};
use crate::store::{Entry, Window};
use broadgauge_model::clock::{Span, Wall};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Sample, Statistic, Values};
use broadgauge_model::unit::Unit;

/// The method of results whose table names none. They are compared with each other only.
const UNNAMED_METHOD: &str = "imported";

pub(super) fn read(draft: &mut Draft<'_>) -> Reading {
    let common = match Common::read(draft) {
        Ok(common) => common,
        Err(fault) => return one(Err(fault)),
    };
    if draft.plan.observations.is_empty() {
        return match long(draft, common) {
            Ok(Some(entry)) => one(Ok(Record::Result(Box::new(entry)))),
            Ok(None) => Reading { missing: 1, ..Reading::default() },
            Err(fault) => one(Err(fault)),
        };
    }
    let mut reading = Reading::default();
    let plan = draft.plan;
    for observation in &plan.observations {
        match wide(draft, &common, observation) {
            Ok(Some(entry)) => reading.records.push(Record::Result(Box::new(entry))),
            Ok(None) => reading.missing += 1,
            Err(fault) => reading.faults.push(fault),
        }
    }
    reading
}

/// What all results of a row share.
struct Common {
    line_id: String,
    started_at: Wall,
    lasted: Span,
    target: Option<String>,
    method: Option<String>,
}

impl Common {
    fn read(draft: &mut Draft<'_>) -> Result<Self, Fault> {
        let line_id = draft.needed("line_id")?;
        let started_at = draft.time("started_at")?.ok_or_else(|| draft.empty("started_at"))?;
        let lasted = match draft.time("period_end")? {
            None => Span::ZERO,
            Some(end) if end > started_at => end.since(started_at),
            Some(end) => {
                let reason = format!("{} is not after started_at, {}", end.rfc3339(), started_at.rfc3339());
                return Err(draft.fault("period_end", reason));
            }
        };
        Ok(Self { line_id, started_at, lasted, target: draft.text("target")?, method: draft.text("method")? })
    }
}

/// `None` where no value is there: missing is not zero.
fn long(draft: &mut Draft<'_>, common: Common) -> Result<Option<Entry>, Fault> {
    let metric = draft.word::<MetricId>("metric")?.ok_or_else(|| draft.empty("metric"))?;
    let Some((text, unit)) = draft.value()? else { return Ok(None) };
    if hdr::is_one(&text) {
        return histogram(draft, common, metric, &text, unit);
    }
    let conversion = unit.map_or(Ok(Conversion::NONE), |u| Conversion::to(metric.unit, u));
    let conversion = conversion.map_err(|e| draft.fault("value", format!("{metric}: {e}")))?;
    let value = conversion.read(&text, &draft.plan.reading).map_err(|e| draft.fault("value", e))?;
    check(metric, value).map_err(|e| draft.fault("value", e))?;
    let peak = draft.flag("peak")?;
    let summary = peak == Some(true) || common.lasted > Span::secs(3_600);
    let statistic = match draft.word::<Statistic>("statistic")? {
        Some(statistic) => statistic,
        None if summary => {
            let reason = "is missing: a value that sums up a period is a mean, a median, a p95…: say which";
            return Err(draft.fault("statistic", reason));
        }
        None => Statistic::Singleton,
    };
    let window = match (statistic, peak) {
        (Statistic::Singleton, _) => Window::At,
        (_, Some(true)) => Window::Peak,
        _ if summary => Window::AllDay,
        _ => Window::At,
    };
    let load = draft.word::<Load>("load")?.unwrap_or_default();
    let direction = draft.word::<Direction>("direction")?;
    let counts = counts(draft.count("sent")?, draft.count("lost")?).map_err(|e| draft.fault("lost", e))?;
    let meant = Meant { metric, statistic, window, load, direction, counts };
    entry(common, meant, Values::Number(value)).map(Some).map_err(|(column, e)| draft.fault(column, e))
}

/// Many singletons of one interval, as a histogram of another tool; `None` where it holds none.
fn histogram(
    draft: &mut Draft<'_>,
    common: Common,
    metric: MetricId,
    text: &str,
    unit: Option<&str>,
) -> Result<Option<Entry>, Fault> {
    let unit = unit.ok_or_else(|| {
        let own = metric.unit.code();
        let reason = format!("is a histogram of whole numbers: say their unit, as in value = {{ column = \"value\", unit = \"ns\" }}; {metric} is kept in {own}");
        draft.fault("value", reason)
    })?;
    let read = || -> Result<_, String> {
        let decoded = hdr::decode(text)?;
        let conversion = Conversion::to(metric.unit, unit).map_err(|e| format!("{metric}: {e}"))?;
        Ok((decoded.of(metric, conversion)?, decoded.digits))
    };
    let (held, digits) = read().map_err(|e| draft.fault("value", e))?;
    if held.is_empty() {
        return Ok(None);
    }
    if draft.word::<Statistic>("statistic")?.is_some_and(|s| s != Statistic::Singleton) {
        return Err(draft.fault("statistic", "a histogram holds single observations"));
    }
    let counts = counts(draft.count("sent")?, draft.count("lost")?).map_err(|e| draft.fault("lost", e))?;
    let (load, direction) =
        (draft.word::<Load>("load")?.unwrap_or_default(), draft.word::<Direction>("direction")?);
    let meant =
        Meant { metric, statistic: Statistic::Singleton, window: Window::At, load, direction, counts };
    let mut entry =
        entry(common, meant, Values::Histogram(held)).map_err(|(column, e)| draft.fault(column, e))?;
    if digits < 3 {
        entry.sample.details.insert("histogram_digits".into(), digits.into());
    }
    Ok(Some(entry))
}

fn wide(draft: &mut Draft<'_>, common: &Common, o: &BoundObservation) -> Result<Option<Entry>, Fault> {
    let fault = |reason: String| Fault::at(&o.header, reason);
    let Some(text) = draft.cell(o.column) else { return Ok(None) };
    let reading = &draft.plan.reading;
    let value = o.conversion.read(text, reading).map_err(fault)?;
    check(o.metric, value).map_err(fault)?;
    let count = |column: Option<usize>| -> Result<Option<u64>, Fault> {
        let Some(text) = column.and_then(|c| draft.cell(c)) else { return Ok(None) };
        number(text, reading).and_then(whole).map(Some).map_err(fault)
    };
    let counts = counts(count(o.sent)?, count(o.lost)?).map_err(fault)?;
    let window = match o.peak {
        None => Window::At,
        Some(true) => Window::Peak,
        Some(false) => Window::AllDay,
    };
    let (metric, statistic, load, direction) = (o.metric, o.statistic, o.load, o.direction);
    let common = Common {
        line_id: common.line_id.clone(),
        target: o.target.clone().or_else(|| common.target.clone()),
        method: o.method.clone().or_else(|| common.method.clone()),
        ..*common
    };
    let meant = Meant { metric, statistic, window, load, direction, counts };
    entry(common, meant, Values::Number(value)).map(Some).map_err(|(_, e)| fault(e))
}

#[derive(Clone, Copy)]
struct Meant {
    metric: MetricId,
    statistic: Statistic,
    window: Window,
    load: Load,
    direction: Option<Direction>,
    counts: Counts,
}

fn entry(common: Common, meant: Meant, values: Values) -> Result<Entry, (&'static str, String)> {
    let direction = agree::direction(meant.metric, meant.load, meant.direction)?;
    let sample = Sample {
        metric: meant.metric,
        method: common.method.unwrap_or_else(|| UNNAMED_METHOD.into()),
        method_version: 1,
        line_id: common.line_id,
        target: common.target,
        load: meant.load,
        direction,
        started_at: common.started_at,
        lasted: common.lasted,
        statistic: meant.statistic,
        values,
        counts: meant.counts,
        details: serde_json::Map::new(),
    };
    Ok(Entry { sample, window: meant.window })
}

/// Packets sent and lost. One without the other says nothing: unknown is not zero.
fn counts(sent: Option<u64>, lost: Option<u64>) -> Result<Counts, String> {
    match (sent, lost) {
        (None, None) => Ok(Counts::default()),
        (Some(sent), Some(lost)) => {
            let received = sent.checked_sub(lost).ok_or_else(|| format!("{lost} lost of {sent} sent"))?;
            Ok(Counts { planned: sent, sent, received, lost, ..Counts::default() })
        }
        (None, Some(lost)) => Err(format!("{lost} lost, of how many? Give sent too")),
        (Some(sent), None) => Err(format!("{sent} sent, and how many lost? Give lost too")),
    }
}

/// Whether a metric can have this value.
fn check(metric: MetricId, value: f64) -> Result<(), String> {
    let (least, most, cure) = match metric.unit {
        Unit::Ratio => (0.0, 1.0, ": if it is a percentage, say unit = \"percent\" in the map"),
        Unit::OpinionScore => (1.0, 5.0, ""),
        Unit::Score => (0.0, 100.0, ""),
        _ => (0.0, f64::INFINITY, ""),
    };
    if (least..=most).contains(&value) {
        Ok(())
    } else if most.is_finite() {
        Err(format!("{metric} cannot be {value}: it lies between {least} and {most}{cure}"))
    } else {
        Err(format!("{metric} cannot be {value}: it is not below zero"))
    }
}
