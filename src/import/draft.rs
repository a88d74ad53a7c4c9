//! One row on its way to a record: cells by our names, with spellings, units and times of the map applied.

use super::kind::Holds;
use super::map::Other;
use super::plan::{Bound, From, Item, Plan};
use super::table::{Reading, Row};
use super::unit::flag;
use broadgauge_model::clock::Wall;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Different spellings and columns that are counted one by one; the rest is counted together.
const MOST_SPELLINGS: usize = 200;

/// Why a row, or one value of it, is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The column, by its header.
    pub column: Option<String>,
    /// What is wrong, and the cure.
    pub reason: String,
}

impl Fault {
    /// A fault of a whole row.
    pub(super) fn row(reason: impl Into<String>) -> Self {
        Self { column: None, reason: reason.into() }
    }

    pub(super) fn at(column: &str, reason: impl Into<String>) -> Self {
        Self { column: Some(column.to_owned()), reason: reason.into() }
    }
}

/// What had to be assumed while rows were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Assumed {
    /// Spellings that a value map does not name: (column, spelling) and how often.
    pub spellings: BTreeMap<(String, String), u64>,
    /// Further such spellings, beyond those listed.
    pub other_spellings: u64,
    /// Times that fit several forms of the map and mean different things in them; the first was taken.
    pub ambiguous_times: u64,
    /// Times without an offset where no zone was named: read as UTC.
    pub utc_times: u64,
    /// Times that stand twice on their day; the first was taken.
    pub twice_times: u64,
}

/// A row, seen through a plan.
pub(super) struct Draft<'a> {
    pub(super) plan: &'a Plan,
    pub(super) row: &'a Row,
    pub(super) assumed: &'a mut Assumed,
}

impl<'a> Draft<'a> {
    /// The reason for which a rule leaves this row out, by the rule's place.
    pub(super) fn skipped(plan: &Plan, row: &Row) -> Option<usize> {
        plan.skips.iter().position(|skip| {
            let cell = row.cells.get(skip.column).map_or("", String::as_str);
            let rule = &skip.rule;
            match rule.empty {
                Some(wanted) => is_empty(cell, &plan.reading) == wanted,
                None if rule.is.is_empty() => !rule.is_not.iter().any(|v| v == cell),
                None => rule.is.iter().any(|v| v == cell),
            }
        })
    }

