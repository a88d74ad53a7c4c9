//! Other tools' own files and published tables, where they are at hand, held against what other projects read from them.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;
#[path = "common/importing.rs"]
mod importing;

use broadgauge::import::Kind;
use broadgauge::store::{Filter, Fleet as _, Memory, Results as _, RowValues, Store, Window};
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Direction, Statistic};
use importing::{here, import_one, real, request, values};

#[test]
fn the_values_that_stand_beside_real_outputs_of_ping_are_found() {
    let Some(folder) = common::real_data() else { return };
    // With the times of `-D`: without them all round trips of a run claim one moment, and the store refuses the rest.
    let name = "centos-7.7__ping-ip-O-D";
    let parsed = std::fs::read_to_string(folder.join(format!("ping/{name}.json"))).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&parsed).unwrap();
    let replies = parsed["responses"].as_array().unwrap().iter();
    let single = replies.filter(|r| r["type"] == "reply" && r["duplicate"] == false).count() as u64;
    let summary = real(&folder, &format!("ping/{name}.out"), "examples/other-tools/line.toml");
    assert_eq!((summary.rows_read, summary.rows_refused), (single + 1, 0), "{name}");
}

#[test]
fn a_real_ndt7_file_has_the_rate_of_its_last_measurement() {
    let Some(folder) = common::real_data() else { return };
    let store = Memory::default();
    let file =
        "mlab/ndt7-download-20221130T230746.606388371Z.ndt-rczlq_1666977535_unsafe_000000000016912D.json";
    let summary = import_one(&request(Kind::Results, folder.join(file), None), &store);
    assert_eq!((summary.rows_read, summary.rows_refused), (2, 0));
    let found = values(&store);
    let rate = found.iter().find(|v| v.1 == MetricId::DOWNLOAD_GOODPUT).unwrap();
    // 95,049,504 bytes in 9.919546 s.
    assert!((rate.5 - 95_049_504.0 * 8.0 / 9_919_546.0).abs() < 1e-9, "{rate:?}");
}

#[test]
fn real_udpst_tests_are_read_and_errors_tell_nothing() {
    let Some(folder) = common::real_data() else { return };
    let map = "examples/other-tools/line.toml";
    assert_eq!(real(&folder, "udpst/client_example_12.json", map).rows_read, 0);
    let whole = real(&folder, "udpst/client_example_01.json", map);
    assert!(whole.rows_read >= 3 && whole.rows_refused == 0, "{whole}");
}

/// Sixteen outputs of ping with the values that another project read from them beside.
#[test]
fn no_answer_of_a_real_run_without_stamps_is_lost() {
    let Some(folder) = common::real_data() else { return };
    let mut runs = 0;
    for entry in std::fs::read_dir(folder.join("ping")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let parsed = file.with_extension("json");
        if file.extension().is_none_or(|e| e != "out") || !parsed.exists() {
            continue;
        }
        let parsed: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(parsed).unwrap()).unwrap();
        let replies = parsed["responses"].as_array().unwrap().iter().filter(|r| r["type"] == "reply");
        let numbers: std::collections::BTreeSet<u64> =
            replies.filter(|r| r["duplicate"] == false).filter_map(|r| r["icmp_seq"].as_u64()).collect();
        // One answer of this file has an error of the tool behind it: the other project takes it, we do not.
        let doubted = u64::from(name.ends_with("unparsedlines"));
        let store = Memory::default();
        let mut wanted = request(Kind::Results, file, Some("examples/other-tools/line.toml"));
        wanted.reading.started_at = Some("2026-05-04T20:00:00Z".into());
        wanted.reading.interval_ms = Some(1_000);
        let summary = import_one(&wanted, &store);
        assert_eq!(summary.rows_refused, 0, "{name}: {summary}");
        assert_eq!(
            (summary.rows_read, summary.stored),
            (summary.stored, numbers.len() as u64 + 1 - doubted),
            "{name}"
        );
        runs += 1;
    }
    assert!(runs >= 16, "{runs}");
}

