use super::*;
use broadgauge_model::clock::Span;
use broadgauge_model::metric::MetricId;
use broadgauge_model::result::{Counts, Direction, Load, Statistic, Values};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const NOW: Wall = Wall::from_secs(1_780_315_200);
const FIRST: u64 = 1_780_315_200 << 16;

fn sample(value: f64) -> Sample {
    Sample {
        metric: MetricId::CONNECT_TIME,
        method: "connect".into(),
        method_version: 1,
        line_id: "l".into(),
        target: Some("t".into()),
        load: Load::Idle,
        direction: Direction::RoundTrip,
        started_at: NOW,
        lasted: Span::ZERO,
        statistic: Statistic::Singleton,
        values: Values::Number(value),
        counts: Counts::default(),
        details: serde_json::Map::new(),
    }
}

fn run(length: usize) -> Vec<Sample> {
    (0..length).map(|n| sample(n as f64)).collect()
}

struct Place {
    limits: SpoolLimits,
    _folder: tempfile::TempDir,
}

fn place(max_bytes: u64) -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place { limits: SpoolLimits { dir: folder.path().join("spool"), max_bytes }, _folder: folder }
}

impl Place {
    fn open(&self) -> Spool {
        Spool::open(&self.limits, "a", NOW).unwrap()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let listed = std::fs::read_dir(&self.limits.dir).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = listed.filter(|path| segment::first_of(path).is_some()).collect();
        found.sort();
        found
    }
}

/// Spools three samples, one by one; where the frame of each ends.
fn three_frames(place: &Place) -> Vec<usize> {
    let mut spool = place.open();
    let ends = [0.0, 1.0, 2.0].map(|value| {
        spool.append(&[sample(value)]).unwrap();
        spool.bytes() as usize
    });
    ends.to_vec()
}

fn numbers(spool: &mut Spool) -> Vec<u64> {
    let chunk = spool.peek(usize::MAX, u64::MAX).unwrap();
    chunk.map_or_else(Vec::new, |chunk| chunk.samples.iter().map(|n| n.number - FIRST).collect())
}

#[test]
fn what_was_spooled_is_there_after_a_restart_in_order() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0), sample(2.0)]).unwrap();
    spool.append(&[sample(3.0)]).unwrap();
    drop(spool);
    let mut spool = place.open();
    spool.append(&[sample(4.0)]).unwrap();
    let chunk = spool.peek(100, u64::MAX).unwrap().unwrap();
    let held: Vec<_> = chunk.samples.iter().map(|n| (n.number - FIRST, n.sample.clone())).collect();
    assert_eq!(held, (0..4).map(|n| (n, sample(n as f64 + 1.0))).collect::<Vec<_>>());
    assert_eq!(spool.pending(), 4);
}

#[test]
fn a_chunk_holds_whole_runs_within_its_bound() {
    let place = place(1 << 20);
    let mut spool = place.open();
    for _ in 0..5 {
        spool.append(&[sample(1.0), sample(2.0)]).unwrap();
    }
    let sizes = |spool: &mut Spool| {
        let mut sizes = Vec::new();
        while let Some(chunk) = spool.peek(5, u64::MAX).unwrap() {
            sizes.push(chunk.samples.len());
            spool.acknowledge(&chunk).unwrap();
        }
        sizes
    };
    assert_eq!(sizes(&mut spool), [4, 4, 2]);
    assert_eq!(spool.pending(), 0);
    spool.append(&[sample(1.0), sample(2.0)]).unwrap();
    assert_eq!(spool.peek(1, 1).unwrap().unwrap().samples.len(), 2, "at least one run");
}

#[test]
fn numbers_rise_over_restarts_even_when_nothing_is_left() {
    let place = place(1 << 20);
    for round in 0..5 {
        let mut spool = place.open();
        spool.append(&[sample(1.0), sample(2.0)]).unwrap();
        assert_eq!(numbers(&mut spool), [2 * round, 2 * round + 1]);
        let chunk = spool.peek(10, u64::MAX).unwrap().unwrap();
        spool.acknowledge(&chunk).unwrap();
        spool.tidy().unwrap();
        assert!(place.segments().is_empty());
    }
}

