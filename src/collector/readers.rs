//! The threads that read bodies: as many as there are processors, and of less right to one than whoever writes or talks
//! to agents. Everybody waits for the one writer; what is read while it is kept waiting would only queue up behind it.

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::oneshot;

/// Reads away from the threads that talk to agents.
pub(super) struct Readers(ThreadPool);

impl Readers {
    pub(super) fn start() -> Result<Self, ThreadPoolBuildError> {
        let failed = |_| tracing::error!("reading a body failed; it is refused");
        let pool = ThreadPoolBuilder::new()
            .num_threads(std::thread::available_parallelism().map_or(1, usize::from))
            .thread_name(|n| format!("reader-{n}"))
            .start_handler(|_| give_way())
            .panic_handler(failed)
            .build()?;
        Ok(Self(pool))
    }

    /// What `read` came to; nothing if it failed.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.0.spawn(move || {
            // Whoever asked may have gone away.
            let _ = reply.send(read());
        });
        answer.await.ok()
    }
}

/// Where the system does not allow it, reading goes on as before; elsewhere than on Linux it would be the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Ok(now) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, (now + 10).min(19));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_that_fails_is_no_answer_and_the_next_reads_on() {
        let readers = Readers::start().unwrap();
        assert_eq!(readers.read(|| -> u8 { panic!("as a reader might") }).await, None);
        assert_eq!(readers.read(|| 7).await, Some(7));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn readers_give_way_and_nobody_else_does() {
        let of_this_thread = || rustix::process::getpriority_process(None).unwrap();
        let here = of_this_thread();
        let readers = Readers::start().unwrap();
        assert_eq!(readers.read(of_this_thread).await, Some((here + 10).min(19)));
        assert_eq!(of_this_thread(), here);
    }
}
