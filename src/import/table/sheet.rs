//! Spreadsheets (XLSX, XLS, ODS) as rows of text. A cell's value is read, not its look on the screen: a date
//! becomes `2015-04-22 15:53:50` (or `2015-04-22`, or `15:53:50`), a number its shortest exact form.
//!
//! What it cannot tell: a percentage is stored by spreadsheets as its share (0.05%, shown, is 0.0005), so its
//! unit in a map is `ratio`.

use super::row::{Reading, Row};
use crate::import::error::ImportError;
use calamine::{Data, ExcelDateTime, Range, Reader, open_workbook_auto_from_rs};
use std::io::Cursor;
use std::path::Path;

/// Whether a file that starts so is a spreadsheet: a ZIP archive (XLSX, ODS) or an OLE container (XLS).
pub(super) fn is_spreadsheet(magic: &[u8]) -> bool {
    magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"\xd0\xcf\x11\xe0")
}

/// Reads one sheet whole.
pub(super) fn read(path: &Path, reading: &Reading) -> Result<Vec<Row>, ImportError> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|source| ImportError::Read { path: path.into(), source })?;
    let unreadable = |source| ImportError::Sheet { file: file.clone(), source };
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes.as_slice())).map_err(unreadable)?;
    let names = book.sheet_names();
    let name = match &reading.sheet {
        None => names.first(),
        Some(wanted) => names.iter().find(|n| *n == wanted),
    };
    let Some(name) = name.cloned() else {
        let wanted = reading.sheet.as_deref().unwrap_or_default();
        let message = format!("has no sheet {wanted:?}; its sheets are {}", names.join(", "));
        return Err(ImportError::Table { file, message });
    };
    let range = book.worksheet_range(&name).map_err(unreadable)?;
    Ok(rows(&range))
}

fn rows(range: &Range<Data>) -> Vec<Row> {
    let (top, left) = range.start().unwrap_or((0, 0));
    let rows = range.rows().enumerate().filter(|(_, cells)| cells.iter().any(|c| *c != Data::Empty));
    rows.map(|(i, cells)| {
        let blank = std::iter::repeat_n(String::new(), left as usize);
        Row::of(u64::from(top) + i as u64 + 1, blank.chain(cells.iter().map(text)).collect())
    })
    .collect()
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::Int(i) => i.to_string(),
        Data::Float(f) => f.to_string(),
        Data::String(s) => s.trim().to_owned(),
        Data::Bool(b) => if *b { "yes" } else { "no" }.to_owned(),
        Data::DateTime(d) => moment(*d),
        Data::DateTimeIso(s) => s.replace('T', " "),
        Data::DurationIso(s) => s.clone(),
        Data::Error(e) => e.to_string(),
    }
}

fn moment(cell: ExcelDateTime) -> String {
    let serial = cell.as_f64();
    if !cell.is_datetime() {
        return serial.to_string();
    }
    let (year, month, day, hour, minute, second, milli) = cell.to_ymd_hms_milli();
    let fraction = if milli == 0 { String::new() } else { format!(".{milli:03}") };
    let time = format!("{hour:02}:{minute:02}:{second:02}{fraction}");
    if serial.abs() < 1.0 {
        time
    } else if serial.fract() == 0.0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {time}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType::DateTime;

    #[test]
    fn a_date_of_a_sheet_is_written_as_iso() {
        // 42116 is 2015-04-22 in the 1900 calendar (Excel: =DATEVALUE("2015-04-22")).
        let at = |serial| text(&Data::DateTime(ExcelDateTime::new(serial, DateTime, false)));
        assert_eq!(at(42_116.0), "2015-04-22");
        assert_eq!(at(42_116.5), "2015-04-22 12:00:00");
        assert_eq!(at(0.25), "06:00:00");
    }

    #[test]
    fn a_sheet_that_starts_below_keeps_its_row_and_column_numbers() {
        let mut range = Range::new((2, 1), (4, 2));
        range.set_value((2, 1), Data::String("a".into()));
        range.set_value((4, 2), Data::Float(1.5));
        let rows = rows(&range);
        assert_eq!(rows[0], Row::of(3, vec![String::new(), "a".into(), String::new()]));
        assert_eq!(rows[1].line, 5);
        assert_eq!(rows[1].cells, ["", "", "1.5"]);
    }
}