#[test]
fn a_spool_that_was_lost_starts_above_all_numbers_used_before() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    drop(spool);
    std::fs::remove_dir_all(&place.limits.dir).unwrap();
    let mut later = Spool::open(&place.limits, "a", NOW + Span::secs(1)).unwrap();
    later.append(&[sample(2.0)]).unwrap();
    assert_eq!(numbers(&mut later), [65_536]);
}

#[test]
fn a_spool_that_was_lost_goes_on_above_what_the_collector_holds_whatever_the_clock_says() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&run(2)).unwrap();
    drop(spool);
    let mut spool = place.open();
    spool.append(&run(2)).unwrap();
    // An earlier spool, which began at the same wrong time, has come as far as this.
    spool.start_above(Some(FIRST + 9)).unwrap();
    assert_eq!(numbers(&mut spool), [10, 11, 12, 13], "nothing of either life was sent yet");
    spool.start_above(Some(FIRST + 13)).unwrap();
    let chunk = spool.peek(1, u64::MAX).unwrap().unwrap();
    spool.acknowledge(&chunk).unwrap();
    spool.append(&run(1)).unwrap();
    assert_eq!(numbers(&mut spool), [12, 13, 14], "what may have been sent keeps its number");
    drop(spool);
    let mut spool = place.open();
    spool.append(&run(1)).unwrap();
    spool.start_above(Some(FIRST + 20)).unwrap();
    assert_eq!(numbers(&mut spool), [12, 13, 14, 21], "and so it does in the next life");
    let chunk = spool.peek(100, u64::MAX).unwrap().unwrap();
    spool.acknowledge(&chunk).unwrap();
    assert_eq!((spool.pending(), spool.dropped()), (0, 0));
    spool.tidy().unwrap();
    drop(spool);
    let mut spool = place.open();
    spool.start_above(Some(FIRST + 21)).unwrap();
    spool.append(&run(1)).unwrap();
    assert_eq!(numbers(&mut spool), [22]);
}

#[test]
fn a_collector_that_holds_nothing_newer_changes_no_number() {
    let place = place(1 << 20);
    for (life, highest) in [None, Some(0), Some(FIRST + 1), Some(u64::MAX)].into_iter().enumerate() {
        let mut spool = place.open();
        spool.append(&[sample(life as f64)]).unwrap();
        spool.start_above(highest).unwrap();
        assert_eq!(numbers(&mut spool), (0..=life as u64).collect::<Vec<_>>(), "{highest:?}");
    }
}

#[test]
fn beyond_the_bound_the_oldest_are_dropped_and_counted_for_good() {
    let place = place(300 << 10);
    let mut spool = place.open();
    for _ in 0..100 {
        spool.append(&run(20)).unwrap();
    }
    assert!(spool.bytes() <= 300 << 10);
    let held = numbers(&mut spool);
    assert_eq!(held.last(), Some(&1_999));
    assert_eq!(spool.dropped() + held.len() as u64, 2_000);
    assert!(held.windows(2).all(|pair| pair[1] == pair[0] + 1));
    let dropped = spool.dropped();
    drop(spool);
    let mut spool = place.open();
    assert_eq!((spool.dropped(), numbers(&mut spool)), (dropped, held));
}

#[test]
fn what_was_dropped_on_its_way_and_arrived_is_not_counted_as_dropped() {
    let place = place(300 << 10);
    let mut spool = place.open();
    spool.append(&[sample(0.0)]).unwrap();
    let chunk = spool.peek(10, u64::MAX).unwrap().unwrap();
    for _ in 0..100 {
        spool.append(&run(20)).unwrap();
    }
    let before = spool.dropped();
    spool.acknowledge(&chunk).unwrap();
    assert_eq!(spool.dropped(), before - 1);
}

