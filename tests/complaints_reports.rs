//! From tables to the studies and reports of complaints, through the command itself.
#![expect(clippy::unwrap_used, reason = "a test")]

use assert_cmd::Command;
use std::fmt::Write as _;
use std::path::Path;

fn broadgauge(folder: &Path, args: &[&str]) -> String {
    let output = Command::cargo_bin("broadgauge").unwrap().current_dir(folder).args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

/// A number from 0 to 1 that looks like chance and is the same everywhere.
fn chance(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 40 lines for eight weeks; on bad days, one in six, customers complain much more. A third of the complaints name
/// their area only.
fn tables(folder: &Path) {
    let mut lines = "line_id,operator,technology,area\n".to_owned();
    let mut results = "line_id,started_at,metric,value,load\n".to_owned();
    let mut complaints =
        "complaint_id,opened_at,line_id,area,text,first_response_at,resolved_at,owner,due_at\n".to_owned();
    let mut tickets = 0;
    for line in 0..40_u64 {
        let area = line % 4;
        writeln!(lines, "L{line:02},Aster,{},area {area}", if line % 2 == 0 { "fttc" } else { "fttp" })
            .unwrap();
        for day in 1..=56_u64 {
            let date = |day: u64| {
                let (month, of) = if day <= 31 { (1, day) } else { (2, day - 31) };
                format!("2026-{month:02}-{of:02}")
            };
            let bad = chance(line, day) < 0.17;
            let value = 40.0 + 10.0 * chance(line + 500, day) + if bad { 60.0 } else { 0.0 };
            writeln!(results, "L{line:02},{}T20:00:00Z,loaded_round_trip_delay,{value:.2},down", date(day))
                .unwrap();
            let rate = if bad { 0.35 } else { 0.02 };
            if day < 55 && chance(line + 1_000, day) < rate {
                tickets += 1;
                let next = date(day + 1);
                let text = ["Slow internet in the evening", "No internet at all", "晚上网速慢"][tickets % 3];
                let resolved =
                    if tickets % 5 == 0 { String::new() } else { format!("{}T09:00:00Z", date(day + 2)) };
                let owner = if tickets % 9 == 0 { "" } else { "field" };
                let name = if tickets % 3 == 0 { String::new() } else { format!("L{line:02}") };
                writeln!(
                    complaints,
                    "T{tickets:04},{next}T08:00:00Z,{name},area {area},{text},{next}T09:00:00Z,{resolved},{owner},{next}T20:00:00Z"
                )
                .unwrap();
            }
        }
    }
    for (name, text) in [("lines", lines), ("results", results), ("complaints", complaints)] {
        std::fs::write(folder.join(format!("{name}.csv")), text).unwrap();
    }
}

#[test]
fn complaints_are_studied_and_reported_from_tables() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    tables(at);
    broadgauge(at, &["import", "lines", "lines.csv", "--store", "s.db"]);
    broadgauge(at, &["import", "results", "results.csv", "--store", "s.db"]);
    broadgauge(
        at,
        &["import", "complaints", "complaints.csv", "--store", "s.db", "--key", "key", "--new-key"],
    );
    let ask = ["--store", "s.db", "--own", "Aster", "--replicates", "200"];
    let with = |words: &[&str]| broadgauge(at, &words.iter().chain(&ask).copied().collect::<Vec<_>>());
    let study: serde_json::Value = serde_json::from_str(&with(&["study", "complaints", "--json"])).unwrap();
    let row = &study["case_crossover"][0];
    assert!(row["rate_ratio"]["value"].as_f64().unwrap() > 1.2, "{row}");
    for key in ["bands", "contrasts", "dose_response", "case_crossover", "around", "lead_lag"] {
        assert!(!study[key].as_array().unwrap().is_empty(), "{key}");
    }
    for key in ["crude", "adjusted", "knee", "adjusted_for", "monotone", "curve"] {
        assert!(study["dose_response"][0].get(key).is_some(), "{key}");
    }
    assert!(study["contrasts"][0]["explained_if_causal"]["value"].as_f64().unwrap() > 0.3, "{study}");
    let controls: Vec<_> =
        study["case_crossover"].as_array().unwrap().iter().map(|r| &r["control"]).collect();
    assert!(controls.iter().any(|c| *c == "billing") && controls.iter().any(|c| *c == "future"));
    assert!(!study["area_case_crossover"].as_array().unwrap().is_empty());
    let text = with(&["study", "complaints"]);
    for part in
        ["like with like", "if causal", "complaints begin at", "Daily series", "Each area against itself"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let handling: serde_json::Value = serde_json::from_str(&with(&["study", "handling", "--json"])).unwrap();
    assert!(
        handling["groups"][0]["open"].as_u64().unwrap() > 0
            && handling["overdue_in_all"].as_u64().unwrap() > 0
    );
    for lang in ["en", "zh"] {
        with(&["report", "complaints", "--lang", lang, "-o", "report.html"]);
        let page = std::fs::read_to_string(at.join("report.html")).unwrap();
        let told = if lang == "en" {
            "times as frequent on the same line"
        } else {
            "同一线路的网络类投诉频度"
        };
        assert!(page.contains(told) && !page.contains("NaN") && page.contains("<svg"), "{lang}");
    }
    let judged = broadgauge(at, &["complaints", "classify", "--store", "s.db", "--json"]);
    let first: serde_json::Value = serde_json::from_str(judged.lines().next().unwrap()).unwrap();
    assert!(first["miit"] == "网络质量" && first["fcc"].is_string() && first["ofcom"].is_string(), "{first}");
}
