//! Our own font: how wide is a text, and which of its characters can we draw?
//!
//! Charts are laid out with the widths of the very font they are drawn with, on every machine the same.
//! Broadgauge Sans is a subset of Noto Sans CJK SC (SIL Open Font License 1.1, see `font/OFL.txt`) made by
//! `font/build.sh`: Latin, Greek, symbols and the Chinese characters of GB 2312.
//! Widths are sums of advances: kerning is left out, so a text is never wider than told by more than a hair.

use std::sync::OnceLock;
use ttf_parser::Face;

/// The family name, as painters must ask for it.
pub const FAMILY: &str = "Broadgauge Sans";

/// What stands for a character that the font lacks: the printer's geta mark, never an empty box.
pub const MISSING: char = '〓';

/// How heavy a text is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weight {
    /// For everything but titles.
    #[default]
    Regular,
    /// For titles and headings.
    Bold,
}

impl Weight {
    /// The font file.
    pub const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Regular => include_bytes!("font/BroadgaugeSans-Regular.otf"),
            Self::Bold => include_bytes!("font/BroadgaugeSans-Bold.otf"),
        }
    }

    fn face(self) -> &'static Face<'static> {
        static REGULAR: OnceLock<Face<'static>> = OnceLock::new();
        static BOLD: OnceLock<Face<'static>> = OnceLock::new();
        let cell = match self {
            Self::Regular => &REGULAR,
            Self::Bold => &BOLD,
        };
        cell.get_or_init(|| Face::parse(self.bytes(), 0).expect("the committed font is read by a test"))
    }
}

/// The width of a text on one line, in the unit of `size` (the em).
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let face = weight.face();
    let em = f64::from(face.units_per_em());
    let advance = |c| face.glyph_index(c).and_then(|glyph| face.glyph_hor_advance(glyph));
    let units: f64 = text.chars().map(|c| advance(c).map_or(em, f64::from)).sum();
    units / em * size
}

/// The characters of a text that the font cannot draw, each once, in order of appearance.
pub fn uncovered(text: &str) -> Vec<char> {
    let mut missing = Vec::new();
    for c in text.chars() {
        let known = Weight::Regular.face().glyph_index(c).is_some();
        if !known && !c.is_control() && !missing.contains(&c) {
            missing.push(c);
        }
    }
    missing
}

/// The text with [`MISSING`] in the place of each character that the font cannot draw.
pub fn drawable(text: &str) -> String {
    let missing = uncovered(text);
    text.chars().map(|c| if missing.contains(&c) { MISSING } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_hold_the_same_characters() {
        let text: String = ('\u{20}'..'\u{ffff}').collect();
        let held = |weight: Weight| {
            text.chars().filter(|&c| weight.face().glyph_index(c).is_some()).collect::<String>()
        };
        assert_eq!(held(Weight::Regular), held(Weight::Bold));
        assert!(held(Weight::Regular).chars().count() > 7_000);
    }

    #[test]
    fn a_chinese_character_is_one_em_and_a_latin_letter_less() {
        assert_eq!(width("时延", 10.0, Weight::Regular), 20.0);
        let ms = width("ms", 10.0, Weight::Regular);
        assert!(ms > 12.0 && ms < 16.0, "{ms}");
        assert!(width("delay", 10.0, Weight::Bold) > width("delay", 10.0, Weight::Regular));
    }

    #[test]
    fn a_character_that_is_missing_is_named_and_marked() {
        assert_eq!(uncovered("往返 RTT ≥ 40 ms，α"), Vec::<char>::new());
        assert_eq!(uncovered("a\u{1F600}b\u{20C7E}\u{1F600}"), vec!['\u{1F600}', '\u{20C7E}']);
        assert_eq!(drawable("𠱾姓"), "〓姓");
    }
}
