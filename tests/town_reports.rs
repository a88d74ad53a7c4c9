//! A town with everything, through the command: every chart of every report by its name, and the same bytes whatever the
//! threads and the order of rows.
#![expect(clippy::unwrap_used, reason = "a test")]

use broadgauge::demo::{take_in, town};
use broadgauge::publish::{self, LoopRequest, ReportName};
use broadgauge::store;
use broadgauge_model::text::Lang;
use broadgauge_reports::render::chart::{ChartFormat, chart};
use broadgauge_reports::study::{handling, satisfaction};
use clap::ValueEnum as _;
use jiff::civil::Date;
use std::path::Path;
use std::process::{Command, Output};

/// A quarter of the whole town, over fourteen weeks.
const PLAN: town::Plan = town::Plan {
    days: 98,
    own_lines: 360,
    peer_lines: 36,
    ..town::Plan::whole(3, Date::constant(2026, 11, 22))
};

fn broadgauge(folder: &Path, threads: u32, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_broadgauge"))
        .current_dir(folder)
        .args(arguments)
        .env("RUST_LOG", "error")
        .env("RAYON_NUM_THREADS", threads.to_string())
        .output()
        .unwrap()
}

fn done(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The town's tables of a folder, in its store.
fn settle(folder: &Path) {
    let store = store::open(&folder.join("broadgauge.db").to_string_lossy()).unwrap();
    take_in(&PLAN, folder, store.as_ref()).unwrap();
}

#[test]
fn every_chart_of_every_report_is_had_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    town::write(&PLAN, at).unwrap();
    settle(at);
    let store = store::open_existing(&at.join("broadgauge.db").to_string_lossy()).unwrap();
    let store = store.as_ref();
    let (mut request, mut of_the_loop) = (publish::Request::of(town::OWN), LoopRequest::of(town::OWN));
    request.peers.replicates = 200;
    of_the_loop.expectation.replicates = 100;
    let asked = satisfaction::Query { replicates: 200, ..satisfaction::Query::of(town::OWN) };
    let mut listed = Vec::new();
    let refused = publish::with_chart("no-such-chart", ReportName::value_variants(), |report| {
        let document = match report {
            ReportName::Operator => publish::operator(store, &request),
            ReportName::Complaints => publish::complaints(store, &request, &handling::Query::of(town::OWN)),
            ReportName::Expectation => publish::expectation(store, &of_the_loop),
            ReportName::Actions => publish::actions(store, &of_the_loop),
            ReportName::Satisfaction => publish::satisfaction(store, &request.gather, &asked),
        }?;
        let names = document.figure_names();
        assert!(!names.is_empty(), "{report:?}");
        for name in &names {
            let png = chart(&document, name, ChartFormat::Png(1.0), Lang::En).unwrap();
            assert!(png.starts_with(b"\x89PNG") && png.len() > 2_000, "{report:?} {name}");
        }
        listed.push(format!("{}: {}", document.name, names.join(", ")));
        Ok(document)
    });
    let told = refused.unwrap_err().to_string();
    assert!(listed.len() == 5 && told.ends_with(&listed.join("; ")), "{told}\n{listed:?}");

    let ask = ["--own", town::OWN, "--replicates", "200", "-o", "chart.png"];
    let command = |words: &[&str]| broadgauge(at, 2, &[&["report", "chart"], words, &ask].concat());
    let actions = command(&["no-such-chart", "--report", "actions"]);
    let told = String::from_utf8(actions.stderr).unwrap();
    assert!(actions.status.code() == Some(2) && told.contains(&listed[3]), "{told}");
    for words in [&["worst-nodes", "--report", "actions"][..], &["importance-performance"]] {
        done(&command(words));
        assert!(std::fs::read(at.join("chart.png")).unwrap().starts_with(b"\x89PNG"), "{words:?}");
        std::fs::remove_file(at.join("chart.png")).unwrap();
    }
    // Without a word about the report, the first that has a chart of the name gives it.
    done(&command(&["promised-rate"]));
}

/// Writes a town's tables with their rows in another order.
fn shuffle(from: &Path, to: &Path) {
    let mut state = 3_u64;
    for kind in PLAN.tables() {
        let file = format!("{}.csv", kind.word());
        let text = std::fs::read_to_string(from.join(&file)).unwrap();
        let mut rows: Vec<&str> = text.lines().collect();
        for i in (2..rows.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // The first row is the header.
            rows.swap(i, 1 + (state >> 33) as usize % i);
        }
        std::fs::write(to.join(&file), rows.join("\n") + "\n").unwrap();
        let map = format!("{}.toml", kind.word());
        std::fs::copy(from.join(&map), to.join(&map)).unwrap();
    }
}

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte() {
    let (plain, shuffled) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (plain, shuffled) = (plain.path(), shuffled.path());
    town::write(&PLAN, plain).unwrap();
    settle(plain);
    shuffle(plain, shuffled);
    // Pseudonyms are the same only under the same key.
    std::fs::copy(plain.join("pseudonym.key"), shuffled.join("pseudonym.key")).unwrap();
    settle(shuffled);
    for study in [&["silent"][..], &["balance", "--limit", "80"], &["handling"], &["satisfaction"]] {
        let study = [&["study"], study, &["--own", town::OWN, "--json"]].concat();
        let expected = broadgauge(plain, 1, &study);
        done(&expected);
        let answer: serde_json::Value = serde_json::from_slice(&expected.stdout).unwrap();
        assert!(expected.stdout.len() > 2_000 && answer.get("declined").is_none(), "{study:?}");
        for (folder, threads) in [(plain, 2), (shuffled, 2)] {
            let got = broadgauge(folder, threads, &study);
            assert!(
                got.stdout == expected.stdout,
                "{study:?} with {threads} threads in {}",
                folder.display()
            );
        }
    }
    let report = |folder: &Path, threads: u32| {
        done(&broadgauge(folder, threads, &["report", "actions", "--own", town::OWN, "-o", "actions.html"]));
        std::fs::read(folder.join("actions.html")).unwrap()
    };
    let expected = report(plain, 1);
    assert!(expected.len() > 20_000);
    for (folder, threads) in [(plain, 2), (shuffled, 1)] {
        assert!(report(folder, threads) == expected, "with {threads} threads in {}", folder.display());
    }
}
