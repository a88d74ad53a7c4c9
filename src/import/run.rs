//! From files to the store, a few thousand records at a time.

use super::draft::{Assumed, Draft, Fault};
use super::error::ImportError;
use super::foreign;
use super::kind::Kind;
use super::map::Map;
use super::map_read;
use super::plan::{Plan, bind};
use super::pseudonym::Pseudonyms;
use super::reject::Rejects;
use super::rows::{Record, read};
use super::seen::Seen;
use super::summary::{FileSummary, Refusal, SHOWN, Skipped, Summary};
use super::table::{Reading, Row, Table};
use crate::complaints::Model;
use crate::store::{Entry, Memory, Source, SourceKind, Store, StoreError};
use crate::survey;
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::Values;
use broadgauge_reports::study::satisfaction::SurveyModel;
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::{Path, PathBuf};

/// Records that go to the store at once.
const BATCH: usize = 4_000;
/// A packed file is held in memory: what unpacks to more is refused.
const MOST_UNPACKED: u64 = 2 << 30;
/// Records shown by a dry run.
const PREVIEW: usize = 5;

/// What to import, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// What the files hold.
    pub kind: Kind,
    /// The files.
    pub files: Vec<PathBuf>,
    /// The map, where the files do not have our own headers.
    pub map: Option<PathBuf>,
    /// How to read the files, where the map does not say or is to be overridden.
    pub reading: Reading,
    /// Write nothing: say what would be stored.
    pub dry_run: bool,
    /// Where refused rows are kept.
    pub reject_file: Option<PathBuf>,
    /// The key for pseudonyms; complaints and surveys need one.
    pub key: Option<PathBuf>,
    /// Make the key.
    pub new_key: bool,
    /// A trained model that says what complaints are about, the shipped rules where left out; or the items of a survey,
    /// those of the standard model where left out.
    pub model: Option<PathBuf>,
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// The file.
    pub file: &'a str,
    /// Rows read so far.
    pub rows: u64,
}

