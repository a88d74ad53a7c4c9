//! A table as rows of text, whatever file it came in: CSV is streamed, a spreadsheet is read whole.

mod row;
mod sheet;

pub use row::Reading;
pub(super) use row::{Remark, Row};

use super::encoding::{Decoding, Found, How, find, named};
use super::error::ImportError;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

/// A cell longer than this is taken for a quote that was left open, and its row is refused.
const LONGEST_CELL: usize = 64 * 1024;

trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

enum Rows {
    Text(Box<csv::Reader<Decoding<Box<dyn Source>>>>, csv::StringRecord),
    Sheet(std::vec::IntoIter<Row>),
}

/// A table that is being read.
pub(super) struct Table {
    /// The file's name, for messages.
    pub name: String,
    /// The headers, trimmed.
    pub headers: Vec<String>,
    /// The encoding, of a text file.
    pub encoding: Option<Found>,
    /// What the file holds that is no row of it, by the reason.
    pub left_out: Vec<(String, u64)>,
    /// Its values are histograms, which do not say their unit.
    pub histograms: bool,
    rows: Rows,
}

impl Table {
    /// Opens a file.
    pub(super) fn open(path: &Path, reading: &Reading) -> Result<Self, ImportError> {
        let name = path.display().to_string();
        let failed = |source| ImportError::Read { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let mut magic = [0; 8];
        let n = file.read(&mut magic).map_err(failed)?;
        file.rewind().map_err(failed)?;
        if sheet::is_spreadsheet(&magic[..n]) {
            return Self::from_rows(name, sheet::read(path, reading)?, reading);
        }
        Self::text(name, Box::new(std::io::BufReader::new(file)), reading)
    }

    /// Reads a text table from memory.
    pub(super) fn of_bytes(name: &str, bytes: Vec<u8>, reading: &Reading) -> Result<Self, ImportError> {
        Self::text(name.to_owned(), Box::new(Cursor::new(bytes)), reading)
    }

    fn text(name: String, mut source: Box<dyn Source>, reading: &Reading) -> Result<Self, ImportError> {
        let wrong = |message| ImportError::Table { file: name.clone(), message };
        let encoding = match &reading.encoding {
            Some(label) => Found { encoding: named(label).map_err(wrong)?, how: How::Asked },
            None => find(&mut source).map_err(|source| ImportError::Read { path: (&name).into(), source })?,
        };
        let delimiter = match reading.delimiter {
            None => b',',
            Some(c) => u8::try_from(c)
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| wrong(format!("delimiter {c:?} is not one ASCII character")))?,
        };
        let text = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(Decoding::new(source, encoding.encoding));
        let rows = Rows::Text(Box::new(text), csv::StringRecord::new());
        let mut table = Self {
            name,
            headers: Vec::new(),
            encoding: Some(encoding),
            left_out: Vec::new(),
            histograms: false,
            rows,
        };
        table.take_headers(reading)?;
        Ok(table)
    }

    /// A table of rows that are known, the headers first.
    pub(super) fn from_rows(name: String, rows: Vec<Row>, reading: &Reading) -> Result<Self, ImportError> {
        let rows = Rows::Sheet(rows.into_iter());
        let mut table =
            Self { name, headers: Vec::new(), encoding: None, left_out: Vec::new(), histograms: false, rows };
        table.take_headers(reading)?;
        Ok(table)
    }

    fn take_headers(&mut self, reading: &Reading) -> Result<(), ImportError> {
        let wanted = reading.header_row.unwrap_or(1);
        loop {
            match self.next_row()? {
                None => {
                    let message = format!("holds no header row: nothing stands on line {wanted} or below");
                    return Err(ImportError::Table { file: self.name.clone(), message });
                }
                Some(row) if row.line < wanted => {}
                Some(row) => {
                    self.headers = row.cells;
                    return Ok(());
                }
            }
        }
    }

