use super::*;
use proptest::prelude::*;

fn all() -> Wishes {
    Wishes { location: true, timestamps: true, reply_dscp: Some(46), counters: Some(7) }
}

fn met() -> Met {
    Met {
        from: "198.51.100.7:40001".parse().unwrap(),
        to: "192.0.2.9:862".parse().unwrap(),
        class: Some(0x29),
        synchronised: true,
        received: 6,
        answered: 5,
    }
}

fn key() -> Key {
    Key::new(b"0123456789abcdef").unwrap()
}

#[test]
fn a_request_has_these_bytes() {
    // RFC 8972 figures 8 (location), 10 (timestamp information), 11 (class of service), 12 (direct measurement).
    let area = request(&all(), 1, None, 0);
    assert_eq!(area[..8], [0x80, 2, 0, 44, 0, 0, 0, 0]);
    assert_eq!(area[8..12], [0x80, 7, 0, 16], "the source address is asked for");
    assert_eq!(area[28..32], [0x80, 4, 0, 16], "the destination address is asked for");
    assert_eq!(area[48..56], [0x80, 3, 0, 4, 0, 0, 0, 0]);
    assert_eq!(area[56..64], [0x80, 4, 0, 4, 46 << 2, 0, 0, 0]);
    assert_eq!(area[64..], [0x80, 5, 0, 12, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(area.len(), all().length(false));
}

#[test]
fn a_reflector_says_what_it_knows_in_the_same_length() {
    let asked = request(&all(), 1, None, 120);
    assert_eq!(asked.len(), 120);
    let Reflected { area, dscp } = reflect(&asked, 1, 5, None, &met());
    assert_eq!((area.len(), dscp), (asked.len(), Some(46)));
    let told = read(&area, 5, None).unwrap();
    let location = Location {
        from_port: 40_001,
        from: Some("198.51.100.7".parse().unwrap()),
        to_port: 862,
        to: Some("192.0.2.9".parse().unwrap()),
    };
    let expected = Told {
        location: Some(location),
        timestamps: Some([1, 2, 1, 2]),
        class: Some(0x29),
        counters: Some((7, 6, 5)),
        ..Told::default()
    };
    assert_eq!(told, expected);
}

#[test]
fn a_class_of_service_has_its_fields_where_the_figure_puts_them() {
    // RFC 8972 figure 11: DSCP1 (6 bits), DSCP2 (6), ECN (2), RP (2). 101110 001010 01 00.
    let wishes = Wishes { reply_dscp: Some(46), ..Wishes::default() };
    let Reflected { area, .. } = reflect(&request(&wishes, 0, None, 0), 0, 0, None, &met());
    assert_eq!(area, [0, 4, 0, 4, 0b1011_1000, 0b1010_0100, 0, 0]);
}

#[test]
fn what_is_sealed_is_opened_and_sealed_again() {
    let asked = request(&all(), 9, Some(&key()), 140);
    assert_eq!(asked.len(), 140);
    assert_eq!(asked[80..84], [0x80, 8, 0, 16]);
    // Oracle: Python hmac.new(b"0123456789abcdef", (9).to_bytes(4, "big") + area[:80], "sha256").digest()[:16]
    assert_eq!(asked[84..100], ORACLE);
    let Reflected { area, .. } = reflect(&asked, 9, 77, Some(&key()), &met());
    let told = read(&area, 77, Some(&key())).unwrap();
    assert_eq!((told.counters, told.disbelieved), (Some((7, 6, 5)), 0));
    assert_eq!(read(&area, 78, Some(&key())), Err(Refused::Forged), "the number is sealed too");
}

#[test]
fn what_is_sealed_wrongly_is_returned_as_it_came_and_marked() {
    let mut asked = request(&all(), 9, Some(&key()), 140);
    asked[60] ^= 1;
    let Reflected { area, dscp } = reflect(&asked, 9, 77, Some(&key()), &met());
    assert_eq!(dscp, None, "nothing is done that somebody else may have asked for");
    assert_eq!(area[48..56], [0xa0, 3, 0, 4, 0, 0, 0, 0], "not filled");
    let told = read(&area, 77, Some(&key())).unwrap();
    assert_eq!((told.disbelieved, told.location), (6, None));
    // No code at all, and something behind the code that is not padding, are no better.
    for bare in [request(&all(), 9, None, 0), {
        let mut area = request(&all(), 9, Some(&key()), 0);
        push(&mut area, TIMESTAMPS, &[0; 4]);
        area
    }] {
        let Reflected { area, .. } = reflect(&bare, 9, 77, Some(&key()), &met());
        assert_eq!(area[0] & INTEGRITY, INTEGRITY);
    }
    let padding = request(&Wishes::default(), 9, Some(&key()), 20);
    assert_eq!(reflect(&padding, 9, 77, Some(&key()), &met()).area[0], 0, "padding needs no code");
}

#[test]
fn what_is_not_known_is_marked_and_what_cannot_be_read_is_too() {
    let asked = [
        0x80, 6, 0, 4, 1, 2, 3, 4, // access report
        0x80, 3, 0, 5, 0, 0, 0, 0, 0, // timestamp information of a wrong length
        0x80, 2, 0, 10, 0, 0, 0, 0, 0x80, 1, 0, 2, 9,
        9, // a location that asks for a link-layer address
        0x80, 7, 0, 9, 5, // runs past the end
    ];
    let Reflected { area, .. } = reflect(&asked, 0, 0, None, &met());
    assert_eq!(area[..8], [0x80, 6, 0, 4, 1, 2, 3, 4]);
    assert_eq!(area[8..17], [0x40, 3, 0, 5, 0, 0, 0, 0, 0]);
    assert_eq!(area[17..21], [0, 2, 0, 10]);
    assert_eq!(area[25..], [0x80, 1, 0, 2, 9, 9, 0xc0, 7, 0, 9, 5]);
    let told = read(&area, 0, None).unwrap();
    assert_eq!((told.unrecognised, told.malformed), (1, 2));
}

const ORACLE: [u8; 16] =
    [0x1a, 0xa8, 0xa3, 0x1e, 0x9f, 0xac, 0xcb, 0xf4, 0xa8, 0x83, 0x82, 0xfd, 0x9f, 0x6b, 0x5e, 0x29];

proptest! {
    #[test]
    fn any_bytes_are_survived_and_keep_their_length(bytes in proptest::collection::vec(any::<u8>(), 0..200), sealed: bool) {
        let key = sealed.then(key);
        let reflected = reflect(&bytes, 1, 2, key.as_ref(), &met());
        prop_assert_eq!(reflected.area.len(), bytes.len());
        let _ = read(&bytes, 1, key.as_ref());
    }

    #[test]
    fn what_is_asked_is_told(location: bool, timestamps: bool, dscp in proptest::option::of(0_u8..64), room in 0_usize..300, sealed: bool) {
        let wishes = Wishes { location, timestamps, reply_dscp: dscp, counters: None };
        let key = sealed.then(key);
        let asked = request(&wishes, 3, key.as_ref(), room);
        prop_assert!(asked.len() == room || asked.len() == wishes.length(sealed));
        let told = read(&reflect(&asked, 3, 4, key.as_ref(), &met()).area, 4, key.as_ref()).unwrap();
        prop_assert_eq!((told.location.is_some(), told.timestamps.is_some()), (location, timestamps));
        prop_assert_eq!(told.class.is_some(), dscp.is_some());
        prop_assert_eq!((told.unrecognised, told.malformed, told.disbelieved), (0, 0, 0));
    }
}
