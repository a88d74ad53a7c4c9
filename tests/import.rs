//! Tables come in: small ones made for these tests, with the traps of real ones; and, where they are at hand, two
//! public data sets through the maps of `examples/`.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
#[path = "common/importing.rs"]
mod importing;

use broadgauge::import::{Kind, Request, run};
use broadgauge::store::{Complaints as _, Filter, Fleet as _, Memory, Results as _, SourceKind, Window};
use broadgauge_model::complaint::{Class, Complaint};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Statistic};
use importing::{here, import, import_one, real, request, values};
use std::path::Path;

fn with_key(request: Request, folder: &Path) -> Request {
    let key = folder.join("key");
    Request { new_key: !key.exists(), key: Some(key), ..request }
}

const LINES: &str = "examples/ofcom-2013/lines.toml";
const RESULTS: &str = "examples/ofcom-2013/results.toml";
const COMPLAINTS: &str = "examples/complaints-2015/complaints.toml";

#[test]
fn a_wide_panel_becomes_lines_and_nothing_is_left_out_silently() {
    let store = Memory::default();
    let summary = import_one(&request(Kind::Lines, here("tests/import/panel.csv"), Some(LINES)), &store);
    let skipped: Vec<u64> = summary.rows_skipped.iter().map(|s| s.count).collect();
    assert_eq!((summary.rows_read, skipped, summary.rows_refused, summary.stored), (7, vec![1, 2], 1, 3));
    assert!(summary.rows_skipped[0].reason.contains("outside the published sample"));
    let refusal = summary.refusals[0].to_string();
    assert!(refusal.contains("panel.csv:8") && refusal.contains("Headline.speed"), "{refusal}");
    assert!(summary.unknown_columns.contains(&"Distance.band".to_owned()));
    let lines = store.lines().unwrap();
    let told = |i: usize| (lines[i].operator.as_str(), lines[i].technology.as_deref(), lines[i].weight);
    assert_eq!(told(0), ("Anglia", Some("adsl2+"), Some(0.96)));
    assert_eq!(told(1), ("Mercia", Some("adsl"), Some(1.5)));
    assert_eq!(told(2), ("Anglia", None, Some(0.5)), "a technology that is not there is not guessed");
    assert_eq!(lines[1].promise.promised_down_mbps, Some(20.0), "the spelling 20 DSL means 20");
}

#[test]
fn a_wide_panel_becomes_results_with_their_hours_units_and_gaps() {
    let store = Memory::default();
    let wanted = request(Kind::Results, here("tests/import/panel.csv"), Some(RESULTS));
    let summary = import_one(&wanted, &store);
    assert_eq!(summary.rows_of_unknown_lines, 4, "nobody described a line yet");
    // Three rows with 18 values each, of which one row lacks nine; the fourth row has a loss of 101%.
    assert_eq!((summary.stored, summary.values_missing, summary.rows_refused), (18 + 18 + 10 + 17, 8, 1));
    assert!(summary.refusals[0].reason.contains("between 0 and 1"), "{}", summary.refusals[0]);
    let all = values(&store);
    let find = |line: &str, metric, window| {
        let found =
            all.iter().find(|v| v.0 == line && v.1 == metric && v.4 == window && v.2 == Statistic::Mean);
        found.map(|v| v.5)
    };
    assert_eq!(find("1", MetricId::LOSS_RATIO, Window::AllDay), Some(0.0016), "0.160% is text");
    assert_eq!(find("2", MetricId::LOSS_RATIO, Window::Peak), Some(0.0), "nothing lost is not nothing known");
    assert_eq!(find("3", MetricId::LOSS_RATIO, Window::Peak), None);
    assert_eq!(find("1", MetricId::DOWNLOAD_GOODPUT, Window::Peak), Some(9.125));
    assert!(all.contains(&(
        "1".into(),
        MetricId::DELAY_VARIATION,
        Statistic::Mean,
        Direction::Up,
        Window::Peak,
        2.5
    )));
    assert!(all.iter().any(|v| v.2 == Statistic::Max && v.5 == 11.25));
    store
        .scan(&Filter::default(), &mut |row| {
            assert_eq!(
                (row.source.kind, row.source.name.as_str()),
                (SourceKind::Imported, "Ofcom home broadband panel 2013")
            );
        })
        .unwrap();
    import_one(&request(Kind::Lines, here("tests/import/panel.csv"), Some(LINES)), &store);
    let again = import_one(&wanted, &store);
    assert!(again.rows_of_unknown_lines < 2, "{}", again.rows_of_unknown_lines);
    assert_eq!((again.stored, again.updated, again.unchanged), (0, 0, summary.stored));
}

