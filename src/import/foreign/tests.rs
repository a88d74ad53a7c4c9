use super::*;
use crate::import::table::Remark;
use std::fmt::Write as _;

fn cells(text: &str) -> Vec<Vec<String>> {
    cells_of(text, &Reading::default())
}

fn cells_of(text: &str, reading: &Reading) -> Vec<Vec<String>> {
    let foreign = read(text.as_bytes(), reading).unwrap().expect("a tool's file");
    foreign.rows.into_iter().skip(1).map(|row| row.cells).collect()
}

/// What else a file holds, by the reason.
fn left_out(text: &str) -> Vec<(String, u64)> {
    read(text.as_bytes(), &Reading::default()).unwrap().expect("a tool's file").left_out
}

fn reasons(told: &[(&str, u64)]) -> Vec<(String, u64)> {
    told.iter().map(|(why, count)| ((*why).to_owned(), *count)).collect()
}

/// The cells under some headers.
fn of(rows: &[Vec<String>], headers: &[&str]) -> Vec<Vec<String>> {
    let place = |header: &&str| HEADERS.iter().position(|h| h == header).unwrap();
    rows.iter().map(|row| headers.iter().map(|h| row[place(h)].clone()).collect()).collect()
}

#[test]
fn a_table_is_left_to_the_tables() {
    let told = |text: &str| read(text.as_bytes(), &Reading::default());
    assert_eq!(told("line_id,started_at\n1,2026-01-01\n"), Ok(None));
    assert!(told("{\"some\": 1}").unwrap_err().contains("no tool that is known"));
    assert!(told("{\"broken\": ").unwrap_err().starts_with("is not JSON"));
    let other = told("{\"prb_id\": 1, \"fw\": 5080, \"type\": \"traceroute\", \"result\": []}").unwrap_err();
    assert!(other.contains("none of type ping"), "{other}");
}

#[test]
fn the_rate_of_ndt7_is_what_was_acknowledged_over_the_time_elapsed() {
    let rows = cells(
        r#"{"ServerIP":"192.0.2.1","ClientIP":"198.51.100.7","Download":{"StartTime":"2020-03-18T00:06:41Z",
        "ServerMeasurements":[{"TCPInfo":{"BytesAcked":1,"ElapsedTime":1,"MinRTT":9}},
        {"TCPInfo":{"BytesAcked":12500000,"ElapsedTime":10000000,"MinRTT":20000}}]}}"#,
    );
    assert_eq!(
        of(&rows, &["line_id", "metric", "value", "statistic", "load"]),
        [
            ["198.51.100.7", "download_goodput", "10", "", "down"],
            ["198.51.100.7", "loaded_round_trip_delay", "20", "min", "down"],
        ]
    );
}

#[test]
fn a_test_that_broke_off_has_no_rate() {
    let lines =
        "{\"ServerIP\":\"a\",\"Upload\":{\"ServerMeasurements\":[]}}\n\n{\"ServerIP\":\"a\",\"Upload\":{}}\n";
    assert_eq!(cells(lines), Vec::<Vec<String>>::new());
    let why = "ndt test without a measurement of its rate or its round trips";
    assert_eq!(left_out(lines), reasons(&[(why, 2)]));
}

#[test]
fn an_error_of_a_probe_is_not_a_lost_packet() {
    let results = r#"[{"type":"ping","prb_id":7,"timestamp":1700000000,"lts":30,"dst_addr":"192.0.2.9","fw":5080,"min":-1,
        "result":[{"rtt":12.5},{"x":"*"},{"error":"sendto failed"},{"rtt":13.0,"dup":1}]},
        {"type":"traceroute","prb_id":7,"fw":5080}]"#;
    let rows = cells(results);
    assert_eq!(
        left_out(results),
        reasons(&[
            ("RIPE Atlas probe's error: nothing was asked", 1),
            ("RIPE Atlas result of type traceroute", 1),
            ("second answer to one question", 1),
        ])
    );
    assert_eq!(
        of(&rows, &["metric", "value", "sent", "lost", "started_at"]),
        [
            ["round_trip_delay", "12.5", "", "", "2023-11-14T22:13:20Z"],
            ["loss_ratio", "0.5", "2", "1", "2023-11-14T22:13:20Z"],
        ]
    );
    let unset = cells(r#"{"type":"ping","prb_id":7,"timestamp":9,"lts":-1,"result":[{"rtt":12.5}]}"#);
    assert_eq!(of(&unset, &["started_at"])[0], [""], "a clock that was never set gives no time");
}

