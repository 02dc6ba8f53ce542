//! Whether a history is whole and its tiers agree.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wanctl_core::units::Timestamp;

use super::{
    HistoryError, Reader,
    bucket::Bucket,
    mark::Mark,
    raw, rollup,
    schema::failed,
    tier::{Level, Tier},
};
use crate::history::{mark, schema};

/// Seconds that are compared at a time: what bounds the memory.
const STRETCH: i64 = 3600;
/// Disagreements that are told one by one.
const MAX_REPORTED: usize = 20;

/// What [`Reader::verify`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// What is wrong, in plain words; empty if nothing is. At most some twenty.
    pub problems: Vec<String>,
    /// Buckets that were compared with what they are built of.
    pub compared: u64,
    /// Holes in the single cycles and seconds that are kept: starts, dropped cycles, pauses of more
    /// than 2 s. They are no fault of the file.
    pub gaps: u64,
    /// Cycles that are kept singly.
    pub cycles: u64,
}

impl Reader {
    /// Checks the file's structure, that each level reaches as far as the one below it begins, and
    /// that every bucket says what the rows say that it was built of, as far as these are kept.
    /// Reads all of the file, an hour of it at a time.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`] if the file cannot be read to its end.
    pub fn verify(&self) -> Result<Verification, HistoryError> {
        let mut found = Verification::default();
        let checked = check(&self.connection, &mut found);
        checked.map_err(failed("verifying", &self.path))?;
        Ok(found)
    }
}

fn check(connection: &Connection, found: &mut Verification) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let reported: String = row.get(0)?;
        if reported != "ok" {
            found.problems.push(reported);
        }
    }
    for (wan, name) in schema::all_wans(connection)? {
        for level in Level::ALL {
            let Some(tier) = level.coarser() else { continue };
            let snapshot = connection.unchecked_transaction()?;
            let reach = mark::read(&snapshot, wan, level)?;
            let built = mark::read(&snapshot, wan, Level::Tier(tier))?.built;
            if reach.trimmed > built {
                found.problems.push(format!(
                    "{name}: rows up to {} are forgotten, but {} is built up to {} only: a hole",
                    moment(reach.trimmed),
                    tier.view(),
                    moment(built)
                ));
            }
            drop(snapshot);
            Comparison { connection, wan, name: &name, level, tier }.run(found)?;
        }
    }
    Ok(())
}

/// A tier of a WAN against the level that it is built of.
struct Comparison<'a> {
    connection: &'a Connection,
    wan: i64,
    name: &'a str,
    level: Level,
    tier: Tier,
}

impl Comparison<'_> {
    fn run(&self, found: &mut Verification) -> rusqlite::Result<()> {
        let mut position = i64::MIN;
        loop {
            // Each stretch is a view of its own: a live history moves on, and its log must not grow.
            let snapshot = self.connection.unchecked_transaction()?;
            let below = mark::read(&snapshot, self.wan, self.level)?;
            let Mark { built, trimmed } = mark::read(&snapshot, self.wan, Level::Tier(self.tier))?;
            // Either side may have been forgotten further than the other.
            let trimmed = self.tier.ceil(below.trimmed.max(trimmed));
            let from = self.next(&snapshot, position.max(trimmed))?.filter(|&from| from < built);
            let Some(from) = from else { return Ok(()) };
            let end = Tier::Hour.floor(from).saturating_add(STRETCH).min(built);
            self.compare(&snapshot, from, end, found)?;
            position = end;
        }
    }

    /// Returns the first bucket of which either side has a row, from `from` on.
    fn next(&self, connection: &Connection, from: i64) -> rusqlite::Result<Option<i64>> {
        let mut first = None;
        rollup::visit(connection, self.wan, self.tier, from..i64::MAX, 1, |start, _| {
            first = Some(start);
        })?;
        let below = match self.level {
            Level::Raw => {
                let mut at = None;
                let millis = from.saturating_mul(1000)..i64::MAX;
                raw::visit(connection, self.wan, millis, 1, |at_ms, _| at = Some(at_ms))?;
                at.map(|at_ms| at_ms.div_euclid(1000))
            }
            Level::Tier(finer) => {
                let mut at = None;
                rollup::visit(connection, self.wan, finer, from..i64::MAX, 1, |start, _| {
                    at = Some(start);
                })?;
                at
            }
        };
        Ok([first, below].into_iter().flatten().min().map(|at| self.tier.floor(at)))
    }

    fn compare(
        &self,
        connection: &Connection,
        from: i64,
        end: i64,
        found: &mut Verification,
    ) -> rusqlite::Result<()> {
        let mut below: BTreeMap<i64, Bucket> = BTreeMap::new();
        let mut add = |second: i64, bucket: &Bucket| {
            below.entry(self.tier.floor(second)).or_default().merge(bucket);
        };
        match self.level {
            Level::Raw => {
                let span = from.saturating_mul(1000)..end.saturating_mul(1000);
                raw::visit(connection, self.wan, span, usize::MAX, |at_ms, bucket| {
                    found.cycles += 1;
                    add(at_ms.div_euclid(1000), &bucket);
                })?;
            }
            Level::Tier(finer) => {
                rollup::visit(connection, self.wan, finer, from..end, usize::MAX, |at, bucket| {
                    if finer == Tier::Second {
                        found.gaps += bucket.gaps();
                    }
                    add(at, &bucket);
                })?;
            }
        }
        let built = rollup::select(connection, self.wan, self.tier, from, end, usize::MAX)?;
        found.compared += built.len() as u64;
        for (start, bucket) in built {
            let reported = match below.remove(&start) {
                Some(rows) if rows == bucket => continue,
                Some(rows) => format!("says other than its rows: {}", difference(&bucket, &rows)),
                None => "has no rows below it".to_owned(),
            };
            self.report(start, &reported, found);
        }
        for start in below.into_keys() {
            self.report(start, "is missing, although there are rows below it", found);
        }
        Ok(())
    }

    fn report(&self, start: i64, reported: &str, found: &mut Verification) {
        if found.problems.len() < MAX_REPORTED {
            let (view, at) = (self.tier.view(), moment(start));
            found.problems.push(format!("{}: the bucket of {view} at {at} {reported}", self.name));
        }
    }
}

fn difference(bucket: &Bucket, rows: &Bucket) -> String {
    let mut columns = super::bucket::COLUMNS.iter().map(|(name, _)| name);
    let differs = columns.find(|name| bucket.value(name) != rows.value(name));
    differs.map_or_else(
        || "a histogram differs".to_owned(),
        |name| {
            let reported =
                |value: Option<i64>| value.map_or("nothing".to_owned(), |n| n.to_string());
            let (here, below) = (reported(bucket.value(name)), reported(rows.value(name)));
            format!("{name} is {here}, not {below}")
        },
    )
}

fn moment(second: i64) -> String {
    let at = Timestamp::from_micros(second.saturating_mul(1_000_000));
    jiff::Timestamp::from_microsecond(at.micros()).map_or(second.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests;
