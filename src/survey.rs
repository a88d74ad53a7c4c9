//! The model file of a survey: constructs, their items, and the arrows between them.
//!
//! Items are columns of the table of answers, so the model is read on the way in as well as when answers are studied.

use broadgauge_reports::study::satisfaction::{Construct, Name, Scheme, SurveyModel};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Why a survey's model was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurveyError {
    /// The model file could not be read.
    #[error("cannot read the survey's model {path}", path = path.display())]
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
        path: String,
        /// What is wrong, with the line.
        message: String,
    },
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
pub fn model(path: Option<&Path>) -> Result<SurveyModel, SurveyError> {
    let Some(path) = path else { return Ok(SurveyModel::standard()) };
    let text =
        std::fs::read_to_string(path).map_err(|source| SurveyError::Read { path: path.into(), source })?;
    parse(&path.display().to_string(), &text)
}

/// Reads a model. `name` is its file, for messages.
pub fn parse(name: &str, text: &str) -> Result<SurveyModel, SurveyError> {
    let wrong = |message: String| SurveyError::Model { path: name.to_owned(), message };
    let written: WrittenModel = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().into()))?;
    let (low, high) = written.scale;
    if !low.is_finite() || !high.is_finite() || low >= high {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "scale = [1, 5]\ntarget = \"b\"\npaths = [[\"a\", \"b\"]]\n\
        [[construct]]\nid = \"a\"\nen = \"a\"\nzh = \"甲\"\nitems = [\"q1\", \"q2\"]\n\
        [[construct]]\nid = \"b\"\nen = \"b\"\nzh = \"乙\"\nitems = [\"q3\"]\nmode = \"B\"\n";

    #[test]
    fn a_model_is_read_and_without_a_file_it_is_the_standard_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.toml");
        std::fs::write(&path, MODEL).unwrap();
        let read = model(Some(&path)).unwrap();
        assert_eq!((read.columns(), read.scale), (vec!["q1", "q2", "q3"], (1.0, 5.0)));
        assert!(read.constructs[1].formed && !read.constructs[0].formed);
        assert_eq!(model(None).unwrap(), SurveyModel::standard());
        let absent = model(Some(&folder.path().join("none.toml"))).unwrap_err().to_string();
        assert!(absent.contains("none.toml"), "{absent}");
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
    fn faults_of_a_model_name_the_file_and_the_key() {
        for (good, bad, told) in [
            ("target = \"b\"", "target = \"z\"", "target"),
            ("mode = \"B\"", "mood = \"B\"", "mood"),
            ("[1, 5]", "[5, 1]", "scale"),
            ("[1, 5]", "[1, inf]", "scale"),
        ] {
            let error = parse("m.toml", &MODEL.replace(good, bad)).unwrap_err().to_string();
            assert!(error.contains("m.toml") && error.contains(told), "{error}");
        }
    }
}
