//! Takes telephone, card, account and identity numbers and e-mail addresses out of free text.
//!
//! Digits are read in groups, as people write them (`138 1234 5678`, `(555) 123-4567`, full-width too), and a number
//! is known by the lengths of its groups: Chinese mobile, area-code and 400 numbers; North American ten digits;
//! numbers with a leading 0 or +; 18- and 15-digit Chinese identity numbers by the date inside (GB 11643); social
//! security numbers of the United States with their hyphens; cards by the Luhn digit (ISO/IEC 7812-1). Other numbers of
//! 7 to 12 digits count as telephones when a word such as "call" or "电话" stands before them. International numbers of
//! bank accounts (IBAN, ISO 13616) are known by their country's length and check digits, with or without blanks.
//!
//! What it cannot tell: a name, a street; a bank account without its IBAN; a local number without any such word; digits
//! spelled out in words.

mod digits;
mod iban;

use digits::{Group, Span};

/// What was masked, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Masked {
    /// Telephone numbers.
    pub phones: u64,
    /// Card numbers.
    pub cards: u64,
    /// Identity numbers.
    pub ids: u64,
    /// E-mail addresses.
    pub emails: u64,
    /// Numbers of bank accounts.
    pub accounts: u64,
}

impl Masked {
    /// Adds another count.
    pub const fn add(&mut self, other: Self) {
        self.phones += other.phones;
        self.cards += other.cards;
        self.ids += other.ids;
        self.emails += other.emails;
        self.accounts += other.accounts;
    }
}

/// The text without such numbers and addresses, and how many there were.
pub fn mask(text: &str) -> (String, Masked) {
    let chars: Vec<char> = text.chars().collect();
    let plain: Vec<char> = chars.iter().map(|c| super::unit::half_width(*c)).collect();
    let mut masked = Masked::default();
    let mut cuts = emails(&plain);
    masked.emails = cuts.len() as u64;
    let accounts = iban::find(&plain, &cuts);
    masked.accounts = accounts.len() as u64;
    cuts.extend(accounts.into_iter().map(|at| (at, "[account]")));
    cuts.sort_by_key(|(at, _)| at.start);
    let groups = digits::groups(&plain, &cuts);
    let mut i = 0;
    while i < groups.len() {
        match digits::number_at(&plain, &groups[i..]) {
            None => i += 1,
            Some((span, taken)) => {
                let (count, word) = match span {
                    Span::Phone(_) => (&mut masked.phones, "[phone]"),
                    Span::Card(_) => (&mut masked.cards, "[card]"),
                    Span::Id(_) => (&mut masked.ids, "[id]"),
                };
                *count += 1;
                let (Span::Phone(at) | Span::Card(at) | Span::Id(at)) = span;
                cuts.push((at, word));
                i += taken;
            }
        }
    }
    cuts.sort_by_key(|(at, _)| at.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (Group { start, end }, word) in cuts {
        out.extend(&chars[at..start.max(at)]);
        out.push_str(word);
        at = end.max(at);
    }
    out.extend(&chars[at..]);
    (out, masked)
}

fn emails(plain: &[char]) -> Vec<(Group, &'static str)> {
    let mut found: Vec<(Group, &'static str)> = Vec::new();
    for at in (0..plain.len()).filter(|i| plain[*i] == '@') {
        let floor = found.last().map_or(0, |(g, _)| g.end);
        let local = plain[floor..at].iter().rev();
        let local = local.take_while(|c| c.is_ascii_alphanumeric() || "._%+-".contains(**c)).count();
        let host = plain[at + 1..].iter().take_while(|c| c.is_ascii_alphanumeric() || "-.".contains(**c));
        let mut host: Vec<char> = host.copied().collect();
        while host.last().is_some_and(|c| "-.".contains(*c)) {
            host.pop();
        }
        if local > 0 && host.contains(&'.') {
            found.push((Group { start: at - local, end: at + 1 + host.len() }, "[email]"));
        }
    }
    found
}

#[cfg(test)]
mod tests;
