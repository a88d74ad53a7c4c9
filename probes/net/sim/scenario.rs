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
    /// The routers on the way, in order. Without any, the line leaves the TTL less seven.
    pub routers: Vec<Router>,
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

/// A router, named 203.0.113.1 for the first and so on. What happens to a packet happens to it in front of the first.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Router {
    /// How much of the line's delay lies before it.
    pub share: f64,
    /// What it adds to an answer of its own, uniform from zero to this: routers answer when they have time.
    pub slow_ms: f64,
    /// The share of packets that it drops without a word when their time is up.
    pub silent: f64,
    /// How many bytes it quotes behind the IP header.
    pub quotes: usize,
    /// What every second packet that it would pass on is sent by, instead: another router, named 203.0.113.100 and on.
    pub twin: bool,
    /// From when on it refuses to pass anything on, and says so.
    pub refuses_at_s: Option<f64>,
}

impl Default for Router {
    fn default() -> Self {
        Self { share: 0.5, slow_ms: 0.0, silent: 0.0, quotes: 8, twin: false, refuses_at_s: None }
    }
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
    /// Whether nobody listens there: UDP is answered with an ICMP error.
    pub closed: bool,
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
