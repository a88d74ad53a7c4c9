//! Goldens of one small document in every language, without the charts' own marks, which have goldens of their own.

use super::Renderer;
use super::chart::{ChartFormat, chart};
use super::html::Html;
use super::json::Json;
use crate::chart::ladder::{LadderPanel, QuantileLadder, Rung};
use crate::chart::{Caption, Party, Role};
use crate::doc::*;
use crate::text::Prose;
use crate::text::number::Style;
use broadgauge_model::clock::Wall;
use broadgauge_model::metric::MetricId;
use broadgauge_model::panel::{Period, SourceKind};
use broadgauge_model::text::{Lang, Phrase};
use broadgauge_model::unit::Unit;

fn say(en: &'static str, zh: &'static str) -> Prose {
    Phrase { en, zh }.into()
}

fn ladder(lang: Lang) -> QuantileLadder {
    let known = |value: f64| Number::Known { value, interval: (value - 1.0, value + 1.5), n: 40 };
    let declined = Number::Declined(say("fewer than 6 lines", "线路不足 6 条"));
    let rung = |quantile, own: &Number, peer: &Number| Rung {
        quantile,
        figures: vec![own.figure(lang), peer.figure(lang)],
        remark: String::new(),
    };
    QuantileLadder {
        caption: Caption { title: say("A is worse", "A 落后").get(lang).to_owned(), ..Caption::default() },
        metric: MetricId::ROUND_TRIP_DELAY,
        parties: vec![
            Party { name: "A".into(), role: Role::Own },
            Party { name: "B".into(), role: Role::Peer(0) },
        ],
        panels: vec![LadderPanel {
            heading: String::new(),
            rungs: vec![rung(0.5, &known(14.1), &known(11.9)), rung(0.95, &known(30.0), &declined)],
        }],
    }
}

fn document() -> Document {
    let key = |number, tone| KeyNumber {
        key: "gap_round_trip_delay_ms".into(),
        label: say("Gap", "差距"),
        number,
        style: Style::Difference(Unit::Milliseconds),
        basis: say("78 lines", "78 条线路"),
        meaning: say("at the median", "中位数"),
        tone,
    };
    let table = Table {
        caption: say("Comparisons", "对比"),
        columns: vec![(say("What", "指标"), Align::Left), (say("Difference", "差值"), Align::Right)],
        rows: vec![vec![
            say("Delay", "时延").into(),
            TableCell {
                text: say("2.2 ms", "2.2 毫秒"),
                detail: say("0.9 to 3.5", "0.9～3.5"),
                tone: Some(Tone::Worse),
            },
        ]],
    };
    let blocks = vec![
        Block::Answers(vec![Answer {
            label: say("What is wrong", "问题在哪"),
            text: say("A is behind B.", "A 落后于 B。"),
            detail: Prose::default(),
        }]),
        Block::Keys(vec![
            key(Number::Known { value: 2.21, interval: (0.9, 3.5), n: 78 }, Tone::Worse),
            key(
                Number::Declined(say("fewer than 6 lines on one side", "一方线路不足 6 条")),
                Tone::CannotTell,
            ),
        ]),
        Block::Findings(vec![Finding {
            tone: Tone::AtPar,
            word: say("At par", "持平"),
            text: say("Shown to be no further apart than 5 ms.", "已证明相差不超过 5 毫秒。"),
        }]),
        Block::Heading(say("Charts", "图")),
        Block::Figure(Figure::new(
            "ladder",
            say("A is worse", "A 落后"),
            say("How to read it.", "读法。"),
            ladder,
        )),
        Block::Table(table),
        Block::Definitions(vec![(say("Quantile", "分位数"), say("The nearest rank.", "最近秩。"))]),
        Block::Note(say("Numbers are <made up> & shown.", "数字为<合成>。")),
        Block::Declined {
            what: say("Promises", "承诺"), reason: say("no line names one", "没有线路注明")
        },
        Block::Paragraph(say("The end.", "完。")),
    ];
    Document {
        name: "operator",
        kind: Phrase { en: "Operator report", zh: "运营商质量报告" },
        title: say("A & its peers", "A 与对标"),
        subtitle: say("1 April 2026", "2026 年 4 月 1 日"),
        meta: Meta {
            period: Period {
                from: Wall::from_secs(1_775_001_600),
                to: Wall::from_secs(1_775_088_000),
                zone: "UTC".into(),
            },
            own: "A".into(),
            peers: vec!["B".into()],
            origins: vec![
                Origin { kind: SourceKind::Measured, sources: 2, observations: 1_234 },
                Origin { kind: SourceKind::Made, sources: 1, observations: 1_234_567 },
            ],
            seed: 7,
            software: "0.0.0".into(),
        },
        sections: vec![Section {
            id: "one",
            heading: say("In short", "结论"),
            question: Prose::default(),
            blocks,
        }],
    }
}

/// The page without what has goldens elsewhere: style, marks, encoded data.
fn outline(page: &str) -> String {
    let mut page = page.to_owned();
    for (open, close, stand_in) in
        [("<style>", "</style>", "[style]"), ("<svg", "</svg>", "[svg]"), ("data:text/csv", "\"", "[csv]\"")]
    {
        if let Some(from) = page.find(open) {
            let to = from + page[from..].find(close).unwrap() + close.len();
            page.replace_range(from..to, stand_in);
        }
    }
    page
}

#[test]
fn the_page_in_english() {
    let page = String::from_utf8(Html.render(&document(), Lang::En).unwrap()).unwrap();
    insta::assert_snapshot!(outline(&page));
}

#[test]
fn the_page_in_chinese() {
    let page = String::from_utf8(Html.render(&document(), Lang::Zh).unwrap()).unwrap();
    insta::assert_snapshot!(outline(&page));
}

#[test]
fn the_data_in_english() {
    insta::assert_snapshot!(String::from_utf8(Json.render(&document(), Lang::En).unwrap()).unwrap());
}

#[test]
fn a_chart_comes_out_as_picture_and_as_data() {
    let document = document();
    let of = |format| chart(&document, "ladder", format, Lang::En).unwrap();
    assert!(of(ChartFormat::Svg).starts_with(b"<svg"));
    assert!(of(ChartFormat::Png(1.0)).starts_with(b"\x89PNG"));
    let csv = String::from_utf8(of(ChartFormat::Csv)).unwrap();
    assert!(csv.contains("14.1"), "{csv}");
    let error = chart(&document, "ladders", ChartFormat::Svg, Lang::En).unwrap_err();
    assert_eq!(error.to_string(), "no chart is called \"ladders\"; this report has: ladder");
}

#[test]
fn the_data_file_of_a_chart_tells_a_spreadsheet_its_encoding_only_where_it_must() {
    let csv = |lang| chart(&document(), "ladder", ChartFormat::Csv, lang).unwrap();
    assert!(!csv(Lang::En).starts_with("\u{feff}".as_bytes()));
    assert!(csv(Lang::Zh).starts_with("\u{feff}".as_bytes()));
}
