//! The town's tables on disk.

use super::plan::{Plan, ZONE};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A table that is being written.
pub(super) struct Table {
    out: BufWriter<File>,
    pub(super) rows: u64,
}

impl Table {
    /// Starts `folder/name.csv` with a header.
    pub(super) fn start(folder: &Path, name: &str, header: &str) -> io::Result<Self> {
        let mut out = BufWriter::new(File::create(folder.join(format!("{name}.csv")))?);
        writeln!(out, "{header}")?;
        Ok(Self { out, rows: 0 })
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.rows += 1;
        self.out.write_fmt(cells)?;
        self.out.write_all(b"\n")
    }

    /// Ends the table.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// The town's calendar.
pub(super) struct Calendar {
    zone: TimeZone,
    pub(super) first_day: Date,
    pub(super) last_day: Date,
}

impl Calendar {
    pub(super) fn of(plan: &Plan) -> io::Result<Self> {
        let zone = TimeZone::get(ZONE).map_err(io::Error::other)?;
        let first_day = plan.last_day.checked_sub((plan.days - 1).days()).map_err(io::Error::other)?;
        Ok(Self { zone, first_day, last_day: plan.last_day })
    }

    /// A day by its number.
    pub(super) fn day(&self, number: i32) -> io::Result<Date> {
        self.first_day.checked_add(number.days()).map_err(io::Error::other)
    }

    /// A time of a day.
    pub(super) fn moment(&self, day: Date, hour: i8, minute: i8) -> io::Result<Zoned> {
        day.at(hour, minute, 0, 0).to_zoned(self.zone.clone()).map_err(io::Error::other)
    }

    /// The same by the day's number, as tables have it.
    pub(super) fn stamp(&self, number: i32, hour: i8, minute: i8) -> io::Result<String> {
        Ok(self.moment(self.day(number)?, hour, minute)?.timestamp().to_string())
    }

    /// First moment of the first day, and first moment after the last.
    pub(super) fn ends(&self) -> io::Result<(String, String)> {
        let after = self.last_day.tomorrow().map_err(io::Error::other)?;
        Ok((
            self.moment(self.first_day, 0, 0)?.timestamp().to_string(),
            self.moment(after, 0, 0)?.timestamp().to_string(),
        ))
    }
}

/// A map for each table, which says that it is made up.
pub(super) fn maps(plan: &Plan, folder: &Path) -> io::Result<()> {
    for kind in plan.tables() {
        let word = kind.word();
        let map = format!("kind = \"{word}\"\nsource = \"synthetic town\"\nmade = true\n");
        std::fs::write(folder.join(format!("{word}.toml")), map)?;
    }
    Ok(())
}
