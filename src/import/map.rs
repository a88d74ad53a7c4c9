//! The map: how somebody else's table becomes one of ours. This file holds what is written; [`super::plan`] holds
//! what it means for one file's headers.
//!
//! ```toml
//! kind = "results"                      # lines, results, complaints, utilisation, actions, reputation or survey
//! source = "Regulator's panel, 2013"    # the name in reports; the file's name where left out
//! zone = "Europe/London"                # of times that carry no offset; UTC where left out
//!
//! [read]                                # how to read the file; the command line may override
//! empty = ["#NULL!", "N/A"]             # spellings of "nothing here", beside the empty cell
//!
//! [[skip]]                              # rows that are left out, each with its reason; the first that fits counts
//! column = "weight"
//! empty = true                          # or: is = ["test"], or: is_not = ["Cable", "DSL"], or: empty = false
//! reason = "outside the published sample"
//!
//! [columns]                             # our column = where it comes from
//! line_id = "ID"                        # a header of the file
//! started_at = { constant = "2013-05-01" }
//! segment = { line_number = "row-" }    # a name made of the file's own line, for rows that name nobody
//! period_end = { join = ["Date", "Time"], formats = ["%d-%m-%y %I:%M:%S %p", "%Y-%m-%d %I:%M:%S %p"] }
//!
//! [[observation]]                       # results only: one wide row holds many results
//! column = "Latency (ms) 8-10pm"
//! metric = "round_trip_delay"
//! unit = "ms"
//! statistic = "mean"
//! hours = "peak"
//! ```
//!
//! Columns that the map does not name are taken from headers that have our own names.

use super::kind::Kind;
use super::table::Reading;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;

/// A map, as written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The file it was read from; none where no map was given.
    #[serde(skip)]
    pub file: Option<String>,
    /// Which table the file holds.
    pub kind: Kind,
    /// The name of the data in reports; the file's name where left out.
    #[serde(default)]
    pub source: Option<String>,
    /// Whether the data were made up, to show or to test: reports then say so.
    #[serde(default)]
    pub made: bool,
    /// The zone of times that carry no offset; UTC where left out.
    #[serde(default)]
    pub zone: Option<String>,
    /// How to read the file.
    #[serde(default)]
    pub read: Reading,
    /// Rows that are left out.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// Where our columns come from.
    #[serde(default)]
    pub columns: BTreeMap<String, Column>,
    /// Which results a wide row holds.
    #[serde(default)]
    pub observation: Vec<Observation>,
}

impl Map {
    /// A map that changes nothing: the file has our own headers.
    pub fn plain(kind: Kind) -> Self {
        Self {
            file: None,
            kind,
            source: None,
            made: false,
            zone: None,
            read: Reading::default(),
            skip: Vec::new(),
            columns: BTreeMap::new(),
            observation: Vec::new(),
        }
    }
}

/// Rows that are left out: by their own rule, with a reason that the summary repeats. Exactly one of `empty`,
/// `is` and `is_not` is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// The header of the column that decides.
    pub column: String,
    /// Leave out rows whose cell is empty (`true`) or is not (`false`).
    #[serde(default)]
    pub empty: Option<bool>,
    /// Leave out rows whose cell is one of these.
    #[serde(default)]
    pub is: Vec<String>,
    /// Leave out rows whose cell is none of these.
    #[serde(default)]
    pub is_not: Vec<String>,
    /// Why.
    pub reason: String,
}

/// Where one of our columns comes from: a header, or a table of these keys. Exactly one of `column`, `join`, `constant`
/// and `line_number` is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnTable {
    /// The header of the file's column.
    pub column: Option<String>,
    /// Headers of several columns, joined; empty where any of them is.
    pub join: Vec<String>,
    /// What stands between joined cells; a blank where left out.
    pub with: Option<String>,
    /// One value for every row.
    pub constant: Option<String>,
    /// The number of the row's line in the file, behind this prefix: a name for rows that name nobody.
    pub line_number: Option<String>,
    /// The file's spelling = our word.
    pub values: BTreeMap<String, String>,
    /// What to do with a spelling that `values` does not name: `keep` it, `refuse` the row, or leave it `empty`.
    pub other: Other,
    /// The unit of the numbers, such as `kbit/s` or `percent`.
    pub unit: Option<String>,
    /// Forms of the times, tried in this order; each must fit exactly (`%Y-%m-%d %H:%M`).
    pub formats: Vec<String>,
    /// The zone of these times, where it differs from the map's.
    pub zone: Option<String>,
    /// Times before this are refused: a guard against dates that were read in the wrong order.
    pub not_before: Option<String>,
    /// Times at or after this are refused.
    pub before: Option<String>,
}

/// What to do with a spelling that a value map does not name. Every such spelling is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Other {
    /// Take it as it is.
    #[default]
    Keep,
    /// Refuse the row.
    Refuse,
    /// Take it as nothing.
    Empty,
}

/// A [`ColumnTable`], or a header alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Column(pub ColumnTable);

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeaderOrTable;
        impl<'de> Visitor<'de> for HeaderOrTable {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header in quotes, or a table such as { constant = \"…\" }")
            }

            fn visit_str<E: serde::de::Error>(self, header: &str) -> Result<Column, E> {
                Ok(Column(ColumnTable { column: Some(header.to_owned()), ..ColumnTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                ColumnTable::deserialize(MapAccessDeserializer::new(map)).map(Column)
            }
        }
        deserializer.deserialize_any(HeaderOrTable)
    }
}

/// One result that every row of a wide table holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Observation {
    /// The header of the column with the value.
    pub column: String,
    /// The metric.
    pub metric: String,
    /// The unit of the column, where it is not the metric's own.
    pub unit: Option<String>,
    /// Which statistic the value is, such as `mean`; needed where `hours` is given.
    pub statistic: Option<String>,
    /// `peak` or `all_day`, for a summary made elsewhere; left out for a result of the time in `started_at`.
    pub hours: Option<String>,
    /// `idle`, `down`, `up` or `both`.
    pub load: Option<String>,
    /// `round_trip`, `down` or `up`; the metric's own where left out.
    pub direction: Option<String>,
    /// Against which target.
    pub target: Option<String>,
    /// By which method.
    pub method: Option<String>,
    /// The header of the column with the number of packets sent.
    pub sent: Option<String>,
    /// The header of the column with the number of packets lost.
    pub lost: Option<String>,
}
