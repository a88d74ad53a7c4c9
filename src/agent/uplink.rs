//! Sends what is spooled, and deletes it only after the collector has said that it is durable.
//!
//! Whatever can be cured by waiting (nobody there, a token that is not known yet, a collector that is busy) is
//! tried again, later and later. A sample that the collector will never take is put aside in a file and counted,
//! so that it does not hold up the rest; which sample it is, is found by halving the batch. Only a collector's own
//! words count as its refusal: a proxy in between has not looked at the samples.

use super::backoff::Backoff;
use super::books::Books;
use super::spool::{Chunk, Spool, SpoolError};
use crate::config::UplinkConfig;
use crate::error::words;
use broadgauge_model::clock::{Clock, Span};
use broadgauge_model::result::{Batch, Numbered};
use broadgauge_model::task::Instruction;
use broadgauge_model::wire;
use broadgauge_model::wire::receipt::Receipt;
use broadgauge_model::wire::registration::Registration;
use reqwest::header::RETRY_AFTER;
use reqwest::{Certificate, Client, Response, StatusCode};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

const SAMPLES: usize = 1_000;
/// Below the smallest body that a collector may be told to accept.
const BYTES: u64 = 700 << 10;
const REQUEST: Duration = Duration::from_secs(75);
const CONNECT: Duration = Duration::from_secs(10);

/// A lock whose holder never panics with half a change; what it guards is sound in any case.
pub(super) fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the measuring and the sending side share.
pub(super) struct Shared {
    pub(super) spool: Mutex<Spool>,
    pub(super) books: Mutex<Books>,
    /// Something was spooled.
    pub(super) spooled: Notify,
    pub(super) clock: Arc<dyn Clock>,
}

/// How a request ended.
enum Answer {
    /// As wanted.
    Yes(Response),
    /// Not now.
    Later { why: String, asked: Option<Span> },
    /// This agent is not registered.
    Register,
    /// Never.
    No { why: String, too_large: bool },
}

/// The sending side.
pub(super) struct Uplink {
    client: Client,
    config: UplinkConfig,
    registration: Registration,
    registered: bool,
    backoff: Backoff,
    shared: Arc<Shared>,
}

impl Uplink {
    pub(super) fn new(
        config: UplinkConfig,
        registration: Registration,
        seed: u64,
        shared: Arc<Shared>,
    ) -> reqwest::Result<Self> {
        // One provider of cryptography for the whole program; a second installation is refused, and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client(&config)?;
        let backoff = Backoff::new(config.retry_from, config.retry_to, seed);
        Ok(Self { client, config, registration, registered: false, backoff, shared })
    }

    /// Sends until `closing` is set and nothing is left, or the collector does not take it.
    pub(super) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        loop {
            let wait = match self.send_next().await {
                Ok(true) => {
                    self.backoff.succeeded();
                    continue;
                }
                Ok(false) => None,
                Err((why, asked)) => {
                    let wait = self.backoff.failed(asked);
                    tracing::warn!(
                        url = self.config.url,
                        why,
                        wait_ms = wait.as_millis_f64(),
                        "cannot deliver"
                    );
                    Some(wait)
                }
            };
            if *closing.borrow() {
                return;
            }
            let spooled = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait.to_std()).await,
                    None => self.shared.spooled.notified().await,
                }
            };
            tokio::select! {
                () = spooled => {}
                closed = closing.changed() => if closed.is_err() { return },
            }
        }
    }

    /// Sends one chunk; false where there is none.
    async fn send_next(&mut self) -> Result<bool, (String, Option<Span>)> {
        if !self.registered {
            self.register().await?;
        }
        let unspooled = |error: SpoolError| (words(&error), None);
        let shared = Arc::clone(&self.shared);
        let chunk = blocking(move || hold(&shared.spool).peek(SAMPLES, BYTES)).await.map_err(unspooled)?;
        let Some(chunk) = chunk else { return Ok(false) };
        let mut rejected = Vec::new();
        self.send_all(&chunk, &mut rejected).await?;
        let shared = Arc::clone(&self.shared);
        blocking(move || {
            let mut spool = hold(&shared.spool);
            spool.put_aside(&rejected)?;
            spool.acknowledge(&chunk)
        })
        .await
        .map_err(unspooled)?;
        Ok(true)
    }

    /// Sends every sample of a chunk, in halves where the whole is refused.
    async fn send_all(
        &mut self,
        chunk: &Chunk,
        rejected: &mut Vec<(Numbered, String)>,
    ) -> Result<(), (String, Option<Span>)> {
        let mut parts: Vec<&[Numbered]> = vec![&chunk.samples];
        let mut just_registered = false;
        while let Some(part) = parts.pop() {
            let answer = self.send(part).await;
            let in_vain = std::mem::replace(&mut just_registered, matches!(answer, Answer::Register));
            match answer {
                Answer::Yes(response) => {
                    let receipt: Receipt = response.json().await.map_err(|error| (words(&error), None))?;
                    for refused in receipt.rejected {
                        tracing::warn!(
                            number = refused.number,
                            reason = refused.reason,
                            "sample is rejected"
                        );
                        let sample = part.iter().find(|numbered| numbered.number == refused.number);
                        rejected.extend(sample.map(|numbered| (numbered.clone(), refused.reason)));
                    }
                }
                Answer::Later { why, asked } => return Err((why, asked)),
                Answer::Register if in_vain => {
                    self.registered = false;
                    return Err((
                        "the collector forgets this agent as soon as it has registered".into(),
                        None,
                    ));
                }
                Answer::Register => {
                    self.register().await?;
                    parts.push(part);
                }
                Answer::No { .. } if part.len() > 1 => {
                    let (front, back) = part.split_at(part.len() / 2);
                    parts.extend([back, front]);
                }
                Answer::No { why, too_large } => {
                    tracing::warn!(number = part[0].number, why, too_large, "sample is refused");
                    rejected.push((part[0].clone(), why));
                }
            }
        }
        Ok(())
    }

    async fn send(&self, part: &[Numbered]) -> Answer {
        let shared = Arc::clone(&self.shared);
        // Whoever writes to the disk holds these meanwhile.
        let health = blocking(move || {
            let dropped = hold(&shared.spool).dropped();
            Ok(hold(&shared.books).health(shared.clock.wall(), dropped))
        });
        let health = match health.await {
            Ok(health) => health,
            Err(error) => return Answer::Later { why: words(&error), asked: None },
        };
        let batch = Batch { agent: self.registration.agent.clone(), health, samples: part.to_vec() };
        self.post("/v1/batches", wire::encode(&batch)).await
    }

    async fn register(&mut self) -> Result<(), (String, Option<Span>)> {
        // Plain data with text keys always has a text.
        let body = serde_json::to_vec(&self.registration).unwrap_or_default();
        match self.post("/v1/agents", body).await {
            Answer::Yes(response) => {
                let highest = highest_number(response).await.map_err(|why| (why, None))?;
                let shared = Arc::clone(&self.shared);
                blocking(move || hold(&shared.spool).start_above(highest))
                    .await
                    .map_err(|error| (words(&error), None))?;
                tracing::info!(url = self.config.url, "registered at the collector");
                self.registered = true;
                Ok(())
            }
            Answer::Later { why, asked } => Err((why, asked)),
            Answer::No { why, .. } => Err((why, None)),
            Answer::Register => Err(("the collector does not know how to register".into(), None)),
        }
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Answer {
        let request = self.client.post(format!("{}{path}", self.config.url)).bearer_auth(&self.config.token);
        match request.header("content-type", "application/json").body(body).send().await {
            Ok(response) => judge(response).await,
            Err(error) => Answer::Later { why: words(&error), asked: None },
        }
    }

    /// Who asks whether to pause.
    pub(super) fn listener(&self) -> Listener {
        Listener {
            client: self.client.clone(),
            config: self.config.clone(),
            agent: self.registration.agent.clone(),
        }
    }
}

