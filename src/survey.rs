//! Survey answers from a table, and the model file that says what they are about.

use crate::gather::Bound;
use crate::import::{self, ImportError, Reading};
use broadgauge_model::clock::Wall;
use broadgauge_model::panel::Period;
use broadgauge_reports::study::satisfaction::{
    self, Construct, Name, Satisfaction, Scheme, Survey, SurveyModel,
};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Why a survey was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The table could not be read.
    #[error(transparent)]
    Table(Box<ImportError>),
    /// The model file could not be read.
    #[error("cannot read the survey's model {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The model file is not of its form.
    #[error("the survey's model {path}: {message}")]
    Model {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// There is no row.
    #[error("{path}: holds no answers")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// A time is not one.
    #[error(
        "{path}: row {row}, column \"answered_at\": {value:?} is neither RFC 3339 nor a date as 2026-03-01"
    )]
    Time {
        /// Which file.
        path: PathBuf,
        /// Which respondent, from 1.
        row: usize,
        /// What stands there.
        value: String,
    },
    /// An answer is not a number.
    #[error("{path}: row {row}, column {column:?}: {value:?} is not a number")]
    Answer {
        /// Which file.
        path: PathBuf,
        /// Which respondent, from 1.
        row: usize,
        /// Which item.
        column: String,
        /// What stands there.
        value: String,
    },
}

impl From<ImportError> for SurveyError {
    fn from(error: ImportError) -> Self {
        Self::Table(Box::new(error))
    }
}

/// A survey, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The table: a row per respondent, a column per item.
    pub table: PathBuf,
    /// The model file; the index of seven constructs where `None`.
    pub model: Option<PathBuf>,
    /// The column whose values are segments.
    pub segment: Option<String>,
    /// How neighbours count in the search for weights.
    pub scheme: Scheme,
    /// Fixes everything that is random.
    pub seed: u64,
    /// Resamples behind an interval.
    pub replicates: usize,
}

impl Asked {
    /// The usual question.
    pub fn of(table: impl Into<PathBuf>) -> Self {
        let scheme = Scheme::Path;
        Self { table: table.into(), model: None, segment: None, scheme, seed: 1, replicates: 1_000 }
    }

    /// Reads the survey and puts the question.
    pub fn study(&self) -> Result<Satisfaction, SurveyError> {
        let model = model(self.model.as_deref())?;
        let answers = read(&self.table, &model, self.segment.as_deref())?;
        let query =
            satisfaction::Query { model, scheme: self.scheme, seed: self.seed, replicates: self.replicates };
        Ok(satisfaction::study(&answers, &query))
    }

    /// The construct that importance is about.
    pub fn target(&self) -> Result<String, SurveyError> {
        Ok(model(self.model.as_deref())?.target)
    }

