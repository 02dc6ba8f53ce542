//! Whether a history is whole and its tiers agree.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wanctl_core::units::Timestamp;

use super::{
    HistoryError, Reader,
    bucket::{Bucket, COLUMNS},
    mark::{self, Mark},
    read::{millis, second, select, visit},
    schema::{self, failed},
    tier::{Level, Tier},
};

/// Seconds that are compared at a time: what bounds the memory.
const STRETCH: i64 = 3600;
/// Differences that are reported one by one.
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
        let problem: String = row.get(0)?;
        if problem != "ok" {
            found.problems.push(problem);
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
        for level in [Level::Tier(self.tier), self.level] {
            visit(connection, self.wan, level, millis(from)..i64::MAX, 1, |at_ms, _| {
                first = Some(first.map_or(at_ms, |first: i64| first.min(at_ms)));
            })?;
        }
        Ok(first.map(|at_ms| self.tier.floor(second(at_ms))))
    }

    fn compare(
        &self,
        connection: &Connection,
        from: i64,
        end: i64,
        found: &mut Verification,
    ) -> rusqlite::Result<()> {
        let span = millis(from)..millis(end);
        let mut below: BTreeMap<i64, Bucket> = BTreeMap::new();
        visit(connection, self.wan, self.level, span.clone(), usize::MAX, |at_ms, bucket| {
            match self.level {
                Level::Raw => found.cycles += 1,
                Level::Tier(Tier::Second) => found.gaps += bucket.gaps(),
                Level::Tier(_) => {}
            }
            below.entry(self.tier.floor(second(at_ms))).or_default().merge(&bucket);
        })?;
        let built = select(connection, self.wan, Level::Tier(self.tier), span, usize::MAX)?;
        found.compared += built.len() as u64;
        let differing = built.into_iter().filter_map(|(at_ms, bucket)| {
            let start = second(at_ms);
            Some(match below.remove(&start) {
                Some(rows) if rows == bucket => return None,
                Some(rows) => {
                    (start, format!("differs from its rows: {}", difference(&bucket, &rows)))
                }
                None => (start, "has no rows below it".to_owned()),
            })
        });
        let mut problems: Vec<(i64, String)> = differing.collect();
        let missing = |start| (start, "is missing, although there are rows below it".to_owned());
        problems.extend(below.into_keys().map(missing));
        let free = MAX_REPORTED.saturating_sub(found.problems.len());
        found.problems.extend(problems.into_iter().take(free).map(|(start, problem)| {
            let (view, at) = (self.tier.view(), moment(start));
            format!("{}: the bucket of {view} at {at} {problem}", self.name)
        }));
        Ok(())
    }
}

fn difference(bucket: &Bucket, rows: &Bucket) -> String {
    let mut places = 0..COLUMNS.len();
    let Some(place) = places.find(|place| bucket.at(*place) != rows.at(*place)) else {
        return "a histogram differs".to_owned();
    };
    let shown = |value: Option<i64>| value.map_or("nothing".to_owned(), |n| n.to_string());
    let (here, below) = (shown(bucket.at(place)), shown(rows.at(place)));
    format!("{} is {here}, not {below}", COLUMNS[place].0)
}

fn moment(second: i64) -> String {
    super::answer::utc(Timestamp::from_micros(second.saturating_mul(1_000_000)))
}

#[cfg(test)]
mod tests;
