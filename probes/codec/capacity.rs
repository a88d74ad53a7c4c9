//! The packets of a capacity test, all big-endian, over UDP. The protocol is Broadgauge's own: it carries out the search
//! of RFC 9097, and is not that of RFC 9946.
//!
//! | bytes | every packet | |
//! |---|---|---|
//! | 0-3 | `BGC` and the version, 1 | |
//! | 4 | kind | |
//! | 5-7 | zero | |
//! | 8-15 | the client's number of the test; once it runs, the peer's | |
//!
//! | kind | from | then |
//! |---|---|---|
//! | 1 ask | client | 16 way (1 up, 2 down), 17 zero, 18-19 payload bytes, 20-23 milliseconds, 24-27 most kbit/s; padded to 128 |
//! | 2 challenge | peer | 16-31 cookie |
//! | 3 begin | client | as ask, 32-47 cookie; padded to 128 |
//! | 4 queued | peer | 16-19 how many are before |
//! | 5 refused | peer | 16 why |
//! | 6 accepted | peer | 16-23 the number of the running test, 24-27 most kbit/s |
//! | 7 load | sender | 16-19 sequence, 20-27 when it left, in nanoseconds of the sender's clock; padded |
//! | 8 feedback | receiver | see [`Feedback`] |
//! | 9 end | either | |
//!
//! Nothing that a peer sends before it has its cookie back is longer than what it answers.

use super::bytes_at;

/// Where a peer listens.
pub const PORT: u16 = 8625;
const MAGIC: [u8; 4] = *b"BGC\x01";
const HEADER: usize = 16;
/// Questions are padded to this.
pub const ASK: usize = 128;
/// The shortest load packet.
pub const LEAST_LOAD: usize = 28;
const FEEDBACK: usize = HEADER + 68;

/// Which way the load goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the peer.
    Up,
    /// From the peer to the client.
    Down,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Which way.
    pub way: Way,
    /// UDP payload of a load packet.
    pub payload: u16,
    /// For how long.
    pub millis: u32,
    /// At most how fast, at the IP layer.
    pub most_kbps: u32,
}

/// Why a peer does not take a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The cookie is not one of ours, or is old.
    Cookie,
    /// Something asked for is beyond its limits.
    Limits,
    /// Too many wait.
    Full,
}

impl Refusal {
    const fn number(self) -> u8 {
        match self {
            Self::Cookie => 1,
            Self::Limits => 2,
            Self::Full => 3,
        }
    }

    /// What people call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Cookie => "the address could not be proven",
            Self::Limits => "the test is beyond the peer's limits",
            Self::Full => "too many tests are waiting",
        }
    }
}

/// What a receiver tells its sender every 50 ms.
///
/// Bytes behind the header: 0-3 number, 4-5 wanted row, 6-7 zero; of the interval: 8-11 microseconds, 12-15 packets, 16-19
/// lost, 20-23 reordered, 24-27 duplicates, 28-31 mean and 32-35 largest delay above the least in microseconds; 36-43
/// bytes at the IP layer since the beginning; of the last whole second: 44-47 its number from one, 48-55 its bytes; 56-63
/// packets and 64-67 lost since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// Counts up.
    pub number: u32,
    /// The row of the rate table that the sender shall use; where the sender decides, what it uses already.
    pub row: u16,
    /// How long the interval was.
    pub micros: u32,
    /// Packets received in it.
    pub packets: u32,
    /// Lost in it.
    pub lost: u32,
    /// That came after one sent later.
    pub reordered: u32,
    /// That came again.
    pub duplicates: u32,
    /// Mean delay above the least of the test.
    pub mean_us: u32,
    /// Largest delay above the least of the test.
    pub max_us: u32,
    /// Bytes at the IP layer since the beginning.
    pub bytes: u64,
    /// The last whole second, from one; zero before there is one.
    pub second: u32,
    /// Its bytes at the IP layer.
    pub second_bytes: u64,
    /// Packets since the beginning.
    pub all_packets: u64,
    /// Lost since the beginning.
    pub all_lost: u32,
}

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// A client asks.
    Ask(Wish),
    /// The peer wants to see that the address is the client's.
    Challenge([u8; 16]),
    /// The client shows it.
    Begin(Wish, [u8; 16]),
    /// Others are before it.
    Queued(u32),
    /// The peer does not take the test.
    Refused(Refusal),
    /// It does: the number of the running test, and the most that it allows.
    Accepted(u64, u32),
    /// Load: its number, and when it left.
    Load(u32, u64),
    /// What the receiver saw.
    Feedback(Feedback),
    /// The test is over.
    End,
}

