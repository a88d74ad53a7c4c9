//! The only printer. What a person or a script asked for goes to stdout; talk goes to stderr.

use std::io::{IsTerminal as _, Write as _};

/// Writes data to stdout. A reader who has gone away (`| head`) is not an error.
pub fn data(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Writes data that is not text to stdout.
pub fn bytes(data: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(data);
    let _ = stdout.flush();
}

/// Writes one line of data to stdout.
pub fn line(text: &str) {
    let mut stdout = anstream::stdout().lock();
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
}

/// Writes a value as one JSON document to stdout.
pub fn json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => line(&text),
        Err(error) => complain(&error.into()),
    }
}

/// Writes a value as JSON: laid out where a person watches, else in one line, so that a file of many can be read line by
/// line.
pub fn json_record(value: &serde_json::Value) {
    if is_watched() { json(value) } else { line(&value.to_string()) }
}

/// Says something to the person at the terminal.
pub fn talk(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Says what went wrong, with its causes.
pub fn complain(error: &anyhow::Error) {
    let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
    talk(&format!("broadgauge: {}", chain.join(": ")));
}

/// Whether a person is watching stdout.
pub fn is_watched() -> bool {
    std::io::stdout().is_terminal()
}

/// A progress line on stderr, shown only when a person watches.
pub fn progress(message: &str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner();
    bar.set_style(indicatif::ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| {
        // The template is a constant, so this arm is never taken; a plain spinner would do no harm.
        indicatif::ProgressStyle::default_spinner()
    }));
    bar.set_message(message.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

/// Logs go to stderr; `BROADGAUGE_LOG=debug` says more.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::WARN.into())
        .with_env_var("BROADGAUGE_LOG")
        .from_env_lossy();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}

/// Ends the program without waiting for anything: the second Ctrl-C.
#[expect(clippy::exit, reason = "the person at the terminal has asked twice")]
pub fn leave_at_once() -> ! {
    std::process::exit(130)
}
