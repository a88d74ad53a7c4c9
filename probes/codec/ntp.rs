//! The timestamp format of STAMP: 64-bit NTP (RFC 5905 section 6) or truncated PTP (RFC 8186 section 2.1), and the
//! error estimate beside it (RFC 4656 section 4.1.2, Z bit of RFC 8186).
//!
//! The seconds of both wrap (NTP's in 2036): [`Timestamp::near`] picks the era nearest to a time that the
//! reader knows to be close. What this cannot tell is whether the far clock is right; the error
//! estimate is only what that clock says of itself.

use broadgauge_model::clock::{Span, Wall};

/// Seconds from 1900-01-01, where NTP counts from, to 1970-01-01.
const NTP_TO_UNIX: i64 = 2_208_988_800;
const NANOS: i64 = 1_000_000_000;
/// Both formats count their seconds in 32 bits.
const ERA: i64 = 1 << 32;

/// Sixty-four bits off the wire. The error estimate beside them says which of the two formats they are in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// A calendar time in NTP format, rounded to its 0.23 ns steps.
    pub const fn ntp(at: Wall) -> Self {
        let seconds = at.0.div_euclid(NANOS).wrapping_add(NTP_TO_UNIX) as u32 as u64;
        let nanos = at.0.rem_euclid(NANOS) as u64;
        let fraction = ((nanos << 32) + NANOS as u64 / 2) / NANOS as u64;
        Self((seconds << 32).wrapping_add(fraction))
    }

    /// The calendar time meant, in the era that puts it nearest to `reference`.
    pub const fn near(self, reference: Wall, format: Format) -> Wall {
        let (seconds, low) = ((self.0 >> 32) as i64, self.0 & 0xffff_ffff);
        let (unix, nanos) = match format {
            Format::Ntp => (seconds - NTP_TO_UNIX, ((low * NANOS as u64 + (1 << 31)) >> 32) as i64),
            Format::Ptp => (seconds, low as i64),
        };
        let away = reference.0.div_euclid(NANOS) - unix;
        let eras = (away + ERA / 2).div_euclid(ERA);
        // Nine thousand million seconds fit an i64 of nanoseconds only up to the year 2262: saturate, never wrap.
        Wall((unix + eras * ERA).saturating_mul(NANOS).saturating_add(nanos))
    }
}

/// The two timestamp formats of STAMP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Seconds since 1900 and a binary fraction.
    #[default]
    Ntp,
    /// Seconds since 1970 and nanoseconds.
    Ptp,
}

/// What a clock says of itself: 16 bits beside each timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErrorEstimate(pub u16);

impl ErrorEstimate {
    /// An NTP-format estimate that is never below `error`: the smallest scale at which the multiplier fits.
    pub const fn new(synchronised: bool, error: Span) -> Self {
        // In units of 2^-32 s, rounded up.
        let units = ((error.abs().0 as u128) << 32).div_ceil(NANOS as u128);
        let mut scale = 0_u16;
        while scale < 63 && units.div_ceil(1 << scale) > 255 {
            scale += 1;
        }
        let multiplier = units.div_ceil(1 << scale);
        let multiplier = if multiplier == 0 {
            1 // RFC 4656: a multiplier of zero is not a value
        } else if multiplier > 255 {
            255
        } else {
            multiplier as u16
        };
        Self(((synchronised as u16) << 15) | (scale << 8) | multiplier)
    }

    /// The S bit: the clock is synchronised to UTC by an outside source.
    pub const fn synchronised(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// The Z bit: which format the timestamp beside it has.
    pub const fn format(self) -> Format {
        if self.0 & 0x4000 == 0 { Format::Ntp } else { Format::Ptp }
    }

    /// `multiplier * 2^-32 * 2^scale` seconds; `None` for a multiplier of zero, which is no value
    /// (RFC 4656 section 4.1.2).
    pub fn error(self) -> Option<Span> {
        let scale = i32::from((self.0 >> 8) & 0x3f);
        match self.0 & 0xff {
            0 => None,
            multiplier => Some(Span::from_secs_f64(f64::from(multiplier) * 2_f64.powi(scale - 32))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times_have_known_bytes() {
        // 1970-01-01T00:00:00.5Z: 2208988800 = 0x83aa7e80 (RFC 5905 figure 4), one half = 0x80000000.
        assert_eq!(Timestamp::ntp(Wall(500_000_000)).0, 0x83aa_7e80_8000_0000);
        // 2036-02-07T06:28:16Z is second 0 of NTP era 1 (RFC 5905 section 6, figure 4).
        let era_one = Wall::parse_rfc3339("2036-02-07T06:28:16Z").unwrap();
        assert_eq!(Timestamp::ntp(era_one).0, 0);
        assert_eq!(Timestamp(0).near(era_one + Span::secs(-5), Format::Ntp), era_one);
        // Truncated PTP: 1 s and 7 ns after 1970.
        assert_eq!(Timestamp((1 << 32) | 7).near(Wall(0), Format::Ptp), Wall(1_000_000_007));
    }

    #[test]
    fn a_fraction_that_rounds_up_carries_into_the_seconds() {
        let almost = Wall(1_999_999_999);
        assert_eq!(Timestamp::ntp(almost).near(almost, Format::Ntp), almost);
    }

    #[test]
    fn an_error_estimate_is_never_below_the_error() {
        let one_millisecond = ErrorEstimate::new(true, Span::millis(1));
        assert!(one_millisecond.synchronised());
        assert_eq!(one_millisecond.format(), Format::Ntp);
        let said = one_millisecond.error().unwrap();
        assert!(said >= Span::millis(1) && said < Span::micros(1_010), "{said:?}");
        // 255 * 2^-32 s is the largest error at scale 0: 59.4 ns.
        assert_eq!(ErrorEstimate::new(false, Span(59)).0, 0x00fe);
        assert_eq!(ErrorEstimate::new(false, Span::ZERO).0, 1);
        assert_eq!(ErrorEstimate(0x8000).error(), None, "a multiplier of zero says nothing");
    }

    proptest! {
        #[test]
        fn a_calendar_time_survives_the_wire(ns in 0_i64..8_000_000_000_000_000_000, drift in -1_000_000_000_i64..1_000_000_000) {
            let (at, reference) = (Wall(ns), Wall(ns + drift));
            prop_assert_eq!(Timestamp::ntp(at).near(reference, Format::Ntp), at);
        }

        #[test]
        fn any_bits_are_a_time(bits: u64, reference: i64, estimate: u16) {
            let estimate = ErrorEstimate(estimate);
            let _ = Timestamp(bits).near(Wall(reference), estimate.format());
            let _ = estimate.error();
        }

        #[test]
        fn an_estimate_bounds_its_error_within_one_per_cent(ns in 60_i64..1_000_000_000_000) {
            let said = ErrorEstimate::new(false, Span(ns)).error().unwrap();
            prop_assert!(said.0 >= ns - 1 && said.0 as f64 <= ns as f64 * 1.02 + 1.0, "{} for {}", said.0, ns);
        }
    }
}
