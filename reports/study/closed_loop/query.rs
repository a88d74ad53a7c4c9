//! What is asked of the actions.

use crate::study::peers::Peak;

/// The question.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The operator whose actions are judged.
    pub own: String,
    /// The busy hours.
    pub peak: Peak,
    /// Days before an action that it is held against, and by which units left alone are matched.
    pub before_days: i32,
    /// Days after an action before its effect is looked at.
    pub settle_days: i32,
    /// Days after which an effect is verified where the action names no day.
    pub after_days: i32,
    /// Fewer days after it and it is too early to say.
    pub least_after_days: i32,
    /// Days at the end of these over which the target must be met.
    pub target_days: i32,
    /// Units left alone that a single unit is held against.
    pub controls: usize,
    /// Units left alone for each treated one of a kind; no unit serves twice.
    pub matched: usize,
    /// Complaints of one line within so many days are one episode.
    pub repeat_days: i32,
    /// Resamples behind the course of an effect.
    pub replicates: usize,
    /// The seed of everything random.
    pub seed: u64,
}

impl Query {
    /// The usual question of an operator.
    pub fn of(own: impl Into<String>) -> Self {
        Self {
            own: own.into(),
            peak: Peak::default(),
            before_days: 28,
            settle_days: 3,
            after_days: 28,
            least_after_days: 14,
            target_days: 14,
            controls: 12,
            matched: 2,
            repeat_days: 28,
            // Five treated units call for an interval so wide that some 1,100 resamples are the fewest.
            replicates: 1_999,
            seed: 1,
        }
    }
}
