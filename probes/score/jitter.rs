//! The interarrival jitter of RTP (RFC 3550 section 6.4.1 and appendix A.8).
//!
//! `J += (|D(i-1, i)| - J) / 16`, in order of arrival, where `D` is the change of transit time between neighbours. The
//! two clocks need not agree: only differences count. It is the state of a filter, not a percentile, and is not
//! comparable with PDV or IPDV.

use broadgauge_model::clock::Span;

/// The filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    last: Option<Span>,
    nanos: f64,
}

impl Jitter {
    /// A packet arrived after this transit time.
    pub fn arrive(&mut self, transit: Span) {
        if let Some(last) = self.last.replace(transit) {
            self.nanos += ((transit - last).abs().0 as f64 - self.nanos) / 16.0;
        }
    }

    /// The jitter by now; `None` before two packets arrived.
    pub fn value(&self) -> Option<Span> {
        self.last.map(|_| Span(self.nanos.round() as i64))
    }

    /// Of all these transit times, in order of arrival.
    pub fn of(transits: impl IntoIterator<Item = Span>) -> Option<Span> {
        let (mut jitter, mut count) = (Self::default(), 0);
        for transit in transits {
            jitter.arrive(transit);
            count += 1;
        }
        jitter.value().filter(|_| count > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_follows_the_appendix_of_rfc_3550() {
        // Worked from appendix A.8 in double precision with Python 3.11: J += (abs(d) - J) / 16.
        const EXPECTED: [f64; 9] =
            [0.125, 0.179_688, 1.355_957, 2.271_210, 2.191_759, 2.054_774, 4.238_851, 6.348_923, 6.077_115];
        let delays = [10, 12, 11, 30, 14, 13, 13, 50, 12, 10].map(Span::millis);
        let mut jitter = Jitter::default();
        jitter.arrive(delays[0]);
        for (delay, expected) in delays[1..].iter().zip(EXPECTED) {
            jitter.arrive(*delay);
            let ms = jitter.value().unwrap().as_millis_f64();
            assert!((ms - expected).abs() < 1e-6, "{ms} {expected}");
        }
    }

    #[test]
    fn one_packet_has_no_jitter_and_an_even_stream_has_none_to_speak_of() {
        assert_eq!(Jitter::of([Span::millis(5)]), None);
        assert_eq!(Jitter::of([Span::millis(5); 9]), Some(Span::ZERO));
    }
}
