//! What a map means for the headers of one file: every header is found, every unit and form understood, before the
//! first row is read.

use super::kind::{Field, Holds, ITEM, Kind, Measure};
use super::map::{ColumnTable, Map, Observation, Other, Skip};
use super::nearest::hint;
use super::table::{Reading, Table};
use super::unit::{Conversion, flag};
use super::when::Times;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Load, Statistic};
use broadgauge_model::unit::Unit;
use broadgauge_reports::study::satisfaction::SurveyModel;
use std::collections::BTreeMap;

/// How the rows of one file are read.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) reading: Reading,
    pub(super) skips: Vec<BoundSkip>,
    pub(super) columns: Vec<Bound>,
    pub(super) observations: Vec<BoundObservation>,
    pub(super) items: Vec<Item>,
    /// Headers that nothing reads.
    pub unknown: Vec<String>,
    /// Headers of ours that nothing reads, because the map gives that column from elsewhere.
    pub replaced: Vec<usize>,
}

/// A rule that leaves rows out.
#[derive(Debug)]
pub(super) struct BoundSkip {
    pub(super) column: usize,
    pub(super) rule: Skip,
}

/// An item of a survey, found in a file.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) bound: Bound,
    /// The lowest and the highest answer.
    pub(super) scale: (f64, f64),
}

/// One of our columns, found in a file.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) field: &'static Field,
    /// The name of the column in messages: the file's header.
    pub(super) header: String,
    pub(super) from: From,
    pub(super) values: BTreeMap<String, String>,
    pub(super) other: Other,
    pub(super) unit: Option<String>,
    pub(super) conversion: Conversion,
    pub(super) times: Times,
}

/// Where a value comes from.
#[derive(Debug)]
pub(super) enum From {
    Column(usize),
    Join(Vec<usize>, String),
    Constant(String),
    /// The line of the file, behind a prefix.
    Line(String),
}

/// One result of every row.
#[derive(Debug)]
pub(super) struct BoundObservation {
    pub(super) column: usize,
    pub(super) header: String,
    pub(super) metric: MetricId,
    pub(super) conversion: Conversion,
    pub(super) statistic: Statistic,
    /// `Some(true)` for peak hours, `Some(false)` for all hours.
    pub(super) peak: Option<bool>,
    pub(super) load: Load,
    pub(super) direction: Option<Direction>,
    pub(super) target: Option<String>,
    pub(super) method: Option<String>,
    pub(super) sent: Option<usize>,
    pub(super) lost: Option<usize>,
}

/// Binds a map to a table's headers. `survey` says which items a survey has. The error names the map, what is missing and the nearest header.
pub(super) fn bind(map: &Map, table: &Table, survey: Option<&SurveyModel>) -> Result<Plan, String> {
    bound(map, table, survey).map_err(|fault| {
        map.file.as_ref().map_or_else(|| fault.clone(), |file| format!("map {file}: {fault}"))
    })
}

fn bound(map: &Map, table: &Table, survey: Option<&SurveyModel>) -> Result<Plan, String> {
    let headers = &table.headers;
    let binder = Binder { map, headers, sheet: table.encoding.is_none() };
    let mut columns = Vec::new();
    for field in map.kind.fields() {
        let Some(table) = binder.source(field.name) else { continue };
        let bound = binder.column(field, table).map_err(|e| format!("columns.{}: {e}", field.name))?;
        columns.push(bound);
    }
    let mut observations = Vec::new();
    for observation in &map.observation {
        observations.push(binder.observation(observation).map_err(|e| format!("observation: {e}"))?);
    }
    binder.nothing_missing(&columns, !observations.is_empty())?;
    let items = survey.map_or(Ok(Vec::new()), |model| binder.items(model))?;
    if table.histograms && columns.iter().any(|c| c.field.holds == Holds::Value && c.unit.is_none()) {
        let why = "columns.value: histograms of whole numbers do not say their unit: say it in a map, as in \
                   value = { column = \"value\", unit = \"ns\" }";
        return Err(why.into());
    }
    let skips = map.skip.iter().map(|rule| {
        binder
            .find(&rule.column)
            .map(|column| BoundSkip { column, rule: rule.clone() })
            .map_err(|e| format!("skip: {e}"))
    });
    let skips = skips.collect::<Result<Vec<_>, _>>()?;
    let mut plan = Plan {
        kind: map.kind,
        reading: map.read.clone(),
        skips,
        columns,
        observations,
        items,
        unknown: Vec::new(),
        replaced: Vec::new(),
    };
    let used = plan.used();
    for (i, header) in headers.iter().enumerate().filter(|(i, h)| !h.is_empty() && !used.contains(i)) {
        if map.columns.keys().any(|given| same_name(header, given)) {
            plan.replaced.push(i);
        } else {
            plan.unknown.push(header.clone());
        }
    }
    Ok(plan)
}