#[test]
fn complaints_with_two_forms_of_date_are_read_masked_and_pseudonymised() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let wanted = || {
        with_key(
            request(Kind::Complaints, here("tests/import/complaints.csv"), Some(COMPLAINTS)),
            folder.path(),
        )
    };
    let first = wanted();
    let summary = import_one(&first, &store);
    assert_eq!((summary.stored, summary.rows_refused, summary.masked.phones), (3, 2, 1));
    let refused: Vec<String> = summary.refusals.iter().map(ToString::to_string).collect();
    assert!(
        refused[0].contains(":4: column \"Date+Time\"") && refused[0].contains("outside"),
        "{}",
        refused[0]
    );
    assert!(
        refused[1].contains(":6: column \"Ticket #\"")
            && refused[1].contains("line 2 with other content, and that line is kept"),
        "{}",
        refused[1]
    );
    assert_eq!(summary.unknown_spellings[0].spelling, "Letter");
    let all = store.complaints(None, None).unwrap();
    let opened: Vec<String> = all.iter().map(|c| c.opened_at.rfc3339()).collect();
    assert_eq!(opened, ["2015-04-08T14:22:56Z", "2015-04-22T19:53:50Z", "2015-05-01T03:59:59Z"]);
    assert_eq!(all[0].text.as_deref(), Some("Bill of $120.50 for 100 Mbps"));
    assert_eq!(all[1].text.as_deref(), Some("Slow, and nobody calls back: [phone]"));
    assert_eq!(
        (all[1].area.as_deref(), all[1].channel.as_deref()),
        (Some("Springfield, Ohio"), Some("phone"))
    );
    assert!(
        all.iter().all(|c| !c.complaint_id.contains("90000") && c.operator.as_deref() == Some("Comcast"))
    );
    let again = import_one(&wanted(), &store);
    assert_eq!((again.stored, again.updated, again.unchanged), (0, 0, 3));
}

#[test]
fn complaints_without_a_key_are_not_taken() {
    let wanted = request(Kind::Complaints, here("tests/import/complaints.csv"), Some(COMPLAINTS));
    let error = run(&wanted, &Memory::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("--new-key"), "{error}");
}

#[test]
fn a_chinese_complaint_list_in_gb18030_is_read_right() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let wanted = request(
        Kind::Complaints,
        here("tests/import/complaints-gb18030.csv"),
        Some("tests/import/complaints-gb18030.toml"),
    );
    let summary = import_one(&with_key(wanted, folder.path()), &store);
    assert_eq!(summary.encoding.as_deref(), Some("gb18030 (guessed)"));
    assert_eq!((summary.undecodable_characters, summary.stored, summary.rows_refused), (0, 2, 2));
    assert!(summary.refusals[0].reason.contains("line_id") && summary.refusals[0].line == 4);
    assert_eq!(summary.refusals[1].column.as_deref(), Some("受理时间"));
    let all = store.complaints(None, None).unwrap();
    let shown = |c: &Complaint| {
        (c.line_id.clone(), c.class, c.opened_at.rfc3339(), c.text.clone().unwrap_or_default())
    };
    assert_eq!(
        all.iter().map(shown).collect::<Vec<_>>(),
        [
            (
                Some("上海-001".into()),
                Some(Class::Network),
                "2024-04-05T00:30:00Z".into(),
                "晚上卡顿，测速只有93.5兆，联系电话[phone]".into()
            ),
            (
                Some("上海-002".into()),
                Some(Class::Billing),
                "2024-04-06T13:05:00Z".into(),
                "身份证[id]，多收199元".into()
            ),
        ]
    );
}

