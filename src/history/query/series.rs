//! A span of time as a stream of rows, joined from all tiers that hold a part of it.
//!
//! What is older than a level reaches comes from the next coarser one, what is newer than a tier is
//! built comes from the finer one, summed up. The bounds between them are bounds of the coarser
//! buckets, so nothing is returned twice and nothing left out.
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
        mark,
        read::{ceil_second, grouped, millis, second, select},
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
        match self {
            Self::Raw => Level::Raw,
            Self::Tier(tier) => Level::Tier(tier),
            Self::Auto => {
                let longest = [120_000, 3_600_000, 172_800_000, 1_209_600_000];
                Level::ALL[longest.iter().take_while(|longest| millis > **longest).count()]
            }
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

impl<'a> Series<'a> {
    pub(super) fn new(
        reader: &'a Reader,
        wan: i64,
        from: Timestamp,
        to: Timestamp,
        resolution: Resolution,
    ) -> Self {
        let [from, to] = [from, to].map(super::ceil_millis);
        let level = resolution.level(to.saturating_sub(from));
        // Whole buckets: those that hold the ends are in.
        let (position, to) = match level {
            Level::Raw => (from, to),
            Level::Tier(tier) => {
                (millis(tier.floor(second(from))), millis(tier.ceil(ceil_second(to))))
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
        let (level, end) = self.stretch(connection)?;
        let end = end.min(self.to);
        let first = match level {
            Level::Raw => self.position,
            Level::Tier(source) => millis(source.floor(second(self.position))),
        };
        let rows = select(connection, self.wan, level, first..end, PAGE_ROWS)?;
        let full = rows.len() == PAGE_ROWS;
        let Level::Tier(tier) = level.max(self.level) else {
            self.position = rows.last().filter(|_| full).map_or(end, |(last, _)| last + 1);
            let point = |(at_ms, bucket)| Point { at: at(at_ms), tier: None, bucket };
            self.page.extend(rows.into_iter().map(point));
            return Ok(());
        };
        let mut buckets = grouped(rows, tier);
        self.position = end;
        // The last bucket of a full page may lack rows: the next page begins with it. A page has
        // more rows than a bucket, so it is never the first.
        if full && let Some((start, _)) = buckets.pop() {
            self.position = millis(start).max(first);
        }
        for (start, bucket) in buckets {
            let start = at(millis(start));
            match self.page.back_mut() {
                Some(last) if last.at == start => last.bucket.merge(&bucket),
                _ => self.page.push_back(Point { at: start, tier: Some(tier), bucket }),
            }
        }
        Ok(())
    }

    /// Returns the level that holds the rows from the position on, and up to which millisecond.
    fn stretch(&self, connection: &Connection) -> rusqlite::Result<(Level, i64)> {
        let second = second(self.position);
        // Where the wanted level and what is finer has been forgotten, the next coarser holds.
        let mut level = self.level;
        let mut end = i64::MAX;
        while let Some(coarser) = level.coarser() {
            let trimmed = mark::read(connection, self.wan, level)?.trimmed;
            if second >= trimmed {
                break;
            }
            (level, end) = (Level::Tier(coarser), trimmed);
        }
        // Where that is not built yet, the finer one does.
        while let Level::Tier(tier) = level {
            let built = mark::read(connection, self.wan, level)?.built;
            if second < built {
                end = end.min(built);
                break;
            }
            level = tier.finer();
        }
        Ok((level, millis(end)))
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
