//! `broadgauge export`: what is stored, in other people's formats.

use super::{Ended, Failure, Outcome, out, pick};
use crate::{export, store};
use anyhow::{Context as _, anyhow};
use std::io::Write as _;
use std::path::PathBuf;

/// Write stored results in other tools' formats
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    format: Format,
}

#[derive(clap::Subcommand)]
enum Format {
    /// Every stored histogram as an HdrHistogram interval log, every bucket kept
    Hlog {
        /// The store: a path
        #[arg(long, value_name = "STORE", default_value = "broadgauge.db")]
        store: String,
        #[command(flatten)]
        pick: pick::PickResults,
        /// The file to write; - for stdout
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    let Format::Hlog { store, pick, output } = args.format;
    let store = store::open_existing(&store).map_err(Failure::input)?;
    let mut log = Vec::new();
    let exported = export::hlog(store.as_ref(), &pick.filter(), &mut log).map_err(Failure::input)?;
    if exported.histograms == 0 {
        return Err(Failure::input(anyhow!(
            "nothing to write: of the {} results chosen none has a histogram, and single numbers have no place in a log",
            exported.left_out
        )));
    }
    if output.as_os_str() == "-" {
        out::bytes(&log);
    } else {
        let path = output.display().to_string();
        std::fs::File::create(&output)
            .and_then(|mut file| file.write_all(&log))
            .with_context(|| format!("cannot write {path}"))
            .map_err(Failure::input)?;
    }
    out::talk(&format!(
        "{} histograms with {} singletons written; {} results have no histogram",
        exported.histograms, exported.singletons, exported.left_out
    ));
    Ok(Ended::Done)
}
