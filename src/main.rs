//! Broadgauge measures broadband lines as customers feel them, beside the peer operators' lines, and lines the
//! figures up with what customers complain about.

use std::process::ExitCode;

fn main() -> ExitCode {
    broadgauge::cli::run()
}
