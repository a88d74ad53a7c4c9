//! Waiting: for work that runs beside others, and for the person who wants it to stop.

use super::{Failure, out};
use broadgauge_probes::probe::Stop;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// One wish to stop may arrive as two signals: `timeout -s INT` sends it to the program, then to its whole group.
const ONE_WISH: Duration = Duration::from_millis(250);

/// Runs a future to its end on a runtime of its own.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::reach)?;
    let came_to = runtime.block_on(future);
    // A resolver that hangs is not waited for: whoever asked it has ended.
    runtime.shutdown_background();
    Ok(came_to)
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
        wished_again(|cx| poll(&mut interrupt, cx), tokio::time::sleep(ONE_WISH)).await;
        out::leave_at_once();
    });
    stop
}

/// Waits for a signal that comes after the first wish is over.
async fn wished_again(
    mut next: impl FnMut(&mut Context<'_>) -> Poll<()>,
    first_is_over: impl Future<Output = ()>,
) {
    let mut first_is_over = pin!(first_is_over);
    loop {
        tokio::select! { biased; () = poll_fn(&mut next) => {}, () = &mut first_is_over => break }
    }
    poll_fn(next).await;
}

/// Waits for the next signal; for ever where it cannot be caught.
async fn caught(signal: &mut Option<Signal>) {
    poll_fn(|cx| poll(signal, cx)).await;
}

fn poll(signal: &mut Option<Signal>, cx: &mut Context<'_>) -> Poll<()> {
    signal.as_mut().map_or(Poll::Pending, |signal| signal.poll_recv(cx).map(drop))
}

#[cfg(test)]
mod tests {
    use super::{block_on, wished_again};
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};
    use std::time::Duration;
    use tokio::sync::{mpsc, oneshot};

    #[test]
    fn what_hangs_in_the_system_is_not_waited_for() {
        let (_hold, held) = std::sync::mpsc::channel::<()>();
        let (ended, end) = std::sync::mpsc::channel();
        let came_to = block_on(async {
            let hangs = tokio::task::spawn_blocking(move || {
                let _ = held.recv_timeout(Duration::from_secs(10));
                ended.send(())
            });
            drop(hangs);
            7
        });
        assert!(matches!(came_to, Ok(7)) && end.try_recv().is_err(), "it was waited for");
    }

    #[test]
    fn a_wish_that_arrives_as_two_signals_is_one() {
        let (signal, mut signals) = mpsc::unbounded_channel();
        let (over, first_is_over) = oneshot::channel::<()>();
        let mut again = pin!(wished_again(|cx| signals.poll_recv(cx).map(drop), async {
            let _ = first_is_over.await;
        }));
        let mut is_wished =
            || again.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(());
        assert!(signal.send(()).is_ok() && !is_wished(), "the same wish once more");
        assert!(over.send(()).is_ok() && !is_wished(), "nobody wishes anything");
        assert!(signal.send(()).is_ok() && is_wished());
    }
}