#[test]
fn iperf_counts_at_the_receiver() {
    let rows = cells(
        r#"{"start":{"timestamp":{"timesecs":1700000000},"connecting_to":{"host":"h"},"test_start":{"protocol":"UDP","reverse":1}},
        "end":{"sum":{"bits_per_second":9100000,"packets":200,"lost_packets":3},"sum_received":{"bits_per_second":9000000}}}"#,
    );
    assert_eq!(
        of(&rows, &["metric", "value", "direction", "lost"]),
        [["download_goodput", "9", "", ""], ["loss_ratio", "0.015", "down", "3"]]
    );
    let why = "iperf3 test without the rate that the receiver counted";
    let sender = r#"{"start":{"test_start":{"protocol":"TCP"}},"end":{"sum_sent":{"bits_per_second":1}}}"#;
    assert!(cells(sender).is_empty(), "the sender's own count is no goodput");
    assert_eq!(left_out(sender), reasons(&[(why, 1)]));
    let old = r#"{"start":{"test_start":{"protocol":"UDP"}},"end":{"sum":{"bits_per_second":9,"packets":4,"lost_packets":1}}}"#;
    assert_eq!(of(&cells(old), &["metric", "value", "direction"]), [["loss_ratio", "0.25", "up"]]);
    assert_eq!(left_out(old), reasons(&[(why, 1)]));
    let failed = r#"{"start":{},"end":{},"error":"unable to connect"}"#;
    assert!(cells(failed).is_empty());
    let why = "iperf3 test that ended with an error: unable to connect";
    assert_eq!(left_out(failed), reasons(&[(why, 1)]));
}

// What both ends of iperf 3.12 wrote of `-t 1 --bidir`, cut to what is read, with three packets made lost.
const TCP_BOTH: &str = r#"{"start":{"timestamp":{"timesecs":1795461028},"connecting_to":{"host":"h"},"test_start":{"protocol":"TCP","reverse":0}},
    "end":{"streams":[{"sender":{"sender":true}},{"sender":{"sender":false}}],
    "sum_sent":{"bits_per_second":999887,"sender":true},"sum_received":{"bits_per_second":999734,"sender":true},
    "sum_sent_bidir_reverse":{"bits_per_second":1007886,"sender":false},
    "sum_received_bidir_reverse":{"bits_per_second":1007731,"sender":false}}}"#;
const UDP_BOTH: &str = r#"{"start":{"timestamp":{"timesecs":1795461029},"connecting_to":{"host":"h"},"test_start":{"protocol":"UDP","reverse":0}},
    "end":{"sum":{"bits_per_second":399940,"lost_packets":1,"packets":50,"sender":true},
    "sum_sent":{"bits_per_second":399940,"lost_packets":0,"packets":50,"sender":true},
    "sum_received":{"bits_per_second":391887,"lost_packets":1,"packets":50,"sender":false},
    "sum_bidir_reverse":{"bits_per_second":407938,"lost_packets":2,"packets":51,"sender":false},
    "sum_sent_bidir_reverse":{"bits_per_second":407938,"lost_packets":0,"packets":51,"sender":true},
    "sum_received_bidir_reverse":{"bits_per_second":391884,"lost_packets":2,"packets":51,"sender":false}}}"#;

