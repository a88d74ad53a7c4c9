//! The taxonomy: kinds, their classes, and what regulators call them.

use broadgauge_model::complaint::Class;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// One kind of complaint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kind {
    /// The word in tables.
    pub id: String,
    /// The class it belongs to.
    pub class: Class,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
    /// In the ministry's statistics.
    pub miit: String,
    /// In those of the FCC.
    pub fcc: String,
    /// In those of Ofcom.
    pub ofcom: String,
}

/// All kinds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taxonomy {
    /// When it was last changed.
    pub version: String,
    /// The kinds, class by class.
    #[serde(rename = "kind")]
    pub kinds: Vec<Kind>,
}

/// The taxonomy that is shipped.
pub static TAXONOMY: LazyLock<Taxonomy> = LazyLock::new(|| {
    toml::from_str(include_str!("taxonomy.toml")).expect("the shipped taxonomy is tested to parse")
});

impl Taxonomy {
    /// The kind with this word.
    pub fn kind(&self, id: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.id == id)
    }
}
