//! Waiting: for work that runs beside others, and for the person who wants it to stop.

use super::{Failure, out};

/// Runs a future to its end on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::reach)?;
    Ok(runtime.block_on(future))
}

/// Pulls the stop at the first Ctrl-C or SIGTERM. At the second Ctrl-C the program ends at once.
pub(super) fn stop_on_signal() -> broadgauge_probes::probe::Stop {
    let (pull, stop) = broadgauge_probes::probe::Stop::new();
    tokio::spawn(async move {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let terminated = async {
            match &mut terminate {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, _ = terminated => {} }
        let _ = pull.send(true);
        if tokio::signal::ctrl_c().await.is_ok() {
            out::leave_at_once();
        }
    });
    stop
}