/// `Line ID` is `line_id`.
fn same_name(header: &str, field: &str) -> bool {
    header.to_lowercase().replace([' ', '-'], "_") == field
}

impl Plan {
    fn used(&self) -> Vec<usize> {
        let items = self.items.iter().map(|item| &item.bound);
        let columns = self.columns.iter().chain(items).flat_map(|c| match &c.from {
            From::Column(i) => vec![*i],
            From::Join(all, _) => all.clone(),
            From::Constant(_) | From::Line(_) => Vec::new(),
        });
        let observed =
            self.observations.iter().flat_map(|o| [Some(o.column), o.sent, o.lost].into_iter().flatten());
        columns.chain(observed).chain(self.skips.iter().map(|s| s.column)).collect()
    }
}

struct Binder<'a> {
    map: &'a Map,
    headers: &'a [String],
    sheet: bool,
}

impl Binder<'_> {
    fn find(&self, wanted: &str) -> Result<usize, String> {
        let mut found = self.headers.iter().enumerate().filter(|(_, h)| *h == wanted.trim());
        match (found.next(), found.next()) {
            (Some((i, _)), None) => Ok(i),
            (Some(_), Some(_)) => {
                Err(format!("header {wanted:?} stands twice in the file: rename one of the two"))
            }
            (None, _) => {
                let hint = hint(wanted, self.headers.iter().map(String::as_str));
                Err(format!("the file has no header {wanted:?}{hint}; it has {}", self.all()))
            }
        }
    }

    fn all(&self) -> String {
        let shown: Vec<String> = self.headers.iter().take(40).map(|h| format!("{h:?}")).collect();
        let more = if self.headers.len() > 40 { ", …" } else { "" };
        format!("{}{more}", shown.join(", "))
    }

    /// Where one of our columns comes from: what the map says, else the header of its name.
    fn source(&self, name: &str) -> Option<ColumnTable> {
        let own = || self.headers.iter().find(|h| same_name(h, &name.to_lowercase()));
        self.map.columns.get(name).map(|c| c.0.clone()).or_else(|| {
            own().map(|header| ColumnTable { column: Some(header.clone()), ..ColumnTable::default() })
        })
    }

    /// The items of a survey, each once.
    fn items(&self, model: &SurveyModel) -> Result<Vec<Item>, String> {
        let mut items: Vec<Item> = Vec::new();
        let names = model.columns();
        for name in &names {
            if self.map.kind.field(name).is_some() {
                return Err(format!(
                    "item {name:?} of the model has the name of another column of the table"
                ));
            }
            if items.iter().any(|item| item.name == *name) {
                continue;
            }
            let which = "; --model names the items where they are not those of the standard model";
            let table = self.source(name).ok_or_else(|| self.missing(name) + which)?;
            let bound = self.column(ITEM, table).map_err(|e| format!("columns.{name}: {e}"))?;
            items.push(Item { name: (*name).to_owned(), bound, scale: model.scale });
        }
        let known = |name: &&String| self.map.kind.field(name).is_some() || names.contains(&name.as_str());
        match self.map.columns.keys().find(|name| !known(name)) {
            None => Ok(items),
            Some(name) => {
                let nearest = hint(name, names.iter().copied());
                Err(format!(
                    "columns.{name}: neither a column of every survey nor an item of the model{nearest}"
                ))
            }
        }
    }

    fn column(&self, field: &'static Field, table: ColumnTable) -> Result<Bound, String> {
        let (from, header) = if let Some(constant) = table.constant {
            (From::Constant(constant), format!("{} (constant in the map)", field.name))
        } else if let Some(prefix) = table.line_number {
            (From::Line(prefix), format!("{} (line of the file)", field.name))
        } else if let Some(header) = table.column {
            (From::Column(self.find(&header)?), header)
        } else {
            let all = table.join.iter().map(|h| self.find(h)).collect::<Result<Vec<_>, _>>()?;
            (From::Join(all, table.with.unwrap_or_else(|| " ".into())), table.join.join("+"))
        };
        let conversion = match (field.holds, &table.unit) {
            (Holds::Number(Measure::Rate), Some(unit)) => Conversion::rate(unit)?,
            (Holds::Number(Measure::Delay), Some(unit)) => Conversion::delay(unit)?,
            (Holds::Number(Measure::Share), Some(unit)) => Conversion::to(Unit::Ratio, unit)?,
            _ => Conversion::NONE,
        };
        let zone = table.zone.as_deref().or(self.map.zone.as_deref());
        let times = Times::new(&table.formats, zone, self.sheet || matches!(from, From::Constant(_)))?
            .within(table.not_before.as_deref(), table.before.as_deref())?;
        if let From::Constant(text) = &from {
            // Else it would be refused row by row.
            match field.holds {
                Holds::Number(_) => conversion.read(text, &self.map.read).map(drop),
                Holds::Time => times.read(text).map(drop),
                Holds::Flag => flag(text).map(drop),
                Holds::Text | Holds::Value => Ok(()),
            }
            .map_err(|e| format!("constant: {e}"))?;
        }
        Ok(Bound {
            field,
            header,
            from,
            values: table.values,
            other: table.other,
            unit: table.unit,
            conversion,
            times,
        })
    }

    fn observation(&self, o: &Observation) -> Result<BoundObservation, String> {
        let metric: MetricId = o.metric.parse()?;
        Ok(BoundObservation {
            column: self.find(&o.column)?,
            header: o.column.clone(),
            metric,
            conversion: o.unit.as_deref().map_or(Ok(Conversion::NONE), |u| Conversion::to(metric.unit, u))?,
            statistic: o.statistic.as_deref().map_or(Ok(Statistic::Singleton), str::parse)?,
            peak: o.hours.as_deref().map(|h| h == "peak"),
            load: o.load.as_deref().map_or(Ok(Load::Idle), str::parse)?,
            direction: o.direction.as_deref().map(str::parse).transpose()?,
            target: o.target.clone(),
            method: o.method.clone(),
            sent: o.sent.as_deref().map(|h| self.find(h)).transpose()?,
            lost: o.lost.as_deref().map(|h| self.find(h)).transpose()?,
        })
    }

    fn nothing_missing(&self, columns: &[Bound], wide: bool) -> Result<(), String> {
        let has = |name: &str| columns.iter().any(|c| c.field.name == name);
        let observed = |name: &str| wide && matches!(name, "metric" | "value");
        let fields = self.map.kind.fields();
        if let Some(missing) = fields.iter().find(|f| f.required && !has(f.name) && !observed(f.name)) {
            return Err(self.missing(missing.name));
        }
        if self.map.kind == Kind::Complaints && !has("line_id") && !has("area") {
            return Err(format!("{} (or area, or both)", self.missing("line_id")));
        }
        Ok(())
    }

    fn missing(&self, name: &str) -> String {
        let nearest = hint(name, self.headers.iter().map(String::as_str));
        format!(
            "column {name} is missing{nearest}; the file has {}. Say {name} = \"its header\" under [columns] in a map",
            self.all()
        )
    }
}
