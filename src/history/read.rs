//! The rows of a level, each as a bucket: a single cycle is the bucket of itself.

use std::{ops::Range, sync::LazyLock};

use rusqlite::Connection;

use super::{
    bucket::{Bucket, COLUMNS, HISTOGRAMS},
    row::{CycleValues, RAW_COLUMNS, raw_table, summed},
    tier::{Level, Tier},
};

/// The columns that [`Bucket::from_sql`] reads.
pub(super) static BUCKET_COLUMNS: LazyLock<String> = LazyLock::new(|| {
    let names = COLUMNS.iter().map(|(name, _)| name.as_str()).chain(HISTOGRAMS);
    names.collect::<Vec<_>>().join(", ")
});

/// Shows `see` at most `limit` rows that are at, or start at, a millisecond of `span`, oldest first.
pub(super) fn visit(
    connection: &Connection,
    wan: i64,
    level: Level,
    span: Range<i64>,
    limit: usize,
    mut see: impl FnMut(i64, Bucket),
) -> rusqlite::Result<()> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match level {
        Level::Raw => {
            let sql = format!(
                "SELECT at_ms, {} FROM {} WHERE at_ms >= ?1 AND at_ms < ?2 ORDER BY at_ms LIMIT ?3",
                RAW_COLUMNS.join(", "),
                raw_table(wan)
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([span.start, span.end, limit])?;
            while let Some(row) = rows.next()? {
                let mut values: CycleValues = [None; RAW_COLUMNS.len()];
                for (place, value) in values.iter_mut().enumerate() {
                    *value = row.get(place + 1)?;
                }
                see(row.get(0)?, summed(&values));
            }
        }
        Level::Tier(tier) => {
            let sql = format!(
                "SELECT start, {} FROM {} WHERE wan = ?1 AND start >= ?2 AND start < ?3
                 ORDER BY start LIMIT ?4",
                *BUCKET_COLUMNS,
                tier.table()
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let [from, to] = [span.start, span.end].map(ceil_second);
            let mut rows = statement.query([wan, from, to, limit])?;
            while let Some(row) = rows.next()? {
                see(millis(row.get(0)?), Bucket::from_sql(row, 1)?);
            }
        }
    }
    Ok(())
}

/// Returns the rows that [`visit`] shows.
pub(super) fn select(
    connection: &Connection,
    wan: i64,
    level: Level,
    span: Range<i64>,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Bucket)>> {
    let mut rows = Vec::new();
    visit(connection, wan, level, span, limit, |at_ms, bucket| rows.push((at_ms, bucket)))?;
    Ok(rows)
}

/// Merges rows, in order of time, into buckets of `tier`, each with the second at which it starts.
pub(super) fn grouped(rows: Vec<(i64, Bucket)>, tier: Tier) -> Vec<(i64, Bucket)> {
    let mut buckets: Vec<(i64, Bucket)> = Vec::new();
    for (at_ms, row) in rows {
        let start = tier.floor(second(at_ms));
        match buckets.last_mut() {
            Some((last, bucket)) if *last == start => bucket.merge(&row),
            _ => buckets.push((start, row)),
        }
    }
    buckets
}

/// Adds the cycles at the milliseconds from `from` on and before `to` to `total`: from the coarsest
/// buckets of `level` or finer that fit in, so that a year is some 8760 rows. An end that lies in a
/// bucket whose finer rows are forgotten takes the whole bucket.
pub(super) fn sum(
    connection: &Connection,
    wan: i64,
    level: Level,
    from: i64,
    to: i64,
    total: &mut Bucket,
) -> rusqlite::Result<()> {
    if from >= to {
        return Ok(());
    }
    let add = |_, bucket: Bucket| total.merge(&bucket);
    let Level::Tier(tier) = level else {
        return visit(connection, wan, level, from..to, usize::MAX, add);
    };
    let finer = tier.finer();
    let built = super::mark::read(connection, wan, level)?.built;
    let finer_from = super::mark::read(connection, wan, finer)?.trimmed;
    let is_forgotten = |at_ms: i64| second(at_ms) < finer_from;
    let floor = |at_ms: i64| tier.floor(second(at_ms));
    let ceil = |at_ms: i64| tier.ceil(ceil_second(at_ms));
    let begin = if is_forgotten(from) { floor(from) } else { ceil(from) };
    let end = if is_forgotten(to.saturating_sub(1)) { ceil(to) } else { floor(to) };
    let (begin, end) = (millis(begin), millis(end.min(built)));
    if begin >= end {
        return sum(connection, wan, finer, from, to, total);
    }
    visit(connection, wan, level, begin..end, usize::MAX, add)?;
    sum(connection, wan, finer, from, begin, total)?;
    sum(connection, wan, finer, end, to, total)
}

/// Returns the second that a millisecond lies in.
pub(super) const fn second(millis: i64) -> i64 {
    millis.div_euclid(1000)
}

/// Returns the first second that begins at the millisecond or after it.
pub(super) const fn ceil_second(millis: i64) -> i64 {
    millis.saturating_add(999).div_euclid(1000)
}

/// Returns the millisecond at which a second begins.
pub(super) const fn millis(second: i64) -> i64 {
    second.saturating_mul(1000)
}
