//! Waiting: for work that runs beside others, and for the person who wants it to stop.

use super::{Failure, out};
use broadgauge_probes::probe::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Runs a future to its end on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::reach)?;
    Ok(runtime.block_on(future))
}

/// Pulls the stop at the first Ctrl-C or SIGTERM. At the second Ctrl-C the program ends at once.
///
/// The signals are caught from this call on, so whoever says that the program is ready calls it first: a signal
/// that is sent on that word must not end the program with what it has in hand.
pub(super) fn stop_on_signal() -> Stop {
    let (pull, stop) = Stop::new();
    let [mut interrupt, mut terminate] =
        [SignalKind::interrupt(), SignalKind::terminate()].map(|kind| signal(kind).ok());
    tokio::spawn(async move {
        tokio::select! { () = caught(&mut interrupt) => {}, () = caught(&mut terminate) => {} }
        let _ = pull.send(true);
        caught(&mut interrupt).await;
        out::leave_at_once();
    });
    stop
}

/// Waits for the next signal; for ever where it cannot be caught.
async fn caught(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
