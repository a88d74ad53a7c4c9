//! Answers to a survey, from a table to the store, the study and the report.
#![expect(clippy::unwrap_used, reason = "a test")]

use assert_cmd::Command;
use broadgauge::gather::{self, GatherError};
use broadgauge::import::{FileSummary, Kind, Pseudonyms, Reading, Request, run};
use broadgauge::store::{Fleet as _, Memory, Store, Surveys as _};
use broadgauge::survey;
use broadgauge_model::clock::Wall;
use broadgauge_model::place::AccessLine;
use broadgauge_reports::study::satisfaction::Query;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const MODEL: &str = "tests/import/survey-model.toml";
const MAP: &str = "tests/import/survey-gb18030.toml";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn wanted(folder: &Path, file: &str, map: Option<&str>) -> Request {
    let key = folder.join("key");
    Request {
        kind: Kind::Survey,
        files: vec![here(file)],
        map: map.map(here),
        reading: Reading::default(),
        dry_run: false,
        reject_file: None,
        new_key: !key.exists(),
        key: Some(key),
        model: Some(here(MODEL)),
    }
}

fn import_one(request: &Request, store: &dyn Store) -> FileSummary {
    run(request, store, &mut |_| {}).unwrap().files.remove(0)
}

fn query(own: &str) -> Query {
    Query { model: survey::model(Some(&here(MODEL))).unwrap(), replicates: 100, ..Query::of(own) }
}

fn of(own: &str) -> gather::Request {
    gather::Request { own: own.into(), ..gather::Request::default() }
}

#[test]
fn answers_are_stored_under_pseudonyms_and_bad_rows_refused_with_their_place() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let first = || wanted(folder.path(), "tests/import/survey-gb18030.csv", Some(MAP));
    let summary = import_one(&first(), &store);
    assert_eq!((summary.rows_read, summary.stored, summary.rows_refused), (6, 4, 2), "{summary}");
    let refused: Vec<String> = summary.refusals.iter().map(ToString::to_string).collect();
    assert!(
        refused[0].contains("survey-gb18030.csv:4: column \"q1\"") && refused[0].contains("from 1 to 5"),
        "{refused:?}"
    );
    assert!(refused[1].contains(":7: column \"第三题\"") && refused[1].contains("很好"), "{refused:?}");
    assert_eq!(summary.unknown_columns, ["备注"]);

    let kept = store.responses(None, None).unwrap();
    let key = Pseudonyms::open(&folder.path().join("key")).unwrap();
    assert_eq!(kept[0].respondent_id, key.of("respondent", "R-1"));
    assert_eq!(kept[0].answered_at, Wall::parse_rfc3339("2026-03-01T01:30:00Z").unwrap());
    let answers = |at: usize| kept[at].answers.iter().map(|(i, v)| (i.as_str(), *v)).collect::<Vec<_>>();
    assert_eq!(answers(0), [("q1", 4.0), ("q2", 3.0), ("q3", 5.0)]);
    assert_eq!(answers(1), [("q1", 5.0), ("q3", 3.0)]);
    // 99 is no answer.
    assert_eq!(answers(3), [("q2", 4.0), ("q3", 5.0)]);
    assert_eq!((kept[2].operator.as_deref(), kept[2].segment.as_deref()), (Some("乙"), Some("城区")));
    assert!(!format!("{kept:?}").contains("R-1") && !format!("{kept:?}").contains("13812345678"));

    let again = import_one(&first(), &store);
    assert_eq!((again.stored, again.updated, again.unchanged), (0, 0, 4));
    // The same people at the same times, from a spreadsheet; the line is not said there.
    let sheet = import_one(&wanted(folder.path(), "tests/import/survey.xlsx", None), &store);
    assert_eq!((sheet.stored, sheet.updated, sheet.rows_refused), (0, 2, 0), "{sheet}");
    assert_eq!(store.responses(None, None).unwrap()[0].answers, kept[0].answers);
}

#[test]
fn a_table_that_is_not_of_the_model_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Memory::default();
    let told = |wanted: &Request| run(wanted, &store, &mut |_| {}).unwrap_err().to_string();
    let good = wanted(folder.path(), "tests/import/survey-gb18030.csv", Some(MAP));
    let error = told(&Request { model: None, ..good.clone() });
    assert!(error.contains("column image_1 is missing") && error.contains("--model"), "{error}");
    let error = told(&Request { key: None, new_key: false, ..good.clone() });
    assert!(error.contains("answers to a survey need a key"), "{error}");
    let map = folder.path().join("map.toml");
    std::fs::write(&map, "kind = \"survey\"\n[columns]\nq33 = \"q1\"\n").unwrap();
    let sheet = wanted(folder.path(), "tests/import/survey.xlsx", None);
    let error = told(&Request { map: Some(map), ..sheet });
    assert!(error.contains("columns.q33") && error.contains("nearest is \"q3\""), "{error}");
    assert!(!folder.path().join("key").exists(), "a refused table leaves no key behind");
    assert!(store.responses(None, None).unwrap().is_empty());
}

