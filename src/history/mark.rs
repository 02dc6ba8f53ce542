//! The table `mark`: how far each level of a WAN reaches, in seconds since the epoch.
//!
//! Buckets before `built` are complete (the finest tier is built with the cycles and needs no such
//! mark), and rows before `trimmed` are forgotten. `trimmed` of a level is at most `built` of the
//! tier above: nothing is forgotten before a coarser bucket holds it.

use rusqlite::{Connection, OptionalExtension};

use super::tier::{Level, Tier};

/// How far a level reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Buckets before this second are complete; for cycles and the finest tier: all are.
    pub(super) built: i64,
    /// Rows before this second are forgotten.
    pub(super) trimmed: i64,
}

/// Returns the marks of a WAN's level.
pub(super) fn read(connection: &Connection, wan: i64, level: Level) -> rusqlite::Result<Mark> {
    let stored = connection
        .prepare_cached("SELECT built, trimmed FROM mark WHERE wan = ?1 AND level = ?2")?
        .query_row([wan, level.mark()], |row| Ok(Mark { built: row.get(0)?, trimmed: row.get(1)? }))
        .optional()?;
    let mark = stored.unwrap_or(Mark { built: 0, trimmed: 0 });
    Ok(match level {
        Level::Raw | Level::Tier(Tier::Second) => Mark { built: i64::MAX, ..mark },
        Level::Tier(_) => mark,
    })
}

/// Raises the mark in `column`, `built` or `trimmed`, to the second `reached`.
pub(super) fn raise(
    connection: &Connection,
    wan: i64,
    level: Level,
    column: &str,
    reached: i64,
) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO mark (wan, level, {column}) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET {column} = max({column}, excluded.{column})"
    );
    connection.prepare_cached(&sql)?.execute([wan, level.mark(), reached]).map(drop)
}
