//! A sender and a receiver, with times and losses by hand.

use super::*;

fn at(ms: f64) -> Mono {
    Mono(0) + Span::from_secs_f64(ms / 1e3)
}

/// All that may leave now.
fn leaving(sender: &mut Sender, now: Mono) -> Vec<Data> {
    std::iter::from_fn(|| sender.next(now)).collect()
}

fn read(receiver: &mut Receiver) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    let mut into = tokio::io::ReadBuf::new(&mut bytes);
    receiver.read(&mut into);
    into.filled().to_vec()
}

#[test]
fn the_first_window_is_ten_segments_and_doubles_with_each_round_trip() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    assert_eq!(sender.write(&vec![7; 300_000]), 256 * 1024);
    let mut sizes = Vec::new();
    for round in 0..3 {
        let sent = leaving(&mut sender, at(20.0 * f64::from(round)));
        sizes.push(sent.len());
        for data in sent {
            let ack = receiver.take(data);
            sender.acked(at(20.0 * f64::from(round) + 20.0), &ack);
        }
    }
    assert_eq!(sizes, [10, 20, 40]);
    assert_eq!(sender.told().smooth, Some(Span::millis(20)));
}

#[test]
fn slow_start_ends_when_the_delay_rises() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    sender.write(&vec![7; 200_000]);
    let mut sizes = Vec::new();
    let mut now = at(0.0);
    for took in [20.0, 24.5, 24.5, 24.5, 24.5] {
        let sent = leaving(&mut sender, now);
        sizes.push(sent.len());
        now = now + Span::from_secs_f64(took / 1e3);
        for data in sent {
            let ack = receiver.take(data);
            sender.acked(now, &ack);
        }
    }
    assert_eq!(sizes[..2], [10, 20]);
    assert!(sizes[4] <= sizes[2] + 2, "{sizes:?}");
}

#[test]
fn a_lost_segment_is_sent_again_after_a_round_trip_and_halves_the_window() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    let bytes: Vec<u8> = (0..200_000_u32).map(|i| i as u8).collect();
    sender.write(&bytes);
    let first = leaving(&mut sender, at(0.0));
    for (place, data) in first.into_iter().enumerate() {
        if place != 2 {
            let ack = receiver.take(data);
            sender.acked(at(20.0), &ack);
        }
    }
    assert_eq!(receiver.waiting(), 7 * SEGMENT as u64);
    let recheck = sender.due().unwrap();
    assert_eq!(recheck, at(25.0), "a quarter of a round trip for reordering");
    sender.timer(recheck);
    let again = sender.next(recheck).unwrap();
    assert_eq!(again.from, 2 * SEGMENT as u64);
    assert_eq!(sender.told().segments_again, 1);
    assert!(sender.window < 10.0 * SEGMENT as f64, "{}", sender.window);
    receiver.take(again);
    assert_eq!(read(&mut receiver), bytes[..10 * SEGMENT]);
}

#[test]
fn what_comes_out_of_order_within_a_quarter_of_a_round_trip_is_not_sent_again() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    sender.write(&vec![1; 3 * SEGMENT]);
    let mut sent = leaving(&mut sender, at(0.0));
    sent.swap(0, 1);
    for (data, ms) in sent.into_iter().zip([20.0, 23.0, 23.1]) {
        let ack = receiver.take(data);
        sender.acked(at(ms), &ack);
    }
    assert_eq!((sender.told().segments_again, receiver.received()), (0, (3 * SEGMENT as u64, 1)));
    assert!(sender.due().is_none_or(|due| due > at(23.1)), "{:?}", sender.due());
}

#[test]
fn silence_is_waited_for_ever_longer_and_ends_with_one_segment() {
    let mut sender = Sender::new();
    sender.write(&vec![1; 20 * SEGMENT]);
    assert_eq!(leaving(&mut sender, at(0.0)).len(), 10);
    let mut waits = Vec::new();
    let mut now = at(0.0);
    for _ in 0..4 {
        let due = sender.due().unwrap();
        waits.push((due - now).as_millis_f64());
        now = due;
        sender.timer(now);
        assert_eq!(leaving(&mut sender, now).len(), 1);
    }
    assert_eq!(waits, [1_000.0, 2_000.0, 4_000.0, 8_000.0]);
}

#[test]
fn the_end_is_told_behind_the_last_byte_and_acknowledged_like_one() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    sender.write(b"over");
    sender.finish();
    let last = sender.next(at(0.0)).unwrap();
    assert!(last.last && sender.next(at(0.0)).is_none());
    let ack = receiver.take(last.clone());
    assert_eq!(ack.upto, 5);
    assert_eq!(receiver.take(last), ack, "twice is as good as once");
    sender.acked(at(1.0), &ack);
    assert!(receiver.has_ended() && sender.due().is_none());
    assert_eq!((read(&mut receiver), receiver.received().0), (b"over".to_vec(), 4));
}

#[test]
fn who_does_not_read_is_sent_no_more_than_it_holds_and_goes_on_when_it_reads() {
    let (mut sender, mut receiver) = (Sender::new(), Receiver::default());
    let mut now = at(0.0);
    let mut moved = 0;
    for _ in 0..2_000 {
        sender.write(&vec![0; 64 * 1024]);
        now = now + Span::millis(1);
        for data in leaving(&mut sender, now) {
            moved += data.bytes.len() as u64;
            let ack = receiver.take(data);
            sender.acked(now, &ack);
        }
    }
    assert!(moved <= WINDOW && moved + 2 * SEGMENT as u64 > WINDOW, "{moved}");
    while receiver.has_something() {
        read(&mut receiver);
    }
    let ack = receiver.ack();
    sender.acked(now, &ack);
    assert!(sender.next(now).is_some());
}