/// A store with these answers to q1, q2 and q3.
fn answered(rows: &str) -> Memory {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let file = folder.path().join("survey.csv");
    let header = "respondent_id,answered_at,line_id,segment,operator,q1,q2,q3\n";
    std::fs::write(&file, header.to_owned() + rows).unwrap();
    let lines = ["L1", "L2"].map(|id| AccessLine {
        line_id: id.into(),
        operator: if id == "L1" { "A" } else { "B" }.into(),
        segment: Some("gold".into()),
        region: Some("north".into()),
        ..AccessLine::default()
    });
    store.put_lines(&lines).unwrap();
    let wanted = Request { files: vec![file], ..wanted(folder.path(), "unused", None) };
    assert_eq!(import_one(&wanted, &store).rows_refused, 0);
    store
}

#[test]
fn an_answer_counts_for_its_operator_segment_and_time_and_each_respondent_once() {
    let store = answered(
        "p1,2026-03-01,,home,A,1,1,1\n\
         p1,2026-04-01,,home,A,2,2,2\n\
         p2,2026-03-02,L1,,,3,3,3\n\
         p3,2026-03-03,L2,,,4,4,4\n\
         p4,2026-03-04,L1,home,B,5,5,5\n\
         p5,2026-03-05,,,,5,4,3\n\
         p6,2026-03-06,,,A,,,\n",
    );
    let ask = |request: &gather::Request, query: &Query| gather::survey(&store, request, query);
    let found = ask(&of("A"), &query("A")).unwrap();
    // The line says whose p2 and p3 are; p4 names another operator than its line; nobody says it of p5.
    let firsts: Vec<Option<f64>> = found.answers.iter().map(|answers| answers[0]).collect();
    assert_eq!(firsts, [Some(3.0), Some(5.0), Some(2.0)]);
    let segments: Vec<Option<&str>> = found.segments.iter().map(Option::as_deref).collect();
    assert_eq!(segments, [Some("gold"), None, Some("home")]);
    let notes: Vec<(String, u64)> =
        found.left_out.iter().map(|left| (left.reason.to_string(), left.count)).collect();
    for word in ["names the operator", "none of the model's questions", "earlier answers"] {
        assert!(
            notes.iter().any(|(reason, count)| reason.contains(word) && *count == 1),
            "{word}: {notes:?}"
        );
    }
    let period = &found.period;
    assert_eq!(
        (period.from.rfc3339(), period.to.rfc3339()),
        ("2026-03-02T00:00:00Z".into(), "2026-04-02T00:00:00Z".into())
    );

    let march = gather::Request { to: Some("2026-04-01".parse().unwrap()), ..of("A") };
    assert_eq!(ask(&march, &query("A")).unwrap().answers[0][0], Some(1.0));
    assert_eq!(ask(&of("B"), &query("B")).unwrap().answers.len(), 3);
    let home = Query { segments: vec!["home".into()], ..query("A") };
    assert_eq!(ask(&of("A"), &home).unwrap().answers.len(), 1);
    let north = gather::Request { regions: vec!["north".into()], ..of("A") };
    assert_eq!(ask(&north, &query("A")).unwrap().answers.len(), 1);

    let silver = Query { segments: vec!["silver".into()], ..query("A") };
    let error = ask(&of("A"), &silver).unwrap_err().to_string();
    assert!(error.contains("segment silver") && error.contains("gold, home"), "{error}");
    let error = ask(&of("A"), &Query::of("A")).unwrap_err().to_string();
    assert!(
        error.contains("image_1") && error.contains("q1, q2, q3") && error.contains("--model"),
        "{error}"
    );
    let nobody = answered("p1,2026-03-01,,home,A,1,1,1\n");
    let error = gather::survey(&nobody, &of("C"), &query("C")).unwrap_err().to_string();
    assert!(error.contains("of operator \"C\"; they are of operators A"), "{error}");
    let early = gather::Request { to: Some("2020-01-01".parse().unwrap()), ..of("A") };
    assert!(matches!(ask(&early, &query("A")), Err(GatherError::NoSurvey)));
}

#[test]
fn neither_the_key_nor_the_order_of_rows_changes_what_is_studied() {
    let rows: Vec<String> = (0..30)
        .map(|i| format!("p{i},2026-03-{:02},,,A,{},{},{}\n", 1 + i % 3, 1 + i % 5, 1 + i % 4, 1 + i % 2))
        .collect();
    let forth = answered(&rows.concat());
    let back = answered(&rows.iter().rev().cloned().collect::<String>());
    let read = |store: &dyn Store| gather::survey(store, &of("A"), &query("A")).unwrap();
    assert_eq!(read(&forth), read(&back));
}