#[test]
fn a_spreadsheet_with_a_title_and_dates_as_serials_is_read() {
    let store = Memory::default();
    let wanted = request(Kind::Lines, here("tests/import/lines.xlsx"), Some("tests/import/lines-xlsx.toml"));
    let summary = import_one(&wanted, &store);
    assert_eq!((summary.encoding, summary.rows_read, summary.stored, summary.rows_refused), (None, 3, 2, 1));
    assert_eq!((summary.refusals[0].line, summary.refusals[0].column.as_deref()), (6, Some("Down (kbit/s)")));
    let lines = store.lines().unwrap();
    assert_eq!(lines[0].promise.promised_down_mbps, Some(20.48));
    assert_eq!(lines[1].promise.promised_down_mbps, None);
    let since = |i: usize| lines[i].active_from.map(broadgauge_model::clock::Wall::rfc3339);
    assert_eq!(since(0).as_deref(), Some("2015-04-21T16:00:00Z"), "midnight in Shanghai");
    assert_eq!(since(1).as_deref(), Some("2015-04-22T04:00:00Z"));
    let mut other = wanted;
    other.reading.sheet = Some("Line".into());
    let error = run(&other, &store, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("Notes, Lines"), "{error}");
}

#[test]
fn refused_rows_are_kept_with_the_reason_and_can_be_imported_once_mended() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let rejects = folder.path().join("rejects.csv");
    let mut wanted = request(Kind::Lines, here("tests/import/panel.csv"), Some(LINES));
    wanted.reject_file = Some(rejects.clone());
    assert_eq!(import(&wanted, &store).refused(), 1);
    let kept = std::fs::read_to_string(&rejects).unwrap();
    assert!(
        kept.lines().next().unwrap().ends_with("refused_file,refused_line,refused_column,refused_reason")
    );
    assert!(kept.contains("Wessex") && kept.contains(",8,Headline.speed,"), "{kept}");
    let mended = folder.path().join("mended.csv");
    std::fs::write(&mended, kept.replace("15-fibre", "15")).unwrap();
    let summary = import_one(&request(Kind::Lines, mended, Some(LINES)), &store);
    assert_eq!((summary.stored, summary.rows_refused), (1, 0));
}

#[test]
fn a_dry_run_shows_what_would_be_stored_and_stores_nothing() {
    let store = Memory::default();
    let mut wanted = request(Kind::Complaints, here("tests/import/complaints.csv"), Some(COMPLAINTS));
    wanted.dry_run = true;
    let summary = import_one(&wanted, &store);
    assert_eq!((summary.stored, summary.preview.len()), (3, 3));
    assert!(summary.to_string().contains("3 would be stored"), "{summary}");
    assert!(summary.preview[0].contains("\"opened_at\":\"2015-04-22T19:53:50Z\""), "{}", summary.preview[0]);
    assert!(!summary.preview[0].contains("223-4567"));
    assert!(store.complaints(None, None).unwrap().is_empty());
}

#[test]
fn long_results_are_taken_as_they_are_and_a_conflict_is_refused_by_its_line() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let file = folder.path().join("results.csv");
    let text = "started_at,line_id,metric,value,statistic,period_end,peak,sent,lost\n\
                2026-03-01T20:00:00+08:00,l1,round_trip_delay,12.5,,,,100,1\n\
                2026-03-01T20:00:00+08:00,l1,round_trip_delay,13.5,,,,100,1\n\
                2026-03-01,l1,round_trip_delay,20,p95,2026-04-01,yes,,\n\
                2026-03-01,l1,round_trip_delay,18,,2026-04-01,no,,\n\
                2026-03-01,l1,loss_ratio,0.01%,mean,2026-04-01,no,,\n\
                2026-03-01,l1,ping,5,,,,,\n\
                2026-03-01,l1,connect_time,,,,,,\n";
    std::fs::write(&file, text).unwrap();
    let summary = import_one(&request(Kind::Results, file, None), &store);
    assert_eq!((summary.stored, summary.values_missing, summary.rows_refused), (2, 1, 4));
    let refusals: Vec<String> =
        summary.refusals.iter().map(|r| format!("{}: {}", r.line, r.reason)).collect();
    for (line, word) in [(5, "say which"), (6, "percent"), (7, "not a metric"), (3, "another value")] {
        let found = refusals.iter().any(|r| r.starts_with(&format!("{line}: ")) && r.contains(word));
        assert!(found, "line {line}: {refusals:?}");
    }
    let conflict = refusals.iter().find(|r| r.starts_with("3: ")).unwrap();
    assert!(
        conflict.contains("another target or method") && conflict.contains("line 2 of this file"),
        "{conflict}"
    );
    let all = values(&store);
    assert_eq!((all[0].4, all[1].4), (Window::At, Window::Peak));
    assert_eq!(summary.times_read_as_utc, 8);
}

