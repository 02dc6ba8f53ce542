//! From cycles to buckets, and from buckets to coarser buckets.
//!
//! Every cycle enters a tier in exactly one of two ways:
//! - a complete bucket is *built*, once, from the finer tier's rows;
//! - a cycle that arrives for a bucket that is built already (a late batch, a wall clock that was
//!   set back) is *added* to it, and to the coarser ones, in the transaction that stores it.
//!
//! The finest tier is added to with each batch. So after every commit each level has the same sums
//! as the cycles below it, whatever the wall clock does and whenever the process is killed.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};

use super::{
    bucket::{Bucket, COLUMNS, DERIVED, HISTOGRAMS},
    mark,
    read::{BUCKET_COLUMNS, grouped, millis, select},
    tier::{Level, Tier},
};

/// Rows that one step of building reads: a few milliseconds, and more than the finer rows of any
/// bucket.
const STEP_ROWS: usize = 512;

/// Adds `bucket` to the tier's bucket that starts at `start`, and to those above that have been
/// built of it.
pub(super) fn add(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    start: i64,
    bucket: &Bucket,
) -> rusqlite::Result<()> {
    let sql =
        format!("SELECT {} FROM {} WHERE wan = ?1 AND start = ?2", *BUCKET_COLUMNS, tier.table());
    let stored = connection
        .prepare_cached(&sql)?
        .query_row([wan, start], |row| Bucket::from_sql(row, 0))
        .optional()?;
    let mut whole = stored.unwrap_or_default();
    whole.merge(bucket);
    put(connection, wan, tier, start, &whole)?;
    let Some(coarser) = tier.coarser() else { return Ok(()) };
    if start < mark::read(connection, wan, Level::Tier(coarser))?.built {
        add(connection, wan, coarser, coarser.floor(start), bucket)?;
    }
    Ok(())
}

/// Builds some of the tier's buckets that end at or before the second `until`, and returns whether
/// there may be more. To be called in a transaction.
pub(super) fn build(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    until: i64,
) -> rusqlite::Result<bool> {
    let finer = tier.finer();
    let built = mark::read(connection, wan, Level::Tier(tier))?.built;
    let until = tier.floor(until.min(mark::read(connection, wan, finer)?.built));
    if until <= built {
        return Ok(false);
    }
    let rows = select(connection, wan, finer, millis(built)..millis(until), STEP_ROWS)?;
    let more = rows.len() == STEP_ROWS;
    let mut buckets = grouped(rows, tier);
    // The last group of a full page may lack rows: the next step builds it.
    let reached = if more { buckets.pop().map_or(until, |(start, _)| start) } else { until };
    for (start, bucket) in &buckets {
        put(connection, wan, tier, *start, bucket)?;
    }
    mark::raise(connection, wan, Level::Tier(tier), "built", reached)?;
    Ok(more)
}

fn put(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    start: i64,
    bucket: &Bucket,
) -> rusqlite::Result<()> {
    let columns: Vec<&str> = ["wan", "start"]
        .into_iter()
        .chain(COLUMNS.iter().map(|(name, _)| name.as_str()))
        .chain(DERIVED.map(|(name, ..)| name))
        .chain(HISTOGRAMS)
        .collect();
    let marks = vec!["?"; columns.len()].join(", ");
    let (table, columns) = (tier.table(), columns.join(", "));
    let sql = format!("INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})");
    let key = [wan, start].map(Value::Integer);
    let values = params_from_iter(key.into_iter().chain(bucket.to_sql()));
    connection.prepare_cached(&sql)?.execute(values).map(drop)
}
