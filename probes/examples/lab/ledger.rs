//! The line's own record: what it did to each UDP and ICMP packet, and how much of the rest went through.

use super::Outcome;
use super::line::{Fate, Towards};
use broadgauge_model::clock::Wall;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

/// IP and UDP or ICMP headers, and what tells one probe from the next.
const HEAD: usize = 56;

pub(crate) struct Ledger {
    /// Not buffered: whoever reads it meanwhile sees whole lines.
    file: File,
    /// Toward the far and the near end: packets and bytes passed, packets lost and dropped.
    totals: [[u64; 4]; 2],
}

impl Ledger {
    pub(crate) fn create(path: &str) -> Outcome<Self> {
        Ok(Self { file: File::create(path)?, totals: [[0; 4]; 2] })
    }

    pub(crate) fn note(
        &mut self,
        wall: Wall,
        now: i64,
        towards: Towards,
        packet: &[u8],
        fate: Fate,
    ) -> Outcome<()> {
        let totals = &mut self.totals[towards as usize];
        let (word, out) = match fate {
            Fate::Lost => {
                totals[2] += 1;
                ("lost", 0)
            }
            Fate::Dropped => {
                totals[3] += 1;
                ("dropped", 0)
            }
            Fate::Passed { at, held, doubled } => {
                totals[0] += 1;
                totals[1] += packet.len() as u64;
                let word = match (held, doubled) {
                    (false, false) => "passed",
                    (true, false) => "held",
                    (false, true) => "doubled",
                    (true, true) => "held_doubled",
                };
                (word, at - now)
            }
        };
        if packet.first().is_some_and(|first| first >> 4 == 4) && matches!(packet.get(9), Some(1 | 17)) {
            let mut head = String::with_capacity(2 * HEAD);
            for byte in &packet[..packet.len().min(HEAD)] {
                write!(head, "{byte:02x}")?;
            }
            let towards = if towards == Towards::Far { "up" } else { "down" };
            self.file.write_all(format!("{},{towards},{word},{out},{head}\n", wall.0).as_bytes())?;
        }
        Ok(())
    }

    /// Writes the totals and what the devices refused.
    pub(crate) fn close(mut self, refused: u64) -> Outcome<()> {
        for (way, [passed, bytes, lost, dropped]) in ["up", "down"].iter().zip(self.totals) {
            writeln!(self.file, "# {way} passed {passed} bytes {bytes} lost {lost} dropped {dropped}")?;
        }
        writeln!(self.file, "# refused {refused}")?;
        Ok(())
    }
}

/// A line of the ledger, as far as the judge needs it.
pub(crate) struct Entry {
    pub(crate) at: Wall,
    pub(crate) towards: Towards,
    pub(crate) lost: bool,
    /// The packet's first bytes.
    pub(crate) head: Vec<u8>,
}

/// Reads a ledger back.
pub(crate) fn read(text: &str) -> Outcome<Vec<Entry>> {
    let entry = |line: &str| -> Outcome<Entry> {
        let fields: Vec<&str> = line.split(',').collect();
        let [at, towards, word, _, head] = fields[..] else {
            return Err("a ledger line has five fields".into());
        };
        let byte = |at: usize| u8::from_str_radix(&head[at..at + 2], 16);
        Ok(Entry {
            at: Wall(at.parse()?),
            towards: if towards == "up" { Towards::Far } else { Towards::Near },
            lost: matches!(word, "lost" | "dropped"),
            head: (0..head.len() / 2).map(|i| byte(2 * i)).collect::<Result<_, _>>()?,
        })
    };
    text.lines().filter(|line| !line.starts_with('#')).map(entry).collect()
}