impl Word {
    const fn kind(&self) -> u8 {
        match self {
            Self::Ask(_) => 1,
            Self::Challenge(_) => 2,
            Self::Begin(..) => 3,
            Self::Queued(_) => 4,
            Self::Refused(_) => 5,
            Self::Accepted(..) => 6,
            Self::Load(..) => 7,
            Self::Feedback(_) => 8,
            Self::End => 9,
        }
    }
}

/// Writes a packet of the test of this number; load is padded to `length`.
pub fn write(test: u64, word: &Word, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(length.max(ASK));
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[word.kind(), 0, 0, 0]);
    out.extend_from_slice(&test.to_be_bytes());
    match word {
        Word::Ask(wish) => {
            write_wish(&mut out, *wish);
            out.resize(ASK, 0);
        }
        Word::Begin(wish, cookie) => {
            write_wish(&mut out, *wish);
            out.resize(32, 0);
            out.extend_from_slice(cookie);
            out.resize(ASK, 0);
        }
        Word::Challenge(cookie) => out.extend_from_slice(cookie),
        Word::Queued(ahead) => out.extend_from_slice(&ahead.to_be_bytes()),
        Word::Refused(why) => out.push(why.number()),
        Word::Accepted(number, most) => {
            out.extend_from_slice(&number.to_be_bytes());
            out.extend_from_slice(&most.to_be_bytes());
        }
        Word::Load(sequence, left) => {
            out.extend_from_slice(&sequence.to_be_bytes());
            out.extend_from_slice(&left.to_be_bytes());
            out.resize(length.max(LEAST_LOAD), 0);
        }
        Word::Feedback(said) => write_feedback(&mut out, said),
        Word::End => {}
    }
    out
}

fn write_wish(out: &mut Vec<u8>, wish: Wish) {
    out.extend_from_slice(&[if wish.way == Way::Up { 1 } else { 2 }, 0]);
    out.extend_from_slice(&wish.payload.to_be_bytes());
    out.extend_from_slice(&wish.millis.to_be_bytes());
    out.extend_from_slice(&wish.most_kbps.to_be_bytes());
}

