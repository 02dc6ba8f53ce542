//! A span of time in a few figures, summed up from the coarsest buckets that fit in it.
//!
//! Buckets merge without loss, so a year is read as some 8760 hours and tells what all of its
//! cycles would. Only at the two ends of the span are finer rows read, down to single cycles; an
//! end that lies in a bucket whose finer rows are forgotten takes the whole bucket.

use rusqlite::Connection;
use wanctl_core::{
    CongestionState, Direction, PerDirection,
    units::{BitRate, Delay, Timestamp},
};

use super::{
    bucket::{Bucket, DelayKind, RateKind},
    mark, raw, rollup,
    tier::{Level, Tier},
};

/// What a WAN's cycles of some span say.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of cycles.
    pub cycles: u64,
    /// When the first of them was, or began its bucket; `None` if there are none.
    pub first: Option<Timestamp>,
    /// When the last of them was, or began its bucket.
    pub last: Option<Timestamp>,
    /// The delay over the baseline; `None` if none was measured.
    pub delta: Option<DelaySummary>,
    /// What each direction did.
    pub directions: PerDirection<DirectionSummary>,
    /// All of it.
    pub total: Bucket,
}

/// Percentiles of the cycles' delays, right to 3.2 % or 64 µs, and the exact maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelaySummary {
    /// Half of the cycles had at most this delay.
    pub p50: Delay,
    /// 95 % had at most this.
    pub p95: Delay,
    /// 99 % had at most this.
    pub p99: Delay,
    /// The highest.
    pub max: Delay,
}

/// One direction in a span of cycles, weighted by the time for which each cycle held.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionSummary {
    /// The share of the measured time in each state, 0 to 1, mildest state first. They add up to 1,
    /// or to 0 if nothing was measured.
    pub states: [(CongestionState, f64); 4],
    /// The share of all time in which the state is unknown, 0 to 1.
    pub unknown: f64,
    /// Mean rate that got through; `None` if the router gave no counters.
    pub achieved: Option<BitRate>,
    /// Mean rate that was desired.
    pub desired: Option<BitRate>,
}

/// What has been summed up so far.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    total: Bucket,
    first: Option<i64>,
    last: Option<i64>,
}

impl Gathering {
    /// Adds a row that is at, or starts at, this millisecond.
    fn add(&mut self, at_ms: i64, bucket: &Bucket) {
        self.total.merge(bucket);
        self.first = Some(self.first.map_or(at_ms, |first| first.min(at_ms)));
        self.last = Some(self.last.map_or(at_ms, |last| last.max(at_ms)));
    }

    /// Adds the WAN's cycles from `from` on and before `to`, in ms.
    pub(super) fn gather(
        &mut self,
        connection: &Connection,
        wan: i64,
        from: i64,
        to: i64,
    ) -> rusqlite::Result<()> {
        self.collect(connection, wan, Level::Tier(Tier::Hour), from, to)
    }

    fn collect(
        &mut self,
        connection: &Connection,
        wan: i64,
        level: Level,
        from: i64,
        to: i64,
    ) -> rusqlite::Result<()> {
        if from >= to {
            return Ok(());
        }
        let Level::Tier(tier) = level else {
            return raw::visit(connection, wan, from..to, usize::MAX, |at, bucket| {
                self.add(at, &bucket);
            });
        };
        let finer = tier.finer().map_or(Level::Raw, Level::Tier);
        let built = mark::read(connection, wan, level)?.built;
        let finer_from = mark::read(connection, wan, finer)?.trimmed;
        let second = |millis: i64| millis.div_euclid(1000);
        let begin = if second(from) < finer_from {
            tier.floor(second(from))
        } else {
            tier.ceil(second(from.saturating_add(999)))
        };
        let end = if second(to.saturating_sub(1)) < finer_from {
            tier.ceil(second(to.saturating_add(999)))
        } else {
            tier.floor(second(to))
        };
        let end = end.min(built);
        if begin >= end {
            return self.collect(connection, wan, finer, from, to);
        }
        let millis = |second: i64| second.saturating_mul(1000);
        self.collect(connection, wan, finer, from, millis(begin))?;
        rollup::visit(connection, wan, tier, begin..end, usize::MAX, |start, bucket| {
            self.add(millis(start), &bucket);
        })?;
        self.collect(connection, wan, finer, millis(end), to)
    }

    pub(super) fn finish(self) -> Summary {
        let Self { total, first, last } = self;
        let at = |millis: i64| Timestamp::from_micros(millis.saturating_mul(1000));
        Summary {
            cycles: total.cycles(),
            first: first.map(at),
            last: last.map(at),
            delta: DelaySummary::of(&total, DelayKind::Delta),
            directions: PerDirection::build(|direction| DirectionSummary::of(&total, direction)),
            total,
        }
    }
}

impl DelaySummary {
    /// Returns the percentiles of a bucket's delay, or `None` if none was measured.
    #[must_use]
    pub fn of(bucket: &Bucket, kind: DelayKind) -> Option<Self> {
        let at = |quantile| bucket.quantile(kind, quantile);
        let max = bucket.delay(kind)?.max;
        Some(Self { p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)?, max })
    }
}

impl DirectionSummary {
    /// Returns what a direction did in a bucket.
    #[must_use]
    pub fn of(bucket: &Bucket, direction: Direction) -> Self {
        let measured = bucket.measured_ms(direction).max(1) as f64;
        let share = |state| bucket.state_ms(direction, state) as f64 / measured;
        let mean = |kind| bucket.rate(direction, kind).map(|rate| rate.mean);
        Self {
            states: CongestionState::MEASURED.map(|state| (state, share(state))),
            unknown: bucket.unknown_share(direction),
            achieved: mean(RateKind::Achieved),
            desired: mean(RateKind::Desired),
        }
    }
}