/// Histograms of a store: how many, how many values in them, the 99.9th percentile of all and the largest, in ticks.
fn merged(store: &dyn Store) -> (usize, u64, u64, u64) {
    let (mut count, mut whole) = (0, broadgauge_model::histogram::Histogram::default());
    store
        .scan(&Filter::default(), &mut |row| {
            let RowValues::Histogram(bytes) = row.values else { panic!("logs hold histograms") };
            whole.merge(&broadgauge_model::histogram::Histogram::from_rest(bytes).unwrap());
            count += 1;
        })
        .unwrap();
    (count, whole.len(), whole.quantile(0.999).unwrap_or(0), whole.quantile(1.0).unwrap_or(0))
}

// Oracle: HistogramLogReaderWriterTest of the Java project: intervals, values, 99.9th percentile and maximum in
// nanoseconds (for ycsb in microseconds), of logs with two digits (three for ycsb).
#[test]
fn interval_logs_of_every_version_hold_what_the_java_project_reads_from_them() {
    let Some(folder) = common::real_data() else { return };
    for (file, map, intervals, values, p999, most, unit, digits) in [
        ("jHiccup-2.0.1.logV0.hlog", "pauses", 81, 61_256, 1_510_998_015_u64, 1_569_718_271_u64, 1_000, 0.01),
        ("jHiccup-2.0.6.logV1.hlog", "pauses", 88, 65_964, 1_829_765_119, 1_888_485_375, 1_000, 0.01),
        ("jHiccup-2.0.7S.logV2.hlog", "pauses", 62, 48_761, 1_745_879_039, 1_796_210_687, 1_000, 0.01),
        ("jHiccup-2.0.7S.logV3.hlog", "pauses", 62, 48_761, 1_745_879_039, 1_796_210_687, 1_000, 0.01),
        ("ycsb.logV1.hlog", "requests", 602, 300_056, 1_214_463, 1_546_239, 1, 0.001),
    ] {
        let store = Memory::default();
        let map = format!("examples/hdr-logs/{map}.toml");
        let summary = import_one(&request(Kind::Results, folder.join("hdr").join(file), Some(&map)), &store);
        assert_eq!(summary.rows_refused, 0, "{file}: {summary}");
        let got = merged(&store);
        // Intervals in which nothing happened hold no value, and are counted as such.
        assert_eq!((got.0 as u64 + summary.values_missing, got.1), (intervals, values), "{file}");
        for (got, want) in [(got.2, p999), (got.3, most)] {
            let want = want as f64 / f64::from(unit);
            assert!((got as f64 - want).abs() <= want * digits + 1.0, "{file}: {got} is not {want}");
        }
    }
}

#[test]
fn tagged_and_untagged_intervals_of_a_log_stay_apart() {
    let Some(folder) = common::real_data() else { return };
    let store = Memory::default();
    let file = folder.join("hdr/tagged-Log.logV2.hlog");
    let summary = import_one(&request(Kind::Results, file, Some("examples/hdr-logs/pauses.toml")), &store);
    assert_eq!((summary.rows_read, summary.stored, summary.rows_refused), (42, 42, 0), "{summary}");
    let mut targets = std::collections::BTreeMap::<String, u64>::new();
    store
        .scan(&Filter::default(), &mut |row| {
            let RowValues::Histogram(bytes) = row.values else { panic!("logs hold histograms") };
            let held = broadgauge_model::histogram::Histogram::from_rest(bytes).unwrap();
            *targets.entry(row.target.unwrap_or("none").to_owned()).or_default() += held.len();
        })
        .unwrap();
    assert_eq!(targets.len(), 2);
    assert_eq!(targets["A"], targets["none"], "one half of the file repeats the other under a tag");
}

