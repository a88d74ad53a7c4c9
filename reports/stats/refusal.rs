//! Why a number cannot be given.
//!
//! Every function of this module answers with finite numbers or with one of these: a NaN that travels through a
//! report would look like a fact.

/// Why a statistic was not computed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Fewer observations than the method can stand on.
    #[error("{have} {what}, and at least {need} are needed")]
    TooFew {
        /// What was counted, in the plural.
        what: &'static str,
        /// How many there are.
        have: usize,
        /// How many there must be.
        need: usize,
    },
    /// A NaN or an infinity came in, or a caller's statistic returned one.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// Which input.
        what: &'static str,
    },
    /// An input lies outside the range in which the question makes sense.
    #[error("{what} is {value}, and must be {allowed}")]
    OutOfRange {
        /// Which input.
        what: &'static str,
        /// What it was.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// Two inputs that belong together differ in length.
    #[error("{what} differ in length: {left} and {right}")]
    LengthMismatch {
        /// Which inputs.
        what: &'static str,
        /// Length of the first.
        left: usize,
        /// Length of the second.
        right: usize,
    },
    /// The caller promised ascending order.
    #[error("{what} are not in ascending order")]
    NotSorted {
        /// Which input.
        what: &'static str,
    },
    /// All values are the same, so nothing is known about their spread.
    #[error("{what} do not vary, so their spread is unknown")]
    NoVariation {
        /// Which values.
        what: &'static str,
    },
    /// A ratio has nothing to stand on.
    #[error("no {what}")]
    NoEvents {
        /// Which events are missing.
        what: &'static str,
    },
    /// A covariate, or a combination of covariates, tells case from control without error: the estimate is infinite.
    #[error("cases and controls are told apart without error by {}", match .covariate { Some(k) => format!("covariate {k}"), None => "a combination of covariates".to_owned() })]
    Separated {
        /// The covariate (counted from 0) that does it alone, where one does.
        covariate: Option<usize>,
    },
    /// A covariate is constant within every set, or a combination of the others.
    #[error("the covariates cannot be told apart within the sets")]
    Collinear,
    /// A column of a regression is constant, or a combination of those before it.
    #[error("covariate {column} is constant, or a combination of those before it")]
    Redundant {
        /// The covariate, counted from 0.
        column: usize,
    },
    /// A curve ends before it comes to the value that was asked for.
    #[error("{what} is not reached in what was observed")]
    NotReached {
        /// What was looked for.
        what: &'static str,
    },
    /// Inputs move together so closely that their parts cannot be told from each other.
    #[error("{what} cannot be separated from each other")]
    NotSeparable {
        /// Which parts.
        what: &'static str,
    },
    /// A comparison that the design does not carry.
    #[error("{why}")]
    Design {
        /// What is wrong with it, and what would be right.
        why: &'static str,
    },
    /// No set has a control whose covariates differ from the case's.
    #[error("none of {sets} matched sets has a control that differs from its case")]
    NoInformativeSet {
        /// How many sets there were.
        sets: usize,
    },
    /// The resampling distribution does not allow the interval that was asked for.
    #[error("{what} is unstable for this data")]
    Unstable {
        /// What cannot be computed.
        what: &'static str,
    },
    /// The interval has no finite end.
    #[error("{what} is so uncertain that its interval has no end")]
    Unbounded {
        /// What cannot be told.
        what: &'static str,
    },
    /// An iteration did not settle.
    #[error("no convergence after {iterations} iterations")]
    NotConverged {
        /// How many were tried.
        iterations: usize,
    },
}

/// A result of this module.
pub type Answer<T> = Result<T, Refusal>;

/// Refuses a NaN or an infinity, coming in or going out.
pub(super) fn finite(value: f64, what: &'static str) -> Answer<f64> {
    if value.is_finite() { Ok(value) } else { Err(Refusal::NotFinite { what }) }
}

/// Refuses a slice that holds a NaN or an infinity.
pub(super) fn all_finite(values: &[f64], what: &'static str) -> Answer<()> {
    values.iter().try_for_each(|&v| finite(v, what).map(drop))
}

/// Refuses fewer than `need`.
pub(super) fn at_least(have: usize, need: usize, what: &'static str) -> Answer<()> {
    if have >= need { Ok(()) } else { Err(Refusal::TooFew { what, have, need }) }
}

/// Refuses anything but a number strictly between 0 and 1.
pub(super) fn open_unit(value: f64, what: &'static str) -> Answer<f64> {
    finite(value, what)?;
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(Refusal::OutOfRange { what, value, allowed: "between 0 and 1, both excluded" })
    }
}

/// Refuses anything but a number above 0.
pub(super) fn positive(value: f64, what: &'static str) -> Answer<f64> {
    finite(value, what)?;
    if value > 0.0 { Ok(value) } else { Err(Refusal::OutOfRange { what, value, allowed: "above 0" }) }
}

/// Refuses values that are not finite, or not in ascending order.
pub(super) fn ascending(values: &[f64], what: &'static str) -> Answer<()> {
    all_finite(values, what)?;
    if values.is_sorted() { Ok(()) } else { Err(Refusal::NotSorted { what }) }
}

/// Refuses two inputs of different length.
pub(super) fn same_length(left: usize, right: usize, what: &'static str) -> Answer<()> {
    if left == right { Ok(()) } else { Err(Refusal::LengthMismatch { what, left, right }) }
}