/// The file is cut within the head and the body of its last frame, as a crash in the middle of a write may leave it.
#[test]
fn a_torn_tail_is_cut_off_wherever_the_tear_is() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    spool.append(&[sample(2.0)]).unwrap();
    let whole = spool.bytes();
    spool.append(&[sample(3.0), sample(4.0)]).unwrap();
    drop(spool);
    let path = place.segments().remove(0);
    let bytes = std::fs::read(&path).unwrap();
    let head = whole + FRAME_HEAD as u64;
    let end = bytes.len() as u64;
    for length in (whole..head).step_by(5).chain((head..end).step_by(101)).chain([head, end - 1]) {
        std::fs::write(&path, &bytes[..length as usize]).unwrap();
        let mut spool = place.open();
        assert_eq!(numbers(&mut spool), [0, 1], "torn at {length}");
        assert_eq!(std::fs::metadata(&path).unwrap().len(), whole);
        spool.append(&[sample(5.0)]).unwrap();
        assert_eq!(numbers(&mut spool), [0, 1, 2], "its numbers were never seen, so they are used");
        drop(spool);
        for extra in place.segments().into_iter().skip(1) {
            std::fs::remove_file(extra).unwrap();
        }
    }
}

#[test]
fn damage_in_the_middle_holds_up_nothing_and_is_counted() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    let whole = spool.bytes() as usize;
    spool.append(&[sample(2.0)]).unwrap();
    drop(spool);
    let mut spool = place.open();
    spool.append(&[sample(3.0)]).unwrap();
    let path = place.segments().remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[whole + 40] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let chunk = spool.peek(10, u64::MAX).unwrap().unwrap();
    assert_eq!(chunk.samples.len(), 1, "what stands in front of the damage is sent");
    spool.acknowledge(&chunk).unwrap();
    assert_eq!(numbers(&mut spool), [2]);
    assert_eq!(spool.dropped(), 1);
    drop(spool);
    let mut spool = place.open();
    assert_eq!((numbers(&mut spool), spool.dropped()), (vec![2], 1));
}

#[test]
fn damage_found_at_a_restart_is_counted_once() {
    let place = place(1 << 20);
    for value in [1.0, 2.0] {
        let mut spool = place.open();
        spool.append(&[sample(value)]).unwrap();
        spool.append(&[sample(value)]).unwrap();
    }
    let path = place.segments().remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    for _ in 0..3 {
        let mut spool = place.open();
        assert_eq!((numbers(&mut spool), spool.dropped()), (vec![0, 2, 3], 1));
    }
}

/// The disk damages the last file: frames of one sample each, at the given places.
#[test]
fn damage_in_the_last_file_is_counted_once_and_its_numbers_are_not_used_again() {
    /// Takes the bytes of the file, and where the second and the third frame begin.
    type Damage = fn(&mut [u8], usize, usize);
    let damaged: [(&str, Damage, u64, Vec<u64>); 6] = [
        ("body of the second", |bytes, second, _| bytes[second + 60] ^= 1, 2, vec![0]),
        ("length of the second", |bytes, second, _| bytes[second] ^= 4, 2, vec![0]),
        ("number of the second", |bytes, second, _| bytes[second + 9] ^= 1, 2, vec![0]),
        ("body of the first", |bytes, _, _| bytes[60] ^= 1, 3, vec![]),
        ("body of the last", |bytes, _, third| bytes[third + 60] ^= 1, 1, vec![0, 1]),
        ("all behind the first", |bytes, second, _| bytes[second..].fill(b'x'), 1, vec![0]),
    ];
    for (what, damage, lost, left) in damaged {
        let place = place(1 << 20);
        let ends = three_frames(&place);
        let path = place.segments().remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        damage(&mut bytes, ends[0], ends[1]);
        std::fs::write(&path, &bytes).unwrap();
        for _ in 0..3 {
            let mut spool = place.open();
            assert_eq!((numbers(&mut spool), spool.dropped()), (left.clone(), lost), "{what}");
        }
        let mut spool = place.open();
        spool.append(&[sample(9.0)]).unwrap();
        let last = *numbers(&mut spool).last().unwrap();
        assert!(last >= 3, "{what}: number {last} was given out before");
        assert!(what.starts_with("all") || last == 3, "{what}: {last}");
        drop(spool);
        assert_eq!(place.open().dropped(), lost, "{what}");
    }
}

