//! From cycles to buckets, and from buckets to coarser buckets.
//!
//! Two ways lead into a tier, and every cycle takes exactly one of them:
//! - a bucket that is complete is *built*, once, of the finer tier's rows;
//! - what arrives for a bucket that has been built already (a late batch, a wall clock that was
//!   set back) is *added* to it, and to the coarser one, in the transaction that stores it.
//!
//! The finest tier is added to with each batch. So after every commit each level tells the same
//! sums as the cycles below it, whatever the wall clock does and whenever the process is killed.

use rusqlite::{Connection, OptionalExtension, params_from_iter, types::Value};
use std::sync::LazyLock;

use super::{
    bucket::{Bucket, COLUMNS, DERIVED, HISTOGRAMS},
    mark,
    tier::{Level, Tier},
};

/// Rows that are read for one step of building: a few milliseconds, and more than the finer rows
/// of any bucket.
const STEP_ROWS: usize = 512;

/// The columns that [`Bucket::from_sql`] reads.
static READ_COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let names = COLUMNS.iter().map(|(name, _)| name.as_str()).chain(HISTOGRAMS);
    names.collect::<Vec<_>>().join(", ")
});

/// Adds `bucket` to the tier's bucket that starts at `start`, and to those above that have been
/// built of it.
pub(super) fn add(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    start: i64,
    bucket: &Bucket,
) -> rusqlite::Result<()> {
    let mut whole = get(connection, wan, tier, start)?.unwrap_or_default();
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
    let Some(finer) = tier.finer() else { return Ok(false) };
    let until = tier.floor(until.min(mark::read(connection, wan, Level::Tier(finer))?.built));
    let built = mark::read(connection, wan, Level::Tier(tier))?.built;
    if until <= built {
        return Ok(false);
    }
    let rows = select(connection, wan, finer, built, until, STEP_ROWS)?;
    let more = rows.len() == STEP_ROWS;
    let mut buckets = grouped(rows, tier);
    // The last group of a full page may lack rows: the next step builds it.
    let reached = if more { buckets.pop().map_or(until, |(start, _)| start) } else { until };
    for (start, bucket) in &buckets {
        put(connection, wan, tier, *start, bucket)?;
    }
    mark::set_built(connection, wan, tier, reached)?;
    Ok(more)
}

/// Merges rows, in order of time, into buckets of `tier`.
pub(super) fn grouped(rows: Vec<(i64, Bucket)>, tier: Tier) -> Vec<(i64, Bucket)> {
    let mut buckets: Vec<(i64, Bucket)> = Vec::new();
    for (at, row) in rows {
        let start = tier.floor(at);
        match buckets.last_mut() {
            Some((last, bucket)) if *last == start => bucket.merge(&row),
            _ => buckets.push((start, row)),
        }
    }
    buckets
}

/// Returns at most `limit` buckets that start from `from` on and before `to`, oldest first.
pub(super) fn select(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    from: i64,
    to: i64,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Bucket)>> {
    let mut rows = Vec::new();
    visit(connection, wan, tier, from..to, limit, |start, bucket| rows.push((start, bucket)))?;
    Ok(rows)
}

/// Shows `see` at most `limit` buckets that start in `span`, oldest first.
pub(super) fn visit(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    span: std::ops::Range<i64>,
    limit: usize,
    mut see: impl FnMut(i64, Bucket),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT start, {} FROM {} WHERE wan = ?1 AND start >= ?2 AND start < ?3
         ORDER BY start LIMIT ?4",
        *READ_COLUMNS,
        tier.table()
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([wan, span.start, span.end, limit])?;
    while let Some(row) = rows.next()? {
        see(row.get(0)?, Bucket::from_sql(row, 1)?);
    }
    Ok(())
}

fn get(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    start: i64,
) -> rusqlite::Result<Option<Bucket>> {
    let sql =
        format!("SELECT {} FROM {} WHERE wan = ?1 AND start = ?2", *READ_COLUMNS, tier.table());
    connection
        .prepare_cached(&sql)?
        .query_row([wan, start], |row| Bucket::from_sql(row, 0))
        .optional()
}

fn put(
    connection: &Connection,
    wan: i64,
    tier: Tier,
    start: i64,
    bucket: &Bucket,
) -> rusqlite::Result<()> {
    // By name: a column that came with an upgrade is the table's last.
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
    connection
        .prepare_cached(&sql)?
        .execute(params_from_iter(key.into_iter().chain(bucket.to_sql())))?;
    Ok(())
}
