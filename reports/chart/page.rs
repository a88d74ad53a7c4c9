//! What every chart has around its body: the finding above, the reservations below, and text that wraps.

use super::axis::SMALL;
use super::palette::{BLACK, GREY, TEXT};
use super::scene::{Label, Rect, Scene};
use super::{Caption, Frame};
use crate::font::{self, Weight};
use broadgauge_model::text::Lang;

/// White space on the left and on the right.
const SIDE: f64 = 16.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 12.0;
/// Between header and body, and between body and note.
const GAP: f64 = 12.0;
const TITLE: f64 = 18.0;
const SUBTITLE: f64 = 13.0;
/// From line to line, in em. Chinese needs more than Latin.
const LEADING: f64 = 1.42;

/// A chart that has its words and waits for its marks.
pub(super) struct Page {
    pub(super) scene: Scene,
    /// The room for the marks.
    pub(super) body: Rect,
}

impl Page {
    /// Writes title, subtitle and note.
    pub(super) fn open(frame: Frame, lang: Lang, caption: &Caption) -> Self {
        let mut scene = Scene::new(frame.width, frame.height, lang);
        scene.title.clone_from(&caption.title);
        scene.description.clone_from(&caption.subtitle);
        if !caption.note.is_empty() {
            scene.description.push(' ');
            scene.description.push_str(&caption.note);
        }
        let [title, subtitle, note] = lines(caption, frame.width);
        let mut y = TOP;
        for line in title {
            scene.text(Label::new(line, SIDE, y + 0.92 * TITLE, TITLE, BLACK).bold());
            y += LEADING * TITLE;
        }
        for line in subtitle {
            scene.text(Label::new(line, SIDE, y + 0.98 * SUBTITLE, SUBTITLE, TEXT));
            y += LEADING * SUBTITLE;
        }
        let mut bottom = frame.height - BOTTOM;
        for line in note.into_iter().rev() {
            scene.text(Label::new(line, SIDE, bottom - 0.28 * SMALL, SMALL, GREY));
            bottom -= LEADING * SMALL;
        }
        let head = if y > TOP { y + GAP } else { y };
        let foot = if bottom < frame.height - BOTTOM { bottom - GAP } else { bottom };
        let body = Rect::new(SIDE, head, frame.width - 2.0 * SIDE, (foot - head).max(1.0));
        Self { scene, body }
    }

    /// What the margins leave of a chart's width.
    pub(super) const fn body_width(width: f64) -> f64 {
        width - 2.0 * SIDE
    }

    /// What the words and the margins take of a chart's height.
    pub(super) fn overhead(caption: &Caption, width: f64) -> f64 {
        let [title, subtitle, note] = lines(caption, width).map(|lines| lines.len() as f64);
        let head = title * LEADING * TITLE + subtitle * LEADING * SUBTITLE;
        let foot = note * LEADING * SMALL;
        let gap = |part: f64| if part > 0.0 { GAP } else { 0.0 };
        TOP + head + gap(head) + gap(foot) + foot + BOTTOM
    }
}

fn lines(caption: &Caption, width: f64) -> [Vec<String>; 3] {
    let room = width - 2.0 * SIDE;
    [
        balanced(&caption.title, room, TITLE, Weight::Bold),
        balanced(&caption.subtitle, room, SUBTITLE, Weight::Regular),
        wrap(&caption.note, room, SMALL, Weight::Regular),
    ]
}

/// Lines of about the same length: as few as fit, but no last word alone.
pub(super) fn balanced(text: &str, room: f64, size: f64, weight: Weight) -> Vec<String> {
    let lines = wrap(text, room, size, weight);
    // Never so narrow that a word would be cut.
    let widest =
        pieces(text).iter().map(|piece| font::width(piece.trim_end(), size, weight)).fold(0.0, f64::max);
    let (mut narrow, mut wide) = (widest.clamp(room / 2.0, room), room);
    if lines.len() < 2 {
        return lines;
    }
    let narrowest = wrap(text, narrow, size, weight);
    if narrowest.len() == lines.len() {
        return narrowest;
    }
    while wide - narrow > 1.0 {
        let middle = f64::midpoint(narrow, wide);
        if wrap(text, middle, size, weight).len() > lines.len() { narrow = middle } else { wide = middle }
    }
    wrap(text, wide, size, weight)
}