#[test]
fn what_was_exported_as_a_log_comes_back_bucket_by_bucket() {
    use broadgauge_model::clock::{Span, Wall};
    use broadgauge_model::histogram::Histogram;
    use broadgauge_model::result::{Batch, Counts, Health, Load, Numbered, Sample, Values};
    let (from, to, folder) = (Memory::default(), Memory::default(), tempfile::tempdir().unwrap());
    let held = Histogram::of([100, 200, 30_000, 59_999_999]);
    let sample = Sample {
        metric: MetricId::ROUND_TRIP_DELAY,
        method: "stamp".into(),
        method_version: 1,
        line_id: "l".into(),
        target: None,
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: Wall::from_secs(1_700_000_000),
        lasted: Span::secs(10),
        statistic: Statistic::Singleton,
        values: Values::Histogram(held.clone()),
        counts: Counts::default(),
        details: serde_json::Map::new(),
    };
    let samples = vec![Numbered { number: 1, sample }];
    from.put_batch(&Batch { agent: "a".into(), health: Health::default(), samples }).unwrap();
    let mut log = Vec::new();
    broadgauge::export::hlog(&from, &Filter::default(), &mut log).unwrap();
    let file = folder.path().join("own.hlog");
    std::fs::write(&file, log).unwrap();
    let summary = import_one(&request(Kind::Results, file, Some("examples/hdr-logs/own.toml")), &to);
    assert_eq!((summary.stored, summary.rows_refused), (1, 0), "{summary}");
    to.scan(&Filter::default(), &mut |row| {
        let RowValues::Histogram(bytes) = row.values else { panic!("a log holds histograms") };
        assert_eq!(Histogram::from_rest(bytes).unwrap(), held);
        assert_eq!((row.started_at, row.lasted), (Wall::from_secs(1_700_000_000), Span::secs(10)));
        assert_eq!(row.target, Some("l/round_trip_delay/idle/round_trip"));
    })
    .unwrap();
}

#[test]
fn a_baseline_of_percentiles_stays_percentiles_and_what_runs_backwards_is_turned() {
    let Some(folder) = common::real_data() else { return };
    let store = Memory::default();
    // 236 and 237 rows with 27 and 9 percentiles each, all of them there: counted with Python's csv module.
    for (file, map, kind, rows, stored) in [
        ("downloads", "lines", Kind::Lines, 236, 236),
        ("downloads", "downloads", Kind::Results, 236, 236 * 27),
        ("uploads", "uploads", Kind::Results, 237, 237 * 9),
    ] {
        let file = folder.join(format!("mlab/{file}_by_country_2024_10.csv"));
        let map = format!("examples/mlab-2024/{map}.toml");
        let summary = import_one(&request(kind, file, Some(&map)), &store);
        assert_eq!((summary.rows_read, summary.stored, summary.rows_refused), (rows, stored, 0), "{summary}");
    }
    let all = values(&store);
    let find = |metric, statistic| {
        let found = all.iter().find(|v| v.0 == "AD" && v.1 == metric && v.2 == statistic);
        found.map(|v| v.5).unwrap()
    };
    assert_eq!(find(MetricId::LOADED_ROUND_TRIP_DELAY, Statistic::P99), 156.731);
    assert_eq!(find(MetricId::LOADED_ROUND_TRIP_DELAY, Statistic::P01), 0.326);
    assert_eq!(find(MetricId::LOSS_RATIO, Statistic::P95), 0.102_821_533_202_581_11);
    assert_eq!(find(MetricId::DOWNLOAD_GOODPUT, Statistic::P01), 1.077_962_697_028_755);
    assert!(all.iter().all(|v| v.4 == Window::AllDay));
}

#[test]
fn ratings_that_name_nobody_are_named_by_their_line() {
    let Some(folder) = common::real_data() else { return };
    let file = folder.join("trai/CallVoiceQuality_Data_2018_April.csv");
    let store = Memory::default();
    for (kind, map) in [(Kind::Lines, "lines"), (Kind::Results, "results")] {
        let map = format!("examples/trai-2018/{map}.toml");
        let summary = import_one(&request(kind, file.clone(), Some(&map)), &store);
        // 63,336 rows, 49 of them at places outside India's states, 36 of operator "Other": counted with Python's csv module.
        let skipped: u64 = summary.rows_skipped.iter().map(|s| s.count).sum();
        assert_eq!((summary.rows_read, summary.rows_refused), (63_336, 0), "{summary}");
        assert_eq!(summary.stored, 63_336 - skipped, "{summary}");
    }
    let lines = store.lines().unwrap();
    assert!(lines.iter().filter(|l| l.region.is_none()).count() > 15_000, "a quarter names no state");
    assert!(lines.iter().all(|l| l.technology.as_deref() != Some("Unknown")));
    assert!(values(&store).iter().all(|v| (1.0..=5.0).contains(&v.5)));
}

