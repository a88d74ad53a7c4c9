//! From a store to the files of a report: one panel, every study on it, one document, and the bytes written down.

use crate::gather::{self, GatherError};
use crate::store::{Store, StoreError};
use broadgauge_model::text::Lang;
use broadgauge_reports::doc::{self, Document, operator};
use broadgauge_reports::render::{RenderError, Renderer, chart, html::Html, json::Json};
use broadgauge_reports::study::{
    balance, closed_loop, complaints, expectation, handling, peers, satisfaction as satisfied, silent,
};
use std::io;
use std::path::{Path, PathBuf};

/// What a report is asked to say.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which part of the store.
    pub gather: gather::Request,
    /// What is asked of the comparison.
    pub peers: peers::Query,
    /// What is asked of the complaints.
    pub complaints: complaints::Query,
    /// Whether the report leaves the team: small groups are then not shown.
    pub shared: bool,
}

impl Request {
    /// The usual report of an operator.
    pub fn of(own: &str) -> Self {
        Self {
            gather: gather::Request { own: own.to_owned(), ..gather::Request::default() },
            peers: peers::Query::of(own),
            complaints: complaints::Query::of(own),
            shared: true,
        }
    }
}

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One self-contained page.
    #[default]
    Html,
    /// The numbers and words as JSON.
    Json,
}

/// A report, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportName {
    /// Where the operator stands beside its peers.
    Operator,
    /// What customers complain about.
    Complaints,
    /// What customers expect, and who suffers in silence.
    Expectation,
    /// What to fix first, and what the fixes did.
    Actions,
    /// How satisfied customers are, from a survey.
    Satisfaction,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// There is no store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot give a panel.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// There is no such chart.
    #[error("no chart is called {name:?}; charts by report: {known}")]
    NoSuchChart {
        /// What was asked for.
        name: String,
        /// What there is, report by report.
        known: String,
    },
    /// The document cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The operator's report.
pub fn operator(store: &dyn Store, request: &Request) -> Result<Document, PublishError> {
    let panel = gather::panel(store, &request.gather)?;
    let peers = peers::study(&panel, &request.peers);
    // This report shows bands, contrasts and the case-crossover; the report on complaints shows the rest.
    let asked = complaints::Query { all_views: false, ..request.complaints.clone() };
    let complaints = complaints::study(&panel, &asked);
    let query = operator::Query {
        peak: request.peers.peak,
        shared: request.shared,
        seed: request.peers.seed,
        ..operator::Query::of(request.gather.own.as_str())
    };
    Ok(operator::write(&panel, operator::Studies { peers: &peers, complaints: &complaints }, &query))
}

/// What the reports on expectation and on actions are asked to say.
#[derive(Clone, Debug)]
pub struct LoopRequest {
    /// Which part of the store.
    pub gather: gather::Request,
    /// What is asked of the expectations.
    pub expectation: expectation::Query,
    /// What is asked about the silent.
    pub silent: silent::Query,
    /// What is asked of the balance.
    pub balance: balance::Query,
    /// What is asked of the actions.
    pub closed_loop: closed_loop::Query,
}

impl LoopRequest {
    /// The usual reports of an operator.
    pub fn of(own: &str) -> Self {
        Self {
            gather: gather::Request { own: own.to_owned(), ..gather::Request::default() },
            expectation: expectation::Query::of(own),
            silent: silent::Query::of(own),
            balance: balance::Query::of(own),
            closed_loop: closed_loop::Query::of(own),
        }
    }
}

/// The report on expectation.
pub fn expectation(store: &dyn Store, request: &LoopRequest) -> Result<Document, PublishError> {
    let panel = gather::panel(store, &request.gather)?;
    let expected = expectation::study(&panel, &request.expectation);
    let silent = silent::study(&panel, &request.silent);
    let studies = doc::expectation::Studies { expectation: &expected, silent: &silent };
    Ok(doc::expectation::write(&panel, studies, &request.gather.own))
}

/// The report on actions.
pub fn actions(store: &dyn Store, request: &LoopRequest) -> Result<Document, PublishError> {
    let panel = gather::panel(store, &request.gather)?;
    let balance = balance::study(&panel, &request.balance);
    let closed = closed_loop::study(&panel, &request.closed_loop);
    let studies = doc::actions::Studies { balance: &balance, closed_loop: &closed };
    Ok(doc::actions::write(&panel, studies, &request.gather.own))
}

/// The report on complaints.
pub fn complaints(
    store: &dyn Store,
    request: &Request,
    handling: &handling::Query,
) -> Result<Document, PublishError> {
    let panel = gather::panel(store, &request.gather)?;
    let complaints = complaints::study(&panel, &request.complaints);
    let handling = handling::study(&panel, handling);
    let query = operator::Query {
        shared: request.shared,
        seed: request.complaints.seed,
        ..operator::Query::of(request.gather.own.as_str())
    };
    let studies = doc::complaints::Studies { complaints: &complaints, handling: &handling };
    Ok(doc::complaints::write(&panel, studies, &query))
}

/// The report on satisfaction.
pub fn satisfaction(
    store: &dyn Store,
    request: &gather::Request,
    asked: &satisfied::Query,
) -> Result<Document, PublishError> {
    let survey = gather::survey(store, request, asked)?;
    let query = doc::satisfaction::Query {
        target: asked.model.target.clone(),
        segments: asked.segments.clone(),
        ..doc::satisfaction::Query::of(request.own.as_str())
    };
    Ok(doc::satisfaction::write(&satisfied::study(&survey, asked), &query))
}

/// The first of these reports that has a chart of this name. One that a store without a survey cannot give is passed over
/// where there are others.
pub fn with_chart(
    name: &str,
    reports: &[ReportName],
    mut make: impl FnMut(ReportName) -> Result<Document, PublishError>,
) -> Result<Document, PublishError> {
    let mut known = Vec::new();
    for report in reports {
        let document = match make(*report) {
            Err(PublishError::Gather(GatherError::NoSurvey)) if reports.len() > 1 => {
                known.push("satisfaction: none, because the store holds no survey".to_owned());
                continue;
            }
            made => made?,
        };
        if document.figure(name).is_some() {
            return Ok(document);
        }
        let names = document.figure_names();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        known.push(format!("{}: {names}", document.name));
    }
    Err(PublishError::NoSuchChart { name: name.to_owned(), known: known.join("; ") })
}

/// Writes a document to a file, and the data of each chart beside it in `NAME-data`. Returns every path, the
/// document's first.
pub fn write(
    document: &Document,
    lang: Lang,
    format: Format,
    path: &Path,
) -> Result<Vec<PathBuf>, PublishError> {
    let bytes = match format {
        Format::Html => Html.render(document, lang)?,
        Format::Json => Json.render(document, lang)?,
    };
    put(path, &bytes)?;
    let mut written = vec![path.to_owned()];
    if format == Format::Html {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = path.with_file_name(format!("{stem}-data"));
        std::fs::create_dir_all(&folder)
            .map_err(|source| PublishError::Write { path: folder.clone(), source })?;
        for (name, bytes) in chart::data_files(document, lang) {
            let file = folder.join(name);
            put(&file, &bytes)?;
            written.push(file);
        }
    }
    Ok(written)
}

/// Writes bytes to a file.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    std::fs::write(path, bytes).map_err(|source| PublishError::Write { path: path.to_owned(), source })
}
