//! What RFC 6349 (Framework for TCP Throughput Testing) makes of a transfer.
//!
//! Three ratios that say whether TCP used the line well: how much longer a transfer took than it had to, how much of what
//! was sent was not sent again, and how far the delay rose above its baseline.

use broadgauge_model::clock::Span;
use broadgauge_model::unit::{Rate, Ratio};

/// The bandwidth-delay product in bits (section 3.2.1).
pub fn bandwidth_delay_product(bottleneck: Rate, round_trip: Span) -> f64 {
    bottleneck.0 * round_trip.as_secs_f64()
}

/// The smallest receive window that fills the line, in bytes.
pub fn least_window(bottleneck: Rate, round_trip: Span) -> f64 {
    bandwidth_delay_product(bottleneck, round_trip) / 8.0
}

/// The actual over the ideal transfer time (section 4.1.1); `None` where there is no ideal.
pub fn transfer_time_ratio(actual: Span, ideal: Span) -> Option<f64> {
    (ideal.0 > 0).then(|| actual.0 as f64 / ideal.0 as f64)
}

/// What was not sent again, as a share of what was sent (section 4.1.2).
pub fn efficiency(sent_bytes: u64, retransmitted_bytes: u64) -> Option<Ratio> {
    Ratio::of(sent_bytes.checked_sub(retransmitted_bytes)?, sent_bytes)
}

/// How far the mean delay rose during the transfer, as a share of the baseline (section 4.1.3).
pub fn buffer_delay(mean_during: Span, baseline: Span) -> Option<f64> {
    (baseline.0 > 0).then(|| (mean_during - baseline).0 as f64 / baseline.0 as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_hold() {
        // RFC 6349 section 4.1.2: 102,000 bytes sent of which 2,000 again, 98.03 %.
        let efficiency = efficiency(102_000, 2_000).unwrap().0;
        assert!((efficiency - 0.980_392).abs() < 1e-6);
        // Section 4.1.3: a baseline of 25 ms and 32 ms under load, 28 %.
        assert!((buffer_delay(Span::millis(32), Span::millis(25)).unwrap() - 0.28).abs() < 1e-12);
        // Section 3.2.1: a T3 of 44.21 Mbit/s at 25 ms, 1,105,250 bits, about 138 kB of window.
        let (t3, round_trip) = (Rate::mbps(44.21), Span::millis(25));
        assert!((bandwidth_delay_product(t3, round_trip) - 1_105_250.0).abs() < 1e-6);
        assert!((least_window(t3, round_trip) - 138_156.25).abs() < 1e-6);
        // Section 4.1.1: 100 MB that could take 8 s took 12 s.
        assert_eq!(transfer_time_ratio(Span::secs(12), Span::secs(8)), Some(1.5));
    }

    #[test]
    fn what_cannot_be_is_none() {
        assert_eq!(efficiency(0, 0), None);
        assert_eq!(efficiency(10, 11), None);
        assert_eq!(buffer_delay(Span::millis(1), Span::ZERO), None);
        assert_eq!(transfer_time_ratio(Span::secs(1), Span::ZERO), None);
    }
}
