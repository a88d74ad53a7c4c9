use super::*;
use proptest::prelude::*;

fn key() -> Mode {
    Mode::Authenticated(Key::new(b"0123456789abcdef").unwrap())
}

fn request() -> Request {
    Request {
        sequence: 0x0102_0304,
        sent: Mark { at: Timestamp(0x83aa_7e80_8000_0000), error: ErrorEstimate(0x8a7f), ssid: 0xbeef },
    }
}

fn reply() -> Reply {
    Reply {
        sequence: 0x1112_1314,
        sent: Mark { at: Timestamp(0x3132_3334_3536_3738), error: ErrorEstimate(0x0102), ssid: 0xbeef },
        received: Timestamp(0x2122_2324_2526_2728),
        sender_sequence: 0x0102_0304,
        // RFC 8972 figure 2: what follows the sender's error estimate is zero, not its SSID again.
        sender: Mark { ssid: 0, ..request().sent },
        sender_ttl: 63,
    }
}

#[test]
fn an_open_request_has_these_bytes() {
    // RFC 8762 figure 3 with the SSID of RFC 8972 figure 1.
    let mut expected = vec![1, 2, 3, 4, 0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0, 0x8a, 0x7f, 0xbe, 0xef];
    expected.resize(44, 0);
    assert_eq!(request().write(&Mode::Open, 0), expected);
}

#[test]
fn an_open_reply_has_these_bytes() {
    // RFC 8762 figure 5.
    let asked = request().write(&Mode::Open, 0);
    let expected = [
        0x11, 0x12, 0x13, 0x14, // sequence
        0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x01, 0x02, 0xbe, 0xef, // T3, error, SSID
        0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, // T2
        0x01, 0x02, 0x03, 0x04, // sender sequence
        0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0, 0x8a, 0x7f, 0, 0, // T1, error, zero
        63, 0, 0, 0,
    ];
    assert_eq!(reply().write(&Mode::Open, &asked), expected);
}

#[test]
fn an_authenticated_request_has_these_bytes() {
    // RFC 8762 figure 4. The code's oracle: Python hmac.new(b"0123456789abcdef", packet[:96], "sha256").digest()[:16]
    let packet = request().write(&key(), 0);
    assert_eq!(packet.len(), 112);
    assert_eq!(packet[..4], [1, 2, 3, 4]);
    assert_eq!(packet[4..16], [0; 12]);
    assert_eq!(packet[16..28], [0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0, 0x8a, 0x7f, 0xbe, 0xef]);
    assert_eq!(packet[28..96], [0; 68]);
    assert_eq!(packet[96..], ORACLE_REQUEST_HMAC);
}

#[test]
fn an_authenticated_reply_has_its_fields_where_the_figure_puts_them() {
    // RFC 8762 figure 6.
    let packet = reply().write(&key(), &request().write(&key(), 0));
    assert_eq!(packet.len(), 112);
    assert_eq!(packet[..4], [0x11, 0x12, 0x13, 0x14]);
    assert_eq!(packet[16..28], [0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x01, 0x02, 0xbe, 0xef]);
    assert_eq!(packet[32..40], [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28]);
    assert_eq!(packet[48..52], [1, 2, 3, 4]);
    assert_eq!(packet[64..76], [0x83, 0xaa, 0x7e, 0x80, 0x80, 0, 0, 0, 0x8a, 0x7f, 0, 0]);
    assert_eq!(packet[80], 63);
    assert_eq!(packet[96..], ORACLE_REPLY_HMAC);
}

const ORACLE_REQUEST_HMAC: [u8; 16] =
    [0x5b, 0x9d, 0x0d, 0x9f, 0x2a, 0x9a, 0x2a, 0xa1, 0x7d, 0x43, 0x49, 0xc0, 0xb2, 0x14, 0x91, 0xbd];
const ORACLE_REPLY_HMAC: [u8; 16] =
    [0x06, 0xd4, 0x64, 0xd2, 0x89, 0xe0, 0x90, 0xa9, 0x21, 0xcf, 0x10, 0xd3, 0x0f, 0x0b, 0x2b, 0x0a];

#[test]
fn a_wrong_key_is_refused() {
    let other = Mode::Authenticated(Key::new(b"another secret").unwrap());
    let packet = request().write(&key(), 0);
    assert_eq!(Request::read(&other, &packet), Err(Refused::Forged));
    assert_eq!(Request::read(&key(), &packet[..111]), Err(Refused::Short));
    assert!(Key::new(b"").is_none());
    assert_eq!(format!("{:?}", key()), "Authenticated(Key(hidden))", "a log never shows the secret");
}

