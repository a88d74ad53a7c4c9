//! The demo's site: one agent on two lines, and the collector it sends to, through the same files and the same wire
//! as anywhere else.

use super::stage::Actor;
use super::town;
use crate::agent::{self, AgentError};
use crate::collector::{Collector, CollectorError};
use crate::config::{AgentConfig, CollectorConfig, ConfigError};
use crate::store::{Filter, Store, StoreError};
use broadgauge_model::metric::MetricId;
use broadgauge_probes::probe::Stop;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{interval, timeout};

/// How long each direction is loaded.
const LOAD_SECONDS: f64 = 6.0;
/// Both loads and the packets before and after them are done within this, or the demo goes on without them.
const PATIENCE: Duration = Duration::from_secs(75);
/// How often the store is asked whether the last of the loads has arrived.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Why the site cannot measure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SiteError {
    /// A file of the site cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The site's own configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The collector failed.
    #[error("the collector failed")]
    Collector(#[from] CollectorError),
    /// The agent failed.
    #[error("the agent failed")]
    Agent(#[from] AgentError),
    /// The store cannot be read.
    #[error("cannot read the store")]
    Store(#[from] StoreError),
    /// The token cannot be drawn.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// A part of the site ended by panicking.
    #[error("a part of the site ended early")]
    Ended(#[from] tokio::task::JoinError),
}

/// Measures both lines with real packets until every load has reached the store.
pub(super) async fn measure(
    folder: &Path,
    actors: &[Actor],
    store: &Arc<dyn Store>,
    stop: Stop,
) -> Result<(), SiteError> {
    std::fs::create_dir_all(folder).map_err(|source| SiteError::Write { path: folder.to_owned(), source })?;
    put(&folder.join("token"), &token()?)?;
    let file = folder.join("collector.toml");
    let text = "listen = \"127.0.0.1:0\"\nstore = \"../broadgauge.db\"\ntoken_file = \"token\"\n";
    put(&file, text)?;
    let collector = Collector::bind_over(CollectorConfig::parse(&file, text)?, Arc::clone(store)).await?;
    let url = format!("http://{}", collector.address());

    let file = folder.join("agent.toml");
    let text = agent_file(&url, actors);
    put(&file, &text)?;
    let config = AgentConfig::parse(&file, &text)?;

    let (end_agent, agent_stop) = Stop::new();
    let (end_collector, collector_stop) = Stop::new();
    let collecting = tokio::spawn(collector.run(collector_stop));
    let mut measuring = tokio::spawn(agent::run(config, agent_stop));
    let mut stopped = stop;
    let finished = tokio::select! {
        ended = &mut measuring => Some(ended),
        arrived = timeout(PATIENCE, loads_arrived(store, actors)) => {
            // Out of patience is not a failure: the report says what was measured and what was not.
            if let Ok(arrived) = arrived { arrived?; }
            None
        }
        () = stopped.wait() => None,
    };
    let _ = end_agent.send(true);
    match finished {
        Some(ended) => ended??,
        None => measuring.await??,
    }
    let _ = end_collector.send(true);
    collecting.await??;
    Ok(())
}

fn put(path: &Path, text: &str) -> Result<(), SiteError> {
    std::fs::write(path, text).map_err(|source| SiteError::Write { path: path.to_owned(), source })
}

fn token() -> Result<String, SiteError> {
    let mut bytes = [0_u8; 32];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .map_err(|error| SiteError::Random(error.to_string()))?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// The line of an operator at the demo's site.
pub(super) fn line_id(operator: &str) -> String {
    format!("site-{}", operator.to_ascii_lowercase())
}

fn agent_file(url: &str, actors: &[Actor]) -> String {
    let mut text = format!(
        "agent = \"demo-site\"\nseed = 1\n\n[collector]\nurl = \"{url}\"\ntoken_file = \"token\"\n\n\
         [spool]\ndir = \"spool\"\n"
    );
    for actor in actors {
        let (operator, line) = (actor.scene.operator, line_id(actor.scene.operator));
        let (down, up) = (actor.scene.line.down.rate.as_mbps(), actor.scene.line.up.rate.as_mbps());
        let _ = write!(
            text,
            "\n[[line]]\nline_id = \"{line}\"\noperator = \"{operator}\"\nregion = \"demo-site\"\n\
             technology = \"relay\"\nplan = \"relay-{down}-{up}\"\nzone = \"{}\"\n\
             \n[[target]]\nname = \"{operator}-stamp\"\naddress = \"{}\"\n\
             \n[[target]]\nname = \"{operator}-streams\"\naddress = \"{}\"\n\
             \n[[task]]\nmethod = \"stamp\"\nline = \"{line}\"\ntarget = \"{operator}-stamp\"\n\
             schedule = {{ every = \"20s\" }}\nsettings = {{ per_second = 50.0, duration_s = 4.0, timeout_ms = 1000.0 }}\n\
             \n[[task]]\nmethod = \"connect\"\nline = \"{line}\"\ntarget = \"{operator}-streams\"\n\
             schedule = {{ every = \"20s\" }}\nsettings = {{ count = 5 }}\n\
             \n[[task]]\nmethod = \"throughput\"\nline = \"{line}\"\ntarget = \"{operator}-streams\"\n\
             schedule = {{ once = true }}\nsettings = {{ streams = 4, duration_s = {LOAD_SECONDS:.1} }}\n",
            town::ZONE,
            actor.stamp,
            actor.streams
        );
    }
    text
}

/// Waits until the upload, which is the last of a load's figures, of each line is in the store.
async fn loads_arrived(store: &Arc<dyn Store>, actors: &[Actor]) -> Result<(), SiteError> {
    let filter = Filter { metrics: vec![MetricId::UPLOAD_GOODPUT], ..Filter::default() };
    let wanted: BTreeSet<String> = actors.iter().map(|actor| line_id(actor.scene.operator)).collect();
    let mut look = interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let mut there = BTreeSet::new();
        store.scan(&filter, &mut |row| {
            there.insert(row.line_id.to_owned());
        })?;
        if wanted.is_subset(&there) {
            return Ok(());
        }
    }
}
