//! What a cycle means next to the one before it: counted traffic, and states that changed.

use std::{sync::Arc, time::Duration};

use wanctl_core::{
    Cycle, Direction, DirectionCycle, MeasurementState, PerDirection, Reason,
    units::{Delay, MonoTime},
};

use super::{
    Event,
    row::{Batch, Carry, CycleRow, EventRow},
};

/// A wall clock that moves this much more or less than the daemon's own clock was set.
const CLOCK_STEP: Duration = Duration::from_secs(1);

/// Remembers the last cycle of each WAN.
#[derive(Debug)]
pub(super) struct Tracker {
    wans: Vec<TrackedWan>,
}

/// One WAN as it was last seen.
#[derive(Debug, Clone, Default)]
struct TrackedWan {
    last: Option<Arc<Cycle>>,
    /// Counts that wait for the next row.
    carry: Carry,
    /// Why each direction's desired rate last changed.
    why: PerDirection<Option<Reason>>,
    /// When the reflectors fell silent.
    silent: Option<MonoTime>,
}

impl Tracker {
    pub(super) fn new(wans: usize) -> Self {
        Self { wans: vec![TrackedWan::default(); wans] }
    }

    /// Adds the row of `cycle` to `batch`, and an event for what is not as it was in the WAN's
    /// cycle before. A daemon's first cycle changes nothing.
    pub(super) fn take(&mut self, cycle: Arc<Cycle>, batch: &mut Batch) {
        let Some(wan) = self.wans.get_mut(cycle.wan) else { return };
        let before = wan.last.take();
        batch.cycles.push(CycleRow::new(&cycle, before.as_deref(), &mut wan.carry));
        if let Some(before) = before {
            let row = |event| EventRow::new(cycle.wall, Some(cycle.wan), &event);
            batch.events.extend(wan.changes(&before, &cycle).into_iter().map(row));
        }
        wan.last = Some(cycle);
    }
}

impl TrackedWan {
    fn changes(&mut self, before: &Cycle, now: &Cycle) -> Vec<Event> {
        let mut events = Vec::new();
        let (passed, own) = (now.wall.micros() - before.wall.micros(), now.at.since(before.at));
        let by = Delay::from_micros(passed) - Delay::from(own);
        if by.abs() > Delay::from(CLOCK_STEP) {
            events.push(Event::ClockStepped { by });
        }
        let (from, to) = (before.measurement.state, now.measurement.state);
        if from != to {
            events.push(Event::MeasurementChanged { from, to, fresh: now.measurement.fresh });
        }
        events.extend(self.outage(now));
        for (direction, seen) in now.directions.present() {
            if let Some(before) = &before.directions[direction] {
                self.direction(direction, before, seen, now, &mut events);
            }
        }
        events
    }

    fn outage(&mut self, now: &Cycle) -> Option<Event> {
        let state = now.measurement.state;
        let is_silent = matches!(
            state,
            MeasurementState::Collapsed | MeasurementState::Stalled | MeasurementState::CannotSend
        );
        match (is_silent, self.silent) {
            (true, None) => {
                self.silent = Some(now.at);
                Some(Event::ProbesLost { state })
            }
            (false, Some(since)) => {
                self.silent = None;
                Some(Event::ProbesRecovered { outage: now.at.since(since) })
            }
            (true, Some(_)) | (false, None) => None,
        }
    }

    fn direction(
        &mut self,
        direction: Direction,
        before: &DirectionCycle,
        seen: &DirectionCycle,
        now: &Cycle,
        events: &mut Vec<Event>,
    ) {
        let desired = seen.desired;
        if before.state != seen.state {
            events.push(Event::StateChanged {
                direction,
                from: before.state,
                to: seen.state,
                delta: now.measurement.delta,
                desired,
                reason: seen.reason,
            });
        }
        if desired != before.desired {
            self.why[direction] = Some(seen.reason);
        }
        let (was, is) = (&before.actuation, &seen.actuation);
        let reason = self.why[direction].unwrap_or(seen.reason);
        if is.writes > was.writes {
            events.push(Event::RateWritten {
                direction,
                from: was.written,
                to: is.written,
                reason,
            });
        } else if is.written.is_some()
            && was.observed == was.written
            && is.observed != is.written
            && is.observed.is_some()
        {
            // Before the first write nothing is ours: what is found at the start is no drift.
            let (written, found) = (is.written, is.observed);
            events.push(Event::LimitDrifted { direction, written, found });
        }
    }
}

#[cfg(test)]
mod tests;