#[test]
fn a_conflict_with_an_earlier_import_names_the_cure_and_no_line() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let file = folder.path().join("results.csv");
    let write = |value: &str| {
        let text =
            format!("line_id,started_at,metric,value\nl1,2026-03-01T20:00:00Z,round_trip_delay,{value}\n");
        std::fs::write(&file, text).unwrap();
        import_one(&request(Kind::Results, file.clone(), None), &store)
    };
    assert_eq!(write("12.5").stored, 1);
    let summary = write("13.5");
    let told = summary.refusals[0].to_string();
    assert!(
        told.contains("and stays") && told.contains("new store") && !told.contains("of this file"),
        "{told}"
    );
    assert_eq!(values(&store)[0].5, 12.5);
}

#[test]
fn what_a_node_was_and_what_people_said_stand_once_in_a_file() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let refused = |kind, text: &str| {
        let file = folder.path().join("table.csv");
        std::fs::write(&file, text).unwrap();
        let summary = import_one(&request(kind, file, None), &store);
        (
            summary.stored,
            summary.updated,
            summary.refusals.iter().map(ToString::to_string).collect::<Vec<_>>(),
        )
    };
    let (stored, updated, told) = refused(
        Kind::Utilisation,
        "node,started_at,ratio,direction\n\
         n1,2026-03-01T20:00:00Z,0.5,down\nn1,2026-03-01T20:00:00Z,0.9,down\n\
         n1,2026-03-01T20:00:00Z,0.9,up\nn1,2026-03-01T20:00:00Z,0.5,down\n",
    );
    assert_eq!((stored, updated, told.len()), (2, 0, 1), "{told:?}");
    assert!(
        told[0].contains(":3: ") && told[0].contains("node, time and direction stands on line 2"),
        "{told:?}"
    );
    let (stored, updated, told) = refused(
        Kind::Reputation,
        "region,month,operator,score\nnorth,2026-03,A,0.5\nnorth,2026-03,A,0.1\nnorth,2026-04,A,0.1\n",
    );
    assert_eq!((stored, updated, told.len()), (2, 0, 1), "{told:?}");
    assert!(told[0].contains("stands on line 2 with other content"), "{told:?}");
}

