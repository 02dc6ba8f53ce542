//! How far each level reaches: the table `mark`.
//!
//! For every WAN and level, in seconds since the epoch: buckets before `built` are complete (the
//! finest tier is built with the cycles, so it needs no such mark), and rows before `trimmed` are
//! forgotten. Always `trimmed` of a level ≤ `built` of the tier above: nothing is forgotten before
//! a coarser bucket holds it.

use rusqlite::{Connection, OptionalExtension, params};

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

/// Notes that buckets before `built` are complete.
pub(super) fn set_built(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    built: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO mark (wan, level, built) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET built = excluded.built",
        )?
        .execute(params![wan, tier.seconds(), built])?;
    Ok(())
}

/// Notes that rows before `trimmed` are forgotten.
pub(super) fn set_trimmed(
    connection: &Connection,
    wan: i64,
    level: Level,
    trimmed: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO mark (wan, level, trimmed) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET trimmed = max(trimmed, excluded.trimmed)",
        )?
        .execute(params![wan, level.mark(), trimmed])?;
    Ok(())
}
