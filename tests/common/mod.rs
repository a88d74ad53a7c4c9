//! What several test files share.

use std::io::Write as _;
use std::path::PathBuf;

/// The folder with the public data sets, which are not part of the project; says so aloud where it is not named.
#[expect(
    clippy::disallowed_methods,
    reason = "a test has no command line: the variable says where the data are"
)]
pub(crate) fn real_data() -> Option<PathBuf> {
    let folder = std::env::var("BROADGAUGE_REAL_DATA").ok();
    if folder.is_none() {
        // Written past the test harness, which keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "skipped: BROADGAUGE_REAL_DATA is not set");
    }
    folder.map(PathBuf::from)
}
