//! How a body comes in: into room that an earlier one has left, because fresh pages for each cost the system as much
//! time as the bytes themselves.

use axum::RequestExt as _;
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError};
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Room that is not kept for another body: few bodies are as large.
const TOO_LARGE_TO_KEEP: usize = 4 << 20;

/// Rooms that stand empty.
#[derive(Clone, Default)]
pub(super) struct Rooms(Arc<Mutex<Vec<Vec<u8>>>>);

impl Rooms {
    /// The whole body, or how to refuse it.
    pub(super) async fn receive(&self, request: Request) -> Result<Vec<u8>, (StatusCode, String)> {
        let mut room = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        room.clear();
        let mut body = request.into_limited_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| match error.source() {
                Some(source) if source.is::<LengthLimitError>() => {
                    let cure = "the body is over this collector's limit: raise max_body_mib, or send smaller batches";
                    (StatusCode::PAYLOAD_TOO_LARGE, cure.to_owned())
                }
                _ => (StatusCode::BAD_REQUEST, format!("the body does not come in whole: {error}")),
            })?;
            if let Some(bytes) = frame.data_ref() {
                room.extend_from_slice(bytes);
            }
        }
        Ok(room)
    }

    /// For the next body.
    pub(super) fn give_back(&self, room: Vec<u8>) {
        if room.capacity() <= TOO_LARGE_TO_KEEP {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(room);
        }
    }
}
