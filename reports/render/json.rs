//! The numbers of a report for machines: what the page says, as data.
//!
//! Words are in the language asked for; keys, units and numbers do not change with it. An estimate is
//! `{"value", "interval", "n"}`, a refusal `{"declined"}` in the same place, unknown is null.

use super::{RenderError, Renderer};
use crate::chart::table::{Cell, Table};
use crate::doc::{Block, Document, Figure, Number, TableCell};
use crate::text::Prose;
use broadgauge_model::text::Lang;
use serde_json::{Map, Value, json};

/// The version of the form.
const VERSION: u32 = 1;

/// Renders JSON.
#[derive(Clone, Copy, Debug, Default)]
pub struct Json;

impl Renderer for Json {
    fn render(&self, document: &Document, lang: Lang) -> Result<Vec<u8>, RenderError> {
        let meta = &document.meta;
        let origins: Vec<_> = meta
            .origins
            .iter()
            .map(|o| json!({"kind": o.kind, "sources": o.sources, "observations": o.observations}))
            .collect();
        let sections: Vec<_> = document
            .sections
            .iter()
            .map(|section| {
                let blocks: Vec<_> = section.blocks.iter().map(|b| block(b, lang)).collect();
                json!({"id": section.id, "heading": section.heading.get(lang), "blocks": blocks})
            })
            .collect();
        let value = json!({
            "report": document.name,
            "version": VERSION,
            "lang": lang.tag(),
            "title": document.title.get(lang),
            "period": meta.period,
            "own": meta.own,
            "peers": meta.peers,
            "origins": origins,
            "seed": meta.seed,
            "software": meta.software,
            "sections": sections,
        });
        let mut bytes = serde_json::to_vec_pretty(&value)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

fn block(block: &Block, lang: Lang) -> Value {
    let say = |prose: &Prose| prose.get(lang).to_owned();
    match block {
        Block::Heading(text) => json!({"heading": say(text)}),
        Block::Paragraph(text) => json!({"paragraph": say(text)}),
        Block::Note(text) => json!({"note": say(text)}),
        Block::Declined { what, reason } => json!({"what": say(what), "declined": say(reason)}),
        Block::Answers(answers) => json!({"answers": answers.iter().map(|a| {
            json!({"label": say(&a.label), "text": say(&a.text), "detail": say(&a.detail)})
        }).collect::<Vec<_>>()}),
        Block::Findings(findings) => json!({"findings": findings.iter().map(|f| {
            json!({"verdict": f.tone.word(), "text": say(&f.text)})
        }).collect::<Vec<_>>()}),
        Block::Keys(keys) => json!({"keys": keys.iter().map(|k| {
            let mut object = number(&k.number, lang);
            object.insert("key".into(), k.key.clone().into());
            object.insert("label".into(), say(&k.label).into());
            object.insert("meaning".into(), say(&k.meaning).into());
            object.insert("verdict".into(), k.tone.word().into());
            Value::Object(object)
        }).collect::<Vec<_>>()}),
        Block::Table(table) => json!({
            "table": say(&table.caption),
            "columns": table.columns.iter().map(|(name, _)| say(name)).collect::<Vec<_>>(),
            "rows": table.rows.iter().map(|row| {
                row.iter().map(|cell| cell_words(cell, lang)).collect::<Vec<_>>()
            }).collect::<Vec<_>>(),
        }),
        Block::Definitions(terms) => json!({"definitions": terms.iter().map(|(term, meaning)| {
            json!({"term": say(term), "meaning": say(meaning)})
        }).collect::<Vec<_>>()}),
        Block::Figure(figure) => chart(figure, lang),
    }
}

fn cell_words(cell: &TableCell, lang: Lang) -> String {
    let tone = cell.tone.map(|tone| tone.word().to_owned());
    let text = [&cell.text, &cell.detail].into_iter().map(|prose| prose.get(lang).to_owned());
    tone.into_iter().chain(text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

fn number(number: &Number, lang: Lang) -> Map<String, Value> {
    let value = match number {
        Number::Known { value, interval, n } => json!({"value": value, "interval": interval, "n": n}),
        Number::Declined(reason) => json!({"declined": reason.get(lang)}),
    };
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn chart(figure: &Figure, lang: Lang) -> Value {
    let Table { columns, rows } = figure.table(lang);
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let fields = columns.iter().zip(row).map(|(column, cell)| {
                let value = match cell {
                    Cell::Text(text) => text.clone().into(),
                    Cell::Number(value) => json!(value),
                    Cell::Count(count) => json!(count),
                    Cell::Blank => Value::Null,
                };
                (column.key.to_owned(), value)
            });
            Value::Object(fields.collect())
        })
        .collect();
    json!({
        "chart": figure.name,
        "title": figure.title.get(lang),
        "caption": figure.caption.get(lang),
        "rows": rows,
    })
}
