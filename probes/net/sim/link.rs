//! One direction of a virtual line: when does a packet that enters now come out, if at all, and how often?
//!
//! The bottleneck is a fluid queue: traffic of others fills it at a steady rate, our packets find what is there,
//! and are lost where it is full.

use super::scenario::Path;
use broadgauge_model::clock::{Mono, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What a line did, for tests to hold against what was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Packets that entered.
    pub entered: u64,
    /// Of these lost.
    pub lost: u64,
    /// Of these doubled.
    pub doubled: u64,
    /// Of these held back.
    pub held_back: u64,
}

pub(super) struct Link {
    path: Path,
    rng: ChaCha8Rng,
    bad: bool,
    backlog_bits: f64,
    settled: Mono,
    last_out: Mono,
    pub(super) truth: Truth,
}

pub(super) fn seconds(s: f64) -> Span {
    Span::from_secs_f64(s)
}

fn millis(ms: f64) -> Span {
    Span::from_secs_f64(ms / 1e3)
}

impl Link {
    pub(super) fn new(path: Path, seed: u64) -> Self {
        Self {
            path,
            rng: ChaCha8Rng::seed_from_u64(seed),
            bad: false,
            backlog_bits: 0.0,
            settled: Mono(0),
            last_out: Mono(0),
            truth: Truth::default(),
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        share > 0.0 && self.rng.random::<f64>() < share
    }

    /// When a packet that enters at `now` comes out: never, once or twice.
    pub(super) fn carry(&mut self, now: Mono, bytes: usize) -> Vec<Mono> {
        self.truth.entered += 1;
        let queued = self.queue(now, bytes);
        let unlucky = self.chance(self.path.loss) | self.burst();
        let Some(queued) = queued.filter(|_| !unlucky) else {
            self.truth.lost += 1;
            return Vec::new();
        };
        let jitter = self.rng.random::<f64>() * self.path.jitter_ms;
        let mut out = now + queued + millis(self.path.delay_ms + jitter);
        for stall in &self.path.stalls {
            let (from, to) = (Mono(0) + seconds(stall.at_s), Mono(0) + seconds(stall.at_s + stall.for_s));
            if now >= from && now < to {
                out = out.max(to + millis(self.path.delay_ms));
            }
        }
        out = out.max(self.last_out);
        if self.chance(self.path.reorder) {
            self.truth.held_back += 1;
            out = out + millis(self.path.reorder_by_ms);
        } else {
            self.last_out = out;
        }
        if self.chance(self.path.duplicate) {
            self.truth.doubled += 1;
            return vec![out, out + Span::micros(200)];
        }
        vec![out]
    }

    fn burst(&mut self) -> bool {
        let Some(burst) = self.path.burst else { return false };
        let change = if self.bad { burst.leave } else { burst.enter };
        if self.chance(change) {
            self.bad = !self.bad;
        }
        self.bad && self.chance(burst.loss)
    }

    /// How long the packet waits for its turn; `None` where the buffer is full.
    fn queue(&mut self, now: Mono, bytes: usize) -> Option<Span> {
        let Some(mbps) = self.path.rate_mbps else { return Some(Span::ZERO) };
        let rate = mbps * 1e6;
        // A second copy is told of ahead of its time; what comes next must not turn the clock back and drain twice.
        self.settle(now.max(self.settled), rate);
        let bits = bytes as f64 * 8.0;
        // Traffic of others competes for the last place; what keeps the buffer full loses its own share.
        if self.backlog_bits + bits > self.buffer_bits(rate) + 12_000.0 {
            return None;
        }
        self.backlog_bits += bits;
        Some(seconds(self.backlog_bits / rate))
    }

    fn buffer_bits(&self, rate: f64) -> f64 {
        rate * self.path.queue_ms / 1e3
    }

    /// Lets the fluid run on, in pieces between which the load is steady.
    fn settle(&mut self, now: Mono, rate: f64) {
        let mut edges: Vec<Mono> = self
            .path
            .load
            .iter()
            .flat_map(|load| [load.from_s, load.to_s])
            .map(|s| Mono(0) + seconds(s))
            .filter(|&edge| edge > self.settled && edge < now)
            .collect();
        edges.push(now);
        edges.sort_unstable();
        for edge in edges {
            let middle = self.settled + Span((edge - self.settled).0 / 2);
            let inflow: f64 = self
                .path
                .load
                .iter()
                .filter(|load| {
                    middle >= Mono(0) + seconds(load.from_s) && middle < Mono(0) + seconds(load.to_s)
                })
                .map(|load| load.mbps * 1e6)
                .sum();
            let change = (inflow - rate) * (edge - self.settled).as_secs_f64();
            // The last packet may stand a little above the brim: it is carried, not spilt. Traffic of others gives way to it.
            let full = self.buffer_bits(rate);
            let brim = if inflow > rate { full } else { full.max(self.backlog_bits) };
            self.backlog_bits = (self.backlog_bits + change).clamp(0.0, brim);
            self.settled = edge;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scenario::{Burst, CrossLoad};
    use super::*;

    fn sent_every_ms(path: Path, n: u64) -> (Vec<Option<Span>>, Truth) {
        let mut link = Link::new(path, 3);
        let delays = (0..n)
            .map(|i| {
                let now = Mono(i * 1_000_000);
                link.carry(now, 72).first().map(|&out| out - now)
            })
            .collect();
        (delays, link.truth)
    }

    #[test]
    fn a_full_buffer_delays_by_its_length_and_empties_at_the_rate() {
        let load = CrossLoad { from_s: 1.0, to_s: 3.0, mbps: 40.0 };
        let path = Path {
            delay_ms: 5.0,
            rate_mbps: Some(20.0),
            queue_ms: 300.0,
            load: vec![load],
            ..Path::default()
        };
        let (delays, truth) = sent_every_ms(path, 5_000);
        let at = |ms: usize| delays[ms].unwrap().as_millis_f64();
        assert!((at(999) - 5.0).abs() < 0.1, "idle {}", at(999));
        // Filling at 20 Mbit/s above the rate: 150 ms of load make 150 ms of queue.
        assert!((at(1_150) - 155.0).abs() < 6.0, "filling {}", at(1_150));
        assert!((at(2_900) - 305.0).abs() < 1.0, "full {}", at(2_900));
        // Emptied at the rate less our own 0.58 Mbit/s.
        assert!((at(3_150) - 160.0).abs() < 6.0, "emptying {}", at(3_150));
        assert!((at(3_400) - 5.0).abs() < 0.1, "idle again {}", at(3_400));
        assert_eq!(truth.lost, 0);
    }

    #[test]
    fn a_full_line_carries_its_rate_and_no_more() {
        let path = Path { rate_mbps: Some(20.0), queue_ms: 100.0, ..Path::default() };
        let mut link = Link::new(path, 1);
        // 40 Mbit/s into 20, in packets of 10,000 bits.
        let out: Vec<Mono> = (0..40_000_u64).flat_map(|i| link.carry(Mono(i * 250_000), 1_250)).collect();
        let carried = out.len() as f64 * 1e4 / (out[out.len() - 1] - out[0]).as_secs_f64() / 1e6;
        assert!((19.9..=20.01).contains(&carried), "{carried}");
    }

    #[test]
    fn bursts_lose_their_share_in_long_runs() {
        let burst = Burst { enter: 0.005, leave: 0.1, loss: 0.8 };
        let (delays, truth) = sent_every_ms(Path { burst: Some(burst), ..Path::default() }, 200_000);
        // The bad state is held enter / (enter + leave) = 4.76% of the time; 80% of that is lost.
        let ratio = truth.lost as f64 / truth.entered as f64;
        assert!((ratio - 0.0381).abs() < 0.003, "{ratio}");
        let runs = crate::series::LossPeriods::of(delays.iter().map(Option::is_none));
        assert!(runs.longest > 8, "{runs:?}");
    }
}
