//! Some columns of any table, as text: for labels and the like, which are no rows of a store.

use super::error::ImportError;
use super::table::{Reading, Table};
use std::path::Path;

/// The cells of the named columns, row by row. Rows of another shape than the header are refused with the file.
pub fn columns(path: &Path, reading: &Reading, names: &[&str]) -> Result<Vec<Vec<String>>, ImportError> {
    let mut table = Table::open(path, reading)?;
    let wrong = |file: &str, message| ImportError::Table { file: file.to_owned(), message };
    let places = names
        .iter()
        .map(|name| {
            let place = table.headers.iter().position(|h| h.eq_ignore_ascii_case(name));
            let known = || table.headers.join(", ");
            place.ok_or_else(|| {
                wrong(&table.name, format!("has no column {name:?}; its columns: {}", known()))
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    while let Some(row) = table.next_row()? {
        if row.cells.iter().all(String::is_empty) {
            continue;
        }
        if let Some(misfit) = table.misfit(&row) {
            return Err(wrong(&table.name, format!("line {} {misfit}", row.line)));
        }
        rows.push(places.iter().map(|&at| row.cells.get(at).cloned().unwrap_or_default()).collect());
    }
    Ok(rows)
}