/// Asks the collector now and then whether to pause.
pub(super) struct Listener {
    client: Client,
    config: UplinkConfig,
    agent: String,
}

impl Listener {
    /// Asks for ever, and passes on what is newer.
    pub(super) async fn run(self, told: watch::Sender<Instruction>) {
        let url = format!("{}/v1/instruction", self.config.url);
        loop {
            let request =
                self.client.get(&url).query(&[("agent", &self.agent)]).bearer_auth(&self.config.token);
            match request.send().await.and_then(Response::error_for_status) {
                Ok(response) => {
                    if let Ok(instruction) = response.json::<Instruction>().await {
                        told.send_if_modified(|known| replace_older(known, instruction));
                    }
                }
                Err(error) => tracing::debug!(error = words(&error), "no instruction"),
            }
            tokio::time::sleep(self.config.instruct_every.to_std()).await;
        }
    }
}

/// Whether what was told is newer than what is known, and then is what is known.
fn replace_older(known: &mut Instruction, told: Instruction) -> bool {
    let newer = told.version >= known.version && told != *known;
    if newer {
        tracing::info!(version = told.version, "instruction received");
        *known = told;
    }
    newer
}

/// A client that goes straight to the collector, whatever proxies the environment names.
fn client(config: &UplinkConfig) -> reqwest::Result<Client> {
    let builder = Client::builder().timeout(REQUEST).connect_timeout(CONNECT).no_proxy();
    let builder = match &config.authorities {
        Some(pem) => builder.tls_certs_only(Certificate::from_pem_bundle(pem)?),
        // A machine without any authority can still speak plain HTTP.
        None if config.url.starts_with("http://") => builder.tls_certs_only([]),
        None => builder,
    };
    builder.build()
}

/// What the collector says to a registration; an older one says nothing.
async fn highest_number(response: Response) -> Result<Option<u64>, String> {
    #[derive(Deserialize)]
    struct Welcome {
        highest_number: Option<u64>,
    }
    if response.status() == StatusCode::NO_CONTENT {
        return Ok(None);
    }
    let welcome = response.json::<Welcome>().await;
    welcome
        .map(|welcome| welcome.highest_number)
        .map_err(|error| format!("the answer to the registration is not a collector's: {}", words(&error)))
}

/// How a collector refuses: with this and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    error: String,
}

async fn judge(response: Response) -> Answer {
    let status = response.status();
    if status.is_success() {
        return Answer::Yes(response);
    }
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let asked = header.and_then(|text| text.parse::<u32>().ok()).map(|secs| Span::secs(secs.into()));
    let text = response.text().await.unwrap_or_default();
    let refusal = serde_json::from_str::<Refusal>(&text).ok();
    let why = refusal.as_ref().map_or_else(
        || format!("the answer is {status}, and not in a collector's words: does a proxy stand in between?"),
        |refusal| format!("the collector answers {status}: {}", refusal.error),
    );
    match status {
        StatusCode::CONFLICT => Answer::Register,
        // Whoever else says so has not looked at the samples.
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY if refusal.is_some() => {
            Answer::No { why, too_large: false }
        }
        StatusCode::PAYLOAD_TOO_LARGE => Answer::No { why, too_large: true },
        _ => Answer::Later { why, asked },
    }
}

/// Disk work away from the threads that measure.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(SpoolError::Io {
            what: "work on",
            path: "spool".into(),
            source: std::io::Error::other(error),
        }),
    }
}