/// Imports files into a store.
pub fn run(
    request: &Request,
    store: &dyn Store,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, ImportError> {
    run_into(request, &mut || Ok(store), progress)
}

/// Imports files into a store that is opened once the first of them is known to be a table that can be read: a refused
/// file leaves no new store behind, and a dry run opens none.
pub fn run_into<'s>(
    request: &Request,
    open_store: &mut dyn FnMut() -> Result<&'s dyn Store, StoreError>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Summary, ImportError> {
    let map = match &request.map {
        None => Map::plain(request.kind),
        Some(path) => map_read::open(path)?,
    };
    if map.kind != request.kind {
        let path = request.map.as_deref().unwrap_or(Path::new("map")).display().to_string();
        let message = format!("kind: the map is for {}, not for {}", map.kind.word(), request.kind.word());
        return Err(ImportError::Map { path, message });
    }
    let map = Map { read: map.read.clone().overridden_by(request.reading.clone()), ..map };
    // Before the key, which is made once: a bad model must not leave one behind.
    let model = model(request)?;
    let survey = survey_model(request)?;
    let mut pseudonyms = pseudonyms(request)?;
    let scratch = Memory::default();
    let mut store: Option<&dyn Store> = request.dry_run.then_some(&scratch);
    let mut rejects = Rejects::new(request.reject_file.as_deref());
    let mut summary = Summary { kind: map.kind.word(), dry_run: request.dry_run, files: Vec::new() };
    for path in &request.files {
        let table = open(path, map.kind, &map.read)?;
        let plan = planned(&map, &table, survey.as_ref())?;
        let store = if let Some(store) = store {
            store
        } else {
            let opened = open_store()?;
            pseudonyms = new_key(request)?.or(pseudonyms);
            *store.insert(opened)
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut importer =
            Importer::new(&map, (table, plan), &name, pseudonyms.as_ref(), store, &mut rejects)?;
        importer.model = model.as_ref();
        importer.preview = if request.dry_run { PREVIEW } else { 0 };
        importer.summary.dry_run = request.dry_run;
        if request.kind == Kind::Results && !request.dry_run {
            let lines =
                store.lines().map_err(|source| ImportError::Store { file: name.clone(), rows: 0, source })?;
            importer.lines = Some(lines.into_iter().map(|line| line.line_id).collect());
        }
        summary.files.push(importer.run(progress)?);
    }
    rejects.finish()?;
    Ok(summary)
}

/// Opens a table; results may also come in another tool's own file, and either may be packed with gzip.
fn open(path: &Path, kind: Kind, reading: &Reading) -> Result<Table, ImportError> {
    let unread = |source| ImportError::Read { path: path.to_owned(), source };
    let name = path.display().to_string();
    if let Some(bytes) = unpacked(path).map_err(unread)? {
        let foreign = match kind {
            Kind::Results if foreign::begins(&bytes) => foreign_table(&name, &bytes, reading)?,
            _ => None,
        };
        return foreign.map_or_else(|| Table::of_bytes(&name, bytes, reading), Ok);
    }
    if kind == Kind::Results && foreign::is_one(path).map_err(unread)? {
        let bytes = std::fs::read(path).map_err(unread)?;
        if let Some(table) = foreign_table(&name, &bytes, reading)? {
            return Ok(table);
        }
    }
    Table::open(path, reading)
}

/// What a file packed with gzip holds; `None` where it is not packed.
fn unpacked(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut magic = [0; 2];
    let read = file.read(&mut magic)?;
    if magic[..read] != [0x1f, 0x8b] {
        return Ok(None);
    }
    file.rewind()?;
    let mut bytes = Vec::new();
    MultiGzDecoder::new(file).take(MOST_UNPACKED + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_UNPACKED {
        return Err(std::io::Error::other("unpacks to more than 2 GiB: unpack it, and cut it into parts"));
    }
    Ok(Some(bytes))
}

/// Another tool's file as a table of results; `None` where it is none.
fn foreign_table(name: &str, bytes: &[u8], reading: &Reading) -> Result<Option<Table>, ImportError> {
    let wrong = |message| ImportError::Table { file: name.to_owned(), message };
    let Some(found) = foreign::read(bytes, reading).map_err(wrong)? else { return Ok(None) };
    tracing::info!(file = name, tool = found.tool, rows = found.rows.len() - 1, "another tool's file");
    let reading = Reading { header_row: None, ..reading.clone() };
    let mut table = Table::from_rows(name.to_owned(), found.rows, &reading)?;
    table.left_out = found.left_out;
    table.histograms = found.histograms;
    Ok(Some(table))
}

/// Reads a text table, or another tool's results, from memory and keeps nothing: for fuzzing, and to try a map.
pub fn check_bytes(kind: Kind, bytes: Vec<u8>, map: Option<&str>) -> Result<FileSummary, ImportError> {
    checked(kind, bytes, map, None)
}

/// The same of a survey of this model.
pub fn check_survey(model: &SurveyModel, bytes: Vec<u8>) -> Result<FileSummary, ImportError> {
    checked(Kind::Survey, bytes, None, Some(model))
}

fn checked(
    kind: Kind,
    bytes: Vec<u8>,
    map: Option<&str>,
    survey: Option<&SurveyModel>,
) -> Result<FileSummary, ImportError> {
    let map = map.map_or_else(|| Ok(Map::plain(kind)), |text| map_read::parse("map", text))?;
    let foreign = match kind {
        Kind::Results if foreign::begins(&bytes) => foreign_table("table", &bytes, &map.read)?,
        _ => None,
    };
    let table = foreign.map_or_else(|| Table::of_bytes("table", bytes, &map.read), Ok)?;
    let (store, pseudonyms, mut rejects) = (Memory::default(), Pseudonyms::new([0; 32]), Rejects::new(None));
    let standard = (kind == Kind::Survey).then(SurveyModel::standard);
    let plan = planned(&map, &table, survey.or(standard.as_ref()))?;
    Importer::new(&map, (table, plan), "table", Some(&pseudonyms), &store, &mut rejects)?.run(&mut |_| {})
}

/// How the rows of a table are read.
fn planned(map: &Map, table: &Table, survey: Option<&SurveyModel>) -> Result<Plan, ImportError> {
    bind(map, table, survey).map_err(|message| ImportError::Table { file: table.name.clone(), message })
}

/// Makes the key, where it is to be made. It is made once, so no fault of a file may leave it behind.
fn new_key(request: &Request) -> Result<Option<Pseudonyms>, ImportError> {
    let path = request.key.as_ref().filter(|_| request.new_key);
    path.map(|path| Pseudonyms::create(path, rand::random())).transpose()
}

/// The key that is there.
fn pseudonyms(request: &Request) -> Result<Option<Pseudonyms>, ImportError> {
    match (&request.key, request.new_key) {
        (Some(_), true) if !request.dry_run => Ok(None),
        (Some(path), false) => Pseudonyms::open(path).map(Some),
        // A preview does not need the key, and makes none.
        _ if request.dry_run => Ok(Some(Pseudonyms::new(rand::random()))),
        _ if request.kind == Kind::Complaints => Err(ImportError::NoKey("complaints")),
        _ if request.kind == Kind::Survey => Err(ImportError::NoKey("answers to a survey")),
        _ => Ok(None),
    }
}

/// The model that judges complaints, where one is named.
fn model(request: &Request) -> Result<Option<Model>, ImportError> {
    let Some(path) = &request.model else { return Ok(None) };
    match request.kind {
        Kind::Complaints => {}
        Kind::Survey => return Ok(None),
        other => return Err(ImportError::NoUseForModel(other.word())),
    }
    let bytes = std::fs::read(path).map_err(|source| ImportError::Read { path: path.clone(), source })?;
    let read = Model::read(&bytes);
    read.map(Some).map_err(|source| ImportError::Model { path: path.clone(), source })
}

/// The items of a survey.
fn survey_model(request: &Request) -> Result<Option<SurveyModel>, ImportError> {
    if request.kind != Kind::Survey {
        return Ok(None);
    }
    Ok(Some(survey::model(request.model.as_deref())?))
}

struct Importer<'a> {
    table: Table,
    plan: Plan,
    source: Source,
    pseudonyms: Option<&'a Pseudonyms>,
    model: Option<&'a Model>,
    store: &'a dyn Store,
    rejects: &'a mut Rejects,
    assumed: Assumed,
    skipped: Vec<u64>,
    seen: Seen,
    /// Which of the plan's replaced columns hold anything.
    replaced: Vec<bool>,
    /// The lines that somebody described, where that matters.
    lines: Option<HashSet<String>>,
    rows: Vec<Row>,
    pending: Vec<(usize, Record)>,
    preview: usize,
    summary: FileSummary,
}

impl<'a> Importer<'a> {
    fn new(
        map: &Map,
        (table, plan): (Table, Plan),
        name: &str,
        pseudonyms: Option<&'a Pseudonyms>,
        store: &'a dyn Store,
        rejects: &'a mut Rejects,
    ) -> Result<Self, ImportError> {
        rejects.headers(&table.name, &table.headers)?;
        let kind = if map.made { SourceKind::Made } else { SourceKind::Imported };
        let source = Source { kind, name: map.source.clone().unwrap_or_else(|| name.to_owned()) };
        let replaced = vec![false; plan.replaced.len()];
        Ok(Self {
            summary: FileSummary::start(&table, &plan.unknown),
            skipped: vec![0; plan.skips.len()],
            table,
            plan,
            source,
            pseudonyms,
            model: None,
            store,
            rejects,
            assumed: Assumed::default(),
            seen: Seen::default(),
            replaced,
            lines: None,
            rows: Vec::new(),
            pending: Vec::new(),
            preview: 0,
        })
    }

    fn run(mut self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<FileSummary, ImportError> {
        while let Some(row) = self.table.next_row()? {
            self.summary.rows_read += 1;
            if self.summary.rows_read.is_multiple_of(1_000) {
                progress(Progress { file: &self.table.name, rows: self.summary.rows_read });
            }
            self.take(row)?;
            if self.pending.len() >= BATCH {
                self.store_pending()?;
            }
        }
        self.store_pending()?;
        let rules = self.plan.skips.iter().zip(&self.skipped);
        let by_rule = rules.map(|(s, count)| Skipped { reason: s.rule.reason.clone(), count: *count });
        let by_the_reader = std::mem::take(&mut self.table.left_out).into_iter();
        self.summary.rows_skipped =
            by_rule.chain(by_the_reader.map(|(reason, count)| Skipped { reason, count })).collect();
        let replaced = self.plan.replaced.iter().zip(&self.replaced).filter(|(_, used)| **used);
        self.summary.replaced_columns = replaced.map(|(i, _)| self.table.headers[*i].clone()).collect();
        self.summary.undecodable_characters = self.table.replaced();
        self.summary.assumed(self.assumed);
        Ok(self.summary)
    }

    fn take(&mut self, row: Row) -> Result<(), ImportError> {
        if let Some(reason) = self.table.misfit(&row) {
            return self.refuse(&row, &[Fault::row(reason)]);
        }
        if let Some(rule) = Draft::skipped(&self.plan, &row) {
            self.skipped[rule] += 1;
            return Ok(());
        }
        for (column, holds) in self.plan.replaced.iter().zip(&mut self.replaced) {
            *holds |= row.cells.get(*column).is_some_and(|cell| !cell.is_empty());
        }
        let mut reading = read(&self.plan, &row, self.pseudonyms, self.model, &mut self.assumed);
        self.summary.values_missing += reading.missing;
        self.summary.masked.add(reading.masked);
        if let Some(fault) = reading.records.first().and_then(|record| self.clash(record, row.line)) {
            reading.records.clear();
            reading.faults.push(fault);
        }
        if !reading.faults.is_empty() {
            self.refuse(&row, &reading.faults)?;
        }
        if let (Some(lines), Some(Record::Result(entry))) = (&self.lines, reading.records.first())
            && !lines.contains(&entry.sample.line_id)
        {
            self.summary.rows_of_unknown_lines += 1;
        }
        for record in reading.records {
            if self.summary.preview.len() < self.preview {
                self.summary.preview.push(shown(&record));
            }
            self.pending.push((self.rows.len(), record));
        }
        self.rows.push(row);
        Ok(())
    }

    /// Two rows of one file with one name and two meanings.
    fn clash(&mut self, record: &Record, line: u64) -> Option<Fault> {
        let first = self.seen.clash(record, line)?;
        let (column, name) = match self.plan.kind {
            Kind::Lines => ("line_id", "line_id"),
            Kind::Actions => ("action_id", "action_id"),
            Kind::Utilisation => ("node", "node, time and direction"),
            Kind::Reputation => ("region", "region, month, operator and source"),
            Kind::Survey => ("respondent_id", "respondent and time"),
            Kind::Complaints | Kind::Results => ("complaint_id", "complaint_id"),
        };
        let header = self.plan.columns.iter().find(|c| c.field.name == column).map_or(column, |c| &c.header);
        let reason = format!(
            "the same {name} stands on line {first} with other content, and that line is kept: mend the file, so that \
             each stands once"
        );
        Some(Fault::at(header, reason))
    }

    fn refuse(&mut self, row: &Row, faults: &[Fault]) -> Result<(), ImportError> {
        self.summary.rows_refused += 1;
        for fault in faults {
            if self.summary.refusals.len() < SHOWN {
                self.summary.refusals.push(Refusal {
                    file: self.table.name.clone(),
                    line: row.line,
                    column: fault.column.clone(),
                    reason: fault.reason.clone(),
                });
            }
        }
        self.rejects.keep(&self.table.name, &self.table.headers, row, faults)
    }

    fn store_pending(&mut self) -> Result<(), ImportError> {
        let pending = std::mem::take(&mut self.pending);
        let rows = std::mem::take(&mut self.rows);
        let rejected = self.put(&pending).map_err(|source| ImportError::Store {
            file: self.table.name.clone(),
            rows: self.summary.rows_read,
            source,
        })?;
        let mut rejected: BTreeMap<usize, String> = rejected.into_iter().collect();
        let mut faults: Vec<(usize, Vec<Fault>)> = Vec::new();
        for (place, (row, record)) in pending.iter().enumerate() {
            let Some(reason) = rejected.remove(&place) else {
                self.seen.kept(record, rows[*row].line);
                continue;
            };
            let reason = match self.seen.keeper(record) {
                Some(line) => format!("{reason}; line {line} of this file says what stays"),
                None => reason,
            };
            match faults.last_mut() {
                Some((last, all)) if last == row => all.push(Fault::row(reason)),
                _ => faults.push((*row, vec![Fault::row(reason)])),
            }
        }
        faults.iter().try_for_each(|(row, faults)| self.refuse(&rows[*row], faults))
    }

    /// Writes records, and gives back those that the store rejects by their place.
    fn put(&mut self, pending: &[(usize, Record)]) -> Result<Vec<(usize, String)>, StoreError> {
        let mut lines: Vec<AccessLine> = Vec::new();
        let mut complaints: Vec<Complaint> = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        let (mut loads, mut actions, mut said, mut answers) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (_, record) in pending {
            match record {
                Record::Line(line) => lines.push((**line).clone()),
                Record::Complaint(complaint) => complaints.push((**complaint).clone()),
                Record::Result(entry) => entries.push((**entry).clone()),
                Record::Utilisation(load) => loads.push((**load).clone()),
                Record::Action(action) => actions.push((**action).clone()),
                Record::Reputation(one) => said.push((**one).clone()),
                Record::Response(one) => answers.push((**one).clone()),
            }
        }
        let mut tally = crate::store::Tally::default();
        if !lines.is_empty() {
            tally.add(self.store.put_lines(&lines)?);
        }
        if !complaints.is_empty() {
            tally.add(self.store.put_complaints(&complaints)?);
        }
        if !loads.is_empty() {
            tally.add(self.store.put_utilisation(&loads)?);
        }
        if !actions.is_empty() {
            tally.add(self.store.put_actions(&actions)?);
        }
        if !said.is_empty() {
            tally.add(self.store.put_reputation(&said)?);
        }
        if !answers.is_empty() {
            tally.add(self.store.put_responses(&answers)?);
        }
        self.summary.stored += tally.added;
        self.summary.updated += tally.changed;
        self.summary.unchanged += tally.unchanged;
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let receipt = self.store.put_entries(&self.source, &entries)?;
        self.summary.stored += receipt.stored;
        self.summary.unchanged += receipt.already;
        Ok(receipt.rejected.into_iter().map(|r| (r.number as usize, r.reason)).collect())
    }
}

fn shown(record: &Record) -> String {
    let json = match record {
        Record::Line(line) => serde_json::to_value(line),
        Record::Complaint(complaint) => serde_json::to_value(complaint),
        Record::Utilisation(load) => serde_json::to_value(load),
        Record::Action(action) => serde_json::to_value(action),
        Record::Reputation(said) => serde_json::to_value(said),
        Record::Response(response) => serde_json::to_value(response),
        Record::Result(entry) => {
            let sample = &entry.sample;
            let values = match &sample.values {
                Values::Histogram(held) => {
                    let median = held.quantile(0.5).unwrap_or(0) as f64 * sample.metric.tick;
                    format!("{} values around {median:.3}", held.len())
                }
                other => format!("{other:?}"),
            };
            return format!(
                "{} {} {values} {} ({:?}, load {}, {}) from {} by {}",
                sample.line_id,
                sample.metric,
                sample.statistic.word(),
                entry.window,
                sample.load.word(),
                sample.direction.word(),
                sample.started_at.rfc3339(),
                sample.method
            );
        }
    };
    // Rows are plain data with text keys, so they always have a JSON text.
    let mut json = json.unwrap_or_default();
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        for (name, value) in fields {
            let time = value.as_i64().filter(|_| name.ends_with("_at") || name.starts_with("active_"));
            if let Some(ns) = time {
                *value = Wall(ns).rfc3339().into();
            }
        }
    }
    json.to_string()
}
