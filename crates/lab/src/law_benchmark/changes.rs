//! Drops and rises of a link's capacity, and how long it took until they were answered.

use std::time::Duration;

use wanctl_core::{
    Direction,
    units::{BitRate, Delay},
};

use super::record::RecordedCycle;

/// A drop leaves at most this share of the capacity; a rise is as much the other way.
const REMAINING_SHARE: f64 = 0.7;
/// It happens within this time …
const WITHIN: Duration = Duration::from_secs(1);
/// … and lasts at least as long as this. Anything shorter is over before it can be answered.
const HOLDS: Duration = Duration::from_secs(2);
/// A delay below this is low.
const LOW_DELAY: Delay = Delay::from_micros(30_000);
/// It has to stay low for this long to count.
const LOW_FOR: Duration = Duration::from_secs(1);
/// A shaper at this share of a new capacity has reached it.
const FOLLOWED: f64 = 0.9;

/// A lasting change of the capacity under demand.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// The place of its first cycle.
    start: usize,
    /// The capacity that is never passed while the change holds: the lowest after a rise, the
    /// highest after a drop.
    new: BitRate,
}

/// Returns for each drop in `direction` the seconds until the delay was low again. One that
/// never was counts until the demand, or the run, ended.
pub(super) fn answers_to_drops(cycles: &[RecordedCycle], direction: Direction) -> Vec<f64> {
    let answer = |change: Change| {
        let start = cycles[change.start].at;
        let mut low_since = None;
        let mut end = start;
        for cycle in in_demand(cycles, change.start, direction) {
            end = cycle.at;
            // Without packets there is no low delay.
            let is_low = cycle.lost == 0 && cycle.worst.is_some_and(|worst| worst < LOW_DELAY);
            low_since = is_low.then_some(low_since.unwrap_or(cycle.at));
            if let Some(since) = low_since
                && cycle.at.saturating_sub(since) >= LOW_FOR
            {
                return since.saturating_sub(start).as_secs_f64();
            }
        }
        end.saturating_sub(start).as_secs_f64()
    };
    changes(cycles, direction, false).into_iter().map(answer).collect()
}

/// Returns for each rise in `direction` the seconds until the shaper had reached it, or was at
/// `ceiling`. If it never had, the time counts until the new capacity, the demand or the run
/// ended.
pub(super) fn answers_to_rises(
    cycles: &[RecordedCycle],
    direction: Direction,
    ceiling: BitRate,
) -> Vec<f64> {
    let answer = |change: Change| {
        let wanted = change.new.min(ceiling).scaled(FOLLOWED);
        let start = cycles[change.start].at;
        let mut end = start;
        for cycle in in_demand(cycles, change.start, direction) {
            end = cycle.at;
            let enforced = cycle.enforced[direction];
            let has_followed = enforced == BitRate::ZERO || enforced >= wanted;
            if has_followed || cycle.capacity[direction] < change.new {
                break;
            }
        }
        end.saturating_sub(start).as_secs_f64()
    };
    changes(cycles, direction, true).into_iter().map(answer).collect()
}

fn in_demand(
    cycles: &[RecordedCycle],
    start: usize,
    direction: Direction,
) -> impl Iterator<Item = &RecordedCycle> {
    cycles[start..].iter().take_while(move |cycle| cycle.demand[direction])
}

fn changes(cycles: &[RecordedCycle], direction: Direction, up: bool) -> Vec<Change> {
    let mut found = Vec::new();
    let mut at = 1;
    while at < cycles.len() {
        match change_at(cycles, at, direction, up) {
            Some((change, next)) => {
                found.push(change);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

/// Returns the change that begins at `at`, and the place of the cycle from which on it holds.
fn change_at(
    cycles: &[RecordedCycle],
    at: usize,
    direction: Direction,
    up: bool,
) -> Option<(Change, usize)> {
    let rate = |cycle: &RecordedCycle| cycle.capacity[direction];
    let now = &cycles[at];
    let before = cycles[..at]
        .iter()
        .rev()
        .take_while(|past| now.at.saturating_sub(past.at) <= WITHIN)
        .map(rate);
    let beyond = if up {
        before.min()?.scaled(1.0 / REMAINING_SHARE).max(BitRate::from_bps(1))
    } else {
        before.max()?.scaled(REMAINING_SHARE)
    };
    let has_changed = |cycle: &RecordedCycle| {
        let rate = rate(cycle);
        cycle.demand[direction] && if up { rate >= beyond } else { rate <= beyond }
    };
    // There is no share of zero.
    if !has_changed(now) || beyond == BitRate::ZERO {
        return None;
    }
    let held = cycles[at..].iter().position(|later| later.at.saturating_sub(now.at) >= HOLDS)?;
    let held = &cycles[at..=at + held];
    let new = if up { held.iter().map(rate).min() } else { held.iter().map(rate).max() }?;
    held.iter().all(has_changed).then_some((Change { start: at, new }, at + held.len()))
}