fn write_feedback(out: &mut Vec<u8>, said: &Feedback) {
    out.extend_from_slice(&said.number.to_be_bytes());
    out.extend_from_slice(&said.row.to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    for word in
        [said.micros, said.packets, said.lost, said.reordered, said.duplicates, said.mean_us, said.max_us]
    {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out.extend_from_slice(&said.bytes.to_be_bytes());
    out.extend_from_slice(&said.second.to_be_bytes());
    out.extend_from_slice(&said.second_bytes.to_be_bytes());
    out.extend_from_slice(&said.all_packets.to_be_bytes());
    out.extend_from_slice(&said.all_lost.to_be_bytes());
}

/// Reads a packet; `None` for anything else.
pub fn read(packet: &[u8]) -> Option<(u64, Word)> {
    if packet.len() < HEADER || packet[..4] != MAGIC {
        return None;
    }
    let test = u64::from_be_bytes(bytes_at(packet, 8));
    let word32 = |at| u32::from_be_bytes(bytes_at(packet, at));
    let word64 = |at| u64::from_be_bytes(bytes_at(packet, at));
    let long = |length: usize| packet.len() >= length;
    let word = match packet[4] {
        1 if long(ASK) => Word::Ask(read_wish(packet)?),
        2 if long(32) => Word::Challenge(bytes_at(packet, 16)),
        3 if long(ASK) => Word::Begin(read_wish(packet)?, bytes_at(packet, 32)),
        4 if long(20) => Word::Queued(word32(16)),
        5 if long(17) => Word::Refused(match packet[16] {
            1 => Refusal::Cookie,
            2 => Refusal::Limits,
            3 => Refusal::Full,
            _ => return None,
        }),
        6 if long(28) => Word::Accepted(word64(16), word32(24)),
        7 if long(LEAST_LOAD) => Word::Load(word32(16), word64(20)),
        8 if long(FEEDBACK) => Word::Feedback(Feedback {
            number: word32(16),
            row: u16::from_be_bytes(bytes_at(packet, 20)),
            micros: word32(24),
            packets: word32(28),
            lost: word32(32),
            reordered: word32(36),
            duplicates: word32(40),
            mean_us: word32(44),
            max_us: word32(48),
            bytes: word64(52),
            second: word32(60),
            second_bytes: word64(64),
            all_packets: word64(72),
            all_lost: word32(80),
        }),
        9 => Word::End,
        _ => return None,
    };
    Some((test, word))
}

fn read_wish(packet: &[u8]) -> Option<Wish> {
    let way = match packet[16] {
        1 => Way::Up,
        2 => Way::Down,
        _ => return None,
    };
    Some(Wish {
        way,
        payload: u16::from_be_bytes(bytes_at(packet, 18)),
        millis: u32::from_be_bytes(bytes_at(packet, 20)),
        most_kbps: u32::from_be_bytes(bytes_at(packet, 24)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wishes() -> impl Strategy<Value = Wish> {
        (any::<bool>(), any::<u16>(), any::<u32>(), any::<u32>()).prop_map(
            |(up, payload, millis, most_kbps)| Wish {
                way: if up { Way::Up } else { Way::Down },
                payload,
                millis,
                most_kbps,
            },
        )
    }

    fn words() -> impl Strategy<Value = Word> {
        prop_oneof![
            wishes().prop_map(Word::Ask),
            any::<[u8; 16]>().prop_map(Word::Challenge),
            (wishes(), any::<[u8; 16]>()).prop_map(|(wish, cookie)| Word::Begin(wish, cookie)),
            any::<u32>().prop_map(Word::Queued),
            Just(Word::Refused(Refusal::Full)),
            (any::<u64>(), any::<u32>()).prop_map(|(test, most)| Word::Accepted(test, most)),
            (any::<u32>(), any::<u64>()).prop_map(|(sequence, left)| Word::Load(sequence, left)),
            (any::<[u32; 9]>(), any::<u16>(), any::<[u64; 3]>()).prop_map(|(n, row, long)| {
                Word::Feedback(Feedback {
                    number: n[0],
                    row,
                    micros: n[1],
                    packets: n[2],
                    lost: n[3],
                    reordered: n[4],
                    duplicates: n[5],
                    mean_us: n[6],
                    max_us: n[7],
                    bytes: long[0],
                    second: n[8],
                    second_bytes: long[1],
                    all_packets: long[2],
                    all_lost: n[0],
                })
            }),
            Just(Word::End),
        ]
    }

    #[test]
    fn no_answer_to_a_question_is_longer_than_it() {
        for answer in [
            Word::Challenge([0; 16]),
            Word::Queued(3),
            Word::Refused(Refusal::Limits),
            Word::Accepted(7, 1_000),
            Word::End,
        ] {
            assert!(write(1, &answer, 0).len() <= ASK, "{answer:?}");
        }
        let short = &write(1, &Word::Begin(wish(), [1; 16]), 0)[..ASK - 1];
        assert_eq!(read(short), None, "a question that is not padded is none");
    }

    fn wish() -> Wish {
        Wish { way: Way::Down, payload: 1_222, millis: 10_000, most_kbps: 1_000_000 }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(test: u64, word in words(), length in 0_usize..1_500) {
            prop_assert_eq!(read(&write(test, &word, length)), Some((test, word)));
        }

        #[test]
        fn any_bytes_are_survived(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            if bytes.len() > 4 {
                bytes[..4].copy_from_slice(&MAGIC);
                let _ = read(&bytes);
            }
        }
    }
}