/// Breaks a text into lines that fit: at spaces in Latin, between characters in Chinese, where a line neither begins
/// with a closing mark nor ends with an opening one (GB/T 15834).
pub(super) fn wrap(text: &str, room: f64, size: f64, weight: Weight) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for piece in pieces(paragraph) {
            let fits = |line: &str| font::width(line.trim_end(), size, weight) <= room;
            if fits(&format!("{line}{piece}")) {
                line.push_str(&piece);
                continue;
            }
            if !line.trim().is_empty() {
                lines.push(line.trim_end().to_owned());
            }
            line.clear();
            for c in piece.trim_start().chars() {
                // A word that is wider than the line is cut.
                if !line.is_empty() && !fits(&format!("{line}{c}")) {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        if !line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

/// The parts of a line between which it may break.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before = None;
    for c in text.chars() {
        let joined = before.is_none_or(|b| !may_break(b, c));
        match pieces.last_mut() {
            Some(piece) if joined => piece.push(c),
            _ => pieces.push(c.into()),
        }
        before = Some(c);
    }
    pieces
}

fn may_break(before: char, after: char) -> bool {
    const CLOSING: &str = "，。、；：？！）】》」』”’％%…·～—,.;:?!)]}";
    const OPENING: &str = "（【《「『“‘([{";
    if CLOSING.contains(after) || OPENING.contains(before) || after == ' ' {
        return false;
    }
    // The two ends of a range stay together.
    if before == '～' && after.is_ascii_digit() {
        return false;
    }
    let wide = |c: char| c >= '\u{2E80}';
    before == ' ' || wide(before) || wide(after)
}

/// A text cut to a width, with a mark where it was cut.
pub(super) fn shorten(text: &str, room: f64, size: f64, weight: Weight) -> String {
    if font::width(text, size, weight) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter = format!("{}…", kept.iter().collect::<String>().trim_end());
        if font::width(&shorter, size, weight) <= room {
            return shorter;
        }
    }
    "…".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latin_breaks_at_spaces_and_chinese_between_characters() {
        let wrapped = |text, room| wrap(text, room, 10.0, Weight::Regular);
        assert_eq!(wrapped("one two three", 45.0), ["one two", "three"]);
        assert_eq!(wrapped("晚高峰负载时延", 40.0), ["晚高峰负", "载时延"]);
        assert_eq!(
            wrapped("晚高峰时延，明显", 50.0),
            ["晚高峰时", "延，明显"],
            "no line begins with a comma"
        );
        assert_eq!(wrapped("中位数（毫秒）", 40.0), ["中位数", "（毫秒）"], "no line ends with a bracket");
        assert_eq!(wrapped("为 117～130 条", 50.0), ["为", "117～130", "条"], "a range stays together");
        assert_eq!(wrapped("a\nb", 90.0), ["a", "b"]);
        assert_eq!(wrapped("", 90.0), Vec::<String>::new());
    }

    #[test]
    fn a_title_leaves_no_word_alone() {
        let text = "每晚时延翻倍并伴随丢包，对标甲的线路保持平稳";
        assert_eq!(wrap(text, 210.0, 10.0, Weight::Bold).last().map(String::as_str), Some("稳"));
        assert_eq!(balanced("Disconnections, a day", 80.0, 10.0, Weight::Bold), ["Disconnections,", "a day"]);
        let lines = balanced(text, 210.0, 10.0, Weight::Bold);
        assert_eq!(lines, ["每晚时延翻倍并伴随丢包，", "对标甲的线路保持平稳"]);
    }

    #[test]
    fn a_long_name_is_cut_with_a_mark() {
        assert_eq!(shorten("广州市天河区", 51.0, 10.0, Weight::Regular), "广州市天…");
        assert_eq!(shorten("天河区", 50.0, 10.0, Weight::Regular), "天河区");
    }
}
