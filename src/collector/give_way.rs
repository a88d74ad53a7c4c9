//! Which threads wait when there are fewer processors than work.

/// Lets this thread run after those that write and those that talk to agents. Everybody waits for the one writer;
/// what is read while it is kept waiting would only queue up behind it.
pub(super) fn give_way() {
    // Elsewhere the priority is that of the whole process.
    #[cfg(target_os = "linux")]
    // Where it is not allowed, reading goes on as before.
    let _ = rustix::process::setpriority_process(None, NICE);
}

#[cfg(target_os = "linux")]
const NICE: i32 = 10;