    /// When the answers were given.
    pub fn period(&self) -> Result<Period, SurveyError> {
        period(&self.table)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenModel {
    scale: (f64, f64),
    target: String,
    paths: Vec<(String, String)>,
    construct: Vec<WrittenConstruct>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenConstruct {
    id: String,
    en: String,
    zh: String,
    items: Vec<String>,
    #[serde(default)]
    mode: Mode,
}

#[derive(Default, Deserialize, PartialEq)]
enum Mode {
    #[default]
    A,
    B,
}

/// Reads a scheme.
pub fn scheme(word: &str) -> Result<Scheme, String> {
    match word {
        "path" => Ok(Scheme::Path),
        "factorial" => Ok(Scheme::Factorial),
        "centroid" => Ok(Scheme::Centroid),
        _ => Err(format!("scheme {word:?} is not one of: path, factorial, centroid")),
    }
}

/// Reads a model file; the standard model where there is none.
fn model(path: Option<&Path>) -> Result<SurveyModel, SurveyError> {
    let Some(path) = path else { return Ok(SurveyModel::standard()) };
    let text =
        std::fs::read_to_string(path).map_err(|source| SurveyError::Read { path: path.into(), source })?;
    parsed(path, &text)
}

fn parsed(path: &Path, text: &str) -> Result<SurveyModel, SurveyError> {
    let wrong = |message: String| SurveyError::Model { path: path.into(), message };
    let written: WrittenModel = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
    if written.scale.0 >= written.scale.1 {
        return Err(wrong("scale: the lowest answer comes first, and the highest is larger".into()));
    }
    if !written.construct.iter().any(|c| c.id == written.target) {
        return Err(wrong(format!("target {:?} is not one of the constructs", written.target)));
    }
    let construct = |c: WrittenConstruct| Construct {
        id: c.id,
        name: Name { en: c.en, zh: c.zh },
        items: c.items,
        formed: c.mode == Mode::B,
    };
    Ok(SurveyModel {
        constructs: written.construct.into_iter().map(construct).collect(),
        paths: written.paths,
        scale: written.scale,
        target: written.target,
    })
}

/// Reads a model and a text table of answers from memory and keeps nothing: for fuzzing.
pub fn check_bytes(model: &str, table: Vec<u8>, segment: Option<&str>) -> Result<Survey, SurveyError> {
    let path = Path::new("table");
    let model = parsed(path, model)?;
    answers(path, &model, segment, |names| import::columns_of_bytes(table, names))
}

fn read(path: &Path, model: &SurveyModel, segment: Option<&str>) -> Result<Survey, SurveyError> {
    answers(path, model, segment, |names| import::columns(path, &Reading::default(), names))
}

/// The answers to the model's items, and each respondent's segment. An empty cell is no answer.
fn answers(
    path: &Path,
    model: &SurveyModel,
    segment: Option<&str>,
    columns: impl FnOnce(&[&str]) -> Result<Vec<Vec<String>>, ImportError>,
) -> Result<Survey, SurveyError> {
    let mut names = model.columns();
    let items = names.len();
    names.extend(segment);
    let mut survey = Survey::default();
    for (row, cells) in columns(&names)?.into_iter().enumerate() {
        let answers = cells[..items].iter().zip(&names).map(|(cell, column)| match cell.trim() {
            "" => Ok(None),
            text => text.parse().ok().filter(|v: &f64| v.is_finite()).map(Some).ok_or_else(|| {
                SurveyError::Answer {
                    path: path.into(),
                    row: row + 1,
                    column: (*column).to_owned(),
                    value: text.to_owned(),
                }
            }),
        });
        survey.answers.push(answers.collect::<Result<_, _>>()?);
        survey.segments.extend(cells.get(items).cloned());
    }
    Ok(survey)
}

/// From the first answer to the last, by the column `answered_at`: RFC 3339, or a date, read as UTC.
fn period(path: &Path) -> Result<Period, SurveyError> {
    let column = "answered_at";
    let mut times = Vec::new();
    for (row, cells) in import::columns(path, &Reading::default(), &[column])?.into_iter().enumerate() {
        let text = cells[0].trim();
        let at = text.parse::<Bound>().ok().and_then(|bound| bound.at(&TimeZone::UTC).ok());
        let wrong = || SurveyError::Time { path: path.into(), row: row + 1, value: text.to_owned() };
        times.push(at.ok_or_else(wrong)?);
    }
    let (from, to) = (times.iter().min(), times.iter().max());
    match (from, to) {
        (Some(from), Some(to)) => Ok(Period { from: *from, to: Wall(to.0 + 1), zone: "UTC".into() }),
        _ => Err(SurveyError::Empty { path: path.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    const MODEL: &str = "scale = [1, 5]\ntarget = \"b\"\npaths = [[\"a\", \"b\"]]\n\
        [[construct]]\nid = \"a\"\nen = \"a\"\nzh = \"甲\"\nitems = [\"q1\", \"q2\"]\n\
        [[construct]]\nid = \"b\"\nen = \"b\"\nzh = \"乙\"\nitems = [\"q3\"]\nmode = \"B\"\n";

    #[test]
    fn a_model_and_answers_are_read_and_empty_cells_are_no_answers() {
        let (_folder, path) = file("model.toml", MODEL);
        let model = model(Some(&path)).unwrap();
        assert_eq!((model.columns(), model.scale), (vec!["q1", "q2", "q3"], (1.0, 5.0)));
        assert!(model.constructs[1].formed && !model.constructs[0].formed);
        let (_folder, path) = file("survey.csv", "q3,q1,town,q2\n5,1,north,2\n,3,south,4\n");
        let survey = read(&path, &model, Some("town")).unwrap();
        assert_eq!(survey.answers[0], [Some(1.0), Some(2.0), Some(5.0)]);
        assert_eq!(survey.answers[1], [Some(3.0), Some(4.0), None]);
        assert_eq!(survey.segments, ["north", "south"]);
    }

    #[test]
    fn the_model_of_the_examples_is_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/survey/model.toml");
        let model = model(Some(&path)).unwrap();
        assert_eq!(
            (model.columns().len(), model.paths.len(), model.target.as_str()),
            (11, 4, "satisfaction")
        );
        assert!(model.constructs[0].formed && !model.constructs[1].formed);
    }

    #[test]
    fn the_period_runs_from_the_first_answer_to_the_last() {
        let (_folder, path) = file("survey.csv", "answered_at,q1\n2026-03-02,1\n2026-03-01T08:00:00Z,2\n");
        let period = period(&path).unwrap();
        assert_eq!(period.from.rfc3339(), "2026-03-01T08:00:00Z");
        assert_eq!(period.to.0, Wall::parse_rfc3339("2026-03-02T00:00:00Z").unwrap().0 + 1);
        let (_folder, path) = file("survey.csv", "answered_at,q1\nsoon,1\n");
        let error = super::period(&path).unwrap_err().to_string();
        assert!(error.contains("row 1") && error.contains("soon"), "{error}");
    }

    #[test]
    fn faults_name_the_file_and_the_place() {
        let (_folder, path) = file("survey.csv", "q1,q2,q3\n1,many,2\n");
        let (_other, model_path) = file("model.toml", MODEL);
        let known = model(Some(&model_path)).unwrap();
        let error = read(&path, &known, None).unwrap_err().to_string();
        assert!(error.contains("row 1") && error.contains("q2") && error.contains("many"), "{error}");
        let error = read(&path, &known, Some("town")).unwrap_err().to_string();
        assert!(error.contains("town") && error.contains("q1"), "{error}");
        let (_folder, path) = file("model.toml", &MODEL.replace("target = \"b\"", "target = \"z\""));
        assert!(model(Some(&path)).unwrap_err().to_string().contains("target"));
        let (_folder, path) = file("model.toml", &MODEL.replace("mode = \"B\"", "mood = \"B\""));
        assert!(model(Some(&path)).unwrap_err().to_string().contains("mood"));
    }
}