#[test]
fn a_test_both_ways_at_once_has_both_each_under_the_load_of_both() {
    let columns = ["metric", "value", "load", "target"];
    assert_eq!(
        of(&cells(TCP_BOTH), &columns),
        [["upload_goodput", "0.999734", "both", "h"], ["download_goodput", "1.007731", "both", "h"]]
    );
    assert_eq!(left_out(TCP_BOTH), []);
    let columns = ["metric", "value", "sent", "lost", "direction", "load"];
    assert_eq!(
        of(&cells(UDP_BOTH), &columns),
        [
            ["upload_goodput", "0.391887", "", "", "", "both"],
            ["loss_ratio", "0.02", "50", "1", "up", "both"],
            ["download_goodput", "0.391884", "", "", "", "both"],
            ["loss_ratio", "0.0392156862745098", "51", "2", "down", "both"],
        ]
    );
    // Up to version 3.10 both ways had the same names, of which a reader of JSON keeps one.
    let alike = TCP_BOTH.replace("_bidir_reverse", "");
    assert_eq!(cells(&alike), Vec::<Vec<String>>::new());
    let why = "iperf3 test both ways, whose sums have the same names: of version 3.7 to 3.10";
    assert_eq!(left_out(&alike), reasons(&[(why, 1)]));
}

