//! A span of cycles in a few figures, gathered in one pass.

use std::{collections::BTreeMap, time::Duration};

use super::code::Coded;
use crate::{
    control::{CongestionState, PerDirection},
    units::{BitRate, Delay, Timestamp},
};

/// A cycle counts until the next one, unless that is further away than this: then cycles are
/// missing between the two, and nothing is known about that time.
const LONGEST_CYCLE: Duration = Duration::from_secs(2);

/// What a WAN's cycles of some span say.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of cycles.
    pub cycles: u64,
    /// When the first of them was; `None` if there are none.
    pub first: Option<Timestamp>,
    /// When the last of them was.
    pub last: Option<Timestamp>,
    /// The delay over the baseline; `None` if none was measured.
    pub delta: Option<DelaySummary>,
    /// What each direction did.
    pub directions: PerDirection<DirectionSummary>,
}

/// Exact percentiles (nearest rank) of the cycles' delays.
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
    /// The share of the time in each state, 0 to 1, mildest state first. They add up to 1, or to
    /// 0 if there are no cycles.
    pub states: [(CongestionState, f64); 4],
    /// Mean rate that got through; `None` if the router gave no counters.
    pub achieved: Option<BitRate>,
    /// Mean rate that was desired.
    pub desired: Option<BitRate>,
}

/// What the summary takes from one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    at: Timestamp,
    delta: Option<i64>,
    directions: PerDirection<SeenDirection>,
}

#[derive(Debug, Clone, Copy)]
struct SeenDirection {
    state: Option<CongestionState>,
    achieved: Option<i64>,
    desired: Option<i64>,
}

impl TryFrom<&rusqlite::Row<'_>> for Seen {
    type Error = rusqlite::Error;

    /// Reads `at`, the delta, and for each direction state, achieved and desired rate.
    fn try_from(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        let direction = |first: usize| {
            Ok::<_, rusqlite::Error>(SeenDirection {
                state: row.get::<_, Option<i64>>(first)?.and_then(CongestionState::from_code),
                achieved: row.get(first + 1)?,
                desired: row.get(first + 2)?,
            })
        };
        Ok(Self {
            at: Timestamp::from_micros(row.get(0)?),
            delta: row.get(1)?,
            directions: PerDirection { download: direction(2)?, upload: direction(5)? },
        })
    }
}

/// The sums so far.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    cycles: u64,
    first: Option<Timestamp>,
    pending: Option<Seen>,
    /// How long the cycle before the pending one held.
    held: Option<i64>,
    /// How many cycles had each delay: exact, and small, as delays repeat.
    deltas: BTreeMap<i64, u64>,
    directions: PerDirection<Sums>,
}

#[derive(Debug, Default)]
struct Sums {
    micros: [i64; 4],
    achieved: Mean,
    desired: Mean,
}

#[derive(Debug, Default)]
struct Mean {
    sum: i128,
    weight: i128,
}

impl Gathering {
    /// Adds a row, no earlier than the one before.
    pub(super) fn add(&mut self, seen: Seen) {
        self.cycles += 1;
        self.first.get_or_insert(seen.at);
        if let Some(delta) = seen.delta {
            *self.deltas.entry(delta).or_default() += 1;
        }
        if let Some(before) = self.pending.replace(seen) {
            let gap = seen.at.micros().saturating_sub(before.at.micros());
            let longest = Delay::from(LONGEST_CYCLE).micros();
            self.hold(&before, (gap <= longest).then_some(gap));
        }
    }

    /// Counts `seen` for `micros`, or for as long as the cycle before it if that is not known.
    fn hold(&mut self, seen: &Seen, micros: Option<i64>) {
        // A cycle all alone in the span has no length: any weight gives the right shares.
        let held = micros.or(self.held).unwrap_or(1);
        self.held = Some(held);
        for (direction, seen) in seen.directions.each() {
            let sums = &mut self.directions[direction];
            for (state, micros) in CongestionState::ALL.iter().zip(&mut sums.micros) {
                if Some(*state) == seen.state {
                    *micros += held;
                }
            }
            sums.achieved.add(seen.achieved, held);
            sums.desired.add(seen.desired, held);
        }
    }

