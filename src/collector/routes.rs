//! What can be asked of a collector over HTTP.
//!
//! `POST /v1/agents` registers and tells the agent the highest number that is kept of it, `POST /v1/batches` brings
//! results, `GET /v1/instruction` asks whether to pause, `GET /healthz` asks whether it is alive. All but the last want
//! the token. A refusal is JSON with `error`.

use super::auth::Token;
use super::instruction;
use super::readers::Readers;
use super::receive::Rooms;
use super::writer::Door;
use crate::config::CollectorConfig;
use crate::error::words;
use crate::store::Ready;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use broadgauge_model::wire;
use broadgauge_model::wire::registration::Registration;
use serde::Deserialize;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests with a body that are worked on at a time.
const AT_A_TIME: usize = 8;
/// A request that takes longer is given up; the agent sends it again.
const LONGEST: Duration = Duration::from_mins(1);

#[derive(Clone)]
struct Desk(Arc<Inner>);

struct Inner {
    token: Token,
    door: Door,
    known: RwLock<HashSet<String>>,
    places: Arc<Semaphore>,
    rooms: Rooms,
    readers: Readers,
    instruction_file: Option<PathBuf>,
}

/// What the collector answers to.
pub(super) fn router(
    config: &CollectorConfig,
    door: Door,
    readers: Readers,
    known: HashSet<String>,
) -> Router {
    let desk = Desk(Arc::new(Inner {
        token: Token::new(&config.token),
        door,
        known: RwLock::new(known),
        places: Arc::new(Semaphore::new(AT_A_TIME)),
        rooms: Rooms::default(),
        readers,
        instruction_file: config.instruction_file.clone(),
    }));
    Router::new()
        .route("/v1/batches", post(take_batch))
        .route("/v1/agents", post(take_registration))
        .route("/v1/instruction", get(instruct))
        .layer(DefaultBodyLimit::max(config.max_body_bytes))
        .layer(from_fn_with_state(desk.clone(), admit))
        .route("/healthz", get(health))
        .with_state(desk)
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    (status, Json(serde_json::json!({ "error": error.into() }))).into_response()
}

async fn health(State(Desk(desk)): State<Desk>) -> Response {
    if desk.door.is_open() {
        Json(serde_json::json!({ "status": "ok" })).into_response()
    } else {
        refuse(StatusCode::SERVICE_UNAVAILABLE, "nothing can be stored: start the collector again")
    }
}

/// Looks at the token before a byte of the body is read, and lets few in at a time.
async fn admit(State(Desk(desk)): State<Desk>, mut request: Request, next: Next) -> Response {
    if !desk.token.is_shown_by(request.headers()) {
        let mut response =
            refuse(StatusCode::UNAUTHORIZED, "show the collector's token: Authorization: Bearer …");
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    let work = async {
        let Ok(place) = Arc::clone(&desk.places).acquire_owned().await else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "the collector is stopping");
        };
        // Kept until the answer, and by whoever reads the body, who may read on when its sender has hung up.
        let place = Arc::new(place);
        request.extensions_mut().insert(Arc::clone(&place));
        next.run(request).await
    };
    match tokio::time::timeout(LONGEST, work).await {
        Ok(response) => response,
        Err(_) => busy("the request took too long"),
    }
}

/// Sending again later may help.
fn busy(error: impl Into<String>) -> Response {
    let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, error);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Takes a body in, and reads it away from the threads that talk to agents.
async fn read_body<T: Send + 'static>(
    desk: &Inner,
    request: Request,
    read: impl FnOnce(&[u8]) -> Result<T, String> + Send + 'static,
) -> Result<T, Response> {
    let place = request.extensions().get::<Arc<OwnedSemaphorePermit>>().cloned();
    let body = desk.rooms.receive(request).await.map_err(|(status, error)| refuse(status, error))?;
    let rooms = desk.rooms.clone();
    let work = move || {
        let value = read(&body);
        rooms.give_back(body);
        drop(place);
        value
    };
    match desk.readers.read(work).await {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(refuse(StatusCode::BAD_REQUEST, error)),
        None => Err(refuse(StatusCode::BAD_REQUEST, "the body cannot be read")),
    }
}

async fn take_batch(State(Desk(desk)): State<Desk>, request: Request) -> Response {
    let read = |bytes: &[u8]| {
        let batch = wire::decode(bytes).map_err(|error| words(&error))?;
        Ok(Ready::from(&batch))
    };
    let batch = match read_body(&desk, request, read).await {
        Ok(batch) => batch,
        Err(refusal) => return refusal,
    };
    if !desk.known.read().unwrap_or_else(PoisonError::into_inner).contains(batch.agent()) {
        let error = format!("agent {:?} is not registered; POST /v1/agents first", batch.agent());
        return refuse(StatusCode::CONFLICT, error);
    }
    let agent = batch.agent().to_owned();
    match desk.door.keep(batch).await {
        Ok(receipt) => {
            let (stored, already, rejected) = (receipt.stored, receipt.already, receipt.rejected.len());
            if rejected > 0 {
                tracing::warn!(agent, rejected, reason = receipt.rejected[0].reason, "samples are rejected");
            }
            tracing::debug!(agent, stored, already, "batch is durable");
            Json(receipt).into_response()
        }
        Err(error) => busy(error),
    }
}

async fn take_registration(State(Desk(desk)): State<Desk>, request: Request) -> Response {
    let read = |bytes: &[u8]| {
        let registration: Registration = serde_json::from_slice(bytes).map_err(|error| words(&error))?;
        if registration.version != 1 {
            let version = registration.version;
            return Err(format!("version {version} is not known; this program reads version 1"));
        }
        if registration.agent.is_empty() {
            return Err("agent is empty".into());
        }
        match registration.lines.iter().find(|line| line.line_id.is_empty() || line.operator.is_empty()) {
            Some(line) => Err(format!("line {:?} needs a line_id and an operator", line.line_id)),
            None => Ok(registration),
        }
    };
    let registration = match read_body(&desk, request, read).await {
        Ok(registration) => registration,
        Err(refusal) => return refusal,
    };
    let agent = registration.agent.clone();
    match desk.door.register(registration).await {
        Ok(highest_number) => {
            tracing::info!(agent, "agent is registered");
            desk.known.write().unwrap_or_else(PoisonError::into_inner).insert(agent);
            Json(serde_json::json!({ "highest_number": highest_number })).into_response()
        }
        Err(error) => busy(error),
    }
}

#[derive(Deserialize)]
struct Asking {
    agent: String,
}

async fn instruct(State(Desk(desk)): State<Desk>, Query(Asking { agent }): Query<Asking>) -> Response {
    let file = desk.instruction_file.clone();
    let read = tokio::task::spawn_blocking(move || {
        let told = instruction::read(file.as_deref())?;
        Ok::<_, crate::config::ConfigError>(told.for_agent(&agent))
    });
    match read.await {
        Ok(Ok(Ok(instruction))) => Json(instruction).into_response(),
        Ok(Err(error)) => {
            tracing::warn!(error = words(&error), "what agents are told cannot be read");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, words(&error))
        }
        _ => refuse(StatusCode::INTERNAL_SERVER_ERROR, "what agents are told cannot be read"),
    }
}
