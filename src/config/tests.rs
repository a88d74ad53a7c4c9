use super::{AgentConfig, CollectorConfig, PeerConfig};
use broadgauge_model::clock::Span;
use broadgauge_model::task::Schedule;
use std::path::{Path, PathBuf};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config")
}

/// Each `invalid-*.toml` begins with the words that its message must hold, one a line: `# says: …`.
#[test]
fn every_invalid_file_is_refused_with_its_key_and_the_cure() {
    let mut seen = 0;
    for entry in std::fs::read_dir(cases()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let error = if name.starts_with("invalid-agent-") {
            AgentConfig::load(&path).err()
        } else if name.starts_with("invalid-collector-") {
            CollectorConfig::load(&path).err()
        } else if name.starts_with("invalid-peer-") {
            PeerConfig::load(&path).err()
        } else {
            continue;
        };
        let error = error.unwrap_or_else(|| panic!("{name} was accepted")).to_string();
        assert!(error.contains(&name), "{name}: the file is named: {error}");
        let text = std::fs::read_to_string(&path).unwrap();
        let wanted: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# says: ")).collect();
        assert!(!wanted.is_empty(), "{name} does not say what its message must hold");
        for words in wanted {
            assert!(error.contains(words), "{name}: {words:?} is not in: {error}");
        }
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn a_full_agent_file_is_read_as_written() {
    let config = AgentConfig::load(&cases().join("valid-agent.toml")).unwrap();
    assert_eq!(config.agent, "site-17");
    assert_eq!(config.lines.len(), 2);
    assert_eq!(config.lines[1].binding.interface.as_deref(), Some("eth1"));
    assert_eq!(config.collector.url, "https://collector.example:8437");
    assert_eq!(config.spool.max_bytes, 64 << 20);
    let names: Vec<_> = config.tasks.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["delay@own-17", "delay@peer-17", "throughput-exchange@own-17"]);
    assert_eq!(config.tasks[0].schedule, Schedule::Periodic { every: Span::secs(30) });
    assert_eq!(
        config.tasks[2].schedule,
        Schedule::Cron { expression: "15 */6 * * *".into(), spread: Span::secs(600) }
    );
    assert_eq!(config.tasks[2].bytes_per_day, Some(8_000_000_000));
    assert_eq!(config.tasks[0].settings["count"], 100);
    assert!(!format!("{config:?}").contains("0123456789abcdef"), "a token is not logged");
}

#[test]
fn a_collector_needs_little_more_than_its_token() {
    let config = CollectorConfig::load(&cases().join("valid-collector.toml")).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8437");
    assert!(config.store.ends_with("tests/config/broadgauge.db"), "{}", config.store);
}
