//! `broadgauge import`: other people's tables, into the store.

use super::{Ended, Failure, Outcome, out};
use crate::import::{self, Kind, Reading, Request};
use crate::store::{self, Store, StoreError};
use std::cell::OnceCell;
use std::path::PathBuf;

/// Take in tables of lines, results, complaints, utilisation, actions, reputation or survey answers (CSV, XLSX, XLS, ODS), and other tools' own results
#[derive(clap::Args)]
#[command(
    after_help = "A bad row is refused and told with its file, line, column and reason; the others are stored, \
and the exit code is 4. Importing a file again changes nothing."
)]
pub struct Args {
    /// What the files hold: lines, results, complaints, utilisation, actions, reputation or survey
    kind: Kind,
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The store: a path
    #[arg(long, value_name = "STORE", default_value = "broadgauge.db")]
    store: String,
    /// How the files' headers, units, times and spellings become ours
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// Write nothing: say what would be stored
    #[arg(long)]
    dry_run: bool,
    /// Keep refused rows here, with the reason
    #[arg(long, value_name = "FILE")]
    reject_file: Option<PathBuf>,
    /// The key under which ticket numbers and respondents become pseudonyms; complaints and surveys need one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Make that key
    #[arg(long, requires = "key")]
    new_key: bool,
    /// For complaints: a model made by `complaints train` that judges those without a class, the shipped rules where left out;
    /// for a survey: the model that names its items, the index of seven constructs where left out
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// The encoding of text files, such as gb18030; found by itself where left out
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// What stands between two cells of a text file: , where left out
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<char>,
    /// The sheet of a spreadsheet: the first where left out
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The line that holds the headers: 1 where left out
    #[arg(long, value_name = "LINE", value_parser = clap::value_parser!(u64).range(1..))]
    header_row: Option<u64>,
    /// When a run of ping or an interval log was started, where the file does not say: 2026-05-04T20:00:00Z
    #[arg(long, value_name = "TIME")]
    started_at: Option<String>,
    /// How long ping waited between two questions, where its output does not say: 1000 without -i
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    interval_ms: Option<u64>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let request = Request {
        kind: args.kind,
        files: args.files,
        map: args.map,
        reading: Reading {
            encoding: args.encoding,
            delimiter: args.delimiter,
            sheet: args.sheet,
            header_row: args.header_row,
            started_at: args.started_at,
            interval_ms: args.interval_ms,
            ..Reading::default()
        },
        dry_run: args.dry_run,
        reject_file: args.reject_file,
        key: args.key,
        new_key: args.new_key,
        model: args.model,
    };
    let store = OnceCell::new();
    let mut open = || -> Result<&dyn Store, StoreError> {
        let opened = store::open(&args.store)?;
        Ok(store.get_or_init(|| opened).as_ref())
    };
    let bar = out::progress("reading");
    let told = |p: import::Progress<'_>| bar.set_message(format!("{}: {} rows", p.file, p.rows));
    let summary = import::run_into(&request, &mut open, &mut { told });
    bar.finish_and_clear();
    let summary = summary.map_err(Failure::input)?;
    for file in summary.files.iter().filter(|file| file.rows_of_unknown_lines > 0) {
        out::talk(&format!(
            "{}: {} of {} rows are of lines that nobody described, and no study uses them until `broadgauge import lines` \
             names their operator",
            file.file, file.rows_of_unknown_lines, file.rows_read
        ));
    }
    if args.json {
        out::json(&summary);
    } else {
        for file in &summary.files {
            out::data(&file.to_string());
        }
        if summary.dry_run {
            out::talk("dry run: nothing was written");
        }
    }
    Ok(if summary.refused() > 0 { Ended::Partly } else { Ended::Done })
}
