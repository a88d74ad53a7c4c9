//! From a stream of probes to what a call over the same line would go through.
//!
//! A receiver plays each packet at a fixed time after it was spoken; what comes later is lost to the ear. An adaptive
//! jitter buffer settles where delay and late losses together hurt least, so every play-out time on a grid of 5 ms is
//! tried, and the best one counts. Network losses and late packets are taken together, and how much their runs are
//! longer than by chance is the burst ratio of G.107.
//!
//! One-way transit times are known up to the distance of the two clocks; the fastest packet is taken to need half of
//! the shortest round trip. Where only round trips are known, all variation and all loss are taken to lie in the one
//! direction: what comes out is a lower bound. Probes are sparser than voice packets, so runs of loss shorter than
//! their gap are not seen.

use super::{Codec, Path, Rating, rate};
use crate::score::interval::{self, Runs};
use crate::score::{Declined, Estimate};
use broadgauge_model::clock::Span;
use broadgauge_model::unit::Ratio;
use serde::Serialize;

/// Fewer packets cannot tell a loss of 1 % from none.
pub const FEWEST: usize = 100;
const GRID: Span = Span::millis(5);
const LATEST: Span = Span::millis(500);

/// What became of one packet in one direction, in order of sending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It arrived after this time.
    Arrived(Span),
    /// It did not.
    Lost,
}

/// How a call would sound, and what it is rated from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Heard {
    /// The score.
    pub mos: Estimate,
    /// The rating and its terms.
    pub rating: Rating,
    /// From mouth to ear.
    pub mouth_to_ear_ms: f64,
    /// Of this, the network and the jitter buffer.
    pub play_out_ms: f64,
    /// Lost in the network.
    pub network_loss_ratio: f64,
    /// Arrived too late to be played, as a share of those that arrived.
    pub late_ratio: f64,
    /// How much longer the runs of loss are than by chance.
    pub burst_ratio: f64,
}

/// Rates a call with this codec. `lost_this_way` is the share of packets lost in this direction where it is known better than from
/// the fates themselves, which then only say how losses cluster.
pub fn heard(fates: &[Fate], lost_this_way: Option<Ratio>, codec: &Codec) -> Result<Heard, Declined> {
    if fates.len() < FEWEST {
        return Err(Declined::because(format!(
            "{} packets cannot tell a loss of 1 % from none; {FEWEST} can",
            fates.len()
        )));
    }
    let arrived = fates.iter().filter(|fate| matches!(fate, Fate::Arrived(_))).count();
    if arrived == 0 {
        return Err(Declined::because("no packet arrived, so there is no delay to rate"));
    }
    let network = lost_this_way.unwrap_or(Ratio((fates.len() - arrived) as f64 / fates.len() as f64));
    let steps = 1..=LATEST.0 / GRID.0;
    steps
        .map(|step| at(Span(GRID.0 * step), fates, arrived, network, codec))
        .max_by(|a, b| a.rating.r.total_cmp(&b.rating.r))
        .ok_or_else(|| Declined::because("there is no play-out time to try"))
}

