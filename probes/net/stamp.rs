//! The kernel's own timestamps of what arrives (`SO_TIMESTAMPING`): in software, at the driver.

use super::Now;
use broadgauge_model::clock::{Clock, Wall};
use nix::sys::socket::{TimestampingFlag, Timestamps};

/// Readings of both clocks further apart than this are taken again, in nanoseconds.
const APART: u64 = 10_000;

/// What is asked of a socket that is to stamp what arrives.
pub(crate) fn of_arrivals() -> TimestampingFlag {
    TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE
}

/// The stamp, where there is one.
pub(crate) fn stamp_of(stamps: &Timestamps) -> Option<Wall> {
    let (seconds, nanos) = (stamps.system.tv_sec(), stamps.system.tv_nsec());
    (seconds != 0 || nanos != 0).then_some(Wall(seconds * 1_000_000_000 + nanos))
}

/// Both clocks, read close together.
pub(crate) fn read_both(clock: &dyn Clock) -> Now {
    for _ in 0..3 {
        let (before, wall, after) = (clock.mono(), clock.wall(), clock.mono());
        if after.0 - before.0 < APART {
            return Now { mono: after, wall };
        }
    }
    Now { mono: clock.mono(), wall: clock.wall() }
}