#[test]
fn a_server_of_iperf_does_not_know_what_its_client_received() {
    let of_server = |text: &str| text.replace("connecting_to", "accepted_connection");
    let tcp = of_server(TCP_BOTH).replace("1007731", "0");
    assert_eq!(of(&cells(&tcp), &["metric", "value"]), [["upload_goodput", "0.999734"]]);
    let why = "iperf3 server's record of a download, which only its client counted";
    assert_eq!(left_out(&tcp), reasons(&[(why, 1)]));
    let udp = of_server(UDP_BOTH).replace(r#""lost_packets":2"#, r#""lost_packets":0"#);
    assert_eq!(of(&cells(&udp), &["metric", "direction"]), [["upload_goodput", ""], ["loss_ratio", "up"]]);
    let reverse = of_server(TCP_BOTH).replace(r#""reverse":0"#, r#""reverse":1"#);
    let (before, _) = reverse.split_once(r#""streams""#).unwrap();
    let reverse = format!("{before}\"sum_received\":{{\"bits_per_second\":0}}}}}}");
    assert_eq!((cells(&reverse).len(), left_out(&reverse)), (0, reasons(&[(why, 1)])));
}

#[test]
fn duplicates_and_complaints_of_ping_are_no_answers() {
    let output = "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n\
         [1700000000.5] 64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.041 ms\n\
         64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=9.0 ms (DUP!)\n\
         64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.043 ms: some weird error\n\
         no answer yet for icmp_seq=3\n\n--- 192.0.2.1 ping statistics ---\n\
         4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 3ms\n";
    let rows = cells(output);
    let complaint = "answer that cannot be read, or that ping complains of";
    assert_eq!(left_out(output), reasons(&[(complaint, 1), ("second answer to one question", 1)]));
    assert_eq!(
        of(&rows, &["metric", "value", "sent", "lost"]),
        [["round_trip_delay", "0.041", "", ""], ["loss_ratio", "0.5", "4", "2"]]
    );
    assert_eq!(of(&rows, &["started_at"])[0], ["2023-11-14T22:13:20.5Z"]);
}

// The forms of firmware 1, 4400 and 4540 in RIPE Atlas's description of its results.
#[test]
fn results_of_every_firmware_are_read_as_far_as_they_go() {
    let first = cells(
        r#"{"addr":"192.0.2.9","avg":20.126,"dup":0,"from":"198.51.100.1","fw":1,"max":20.3,"min":19.9,"msm_id":1,
        "name":"example.net","prb_id":165,"rcvd":2,"sent":3,"size":56,"timestamp":1332938930}"#,
    );
    assert_eq!(
        of(&first, &["line_id", "metric", "value", "statistic", "target", "lost"]),
        [
            ["165", "round_trip_delay", "19.9", "min", "example.net", ""],
            ["165", "round_trip_delay", "20.126", "mean", "example.net", ""],
            ["165", "round_trip_delay", "20.3", "max", "example.net", ""],
            ["165", "loss_ratio", "0.3333333333333333", "mean", "example.net", "1"],
        ]
    );
    let nothing = cells(r#"{"fw":1,"prb_id":1,"avg":-1,"min":-1,"max":-1,"rcvd":0,"sent":3,"timestamp":9}"#);
    assert_eq!(of(&nothing, &["metric", "value"]), [["loss_ratio", "1"]]);
    let untyped = cells(
        r#"{"fw":4430,"prb_id":2,"addr":"192.0.2.9","mode":"ICMP4","sent":3,"rcvd":1,"timestamp":1332938930,
        "result":[{"rtt":2.1},{"x":"*"},{"late":2,"rtt":4000.0}]}"#,
    );
    assert_eq!(
        of(&untyped, &["metric", "value", "sent"]),
        [["round_trip_delay", "2.1", ""], ["loss_ratio", "0.5", "2"],]
    );
    let old =
        r#"{"fw":4560,"type":"ping","prb_id":3,"lts":90000,"timestamp":1332938930,"result":[{"rtt":2.1}]}"#;
    assert_eq!(of(&cells(old), &["started_at"])[0], [""], "a clock that was set more than a day ago");
}

#[test]
fn capacity_is_taken_where_it_was_searched_for_and_not_where_a_rate_was_fixed() {
    let test = |kind: &str, interval: u32| {
        cells(&format!(
            r#"{{"IPLayerCapSupported":{{}},"Input":{{"Role":"Receiver","Host":"h","TestType":"{kind}","TestSubInterval":{interval}}},
            "Output":{{"BOMTime":"2026-05-08T14:47:14Z","AtMax":{{"MaxIPLayerCapacity":975.4}},
            "Summary":{{"IPLayerCapacitySummary":913.0,"RTTAvg":0.01}}}}}}"#
        ))
    };
    let columns = ["metric", "value", "statistic", "load", "direction"];
    let delay = ["loaded_round_trip_delay", "10", "mean", "down", ""];
    let mean = ["download_capacity", "913", "mean", "down", "down"];
    assert_eq!(
        of(&test("Search", 1_000), &columns),
        [["download_capacity", "975.4", "max", "down", "down"], mean, delay]
    );
    assert_eq!(of(&test("Search", 100), &columns), [mean, delay]);
    assert_eq!(of(&test("Fixed", 1_000), &columns), [delay]);
    let failed =
        r#"{"IPLayerCapSupported":{},"ErrorStatus":200,"ErrorMessage":"no  connection","Output":{}}"#;
    let why = "UDPST test that ended with error 200: no connection";
    assert_eq!((cells(failed).len(), left_out(failed)), (0, reasons(&[(why, 1)])));
    let bare = r#"{"IPLayerCapSupported":{},"Output":{"Summary":{"RTTAvg":0.01,"LossRatioSummary":0.1}}}"#;
    assert_eq!(of(&cells(bare), &columns), [["loaded_round_trip_delay", "10", "mean", "", ""]]);
}

const MAC: &str = "PING 192.0.2.1 (192.0.2.1): 56 data bytes\n\
    64 bytes from 192.0.2.1: icmp_seq=0 ttl=64 time=1.5 ms\n\
    Request timeout for icmp_seq 1\n\
    64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=1.5 ms\n\
    64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=9.5 ms\n\n\
    --- 192.0.2.1 ping statistics ---\n\
    3 packets transmitted, 2 packets received, 33.3% packet loss\n";

