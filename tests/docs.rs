//! The generated pages are current. A page that is not is rewritten, and the test fails once.
#![expect(clippy::unwrap_used, reason = "a test")]

use broadgauge::config::{AgentConfig, CollectorConfig, PeerConfig};
use broadgauge_model::metric::{Better, MetricId};
use broadgauge_model::text::Lang;
use std::fmt::Write as _;

fn metrics_page() -> String {
    let mut page = String::from(
        "# Metrics\n\nGenerated from the table of metrics in `model/metric.rs`; a test keeps it current.\n\n\
         Delays are kept in histogram counts of one microsecond, rates of one kbit/s. A margin is how far apart two\n\
         operators may be and still count as at par: the larger of the absolute bound and the share of the smaller\n\
         of the two values; both can be set for each study.\n\n\
         | id | unit | better | margin | defined in | English | 中文 |\n|---|---|---|---|---|---|---|\n",
    );
    for metric in MetricId::all() {
        let better = match metric.better {
            Better::Higher => "higher",
            Better::Lower => "lower",
        };
        let unit = metric.unit.symbol().get(Lang::En);
        let margin = match (metric.margin.absolute, metric.margin.relative) {
            (0.0, share) => format!("{} %", share * 100.0),
            (bound, 0.0) => format!("{bound} {unit}"),
            (bound, share) => format!("{bound} {unit} or {} %", share * 100.0),
        };
        writeln!(
            page,
            "| `{}` | {unit} | {better} | {margin} | {} | {} | {} |",
            metric.id,
            metric.defined_in,
            metric.label.get(Lang::En),
            metric.label.get(Lang::Zh)
        )
        .unwrap();
    }
    page
}

#[test]
fn the_metrics_page_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
    let expected = metrics_page();
    if std::fs::read_to_string(&path).unwrap_or_default() != expected {
        std::fs::write(&path, expected).unwrap();
        panic!("docs/metrics.md was out of date and has been rewritten: commit it");
    }
}

/// The block of a page that is marked with this word.
fn block<'a>(page: &'a str, mark: &str) -> &'a str {
    page.split_once(&format!("```toml {mark}\n")).unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_files_in_the_configuration_page_are_accepted_as_they_stand() {
    let page = include_str!("../docs/config.md");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "0123456789abcdef0123456789abcdef\n").unwrap();
    let agent = AgentConfig::parse(&folder.path().join("agent.toml"), block(page, "agent")).unwrap();
    assert_eq!((agent.lines.len(), agent.tasks.len()), (2, 5));
    for task in &agent.tasks {
        let method = broadgauge_probes::catalogue::find(&task.method).unwrap();
        (method.build)(&task.settings, None).unwrap();
    }
    CollectorConfig::parse(&folder.path().join("collector.toml"), block(page, "collector")).unwrap();
    let peer = PeerConfig::parse(&folder.path().join("peer.toml"), block(page, "peer")).unwrap();
    assert_eq!(
        peer.services.len(),
        broadgauge_probes::answering::SERVICES.len(),
        "the page shows every service"
    );
}
