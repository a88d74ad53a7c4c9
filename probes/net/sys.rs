//! The one system call that no safe library offers: asking the kernel how well its clock is kept.

use super::ClockState;
use broadgauge_model::clock::Span;

/// What the kernel says of its clock (`adjtimex`, read only).
#[expect(unsafe_code, reason = "libc offers ntp_adjtime only as a foreign function")]
pub(super) fn clock_state() -> ClockState {
    // SAFETY: `timex` is a plain structure of integers, for which zero is a value of every field; `modes` 0 asks the
    // kernel to change nothing and to fill the structure, which lives until the call returns.
    let (state, timex) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        (libc::ntp_adjtime(&raw mut timex), timex)
    };
    ClockState {
        synchronised: state >= 0 && state != libc::TIME_ERROR && timex.status & libc::STA_UNSYNC == 0,
        error: Span::micros(timex.maxerror),
    }
}
