//! International bank account numbers (ISO 13616): two letters for a country, two check digits, and as many letters and
//! digits as that country has.
//!
//! One is known by its country, its country's length and the check over all of it (modulo 97, ISO/IEC 7064), so of other
//! words of that form and length one in ninety-seven would pass; a ticket such as `DE12-345678` has neither the length
//! nor the check. Single blanks and hyphens may stand inside, as people write them.

use super::digits::Group;

/// Countries and the length of their numbers, from the registry of ISO 13616.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BI", 27),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DJ", 27),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FK", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HN", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LC", 32),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("LY", 25),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MN", 20),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NI", 28),
    ("NL", 18),
    ("NO", 15),
    ("OM", 23),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("RU", 33),
    ("SA", 24),
    ("SC", 31),
    ("SD", 18),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("SO", 23),
    ("ST", 25),
    ("SV", 28),
    ("TL", 23),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
    ("YE", 30),
];

/// Where such numbers stand, outside what is cut already.
pub(super) fn find(plain: &[char], cut: &[(Group, &str)]) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    let mut at = 0;
    while at + 4 <= plain.len() {
        let begins_word = at == 0 || !plain[at - 1].is_ascii_alphanumeric();
        match begins_word.then(|| end(plain, at)).flatten() {
            Some(end) if !cut.iter().any(|(g, _)| g.start < end && at < g.end) => {
                found.push(Group { start: at, end });
                at = end;
            }
            _ => at += 1,
        }
    }
    found
}

/// Where the number that starts here ends.
fn end(plain: &[char], start: usize) -> Option<usize> {
    let country: String = plain[start..start + 2].iter().map(char::to_ascii_uppercase).collect();
    let length = LENGTHS.iter().find(|(word, _)| *word == country)?.1;
    if !plain[start + 2..start + 4].iter().all(char::is_ascii_digit) {
        return None;
    }
    let mut digits = Vec::with_capacity(length);
    let mut at = start;
    while digits.len() < length {
        let c = *plain.get(at)?;
        match c.to_digit(36) {
            Some(value) if c.is_ascii() => digits.push(value),
            // One blank or hyphen between two parts.
            None if matches!(c, ' ' | '\u{3000}' | '\u{a0}' | '-')
                && plain[at - 1].is_ascii_alphanumeric() => {}
            _ => return None,
        }
        at += 1;
    }
    let ends_word = !plain.get(at).is_some_and(char::is_ascii_alphanumeric);
    (ends_word && checks(&digits)).then_some(at)
}

/// The number with its first four characters at the end, letters as 10 to 35, leaves 1 when divided by 97.
fn checks(digits: &[u32]) -> bool {
    let turned = digits[4..].iter().chain(&digits[..4]);
    turned.fold(0, |rest, &value| (rest * if value < 10 { 10 } else { 100 } + value) % 97) == 1
}
