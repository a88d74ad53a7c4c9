use super::*;
use rand::{Rng as _, SeedableRng as _};

const QUESTION: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), 50_000);

fn reflector(limits: Limits) -> Reflector {
    Reflector::new(Mode::Open, limits, 862, ErrorEstimate::new(true, Span::millis(1)))
}

fn ask(reflector: &mut Reflector, from: SocketAddr, bytes: &[u8], ms: u64) -> Option<Vec<u8>> {
    let now =
        Now { mono: Mono(ms * 1_000_000), wall: Wall::from_secs(1_767_225_600) + Span::millis(ms as i64) };
    reflector.received(&Packet { bytes, from, to: None, now, kernel: None, ttl: Some(60) });
    match reflector.step(now) {
        Step::Send(Datagram { to, bytes, .. }) => {
            assert_eq!(to, Some((from, None)), "an answer goes where the question came from");
            Some(bytes)
        }
        _ => None,
    }
}

fn question(ssid: u16) -> Vec<u8> {
    let sent = Mark { ssid, ..Mark::default() };
    Request { sequence: 5, sent }.write(&Mode::Open, 0)
}

#[test]
fn answers_are_counted_for_each_sender_and_session() {
    let mut reflector = reflector(Limits::default());
    let mut count = |port: u16, ssid| {
        let from = SocketAddr::new(QUESTION.ip(), port);
        let answer = ask(&mut reflector, from, &question(ssid), 1).unwrap();
        let reply = Reply::read(&Mode::Open, &answer).unwrap();
        assert_eq!((reply.sender_sequence, reply.sender_ttl), (5, 60));
        reply.sequence
    };
    assert_eq!([count(50_000, 1), count(50_000, 1), count(50_000, 2)], [0, 1, 0]);
    assert_eq!([count(50_001, 1), count(50_000, 1)], [0, 2]);
}

#[test]
fn one_address_cannot_take_everything() {
    let limits = Limits { per_address: 10.0, total: 15.0, senders: 100 };
    let mut reflector = reflector(limits);
    let mut answers = |address: [u8; 4], n: usize| {
        // Another port is not another address.
        (0..n)
            .filter(|&i| {
                ask(&mut reflector, SocketAddr::from((address, 50_000 + i as u16)), &question(1), 1).is_some()
            })
            .count()
    };
    assert_eq!(answers([192, 0, 2, 7], 50), 10);
    assert_eq!(answers([192, 0, 2, 8], 50), 5, "and all together have a limit too");
    let totals = reflector.totals();
    assert_eq!((totals.answered, totals.over_address_limit, totals.over_total_limit), (15, 80, 5));
}

#[test]
fn a_subscriber_with_many_ipv6_addresses_is_one() {
    let mut reflector = reflector(Limits { per_address: 3.0, ..Limits::default() });
    let answered = (0..50_u16)
        .filter(|&i| {
            let from = SocketAddr::from(([0x2001, 0xdb8, 0, 1, 0, 0, 0, i], 50_000));
            ask(&mut reflector, from, &question(1), 1).is_some()
        })
        .count();
    assert_eq!(answered, 3);
}

#[test]
fn what_is_remembered_of_senders_is_bounded() {
    let mut reflector = reflector(Limits { senders: 8, ..Limits::default() });
    for port in 1_000..2_000 {
        ask(&mut reflector, SocketAddr::new(QUESTION.ip(), port), &question(1), 1);
    }
    assert_eq!(reflector.counts.len(), 8);
    assert_eq!(reflector.totals().forgotten, 992);
}

#[test]
fn two_reflectors_do_not_talk_to_each_other() {
    let mut reflector = reflector(Limits::default());
    assert_eq!(ask(&mut reflector, SocketAddr::new(QUESTION.ip(), 862), &question(1), 1), None);
    assert_eq!(reflector.totals().looped, 1);
}

#[test]
fn two_reflectors_on_different_ports_do_not_talk_to_each_other_either() {
    let keyed = || Mode::Authenticated(crate::codec::stamp::Key::new(b"one").unwrap());
    let clock = ErrorEstimate::new(true, Span::millis(1));
    for (mode, lengths) in [(Mode::Open, vec![14, 23, 24, 41, 44, 100]), (keyed(), vec![112, 200])] {
        for length in lengths {
            let near = SocketAddr::new(QUESTION.ip(), 862);
            let far = SocketAddr::new(QUESTION.ip(), 9_000);
            let mut one = Reflector::new(mode.clone(), Limits::default(), near.port(), clock);
            let mut other = Reflector::new(mode.clone(), Limits::default(), far.port(), clock);
            // Somebody asks the one in the other's name.
            let mut question = Request { sequence: 5, sent: Mark::default() }.write(&mode, length);
            question.truncate(length);
            let mut exchanged = 0;
            let mut packet = ask(&mut one, far, &question, 1);
            while let Some(bytes) = packet.filter(|_| exchanged < 10) {
                exchanged += 1;
                packet = if exchanged % 2 == 1 {
                    ask(&mut other, near, &bytes, exchanged)
                } else {
                    ask(&mut one, far, &bytes, exchanged)
                };
            }
            assert!(exchanged <= 1, "{length} bytes went to and fro {exchanged} times");
            assert_eq!(one.totals().looped + other.totals().looped, 1);
        }
    }
}

#[test]
fn random_padding_is_still_a_question() {
    let mut reflector = reflector(Limits::default());
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let answered = (0..2_000)
        .filter(|&ms| {
            let mut bytes = question(1);
            rng.fill_bytes(&mut bytes[14..]);
            let from = SocketAddr::new(QUESTION.ip(), 40_000 + ms as u16);
            ask(&mut reflector, from, &bytes, ms).is_some()
        })
        .count();
    assert_eq!(answered, 2_000);
}

#[test]
fn a_wrong_key_is_counted_and_not_answered() {
    let mode = |secret: &[u8]| Mode::Authenticated(crate::codec::stamp::Key::new(secret).unwrap());
    let clock = ErrorEstimate::default();
    let mut reflector = Reflector::new(mode(b"one"), Limits::default(), 862, clock);
    let asked = Request::default().write(&mode(b"two"), 0);
    assert_eq!(ask(&mut reflector, QUESTION, &asked, 1), None);
    assert_eq!(ask(&mut reflector, QUESTION, &[0; 44], 1), None);
    let totals = reflector.totals();
    assert_eq!((totals.answered, totals.forged, totals.unrecognised), (0, 1, 1));
}

#[test]
fn an_answer_is_as_long_as_its_question() {
    let mut reflector = reflector(Limits::default());
    for length in 24..200 {
        let answer = ask(&mut reflector, QUESTION, &vec![0; length], 1).unwrap();
        assert_eq!(answer.len(), length);
    }
    assert_eq!(ask(&mut reflector, QUESTION, &[0; 13], 1), None);
}
