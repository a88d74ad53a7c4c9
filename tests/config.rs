//! A wrong file is found when the command starts and when it only checks, with exit code 2, the file, the key and the
//! cure: before anything is measured, spooled or listened to.

use assert_cmd::Command;
use std::path::{Path, PathBuf};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

/// Each `invalid-*.toml` begins with the words that its message must hold, one a line: `# says: …`.
#[test]
fn every_invalid_file_ends_the_command_with_code_2_its_key_and_the_cure_at_start_and_in_a_check() {
    let mut seen = 0;
    for entry in std::fs::read_dir(cases()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Some(case) = name.strip_prefix("invalid-") else { continue };
        // What a peer answers with has no check of its own: a file that is wrong ends it before it listens.
        if case.starts_with("peer-") {
            Command::cargo_bin("broadgauge").unwrap().args(["peer", "--config"]).arg(&path).assert().code(2);
            continue;
        }
        let command = if case.starts_with("collector-") { "collector" } else { "agent" };
        let text = std::fs::read_to_string(&path).unwrap();
        for more in [&[][..], &["--check"]] {
            let mut run = Command::cargo_bin("broadgauge").unwrap();
            let run = run.arg(command).arg("--config").arg(&path).args(more).assert().code(2);
            let talk = String::from_utf8(run.get_output().stderr.clone()).unwrap();
            assert!(talk.contains(&name), "{name}: the file is named: {talk}");
            for words in text.lines().filter_map(|line| line.strip_prefix("# says: ")) {
                assert!(talk.contains(words), "{name}: {words:?} is not in: {talk}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 28, "{seen}");
    assert!(!cases().join("spool").exists(), "nothing was started");
}

#[test]
fn a_valid_file_passes_the_check_and_is_summed_up() {
    let mut run = Command::cargo_bin("broadgauge").unwrap();
    let run =
        run.args(["agent", "--check", "--config"]).arg(cases().join("valid-agent.toml")).assert().code(0);
    let said = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert_eq!(said, "site-17: 3 tasks on 2 lines\n");
}
