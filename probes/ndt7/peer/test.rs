//! One test at the server: payload one way, and both ways what each end counts.

use super::limits::{KEPT, Limits};
use crate::codec::ndt7::{AppInfo, FIRST_MESSAGE, LONGEST_TEXT, Parties, Subtest, next_size, server_message};
use crate::dial::Tap;
use crate::ndt7::counted::Traffic;
use crate::ndt7::socket::{Socket, head_of, payload};
use crate::peer::queue::Place;
use broadgauge_model::clock::{Clock, Mono, Span};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use rand::RngExt;
use serde_json::Value;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::{Error, Message};

/// How long the closing handshake may take.
const CLOSING: Span = Span::secs(1);
/// Measurements are taken at random times (RFC 2330), so that they do not keep step with anything: the mean gap, and the
/// bounds that ndt7 sets.
const MEAN_GAP: f64 = 0.250;
const GAPS: (f64, f64) = (0.1, 0.4);

/// A test whose turn it is.
pub(super) struct Test<'a> {
    pub(super) subtest: Subtest,
    pub(super) parties: &'a Parties,
    pub(super) traffic: Arc<Traffic>,
    pub(super) tap: &'a Tap,
    pub(super) most: Option<u64>,
    pub(super) limits: Limits,
    pub(super) clock: &'a dyn Clock,
}

/// What was said, both ways.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) server: Vec<Value>,
    pub(super) client: Vec<Value>,
    /// How long the client's messages were altogether.
    length: usize,
}

impl Said {
    /// Keeps what a client says, as much of it as there is room for.
    fn hear(&mut self, text: &str) {
        let (most, longest) = KEPT;
        if text.len() > LONGEST_TEXT || self.client.len() >= most || self.length + text.len() > longest {
            return;
        }
        if let Ok(value @ Value::Object(_)) = serde_json::from_str(text) {
            self.length += text.len();
            self.client.push(value);
        }
    }
}

type Writer = SplitSink<Socket, Message>;

impl Test<'_> {
    /// Runs it to its end, and gives the turn back before the conversation is closed: a client asks for its next test as
    /// soon as this one is over.
    pub(super) async fn run(&self, socket: Socket, turn: Place) -> Said {
        let start = self.traffic.begin(0);
        let (mut writer, mut reader) = socket.split();
        let mut said = Said::default();
        let mut heard = Said::default();
        let closed = {
            let moving = async {
                match self.subtest {
                    Subtest::Download => self.send(start, &mut writer, &mut said).await,
                    Subtest::Upload => self.tell(start, &mut writer, &mut said).await,
                }
            };
            tokio::pin!(moving);
            let hearing = async {
                loop {
                    match reader.next().await {
                        Some(Ok(Message::Text(text))) => {
                            self.traffic.discount(head_of(text.len()) + 4 + text.len() as u64);
                            heard.hear(&text);
                        }
                        Some(Ok(Message::Binary(bytes))) if self.subtest == Subtest::Upload => {
                            self.traffic.discount(head_of(bytes.len()) + 4);
                        }
                        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                        // The end, or what has no place in a test.
                        Some(Ok(Message::Close(_) | Message::Binary(_)) | Err(_)) | None => break,
                    }
                }
            };
            let all = async {
                tokio::select! {
                    _ = &mut moving => false,
                    () = hearing => true,
                }
            };
            // A client that does not read, or never ends, is cut off.
            tokio::time::timeout(self.limits.longest.to_std(), all).await
        };
        drop(turn);
        said.client = heard.client;
        match closed {
            Err(_) => self.tap.abandon(),
            Ok(heard_the_end) => {
                let closing = async {
                    if heard_the_end {
                        // The answer to a close was queued when it was read.
                        drop(writer.flush().await);
                    } else if writer.send(Message::Close(None)).await.is_ok() {
                        while let Some(Ok(message)) = reader.next().await {
                            if let Message::Text(text) = message {
                                said.hear(&text);
                            }
                        }
                    }
                };
                let left = CLOSING.min(self.limits.longest - (self.clock.mono() - start));
                if tokio::time::timeout(left.to_std(), closing).await.is_err() {
                    self.tap.abandon();
                }
            }
        }
        said
    }

    /// Sends messages of growing size, and measurements between them.
    async fn send(&self, start: Mono, writer: &mut Writer, said: &mut Said) -> Result<(), Error> {
        let block = payload(start.0);
        let until = start + self.limits.duration;
        let (mut size, mut sent) = (FIRST_MESSAGE, 0_u64);
        let mut due = start + gap();
        loop {
            let now = self.clock.mono();
            if now >= until || self.most.is_some_and(|most| sent >= most) {
                return self.say(start, sent, writer, said).await;
            }
            if now >= due {
                due = now + gap();
                self.say(start, sent, writer, said).await?;
            }
            size = next_size(size, sent);
            writer.feed(Message::Binary(block.slice(..size))).await?;
            sent += size as u64;
        }
    }

    /// Tells what has arrived, until the upload has lasted long enough.
    async fn tell(&self, start: Mono, writer: &mut Writer, said: &mut Said) -> Result<(), Error> {
        let until = start + self.limits.upload;
        loop {
            tokio::time::sleep(gap().to_std()).await;
            self.say(start, self.traffic.arrived(), writer, said).await?;
            if self.clock.mono() >= until {
                return Ok(());
            }
        }
    }

    async fn say(&self, start: Mono, bytes: u64, writer: &mut Writer, said: &mut Said) -> Result<(), Error> {
        let elapsed_us = ((self.clock.mono() - start).0 / 1_000).unsigned_abs();
        let (tcp, bbr) = self.tap.named();
        let message = server_message(self.subtest, self.parties, AppInfo { elapsed_us, bytes }, &tcp, &bbr);
        writer.send(Message::text(message.to_string())).await?;
        said.server.push(message);
        Ok(())
    }
}

fn gap() -> Span {
    let (least, most) = GAPS;
    let exponential = -(1.0 - rand::rng().random::<f64>()).ln() * MEAN_GAP;
    Span::from_secs_f64(exponential.clamp(least, most))
}