    /// The next row; `None` at the end. An error means that the file itself cannot be read on.
    pub(super) fn next_row(&mut self) -> Result<Option<Row>, ImportError> {
        match &mut self.rows {
            Rows::Sheet(rows) => Ok(rows.next()),
            Rows::Text(reader, record) => {
                if !reader.read_record(record).map_err(|e| unreadable(&self.name, e))? {
                    return Ok(None);
                }
                let byte = record.position().map_or(0, csv::Position::byte);
                // The reader counts blank lines and CRLF in its own way, so lines are counted below it.
                let line = reader.get_mut().line_at(byte);
                Ok(Some(Row::of(line, record.iter().map(|c| c.trim().to_owned()).collect())))
            }
        }
    }

    /// How many characters could not be decoded so far.
    pub(super) fn replaced(&self) -> u64 {
        match &self.rows {
            Rows::Sheet(_) => 0,
            Rows::Text(reader, _) => reader.get_ref().replaced(),
        }
    }

    /// Why this row is not of this table's shape.
    pub(super) fn misfit(&self, row: &Row) -> Option<String> {
        if let Some(Remark::Unread(why)) = &row.remark {
            return Some(why.clone());
        }
        let text = self.encoding.is_some();
        if let Some(long) = row.cells.iter().position(|c| text && c.len() > LONGEST_CELL) {
            let lines = row.cells[long].lines().count();
            let column = self.headers.get(long).map_or("?", String::as_str);
            return Some(format!(
                "column {column:?} holds {} bytes over {lines} lines: a quote was left open on or after line {}",
                row.cells[long].len(),
                row.line
            ));
        }
        if row.cells.len() == self.headers.len() {
            return None;
        }
        // Spreadsheet programs pad short rows; cells beyond the headers are harmless only when empty.
        let beyond = row.cells.iter().skip(self.headers.len()).any(|c| !c.is_empty());
        let (cells, headers) = (row.cells.len(), self.headers.len());
        (beyond || cells < headers).then(|| {
            format!("has {cells} cells where the header has {headers}: is a delimiter or a quote missing or unquoted?")
        })
    }
}

fn unreadable(name: &str, error: csv::Error) -> ImportError {
    let text = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(source) => ImportError::Read { path: name.into(), source },
        _ => ImportError::Table { file: name.to_owned(), message: text },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, reading: &Reading) -> Vec<Row> {
        let mut table = Table::of_bytes("t.csv", text.as_bytes().to_vec(), reading).unwrap();
        std::iter::from_fn(|| table.next_row().unwrap()).collect()
    }

    #[test]
    fn a_row_knows_its_line_even_after_blank_lines_and_quoted_breaks() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "a,b|1,\"x|y\"||2,z|3,w|".replace('|', end);
            let lines: Vec<u64> = rows(&text, &Reading::default()).iter().map(|r| r.line).collect();
            assert_eq!(lines, [2, 5, 6], "{end:?}");
        }
    }

    #[test]
    fn the_header_row_may_stand_below_a_title() {
        let reading = Reading { header_row: Some(3), ..Reading::default() };
        let table = Table::of_bytes("t", b"Title\n\na , b\n1,2\n".to_vec(), &reading).unwrap();
        assert_eq!(table.headers, ["a", "b"]);
    }

    #[test]
    fn a_row_of_another_shape_says_so() {
        let mut table = Table::of_bytes("t", b"a,b\n1\n1,2,\n1,2,3\n".to_vec(), &Reading::default()).unwrap();
        let fits: Vec<_> = std::iter::from_fn(|| table.next_row().unwrap())
            .collect::<Vec<_>>()
            .iter()
            .map(|r| table.misfit(r).is_none())
            .collect();
        assert_eq!(fits, [false, true, false]);
    }

    #[test]
    fn a_quote_left_open_is_named_with_its_line() {
        let text = format!("a,b\n1,\"open\n{}", "2,x\n".repeat(20_000));
        let mut table = Table::of_bytes("t", text.into_bytes(), &Reading::default()).unwrap();
        let row = table.next_row().unwrap().unwrap();
        let why = table.misfit(&row).unwrap();
        assert!(why.contains("quote") && why.contains("line 2"), "{why}");
    }

    #[test]
    fn an_empty_file_has_no_header() {
        let error = Table::of_bytes("t.csv", Vec::new(), &Reading::default()).err().unwrap();
        assert!(error.to_string().contains("no header row"), "{error}");
    }
}
