use super::*;
use proptest::prelude::*;

/// The example of ndt7-protocol.md, section "Measurement message".
const EXAMPLE: &str = r#"{
    "AppInfo": {"ElapsedTime": 1234, "NumBytes": 1234},
    "ConnectionInfo": {"Client": "1.2.3.4:5678", "Server": "[::1]:2345", "UUID": "<platform-specific-string>"},
    "Origin": "server", "Test": "download",
    "TCPInfo": {"BusyTime": 1234, "BytesAcked": 1234, "BytesReceived": 1234, "BytesSent": 1234, "BytesRetrans": 1234,
        "ElapsedTime": 1234, "MinRTT": 1234, "RTT": 1234, "RTTVar": 1234, "RWndLimited": 1234, "SndBufLimited": 1234}
}"#;

fn parties() -> Parties {
    Parties {
        client: "192.0.2.1:5678".parse().unwrap(),
        server: "[2001:db8::1]:443".parse().unwrap(),
        uuid: String::from("host_1_00AB"),
        started_at: String::from("2026-11-22T10:00:00.5Z"),
    }
}

#[test]
fn the_example_of_the_specification_is_read() {
    let read = Measurement::read(EXAMPLE).unwrap();
    let tcp = read.tcp.unwrap();
    assert_eq!(read.app, Some(AppInfo { elapsed_us: 1_234, bytes: 1_234 }));
    assert_eq!((tcp.elapsed_us, tcp.bytes_received, tcp.min_rtt_us), (1_234, Some(1_234), Some(1_234)));
    assert_eq!((tcp.busy_us, tcp.receiver_limited_us), (Some(1_234), Some(1_234)));
    assert_eq!(read.uuid.as_deref(), Some("<platform-specific-string>"));
}

#[test]
fn what_is_missing_or_no_number_is_not_there() {
    assert_eq!(Measurement::read("{}"), Some(Measurement::default()));
    assert_eq!(Measurement::read("[]"), None);
    assert_eq!(Measurement::read("{\"AppInfo\":"), None);
    let odd = r#"{"AppInfo":{"ElapsedTime":1},"TCPInfo":{"ElapsedTime":5.0,"BytesReceived":-1,"MinRTT":4294967295}}"#;
    let read = Measurement::read(odd).unwrap();
    assert_eq!((read.app, read.tcp), (None, Some(TcpInfo { elapsed_us: 5, ..TcpInfo::default() })));
    assert_eq!(Measurement::read(&format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST_TEXT))), None);
}

#[test]
fn what_a_server_says_a_client_reads() {
    let app = AppInfo { elapsed_us: 250_000, bytes: 1_000_000 };
    let message =
        server_message(Subtest::Upload, &parties(), app, &[("BytesReceived", 1_000_400)], &[("BW", 5)]);
    let read = Measurement::read(&message.to_string()).unwrap();
    assert_eq!(read.app, Some(app));
    let wanted = TcpInfo { elapsed_us: 250_000, bytes_received: Some(1_000_400), ..TcpInfo::default() };
    assert_eq!((read.tcp, read.uuid.as_deref()), (Some(wanted), Some("host_1_00AB")));
    assert_eq!(message["BBRInfo"], json!({"BW": 5, "ElapsedTime": 250_000}));
    let client = client_message(Subtest::Download, app);
    assert_eq!((client["Origin"].as_str(), client["Test"].as_str()), (Some("client"), Some("download")));
}

#[test]
fn messages_double_up_to_the_largest() {
    let (mut size, mut sent) = (FIRST_MESSAGE, 0);
    let mut sizes = vec![size];
    while sent < 64 << 20 {
        sent += size as u64;
        size = next_size(size, sent);
        if *sizes.last().unwrap() != size {
            assert!(sent >= 16 * *sizes.last().unwrap() as u64);
            sizes.push(size);
        }
    }
    assert_eq!(sizes, [1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20]);
}

#[test]
fn the_archive_has_the_fields_of_the_public_data() {
    let archive = Archive {
        subtest: Subtest::Download,
        version: String::from("broadgauge/0.1.0"),
        parties: parties(),
        ended_at: String::from("2026-11-22T10:00:10.5Z"),
        server: vec![json!({"Origin": "server"})],
        client: Vec::new(),
        metadata: vec![(String::from("client_name"), String::from("x"))],
    };
    let document = archive.document();
    let mut keys: Vec<&str> = document.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let wanted = [
        "ClientIP",
        "ClientPort",
        "Download",
        "EndTime",
        "GitShortCommit",
        "ServerIP",
        "ServerPort",
        "StartTime",
        "Version",
    ];
    assert_eq!(keys, wanted);
    let mut inner: Vec<&str> = document["Download"].as_object().unwrap().keys().map(String::as_str).collect();
    inner.sort_unstable();
    let wanted = [
        "ClientMeasurements",
        "ClientMetadata",
        "EndTime",
        "ServerMeasurements",
        "ServerMetadata",
        "StartTime",
        "UUID",
    ];
    assert_eq!(inner, wanted);
    assert_eq!(document["Download"]["ClientMetadata"], json!([{"Name": "client_name", "Value": "x"}]));
    assert_eq!(document["ServerIP"], "2001:db8::1");
}

#[test]
fn a_query_has_each_key_once_and_with_a_value() {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(query("a=b%20c&d=e%3D"), Some(vec![pair("a", "b c"), pair("d", "e=")]));
    assert_eq!(query(""), Some(Vec::new()));
    for wrong in ["a", "a=", "=b", "a=1&a=2", "a=%g1", "a=%ff", &"a".repeat(LONGEST_QUERY + 1)] {
        assert_eq!(query(wrong), None, "{wrong}");
    }
    assert_eq!(query(&format!("k={}", encode("a&b=c/ü"))), Some(vec![pair("k", "a&b=c/ü")]));
}

#[test]
fn the_nearest_server_of_a_locate_answer_comes_first() {
    // The form of locate.measurementlab.net/v2 (m-lab/locate, api/v2/messages.go).
    let document = br#"{"next_request": null, "results": [
        {"machine": "mlab1-a", "urls": {"ws:///ndt/v7/download": "ws://a/ndt/v7/download?access_token=t",
            "wss:///ndt/v7/download": "wss://a/ndt/v7/download?access_token=t"}},
        {"machine": "mlab1-b", "urls": {"wss:///ndt/v7/download": "wss://b/ndt/v7/download"}}]}"#;
    let found = located(document, true, Subtest::Download).unwrap();
    assert_eq!(found, ["wss://a/ndt/v7/download?access_token=t", "wss://b/ndt/v7/download"]);
    assert_eq!(located(document, false, Subtest::Download).unwrap().len(), 1);
    assert_eq!(located(document, true, Subtest::Upload), Some(Vec::new()));
    assert_eq!(located(b"{}", true, Subtest::Upload), None);
    assert_eq!(located(b"<html>", true, Subtest::Upload), None);
}

proptest! {
    #[test]
    fn no_text_makes_the_readers_panic(text in "\\PC{0,200}") {
        let _ = Measurement::read(&text);
        let _ = query(&text);
        let _ = located(text.as_bytes(), true, Subtest::Upload);
    }

    #[test]
    fn what_is_encoded_is_decoded(text in "\\PC{1,40}") {
        prop_assert_eq!(query(&format!("k={}", encode(&text))), Some(vec![(String::from("k"), text)]));
    }
}
