//! What a cycle means next to the one before it: counted traffic, and states that changed.

use std::sync::Arc;

use super::{
    Event,
    row::{Batch, Carry, CycleRow, EventRow},
};
use crate::control::Cycle;

/// Remembers the last cycle of each WAN.
#[derive(Debug)]
pub(super) struct Tracker {
    last: Vec<Option<Arc<Cycle>>>,
    /// Counts of each WAN that wait for its next row.
    carries: Vec<Carry>,
}

impl Tracker {
    pub(super) fn new(wans: usize) -> Self {
        Self { last: vec![None; wans], carries: vec![Carry::default(); wans] }
    }

    /// Adds the row of `cycle` to `batch`, and an event for each state that is not what it was
    /// in the WAN's cycle before. A daemon's first cycle changes nothing.
    pub(super) fn take(&mut self, cycle: Arc<Cycle>, batch: &mut Batch) {
        let Some(slot) = self.last.get_mut(cycle.wan) else { return };
        let Some(carry) = self.carries.get_mut(cycle.wan) else { return };
        batch.cycles.push(CycleRow::new(&cycle, slot.as_deref(), carry));
        if let Some(before) = slot {
            let rows = changes(before, &cycle)
                .into_iter()
                .map(|event| EventRow::new(cycle.wall, Some(cycle.wan), &event));
            batch.events.extend(rows);
        }
        *slot = Some(cycle);
    }
}

fn changes(before: &Cycle, now: &Cycle) -> Vec<Event> {
    let mut events = Vec::new();
    if before.measurement.state != now.measurement.state {
        events.push(Event::MeasurementChanged {
            from: before.measurement.state,
            to: now.measurement.state,
            fresh: now.measurement.fresh,
        });
    }
    for (direction, seen) in now.directions.each() {
        let from = before.directions[direction].state;
        if from != seen.state {
            events.push(Event::StateChanged {
                direction,
                from,
                to: seen.state,
                delta: now.measurement.delta,
                desired: seen.desired,
                reason: seen.reason,
            });
        }
    }
    events
}

#[cfg(test)]
mod tests {
    use super::{super::fixture, *};
    use crate::{
        control::{CongestionState, Direction, MeasurementState},
        units::Timestamp,
    };

    #[test]
    fn each_change_is_one_event_and_sameness_is_none() {
        let (mut tracker, mut batch) = (Tracker::new(2), Batch::default());
        let calm = fixture::cycle(0, 1);
        let mut bloated = fixture::cycle(0, 3);
        bloated.directions.upload.state = CongestionState::Red;
        bloated.measurement.state = MeasurementState::Reduced;
        let expected = [
            Event::MeasurementChanged {
                from: MeasurementState::Healthy,
                to: MeasurementState::Reduced,
                fresh: bloated.measurement.fresh,
            },
            Event::StateChanged {
                direction: Direction::Upload,
                from: CongestionState::Green,
                to: CongestionState::Red,
                delta: bloated.measurement.delta,
                desired: bloated.directions.upload.desired,
                reason: bloated.directions.upload.reason,
            },
        ]
        .map(|event| EventRow::new(bloated.wall, Some(0), &event));

        tracker.take(Arc::new(calm), &mut batch);
        // The other WAN's cycle in between is not a cycle before this WAN's.
        tracker.take(Arc::new(fixture::cycle(1, 1)), &mut batch);
        tracker.take(Arc::new(fixture::cycle(0, 2)), &mut batch);
        assert_eq!(batch.events, []);
        tracker.take(Arc::new(bloated.clone()), &mut batch);
        bloated.wall = Timestamp::from_micros(bloated.wall.micros() + 50_000);
        tracker.take(Arc::new(bloated), &mut batch);
        assert_eq!(batch.events, expected);
        assert_eq!(batch.cycles.len(), 5);
    }
}
