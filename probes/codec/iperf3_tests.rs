use super::*;
use proptest::prelude::*;

/// What both ends of `iperf3 -c HOST -t 2 -P 2 --bidir` sent, iperf 3.12 (Debian 12).
const PARAMETERS: &str = include_str!("../../tests/compat/iperf3/3.12-bidirectional-parameters.json");
const CLIENT: &str = include_str!("../../tests/compat/iperf3/3.12-bidirectional-client-results.json");
const SERVER: &str = include_str!("../../tests/compat/iperf3/3.12-bidirectional-server-results.json");

#[test]
fn the_parameters_of_iperf3_itself_are_read() {
    let read = Parameters::read(PARAMETERS.as_bytes()).unwrap();
    assert_eq!(read.transport, Transport::Tcp);
    assert_eq!((read.time_s, read.streams, read.block_bytes), (2, 2, 131_072));
    assert!(read.bidirectional && !read.reverse);
    assert_eq!(read.client_version.as_deref(), Some("3.12"));
    assert_eq!(Parameters::read(&read.write()).unwrap(), read);
}

#[test]
fn the_results_of_iperf3_itself_are_read_and_minus_one_is_not_a_count() {
    for (document, retransmits) in
        [(CLIENT, [Some(18), Some(29), None, None]), (SERVER, [None, None, Some(1), Some(4)])]
    {
        let read = Results::read(document.as_bytes()).unwrap();
        assert_eq!((read.has_retransmits, read.congestion.as_deref()), (Some(true), Some("bbr")));
        assert_eq!(read.streams.iter().map(|stream| stream.id).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert_eq!(read.streams.iter().map(|stream| stream.retransmits).collect::<Vec<_>>(), retransmits);
        assert!(read.streams.iter().all(|stream| stream.bytes > 400_000_000 && stream.end_s > 2.0));
        assert_eq!(Results::read(&read.write()).unwrap().streams, read.streams);
    }
}

#[test]
fn what_cannot_be_is_named() {
    let parameters = |text: &str| Parameters::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(parameters("[1]"), "is not a JSON object");
    assert_eq!(parameters(r#"{"tcp":true,"time":-1}"#), "has a time that cannot be");
    assert_eq!(parameters(r#"{"udp":true,"len":"many"}"#), "has a len that cannot be");
    assert_eq!(parameters(r#"{"udp":true,"sctp":true}"#), "has a protocol that cannot be");
    let results = |text: &str| Results::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(results("{}"), "has a list of streams that cannot be");
    assert_eq!(results(r#"{"streams":[{"id":1}]}"#), "has a bytes that cannot be");
    assert_eq!(results(r#"{"streams":[{"id":1,"bytes":1,"end_time":-2}]}"#), "has a end_time that cannot be");
    let many = format!(r#"{{"streams":[{}{{}}]}}"#, "{},".repeat(256));
    assert_eq!(results(&many), "has a number of streams that cannot be");
    assert_eq!(document_length([0, 0, 0x20, 1], LONGEST_PARAMETERS), Err(Wrong::TooLong(8_192)));
    assert_eq!(document_length([0, 0, 0x20, 0], LONGEST_PARAMETERS), Ok(8_192));
}

#[test]
fn a_number_as_a_c_program_prints_it_is_read() {
    let read =
        Parameters::read(br#"{"udp":true,"bandwidth":1e+10,"reverse":1,"udp_counters_64bit":1}"#).unwrap();
    assert_eq!((read.transport, read.bandwidth_bps, read.reverse), (Transport::Udp, 10_000_000_000, true));
    assert!(read.wide_counters);
}

#[test]
fn a_cookie_has_36_letters_and_a_zero() {
    let cookie = Cookie::from_random(std::array::from_fn(|i| (i * 7) as u8));
    assert!(cookie.0[..36].iter().all(|c| c.is_ascii_lowercase() || (b'2'..=b'7').contains(c)));
    assert_eq!(cookie.0[36], 0);
}

#[test]
fn streams_are_numbered_without_a_two() {
    assert_eq!((0..4).map(stream_id).collect::<Vec<_>>(), [1, 3, 4, 5]);
}

#[test]
fn every_state_is_its_byte() {
    let known: Vec<u8> = (0..=255).filter(|&byte| State::read(byte).is_some()).collect();
    assert_eq!(known, [1, 2, 4, 9, 10, 11, 12, 13, 14, 15, 16, 254, 255]);
    assert!(known.iter().all(|&byte| State::read(byte).unwrap().write() == byte));
}

proptest! {
    #[test]
    fn a_udp_header_survives(seconds: u32, micros in 0_u32..1_000_000, sequence: u64, wide: bool, more in 0_usize..9) {
        let sequence = if wide { sequence } else { sequence & 0xffff_ffff };
        let header = UdpHeader { seconds, micros, sequence };
        let mut payload = vec![7; UdpHeader::length(wide) + more];
        header.write(&mut payload, wide);
        prop_assert_eq!(UdpHeader::read(&payload, wide), Some(header));
        prop_assert_eq!(UdpHeader::read(&payload[..UdpHeader::length(wide) - 1], wide), None);
        prop_assert!(payload[UdpHeader::length(wide)..].iter().all(|&byte| byte == 7));
    }

    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), wide: bool) {
        let _ = Parameters::read(&bytes);
        let _ = Results::read(&bytes);
        let _ = UdpHeader::read(&bytes, wide);
    }
}
