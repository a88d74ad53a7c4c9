//! The one thread that writes: batches that wait together share a transaction, and each sender is answered when
//! that transaction is on the disk.

use crate::error::words;
use crate::store::{Ready, Receipt, Store, StoreError};
use broadgauge_model::wire::registration::Registration;
use std::sync::Arc;
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// Batches that may wait; beyond it, senders do.
const WAITING: usize = 16;
/// Samples after which a transaction takes no further batch. A few senders then decode while others' batches are written;
/// if one transaction took all that waits, nobody would.
const SAMPLES: usize = 2_000;

type Reply<T> = oneshot::Sender<Result<T, String>>;

enum Work {
    Batch(Box<Ready>, Reply<Receipt>),
    Register(Box<Registration>, Reply<Option<u64>>),
}

/// Where work is handed in.
#[derive(Clone)]
pub(super) struct Door(mpsc::Sender<Work>);

impl Door {
    /// Whether the thread behind it is there.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Keeps a batch; the answer means that it is durable.
    pub(super) async fn keep(&self, batch: Ready) -> Result<Receipt, String> {
        self.hand_in(|reply| Work::Batch(Box::new(batch), reply)).await
    }

    /// Keeps what an agent says of itself; the answer is the highest number that is kept of it. Whatever was handed in
    /// before is among it.
    pub(super) async fn register(&self, registration: Registration) -> Result<Option<u64>, String> {
        self.hand_in(|reply| Work::Register(Box::new(registration), reply)).await
    }

    async fn hand_in<T>(&self, work: impl FnOnce(Reply<T>) -> Work) -> Result<T, String> {
        let stopped = || "the collector is stopping".to_owned();
        let (reply, answer) = oneshot::channel();
        self.0.send(work(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// The thread.
pub(super) struct Writer {
    door: Door,
    thread: thread::JoinHandle<()>,
}

impl Writer {
    pub(super) fn start(store: Arc<dyn Store>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let thread = thread::Builder::new().name("writer".into()).spawn(move || write(&*store, receiver))?;
        Ok(Self { door: Door(sender), thread })
    }

    pub(super) fn door(&self) -> Door {
        self.door.clone()
    }

    /// Waits until all that was handed in is written. Every other door must be gone.
    pub(super) async fn finish(self) {
        drop(self.door);
        let thread = self.thread;
        if tokio::task::spawn_blocking(move || thread.join()).await.is_ok_and(|ended| ended.is_ok()) {
            return;
        }
        tracing::error!("the writer failed");
    }
}

fn write(store: &dyn Store, mut work: mpsc::Receiver<Work>) {
    let mut kept_over = None;
    while let Some(first) = kept_over.take().or_else(|| work.blocking_recv()) {
        let (mut batches, mut replies, mut samples) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Work::Batch(batch, reply) => {
                    samples += batch.samples();
                    batches.push(*batch);
                    replies.push(reply);
                }
                register @ Work::Register(..) if !batches.is_empty() => {
                    kept_over = Some(register);
                    break;
                }
                Work::Register(registration, reply) => {
                    let registered = store.register(&registration);
                    answer(reply, registered.and_then(|_| store.highest_number(&registration.agent)));
                }
            }
            next = if samples < SAMPLES { work.try_recv().ok() } else { None };
        }
        if !batches.is_empty() {
            keep(store, batches, replies);
        }
    }
}

fn keep(store: &dyn Store, batches: Vec<Ready>, replies: Vec<Reply<Receipt>>) {
    match store.put_batches(&batches) {
        Ok(receipts) => {
            for (reply, receipt) in replies.into_iter().zip(receipts) {
                answer(reply, Ok(receipt));
            }
        }
        Err(error) if batches.len() == 1 => {
            for reply in replies {
                let _ = reply.send(Err(words(&error)));
            }
            tracing::error!(error = words(&error), "a batch is not kept");
        }
        // One of them may have spoilt it for all.
        Err(_) => {
            for (batch, reply) in batches.into_iter().zip(replies) {
                keep(store, vec![batch], vec![reply]);
            }
        }
    }
}

/// A sender who has gone away will ask again.
fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>) {
    let _ = reply.send(result.map_err(|error| words(&error)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_without_a_writer_behind_it_is_not_open() {
        let (sender, receiver) = mpsc::channel(1);
        let door = Door(sender);
        assert!(door.is_open());
        drop(receiver);
        assert!(!door.is_open());
    }
}
