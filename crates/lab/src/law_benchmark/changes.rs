//! Drops and rises of a link's capacity, and how long it took until they were answered.

use std::time::Duration;

use wanctl_core::{
    Direction,
    units::{BitRate, Delay},
};

use super::record::RecordedCycle;

/// A drop leaves at most this share of the capacity; a rise is as much the other way.
const LEFT: f64 = 0.7;
/// It happens within this time …
const WITHIN: Duration = Duration::from_secs(1);
/// … and lasts at least as long as this. Anything shorter is over before it can be answered.
const HOLDS: Duration = Duration::from_secs(2);
/// A delay below this is no trouble.
const CALM: Delay = Delay::from_micros(30_000);
/// It has to stay below for this long to count.
const STAYS_CALM: Duration = Duration::from_secs(1);
/// A shaper at this share of a new capacity has followed it.
const FOLLOWED: f64 = 0.9;

/// A lasting change of the capacity under demand.
#[derive(Debug, Clone, Copy)]
struct Change {
    /// The place of its first moment.
    start: usize,
    /// The capacity that is never passed while the change holds: the lowest after a rise, the
    /// highest after a drop.
    new: BitRate,
}

/// Returns for each drop in `direction` the seconds until the delay was calm again. One that
/// never was counts until the demand, or the run, ended.
pub(super) fn answers_to_drops(moments: &[RecordedCycle], direction: Direction) -> Vec<f64> {
    let answer = |change: Change| {
        let start = moments[change.start].at;
        let mut calm_since = None;
        let mut end = start;
        for moment in in_demand(moments, change.start, direction) {
            end = moment.at;
            // A call that hears nothing is not a calm one.
            let is_calm = moment.lost == 0 && moment.worst.is_some_and(|worst| worst < CALM);
            calm_since = is_calm.then_some(calm_since.unwrap_or(moment.at));
            if let Some(since) = calm_since
                && moment.at.saturating_sub(since) >= STAYS_CALM
            {
                return since.saturating_sub(start).as_secs_f64();
            }
        }
        end.saturating_sub(start).as_secs_f64()
    };
    changes(moments, direction, false).into_iter().map(answer).collect()
}

/// Returns for each rise in `direction` the seconds until the shaper had followed it, or was at
/// `ceiling`. If it never had, the time counts until the new capacity, the demand or the run
/// ended.
pub(super) fn answers_to_rises(
    moments: &[RecordedCycle],
    direction: Direction,
    ceiling: BitRate,
) -> Vec<f64> {
    let answer = |change: Change| {
        let wanted = change.new.min(ceiling).scaled(FOLLOWED);
        let start = moments[change.start].at;
        let mut end = start;
        for moment in in_demand(moments, change.start, direction) {
            end = moment.at;
            let enforced = moment.enforced[direction];
            let has_followed = enforced == BitRate::ZERO || enforced >= wanted;
            if has_followed || moment.capacity[direction] < change.new {
                break;
            }
        }
        end.saturating_sub(start).as_secs_f64()
    };
    changes(moments, direction, true).into_iter().map(answer).collect()
}

fn in_demand(
    moments: &[RecordedCycle],
    start: usize,
    direction: Direction,
) -> impl Iterator<Item = &RecordedCycle> {
    moments[start..].iter().take_while(move |moment| moment.demand[direction])
}

fn changes(moments: &[RecordedCycle], direction: Direction, up: bool) -> Vec<Change> {
    let mut found = Vec::new();
    let mut at = 1;
    while at < moments.len() {
        match change_at(moments, at, direction, up) {
            Some((change, next)) => {
                found.push(change);
                at = next;
            }
            None => at += 1,
        }
    }
    found
}

/// Returns the change that begins at `at`, and the place of the moment from which on it holds.
fn change_at(
    moments: &[RecordedCycle],
    at: usize,
    direction: Direction,
    up: bool,
) -> Option<(Change, usize)> {
    let rate = |moment: &RecordedCycle| moment.capacity[direction];
    let now = &moments[at];
    let before = moments[..at]
        .iter()
        .rev()
        .take_while(|past| now.at.saturating_sub(past.at) <= WITHIN)
        .map(rate);
    let beyond = if up {
        before.min()?.scaled(1.0 / LEFT).max(BitRate::from_bps(1))
    } else {
        before.max()?.scaled(LEFT)
    };
    let has_changed = |moment: &RecordedCycle| {
        let rate = rate(moment);
        moment.demand[direction] && if up { rate >= beyond } else { rate <= beyond }
    };
    // Nothing can be a fraction of nothing.
    if !has_changed(now) || beyond == BitRate::ZERO {
        return None;
    }
    let held = moments[at..].iter().position(|later| later.at.saturating_sub(now.at) >= HOLDS)?;
    let held = &moments[at..=at + held];
    let new = if up { held.iter().map(rate).min() } else { held.iter().map(rate).max() }?;
    held.iter().all(has_changed).then_some((Change { start: at, new }, at + held.len()))
}
