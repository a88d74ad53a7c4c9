//! Lines, agents and their books.

use super::Sqlite;
use super::line_row::{ALL_LINES, described};
use crate::store::entry::is_newer;
use crate::store::lines::{Teller, settle};
use crate::store::{Fleet, StoreError, Tally};
use broadgauge_model::clock::Wall;
use broadgauge_model::place::AccessLine;
use broadgauge_model::result::Health;
use broadgauge_model::wire::registration::Registration;
use rusqlite::{OptionalExtension as _, Transaction, params};

fn put_line(transaction: &Transaction<'_>, told: &AccessLine, teller: Teller) -> Result<Tally, StoreError> {
    let known = transaction
        .prepare_cached(&format!("{ALL_LINES} WHERE line_id = ?1 AND told_by > 0"))?
        .query_row([&told.line_id], |row| Ok((described(row)?, Teller::from_code(row.get(2)?))))
        .optional()?;
    let (line, teller) = settle(known.as_ref().map(|(line, teller)| (line, *teller)), told, teller);
    let tally = Tally::of(known.as_ref().map(|(line, _)| line), &line);
    if tally.unchanged > 0 && known.is_some_and(|(_, before)| before == teller) {
        return Ok(tally);
    }
    let promise = &line.promise;
    transaction
        .prepare_cached(
            "INSERT INTO line(line_id, told_by, operator, region, area, node, technology, plan, segment, \
             promised_down_mbps, normal_down_mbps, minimum_down_mbps, promised_up_mbps, promised_delay_ms, zone, \
             weight, active_from, active_to) \
             VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) \
             ON CONFLICT(line_id) DO UPDATE SET told_by = ?2, operator = ?3, region = ?4, area = ?5, node = ?6, \
             technology = ?7, plan = ?8, segment = ?9, promised_down_mbps = ?10, normal_down_mbps = ?11, \
             minimum_down_mbps = ?12, promised_up_mbps = ?13, promised_delay_ms = ?14, zone = ?15, weight = ?16, \
             active_from = ?17, active_to = ?18",
        )?
        .execute(params![
            line.line_id,
            teller.code(),
            line.operator,
            line.region,
            line.area,
            line.node,
            line.technology,
            line.plan,
            line.segment,
            promise.promised_down_mbps,
            promise.normal_down_mbps,
            promise.minimum_down_mbps,
            promise.promised_up_mbps,
            promise.promised_delay_ms,
            line.zone,
            line.weight,
            line.active_from.map(|at| at.0),
            line.active_to.map(|at| at.0),
        ])?;
    Ok(tally)
}

fn json<T: serde::de::DeserializeOwned>(what: &'static str, text: String) -> Result<T, StoreError> {
    serde_json::from_str(&text).map_err(|_| StoreError::Unknown { what, value: text })
}

impl Fleet for Sqlite {
    fn put_lines(&self, lines: &[AccessLine]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for line in lines {
                tally.add(put_line(transaction, line, Teller::Table)?);
            }
            Ok(tally)
        })
    }

    fn lines(&self) -> Result<Vec<AccessLine>, StoreError> {
        self.read(|transaction| {
            let mut statement =
                transaction.prepare(&format!("{ALL_LINES} WHERE told_by > 0 ORDER BY line_id"))?;
            let lines = statement.query_map([], described)?;
            Ok(lines.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn register(&self, registration: &Registration) -> Result<Tally, StoreError> {
        self.write(|transaction, dictionary| {
            let agent = dictionary.agent(transaction, &registration.agent)?;
            // Plain data with text keys always has a text.
            let text = serde_json::to_string(registration).unwrap_or_default();
            transaction
                .prepare_cached(
                    "UPDATE agent SET registration = ?2 WHERE id = ?1 AND registration IS NOT ?2",
                )?
                .execute(params![agent, text])?;
            let mut tally = Tally::default();
            for line in &registration.lines {
                tally.add(put_line(transaction, line, Teller::Agent)?);
            }
            Ok(tally)
        })
    }

    fn highest_number(&self, agent: &str) -> Result<Option<u64>, StoreError> {
        self.read(|transaction| {
            let highest: Option<i64> = transaction
                .prepare_cached(
                    "SELECT max(number) FROM result WHERE stream = (SELECT id FROM agent WHERE name = ?1)",
                )?
                .query_row([agent], |row| row.get(0))?;
            Ok(highest.map(|number| number as u64))
        })
    }

    fn agents(&self) -> Result<Vec<Registration>, StoreError> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare("SELECT registration FROM agent WHERE registration IS NOT NULL ORDER BY name")?;
            let texts = statement.query_map([], |row| row.get::<_, String>(0))?;
            texts.map(|text| json("registration", text?)).collect()
        })
    }

    fn health(&self) -> Result<Vec<(String, Health)>, StoreError> {
        self.read(|transaction| {
            let mut statement = transaction
                .prepare("SELECT name, health FROM agent WHERE health IS NOT NULL ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
            rows.map(|row| {
                let (name, text) = row?;
                Ok((name, json("health", text)?))
            })
            .collect()
        })
    }
}

/// Keeps an agent's books unless newer ones are there.
pub(super) fn put_health(
    transaction: &Transaction<'_>,
    agent: i64,
    health: &Health,
) -> Result<(), StoreError> {
    // Plain data with text keys always has a text.
    let text = serde_json::to_string(health).unwrap_or_default();
    let known: Option<i64> = transaction
        .prepare_cached("SELECT health_at FROM agent WHERE id = ?1")?
        .query_row([agent], |row| row.get(0))?;
    if known.is_none_or(|known| is_newer(Wall(known), health.at)) {
        transaction
            .prepare_cached("UPDATE agent SET health = ?2, health_at = ?3 WHERE id = ?1")?
            .execute(params![agent, text, health.at.0])?;
    }
    Ok(())
}
