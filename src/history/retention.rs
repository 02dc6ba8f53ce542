//! Forgetting what is old, a little at a time.
//!
//! The writer calls this about once a second. Each step is a transaction of its own of about a
//! millisecond, so that neither the queue nor a reader ever meets a long one.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::units::{Delay, Timestamp};

/// Events are few and tell the story of a link.
const EVENT_RETENTION: Duration = Duration::from_hours(365 * 24);
/// Rows in one step: 25 s of cycles, about 50 kB.
const SLICE_ROWS: i64 = 500;
/// Steps in one call when there is more to remove than one step takes, after a long stop or a
/// shortened retention: two days of cycles go in a quarter of an hour.
const SLICES_WHEN_BEHIND: usize = 10;
/// Free pages that are left in the file for the next rows; to give them back and to take them
/// again would only write more.
const SPARE_PAGES: i64 = 256;
/// Pages given back in one call.
const VACUUM_PAGES: i64 = 64;

/// Removes cycles of `wans` that are older than `raw_retention` at `now` and events older than a
/// year, oldest first, and gives free pages back to the file system.
pub(super) fn trim(
    connection: &Connection,
    wans: &[i64],
    now: Timestamp,
    raw_retention: Duration,
) -> rusqlite::Result<()> {
    let cut = before(now, raw_retention);
    for &wan in wans {
        for _ in 0..SLICES_WHEN_BEHIND {
            if !trim_cycles(connection, wan, cut)? {
                break;
            }
        }
    }
    trim_events(connection, before(now, EVENT_RETENTION))?;
    vacuum(connection)
}

fn before(now: Timestamp, span: Duration) -> i64 {
    now.micros().saturating_sub(Delay::from(span).micros())
}

/// Removes one slice, and returns whether there is more.
fn trim_cycles(connection: &Connection, wan: i64, cut: i64) -> rusqlite::Result<bool> {
    let end: Option<i64> = connection
        .prepare_cached(
            "SELECT at FROM cycle WHERE wan = ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET ?3",
        )?
        .query_row(params![wan, cut, SLICE_ROWS], |row| row.get(0))
        .optional()?;
    // Asked first, because even a deletion of nothing takes the write lock.
    let due = match end {
        Some(_) => true,
        None => connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM cycle WHERE wan = ?1 AND at < ?2)")?
            .query_row([wan, cut], |row| row.get(0))?,
    };
    if due {
        connection
            .prepare_cached("DELETE FROM cycle WHERE wan = ?1 AND at < ?2")?
            .execute([wan, end.unwrap_or(cut)])?;
    }
    Ok(end.is_some())
}

fn trim_events(connection: &Connection, cut: i64) -> rusqlite::Result<()> {
    let due: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM event WHERE at < ?1)")?
        .query_row([cut], |row| row.get(0))?;
    if due {
        connection
            .prepare_cached(
                "DELETE FROM event WHERE id IN
                 (SELECT id FROM event WHERE at < ?1 ORDER BY at LIMIT ?2)",
            )?
            .execute([cut, SLICE_ROWS])?;
    }
    Ok(())
}

fn vacuum(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 =
        connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    let surplus = (free - SPARE_PAGES).min(VACUUM_PAGES);
    if surplus > 0 {
        // It frees one page for each row that is asked for, so all must be.
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({surplus})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