    /// A cell by its place; `None` where nothing is there.
    pub(super) fn cell(&self, column: usize) -> Option<&'a str> {
        let cell = self.row.cells.get(column)?;
        (!is_empty(cell, &self.plan.reading)).then_some(cell)
    }

    fn bound(&self, name: &str) -> Option<&'a Bound> {
        self.plan.columns.iter().find(|c| c.field.name == name)
    }

    fn raw(&mut self, bound: &Bound) -> Result<Option<String>, Fault> {
        let text = match &bound.from {
            From::Constant(text) => return Ok(Some(text.clone())),
            From::Line(prefix) => return Ok(Some(format!("{prefix}{}", self.row.line))),
            From::Column(i) => self.cell(*i).map(str::to_owned),
            From::Join(all, with) => {
                all.iter().map(|i| self.cell(*i)).collect::<Option<Vec<_>>>().map(|cells| cells.join(with))
            }
        };
        let Some(text) = text else { return Ok(None) };
        if bound.values.is_empty() {
            return Ok(Some(text));
        }
        if let Some(word) = bound.values.get(&text) {
            return Ok(Some(word.clone()).filter(|w| !w.is_empty()));
        }
        if bound.other == Other::Refuse {
            return Err(Fault::at(&bound.header, format!("{text:?} is not among the values of the map")));
        }
        if bound.other == Other::Keep && bound.field.holds != Holds::Text {
            // A number or a time says by itself whether it can be read.
            return Ok(Some(text));
        }
        let key = (bound.header.clone(), text.chars().take(80).collect::<String>());
        let spellings = &mut self.assumed.spellings;
        if spellings.len() < MOST_SPELLINGS || spellings.contains_key(&key) {
            *spellings.entry(key).or_default() += 1;
        } else {
            self.assumed.other_spellings += 1;
        }
        Ok((bound.other == Other::Keep).then_some(text))
    }

    /// The text of a column; `None` where nothing is there.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Fault> {
        self.bound(name).map_or(Ok(None), |bound| self.raw(bound))
    }

    /// The text of a column that must not be empty.
    pub(super) fn needed(&mut self, name: &str) -> Result<String, Fault> {
        self.text(name)?.ok_or_else(|| self.empty(name))
    }

    /// The fault of an empty cell that must not be empty.
    pub(super) fn empty(&self, name: &str) -> Fault {
        let why = self.row.why_empty(name).map(str::to_owned);
        let why = why.unwrap_or_else(|| format!("is empty, and {name} is needed in every row"));
        Fault::at(self.header(name), why)
    }

    /// The header in messages.
    pub(super) fn header(&self, name: &'a str) -> &'a str {
        self.bound(name).map_or(name, |b| &b.header)
    }

    /// A fault of this column.
    pub(super) fn fault(&self, name: &str, reason: impl Into<String>) -> Fault {
        let header = self.bound(name).map_or(name, |b| &b.header);
        Fault::at(header, reason)
    }

    /// A word of ours: `idle`, `p95`, `network`.
    pub(super) fn word<T: FromStr<Err = String>>(&mut self, name: &str) -> Result<Option<T>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let read = text.parse().or_else(|_| text.to_lowercase().parse());
        read.map(Some)
            .map_err(|e| self.fault(name, format!("{e}; say what it means under values in the map")))
    }

    /// A number, in the unit that we keep.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Fault> {
        let Some(bound) = self.bound(name) else { return Ok(None) };
        let Some(text) = self.raw(bound)? else { return Ok(None) };
        let value =
            bound.conversion.read(&text, &self.plan.reading).map_err(|e| Fault::at(&bound.header, e))?;
        if value < 0.0 && bound.field.holds != Holds::Value {
            return Err(Fault::at(&bound.header, format!("{text:?} is below zero")));
        }
        Ok(Some(value))
    }

    /// The answer to an item; `None` where nothing is there.
    pub(super) fn answer(&mut self, item: &Item) -> Result<Option<f64>, Fault> {
        let Item { bound, scale: (low, high), .. } = item;
        let Some(text) = self.raw(bound)? else { return Ok(None) };
        let value =
            bound.conversion.read(&text, &self.plan.reading).map_err(|e| Fault::at(&bound.header, e))?;
        if !(*low..=*high).contains(&value) {
            let reason = format!(
                "{text:?} is not from {low} to {high}, the scale of the model; where it means no answer, say so under \
                 [read] empty in the map"
            );
            return Err(Fault::at(&bound.header, reason));
        }
        Ok(Some(value))
    }

    /// A whole number.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, Fault> {
        let Some(value) = self.number(name)? else { return Ok(None) };
        whole(value).map(Some).map_err(|e| self.fault(name, e))
    }

    /// The text and the unit of a value whose metric the row names.
    pub(super) fn value(&mut self) -> Result<Option<(String, Option<&'a str>)>, Fault> {
        let unit = self.bound("value").and_then(|b| b.unit.as_deref());
        Ok(self.text("value")?.map(|text| (text, unit)))
    }

    /// A time.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Wall>, Fault> {
        let Some(bound) = self.bound(name) else { return Ok(None) };
        let Some(text) = self.raw(bound)? else { return Ok(None) };
        let told = bound.times.read(&text).map_err(|e| Fault::at(&bound.header, e))?;
        self.assumed.ambiguous_times += u64::from(told.ambiguous);
        self.assumed.utc_times += u64::from(told.assumed_utc);
        self.assumed.twice_times += u64::from(told.twice);
        Ok(Some(told.at))
    }

    /// Yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Result<Option<bool>, Fault> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let read = flag(&text).map(Some);
        read.map_err(|e| self.fault(name, format!("{e}; say what it means under values in the map")))
    }
}

/// A number that counts something.
pub(super) fn whole(value: f64) -> Result<u64, String> {
    if value.fract() == 0.0 && (0.0..=9e15).contains(&value) {
        Ok(value as u64)
    } else {
        Err(format!("{value} is not a count"))
    }
}

fn is_empty(cell: &str, reading: &Reading) -> bool {
    cell.is_empty() || reading.empty.iter().any(|e| e.trim() == cell)
}
