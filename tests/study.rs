//! Studies through the command line: the same bytes whatever the threads and the order of rows, mirrored findings with
//! the names exchanged, weights that count where they are asked for, refusals by name, and units that change nothing.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn broadgauge(folder: &Path, threads: Option<u32>, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broadgauge"));
    command.current_dir(folder).args(arguments).env("RUST_LOG", "error");
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads.to_string());
    }
    command.output().unwrap()
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    let output = broadgauge(folder, None, arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let answer = text(folder, &[arguments, &["--json"]].concat());
    assert!(!answer.contains("NaN") && !answer.contains("inf,"), "{answer}");
    serde_json::from_str(&answer).unwrap()
}

/// Numbers that look random and are the same everywhere.
fn noise(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Two tables: lines of two operators in two regions, and their delays over four weeks, one of them slower.
fn tables(count: usize, days: u32) -> (Vec<String>, Vec<String>) {
    let (mut lines, mut results, mut state) = (Vec::new(), Vec::new(), 7);
    for (operator, factor) in [("A", 1.5), ("B", 1.0)] {
        for n in 0..count {
            let region = if n % 2 == 0 { "north" } else { "south" };
            lines.push(format!("{operator}{n:03},{operator},{region},fttc,100,80,50,{}", 1 + n % 3));
            let level = 15.0 * factor * (1.0 + noise(&mut state));
            for day in 1..=days {
                for hour in [4, 20] {
                    let delay = level * (0.8 + 0.4 * noise(&mut state)) * if hour == 20 { 1.3 } else { 1.0 };
                    let rate = 100.0 - delay;
                    for (metric, value) in [("round_trip_delay", delay), ("download_goodput", rate)] {
                        results.push(format!(
                            "{operator}{n:03},2026-06-{day:02}T{hour:02}:15:00Z,{metric},{value:.3}"
                        ));
                    }
                }
            }
        }
    }
    (lines, results)
}

const LINES: &str =
    "line_id,operator,region,technology,promised_down_mbps,normal_down_mbps,minimum_down_mbps,weight";
const RESULTS: &str = "line_id,started_at,metric,value";

/// A folder with a store of these rows.
fn store(lines: &[String], results: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (kind, header, rows) in [("lines", LINES, lines), ("results", RESULTS, results)] {
        let file = format!("{kind}.csv");
        std::fs::write(folder.path().join(&file), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        text(folder.path(), &["import", kind, &file]);
    }
    folder
}

const PEERS: [&str; 8] = ["study", "peers", "--own", "A", "--peer", "B", "--replicates", "300"];

#[test]
fn neither_threads_nor_the_order_of_rows_change_a_byte_of_any_study() {
    let (mut lines, mut results) = tables(14, 14);
    let plain = store(&lines, &results);
    let mut state = 3;
    for rows in [&mut lines, &mut results] {
        for i in (1..rows.len()).rev() {
            rows.swap(i, (noise(&mut state) * (i + 1) as f64) as usize);
        }
    }
    let shuffled = store(&lines, &results);
    for study in [
        &PEERS[..],
        &["study", "league", "--own", "A", "--replicates", "300"],
        &["study", "change", "--own", "A"],
        &["study", "coverage", "--own", "A", "--replicates", "300"],
        &["study", "profile", "--own", "A", "--profile", "eu-2015-2120"],
    ] {
        let study = [study, &["--json"]].concat();
        let expected = broadgauge(plain.path(), Some(1), &study);
        assert_eq!(expected.status.code(), Some(0), "{}", String::from_utf8_lossy(&expected.stderr));
        assert!(expected.stdout.len() > 500, "{study:?}");
        for (folder, threads) in [(&plain, 2), (&plain, 3), (&shuffled, 1), (&shuffled, 3)] {
            let got = broadgauge(folder.path(), Some(threads), &study);
            assert!(got.stdout == expected.stdout, "{study:?} with {threads} threads");
        }
    }
    let other = broadgauge(plain.path(), None, &[&PEERS[..], &["--seed", "2", "--json"]].concat());
    let first = broadgauge(plain.path(), None, &[&PEERS[..], &["--json"]].concat());
    assert_ne!(other.stdout, first.stdout, "another seed draws other lines");
}

/// An estimate with its sign turned, or the refusal as it is.
fn turned(answer: &Value) -> Value {
    let Some(value) = answer["value"].as_f64() else { return answer.clone() };
    let end = |k: usize| -answer["interval"][k].as_f64().unwrap() + 0.0;
    serde_json::json!({"value": -value + 0.0, "interval": [end(1), end(0)], "n": answer["n"]})
}

fn mirrored(verdict: &Value) -> &str {
    match verdict.as_str().unwrap() {
        "better" => "worse",
        "worse" => "better",
        other => other,
    }
}

#[test]
fn with_the_names_exchanged_every_finding_is_mirrored_exactly() {
    let (lines, results) = tables(14, 6);
    let one = store(&lines, &results);
    let exchanged: Vec<String> = lines
        .iter()
        .map(|l| if l.contains(",A,") { l.replace(",A,", ",B,") } else { l.replace(",B,", ",A,") })
        .collect();
    let other = store(&exchanged, &results);
    let (one, other) = (json(one.path(), &PEERS), json(other.path(), &PEERS));
    let (rows, turned_rows) = (one["rows"].as_array().unwrap(), other["rows"].as_array().unwrap());
    assert_eq!(rows.len(), turned_rows.len());
    let verdicts: Vec<&str> = rows.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert!(verdicts.contains(&"worse") && verdicts.contains(&"cannot_tell"), "{verdicts:?}");
    for (a, b) in rows.iter().zip(turned_rows) {
        assert_eq!(mirrored(&a["verdict"]), b["verdict"]);
        assert_eq!((&a["p"], &a["q"], &a["stratum"]), (&b["p"], &b["q"], &b["stratum"]));
        assert_eq!(turned(&a["difference"]), b["difference"]);
        assert_eq!((&a["own"]["value"], &a["peer"]["value"]), (&b["peer"]["value"], &b["own"]["value"]));
    }
    for (a, b) in one["curves"].as_array().unwrap().iter().zip(other["curves"].as_array().unwrap()) {
        assert_eq!(turned(&a["cliffs_delta"]), b["cliffs_delta"]);
        assert_eq!(a["ks_distance"], b["ks_distance"]);
    }
}

#[test]
fn seconds_and_milliseconds_lead_to_the_same_findings() {
    let (lines, results) = tables(12, 4);
    let delays: Vec<String> = results.into_iter().filter(|r| r.contains("delay")).collect();
    let first = store(&lines, &delays);
    let in_seconds: Vec<String> = delays
        .iter()
        .map(|row| {
            let (rest, value) = row.rsplit_once(',').unwrap();
            format!("{rest},{:.6}", value.parse::<f64>().unwrap() / 1e3)
        })
        .collect();
    let second = store(&lines, &[]);
    std::fs::write(second.path().join("results.csv"), format!("{RESULTS}\n{}\n", in_seconds.join("\n")))
        .unwrap();
    std::fs::write(
        second.path().join("map.toml"),
        "kind = \"results\"\n[columns]\nvalue = { column = \"value\", unit = \"s\" }\n",
    )
    .unwrap();
    text(second.path(), &["import", "results", "results.csv", "--map", "map.toml"]);
    let (first, second) = (json(first.path(), &PEERS), json(second.path(), &PEERS));
    for (a, b) in first["rows"].as_array().unwrap().iter().zip(second["rows"].as_array().unwrap()) {
        assert_eq!((&a["verdict"], &a["p"], &a["q"]), (&b["verdict"], &b["p"], &b["q"]));
    }
}

#[test]
fn too_little_data_is_a_named_refusal_and_no_failure() {
    let (lines, results) = tables(3, 5);
    let few = store(&lines, &results);
    let study = json(few.path(), &[&PEERS[..], &["--by", "technology"]].concat());
    for row in study["rows"].as_array().unwrap() {
        assert_eq!(row["difference"]["declined"], "fewer than 6 lines on one side", "{row}");
        assert_eq!(
            (&row["p"], &row["q"], &row["verdict"]),
            (&Value::Null, &Value::Null, &"cannot_tell".into())
        );
    }
    let alone: Vec<String> = lines.iter().filter(|l| l.contains(",A,")).cloned().collect();
    let only: Vec<String> = results.iter().filter(|r| r.starts_with('A')).cloned().collect();
    let alone = store(&alone, &only);
    let study = json(alone.path(), &["study", "peers", "--own", "A"]);
    let declined = study["declined"].as_str().unwrap();
    assert!(declined.contains("only one operator, A"), "{declined}");
    let unknown = broadgauge(alone.path(), None, &["study", "peers", "--own", "Z"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_filter_that_matches_nothing_is_wrong_use_and_told_with_what_there_is() {
    let rows = ["a1,A,north,fttc,,,,", "a2,A,south,adsl,,,,", "b1,B,west,cable,,,,"].map(String::from);
    let folder = store(&rows, &[String::from("a1,2026-03-02T20:00:00Z,round_trip_delay,20")]);
    let report = ["report", "operator", "--own", "A", "--output", "report.html"];
    let told = [
        (
            &["--region", "Nowhere"][..],
            "no line of these operators has region \"Nowhere\"; what they have: north, south, west",
        ),
        (&["--technology", "fttp"], "has technology \"fttp\"; what they have: adsl, cable, fttc"),
        (&["--peer", "A", "--region", "west"], "has region \"west\"; what they have: north, south"),
        (&["--region", "west"], "no line of operator \"A\" is of region west; what it has: north, south"),
        (
            &["--region", "north", "--technology", "adsl"],
            "is of region north and of technology adsl; what it has: north with fttc, south with adsl",
        ),
    ];
    for (filter, words) in told {
        for command in [&["study", "peers", "--own", "A"][..], &["study", "balance", "--own", "A"], &report] {
            let answer = broadgauge(folder.path(), None, &[command, filter].concat());
            let talk = String::from_utf8(answer.stderr).unwrap();
            assert_eq!(answer.status.code(), Some(2), "{command:?} {filter:?}: {talk}");
            assert!(talk.contains(words), "{command:?} {filter:?}: {talk}");
        }
    }
    assert!(!folder.path().join("report.html").exists());
}

/// The smallest value at or below which `p` of the weight lies.
fn quantile(values: &mut [(f64, f64)], p: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let goal = p * values.iter().map(|v| v.1).sum::<f64>() * (1.0 - 1e-9);
    let mut sum = 0.0;
    values
        .iter()
        .find(|v| {
            sum += v.1;
            sum >= goal
        })
        .unwrap()
        .0
}

/// Values with their weights by technology, operator and hours.
type Panel = BTreeMap<(String, String, &'static str), Vec<(f64, f64)>>;

/// The panel of 2013, read without our importer.
fn panel_of_2013(file: &Path) -> Panel {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let headers = reader.headers().unwrap().clone();
    let place = |name: &str| headers.iter().position(|h| h == name).unwrap();
    let (isp, technology, weight) = (place("ISP"), place("Technology"), place("Nat.weights"));
    let hours = [
        ("all_day", place("Download.speed..Mbit.s..24.hour")),
        ("peak", place("Download.speed..Mbit.s..8.10pm.weekday")),
    ];
    let mut panel = Panel::new();
    for row in reader.records().map(Result::unwrap) {
        let Ok(weight) = row[weight].parse::<f64>() else { continue };
        let technology = match &row[technology] {
            "ADSL2+" => "adsl2+",
            "DSL" => "adsl",
            "Cable" => "cable",
            _ => "fttx",
        };
        for (hours, column) in hours {
            if let Ok(value) = row[column].parse::<f64>() {
                let key = (technology.to_owned(), row[isp].to_owned(), hours);
                panel.entry(key).or_default().push((value, weight));
            }
        }
    }
    panel
}

#[test]
fn the_panel_of_2013_shows_weighted_and_unweighted_as_the_weights_imply_and_says_which() {
    let Some(data) = common::real_data() else { return };
    let file = data.join("ofcom/ofcom_broadband_2013.csv");
    let folder = tempfile::tempdir().unwrap();
    let maps = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/ofcom-2013");
    for kind in ["lines", "results"] {
        let map = maps.join(format!("{kind}.toml"));
        text(folder.path(), &["import", kind, file.to_str().unwrap(), "--map", map.to_str().unwrap()]);
    }
    let mut panel = panel_of_2013(&file);
    let (mut seen, mut moved) = (BTreeMap::<String, usize>::new(), 0);
    for own in ["TalkTalk", "BT"] {
        let ask = [
            "study",
            "peers",
            "--own",
            own,
            "--by",
            "technology,hours",
            "--metric",
            "download_goodput",
            "--quantile",
            "0.5",
            "--replicates",
            "300",
        ];
        let (plain, weighted) =
            (json(folder.path(), &ask), json(folder.path(), &[&ask[..], &["--weighted"]].concat()));
        assert_eq!(
            (&plain["filters"]["weighted"], &weighted["filters"]["weighted"]),
            (&false.into(), &true.into())
        );
        for (study, by_weight) in [(&plain, false), (&weighted, true)] {
            for row in study["rows"].as_array().unwrap() {
                let stratum = |key: &str| row["stratum"][key].as_str().unwrap();
                let hours = match stratum("hours") {
                    "peak" => "peak",
                    "all_day" => "all_day",
                    _ => continue,
                };
                if stratum("technology") == "all" || row["statistic"] != "mean" {
                    continue;
                }
                for side in ["own", "peer"] {
                    let operator = row[side]["operator"].as_str().unwrap().to_owned();
                    let key = (stratum("technology").to_owned(), operator, hours);
                    let Some(value) = row[side]["value"]["value"].as_f64() else { continue };
                    let lines = panel.get_mut(&key).unwrap();
                    assert_eq!(row[side]["lines"], lines.len(), "{key:?}");
                    let weighted = quantile(lines, 0.5);
                    let mut once: Vec<(f64, f64)> = lines.iter().map(|v| (v.0, 1.0)).collect();
                    let unweighted = quantile(&mut once, 0.5);
                    moved += usize::from(weighted != unweighted);
                    let want = if by_weight { weighted } else { unweighted };
                    assert!(
                        (value - want).abs() < 1e-9,
                        "{key:?}, weighted {by_weight}: {value} is not {want}"
                    );
                    *seen.entry(stratum("technology").to_owned()).or_default() += 1;
                }
            }
        }
        let said = text(folder.path(), &ask);
        assert!(said.contains("unweighted: every line counts once"), "{said}");
        let said = text(folder.path(), &[&ask[..], &["--weighted"]].concat());
        assert!(said.contains("weighted: lines that count as many times as their weight says"), "{said}");
    }
    assert!(seen.len() >= 2 && moved > 4, "{seen:?}, {moved} medians move with the weights");
    let report = |weighted: &[&str]| {
        let ask = ["report", "operator", "--own", "TalkTalk", "--peer", "Sky", "--by", "technology,hours"];
        let rest = ["--replicates", "300", "-o", "report.html"];
        text(folder.path(), &[&ask[..], &rest, weighted].concat());
        std::fs::read_to_string(folder.path().join("report.html")).unwrap()
    };
    assert!(report(&[]).contains("Unweighted: every line counts once"));
    assert!(
        report(&["--weighted"]).contains("Weighted: lines that count as many times as their weight says")
    );
}

#[test]
fn a_baseline_of_percentiles_is_compared_as_such_and_declined() {
    let folder = store(&[], &[]);
    let mut lines = format!("{LINES}\n");
    let mut results = "line_id,started_at,period_end,metric,value,statistic,peak\n".to_owned();
    for operator in ["A", "B"] {
        let _ = writeln!(lines, "{operator},{operator},,,,,,");
        for (statistic, value) in [("p05", 5.0), ("median", 50.0), ("p95", 90.0)] {
            let _ =
                writeln!(results, "{operator},2026-06-01,2026-07-01,download_goodput,{value},{statistic},no");
        }
    }
    std::fs::write(folder.path().join("lines.csv"), lines).unwrap();
    std::fs::write(folder.path().join("results.csv"), results).unwrap();
    text(folder.path(), &["import", "lines", "lines.csv"]);
    text(folder.path(), &["import", "results", "results.csv"]);
    let study = json(folder.path(), &[&PEERS[..], &["--by", "hours"]].concat());
    let statistics: Vec<&str> =
        study["rows"].as_array().unwrap().iter().map(|r| r["statistic"].as_str().unwrap()).collect();
    for wanted in ["p05", "median", "p95"] {
        assert!(statistics.contains(&wanted), "{statistics:?}");
    }
    for row in study["rows"].as_array().unwrap() {
        assert_eq!(row["difference"]["declined"], "fewer than 6 lines on one side");
    }
}

/// Medians of a column by day (UTC), read without our importer; ascending by day.
fn days_of_one_home(file: &Path, column: &str) -> Vec<(String, f64)> {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let place = reader.headers().unwrap().iter().position(|header| header == column).unwrap();
    let mut days: BTreeMap<String, Vec<(f64, f64)>> = BTreeMap::new();
    for row in reader.records().map(Result::unwrap) {
        if let Ok(value) = row[place].parse::<f64>() {
            days.entry(row[0][..10].to_owned()).or_default().push((value, 1.0));
        }
    }
    days.into_iter().map(|(day, mut values)| (day, quantile(&mut values, 0.5))).collect()
}

#[test]
fn the_day_from_which_one_home_resolves_names_faster_is_found_and_its_speed_is_steady() {
    let Some(data) = common::real_data() else { return };
    let file = data.join("netrics/one_home.csv");
    let folder = tempfile::tempdir().unwrap();
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/netrics-2021");
    let (lines, map) = (example.join("lines.csv"), example.join("results.toml"));
    text(folder.path(), &["import", "lines", lines.to_str().unwrap()]);
    text(folder.path(), &["import", "results", file.to_str().unwrap(), "--map", map.to_str().unwrap()]);
    let changes = |metric: &str, more: &[&str]| -> Vec<Value> {
        let asked = ["study", "change", "--own", "home", "--metric", metric];
        let study = json(folder.path(), &[&asked, more].concat());
        let rows = study["rows"].as_array().unwrap().clone();
        for row in &rows {
            assert_eq!((&row["days"], &row["lines"]), (&62.into(), &1.into()), "{row}");
            assert_eq!((&row["first_day"], &row["last_day"]), (&"2021-06-30".into(), &"2021-08-30".into()));
        }
        rows
    };

    // There is one day from which every day is faster than every day before, by less than the margin of 5 ms.
    let days = days_of_one_home(&file, "dns_query_avg_ms");
    let slower_before = |at: &usize| {
        let (before, after) = days.split_at(*at);
        before.iter().all(|(_, ms)| after.iter().all(|(_, later)| later < ms))
    };
    let steps: Vec<usize> = (1..days.len()).filter(slower_before).collect();
    assert_eq!(steps.len(), 1, "{days:?}");
    let [row] = changes("dns_time", &[]).try_into().unwrap();
    assert_eq!(row["since"], days[steps[0]].0.as_str());
    let interval = |end: usize| row["difference"]["interval"][end].as_f64().unwrap();
    assert!(-6.0 < interval(0) && interval(1) < -3.0, "{row}");
    assert_eq!(
        (&row["finding"], &row["lacks"][0]),
        (&"watch".into(), &"it is no larger than the margin".into())
    );
    // Who takes 2 ms for a change is told of one.
    let [row] = changes("dns_time", &["--margin", "dns_time=2:0"]).try_into().unwrap();
    assert_eq!(row["finding"], "improvement");

    // The gigabit is there every day.
    let rates = days_of_one_home(&file, "speedtest_ookla_download");
    let usual = quantile(&mut rates.iter().map(|(_, mbps)| (*mbps, 1.0)).collect::<Vec<_>>(), 0.5);
    let rows = changes("download_goodput", &[]);
    let row = rows.iter().find(|row| row["method"] == "ookla").unwrap();
    assert_eq!((&row["finding"], &row["since"]), (&"steady".into(), &Value::Null));
    assert!((row["before"].as_f64().unwrap() - usual).abs() < 1.0, "{row}, {usual}");
}

/// New York goes from EST to EDT on Sunday, 8 March 2026: 19:30 on the wall is 00:30 UTC of the next day before, and 23:30
/// UTC of the same day after. Tests at 18:30 local, at weekends and on a holiday are slow, and must not count.
#[test]
fn peak_hours_of_a_profile_are_those_on_the_wall_before_and_after_clocks_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut lines = "line_id,operator,technology,plan,promised_down_mbps,zone\n".to_owned();
    let mut results = format!("{RESULTS}\n");
    for n in 0..30 {
        let _ = writeln!(lines, "l{n:02},A,cable,100,100,America/New_York");
        let mut test = |at: &str, rate: f64| {
            let _ = writeln!(results, "l{n:02},{at},download_goodput,{rate}");
        };
        for day in 2..=6 {
            // Monday to Friday in winter time: 19:30 and 18:30.
            test(&format!("2026-03-{:02}T00:30:00Z", day + 1), 97.0);
            test(&format!("2026-03-{day:02}T23:30:00Z"), 20.0);
        }
        for day in 9..=13 {
            // The same in summer time.
            test(&format!("2026-03-{day:02}T23:30:00Z"), 97.0);
            test(&format!("2026-03-{day:02}T22:30:00Z"), 20.0);
        }
        // A Saturday evening, and Memorial Day, a Monday.
        test("2026-03-14T23:45:00Z", 20.0);
        test("2026-05-25T23:30:00Z", 20.0);
    }
    std::fs::write(folder.path().join("lines.csv"), lines).unwrap();
    std::fs::write(folder.path().join("results.csv"), results).unwrap();
    text(folder.path(), &["import", "lines", "lines.csv"]);
    text(folder.path(), &["import", "results", "results.csv"]);
    let ask = ["study", "profile", "--own", "A", "--profile", "fcc-mba", "--holidays", "us"];
    let study = json(folder.path(), &ask);
    let row = &study["rows"][0];
    assert_eq!(row["finding"], "met", "{row}");
    let seen: Vec<f64> =
        row["evidence"].as_array().unwrap().iter().map(|e| e["seen"].as_f64().unwrap()).collect();
    // The mean; customers below, in and above the middle band; the consistent rate.
    let expected = [0.97, 0.0, 0.0, 1.0, 0.97];
    assert_eq!(seen.len(), expected.len());
    assert!(seen.iter().zip(expected).all(|(s, e)| (s - e).abs() < 1e-9), "{seen:?}");
    // Without the calendar one evening in eleven is slow: the median holds, the steadier measure hardly moves.
    let with_holiday = json(folder.path(), &ask[..6]);
    assert_eq!(
        with_holiday["notes"].as_array().map_or(0, Vec::len) + 1,
        study["notes"].as_array().unwrap().len()
    );
}
