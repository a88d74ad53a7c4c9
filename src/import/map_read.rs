//! Reads a map, and asks whether it makes sense by itself, before any table is read. Each fault names its key and
//! the cure.

use super::agree;
use super::error::ImportError;
use super::kind::{Field, Holds, ITEM, Kind, Measure};
use super::map::{ColumnTable, Map, Observation, Skip};
use super::nearest::hint;
use super::unit::{Conversion, zone_named};
use super::when;
use broadgauge_model::complaint::Class;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::unit::Unit;
use std::path::Path;
use std::str::FromStr;

/// Reads a map. `name` is its file, for messages.
pub fn parse(name: &str, text: &str) -> Result<Map, ImportError> {
    let wrong = |message| ImportError::Map { path: name.to_owned(), message };
    // The TOML reader draws the line and points at the fault.
    let mut map: Map = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
    check(&map).map_err(wrong)?;
    map.file = Some(name.to_owned());
    Ok(map)
}

/// Reads a map from its file.
pub(super) fn open(path: &Path) -> Result<Map, ImportError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    parse(&path.display().to_string(), &text)
}

/// The first fault of a map.
fn check(map: &Map) -> Result<(), String> {
    if let Some(zone) = &map.zone {
        zone_named(zone).map_err(|e| format!("zone: {e}"))?;
    }
    map.read.encoding.as_deref().map_or(Ok(()), |label| {
        super::encoding::named(label).map(drop).map_err(|e| format!("read.encoding: {e}"))
    })?;
    if let Some(at) = &map.read.started_at {
        super::foreign::start(at).map_err(|e| format!("read.started_at: {e}"))?;
    }
    if map.read.interval_ms == Some(0) {
        return Err("read.interval_ms: ping waits longer than no time".into());
    }
    if map.read.header_row == Some(0) {
        return Err("read.header_row: lines are counted from 1".into());
    }
    if map.read.decimal.is_some_and(|d| Some(d) == map.read.thousands || d.is_ascii_digit()) {
        return Err("read.decimal: must differ from read.thousands and from the digits".into());
    }
    for (i, skip) in map.skip.iter().enumerate() {
        check_skip(skip).map_err(|e| format!("skip {}: {e}", i + 1))?;
    }
    for (name, column) in &map.columns {
        // Which items a survey has, its model says.
        let item = (map.kind == Kind::Survey).then_some(ITEM);
        let Some(field) = map.kind.field(name).or(item) else {
            let names = map.kind.fields().iter().map(|f| f.name);
            let all = names.clone().collect::<Vec<_>>().join(", ");
            let nearest = hint(name, names);
            return Err(format!(
                "columns.{name}: {} has no such column{nearest}; it has {all}",
                map.kind.word()
            ));
        };
        check_column(field, &column.0).map_err(|e| format!("columns.{name}: {e}"))?;
    }
    check_value(map)?;
    if map.kind != Kind::Results && !map.observation.is_empty() {
        return Err(format!("observation: belongs to results, not to {}", map.kind.word()));
    }
    for own in ["metric", "value", "statistic", "peak", "load", "direction", "sent", "lost"] {
        if !map.observation.is_empty() && map.columns.contains_key(own) {
            return Err(format!(
                "columns.{own}: each [[observation]] says this itself; leave one of the two out"
            ));
        }
    }
    for (i, observation) in map.observation.iter().enumerate() {
        check_observation(observation)
            .map_err(|e| format!("observation {} ({:?}): {e}", i + 1, observation.column))?;
    }
    Ok(())
}

fn check_skip(skip: &Skip) -> Result<(), String> {
    let ways = [skip.empty.is_some(), !skip.is.is_empty(), !skip.is_not.is_empty()]
        .into_iter()
        .filter(|w| *w)
        .count();
    if ways != 1 {
        return Err("exactly one of empty, is and is_not is needed".into());
    }
    if skip.reason.trim().is_empty() {
        return Err("reason: is empty; the summary and the reports repeat it".into());
    }
    Ok(())
}

