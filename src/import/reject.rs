//! The reject file: refused rows as they came, with file, line, column and reason behind them. Its first columns are
//! the file's own, so a corrected reject file can be imported with the same map.
//!
//! It holds what the rows hold, numbers of customers too: only its owner can read it.

use super::draft::Fault;
use super::error::ImportError;
use super::table::Row;
use std::fs::File;
use std::path::{Path, PathBuf};

const EXTRA: [&str; 4] = ["refused_file", "refused_line", "refused_column", "refused_reason"];

/// A reject file that is made when the first row is refused.
pub(super) struct Rejects {
    path: Option<PathBuf>,
    writer: Option<csv::Writer<File>>,
    headers: Vec<String>,
}

impl Rejects {
    /// Into this file, if any.
    pub(super) fn new(path: Option<&Path>) -> Self {
        Self { path: path.map(Path::to_owned), writer: None, headers: Vec::new() }
    }

    /// The next table's headers. Tables with other headers do not fit in one reject file.
    pub(super) fn headers(&mut self, file: &str, headers: &[String]) -> Result<(), ImportError> {
        let own: Vec<String> = headers.iter().filter(|h| !EXTRA.contains(&h.as_str())).cloned().collect();
        if self.path.is_some() && !self.headers.is_empty() && self.headers != own {
            let message = "has other headers than the file before it, so that its rows do not fit in one reject \
                           file: import the two apart";
            return Err(ImportError::Table { file: file.to_owned(), message: message.into() });
        }
        self.headers = own;
        Ok(())
    }

    /// Keeps a row.
    pub(super) fn keep(
        &mut self,
        file: &str,
        headers: &[String],
        row: &Row,
        faults: &[Fault],
    ) -> Result<(), ImportError> {
        let Some(path) = self.path.clone() else { return Ok(()) };
        let failed = |source: csv::Error| ImportError::Write { path: path.clone(), source: source.into() };
        if self.writer.is_none() {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(create(&path)?);
            writer.write_record(self.headers.iter().map(String::as_str).chain(EXTRA)).map_err(failed)?;
            self.writer = Some(writer);
        }
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let columns: Vec<&str> = faults.iter().filter_map(|f| f.column.as_deref()).collect();
        let reasons: Vec<&str> = faults.iter().map(|f| f.reason.as_str()).collect();
        let empty = String::new();
        let own = headers
            .iter()
            .enumerate()
            .filter(|(_, h)| !EXTRA.contains(&h.as_str()))
            .map(|(i, _)| row.cells.get(i).unwrap_or(&empty).clone());
        let why = [file.to_owned(), row.line.to_string(), columns.join("; "), reasons.join("; ")];
        let beyond = row.cells.iter().skip(headers.len()).cloned();
        writer.write_record(own.chain(why).chain(beyond)).map_err(failed)
    }

    /// Writes out what is kept.
    pub(super) fn finish(mut self) -> Result<(), ImportError> {
        let (Some(writer), Some(path)) = (&mut self.writer, self.path) else { return Ok(()) };
        writer.flush().map_err(|source| ImportError::Write { path, source })
    }
}

fn create(path: &Path) -> Result<File, ImportError> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| ImportError::Write { path: path.to_owned(), source })
}
