//! What a peer allows, and what all its connections share.

use crate::net::Wire;
use crate::peer::guests::{Guest, Guests};
use crate::peer::queue::Queue;
use broadgauge_model::clock::{Clock, Span};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// What a peer allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections altogether.
    pub connections: usize,
    /// Connections from one IPv4 address or one IPv6 /64.
    pub connections_per_place: usize,
    /// Tests that wait.
    pub waiting: usize,
    /// Tests, running or waiting, of one place.
    pub tests_per_place: usize,
    /// Streams of one test.
    pub streams: usize,
    /// The longest load in one direction.
    pub duration: Span,
    /// How long somebody may take to say what it must say next.
    pub patience: Span,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_place: 128,
            waiting: 32,
            tests_per_place: 8,
            streams: 64,
            duration: Span::secs(60),
            patience: Span::secs(10),
        }
    }
}

/// What all connections of a peer share.
pub(super) struct House {
    pub(super) limits: Limits,
    pub(super) guests: Guests,
    pub(super) queue: Queue,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) expected: Mutex<HashMap<String, Expected>>,
}

/// The test that a token stands for.
pub(super) struct Expected {
    pub(super) place: IpAddr,
    pub(super) join: mpsc::Sender<(usize, Wire, Guest)>,
}