#[test]
fn a_twamp_light_request_is_filled_with_zeros() {
    let short = &request().write(&Mode::Open, 0)[..14];
    let read = Request::read(&Mode::Open, short).unwrap();
    assert_eq!(read.sequence, request().sequence);
    assert_eq!(read.sent.ssid, 0);
    assert_eq!(Request::read(&Mode::Open, &short[..13]), Err(Refused::Short));
    assert_eq!(reply().write(&Mode::Open, short).len(), 14, "an answer is no longer than its question");
}

#[test]
fn a_twamp_light_reply_ends_with_the_ttl() {
    let packet = &reply().write(&Mode::Open, &[0; 44])[..41];
    assert_eq!(Reply::read(&Mode::Open, packet), Ok(reply()));
    assert_eq!(Reply::read(&Mode::Open, &packet[..40]), Err(Refused::Short));
}

#[test]
fn padding_is_understood_and_other_tlvs_are_marked() {
    let mut asked = request().write(&Mode::Open, 60);
    assert_eq!(asked.len(), 60);
    assert_eq!(asked[44..48], [0x80, 1, 0, 12], "RFC 8972: the sender sets the U flag");
    asked.extend([0x80, 6, 0, 4, 1, 2, 3, 4]); // access report
    asked.extend([0x80, 7, 0, 9, 5]); // follow-up telemetry that runs past the end
    let answer = reply().write(&Mode::Open, &asked);
    assert_eq!(answer.len(), asked.len());
    assert_eq!(answer[44], 0);
    assert_eq!(answer[60..68], [0x80, 6, 0, 4, 1, 2, 3, 4]);
    assert_eq!(answer[68..], [0xc0, 7, 0, 9, 5]);
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.trim().as_bytes();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

#[test]
fn what_scapy_sent_and_answered_is_read() {
    let asked =
        Request::read(&Mode::Open, &bytes(include_str!("../../tests/compat/stamp/ours.request"))).unwrap();
    let answer = bytes(include_str!("../../tests/compat/stamp/scapy-2.8.0.reply"));
    let answer = Reply::read(&Mode::Open, &answer).unwrap();
    assert_eq!((answer.sender_sequence, answer.sender.at), (asked.sequence, asked.sent.at));
    assert_eq!((answer.sent.ssid, answer.sender.ssid, answer.sender_ttl), (asked.sent.ssid, 0, 255));
    assert_eq!(answer.sender.error, asked.sent.error);

    let packet = bytes(include_str!("../../tests/compat/stamp/scapy-2.8.0.request"));
    let asked = Request::read(&Mode::Open, &packet).unwrap();
    assert_eq!((asked.sequence, asked.sent.ssid, packet.len()), (3, 4_711, 64));
    let ours =
        Reply { sender_sequence: asked.sequence, sender: asked.sent, ..reply() }.write(&Mode::Open, &packet);
    assert_eq!((ours.len(), &ours[44..48]), (64, &[0, 1, 0, 16][..]), "its padding comes back");
}

fn marks() -> impl Strategy<Value = Mark> {
    (any::<u64>(), any::<u16>(), any::<u16>()).prop_map(|(at, error, ssid)| Mark {
        at: Timestamp(at),
        error: ErrorEstimate(error),
        ssid,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        (sequence, sent, length) in (any::<u32>(), marks(), 0_usize..2_000),
        (count, left, received, ttl) in (any::<u32>(), marks(), any::<u64>(), any::<u8>()),
        authenticated: bool,
    ) {
        let mode = if authenticated { key() } else { Mode::Open };
        let request = Request { sequence, sent };
        let packet = request.write(&mode, length);
        prop_assert!(packet.len() == length || length < mode.base() + 4);
        prop_assert_eq!(Request::read(&mode, &packet), Ok(request));
        let reply = Reply {
            sequence: count, sent: left, received: Timestamp(received),
            sender_sequence: sequence, sender: Mark { ssid: 0, ..sent }, sender_ttl: ttl,
        };
        let answer = reply.write(&mode, &packet);
        prop_assert_eq!(answer.len(), packet.len());
        prop_assert_eq!(Reply::read(&mode, &answer), Ok(reply));
    }

    #[test]
    fn any_bytes_are_survived_and_never_multiplied(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for mode in [Mode::Open, key()] {
            let _ = Reply::read(&mode, &bytes);
            if Request::read(&mode, &bytes).is_ok() {
                prop_assert_eq!(reply().write(&mode, &bytes).len(), bytes.len());
            }
        }
    }

    #[test]
    fn one_changed_bit_is_forged(at in 0_usize..112, bit in 0_u8..8) {
        let mut packet = request().write(&key(), 0);
        packet[at] ^= 1 << bit;
        prop_assert_eq!(Request::read(&key(), &packet), Err(Refused::Forged));
    }
}