    pub(super) fn finish(mut self) -> Summary {
        let last = self.pending.take();
        if let Some(last) = &last {
            self.hold(last, None);
        }
        Summary {
            cycles: self.cycles,
            first: self.first,
            last: last.map(|seen| seen.at),
            delta: percentiles(&self.deltas),
            directions: PerDirection::build(|direction| self.directions[direction].summary()),
        }
    }
}

impl Sums {
    fn summary(&self) -> DirectionSummary {
        let whole = self.micros.iter().sum::<i64>().max(1) as f64;
        let mut states = CongestionState::ALL.map(|state| (state, 0.0));
        for ((_, share), micros) in states.iter_mut().zip(self.micros) {
            *share = micros as f64 / whole;
        }
        DirectionSummary { states, achieved: self.achieved.rate(), desired: self.desired.rate() }
    }
}

impl Mean {
    fn add(&mut self, value: Option<i64>, weight: i64) {
        if let Some(value) = value {
            self.sum += i128::from(value) * i128::from(weight);
            self.weight += i128::from(weight);
        }
    }

    fn rate(&self) -> Option<BitRate> {
        let mean = self.sum.checked_div(self.weight)?;
        Some(BitRate::from_bps(u64::try_from(mean).unwrap_or_default()))
    }
}

/// Finds the percentiles of a histogram of exact values.
fn percentiles(deltas: &BTreeMap<i64, u64>) -> Option<DelaySummary> {
    let (&max, _) = deltas.last_key_value()?;
    let count: u64 = deltas.values().sum();
    let rank = |percent: u64| {
        let wanted = (count * percent).div_ceil(100);
        let mut passed = 0;
        let reached = deltas.iter().find(|(_, many)| {
            passed += **many;
            passed >= wanted
        });
        Delay::from_micros(reached.map_or(max, |(&delta, _)| delta))
    };
    Some(DelaySummary { p50: rank(50), p95: rank(95), p99: rank(99), max: Delay::from_micros(max) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(millis: i64, delta: Option<i64>, state: CongestionState, achieved: i64) -> Seen {
        let direction =
            SeenDirection { state: Some(state), achieved: Some(achieved), desired: None };
        Seen {
            at: Timestamp::from_micros(millis * 1000),
            delta,
            directions: PerDirection { download: direction, upload: direction },
        }
    }

    fn summary(rows: impl IntoIterator<Item = Seen>) -> Summary {
        let mut gathering = Gathering::default();
        rows.into_iter().for_each(|row| gathering.add(row));
        gathering.finish()
    }

    #[test]
    fn percentiles_are_exact() {
        let rows = (1..=1000).rev().map(|n| seen(2000 - n, Some(n), CongestionState::Green, 0));
        let delta = summary(rows).delta.unwrap();
        let micros = [delta.p50, delta.p95, delta.p99, delta.max].map(Delay::micros);
        assert_eq!(micros, [500, 950, 990, 1000]);
        assert_eq!(summary([seen(0, None, CongestionState::Green, 0)]).delta, None);
    }

    #[test]
    fn shares_and_means_follow_time_not_rows() {
        use CongestionState::{Green, Red};
        // 100 ms of green, 300 ms of red (skipped ticks), a hole, and green as long as the last.
        let rows = [
            seen(0, None, Green, 10),
            seen(50, None, Green, 10),
            seen(100, None, Red, 50),
            seen(400, None, Green, 10),
            seen(3_600_000, None, Green, 10),
        ];
        let summary = summary(rows);
        // 50 + 50 + (300: no better estimate) + (300: the last) of green, 300 of red.
        let [(_, green), _, _, (_, red)] = summary.directions.download.states;
        assert!((green - 0.7).abs() < 1e-9 && (red - 0.3).abs() < 1e-9, "{green} {red}");
        assert_eq!(summary.directions.upload.achieved, Some(BitRate::from_bps(22)));
        assert_eq!(summary.directions.upload.desired, None);
    }

    #[test]
    fn one_cycle_and_no_cycle_have_sensible_shares() {
        let one = summary([seen(7, None, CongestionState::Yellow, 3)]);
        assert_eq!(one.directions.download.states[1], (CongestionState::Yellow, 1.0));
        let none = summary([]);
        assert_eq!((none.cycles, none.first, none.last), (0, None, None));
        assert_eq!(none.directions.download.states[0], (CongestionState::Green, 0.0));
    }
}