/// A file may have grown before what was written to it came to the disk.
#[test]
fn room_that_nothing_was_written_to_is_no_loss() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    drop(spool);
    let file = File::options().append(true).open(place.segments().remove(0)).unwrap();
    file.set_len(file.metadata().unwrap().len() + 500).unwrap();
    let mut spool = place.open();
    assert_eq!((numbers(&mut spool), spool.dropped()), (vec![0], 0));
    spool.append(&[sample(2.0)]).unwrap();
    assert_eq!(numbers(&mut spool), [0, 1]);
}

#[test]
fn a_spool_serves_one_process_and_one_name() {
    let place = place(1 << 20);
    let spool = place.open();
    assert!(matches!(Spool::open(&place.limits, "a", NOW), Err(SpoolError::InUse { .. })));
    drop(spool);
    let error = Spool::open(&place.limits, "b", NOW).unwrap_err();
    assert!(error.to_string().contains("belongs to agent \"a\""), "{error}");
}

#[test]
fn rejected_samples_are_put_aside_and_counted() {
    let place = place(1 << 20);
    let mut spool = place.open();
    let numbered = Numbered { number: 7, sample: sample(1.0) };
    spool.put_aside(&[(numbered, "taken".into())]).unwrap();
    let text = std::fs::read_to_string(place.limits.dir.join(REJECTED)).unwrap();
    assert!(text.contains("\"reason\":\"taken\"") && text.ends_with('\n'), "{text}");
    drop(spool);
    assert_eq!(place.open().rejected(), 1);
}

/// Appends, chunks, acknowledgements and restarts in random order: everything is seen once or was dropped.
#[test]
fn nothing_is_lost_or_doubled_in_any_order_of_events() {
    for seed in 0..6 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let place = place(if seed % 2 == 0 { 1 << 20 } else { 128 << 10 });
        let mut spool = place.open();
        let (mut appended, mut acknowledged) = (0_u64, std::collections::BTreeSet::new());
        for _ in 0..120 {
            match rng.random_range(0..10) {
                0 => {
                    drop(spool);
                    spool = place.open();
                }
                1..=3 => {
                    if let Some(chunk) = spool.peek(rng.random_range(1..60), u64::MAX).unwrap() {
                        spool.acknowledge(&chunk).unwrap();
                        acknowledged.extend(chunk.samples.iter().map(|n| n.number - FIRST));
                    }
                }
                _ => {
                    let length = rng.random_range(1..40);
                    spool.append(&run(length)).unwrap();
                    appended += length as u64;
                }
            }
        }
        acknowledged.extend(numbers(&mut spool));
        assert_eq!(acknowledged.len() as u64 + spool.dropped(), appended, "seed {seed}");
    }
}

#[test]
fn a_full_disk_gives_back_the_space_of_what_was_taken() {
    let place = place(300 << 10);
    let mut spool = place.open();
    while place.segments().len() < 3 {
        spool.append(&run(20)).unwrap();
    }
    let whole = spool.peek(usize::MAX, u64::MAX).unwrap().unwrap();
    let used = whole.samples.len() as u64;
    // Nothing can be written beside spool.json any more.
    let full = place.limits.dir.join("spool.new");
    std::fs::create_dir(&full).unwrap();
    assert!(spool.acknowledge(&whole).is_err(), "the word is not on the disk");
    assert_eq!(place.segments().len(), 1, "the last one says up to where numbers were used");
    assert!(spool.acknowledge(&whole).is_err(), "and that is tried again");
    assert_eq!(place.segments().len(), 1);
    std::fs::remove_dir(&full).unwrap();
    spool.acknowledge(&whole).unwrap();
    drop(spool);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    assert_eq!(spool.peek(1, 1).unwrap().unwrap().samples[0].number, FIRST + used, "no number is used twice");
}

