//! What an import did, row by row accounted for: nothing is left out silently.

use super::draft::Assumed;
use super::mask::Masked;
use super::table::Table;
use serde::Serialize;
use std::fmt;

/// How many refusals are told one by one; the rest is in the reject file.
pub(super) const SHOWN: usize = 20;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// `lines`, `results` or `complaints`.
    pub kind: &'static str,
    /// Nothing was written: the counts are those of an import into an empty store.
    pub dry_run: bool,
    /// File by file.
    pub files: Vec<FileSummary>,
}

impl Summary {
    /// Rows that were refused, wholly or in part.
    pub fn refused(&self) -> u64 {
        self.files.iter().map(|f| f.rows_refused).sum()
    }
}

/// What became of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileSummary {
    /// The file.
    pub file: String,
    /// Its encoding, and how that was found; `None` for a spreadsheet.
    pub encoding: Option<String>,
    /// Characters that could not be decoded.
    pub undecodable_characters: u64,
    /// Rows below the header.
    pub rows_read: u64,
    /// Rows that rules of the map left out, by reason, in the order of the rules, and what of another tool's file is no
    /// result.
    pub rows_skipped: Vec<Skipped>,
    /// Rows of which something was refused.
    pub rows_refused: u64,
    /// Values that are not there.
    pub values_missing: u64,
    /// Rows of results whose line is not in the store: no study uses them until it is; not counted in a dry run.
    pub rows_of_unknown_lines: u64,
    /// New in the store.
    pub stored: u64,
    /// Known to the store with other content, and brought up to date.
    pub updated: u64,
    /// Known to the store as they are.
    pub unchanged: u64,
    /// The first refusals.
    pub refusals: Vec<Refusal>,
    /// Headers that nothing reads.
    pub unknown_columns: Vec<String>,
    /// Headers of ours whose cells are not used, because the map gives that column from elsewhere.
    pub replaced_columns: Vec<String>,
    /// Spellings that a value map does not name.
    pub unknown_spellings: Vec<Spelling>,
    /// Times that fit several forms; the first was taken.
    pub ambiguous_times: u64,
    /// Times without an offset, read as UTC because no zone is named.
    pub times_read_as_utc: u64,
    /// Times that stand twice on their day; the first was taken.
    pub times_that_stand_twice: u64,
    /// What was masked in free text.
    pub masked: Masked,
    /// Nothing was written.
    #[serde(skip)]
    pub dry_run: bool,
    /// The first records as they would be stored; in a dry run only.
    pub preview: Vec<String>,
}

/// What was left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
}

/// A spelling that a value map does not name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Spelling {
    /// The header.
    pub column: String,
    /// The spelling.
    pub spelling: String,
    /// How often.
    pub count: u64,
}

/// A row, or one value of it, that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The file.
    pub file: String,
    /// The line of the file, or the row of the sheet.
    pub line: u64,
    /// The header of the column, where one column is to blame.
    pub column: Option<String>,
    /// Why, and the cure.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if let Some(column) = &self.column {
            write!(f, "column {column:?}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl FileSummary {
    pub(super) fn start(table: &Table, unknown: &[String]) -> Self {
        let encoding = table.encoding.map(|e| format!("{} ({})", e.encoding.name(), e.how.words()));
        Self { file: table.name.clone(), encoding, unknown_columns: unknown.to_vec(), ..Self::default() }
    }

    pub(super) fn assumed(&mut self, assumed: Assumed) {
        let spellings = assumed.spellings.into_iter();
        self.unknown_spellings =
            spellings.map(|((column, spelling), count)| Spelling { column, spelling, count }).collect();
        if assumed.other_spellings > 0 {
            let (column, spelling) = ("(others)".into(), "(others)".into());
            self.unknown_spellings.push(Spelling { column, spelling, count: assumed.other_spellings });
        }
        self.ambiguous_times = assumed.ambiguous_times;
        self.times_read_as_utc = assumed.utc_times;
        self.times_that_stand_twice = assumed.twice_times;
    }
}

/// For people: a few lines a file.
impl fmt::Display for FileSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.file)?;
        if let Some(encoding) = &self.encoding {
            writeln!(f, "  encoding    {encoding}")?;
        }
        let skipped: u64 = self.rows_skipped.iter().map(|s| s.count).sum();
        writeln!(
            f,
            "  rows        {} read, {skipped} left out, {} refused",
            self.rows_read, self.rows_refused
        )?;
        for Skipped { reason, count } in &self.rows_skipped {
            writeln!(f, "              {count} left out: {reason}")?;
        }
        let (stored, updated, unchanged) = (self.stored, self.updated, self.unchanged);
        let be = if self.dry_run { "would be " } else { "" };
        writeln!(f, "  records     {stored} {be}stored, {updated} {be}updated, {unchanged} unchanged")?;
        if self.values_missing > 0 {
            writeln!(f, "  empty       {} values are not there (missing, not zero)", self.values_missing)?;
        }
        if !self.unknown_columns.is_empty() {
            writeln!(f, "  not read    {}", self.unknown_columns.join(", "))?;
        }
        for header in &self.replaced_columns {
            writeln!(f, "  not used    column {header}: the map gives it")?;
        }
        for s in &self.unknown_spellings {
            writeln!(
                f,
                "  spelling    {:?} in {:?} is not in the map: {} times",
                s.spelling, s.column, s.count
            )?;
        }
        if self.masked != Masked::default() {
            let Masked { phones, cards, ids, emails, accounts } = self.masked;
            writeln!(
                f,
                "  masked      {phones} phone, {cards} card, {accounts} account, {ids} identity numbers, {emails} e-mail addresses"
            )?;
        }
        for (count, what) in [
            (self.undecodable_characters, "characters could not be decoded: try --encoding"),
            (self.ambiguous_times, "times fit two forms of the map; the first was taken"),
            (self.times_read_as_utc, "times name no offset: read as UTC; say zone in the map"),
            (self.times_that_stand_twice, "times stand twice (clocks were put back); the first was taken"),
        ] {
            if count > 0 {
                writeln!(f, "  note        {count} {what}")?;
            }
        }
        for line in &self.preview {
            writeln!(f, "  would store {line}")?;
        }
        for refusal in &self.refusals {
            writeln!(f, "  refused     {refusal}")?;
        }
        if self.rows_refused > self.refusals.len() as u64 {
            writeln!(f, "  refused     … {} rows in all; --reject-file keeps them", self.rows_refused)?;
        }
        Ok(())
    }
}
