//! Complaints.

use super::Sqlite;
use crate::store::{Complaints, StoreError, Tally};
use broadgauge_model::clock::Wall;
use broadgauge_model::complaint::{Class, Complaint};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

const ALL: &str = "SELECT complaint_id, opened_at, line_id, area, operator, channel, class, text, \
    first_response_at, resolved_at, reopened_at, status, owner, due_at, city, postcode, kind, class_by, class_confidence, \
    class_reason, escalated_at FROM complaint";

fn read(row: &Row<'_>) -> Result<Complaint, StoreError> {
    let time = |at: usize| row.get::<_, Option<i64>>(at).map(|time| time.map(Wall));
    let class = match row.get::<_, Option<String>>(6)? {
        None => None,
        Some(word) => Some(
            word.parse::<Class>()
                .map_err(|_| StoreError::Unknown { what: "complaint class", value: word })?,
        ),
    };
    Ok(Complaint {
        complaint_id: row.get(0)?,
        opened_at: Wall(row.get(1)?),
        line_id: row.get(2)?,
        area: row.get(3)?,
        operator: row.get(4)?,
        channel: row.get(5)?,
        class,
        text: row.get(7)?,
        first_response_at: time(8)?,
        resolved_at: time(9)?,
        reopened_at: time(10)?,
        status: row.get(11)?,
        owner: row.get(12)?,
        due_at: time(13)?,
        city: row.get(14)?,
        postcode: row.get(15)?,
        kind: row.get(16)?,
        class_by: row.get(17)?,
        class_confidence: row.get(18)?,
        class_reason: row.get(19)?,
        escalated_at: time(20)?,
    })
}

fn put(transaction: &Transaction<'_>, complaint: &Complaint) -> Result<Tally, StoreError> {
    let known = transaction
        .prepare_cached(&format!("{ALL} WHERE complaint_id = ?1"))?
        .query_row([&complaint.complaint_id], |row| Ok(read(row)))
        .optional()?
        .transpose()?;
    let tally = Tally::of(known.as_ref(), complaint);
    if tally.unchanged > 0 {
        return Ok(tally);
    }
    let time = |at: Option<Wall>| at.map(|at| at.0);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO complaint VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
             ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
        )?
        .execute(params![
            complaint.complaint_id,
            complaint.opened_at.0,
            complaint.line_id,
            complaint.area,
            complaint.operator,
            complaint.channel,
            complaint.class.map(Class::word),
            complaint.text,
            time(complaint.first_response_at),
            time(complaint.resolved_at),
            time(complaint.reopened_at),
            complaint.status,
            complaint.owner,
            time(complaint.due_at),
            complaint.city,
            complaint.postcode,
            complaint.kind,
            complaint.class_by,
            complaint.class_confidence,
            complaint.class_reason,
            time(complaint.escalated_at),
        ])?;
    Ok(tally)
}

impl Complaints for Sqlite {
    fn put_complaints(&self, complaints: &[Complaint]) -> Result<Tally, StoreError> {
        self.write(|transaction, _| {
            let mut tally = Tally::default();
            for complaint in complaints {
                tally.add(put(transaction, complaint)?);
            }
            Ok(tally)
        })
    }

    fn complaints(&self, from: Option<Wall>, to: Option<Wall>) -> Result<Vec<Complaint>, StoreError> {
        self.read(|transaction| {
            let mut statement = transaction.prepare(&format!(
                "{ALL} WHERE opened_at >= ?1 AND (?2 IS NULL OR opened_at < ?2) ORDER BY opened_at, complaint_id"
            ))?;
            let bounds = params![from.map_or(i64::MIN, |at| at.0), to.map(|at| at.0)];
            let mut rows = statement.query(bounds)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        })
    }
}