#[test]
fn a_fault_of_the_map_is_told_once_and_not_row_by_row() {
    let told = |map: &str| {
        let map = format!("kind = \"results\"\n{map}");
        broadgauge::import::parse_map("map.toml", &map).unwrap_err().to_string()
    };
    let error = told("[columns]\nvalue = { column = \"v\", unit = \"furlong\" }\n");
    assert!(error.contains("columns.value: unit: \"furlong\"") && error.contains("ms, us, ns"), "{error}");
    assert!(error.contains("Mbit/s") && error.contains("percent") && error.contains("mos"), "{error}");
    let error = told(
        "[columns]\nmetric = { constant = \"round_trip_delay\" }\nvalue = { column = \"v\", unit = \"Mbit/s\" }\n",
    );
    assert!(error.contains("round_trip_delay is kept in ms"), "{error}");
    let error = told("[columns]\nmetric = { constant = \"latency\" }\n");
    assert!(error.contains("columns.metric") && error.contains("not a metric"), "{error}");
    let error = told("[columns]\nload = { column = \"l\", values = { busy = \"full\" } }\n");
    assert!(error.contains("columns.load") && error.contains("idle, down, up, both"), "{error}");
    let error = told("[[observation]]\ncolumn = \"v\"\nmetric = \"loaded_round_trip_delay\"\n");
    assert!(error.contains("observation 1") && error.contains("needs its load"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let (file, map) = (folder.path().join("r.csv"), folder.path().join("map.toml"));
    std::fs::write(&file, "line_id,metric,value\nl1,round_trip_delay,5\n").unwrap();
    std::fs::write(&map, "kind = \"results\"\n[columns]\nstarted_at = { constant = \"last May\" }\n")
        .unwrap();
    let wanted = Request { map: Some(map), ..request(Kind::Results, file, None) };
    let error = run(&wanted, &Memory::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("columns.started_at: constant: \"last May\" is not a time"), "{error}");
}

#[test]
fn a_column_that_the_map_replaces_is_said_to_be_replaced_where_it_holds_anything() {
    let folder = tempfile::tempdir().unwrap();
    let (file, map) = (folder.path().join("r.csv"), folder.path().join("map.toml"));
    std::fs::write(&map, "kind = \"results\"\n[columns]\nline_id = { constant = \"home\" }\n").unwrap();
    for (cell, replaced) in [("l1", vec!["line_id".to_owned()]), ("", Vec::new())] {
        let text =
            format!("line_id,started_at,metric,value\n{cell},2026-03-01T20:00:00Z,round_trip_delay,5\n");
        std::fs::write(&file, text).unwrap();
        let wanted = Request { map: Some(map.clone()), ..request(Kind::Results, file.clone(), None) };
        let summary = import_one(&wanted, &Memory::default());
        assert_eq!((summary.stored, summary.unknown_columns.len()), (1, 0), "{summary}");
        assert_eq!(summary.replaced_columns, replaced);
        let words = "column line_id: the map gives it";
        assert_eq!(summary.to_string().contains(words), !replaced.is_empty(), "{summary}");
    }
}

#[test]
fn a_refused_file_leaves_no_new_store_and_no_key_behind() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("bad.csv"), "nothing,of,ours\n1,2,3\n").unwrap();
    let mut run = assert_cmd::Command::cargo_bin("broadgauge").unwrap();
    run.args(["import", "complaints"]).arg(at("bad.csv")).arg("--store").arg(at("new.db"));
    run.arg("--key").arg(at("key")).arg("--new-key").assert().code(2);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["bad.csv"]);
}

#[test]
fn a_missing_column_names_the_nearest_header_and_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.csv");
    std::fs::write(&file, "Line,Operatr\na,b\n").unwrap();
    let told = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&request(Kind::Lines, file.clone(), None), &Memory::default(), &mut |_| {})
            .unwrap_err()
            .to_string()
    };
    let error = told("line_id,Operatr\na,b\n");
    assert!(error.contains("operator is missing; the nearest is \"Operatr\""), "{error}");
    assert!(error.contains("[columns]"), "{error}");
    let error = told("line_id,operator,operator\na,b,c\n");
    assert!(error.contains("stands twice"), "{error}");
}

