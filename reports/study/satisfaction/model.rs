//! What a survey asks about: constructs, their items, and the arrows between them.

use crate::stats::path_model::{Block, Mode, Model};
use crate::stats::{Answer, Refusal};
use serde::Serialize;

/// A name in both languages, as a model file gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Name {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// A construct with its items.
#[derive(Clone, Debug, PartialEq)]
pub struct Construct {
    /// Its word.
    pub id: String,
    /// Its name for readers.
    pub name: Name,
    /// The columns of its items.
    pub items: Vec<String>,
    /// Whether the items form it (mode B); else they reflect it (mode A).
    pub formed: bool,
}

/// A model of a survey.
#[derive(Clone, Debug, PartialEq)]
pub struct SurveyModel {
    /// The constructs.
    pub constructs: Vec<Construct>,
    /// Arrows, from and to, by the constructs' words.
    pub paths: Vec<(String, String)>,
    /// The lowest and the highest answer.
    pub scale: (f64, f64),
    /// The construct that importance is about.
    pub target: String,
}

/// The seven constructs of the customer satisfaction index for telecommunications, with the number of their items.
const STANDARD: [(&str, &str, &str, usize); 7] = [
    ("image", "image", "企业形象", 5),
    ("expectation", "expected quality", "预期质量", 3),
    ("quality", "perceived quality", "感知质量", 7),
    ("value", "perceived value", "感知价值", 2),
    ("satisfaction", "satisfaction", "用户满意度", 3),
    ("complaints", "complaints", "用户抱怨", 1),
    ("loyalty", "loyalty", "用户忠诚", 3),
];

/// Its arrows (European customer satisfaction index, Tenenhaus et al. 2005).
const STANDARD_PATHS: [(usize, usize); 12] =
    [(0, 1), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 6)];

impl SurveyModel {
    /// The seven constructs and twelve arrows of the index, on answers from 1 to 10; items are columns such as `image_1`.
    pub fn standard() -> Self {
        let constructs = STANDARD.map(|(id, en, zh, items)| Construct {
            id: id.into(),
            name: Name { en: en.into(), zh: zh.into() },
            items: (1..=items).map(|i| format!("{id}_{i}")).collect(),
            formed: false,
        });
        let word = |k: usize| STANDARD[k].0.to_owned();
        Self {
            constructs: constructs.to_vec(),
            paths: STANDARD_PATHS.map(|(from, to)| (word(from), word(to))).to_vec(),
            scale: (1.0, 10.0),
            target: "satisfaction".into(),
        }
    }

    /// The columns of all items, construct by construct.
    pub fn columns(&self) -> Vec<&str> {
        self.constructs.iter().flat_map(|c| c.items.iter().map(String::as_str)).collect()
    }

    /// The place of a construct.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.constructs.iter().position(|c| c.id == id)
    }

    /// As the path model understands it; items are numbered as in [`Self::columns`].
    pub(super) fn paths_model(&self) -> Answer<Model> {
        let mut next = 0;
        let blocks = self.constructs.iter().map(|construct| {
            let first = next;
            next += construct.items.len();
            Block { items: (first..next).collect(), mode: if construct.formed { Mode::B } else { Mode::A } }
        });
        let blocks = blocks.collect();
        let unknown = Refusal::Design { why: "an arrow of the survey's model names no construct of it" };
        let place = |id: &String| self.place(id).ok_or(unknown.clone());
        let arrows =
            self.paths.iter().map(|(from, to)| Ok((place(from)?, place(to)?))).collect::<Answer<Vec<_>>>()?;
        Model::new(blocks, arrows)
    }
}

/// How neighbours count in the search for weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scheme {
    /// Those before by regression, those after by correlation.
    #[default]
    Path,
    /// By correlations.
    Factorial,
    /// By their signs.
    Centroid,
}
