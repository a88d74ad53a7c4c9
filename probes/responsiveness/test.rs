//! One direction of a test: loads the line, probes it, and hands each interval to the meter until that has settled.

use super::discovery::Urls;
use super::load::{Load, Road, RoadError};
use super::meter::{Interval, Meter};
use super::probing::{self, FOREIGN_BYTES, OWN_BYTES, Probed};
use super::settings::Settings;
use crate::probe::Event;
use crate::throughput::Way;
use broadgauge_model::clock::{Mono, Span, Wall};
use broadgauge_model::result::{Counts, Reason};
use broadgauge_model::unit::Rate;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

/// Fewer probes a second than this tell nothing, whatever share of the goodput they take.
const FEWEST_PROBES: f64 = 4.0;
/// More probes under way than this wait for nothing but their time-out.
const MOST_UNDER_WAY: usize = 200;

/// What a direction came to.
pub(super) struct Ran {
    pub(super) started_at: Wall,
    pub(super) lasted: Span,
    pub(super) meter: Meter,
    pub(super) planned: u64,
    pub(super) sent: u64,
    pub(super) lost: u64,
    pub(super) answered: u64,
    /// Probes that failed, and why the last one did.
    pub(super) failed: (u64, Option<String>),
    /// Load connections that ended before their time.
    pub(super) cut: u64,
    /// Why the last load connection that could not be had was not.
    pub(super) not_had: Option<String>,
    pub(super) bytes: u64,
}

/// Why a direction could not be loaded.
pub(super) struct NotLoaded {
    pub(super) why: Reason,
    /// The server asks to come back later.
    pub(super) busy: bool,
}

impl NotLoaded {
    fn of(why: Option<&RoadError>) -> Self {
        let words = why.map_or_else(|| String::from("no connection"), ToString::to_string);
        Self {
            why: Reason(format!("the line could not be loaded: {words}")),
            busy: matches!(why, Some(RoadError::Refused(429 | 503))),
        }
    }
}

/// Runs a direction.
pub(super) async fn run(way: Way, urls: &Urls, road: &Road, settings: &Settings) -> Result<Ran, NotLoaded> {
    let context = &road.context;
    let clock = &*context.clock;
    let url = if way == Way::Down { &urls.large } else { &urls.upload };
    let mut load = Load::new(road.clone(), way, url.clone());
    let mut stop = context.stop.clone();
    load.fill(settings.connections);
    while load.alive() == 0 {
        let more = tokio::select! {
            () = stop.wait() => break,
            more = load.started() => more,
        };
        if !more {
            load.fill(0); // those that ended at once say why
            return Err(NotLoaded::of(load.failed.as_ref()));
        }
    }
    let mut ran = Ran::begun(clock.wall(), Meter::new(settings.rule()));
    let start = clock.mono();
    let mut wanted = settings.connections;
    let mut probes = JoinSet::new();
    let mut rng = ChaCha8Rng::seed_from_u64(context.seed);
    let mut next_probe = start;
    let mut now = Now { since: start, moved: load.moved(), seen: Interval::default() };
    loop {
        let end = now.since + settings.interval();
        let wake = end.min(next_probe) - clock.mono();
        tokio::select! {
            biased;
            () = stop.wait() => break,
            true = load.started() => {}
            Some(probed) = probes.join_next() => {
                if let Ok(probed) = probed {
                    ran.take(probed, &mut now.seen);
                }
            }
            () = tokio::time::sleep(wake.to_std()) => {
                let at = clock.mono();
                if at >= next_probe {
                    let rate = probe_rate(settings, load.moved(), at - start);
                    next_probe = (next_probe + Span::from_secs_f64(1.0 / rate)).max(at);
                    // Turn and turn about: beside the load, and on it.
                    ran.planned += 1;
                    let small = urls.small.clone();
                    let asker = (ran.planned.is_multiple_of(2)).then(|| load.asker(rng.random_range(0..1_024))).flatten();
                    if probes.len() < MOST_UNDER_WAY {
                        ran.sent += 1;
                        if let Some(asker) = asker {
                            ran.bytes += OWN_BYTES;
                            probes.spawn(probing::own(road.clone(), asker, small));
                        } else {
                            ran.bytes += FOREIGN_BYTES;
                            probes.spawn(probing::foreign(road.clone(), small));
                        }
                    }
                }
                if at >= end {
                    now.close(at, &load, &mut ran.meter);
                    if let Some(last) = ran.meter.intervals().last() {
                        let rate = Rate(last.goodput_bps);
                        context.tell(Event::Rate { load: way.load(), at: at - start, rate });
                    }
                    if ran.meter.responsiveness_is_stable() || at - start >= Span::from_secs_f64(settings.longest_s) {
                        break;
                    }
                    if !ran.meter.goodput_is_stable() {
                        wanted = (wanted + settings.added).min(settings.most_connections);
                    }
                    load.fill(wanted);
                    if let (0, Some(why)) = (load.alive(), &load.failed) {
                        return Err(NotLoaded::of(Some(why)));
                    }
                }
            }
        }
    }
    if ran.meter.intervals().is_empty() {
        // Interrupted in the first interval: what there is of it.
        now.close(clock.mono(), &load, &mut ran.meter);
    }
    ran.lasted = clock.mono() - start;
    ran.bytes += load.moved();
    ran.cut = load.cut;
    ran.not_had = load.failed.as_ref().map(ToString::to_string);
    Ok(ran)
}

