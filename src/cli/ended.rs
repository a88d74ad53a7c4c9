//! How commands end.

/// How a command ended; the numbers are the exit codes that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Done.
    Done = 0,
    /// Done, and something was found that the caller asked to fail on.
    Findings = 1,
    /// Wrong use or bad input.
    BadInput = 2,
    /// Cannot measure, or cannot reach.
    CannotMeasure = 3,
    /// Partly done: interrupted, or some rows were refused.
    Partly = 4,
}

/// A failure with the exit code it stands for.
#[derive(Debug)]
pub struct Failure {
    pub(super) ended: Ended,
    pub(super) error: anyhow::Error,
}

impl Failure {
    /// The caller's fault: wrong use or bad input.
    pub fn input(error: impl Into<anyhow::Error>) -> Self {
        Self { ended: Ended::BadInput, error: error.into() }
    }

    /// Nothing could be measured or reached.
    pub fn reach(error: impl Into<anyhow::Error>) -> Self {
        Self { ended: Ended::CannotMeasure, error: error.into() }
    }
}

/// What every command returns.
pub type Outcome = Result<Ended, Failure>;
