//! A text as words, English and Chinese.
//!
//! English words are runs of letters and digits in lower case. Chinese has no spaces: it is cut by jieba's dictionary with
//! the words of the trade added, and without guessing at unknown words, so that the same text is always cut alike.

use jieba_rs::Jieba;
use std::sync::LazyLock;

static JIEBA: LazyLock<Jieba> = LazyLock::new(|| {
    let mut jieba = Jieba::new();
    for line in include_str!("telecom.dict").lines() {
        let mut parts = line.split_whitespace();
        if let (Some(word), Some(count), tag) = (parts.next(), parts.next(), parts.next()) {
            jieba.add_word(word, count.parse().ok(), tag);
        }
    }
    jieba
});

/// Whether a character is written without spaces between words.
pub(super) const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// What stands in the place of a number or an address of a person: no word of the customer's.
const MASKS: [&str; 5] = ["[phone]", "[email]", "[card]", "[id]", "[account]"];

/// Lower case, full-width letters made plain, curly quotes made straight, masks left out.
pub(super) fn plain(text: &str) -> String {
    let text = MASKS.iter().fold(text.to_owned(), |text, mask| text.replace(mask, " "));
    text.chars()
        .map(|c| match c {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            '\u{3000}' => ' ',
            '\u{2018}' | '\u{2019}' => '\'',
            _ => c,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// The words of a plain text, in order.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = |keep: &dyn Fn(char) -> bool| rest.find(|c: char| !keep(c)).unwrap_or(rest.len());
        if is_han(first) {
            let end = len(&is_han);
            words.extend(JIEBA.cut(&rest[..end], false).into_iter().map(|token| token.word.to_owned()));
            rest = &rest[end..];
        } else if first.is_alphanumeric() {
            let end = len(&|c| c.is_alphanumeric() && !is_han(c) || c == '\'');
            words.push(rest[..end].trim_matches('\'').to_owned());
            rest = &rest[end..];
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    words
}
