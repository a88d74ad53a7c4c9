//! From the stamps of one exchange to a delay.
//!
//! The elapsed clock bounds the truth from above: it starts before the packet leaves the process and ends after
//! the answer has reached it. The kernel's stamps say how much of that was spent inside this machine, and that is
//! taken off. Kernel stamps are in calendar time, so a stamp is believed only next to a process reading of the
//! same clock that agrees with it; where the calendar clock was set between the two ends of an exchange, none
//! is, and the elapsed time stands alone.

use crate::net::Now;
use broadgauge_model::clock::{Span, Wall};
use serde::Serialize;

/// Two readings of both clocks may differ by so much without a step: the process can be interrupted between them.
const STEP: Span = Span::micros(50);
/// A kernel stamp may lie so far on the wrong side of the process's own reading.
const SLACK: Span = Span::micros(2);

/// Who stamped an end of an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The kernel, at the driver.
    Kernel,
    /// This process.
    #[default]
    User,
}

/// One end of an exchange, as this machine saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// By the process: just before sending, just after receiving.
    pub user: Now,
    /// By the kernel.
    pub kernel: Option<Wall>,
}

/// An exchange with this machine's share taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// From T1 to T4.
    pub total: Span,
    /// T1.
    pub left: Wall,
    /// T4.
    pub arrived: Wall,
    /// Who stamped T1.
    pub transmit: Stamp,
    /// Who stamped T4.
    pub receive: Stamp,
    /// How far the calendar clock was set on the way; the two calendar times are then not comparable.
    pub stepped: Option<Span>,
}

/// How far the calendar clock was set between two readings, if it was.
pub fn step(earlier: Now, later: Now) -> Option<Span> {
    Some(later.step_since(earlier)).filter(|step| step.abs() > STEP)
}

/// The exchange between two ends.
pub fn trip(left: Seen, arrived: Seen) -> Trip {
    let elapsed = arrived.user.mono - left.user.mono;
    let stepped = step(left.user, arrived.user);
    let mut trip = Trip {
        total: elapsed,
        left: left.user.wall,
        arrived: arrived.user.wall,
        transmit: Stamp::User,
        receive: Stamp::User,
        stepped,
    };
    if stepped.is_some() {
        return trip;
    }
    let believable = |inside: Span| inside.0 >= -SLACK.0 && inside <= elapsed + SLACK;
    if let Some(kernel) = left.kernel
        && believable(kernel.since(left.user.wall))
    {
        trip.total = trip.total - kernel.since(left.user.wall);
        trip.left = kernel;
        trip.transmit = Stamp::Kernel;
    }
    if let Some(kernel) = arrived.kernel {
        let inside = arrived.user.wall.since(kernel);
        if believable(inside) && trip.total - inside >= Span::ZERO {
            trip.total = trip.total - inside;
            trip.arrived = kernel;
            trip.receive = Stamp::Kernel;
        }
    }
    trip
}

/// The far end's share, between its two stamps; `None` where they cannot be right: negative, or longer
/// than the exchange. A clock that was set between them shows in this way.
pub fn far_share(received: Wall, sent: Wall, total: Span) -> Option<Span> {
    let inside = sent.since(received);
    (inside >= Span::ZERO && inside <= total).then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use broadgauge_model::clock::Mono;

    const DAY: i64 = 86_400_000_000_000;

    fn seen(mono_us: u64, wall_us: i64, kernel_us: Option<i64>) -> Seen {
        let wall = |us: i64| Wall(DAY + us * 1_000);
        Seen { user: Now { mono: Mono(mono_us * 1_000), wall: wall(wall_us) }, kernel: kernel_us.map(wall) }
    }

    #[test]
    fn kernel_stamps_take_this_machines_share_off() {
        let trip = trip(seen(1_000, 0, Some(8)), seen(11_100, 10_100, Some(10_050)));
        assert_eq!(trip.total, Span::micros(10_042));
        assert_eq!((trip.transmit, trip.receive), (Stamp::Kernel, Stamp::Kernel));
        assert_eq!(trip.arrived.since(trip.left), trip.total);
    }

    #[test]
    fn one_kernel_stamp_is_better_than_none() {
        let trip = trip(seen(1_000, 0, None), seen(11_100, 10_100, Some(10_050)));
        assert_eq!(trip.total, Span::micros(10_050));
        assert_eq!((trip.transmit, trip.receive), (Stamp::User, Stamp::Kernel));
    }

    #[test]
    fn an_exchange_across_a_clock_step_has_only_its_elapsed_time() {
        for hour in [3_600_000_000, -3_600_000_000] {
            let trip = trip(seen(1_000, 0, Some(8)), seen(11_100, 10_100 + hour, Some(10_050 + hour)));
            assert_eq!(trip.total, Span::micros(10_100));
            assert_eq!(trip.stepped, Some(Span::micros(hour)));
            assert_eq!((trip.transmit, trip.receive), (Stamp::User, Stamp::User));
        }
    }

    #[test]
    fn a_stamp_from_the_other_side_of_a_step_is_not_believed() {
        // The clock was set between the reading of the process and the kernel's stamp, and set back at once.
        let hour = 3_600_000_000;
        let trip = trip(seen(1_000, 0, Some(8 + hour)), seen(11_100, 10_100, Some(10_050 - hour)));
        assert_eq!(trip.total, Span::micros(10_100));
        assert_eq!((trip.transmit, trip.receive), (Stamp::User, Stamp::User));
    }

    #[test]
    fn the_far_share_is_inside_the_exchange() {
        let total = Span::micros(500);
        assert_eq!(far_share(Wall(1_000), Wall(41_000), total), Some(Span::micros(40)));
        assert_eq!(far_share(Wall(41_000), Wall(1_000), total), None);
        assert_eq!(far_share(Wall(0), Wall::from_secs(3_600), total), None);
    }
}