/// A number from 0 to 1 that looks like chance and is the same everywhere.
fn chance(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 29)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// 150 customers of Aster and 60 of Birch on the standard model, from 1 to 10; Aster's quality alone is low, and lower at home.
fn table() -> String {
    let items: Vec<String> = Query::of("").model.columns().into_iter().map(str::to_owned).collect();
    let mut table = format!("respondent_id,answered_at,segment,operator,{}\n", items.join(","));
    for person in 0..210_u64 {
        let own = person < 150;
        let common = chance(person, 1) - 0.5;
        let home = person % 3 == 0;
        let answers: Vec<String> = items
            .iter()
            .enumerate()
            .map(|(i, item)| {
                let felt = chance(person + 7_000, item.len() as u64) - 0.5;
                let noise = chance(person, 100 + i as u64) - 0.5;
                let low = if own && item.starts_with("quality") { if home { 3.0 } else { 2.0 } } else { 0.0 };
                format!("{:.0}", (6.0 + 5.0 * common + 2.0 * felt + 2.0 * noise - low).clamp(1.0, 10.0))
            })
            .collect();
        let segment = if home { "home" } else { "business" };
        let operator = if own { "Aster" } else { "Birch" };
        writeln!(
            table,
            "p{person},2026-03-{:02},{segment},{operator},{}",
            1 + person % 28,
            answers.join(",")
        )
        .unwrap();
    }
    table
}

fn broadgauge(folder: &Path, args: &[&str]) -> String {
    let output = Command::cargo_bin("broadgauge").unwrap().current_dir(folder).args(args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_survey_is_imported_studied_and_reported_through_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("survey.csv"), table()).unwrap();
    let import = ["import", "survey", "survey.csv", "--store", "s.db", "--key", "key", "--json"];
    let dry = broadgauge(at, &[&import[..], &["--new-key", "--dry-run"]].concat());
    assert!(dry.contains("respondent_id") && !at.join("s.db").exists() && !at.join("key").exists());
    broadgauge(at, &[&import[..], &["--new-key"]].concat());
    let again: serde_json::Value = serde_json::from_str(&broadgauge(at, &import)).unwrap();
    assert_eq!((&again["files"][0]["stored"], &again["files"][0]["unchanged"]), (&0.into(), &210.into()));

    let ask = ["--store", "s.db", "--replicates", "200"];
    let with = |words: &[&str]| broadgauge(at, &[words, &ask].concat());
    let study = |words: &[&str]| -> serde_json::Value {
        serde_json::from_str(&with(&[&["study", "satisfaction", "--json"], words].concat())).unwrap()
    };
    let index =
        |study: &serde_json::Value, at: usize| study["constructs"][at]["index"]["value"].as_f64().unwrap();
    let own = study(&["--own", "Aster"]);
    assert_eq!((&own["respondents"], own["constructs"].as_array().unwrap().len()), (&150.into(), 7));
    for key in ["study", "version", "period", "filters", "seed", "method", "notes"] {
        assert!(own.get(key).is_some(), "{key}");
    }
    assert_eq!(
        (&own["filters"]["own"], &own["period"]["from"]),
        (&"Aster".into(), &"2026-03-01T00:00:00Z".into())
    );
    let peer = study(&["--own", "Birch"]);
    assert_eq!(peer["respondents"], 60);
    // Two to three points of nine were taken off the own quality, and nothing off the rest.
    assert!(
        (20.0..35.0).contains(&(index(&peer, 2) - index(&own, 2))),
        "{} {}",
        index(&peer, 2),
        index(&own, 2)
    );
    assert!((index(&peer, 4) - index(&own, 4)).abs() < 8.0, "{} {}", index(&peer, 4), index(&own, 4));
    let segment = |at: usize| own["constructs"][2]["segments"][at]["index"]["value"].as_f64().unwrap();
    assert!(segment(0) - segment(1) > 5.0, "business above home: {} {}", segment(0), segment(1));
    let home = study(&["--own", "Aster", "--segment", "home"]);
    assert_eq!((&home["respondents"], &home["filters"]["segments"][0]), (&50.into(), &"home".into()));
    assert_eq!(study(&["--own", "Aster", "--from", "2026-03-08", "--to", "2026-03-15"])["respondents"], 38);

    let text = with(&["study", "satisfaction", "--own", "Aster", "--scheme", "centroid"]);
    assert!(text.contains("What matters, and how it stands"), "{text}");
    for lang in ["en", "zh"] {
        with(&[
            "report",
            "satisfaction",
            "--own",
            "Aster",
            "--segment",
            "home",
            "--lang",
            lang,
            "-o",
            "s.html",
        ]);
        let page = std::fs::read_to_string(at.join("s.html")).unwrap();
        let only = if lang == "en" { "only home" } else { "仅限 home" };
        assert!(page.contains("<svg") && page.contains(only) && !page.contains("NaN"), "{lang}");
    }
    with(&[
        "report",
        "chart",
        "importance-performance",
        "--report",
        "satisfaction",
        "--own",
        "Aster",
        "-o",
        "c.svg",
    ]);
    assert!(std::fs::read_to_string(at.join("c.svg")).unwrap().starts_with("<svg"));
}
