//! What customers answered: a row a respondent and time, and a row an answer, so that every number stays as it came.

use super::Sqlite;
use crate::store::{StoreError, Surveys, Tally};
use broadgauge_model::clock::Wall;
use broadgauge_model::survey::Response;
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::collections::BTreeMap;

/// What is kept under a respondent and a time, and its number.
fn known(transaction: &Transaction<'_>, told: &Response) -> Result<Option<(i64, Response)>, StoreError> {
    let found = transaction
        .prepare_cached(
            "SELECT id, line_id, segment, operator FROM response WHERE respondent_id = ?1 AND answered_at = ?2",
        )?
        .query_row(params![told.respondent_id, told.answered_at.0], |row| {
            let response = Response {
                respondent_id: told.respondent_id.clone(),
                answered_at: told.answered_at,
                line_id: row.get(1)?,
                segment: row.get(2)?,
                operator: row.get(3)?,
                answers: BTreeMap::new(),
            };
            Ok((row.get::<_, i64>(0)?, response))
        })
        .optional()?;
    let Some((id, mut response)) = found else { return Ok(None) };
    let mut statement = transaction.prepare_cached("SELECT item, value FROM answer WHERE response = ?1")?;
    let answers = statement.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    response.answers = answers.collect::<Result<_, _>>()?;
    Ok(Some((id, response)))
}

fn put(transaction: &Transaction<'_>, told: &Response) -> Result<Tally, StoreError> {
    let known = known(transaction, told)?;
    let tally = Tally::of(known.as_ref().map(|(_, response)| response), told);
    if tally.unchanged > 0 {
        return Ok(tally);
    }
    if let Some((id, _)) = known {
        transaction.prepare_cached("DELETE FROM answer WHERE response = ?1")?.execute([id])?;
    }
    let id: i64 = transaction
        .prepare_cached(
            "INSERT INTO response(respondent_id, answered_at, line_id, segment, operator) VALUES(?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT(respondent_id, answered_at) DO UPDATE SET line_id = ?3, segment = ?4, operator = ?5 \
             RETURNING id",
        )?
        .query_row(
            params![told.respondent_id, told.answered_at.0, told.line_id, told.segment, told.operator],
            |row| row.get(0),
        )?;
    let mut answer = transaction.prepare_cached("INSERT INTO answer VALUES(?1, ?2, ?3)")?;
    for (item, value) in &told.answers {
        answer.execute(params![id, item, value])?;
    }
    Ok(tally)
}

impl Surveys for Sqlite {
    fn put_responses(&self, responses: &[Response]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for response in responses {
                tally.add(put(transaction, response)?);
            }
            Ok(tally)
        })
    }

    fn responses(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Response>, StoreError> {
        self.read(|transaction| {
            let mut statement = transaction.prepare(
                "SELECT id, respondent_id, answered_at, line_id, segment, operator, item, value \
                 FROM response LEFT JOIN answer ON response = id \
                 WHERE answered_at >= ?1 AND (?2 IS NULL OR answered_at < ?2) \
                 ORDER BY answered_at, respondent_id",
            )?;
            let mut rows = statement.query(params![from.map_or(i64::MIN, |at| at.0), to.map(|at| at.0)])?;
            let mut found: Vec<Response> = Vec::new();
            let mut last = None;
            while let Some(row) = rows.next()? {
                let id: i64 = row.get(0)?;
                if last != Some(id) {
                    last = Some(id);
                    found.push(Response {
                        respondent_id: row.get(1)?,
                        answered_at: Wall(row.get(2)?),
                        line_id: row.get(3)?,
                        segment: row.get(4)?,
                        operator: row.get(5)?,
                        answers: BTreeMap::new(),
                    });
                }
                if let (Some(item), Some(response)) = (row.get(6)?, found.last_mut()) {
                    response.answers.insert(item, row.get(7)?);
                }
            }
            Ok(found)
        })
    }
}