#[test]
fn a_run_of_ping_without_stamps_has_times_from_its_start_and_its_numbers() {
    let at = Some("2026-05-04T20:00:00Z".to_owned());
    let asked = Reading { started_at: at.clone(), interval_ms: Some(200), ..Reading::default() };
    assert_eq!(
        of(&cells_of(MAC, &asked), &["started_at", "metric", "value"]),
        [
            ["2026-05-04T20:00:00Z", "round_trip_delay", "1.5"],
            ["2026-05-04T20:00:00.4Z", "round_trip_delay", "1.5"],
            ["2026-05-04T20:00:00Z", "loss_ratio", "0.3333333333333333"],
        ]
    );
    let started = Reading { started_at: at, ..Reading::default() };
    let why = read(MAC.as_bytes(), &started).unwrap_err();
    assert!(why.contains("interval_ms"), "{why}");
    // Linux counts from 1 and tells how long the run took: two gaps in 2,010 ms.
    let linux = "PING a (192.0.2.1) 56(84) bytes of data.\n\
        64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=1 ms\n\
        64 bytes from 192.0.2.1: icmp_seq=3 ttl=64 time=1 ms\n\
        3 packets transmitted, 2 received, 33% packet loss, time 2010ms\n";
    assert_eq!(
        of(&cells_of(linux, &started), &["started_at"])[..2],
        [["2026-05-04T20:00:00Z"], ["2026-05-04T20:00:02.01Z"]]
    );
    let twice = format!("{linux}\n{linux}");
    assert!(read(twice.as_bytes(), &started).unwrap_err().contains("2 runs"));
}

#[test]
fn a_time_of_ping_that_cannot_be_held_is_none() {
    let far = "PING a (192.0.2.1): 56 data bytes\n\
        [17000800000.5] 64 bytes from 192.0.2.1: icmp_seq=0 ttl=64 time=1.5 ms\n";
    assert_eq!(of(&cells_of(far, &Reading::default()), &["started_at", "value"]), [["", "1.5"]]);
    let asked = Reading {
        started_at: Some("2026-05-04T20:00:00Z".to_owned()),
        interval_ms: Some(u64::MAX),
        ..Reading::default()
    };
    let times = of(&cells_of(MAC, &asked), &["started_at"]);
    assert_eq!(times, [["2026-05-04T20:00:00Z"], [""], ["2026-05-04T20:00:00Z"]]);
}

#[test]
fn numbers_of_ping_go_round_at_sixteen_bits_and_stay_apart() {
    let mut text = "PING a (192.0.2.1): 56 data bytes\n".to_owned();
    for sequence in [65_534, 65_535, 0, 1] {
        writeln!(text, "64 bytes from 192.0.2.1: icmp_seq={sequence} ttl=64 time=1.5 ms").unwrap();
    }
    // The first numbers were lost; the caller knows when the first of all was sent.
    let asked = Reading {
        started_at: Some("2026-05-04T00:00:00Z".into()),
        interval_ms: Some(1_000),
        ..Reading::default()
    };
    let times = of(&cells_of(&text, &asked), &["started_at"]);
    assert_eq!(times.len(), 4);
    assert_eq!(times[3], ["2026-05-04T18:12:17Z"]);
}

#[test]
fn an_interval_log_is_a_histogram_an_interval_with_its_tag() {
    let log = "#[Histogram log format version 1.3]\n#[StartTime: 1700000000.250 (seconds since epoch), x]\n\
        \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n\
        0.250,1.000,2.5,HISTxyz\nTag=a1.1,1.250,0.5,2.5,HISTabc\n\nbroken\n";
    assert_eq!(
        cells(log)[..2],
        [
            ["2023-11-14T22:13:20.5Z", "2023-11-14T22:13:21.5Z", "", "HISTxyz", "hlog"],
            ["2023-11-14T22:13:21.5Z", "2023-11-14T22:13:22Z", "a1.1", "HISTabc", "hlog"],
        ]
    );
    let bad = read(log.as_bytes(), &Reading::default()).unwrap().expect("a tool's file").rows.remove(3);
    assert_eq!(bad.cells.last().map(String::as_str), Some("broken"), "its text stands beyond the columns");
    assert!(matches!(bad.remark, Some(Remark::Unread(why)) if why.contains("no interval")));
    // Times since 1970 are no times since the start; a base time is what they are counted from.
    let absolute = "#[Histogram log format version 1.3]\n#[StartTime: 1700000000 (s)]\n1700000001,1,0,H\n";
    assert_eq!(cells(absolute)[0][0], "2023-11-14T22:13:21Z");
    let base =
        "#[Histogram log format version 1.3]\n#[BaseTime: 1700000000]\n#[StartTime: 1700000000]\n5,1,0,H\n";
    assert_eq!(cells(base)[0][0], "2023-11-14T22:13:25Z");
}