/// The interval that is running.
struct Now {
    since: Mono,
    moved: u64,
    seen: Interval,
}

impl Now {
    fn close(&mut self, at: Mono, load: &Load, meter: &mut Meter) {
        let moved = load.moved();
        let rate = Rate::of(moved.saturating_sub(self.moved), at - self.since);
        let mut over = std::mem::take(&mut self.seen);
        over.goodput_bps = rate.map_or(0.0, |rate| rate.0);
        over.connections = load.alive();
        meter.add(over);
        (self.since, self.moved) = (at, moved);
    }
}

impl Ran {
    /// One that begins at this time, and has nothing yet.
    const fn begun(started_at: Wall, meter: Meter) -> Self {
        Self {
            started_at,
            lasted: Span::ZERO,
            meter,
            planned: 0,
            sent: 0,
            lost: 0,
            answered: 0,
            failed: (0, None),
            cut: 0,
            not_had: None,
            bytes: 0,
        }
    }

    /// What became of the probes. One that was still on its way at the end is in none of these.
    pub(super) fn counts(&self) -> Counts {
        let received = self.answered + self.failed.0;
        let (sent, missed) = (received + self.lost, self.planned - self.sent);
        Counts { planned: sent + missed, sent, missed, received, lost: self.lost, ..Counts::default() }
    }

    fn take(&mut self, probed: Probed, seen: &mut Interval) {
        match probed {
            Probed::Foreign(foreign) => {
                self.answered += 1;
                seen.foreign.push(foreign);
            }
            Probed::Own(time) => {
                self.answered += 1;
                seen.own.push(time);
            }
            Probed::Lost => self.lost += 1,
            Probed::Failed(why) => self.failed = (self.failed.0 + 1, Some(why)),
        }
    }
}

/// As many probes as may be (MPS), and as take no more than their share of what the line carries (PTC).
fn probe_rate(settings: &Settings, moved: u64, elapsed: Span) -> f64 {
    let each = u64::midpoint(FOREIGN_BYTES, OWN_BYTES) as f64 * 8.0;
    let carried = Rate::of(moved, elapsed).map_or(0.0, |rate| rate.0);
    (settings.probe_share * carried / each)
        .clamp(FEWEST_PROBES.min(settings.probes_per_second), settings.probes_per_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::responsiveness::meter::{Foreign, Rule};

    #[test]
    fn a_probe_that_is_still_on_its_way_at_the_end_is_neither_sent_nor_lost() {
        let mut ran = Ran::begun(Wall(0), Meter::new(Rule::default()));
        (ran.planned, ran.sent) = (10, 8);
        let time = Span::millis(20);
        let came = [
            Probed::Own(time),
            Probed::Foreign(Foreign { tcp: time, tls: None, http: time }),
            Probed::Failed(String::from("status 404")),
            Probed::Lost,
        ];
        for probed in came {
            ran.take(probed, &mut Interval::default());
        }
        let counts = ran.counts();
        assert_eq!((counts.planned, counts.sent, counts.missed), (6, 4, 2));
        assert_eq!((counts.received, counts.lost), (3, 1));
    }

    #[test]
    fn probes_take_no_more_than_their_share() {
        let settings = Settings::default();
        let at = |mbps: u64| probe_rate(&settings, mbps * 1_000_000 / 8, Span::secs(1));
        assert_eq!(at(0), 4.0);
        // 5 % of 20 Mbit/s is 1 Mbit/s; a probe moves 3,200 bytes.
        assert!((at(20) - 39.06).abs() < 0.01, "{}", at(20));
        assert_eq!(at(1_000), 100.0);
        assert_eq!(probe_rate(&settings, 0, Span::ZERO), 4.0);
    }
}
