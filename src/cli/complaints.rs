//! `broadgauge complaints`: what complaints are about, by rules or by a model of one's own labels.

use super::{Ended, Failure, Outcome, out};
use crate::complaints::{self, Labelled, Model, Report, TAXONOMY, Verdict};
use crate::import::{self, Reading};
use crate::store;
use anyhow::{Context as _, anyhow};
use broadgauge_model::complaint::Class;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Say what complaints are about, and learn it from labels
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Judge the complaints of a store one by one: class, kind, how sure, and by which words
    Classify(Classify),
    /// Hold the shipped rules, or a trained model, against labels
    Check(Check),
    /// Train a model on labels, and say how it fares on those left out
    Train(Train),
    /// The kinds of complaints, and what MIIT, FCC and Ofcom call them
    Taxonomy(Taxonomy),
}

#[derive(clap::Args)]
struct Taxonomy {
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Classify {
    /// The store: a path
    #[arg(long, value_name = "STORE", default_value = "broadgauge.db")]
    store: String,
    /// A model made by `complaints train`; the shipped rules where left out
    #[arg(long, value_name = "MODEL.json")]
    model: Option<PathBuf>,
    /// Keep these verdicts in the store; what the operator itself said stays
    #[arg(long)]
    write: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Labels {
    /// A table with the complaints' words
    file: PathBuf,
    /// Its column with the words
    #[arg(long, value_name = "COLUMN", default_value = "text")]
    text: String,
    /// The column with the class: network, billing, service or unsure
    #[arg(long, value_name = "COLUMN", default_value = "class")]
    class: String,
    /// A table with the classes, where they stand in another file
    #[arg(long = "labels", value_name = "FILE", requires = "id")]
    classes_file: Option<PathBuf>,
    /// The column by which the two belong together: FILE's, then LABELS' after a colon where it differs
    #[arg(long, value_name = "COLUMN[:COLUMN]")]
    id: Option<String>,
    /// Fixes the folds and the resamples
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON document rather than a table
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Check {
    #[command(flatten)]
    labels: Labels,
    /// A model made by `complaints train` on other labels; the shipped rules where left out
    #[arg(long, value_name = "MODEL.json")]
    model: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Train {
    #[command(flatten)]
    labels: Labels,
    /// Where to write the model
    #[arg(short, long, value_name = "MODEL.json")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> Outcome {
    match args.what {
        What::Classify(args) => classify(&args),
        What::Taxonomy(args) => {
            taxonomy(&args);
            Ok(Ended::Done)
        }
        What::Check(args) => {
            let labelled = args.labels.read()?;
            let model = args.model.as_deref().map(read_model).transpose()?;
            let report =
                complaints::judge(&labelled, model.as_ref(), args.labels.seed).map_err(Failure::input)?;
            tell(&report, args.labels.json);
            Ok(Ended::Done)
        }
        What::Train(args) => {
            let labelled = args.labels.read()?;
            let (model, report) = complaints::train(&labelled, args.labels.seed).map_err(Failure::input)?;
            let bytes = model.write().map_err(Failure::input)?;
            std::fs::write(&args.out, bytes)
                .with_context(|| format!("cannot write the model {}", args.out.display()))
                .map_err(Failure::input)?;
            tell(&report, args.labels.json);
            Ok(Ended::Done)
        }
    }
}

#[derive(Serialize)]
struct Judged<'a> {
    complaint_id: &'a str,
    #[serde(flatten)]
    verdict: &'a Verdict,
    miit: Option<&'static str>,
    fcc: Option<&'static str>,
    ofcom: Option<&'static str>,
}

impl<'a> Judged<'a> {
    fn of(complaint_id: &'a str, verdict: &'a Verdict) -> Self {
        let kind = verdict.kind.and_then(|kind| TAXONOMY.kind(kind));
        Self {
            complaint_id,
            verdict,
            miit: kind.map(|k| k.miit.as_str()),
            fcc: kind.map(|k| k.fcc.as_str()),
            ofcom: kind.map(|k| k.ofcom.as_str()),
        }
    }
}

fn classify(args: &Classify) -> Outcome {
    let model = args.model.as_deref().map(read_model).transpose()?;
    let store = store::open_existing(&args.store).map_err(Failure::input)?;
    let mut counts = [0_u64; 4];
    let mut judged = Vec::new();
    for mut complaint in store.complaints(None, None).map_err(Failure::input)? {
        let Some(text) = &complaint.text else { continue };
        let verdict = complaints::verdict(text, model.as_ref());
        counts[Class::ALL.iter().position(|c| *c == verdict.class).unwrap_or(3)] += 1;
        if args.json {
            let judged = Judged::of(&complaint.complaint_id, &verdict);
            out::line(&serde_json::to_string(&judged).map_err(Failure::input)?);
        } else {
            out::line(&format!(
                "{}  {:<8}{:<14}{:.2}  {}",
                complaint.complaint_id,
                verdict.class.word(),
                verdict.kind.unwrap_or("-"),
                verdict.confidence,
                verdict.words.join(", ")
            ));
        }
        if complaint.class_by.as_deref() != Some(complaints::OPERATOR) {
            verdict.tell(&mut complaint);
            judged.push(complaint);
        }
    }
    if args.write {
        let tally = store.put_complaints(&judged).map_err(Failure::input)?;
        out::talk(&format!("{} complaints judged anew in the store", tally.changed));
    }
    let told: Vec<String> =
        Class::ALL.iter().zip(counts).map(|(class, n)| format!("{} {n}", class.word())).collect();
    out::talk(&told.join(", "));
    Ok(Ended::Done)
}

fn taxonomy(args: &Taxonomy) {
    if args.json {
        out::json(&*TAXONOMY);
        return;
    }
    for kind in &TAXONOMY.kinds {
        let class = kind.class.word();
        out::line(&format!(
            "{class:<8}{:<14}{:<28} MIIT {}; FCC {}; Ofcom {}",
            kind.id, kind.en, kind.miit, kind.fcc, kind.ofcom
        ));
    }
}

fn read_model(path: &Path) -> Result<Model, Failure> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}")).map_err(Failure::input)?;
    Model::read(&bytes).with_context(|| name.to_string()).map_err(Failure::input)
}

impl Labels {
    fn read(&self) -> Result<Vec<Labelled>, Failure> {
        let class = |word: &str| word.parse::<Class>().map_err(|e| Failure::input(anyhow!(e)));
        let table = |path: &Path, names: &[&str]| {
            import::columns(path, &Reading::default(), names).map_err(Failure::input)
        };
        let (Some(labels), Some(id)) = (&self.classes_file, &self.id) else {
            let rows = table(&self.file, &[&self.text, &self.class])?;
            let given = rows.into_iter().filter(|row| !row[1].is_empty());
            return given.map(|row| Ok(Labelled { class: class(&row[1])?, text: row[0].clone() })).collect();
        };
        let (left, right) = id.split_once(':').unwrap_or((id, id));
        let texts: HashMap<String, String> = table(&self.file, &[left, &self.text])?
            .into_iter()
            .map(|mut row| (std::mem::take(&mut row[0]), std::mem::take(&mut row[1])))
            .collect();
        let mut missing = 0_u64;
        let mut labelled = Vec::new();
        for row in table(labels, &[right, &self.class])? {
            match texts.get(&row[0]) {
                Some(text) => labelled.push(Labelled { class: class(&row[1])?, text: text.clone() }),
                None => missing += 1,
            }
        }
        if missing > 0 {
            out::talk(&format!("{missing} labels name no row of {}", self.file.display()));
        }
        Ok(labelled)
    }
}

fn tell(report: &Report, json: bool) {
    if json {
        out::json(report);
        return;
    }
    let (low, high) = report.interval;
    let mut text = format!(
        "{}: macro-F1 {:.3} [{low:.3}, {high:.3}], accuracy {:.3}, {} labels\n\n{:<10}",
        report.by, report.macro_f1, report.accuracy, report.labels, "label"
    );
    for class in Class::ALL {
        let _ = write!(text, "{:>9}", class.word());
    }
    let _ = writeln!(text, "{:>9}", "F1");
    for (class, (row, f1)) in Class::ALL.iter().zip(report.confusion.iter().zip(report.f1)) {
        let _ = write!(text, "{:<10}", class.word());
        for count in row {
            let _ = write!(text, "{count:>9}");
        }
        let _ = writeln!(text, "{:>9}", f1.map_or_else(|| "-".into(), |f1| format!("{f1:.3}")));
    }
    out::line(text.trim_end());
}
