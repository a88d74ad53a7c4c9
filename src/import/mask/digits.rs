//! Numbers of persons among the digits of a text, by how their groups are written.

/// A stretch of a text, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Group {
    const fn len(self) -> usize {
        self.end - self.start
    }
}

/// A number that must not stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    Phone(Group),
    Card(Group),
    Id(Group),
}

/// The runs of digits outside what is cut already. The X that may end an identity number belongs to its run.
pub(super) fn groups(plain: &[char], cut: &[(Group, &str)]) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    let mut i = 0;
    while i < plain.len() {
        if let Some((inside, _)) = cut.iter().find(|(g, _)| g.start <= i && i < g.end) {
            i = inside.end;
            continue;
        }
        let start = i;
        while i < plain.len() && plain[i].is_ascii_digit() {
            i += 1;
        }
        if i == start {
            i += 1;
            continue;
        }
        let id = matches!(i - start, 17 | 3) && plain.get(i).is_some_and(|c| matches!(c, 'x' | 'X'));
        let ends_word = !plain.get(i + 1).is_some_and(char::is_ascii_alphanumeric);
        if id && ends_word && (i - start == 17 || after_date(plain, &found, start)) {
            i += 1;
        }
        found.push(Group { start, end: i });
    }
    found
}

/// Whether this is the last part of an identity number written 6-8-4.
fn after_date(plain: &[char], found: &[Group], start: usize) -> bool {
    let [.., region, birth] = found else { return false };
    region.len() == 6
        && birth.len() == 8
        && separator(plain, *region, *birth).is_some()
        && separator(plain, *birth, Group { start, end: start }).is_some()
}

/// What stands between two groups that could belong to one number.
fn separator(plain: &[char], a: Group, b: Group) -> Option<&[char]> {
    let between = &plain[a.end..b.start];
    let fits = matches!(between.len(), 1..=3)
        && between.iter().all(|c| matches!(c, ' ' | '\u{3000}' | '-' | '–' | '—' | '.' | '(' | ')'));
    fits.then_some(between)
}

/// The longest number that starts with the first of these groups, and how many groups it takes.
pub(super) fn number_at(plain: &[char], groups: &[Group]) -> Option<(Span, usize)> {
    let mut joined = 1;
    while joined < groups.len().min(7) && separator(plain, groups[joined - 1], groups[joined]).is_some() {
        joined += 1;
    }
    (1..=joined).rev().find_map(|n| number(plain, &groups[..n]).map(|span| (span, n)))
}

fn number(plain: &[char], groups: &[Group]) -> Option<Span> {
    let (first, last) = (*groups.first()?, *groups.last()?);
    let text: String = groups.iter().flat_map(|g| &plain[g.start..g.end]).collect();
    let lengths: Vec<usize> = groups.iter().map(|g| g.len()).collect();
    let dotted = groups.windows(2).any(|w| plain[w[0].end..w[1].start].contains(&'.'));
    let after_point =
        first.start >= 2 && plain[first.start - 1] == '.' && plain[first.start - 2].is_ascii_digit();
    if (after_point && !dotted) || is_amount(plain, first, last) || is_moment(&text, &lengths) {
        return None;
    }
    let at = with_opening(plain, first, last);
    let hyphens = groups.windows(2).all(|w| plain[w[0].end..w[1].start] == ['-']);
    if is_id(&text, &lengths) || (lengths == [3, 2, 4] && hyphens && is_social_security(&text)) {
        Some(Span::Id(at))
    } else if is_phone(plain, first, &text, &lengths) {
        Some(Span::Phone(at))
    } else if is_card(&text, &lengths, dotted) {
        Some(Span::Card(at))
    } else {
        None
    }
}

/// The stretch of a number, with the `+` or `(` that opens it.
fn with_opening(plain: &[char], first: Group, last: Group) -> Group {
    let mut start = first.start;
    while start > 0 && matches!(plain[start - 1], '+' | '(') {
        start -= 1;
    }
    Group { start, end: last.end }
}

/// A sum of money, a rate, a delay: a currency before it, or a unit behind it.
fn is_amount(plain: &[char], first: Group, last: Group) -> bool {
    const UNITS: &[&str] = &[
        "m", "mb", "mbps", "mbit", "kb", "kbps", "kbit", "g", "gb", "gbps", "gbit", "bps", "bit", "ms", "s",
        "%", "bytes", "兆", "元", "块", "毫秒", "秒", "米", "公里",
    ];
    if first.start > 0 && "$£€¥￥".contains(plain[first.start - 1]) {
        return true;
    }
    let rest = &plain[last.end..];
    let rest = &rest[rest.iter().take_while(|c| **c == ' ').count().min(1)..];
    let word: String = match rest.first() {
        Some(c) if c.is_ascii_alphabetic() => {
            rest.iter().take_while(|c| c.is_ascii_alphabetic()).map(char::to_ascii_lowercase).collect()
        }
        _ => rest.iter().take(2).collect(),
    };
    UNITS
        .iter()
        .any(|u| word == *u || (!u.is_ascii() && word.starts_with(u)) || (*u == "%" && word.starts_with('%')))
}

fn digit_at(text: &str, from: usize, n: usize) -> u32 {
    text.get(from..from + n).and_then(|t| t.parse().ok()).unwrap_or(u32::MAX)
}