#[test]
fn what_cannot_be_deleted_is_counted_as_dropped_once() {
    let place = place(300 << 10);
    let mut spool = place.open();
    spool.append(&run(20)).unwrap();
    // A folder cannot be deleted as a file is.
    let oldest = place.segments().remove(0);
    std::fs::remove_file(&oldest).unwrap();
    std::fs::create_dir(&oldest).unwrap();
    for _ in 0..120 {
        spool.append(&run(20)).unwrap();
    }
    assert!(spool.bytes() > 300 << 10, "the bound cannot be kept");
    assert_eq!(spool.dropped(), 0, "and nothing is said to be dropped");
    std::fs::remove_dir(&oldest).unwrap();
    std::fs::write(&oldest, "").unwrap();
    spool.append(&run(20)).unwrap();
    assert!(spool.bytes() <= 300 << 10);
    let held = numbers(&mut spool);
    assert_eq!(spool.dropped() + held.len() as u64, 122 * 20);
}

#[test]
fn damage_on_a_full_disk_is_counted_once_however_often_it_is_met() {
    let place = place(1 << 20);
    let mut spool = place.open();
    spool.append(&[sample(1.0)]).unwrap();
    let path = place.segments().remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let full = place.limits.dir.join("spool.new");
    std::fs::create_dir(&full).unwrap();
    for _ in 0..3 {
        assert!(spool.peek(1, 1).is_err());
        assert_eq!(spool.dropped(), 0, "it is still there");
    }
    std::fs::remove_dir(&full).unwrap();
    assert_eq!(spool.peek(1, 1).unwrap(), None);
    assert_eq!(spool.dropped(), 1);
}

/// Puts a file in the place of another that opens, but whose bytes the system refuses to read (EIO).
#[cfg(target_os = "linux")]
fn make_unreadable(path: &Path) {
    std::fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", path).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_the_disk_does_not_give_back_holds_up_neither_the_rest_nor_a_start() {
    for (unreadable, restart) in [(0, false), (0, true), (1, false), (1, true)] {
        let place = place(1 << 20);
        let mut spool = place.open();
        spool.append(&[sample(1.0)]).unwrap();
        drop(spool);
        let mut spool = place.open();
        spool.append(&[sample(2.0)]).unwrap();
        make_unreadable(&place.segments()[unreadable]);
        if restart {
            drop(spool);
            spool = place.open();
        }
        let whole = 1 - unreadable as u64;
        assert_eq!(numbers(&mut spool), [whole], "{unreadable} {restart}");
        let chunk = spool.peek(10, u64::MAX).unwrap().unwrap();
        spool.acknowledge(&chunk).unwrap();
        assert_eq!((numbers(&mut spool), spool.dropped()), (vec![], 1), "{unreadable} {restart}");
        spool.append(&[sample(3.0)]).unwrap();
        assert_eq!(numbers(&mut spool), [2]);
        assert!(place.limits.dir.join(DAMAGED).symlink_metadata().is_ok(), "it is kept for a person");
        drop(spool);
        let mut spool = place.open();
        assert_eq!((numbers(&mut spool), spool.dropped()), (vec![2], 1));
    }
}

#[test]
fn a_whole_frame_of_another_version_is_put_aside_alone() {
    let place = place(1 << 20);
    let ends = three_frames(&place);
    let path = place.segments().remove(0);
    let bytes = std::fs::read(&path).unwrap();
    let novel = Frame { first: FIRST + 1, count: 1 }.bytes(br#"{"version":9,"agent":"","novel":7}"#);
    std::fs::write(&path, [&bytes[..ends[0]], &novel, &bytes[ends[1]..]].concat()).unwrap();
    let mut spool = place.open();
    assert_eq!(numbers(&mut spool), [0], "what stands in front of it goes first");
    let chunk = spool.peek(10, u64::MAX).unwrap().unwrap();
    spool.acknowledge(&chunk).unwrap();
    for _ in 0..2 {
        assert_eq!((numbers(&mut spool), spool.dropped(), spool.pending()), (vec![2], 1, 1));
        drop(spool);
        spool = place.open();
    }
    let aside = std::fs::read_to_string(place.limits.dir.join(REJECTED)).unwrap();
    assert!(aside.contains("version 9") && aside.contains("\"novel\":7"), "{aside}");
    assert_eq!(aside.lines().count(), 1);
}
