//! A chart's data as rows: the CSV beside it, the table under it, the sheet behind it.

use std::fmt::Write as _;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name for machines, with its unit: `rtt_ms`. The same in every language.
    pub key: &'static str,
    /// The name for readers.
    pub label: String,
}

/// One field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// A name or a reason.
    Text(String),
    /// A measured or computed number.
    Number(f64),
    /// How many.
    Count(u64),
    /// Unknown; never written as zero.
    Blank,
}

impl Cell {
    /// A number, where there is one.
    pub fn maybe(value: Option<f64>) -> Self {
        value.filter(|v| v.is_finite()).map_or(Self::Blank, Self::Number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Rows and columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// From left to right.
    pub columns: Vec<Column>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new<const N: usize>(columns: [(&'static str, &str); N]) -> Self {
        let columns =
            columns.into_iter().map(|(key, label)| Column { key, label: label.to_owned() }).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.columns.len(), "a row must fill its columns");
        self.rows.push(row.into());
    }

    /// RFC 4180, UTF-8, with the machine names as header. A text that a spreadsheet would take for a formula
    /// gets an apostrophe before it, because names in it may come from outside.
    pub fn to_csv(&self) -> String {
        let keys: Vec<_> = self.columns.iter().map(|column| column.key).collect();
        let mut csv = keys.join(",") + "\r\n";
        for row in &self.rows {
            for (i, cell) in row.iter().enumerate() {
                if i > 0 {
                    csv.push(',');
                }
                match cell {
                    Cell::Text(text) => push_text(&mut csv, text),
                    Cell::Number(value) => _ = write!(csv, "{value}"),
                    Cell::Count(count) => _ = write!(csv, "{count}"),
                    Cell::Blank => {}
                }
            }
            csv.push_str("\r\n");
        }
        csv
    }
}

fn push_text(csv: &mut String, text: &str) {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) {
        _ = write!(csv, "\"{guard}{}\"", text.replace('"', "\"\""));
    } else {
        _ = write!(csv, "{guard}{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_formulas_are_made_safe_and_unknown_is_empty() {
        let mut table = Table::new([("operator", "Operator"), ("rtt_ms", "RTT (ms)"), ("n", "n")]);
        table.push(["A, \"the\" one".into(), Cell::Number(1.5), Cell::Count(3)]);
        table.push(["=cmd()".into(), Cell::maybe(Some(f64::NAN)), Cell::Count(0)]);
        assert_eq!(table.to_csv(), "operator,rtt_ms,n\r\n\"A, \"\"the\"\" one\",1.5,3\r\n'=cmd(),,0\r\n");
    }
}
