//! A row, and how rows are read.

use serde::Deserialize;

/// How to read a file as a table: the `[read]` section of a map, which the command line may override.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// Encoding of a text file, such as `gb18030`; found by itself where left out.
    pub encoding: Option<String>,
    /// What stands between two cells of a text file; a comma where left out.
    pub delimiter: Option<char>,
    /// The line (of a sheet: the row) that holds the headers; 1 where left out.
    pub header_row: Option<u64>,
    /// The sheet of a spreadsheet; the first where left out.
    pub sheet: Option<String>,
    /// Spellings of "nothing here", beside the empty cell.
    pub empty: Vec<String>,
    /// The decimal mark; a point where left out.
    pub decimal: Option<char>,
    /// The mark between thousands; none where left out.
    pub thousands: Option<char>,
    /// When a run of ping, or an interval log, was started, RFC 3339: output without `-D`, and a log without
    /// `StartTime`, do not say.
    pub started_at: Option<String>,
    /// How long ping waited between two questions, where its output does not say.
    pub interval_ms: Option<u64>,
}

impl Reading {
    /// What the other says, where it says anything.
    pub fn overridden_by(mut self, other: Self) -> Self {
        self.encoding = other.encoding.or(self.encoding);
        self.delimiter = other.delimiter.or(self.delimiter);
        self.header_row = other.header_row.or(self.header_row);
        self.sheet = other.sheet.or(self.sheet);
        self.decimal = other.decimal.or(self.decimal);
        self.thousands = other.thousands.or(self.thousands);
        self.started_at = other.started_at.or(self.started_at);
        self.interval_ms = other.interval_ms.or(self.interval_ms);
        self.empty.extend(other.empty);
        self
    }
}

/// A row, with the line of the file on which it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::import) struct Row {
    /// The line of the file, or the row of the sheet, from 1.
    pub line: u64,
    /// Its cells, trimmed.
    pub cells: Vec<String>,
    /// What the reader of another tool's file says of it.
    pub remark: Option<Remark>,
}

impl Row {
    /// A row of which there is nothing to say.
    pub(in crate::import) fn of(line: u64, cells: Vec<String>) -> Self {
        Self { line, cells, remark: None }
    }

    /// Something that is no row of a table with so many columns: its text stands beyond them, where the reject file
    /// keeps it.
    pub(in crate::import) fn unread(line: u64, columns: usize, text: &str, why: String) -> Self {
        let mut cells = vec![String::new(); columns];
        cells.push(text.trim().to_owned());
        Self { line, cells, remark: Some(Remark::Unread(why)) }
    }

    /// Why this column is empty, where the reader knows more than that it is.
    pub(in crate::import) fn why_empty(&self, name: &str) -> Option<&str> {
        match &self.remark {
            Some(Remark::Empty { column, why }) if *column == name => Some(why),
            _ => None,
        }
    }
}

/// What the reader of another tool's file says of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::import) enum Remark {
    /// It cannot be read, and why.
    Unread(String),
    /// Something that should be there is not.
    Empty {
        /// Our name of the column.
        column: &'static str,
        /// Why, and the cure.
        why: String,
    },
}
