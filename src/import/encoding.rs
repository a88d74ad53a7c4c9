//! In which encoding is this text file? A byte order mark tells; else the whole file is UTF-8 or it is not;
//! else chardetng guesses, leaning towards Chinese. GBK is read as GB18030, which holds it.
//!
//! What it cannot tell: Big5 may be taken for GBK. So `--encoding` overrides, and characters that could not be
//! decoded are counted and reported.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, GB18030, GBK, UTF_8};
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};

/// The encoding of a file, and how it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The encoding.
    pub encoding: &'static Encoding,
    /// How it was found.
    pub how: How,
}

/// How an encoding was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The caller said so.
    Asked,
    /// By a byte order mark.
    Mark,
    /// The whole file is valid UTF-8.
    Valid,
    /// Nearly all of it is valid UTF-8: some characters are damaged.
    Damaged,
    /// Guessed from the frequency of characters.
    Guessed,
}

impl How {
    /// For people.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Asked => "as asked",
            Self::Mark => "by its byte order mark",
            Self::Valid => "the whole file is valid",
            Self::Damaged => "some characters are damaged",
            Self::Guessed => "guessed",
        }
    }
}

/// The encoding with this name.
pub(super) fn named(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes()).map(superset).ok_or_else(|| {
        format!("encoding {label:?} is not known; try utf-8, gb18030, big5, shift_jis or windows-1252")
    })
}

fn superset(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == GBK { GB18030 } else { encoding }
}

/// Finds the encoding and leaves the reader at its start.
pub(super) fn find<R: Read + Seek>(reader: &mut R) -> io::Result<Found> {
    let start = reader.stream_position()?;
    let found = look(reader);
    reader.seek(SeekFrom::Start(start))?;
    found
}

fn look<R: Read>(reader: &mut R) -> io::Result<Found> {
    let mut buffer = vec![0; 64 * 1024];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut utf8 = Utf8Count::default();
    let mut first = true;
    loop {
        let n = fill(reader, &mut buffer)?;
        if first && let Some((encoding, _)) = Encoding::for_bom(&buffer[..n]) {
            return Ok(Found { encoding, how: How::Mark });
        }
        first = false;
        if n == 0 {
            break;
        }
        utf8.feed(&buffer[..n]);
        detector.feed(&buffer[..n], false);
    }
    utf8.end();
    detector.feed(&[], true);
    Ok(if utf8.bad == 0 {
        Found { encoding: UTF_8, how: How::Valid }
    } else if utf8.good > 20 * utf8.bad {
        Found { encoding: UTF_8, how: How::Damaged }
    } else {
        Found { encoding: superset(detector.guess(Some(b"cn"), Utf8Detection::Deny)), how: How::Guessed }
    })
}

fn fill<R: Read>(reader: &mut R, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match reader.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(n)
}

/// Counts characters beyond ASCII that are, and that are not, valid UTF-8.
#[derive(Default)]
struct Utf8Count {
    good: u64,
    bad: u64,
    rest: Vec<u8>,
}

impl Utf8Count {
    fn feed(&mut self, bytes: &[u8]) {
        let joined;
        let mut bytes = if self.rest.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.rest).as_slice(), bytes].concat();
            &joined[..]
        };
        loop {
            let (valid, after) = match std::str::from_utf8(bytes) {
                Ok(text) => (text, None),
                Err(e) => {
                    let (valid, after) = bytes.split_at(e.valid_up_to());
                    (std::str::from_utf8(valid).unwrap_or_default(), Some((after, e.error_len())))
                }
            };
            self.good += valid.chars().filter(|c| !c.is_ascii()).count() as u64;
            match after {
                None => return,
                Some((after, None)) => {
                    self.rest = after.to_vec();
                    return;
                }
                Some((after, Some(bad))) => {
                    self.bad += 1;
                    bytes = &after[bad..];
                }
            }
        }
    }

    fn end(&mut self) {
        self.bad += u64::from(!self.rest.is_empty());
    }
}

/// A reader that gives UTF-8 whatever the bytes below are, and counts what it could not decode.
pub(super) struct Decoding<R> {
    inner: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    text: Vec<u8>,
    text_at: usize,
    ended: bool,
    replaced: u64,
    lines: Lines,
}

/// Where the lines of the text start that hold anything.
#[derive(Default)]
struct Lines {
    /// Starts that were not asked for yet: byte of the text, and line from 1.
    starts: VecDeque<(u64, u64)>,
    byte: u64,
    ended: u64,
    inside: bool,
    after_return: bool,
}