fn is_date(year: u32, month: u32, day: u32) -> bool {
    (1900..=2099).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// `20150408`, `20150408102256`, `2015-04-08 10`.
fn is_moment(text: &str, lengths: &[usize]) -> bool {
    let date = is_date(digit_at(text, 0, 4), digit_at(text, 4, 2), digit_at(text, 6, 2));
    let clock =
        |from| digit_at(text, from, 2) < 24 && (text.len() < from + 4 || digit_at(text, from + 2, 2) < 60);
    date && match (lengths.first(), text.len()) {
        (Some(4), _) => lengths.get(1) == Some(&2) && lengths.get(2) == Some(&2),
        (_, 8) => true,
        (_, 10 | 12 | 14) => clock(8),
        _ => false,
    }
}

/// 18 digits with a birthday from the 7th (GB 11643-1999), or 15 with one in six digits.
fn is_id(text: &str, lengths: &[usize]) -> bool {
    match lengths {
        [18] | [6, 8, 4] => is_date(digit_at(text, 6, 4), digit_at(text, 10, 2), digit_at(text, 12, 2)),
        [15] => {
            !text.starts_with('0')
                && is_date(1900 + digit_at(text, 6, 2), digit_at(text, 8, 2), digit_at(text, 10, 2))
        }
        _ => false,
    }
}

/// A number of the United States' social security: no area 000, 666 or 900 on, no part of zeros alone.
fn is_social_security(text: &str) -> bool {
    let area = digit_at(text, 0, 3);
    area < 900 && area != 666 && area > 0 && digit_at(text, 3, 2) > 0 && digit_at(text, 5, 4) > 0
}

/// 13 to 19 digits that pass the Luhn check. Groups of other things than blanks and hyphens are not cards.
fn is_card(text: &str, lengths: &[usize], dotted: bool) -> bool {
    let grouped =
        lengths.len() == 1 || (lengths.len() <= 5 && lengths[..lengths.len() - 1].iter().all(|n| *n >= 4));
    (13..=19).contains(&text.len())
        && grouped
        && !dotted
        && !text.starts_with(['0', '1'])
        && text.bytes().all(|b| b.is_ascii_digit())
        && luhn(text)
}

fn luhn(text: &str) -> bool {
    let sum: u32 = text
        .bytes()
        .rev()
        .enumerate()
        .map(|(i, b)| {
            let d = u32::from(b - b'0');
            if i % 2 == 0 { d } else { d * 2 / 10 + d * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_phone(plain: &[char], first: Group, text: &str, lengths: &[usize]) -> bool {
    let b = text.as_bytes();
    let n = text.len();
    if !b.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let plus = first.start > 0
        && (plain[first.start - 1] == '+'
            || plain[first.start - 1] == '(' && first.start > 1 && plain[first.start - 2] == '+');
    let parts = |least: usize| lengths[1..].iter().all(|l| (least..=11).contains(l));
    let mobile = |t: &[u8]| t.len() == 11 && t[0] == b'1' && (b'3'..=b'9').contains(&t[1]);
    let american = |t: &[u8]| t.len() == 10 && t[0] >= b'2' && t[3] >= b'2';
    if plus {
        // One digit may stand alone: a mobile's first, or the zero that is left out from abroad.
        return (8..=17).contains(&n) && parts(1);
    }
    if b.starts_with(b"00") {
        return (8..=17).contains(&n) && parts(2) && lengths[0] >= 4;
    }
    match lengths {
        // One run of digits.
        [11] => mobile(b) || b[0] == b'0' || (b[0] == b'1' && american(&b[1..])),
        [10] => b[0] == b'0' || american(b) || b.starts_with(b"400") || b.starts_with(b"800"),
        [12] => b[0] == b'0',
        [13] => b.starts_with(b"86") && mobile(&b[2..]),
        // Mobile, China.
        [3, 4, 4] | [3, 8] | [3, 3, 5] | [4, 4, 3] if mobile(b) => true,
        [2, 11] | [2, 3, 4, 4] if b.starts_with(b"86") && mobile(&b[2..]) => true,
        // North America; 400 and 800 numbers, China.
        [3, 3, 4] => american(b) || b.starts_with(b"400") || b.starts_with(b"800"),
        [3, 4, 3] => b.starts_with(b"400") || b.starts_with(b"800"),
        [1, 3, 3, 4] | [1, 10] => b[0] == b'1' && american(&b[1..]),
        // Area code with its zero.
        [3..=5, 5..=8] | [3..=5, 3..=4, 3..=4] if b[0] == b'0' => (10..=12).contains(&n),
        [3..=4, 7..=8, 1..=5] if b[0] == b'0' => true, // with an extension
        // With its zero, in pairs or fours; a day, a month and a year are none.
        [2, 2, 4, ..] => false,
        [2, ..] if b[0] == b'0' && lengths.len() > 1 && parts(2) => (9..=11).contains(&n),
        _ if (7..=12).contains(&n) && lengths[0] >= 2 && parts(2) => told_to_call(plain, first),
        _ => false,
    }
}

/// Whether the words just before speak of a telephone.
fn told_to_call(plain: &[char], first: Group) -> bool {
    const WORDS: &[&str] = &[
        "电话", "手机", "联系", "拨打", "号码", "致电", "phone", "tel", "call", "cell", "mobile", "contact",
        "reach",
    ];
    let before: String = plain[first.start.saturating_sub(16)..first.start].iter().collect();
    // A number masked before is no word about this one.
    let before = before.to_lowercase().replace("[phone]", "");
    WORDS.iter().any(|w| before.contains(w))
}