fn at(play_out: Span, fates: &[Fate], arrived: usize, network: Ratio, codec: &Codec) -> Heard {
    let runs = Runs::of(fates.iter().map(|fate| match fate {
        Fate::Arrived(transit) => *transit > play_out,
        Fate::Lost => true,
    }));
    let late = (runs.lost - (fates.len() - arrived) as u64) as f64 / arrived as f64;
    let loss = network.0 + (1.0 - network.0) * late;
    let delay = play_out + Span::from_secs_f64(codec.delay_ms / 1e3);
    let rated = |loss: f64| rate(&Path { delay, loss: Ratio(loss), burst_ratio: runs.burst_ratio(), codec });
    let n = fates.len() as u64;
    let (least, most) = interval::share((loss * n as f64).round() as u64, n, runs.correlation());
    let rating = rated(loss);
    Heard {
        mos: Estimate {
            value: rating.mos,
            interval: (rated(most).mos.min(rating.mos), rated(least).mos.max(rating.mos)),
            n,
        },
        rating,
        mouth_to_ear_ms: delay.as_millis_f64(),
        play_out_ms: play_out.as_millis_f64(),
        network_loss_ratio: network.0,
        late_ratio: late,
        burst_ratio: runs.burst_ratio(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::voice::codecs;

    fn ms(ms: i64) -> Fate {
        Fate::Arrived(Span::millis(ms))
    }

    fn mos(fates: &[Fate]) -> f64 {
        heard(fates, None, &codecs()[0]).unwrap().mos.value
    }

    #[test]
    fn an_even_stream_is_played_just_after_it_arrives() {
        let heard = heard(&[ms(20); 200], None, &codecs()[0]).unwrap();
        assert_eq!((heard.play_out_ms, heard.late_ratio, heard.burst_ratio), (20.0, 0.0, 1.0));
        assert!((heard.mouth_to_ear_ms - 40.125).abs() < 1e-9);
        assert!(heard.mos.value > 4.37 && heard.mos.interval.1 == heard.mos.value);
        assert!(heard.mos.interval.0 < 4.3, "200 packets leave some loss open: {:?}", heard.mos);
    }

    #[test]
    fn the_buffer_waits_for_a_tail_that_is_worth_it_and_not_for_one_straggler() {
        let tail: Vec<Fate> = (0..200).map(|i| if i % 10 == 0 { ms(80) } else { ms(20) }).collect();
        assert_eq!(heard(&tail, None, &codecs()[0]).unwrap().play_out_ms, 80.0);
        let straggler: Vec<Fate> = (0..500).map(|i| if i == 99 { ms(450) } else { ms(20) }).collect();
        let one = heard(&straggler, None, &codecs()[0]).unwrap();
        assert_eq!(one.play_out_ms, 20.0);
        assert!((one.late_ratio - 0.002).abs() < 1e-12);
    }

    #[test]
    fn the_burst_ratio_is_the_mean_run_over_that_of_chance() {
        // 8 lost of 100 in 2 runs: a mean run of 4, by chance 1 / 0.92 (G.107 section 3.5).
        let fates: Vec<Fate> = (0..100).map(|i| if i % 50 < 4 { Fate::Lost } else { ms(10) }).collect();
        let heard = heard(&fates, None, &codecs()[0]).unwrap();
        assert!((heard.burst_ratio - 4.0 * 0.92).abs() < 1e-12);
        assert_eq!(heard.network_loss_ratio, 0.08);
    }

    #[test]
    fn losses_of_the_other_direction_do_not_count() {
        let fates: Vec<Fate> = (0..200).map(|i| if i % 20 == 0 { Fate::Lost } else { ms(10) }).collect();
        let here = heard(&fates, Some(Ratio(0.0)), &codecs()[0]).unwrap();
        assert!(here.mos.value > mos(&fates));
        assert_eq!(here.network_loss_ratio, 0.0);
    }

    #[test]
    fn a_slower_or_lost_packet_never_makes_it_sound_better() {
        let fates: Vec<Fate> =
            (0..300_i64).map(|i| if i % 37 == 0 { Fate::Lost } else { ms(15 + (i * 7919) % 60) }).collect();
        let before = mos(&fates);
        for i in 0..fates.len() {
            for worse in [Fate::Lost, ms(300)] {
                let mut changed = fates.clone();
                changed[i] = worse;
                assert!(mos(&changed) <= before + 1e-9, "packet {i}");
            }
        }
    }

    #[test]
    fn too_few_packets_and_none_that_arrived_are_declined() {
        assert!(heard(&[ms(20); 99], None, &codecs()[0]).unwrap_err().0.contains("99 packets"));
        assert!(heard(&[Fate::Lost; 100], None, &codecs()[0]).unwrap_err().0.contains("no packet arrived"));
    }
}