#[test]
fn the_capacity_of_a_real_udpst_search_is_the_best_second() {
    let Some(folder) = common::real_data() else { return };
    let capacity = |number: u32| {
        let store = Memory::default();
        let file = folder.join(format!("udpst/client_example_{number:02}.json"));
        import_one(&request(Kind::Results, file, Some("examples/other-tools/line.toml")), &store);
        let all = values(&store);
        let find = |statistic| {
            all.iter().find(|v| v.1 == MetricId::UPLOAD_CAPACITY && v.2 == statistic).map(|v| v.5)
        };
        (find(Statistic::Max), find(Statistic::Mean))
    };
    assert_eq!(capacity(1), (Some(975.45), Some(913.03)));
    // Fixed rates, an error, and one without its settings.
    for number in [2, 4, 5, 8, 11, 12] {
        assert_eq!(capacity(number), (None, None), "{number}");
    }
}

#[test]
fn a_log_of_the_speedtest_command_line_is_bytes_a_second_and_summaries() {
    let store = Memory::default();
    let wanted = request(Kind::Results, here("tests/import/ookla.csv"), Some("examples/ookla/results.toml"));
    let summary = import_one(&wanted, &store);
    assert_eq!(
        (summary.rows_read, summary.rows_refused, summary.values_missing, summary.stored),
        (2, 0, 1, 19)
    );
    let all = values(&store);
    let find = |metric, statistic| all.iter().find(|v| v.1 == metric && v.2 == statistic).map(|v| v.5);
    assert_eq!(find(MetricId::DOWNLOAD_GOODPUT, Statistic::Singleton), Some(100.0));
    assert_eq!(find(MetricId::UPLOAD_GOODPUT, Statistic::Singleton), Some(20.0));
    assert_eq!(find(MetricId::LOADED_ROUND_TRIP_DELAY, Statistic::Max), Some(80.2));
    assert_eq!(find(MetricId::ROUND_TRIP_DELAY, Statistic::Min), Some(7.9));
}

#[test]
fn a_packed_archive_of_ndt7_is_read_as_it_is() {
    let Some(folder) = common::real_data() else { return };
    let store = Memory::default();
    let file = folder.join("mlab/ndt7_syd03_20200318.jsonl.gz");
    let summary = import_one(&request(Kind::Results, file, None), &store);
    // 114 tests, each with a rate and a smallest round trip: counted with Python's gzip and json modules.
    assert_eq!((summary.rows_read, summary.rows_refused), (228, 0), "{summary}");
    assert_eq!(summary.stored + summary.unchanged, 228);
}

#[test]
fn a_packed_table_is_a_table_and_a_broken_one_says_so() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.csv.gz");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"line_id,operator\nl1,A\nl2,B\n").unwrap();
    let mut bytes = packed.finish().unwrap();
    std::fs::write(&file, &bytes).unwrap();
    let wanted = request(Kind::Lines, file.clone(), None);
    assert_eq!(import_one(&wanted, &Memory::default()).stored, 2);
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&file, &bytes).unwrap();
    let error = broadgauge::import::run(&wanted, &Memory::default(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("lines.csv.gz"), "{error}");
}

const NDT7: &str = r#"{"ServerIP":"192.0.2.1","ClientIP":"198.51.100.7","Upload":{"StartTime":"2020-03-18T00:06:41Z","ServerMeasurements":[{"TCPInfo":{"BytesReceived":12500000,"ElapsedTime":10000000}}]}}"#;

#[test]
fn a_bad_line_of_json_is_refused_kept_and_counted_and_the_others_go_in() {
    let (store, folder) = (Memory::default(), tempfile::tempdir().unwrap());
    let (file, rejects) = (folder.path().join("tests.jsonl"), folder.path().join("rejects.csv"));
    std::fs::write(&file, format!("{NDT7}\n{}\n{}\n", &NDT7[..60], NDT7.replace("00:06", "00:07"))).unwrap();
    let mut wanted = request(Kind::Results, file, None);
    wanted.reject_file = Some(rejects.clone());
    let summary = import_one(&wanted, &store);
    assert_eq!((summary.rows_read, summary.rows_refused, summary.stored), (3, 1, 2), "{summary}");
    let told = summary.refusals[0].to_string();
    assert!(told.contains("tests.jsonl:2: is not JSON") && told.contains("column 60"), "{told}");
    let kept = std::fs::read_to_string(&rejects).unwrap();
    let row: csv::StringRecord = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(kept.as_bytes())
        .records()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(row.iter().next_back(), Some(&NDT7[..60]), "the line stands behind the reason: {kept}");
}