#[test]
fn an_interval_log_without_its_start_asks_for_it() {
    let log = "#[Histogram log format version 1.3]\n0.250,1.000,2.5,HISTxyz\n";
    let why = read(log.as_bytes(), &Reading::default()).unwrap_err();
    assert!(why.contains("StartTime") && why.contains("--started-at"), "{why}");
    let asked = Reading { started_at: Some("2026-05-04T20:00:00Z".to_owned()), ..Reading::default() };
    assert_eq!(cells_of(log, &asked)[0][..2], ["2026-05-04T20:00:00.25Z", "2026-05-04T20:00:01.25Z"]);
    // Times since 1970 need no start, and neither helps a start that is none.
    let absolute = "#[Histogram log format version 1.3]\n1700000001,1,0,H\n";
    assert_eq!(cells(absolute)[0][0], "2023-11-14T22:13:21Z");
    for head in ["StartTime: 0.0 (s)", "BaseTime: 0"] {
        let log = format!("#[Histogram log format version 1.3]\n#[{head}]\n5,1,0,H\n");
        assert!(read(log.as_bytes(), &Reading::default()).is_err(), "{head}");
    }
}

const NDT7: &str = r#"{"ServerIP":"192.0.2.1","ClientIP":"198.51.100.7","Upload":{"StartTime":"2020-03-18T00:06:41Z","ServerMeasurements":[{"TCPInfo":{"BytesReceived":12500000,"ElapsedTime":10000000}}]}}"#;

fn unread(text: &str) -> Vec<(u64, String, String)> {
    let rows = read(text.as_bytes(), &Reading::default()).unwrap().expect("a tool's file").rows;
    let bad = rows.into_iter().filter_map(|row| match row.remark {
        Some(Remark::Unread(why)) => Some((row.line, why, row.cells[HEADERS.len()].clone())),
        _ => None,
    });
    bad.collect()
}

#[test]
fn a_bad_line_of_json_is_a_bad_row_and_the_others_are_taken() {
    let cut = &NDT7[..60];
    let strange = r#"{"what":"is this"}"#;
    let text = format!("{cut}\n{NDT7}\n\n{strange}\n{NDT7}\n");
    let bad = unread(&text);
    assert_eq!((bad[0].0, bad[0].2.as_str()), (1, cut));
    assert!(bad[0].1.contains("not JSON") && bad[0].1.contains("column 60"), "{bad:?}");
    assert_eq!((bad[1].0, bad[1].2.as_str()), (4, strange));
    assert!(bad[1].1.contains("no tool that is known"), "{bad:?}");
    assert_eq!((bad.len(), cells(&text).len()), (2, 4));
}

#[test]
fn a_document_that_breaks_off_refuses_its_file() {
    let atlas = r#"{"prb_id":1,"fw":5080,"type":"ping","timestamp":1700000000,"result":[{"rtt":1.5}]}"#;
    for text in [
        format!("[{atlas},\n{atlas}\n"),
        format!("[\n{atlas},\n{atlas}"),
        "{\n  \"prb_id\": 1,\n  \"fw\": 5080,\n".to_owned(),
        NDT7[..60].to_owned(),
    ] {
        let why = read(text.as_bytes(), &Reading::default()).unwrap_err();
        assert!(why.starts_with("is not JSON"), "{why}");
    }
    // Lines that are all JSON, and of nobody.
    let why = read(b"{\"a\":1}\n{\"a\":2}\n", &Reading::default()).unwrap_err();
    assert!(why.contains("no tool that is known"), "{why}");
}

