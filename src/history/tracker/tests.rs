use wanctl_core::{
    CongestionState,
    units::{BitRate, Timestamp},
};

use super::{super::fixture, *};

#[test]
fn each_change_is_one_event_and_sameness_is_none() {
    let (mut tracker, mut batch) = (Tracker::new(2), Batch::default());
    let calm = fixture::cycle(0, 1);
    let mut congested = fixture::cycle(0, 3);
    congested.directions.upload.as_mut().unwrap().state = CongestionState::Red;
    congested.measurement.state = MeasurementState::Reduced;
    let expected = [
        Event::MeasurementChanged {
            from: MeasurementState::Healthy,
            to: MeasurementState::Reduced,
            fresh: congested.measurement.fresh,
        },
        Event::StateChanged {
            direction: Direction::Upload,
            from: CongestionState::Green,
            to: CongestionState::Red,
            delta: congested.measurement.delta,
            desired: congested.directions.upload.unwrap().desired,
            reason: congested.directions.upload.unwrap().reason,
        },
    ]
    .map(|event| EventRow::new(congested.wall, Some(0), &event));

    tracker.take(Arc::new(calm), &mut batch);
    // The other WAN's cycle in between is not a cycle before this WAN's.
    tracker.take(Arc::new(fixture::cycle(1, 1)), &mut batch);
    tracker.take(Arc::new(fixture::cycle(0, 2)), &mut batch);
    assert_eq!(batch.events, []);
    tracker.take(Arc::new(congested.clone()), &mut batch);
    congested.wall = Timestamp::from_micros(congested.wall.micros() + 50_000);
    tracker.take(Arc::new(congested), &mut batch);
    assert_eq!(batch.events, expected);
    assert_eq!(batch.cycles.len(), 5);
}

/// Returns the events of these cycles, kind and payload.
fn events(cycles: impl IntoIterator<Item = Cycle>) -> Vec<EventRow> {
    fixture::batch(cycles).events
}

fn row(cycle: &Cycle, event: &Event) -> EventRow {
    EventRow::new(cycle.wall, Some(0), event)
}

#[test]
fn a_written_rate_reports_why_it_was_wanted() {
    let quiet = fixture::cycle(0, 1);
    let cut = |number: u64| {
        let mut cycle = fixture::cycle(0, number);
        cycle.directions.upload.as_mut().unwrap().desired = BitRate::from_mbps(10.0);
        cycle
    };
    let mut decided = cut(2);
    decided.directions.upload.as_mut().unwrap().reason = Reason::CutQueue;
    let mut followed = cut(3);
    followed.directions.upload.as_mut().unwrap().actuation.writes += 1;
    followed.directions.upload.as_mut().unwrap().actuation.written = Some(BitRate::from_mbps(10.0));
    let expected = Event::RateWritten {
        direction: Direction::Upload,
        from: decided.directions.upload.unwrap().actuation.written,
        to: Some(BitRate::from_mbps(10.0)),
        reason: Reason::CutQueue,
    };
    let reported = events([quiet, decided, followed.clone()]);
    assert_eq!(reported, [row(&followed, &expected)]);
}

#[test]
fn a_limit_that_somebody_else_set_is_reported_once() {
    let agreed = |number: u64| {
        let mut cycle = fixture::cycle(0, number);
        cycle.directions.download.as_mut().unwrap().actuation.observed =
            cycle.directions.download.unwrap().actuation.written;
        cycle
    };
    let drifted = |number: u64| {
        let mut cycle = agreed(number);
        cycle.directions.download.as_mut().unwrap().actuation.observed =
            Some(BitRate::from_mbps(5.0));
        cycle
    };
    let reported = events([agreed(1), drifted(2), drifted(3), agreed(4)]);
    let expected = Event::LimitDrifted {
        direction: Direction::Download,
        written: agreed(2).directions.download.unwrap().actuation.written,
        found: Some(BitRate::from_mbps(5.0)),
    };
    assert_eq!(reported, [row(&drifted(2), &expected)]);
}

#[test]
fn an_outage_of_the_probes_has_a_beginning_an_end_and_a_length() {
    use MeasurementState::{Collapsed, Healthy, Stalled};

    let cycle = |number: u64, state| {
        let mut cycle = fixture::cycle(0, number);
        cycle.measurement.state = state;
        cycle
    };
    let reported =
        events([cycle(1, Healthy), cycle(2, Collapsed), cycle(3, Stalled), cycle(9, Healthy)]);
    let lost = row(&cycle(2, Collapsed), &Event::ProbesLost { state: Collapsed });
    let outage = fixture::STEP * 7;
    let back = row(&cycle(9, Healthy), &Event::ProbesRecovered { outage });
    assert_eq!(reported.len(), 5, "{reported:?}");
    assert!(reported.contains(&lost) && reported.contains(&back), "{reported:?}");
}

#[test]
fn a_clock_that_was_set_is_reported() {
    let mut after = fixture::cycle(0, 2);
    after.wall = Timestamp::from_micros(after.wall.micros() - 3_600_000_000);
    let expected = Event::ClockStepped { by: Delay::from_micros(-3_600_000_000) };
    assert_eq!(events([fixture::cycle(0, 1), after.clone()]), [row(&after, &expected)]);
}