impl Lines {
    fn feed(&mut self, text: &[u8]) {
        for byte in text {
            match byte {
                b'\r' | b'\n' => {
                    self.ended += u64::from(*byte == b'\r' || !self.after_return);
                    self.inside = false;
                }
                _ if !self.inside => {
                    self.starts.push_back((self.byte, self.ended + 1));
                    self.inside = true;
                }
                _ => {}
            }
            self.after_return = *byte == b'\r';
            self.byte += 1;
        }
    }
}

impl<R: Read> Decoding<R> {
    /// Decodes `inner`, taking a byte order mark away.
    pub(super) fn new(inner: R, encoding: &'static Encoding) -> Self {
        Self {
            inner,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: Vec::new(),
            raw_at: 0,
            text: Vec::new(),
            text_at: 0,
            ended: false,
            replaced: 0,
            lines: Lines::default(),
        }
    }

    /// The line of the first text at or after this byte of the text; earlier lines are forgotten.
    pub(super) fn line_at(&mut self, byte: u64) -> u64 {
        let starts = &mut self.lines.starts;
        while starts.front().is_some_and(|(start, _)| *start < byte) {
            starts.pop_front();
        }
        starts.front().map_or(self.lines.ended + 1, |(_, line)| *line)
    }

    /// How many characters could not be decoded so far.
    pub(super) const fn replaced(&self) -> u64 {
        self.replaced
    }

    fn more(&mut self) -> io::Result<()> {
        if self.raw_at == self.raw.len() {
            self.raw.resize(32 * 1024, 0);
            let n = fill(&mut self.inner, &mut self.raw)?;
            self.raw.truncate(n);
            self.raw_at = 0;
            self.ended = n == 0;
        }
        self.text.resize(64 * 1024, 0);
        let (_, read, written, _) =
            self.decoder.decode_to_utf8(&self.raw[self.raw_at..], &mut self.text, self.ended);
        self.raw_at += read;
        self.text.truncate(written);
        self.text_at = 0;
        self.lines.feed(&self.text);
        self.replaced += std::str::from_utf8(&self.text)
            .map_or(0, |text| text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count() as u64);
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.text_at == self.text.len() {
            if self.ended {
                return Ok(0);
            }
            self.more()?;
        }
        let n = out.len().min(self.text.len() - self.text_at);
        out[..n].copy_from_slice(&self.text[self.text_at..self.text_at + n]);
        self.text_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn found(bytes: &[u8]) -> Found {
        find(&mut Cursor::new(bytes)).unwrap()
    }

    fn decoded(bytes: &[u8], encoding: &'static Encoding) -> (String, u64) {
        let mut text = String::new();
        let mut reader = Decoding::new(bytes, encoding);
        reader.read_to_string(&mut text).unwrap();
        (text, reader.replaced())
    }

    const TEXT: &str = "线路编号,运营商\r\n上海-1,电信\r\n";

    #[test]
    fn short_chinese_in_gbk_is_read_as_gb18030() {
        let (bytes, _, _) = GB18030.encode(TEXT);
        assert_eq!(found(&bytes), Found { encoding: GB18030, how: How::Guessed });
        assert_eq!(decoded(&bytes, GB18030), (TEXT.to_owned(), 0));
    }

    #[test]
    fn a_four_byte_character_of_gb18030_is_read() {
        let text = "姓名,𠮷野\n线路,电信宽带慢\n";
        let (bytes, _, _) = GB18030.encode(text);
        assert_eq!(decoded(&bytes, found(&bytes).encoding).0, text);
    }

    #[test]
    fn a_byte_order_mark_decides_and_is_taken_away() {
        let bytes = [b"\xef\xbb\xbf", TEXT.as_bytes()].concat();
        assert_eq!(found(&bytes).how, How::Mark);
        assert_eq!(decoded(&bytes, UTF_8).0, TEXT);
        let utf16: Vec<u8> =
            [0xfeff].into_iter().chain("a,b\n1,2\n".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&utf16, found(&utf16).encoding).0, "a,b\n1,2\n");
    }

    #[test]
    fn utf8_cut_in_the_middle_of_a_character_is_still_utf8() {
        let text = TEXT.repeat(40);
        let bytes = &text.as_bytes()[..text.len() - 4]; // ends inside the last character
        assert_eq!(found(bytes), Found { encoding: UTF_8, how: How::Damaged });
        assert_eq!(decoded(bytes, UTF_8).1, 1);
    }

    #[test]
    fn a_character_on_the_edge_of_a_block_counts_as_one() {
        for shift in 0..4 {
            let text = format!("{}{}", "a".repeat(64 * 1024 - shift), "线".repeat(9));
            assert_eq!(found(text.as_bytes()), Found { encoding: UTF_8, how: How::Valid });
            assert_eq!(decoded(text.as_bytes(), UTF_8), (text, 0));
        }
    }
}