#[test]
fn a_result_of_a_probe_whose_clock_was_not_kept_says_so() {
    for (lts, word) in [(-1, "never synchronised"), (90_000, "90000 s ago")] {
        let text = format!(
            r#"{{"fw":5080,"type":"ping","prb_id":3,"lts":{lts},"timestamp":1332938930,"result":[{{"rtt":2.1}}]}}"#
        );
        let rows = read(text.as_bytes(), &Reading::default()).unwrap().expect("a tool's file").rows;
        let why = rows[1].why_empty("started_at").unwrap_or_default();
        assert!(why.contains(word) && why.contains("lts") && why.contains("[[skip]]"), "{why}");
    }
}

#[test]
fn files_that_are_known_and_not_read_are_told_what_they_were_taken_for() {
    let utf16 = |text: &str| -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let windows =
        "\r\nPinging 192.0.2.1 with 32 bytes of data:\r\nReply from 192.0.2.1: bytes=32 time=5ms TTL=56\r\n";
    let german = "\r\nPing wird ausgef\u{fc}hrt f\u{fc}r 192.0.2.1 mit 32 Bytes Daten:\r\n\
                  Antwort von 192.0.2.1: Bytes=32 Zeit<1ms TTL=56\r\n";
    for (bytes, words) in [
        (
            b"traceroute to a (192.0.2.1), 30 hops max\n 1  b (192.0.2.9)  4.0 ms  3.6 ms  3.7 ms\n".to_vec(),
            "traceroute",
        ),
        (b" 1  b (192.0.2.9)  4.0 ms  3.6 ms  3.7 ms\n".to_vec(), "traceroute"),
        (b"\r\nTracing route to a [192.0.2.1]\r\nover a maximum of 30 hops:\r\n".to_vec(), "traceroute"),
        (windows.as_bytes().to_vec(), "ping on Windows"),
        (utf16(windows), "ping on Windows"),
        (german.as_bytes().to_vec(), "ping on Windows"),
        (
            b"       Value   Percentile   TotalCount 1/(1-Percentile)\n\n   0.189  0.0  1  1.00\n".to_vec(),
            ".hgrm",
        ),
        (br#"{"host_name":"a","max_connections":254,"data_records":[]}"#.to_vec(), "UDPST server"),
        (b"64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.041 ms\n".to_vec(), "without its first line"),
    ] {
        assert!(begins(&bytes), "{words}");
        let why = read(&bytes, &Reading::default()).unwrap_err();
        assert!(why.contains(words), "{why}");
    }
}

#[test]
fn stamped_answers_of_a_run_whose_first_line_is_cut_off_are_taken() {
    let output = "[1700000000.5] 64 bytes from one.example (192.0.2.1): icmp_seq=7 ttl=64 time=0.041 ms\n\
        [1700000001.5] no answer yet for icmp_seq=8\n\
        [1700000002.5] 64 bytes from one.example (192.0.2.1): icmp_seq=9 ttl=64 time=0.043 ms\n\n\
        --- one.example ping statistics ---\n9 packets transmitted, 8 received, 11% packet loss, time 8003ms\n";
    assert_eq!(
        of(&cells(output), &["started_at", "metric", "value", "target"]),
        [
            ["2023-11-14T22:13:20.5Z", "round_trip_delay", "0.041", "one.example"],
            ["2023-11-14T22:13:22.5Z", "round_trip_delay", "0.043", "one.example"],
        ]
    );
    assert_eq!(left_out(output), reasons(&[("run without its first line: its loss is not known", 1)]));
    let two = output.replacen("one.example", "two.example", 1);
    let why = read(two.as_bytes(), &Reading::default()).unwrap_err();
    assert!(why.contains("one.example, two.example"), "{why}");
}
