//! What a score is: a number with its interval, or a reason why there is none.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// Why samples do not suffice for a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined(pub String);

impl Declined {
    /// With this reason.
    pub fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl Serialize for Declined {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Declined", 1)?;
        out.serialize_field("declined", &self.0)?;
        out.end()
    }
}

/// A score with the interval that its packets leave open, at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The score.
    pub value: f64,
    /// From worst to best.
    pub interval: (f64, f64),
    /// From how many packets.
    pub n: u64,
}
