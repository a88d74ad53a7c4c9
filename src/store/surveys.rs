//! What customers answered, in memory.

use super::surroundings::put;
use super::{Memory, StoreError, Surveys, Tally};
use broadgauge_model::clock::Wall;
use broadgauge_model::survey::Response;

impl Surveys for Memory {
    fn put_responses(&self, responses: &[Response]) -> Result<Tally, StoreError> {
        let key = |response: &Response| (response.answered_at, response.respondent_id.clone());
        self.surroundings(|known| put(&mut known.responses, responses, key))
    }

    fn responses(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Response>, StoreError> {
        let wanted = |response: &&Response| {
            let at = response.answered_at;
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to)
        };
        self.surroundings(|known| known.responses.values().filter(wanted).cloned().collect())
    }
}
