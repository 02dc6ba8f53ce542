//! A span of time as a stream of rows, joined from all tiers that hold a part of it.
//!
//! What is older than a level reaches comes from the next coarser one, what is newer than a tier is
//! built comes from the finer one, summed up. The bounds between them are bounds of the coarser
//! buckets, so nothing is told twice and nothing left out.
//!
//! A stream reads a page at a time and holds no transaction between pages: however slowly it is
//! consumed, it never keeps the writer from cutting back its log, and takes the memory of a page.

use std::collections::VecDeque;

use rusqlite::Connection;
use wanctl_core::units::Timestamp;

use super::{
    super::{
        HistoryError,
        bucket::Bucket,
        mark, raw, rollup,
        schema::failed,
        tier::{Level, Tier},
    },
    Reader,
};

/// Rows in a page: more than the seconds of an hour.
const PAGE_ROWS: usize = 4096;

/// How fine the rows of a stream are. Rows that are older than that is kept are as fine as there
/// are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// So that a span has about 300 to 4000 rows.
    Auto,
    /// Single cycles.
    Raw,
    /// Buckets of this tier.
    Tier(Tier),
}

impl Resolution {
    /// Returns the resolution of this name: `auto`, `raw`, `1s`, `1m`, `5m` or `1h`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "raw" => Some(Self::Raw),
            name => Tier::ALL.into_iter().find(|tier| tier.name() == name).map(Self::Tier),
        }
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Raw => "raw",
            Self::Tier(tier) => tier.name(),
        }
    }

    /// Returns what this means for a span of time: never [`Self::Auto`].
    #[must_use]
    pub fn settled(self, from: Timestamp, to: Timestamp) -> Self {
        match self.level(to.micros().saturating_sub(from.micros()) / 1000) {
            Level::Raw => Self::Raw,
            Level::Tier(tier) => Self::Tier(tier),
        }
    }

    /// Returns the level to read for a span of this many ms.
    fn level(self, millis: i64) -> Level {
        const SECOND: i64 = 1000;
        match self {
            Self::Raw => Level::Raw,
            Self::Tier(tier) => Level::Tier(tier),
            Self::Auto if millis <= 2 * 60 * SECOND => Level::Raw,
            Self::Auto if millis <= 3600 * SECOND => Level::Tier(Tier::Second),
            Self::Auto if millis <= 2 * 86_400 * SECOND => Level::Tier(Tier::Minute),
            Self::Auto if millis <= 14 * 86_400 * SECOND => Level::Tier(Tier::FiveMinutes),
            Self::Auto => Level::Tier(Tier::Hour),
        }
    }
}

/// A row of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// When the cycle was, or the bucket starts.
    pub at: Timestamp,
    /// The bucket's tier; `None` for a single cycle.
    pub tier: Option<Tier>,
    /// What it says.
    pub bucket: Bucket,
}

/// The rows of one WAN in some span, oldest first. After an error it ends.
#[derive(Debug)]
pub struct Series<'a> {
    reader: &'a Reader,
    wan: i64,
    level: Level,
    /// Where the next page starts, in ms.
    position: i64,
    to: i64,
    page: VecDeque<Point>,
}

/// One stretch of the span that a single level holds.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    level: Level,
    /// In ms.
    end: i64,
}

impl<'a> Series<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        wan: i64,
        from: Timestamp,
        to: Timestamp,
        resolution: Resolution,
    ) -> Self {
        let [from, to] = [from, to].map(|at| at.micros().saturating_add(999).div_euclid(1000));
        let level = resolution.level(to.saturating_sub(from));
        // Whole buckets: those that hold the ends are in.
        let (position, to) = match level {
            Level::Raw => (from, to),
            Level::Tier(tier) => {
                let second = |millis: i64| millis.saturating_add(999).div_euclid(1000);
                let millis = |second: i64| second.saturating_mul(1000);
                (millis(tier.floor(from.div_euclid(1000))), millis(tier.ceil(second(to))))
            }
        };
        Self { reader, wan, level, position, to, page: VecDeque::new() }
    }

    /// Reads until a page has rows or the span is at its end. The last bucket of a page waits for
    /// the next page: what lies beyond the bound of two levels may belong to it.
    fn turn(&mut self) -> rusqlite::Result<()> {
        while self.page.len() < 2 && self.position < self.to {
            // One view of marks and rows; it ends with this page.
            let snapshot = self.reader.connection.unchecked_transaction()?;
            self.read(&snapshot)?;
        }
        Ok(())
    }

    fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let Stretch { level, end } = self.stretch(connection)?;
        let end = end.min(self.to);
        let tier = match (level, self.level) {
            (Level::Raw, Level::Raw) => {
                let mut rows = 0;
                let mut last = self.position;
                let page = &mut self.page;
                raw::visit(
                    connection,
                    self.wan,
                    self.position..end,
                    PAGE_ROWS,
                    |at_ms, bucket| {
                        (rows, last) = (rows + 1, at_ms);
                        page.push_back(Point { at: at(at_ms), tier: None, bucket });
                    },
                )?;
                self.position = if rows == PAGE_ROWS { last + 1 } else { end };
                return Ok(());
            }
            (Level::Raw, Level::Tier(tier)) | (Level::Tier(tier), Level::Raw) => tier,
            (Level::Tier(source), Level::Tier(wanted)) => source.max(wanted),
        };
        let Level::Tier(source) = level else { return Ok(()) };
        let first = source.floor(self.position.div_euclid(1000));
        let until = end.saturating_add(999).div_euclid(1000);
        let rows = rollup::select(connection, self.wan, source, first, until, PAGE_ROWS)?;
        let full = rows.len() == PAGE_ROWS;
        let mut buckets = rollup::grouped(rows, tier);
        self.position = end;
        // The last bucket of a full page may lack rows: the next page begins with it. A page has
        // more rows than a bucket, so it is never the first.
        if full && let Some((start, _)) = buckets.pop() {
            self.position = start.max(first).saturating_mul(1000);
        }
        for (start, bucket) in buckets {
            let start = at(start.saturating_mul(1000));
            match self.page.back_mut() {
                Some(last) if last.at == start => last.bucket.merge(&bucket),
                _ => self.page.push_back(Point { at: start, tier: Some(tier), bucket }),
            }
        }
        Ok(())
    }

    /// Tells which level holds the rows from the position on, and how far.
    fn stretch(&self, connection: &Connection) -> rusqlite::Result<Stretch> {
        let second = self.position.div_euclid(1000);
        // Where the wanted level and what is finer has been forgotten, the next coarser holds.
        let mut level = self.level;
        let mut end = i64::MAX;
        loop {
            let trimmed = mark::read(connection, self.wan, level)?.trimmed;
            match level.coarser() {
                Some(coarser) if second < trimmed => {
                    end = trimmed;
                    level = Level::Tier(coarser);
                }
                _ => break,
            }
        }
        // Where that is not built yet, the finer one does.
        while let Level::Tier(tier) = level {
            let built = mark::read(connection, self.wan, level)?.built;
            if second < built {
                end = end.min(built);
                break;
            }
            let Some(finer) = tier.finer() else { break };
            level = Level::Tier(finer);
        }
        Ok(Stretch { level, end: end.saturating_mul(1000) })
    }
}

impl Iterator for Series<'_> {
    type Item = Result<Point, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.turn() {
            self.position = self.to;
            return Some(Err(failed("reading", &self.reader.path)(error)));
        }
        self.page.pop_front().map(Ok)
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis.saturating_mul(1000))
}

#[cfg(test)]
mod tests;
