//! An address that is listened at: lets connections in, as many as there may be, until it is told to stop.

use super::guests::{Guest, Guests};
use crate::net::{Listener, Wire};
use crate::probe::Stop;
use broadgauge_model::clock::Span;
use std::net::SocketAddr;
use tokio::task::JoinSet;

/// Hands each connection to `welcome` until it is told to stop; then all that is under way ends at once.
pub async fn keep<F: Future<Output = ()> + Send + 'static>(
    listener: Listener,
    guests: Guests,
    mut stop: Stop,
    welcome: impl Fn(Wire, SocketAddr, Guest) -> F,
) {
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.wait() => break,
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
        };
        match accepted {
            Ok((stream, address)) => {
                if let Some(guest) = guests.admit(address.ip()) {
                    tasks.spawn(welcome(stream, address, guest));
                } else {
                    tracing::debug!(%address, "connection refused: too many");
                }
            }
            Err(error) => {
                // Out of descriptors, or a connection that died in the queue: both pass.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Span::millis(100).to_std()).await;
            }
        }
    }
}
