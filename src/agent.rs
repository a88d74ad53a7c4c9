//! Measures on schedule at one vantage point, and sends what it measured to a collector.
//!
//! Two sides share a spool on the disk: the [`runner`] measures and appends, the [`uplink`] sends and deletes.
//! Neither waits for the other, so a collector that is away stops no measurement.

mod backoff;
mod books;
mod error;
mod files;
mod runner;
pub mod spool;
#[cfg(test)]
mod tests;
mod uplink;

pub use error::AgentError;

use crate::config::AgentConfig;
use books::Books;
use broadgauge_model::clock::{Clock, SystemClock};
use broadgauge_model::task::Capabilities;
use broadgauge_model::wire::registration::Registration;
use broadgauge_probes::catalogue::{Method, PROBES};
use broadgauge_probes::probe::Stop;
use runner::Runner;
use spool::Spool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use uplink::{Shared, Uplink, hold};

/// How long the last sending may take when the agent is stopped; the rest stays in the spool.
const LAST_SENDING: Duration = Duration::from_secs(10);

/// Whether every task names a method there is, with settings that it takes.
pub fn check(config: &AgentConfig) -> Result<(), AgentError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    runner::ready_all(config, PROBES, &clock, &Stop::never()).map(|_| ())
}

/// Files that may be open at once: a socket for each measurement under way, and some room.
const FILES: u64 = 65_536;

/// Asks the system for room for many sockets: its first word is often 1,024.
fn make_room_for_sockets() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = hard.min(FILES);
        if soft < wanted { setrlimit(Resource::RLIMIT_NOFILE, wanted, hard) } else { Ok(()) }
    });
    if let Err(why) = raised {
        tracing::warn!(error = %why, "the limit of open files is left as it is");
    }
}

/// Runs an agent until it is stopped: then what runs is asked to end, spooled, and sent if the collector is there.
pub async fn run(config: AgentConfig, stop: Stop) -> Result<(), AgentError> {
    run_with(config, PROBES, Arc::new(SystemClock::start()), stop).await
}

/// Runs an agent with a given catalogue and clock.
pub async fn run_with(
    config: AgentConfig,
    methods: &'static [Method],
    clock: Arc<dyn Clock>,
    stop: Stop,
) -> Result<(), AgentError> {
    make_room_for_sockets();
    let now = clock.wall();
    let spool = Spool::open(&config.spool, &config.agent, now)?;
    let names = config.tasks.iter().map(|task| task.name.clone()).collect();
    let mut books = Books::open(&config.spool.dir, names, now)?;
    books.save()?;
    let shared = Arc::new(Shared {
        spool: Mutex::new(spool),
        books: Mutex::new(books),
        spooled: tokio::sync::Notify::new(),
        clock,
    });
    let (tell, told) = watch::channel(broadgauge_model::task::Instruction::default());
    let runner = Runner::new(&config, methods, Arc::clone(&shared), told, stop)?;
    let registration = registration(&config, methods);
    let uplink = Uplink::new(config.collector, registration, config.seed, Arc::clone(&shared))
        .map_err(AgentError::Client)?;
    tracing::info!(agent = config.agent, tasks = config.tasks.len(), "agent runs");
    let listening = tokio::spawn(uplink.listener().run(tell));
    let (close, closing) = watch::channel(false);
    let mut sending = tokio::spawn(uplink.run(closing));
    let measured = runner.run().await;
    listening.abort();
    let _ = close.send(true);
    if tokio::time::timeout(LAST_SENDING, &mut sending).await.is_err() {
        sending.abort();
        let _ = sending.await;
    }
    let pending = {
        let mut spool = hold(&shared.spool);
        spool.tidy()?;
        spool.pending()
    };
    tracing::info!(agent = config.agent, pending, "agent stopped");
    measured
}

fn registration(config: &AgentConfig, methods: &[Method]) -> Registration {
    let methods = methods.iter().map(|m| (m.descriptor.name.to_owned(), m.descriptor.version)).collect();
    Registration {
        version: 1,
        agent: config.agent.clone(),
        capabilities: Capabilities { version: env!("CARGO_PKG_VERSION").to_owned(), methods },
        lines: config.lines.iter().map(|line| line.line.clone()).collect(),
        targets: config.targets.iter().map(|target| target.target.clone()).collect(),
    }
}