#[test]
fn results_of_a_probe_whose_clock_was_not_kept_are_refused_for_that_and_may_be_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let (file, map) = (folder.path().join("atlas.json"), folder.path().join("map.toml"));
    let result = r#"{"fw":5080,"type":"ping","prb_id":3,"lts":-1,"timestamp":1700000000,"dst_name":"a","result":[{"rtt":2.1}]}"#;
    std::fs::write(&file, result).unwrap();
    let summary = import_one(&request(Kind::Results, file.clone(), None), &Memory::default());
    assert_eq!((summary.rows_refused, summary.rows_skipped.len()), (2, 0), "{summary}");
    assert!(
        summary.refusals[0].to_string().contains("\"started_at\": is not known: the probe's clock"),
        "{summary}"
    );
    let skip = "kind = \"results\"\n[[skip]]\ncolumn = \"started_at\"\nempty = true\nreason = \"no clock\"\n";
    std::fs::write(&map, skip).unwrap();
    let wanted = broadgauge::import::Request { map: Some(map), ..request(Kind::Results, file, None) };
    let summary = import_one(&wanted, &Memory::default());
    assert_eq!((summary.rows_refused, summary.rows_skipped[0].count), (0, 2), "{summary}");
}

#[test]
fn real_files_that_are_not_read_are_told_what_they_are() {
    let Some(folder) = common::real_data() else { return };
    let mut seen = [0; 3];
    let told = |file: std::path::PathBuf| {
        let wanted = request(Kind::Results, file, Some("examples/other-tools/line.toml"));
        broadgauge::import::run(&wanted, &Memory::default(), &mut |_| {}).unwrap_err().to_string()
    };
    for (part, words) in [("ping", "output of traceroute"), ("hdr", ".hgrm"), ("udpst", "UDPST server")] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains("traceroute") || name.starts_with("percentile_") || name.starts_with("server_") {
                let error = told(file);
                assert!(error.contains(words), "{name}: {error}");
                seen[usize::from(part == "hdr") + 2 * usize::from(part == "udpst")] += 1;
            }
        }
    }
    assert_eq!(seen, [21, 7, 1]);
}

#[test]
fn a_real_run_of_ping_is_read_without_its_first_line() {
    let Some(folder) = common::real_data() else { return };
    let whole = std::fs::read_to_string(folder.join("ping/centos-7.7__ping-ip-O-D.out")).unwrap();
    let own = tempfile::tempdir().unwrap();
    let stored = |text: &str| {
        let (store, file) = (Memory::default(), own.path().join("ping.out"));
        std::fs::write(&file, text).unwrap();
        let map = Some("examples/other-tools/line.toml");
        import_one(&request(Kind::Results, file, map), &store);
        let mut found = Vec::new();
        store
            .scan(&Filter::default(), &mut |row| {
                if row.metric == MetricId::ROUND_TRIP_DELAY {
                    found.push((row.target.map(str::to_owned), row.started_at));
                }
            })
            .unwrap();
        found
    };
    let cut = stored(whole.split_once('\n').unwrap().1);
    assert!(cut.len() > 10 && cut == stored(&whole), "{cut:?}");
}

#[test]
fn a_log_of_histograms_without_their_unit_is_refused_once() {
    let Some(folder) = common::real_data() else { return };
    let own = tempfile::tempdir().unwrap();
    let map = own.path().join("map.toml");
    std::fs::write(
        &map,
        "kind = \"results\"\n[columns]\nline_id = { constant = \"l\" }\nmetric = { constant = \"first_byte_time\" }\n",
    )
    .unwrap();
    let file = folder.join("hdr/ycsb.logV1.hlog");
    let wanted = broadgauge::import::Request { map: Some(map), ..request(Kind::Results, file, None) };
    let error = broadgauge::import::run(&wanted, &Memory::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("columns.value") && error.contains("unit = \"ns\""), "{error}");
}
