//! Receives what agents measured, keeps it, and tells them when to pause.
//!
//! A batch is answered only after the transaction that holds it is on the disk; many batches that arrive at once
//! share one. Repeating a batch changes nothing. Memory stays flat: bodies are bounded, few are read at a time,
//! and senders wait for the writer.
//!
//! Plain HTTP on loopback unless told otherwise: a proxy with a certificate belongs before anything wider, since
//! the token travels in the clear.

mod auth;
mod instruction;
mod readers;
mod receive;
mod routes;
#[cfg(test)]
mod tests;
mod writer;

use crate::config::{CollectorConfig, ConfigError};
use crate::store::{Store, StoreError};
use broadgauge_probes::probe::Stop;
use readers::Readers;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Why a collector cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// The store cannot be opened or read.
    #[error("cannot use the store")]
    Store(#[from] StoreError),
    /// Nobody may listen there.
    #[error("cannot listen on {address}; choose another `listen`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The address cannot be written down.
    #[error("cannot write the address to {path}", path = path.display())]
    AddressFile {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start the writer")]
    Thread(#[source] std::io::Error),
    /// The system gives no threads.
    #[error("cannot start the readers")]
    Readers(#[from] rayon::ThreadPoolBuildError),
    /// The server failed.
    #[error("the server failed")]
    Serve(#[source] std::io::Error),
    /// What agents are told cannot be read.
    #[error("what agents are told cannot be read")]
    Instruction(#[from] ConfigError),
}

/// A collector that listens, but does not answer yet.
pub struct Collector {
    listener: TcpListener,
    address: SocketAddr,
    config: CollectorConfig,
    store: Arc<dyn Store>,
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collector").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Collector {
    /// Opens the store and listens.
    pub async fn bind(config: CollectorConfig) -> Result<Self, CollectorError> {
        let store: Arc<dyn Store> = Arc::from(crate::store::open(&config.store)?);
        Self::bind_over(config, store).await
    }

    /// Listens, over a store that is open already.
    pub async fn bind_over(config: CollectorConfig, store: Arc<dyn Store>) -> Result<Self, CollectorError> {
        instruction::read(config.instruction_file.as_deref())?;
        let failed = |source| CollectorError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        if let Some(path) = &config.address_file {
            write_whole(path, &address.to_string())
                .map_err(|source| CollectorError::AddressFile { path: path.clone(), source })?;
        }
        Ok(Self { listener, address, config, store })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until it is stopped, then finishes what it has begun.
    pub async fn run(self, mut stop: Stop) -> Result<(), CollectorError> {
        let writer = writer::Writer::start(Arc::clone(&self.store)).map_err(CollectorError::Thread)?;
        let known = self.store.agents()?.into_iter().map(|registration| registration.agent).collect();
        let app = routes::router(&self.config, writer.door(), Readers::start()?, known);
        tracing::info!(address = %self.address, store = self.config.store, "collector listens");
        axum::serve(self.listener, app)
            .with_graceful_shutdown(async move { stop.wait().await })
            .await
            .map_err(CollectorError::Serve)?;
        writer.finish().await;
        tracing::info!("collector stopped");
        Ok(())
    }
}

/// Runs a collector until it is stopped.
pub async fn run(config: CollectorConfig, stop: Stop) -> Result<(), CollectorError> {
    Collector::bind(config).await?.run(stop).await
}

/// Nobody ever reads half of it.
fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text)?;
    std::fs::rename(beside, path)
}