#[test]
fn the_panel_of_2013_comes_in_whole_through_its_maps() {
    let Some(data) = common::real_data() else { return };
    let file = data.join("ofcom/ofcom_broadband_2013.csv");
    let store = Memory::default();
    let lines = import_one(&request(Kind::Lines, file.clone(), Some(LINES)), &store);
    // 2,390 rows, of which 1,405 (59%) have no national weight, and 164 of the rest do not name their operator:
    // counted with Python's csv module.
    let skipped: Vec<u64> = lines.rows_skipped.iter().map(|s| s.count).collect();
    assert_eq!(
        (lines.rows_read, skipped, lines.stored, lines.rows_refused),
        (2_390, vec![1_405, 164], 821, 0)
    );
    let results = import_one(&request(Kind::Results, file, Some(RESULTS)), &store);
    // 821 lines with 18 columns hold 14,563 cells that are not empty: counted with Python's csv module.
    assert_eq!((results.stored, results.values_missing, results.rows_refused), (14_563, 215, 0));
    let known = store.lines().unwrap();
    assert!(known.iter().all(|l| !["FTTC", "FTTP"].contains(&l.operator.as_str())));
    let on = |operator: &str, technology: &str| {
        known.iter().filter(|l| l.operator == operator && l.technology.as_deref() == Some(technology)).count()
    };
    assert_eq!((on("Sky", "adsl2+"), on("TalkTalk", "adsl2+"), on("Virgin", "cable")), (113, 101, 229));
    let all = values(&store);
    let loss = all.iter().filter(|v| v.1 == MetricId::LOSS_RATIO && v.4 == Window::AllDay);
    let mean = loss.clone().map(|v| v.5).sum::<f64>() / loss.count() as f64;
    assert!((mean - MEAN_LOSS).abs() < 1e-12, "{mean}");
}

/// Mean of `Packet.loss....24.hour` over the 821 rows, as a ratio: Python 3, `sum` over `float(cell[:-1]) / 100`.
const MEAN_LOSS: f64 = 0.002_741_646_191_646_182_4;

#[test]
fn complaints_of_april_2015_are_all_in_april_2015() {
    let Some(data) = common::real_data() else { return };
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let wanted = request(Kind::Complaints, data.join("complaints/comcast_2015_april.csv"), Some(COMPLAINTS));
    let summary = import_one(&with_key(wanted, folder.path()), &store);
    assert_eq!((summary.rows_read, summary.stored, summary.rows_refused), (545, 545, 0));
    assert_eq!(summary.ambiguous_times, 0);
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    for complaint in store.complaints(None, None).unwrap() {
        let local =
            jiff::Timestamp::from_nanosecond(complaint.opened_at.0.into()).unwrap().to_zoned(zone.clone());
        assert_eq!((local.year(), local.month()), (2015, 4));
        assert!(complaint.area.is_some());
    }
}

#[test]
fn one_homes_columns_keep_their_own_rhythms() {
    let Some(folder) = common::real_data() else { return };
    let summary = real(&folder, "netrics/one_home.csv", "examples/netrics-2021/results.toml");
    assert_eq!(summary.rows_refused, 0, "{summary}");
    assert!(summary.values_missing > summary.rows_read, "most cells are empty: {summary}");
    assert!(summary.stored > 10_000, "{summary}");
}

#[test]
fn the_panel_of_2015_is_read_with_its_own_traps() {
    let Some(folder) = common::real_data() else { return };
    let file = folder.join("ofcom/ofcom_broadband_2015.csv");
    for (kind, map, stored) in [(Kind::Lines, "lines", 1_559), (Kind::Results, "results", 17_149)] {
        let map = format!("examples/ofcom-2015/{map}.toml");
        let summary = import_one(&request(kind, file.clone(), Some(&map)), &Memory::default());
        let skipped: Vec<u64> = summary.rows_skipped.iter().map(|s| s.count).collect();
        assert_eq!((summary.rows_read, skipped, summary.rows_refused), (2_802, vec![1_163, 25, 55], 0));
        assert_eq!(summary.stored, stored, "{summary}");
    }
}

#[test]
fn names_that_users_typed_are_mapped_and_the_others_counted() {
    let Some(folder) = common::real_data() else { return };
    let file = folder.join("seattle/Broadband_Speed_Test.csv");
    let store = Memory::default();
    let summary =
        import_one(&request(Kind::Lines, file.clone(), Some("examples/seattle-2018/lines.toml")), &store);
    assert_eq!((summary.rows_read, summary.rows_refused, summary.stored), (4_068, 0, 3_859));
    let comcast = store.lines().unwrap().iter().filter(|l| l.operator == "Comcast").count();
    assert!(comcast >= 2_132, "{comcast}");
    assert!(summary.to_string().contains("is not in the map"), "{summary}");
    let results = request(Kind::Results, file, Some("examples/seattle-2018/results.toml"));
    assert_eq!(import_one(&results, &store).stored, 11_574);
}
