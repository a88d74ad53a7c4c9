//! What a virtual network does, in named fields: read from TOML, or written in a test.

use serde::Deserialize;

/// A whole virtual network. Everything left out does no harm: the empty scenario is a perfect line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// What every random choice is drawn from.
    pub seed: u64,
    /// The way to the far end.
    pub forward: Path,
    /// The way back.
    pub backward: Path,
    /// The far end.
    pub far: Far,
    /// The machine that measures.
    pub host: Host,
    /// When somebody sets the calendar clock of the machine that measures.
    pub wall_steps: Vec<WallStep>,
}

/// One direction of the line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Path {
    /// What every packet takes.
    pub delay_ms: f64,
    /// Added on top, uniform from zero to this; packets keep their order.
    pub jitter_ms: f64,
    /// The share of packets lost, each by itself.
    pub loss: f64,
    /// Losses in bursts.
    pub burst: Option<Burst>,
    /// The share of packets held back, so that later ones overtake them.
    pub reorder: f64,
    /// For how long they are held back.
    pub reorder_by_ms: f64,
    /// The share of packets that arrive twice.
    pub duplicate: f64,
    /// The rate of the bottleneck; unlimited where absent.
    pub rate_mbps: Option<f64>,
    /// How much the buffer in front of it holds, at that rate. A packet that finds it full is lost.
    pub queue_ms: f64,
    /// Other traffic in front of the bottleneck.
    pub load: Vec<CrossLoad>,
    /// Times in which nothing moves.
    pub stalls: Vec<Pause>,
}

/// Two states, good and bad, changed with these chances at each packet (Gilbert 1960, Elliott 1963).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    /// From good to bad.
    pub enter: f64,
    /// From bad to good.
    pub leave: f64,
    /// The share lost while bad.
    pub loss: f64,
}

/// Traffic of others, as a steady flow.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossLoad {
    /// From then.
    pub from_s: f64,
    /// To then.
    pub to_s: f64,
    /// So much.
    pub mbps: f64,
}

/// A time in which nothing happens; what came meanwhile follows at its end.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// When it begins.
    pub at_s: f64,
    /// How long it lasts.
    pub for_s: f64,
}

/// The calendar clock is set.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WallStep {
    /// When.
    pub at_s: f64,
    /// By how much, forward or back.
    pub by_s: f64,
}

/// The far end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Far {
    /// How far its clock is ahead of ours at the start.
    pub clock_ahead_ms: f64,
    /// When somebody sets it.
    pub clock_step: Option<WallStep>,
    /// How long an answer takes it.
    pub processing_us: f64,
    /// From when on it is silent.
    pub dies_at_s: Option<f64>,
    /// The share of answers that are random bytes.
    pub garbage: f64,
    /// Whether every answer is sent twice.
    pub answers_twice: bool,
}

/// The machine that measures.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// Whether its kernel stamps packets.
    pub kernel_stamps: bool,
    /// What the process adds to a packet on its way out.
    pub send_us: f64,
    /// What being woken up adds, uniform from zero to this.
    pub wake_us: f64,
    /// Times in which the process does not run.
    pub pauses: Vec<Pause>,
}

impl Default for Host {
    fn default() -> Self {
        Self { kernel_stamps: true, send_us: 8.0, wake_us: 60.0, pauses: Vec::new() }
    }
}
