use super::*;

fn cells(text: &str) -> Vec<Vec<String>> {
    let foreign = read(text.as_bytes()).unwrap().expect("a tool's file");
    foreign.rows.into_iter().skip(1).map(|row| row.cells).collect()
}

/// The cells under some headers.
fn of(rows: &[Vec<String>], headers: &[&str]) -> Vec<Vec<String>> {
    let place = |header: &&str| HEADERS.iter().position(|h| h == header).unwrap();
    rows.iter().map(|row| headers.iter().map(|h| row[place(h)].clone()).collect()).collect()
}

#[test]
fn a_table_is_left_to_the_tables() {
    assert_eq!(read(b"line_id,started_at\n1,2026-01-01\n"), Ok(None));
    assert!(read(b"{\"some\": 1}").unwrap_err().contains("no tool that is known"));
    assert!(read(b"{\"broken\": ").unwrap_err().starts_with("is not JSON"));
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
}

#[test]
fn an_error_of_a_probe_is_not_a_lost_packet() {
    let rows = cells(
        r#"[{"type":"ping","prb_id":7,"timestamp":1700000000,"lts":30,"dst_addr":"192.0.2.9","fw":5080,"min":-1,
        "result":[{"rtt":12.5},{"x":"*"},{"error":"sendto failed"},{"rtt":13.0,"dup":1}]}]"#,
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
        "end":{"sum":{"bits_per_second":9000000,"packets":200,"lost_packets":3}}}"#,
    );
    assert_eq!(
        of(&rows, &["metric", "value", "direction", "lost"]),
        [["download_goodput", "9", "", ""], ["loss_ratio", "0.015", "down", "3"]]
    );
    let sender = r#"{"start":{"test_start":{"protocol":"TCP"}},"end":{"sum_sent":{"bits_per_second":1}}}"#;
    assert!(cells(sender).is_empty(), "the sender's own count is no goodput");
    assert!(cells(r#"{"start":{},"end":{},"error":"unable to connect"}"#).is_empty());
}

#[test]
fn duplicates_and_complaints_of_ping_are_no_answers() {
    let rows = cells(
        "PING 192.0.2.1 (192.0.2.1) 56(84) bytes of data.\n\
         [1700000000.5] 64 bytes from 192.0.2.1: icmp_seq=1 ttl=64 time=0.041 ms\n\
         64 bytes from 192.0.2.2: icmp_seq=1 ttl=64 time=9.0 ms (DUP!)\n\
         64 bytes from 192.0.2.1: icmp_seq=2 ttl=64 time=0.043 ms: some weird error\n\
         no answer yet for icmp_seq=3\n\n--- 192.0.2.1 ping statistics ---\n\
         4 packets transmitted, 2 received, +1 duplicates, 50% packet loss, time 3ms\n",
    );
    assert_eq!(
        of(&rows, &["metric", "value", "sent", "lost"]),
        [["round_trip_delay", "0.041", "", ""], ["loss_ratio", "0.5", "4", "2"]]
    );
    assert_eq!(of(&rows, &["started_at"])[0], ["2023-11-14T22:13:20.5Z"]);
}