fn check_column(field: &Field, column: &ColumnTable) -> Result<(), String> {
    let ways = [
        column.column.is_some(),
        !column.join.is_empty(),
        column.constant.is_some(),
        column.line_number.is_some(),
    ];
    if ways.into_iter().filter(|w| *w).count() != 1 {
        return Err("exactly one of column, join, constant and line_number is needed".into());
    }
    if column.line_number.is_some() && field.holds != Holds::Text {
        return Err("line_number names a row: it belongs to columns that hold names".into());
    }
    if column.with.is_some() && column.join.is_empty() {
        return Err("with: belongs to join".into());
    }
    let times = !column.formats.is_empty()
        || column.zone.is_some()
        || column.not_before.is_some()
        || column.before.is_some();
    if times && field.holds != Holds::Time {
        return Err("formats, zone, not_before and before belong to columns that hold times".into());
    }
    for format in &column.formats {
        when::check_format(format).map_err(|e| format!("formats: {format:?} {e}"))?;
    }
    if let Some(zone) = &column.zone {
        zone_named(zone).map_err(|e| format!("zone: {e}"))?;
    }
    for (key, bound) in [("not_before", &column.not_before), ("before", &column.before)] {
        if let Some(text) = bound {
            when::check_bound(text).map_err(|e| format!("{key}: {e}"))?;
        }
    }
    if let Some(unit) = &column.unit {
        match field.holds {
            Holds::Number(Measure::Rate) => Conversion::rate(unit).map(drop),
            Holds::Number(Measure::Delay) => Conversion::delay(unit).map(drop),
            Holds::Number(Measure::Share) => Conversion::to(Unit::Ratio, unit).map(drop),
            // The metric may differ from row to row: whether it has this unit is checked there.
            Holds::Value => Conversion::known(unit),
            _ => Err("this column has no unit".into()),
        }
        .map_err(|e| format!("unit: {e}"))?;
    }
    let words = column.values.values().filter(|word| !word.is_empty());
    words.chain(&column.constant).try_for_each(|word| check_word(field.name, word))
}

/// Whether a word that the map gives is one of ours, in columns that hold only such: else it would refuse row by row.
fn check_word(column: &str, word: &str) -> Result<(), String> {
    fn known<T: FromStr<Err = String>>(word: &str) -> Result<(), String> {
        word.parse::<T>().or_else(|e| word.to_lowercase().parse().map_err(|_| e)).map(drop)
    }
    match column {
        "metric" => known::<MetricId>(word),
        "statistic" => known::<Statistic>(word),
        "load" => known::<Load>(word),
        "direction" => known::<Direction>(word),
        "class" => known::<Class>(word),
        _ => Ok(()),
    }
}

/// Whether the unit of the values is one of the metric, where the map names one metric for all rows.
fn check_value(map: &Map) -> Result<(), String> {
    let metric = map.columns.get("metric").and_then(|c| c.0.constant.as_ref());
    let unit = map.columns.get("value").and_then(|c| c.0.unit.as_ref());
    let (Some(metric), Some(unit)) = (metric, unit) else { return Ok(()) };
    let Ok(metric) = metric.parse::<MetricId>() else { return Ok(()) };
    let fits = Conversion::to(metric.unit, unit).map(drop);
    fits.map_err(|e| format!("columns.value: unit: {metric} is kept in {}: {e}", metric.unit.code()))
}

fn check_observation(o: &Observation) -> Result<(), String> {
    if o.column.is_empty() {
        return Err("column: is missing: name the header of the value".into());
    }
    if o.metric.is_empty() {
        return Err("metric: is missing".into());
    }
    let metric: MetricId = o.metric.parse().map_err(|e| format!("metric: {e}"))?;
    if let Some(unit) = &o.unit {
        Conversion::to(metric.unit, unit).map_err(|e| format!("unit: {e}"))?;
    }
    let statistic = o.statistic.as_deref().map(str::parse::<Statistic>).transpose()?;
    match o.hours.as_deref() {
        Some("peak" | "all_day") if statistic.is_none_or(|s| s == Statistic::Singleton) => {
            return Err("statistic: a summary over hours is a mean, a median, a p95…: say which".into());
        }
        None | Some("peak" | "all_day") => {}
        Some(other) => return Err(format!("hours: {other:?} is not one of: peak, all_day")),
    }
    let load = o.load.as_deref().map(str::parse::<Load>).transpose()?.unwrap_or_default();
    let said = o.direction.as_deref().map(str::parse::<Direction>).transpose()?;
    agree::direction(metric, load, said).map(drop).map_err(|(key, why)| format!("{key}: {why}"))
}
