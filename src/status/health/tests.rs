use std::sync::Arc;

use wanctl_core::{
    CongestionState, Direction, Limits, MeasurementState, PerDirection, ProbeMethod, Timing, Wan,
    units::{BitRate, Timestamp},
};
use wanctl_lab::law_benchmark::default_params;

use super::*;
use crate::{
    actuator::RouterReport,
    status::{ClockWatch, LoopCounts, SteeringBoard, WanView},
};

/// An hour after the epoch.
const WALL: Timestamp = Timestamp::from_micros(3_600_000_000);

fn inputs(cycle: Option<Cycle>, now_ms: u64) -> HealthInputs {
    HealthInputs {
        listen_error: None,
        now: MonoTime::from_millis(now_ms),
        wall: WALL,
        wans: vec![("cable".to_owned(), cycle.map(Arc::new))],
        loops: vec![LoopCounts::default()],
        probing: vec![ProbingInputs::default()],
        routers: vec![RouterStanding {
            name: "router".to_owned(),
            kind: "routeros",
            report: RouterReport { up: Some(true), ..RouterReport::default() },
        }],
        router_of: vec![0],
        history: None,
        config: ConfigInputs {
            mode: "active",
            sha256: String::new(),
            taken: WALL,
            reminders: std::collections::BTreeMap::new(),
            reload_failure: None,
            awaits_restart: Vec::new(),
        },
        clock: ClockWatch::default(),
        steering: SteeringBoard::default(),
        switch_problems: Vec::new(),
    }
}

/// A cycle at second 10, whose measurement is in this state.
fn cycle(state: MeasurementState, fresh: u16) -> Cycle {
    let at = MonoTime::from_millis(10_000);
    let rate = BitRate::from_bps(50_000_000);
    let limits = PerDirection::build(|_| Limits { floor: rate, base: rate, ceiling: rate });
    let mut decision = Wan::new(&default_params(limits), at).decide(at);
    decision.measurement.state = state;
    decision.measurement.fresh = fresh;
    if state.is_measured() {
        for direction in Direction::ALL {
            decision.directions[direction].as_mut().unwrap().state = CongestionState::Green;
        }
    }
    Cycle {
        wan: 0,
        number: 200,
        at,
        wall: WALL,
        measurement: decision.measurement,
        directions: decision.directions,
        reflectors: decision.reflectors,
        samples: Vec::new(),
        method: Some(ProbeMethod::IcmpEcho),
        timing: Timing::default(),
    }
}

#[test]
fn a_loop_has_some_time_to_begin_and_to_turn_and_no_more() {
    for (cycle, now_ms, live) in [
        (None, 4_900, true),
        (None, 5_100, false),
        (Some(cycle(MeasurementState::Healthy, 6)), 14_900, true),
        (Some(cycle(MeasurementState::Healthy, 6)), 15_100, false),
    ] {
        let health = Health::assess(&inputs(cycle, now_ms));
        assert_eq!(health.live, live, "{now_ms} ms: {health:#?}");
        if !live {
            assert_eq!(health.status, Level::Failing);
            assert_eq!(health.wans[0].control.status, Level::Failing);
            assert_eq!(health.not_ready_reasons, ["cable: the control loop does not run"]);
        }
    }
}

#[test]
fn an_outage_is_reported_and_nothing_that_is_not_measured_is_called_green() {
    for (state, fresh, ready, shown, level) in [
        (MeasurementState::Starting, 0, false, "unknown", Level::Degraded),
        (MeasurementState::Healthy, 6, true, "green", Level::Ok),
        (MeasurementState::Reduced, 1, true, "green", Level::Degraded),
        (MeasurementState::Collapsed, 0, false, "unknown", Level::Degraded),
        (MeasurementState::Stalled, 0, false, "unknown", Level::Degraded),
        (MeasurementState::Bypass, 6, true, "unknown", Level::Degraded),
        (MeasurementState::CannotSend, 0, false, "unknown", Level::Degraded),
    ] {
        let cycle = cycle(state, fresh);
        let view = WanView::of("cable", &[], Some(&cycle), Vec::new(), None);
        assert_eq!(view.download.unwrap().state, shown);
        let health = Health::assess(&inputs(Some(cycle), 10_050));
        let wan = &health.wans[0];
        assert_eq!((health.ready, wan.measurement.status), (ready, level), "{state:?}");
        assert_eq!(wan.measurement.reasons.is_empty(), level == Level::Ok);
        assert_eq!(wan.control.values.as_ref().unwrap().download_state.as_deref(), Some(shown));
        assert!(health.live, "an outage of the link is no reason to be restarted");
    }
}

#[test]
fn what_is_not_in_use_is_off_and_does_not_count() {
    let health = Health::assess(&inputs(Some(cycle(MeasurementState::Healthy, 6)), 10_050));
    assert_eq!(health.parts.history.status, Level::Off);
    assert_eq!(health.parts.steering.status, Level::Off);
    assert_eq!(health.status, Level::Ok);
}

#[test]
fn a_history_that_stands_still_and_a_clock_that_was_set_are_reported() {
    let mut inputs = inputs(Some(cycle(MeasurementState::Healthy, 6)), 700_000);
    inputs.history = Some(HistoryInputs {
        last_commit: Some(Timestamp::from_micros(WALL.micros() - 31_000_000)),
        ..HistoryInputs::default()
    });
    inputs.clock.see(MonoTime::from_millis(60_000), WALL);
    inputs.clock.see(MonoTime::from_millis(120_000), WALL);
    let health = Health::assess(&inputs);
    assert!(health.parts.history.reasons[0].starts_with("no row was written for 31 s"));
    assert_eq!(
        health.parts.clock.reasons,
        ["the wall clock was set by -60 s 9 min ago: records have a gap or overlap there"]
    );
    inputs.now = MonoTime::from_millis(721_000);
    let clock = Health::assess(&inputs).parts.clock;
    assert_eq!((clock.status, clock.values.steps), (Level::Ok, 1), "reported for ten minutes");
}

#[test]
fn a_rate_that_is_not_enforced_is_reported_unless_it_only_decays() {
    for (observed_mbps, reported) in [(None, true), (Some(49), false), (Some(40), true)] {
        let mut cycle = cycle(MeasurementState::Healthy, 6);
        let actuation = &mut cycle.directions.upload.as_mut().unwrap().actuation;
        actuation.pending_since = Some(MonoTime::from_millis(3_000));
        actuation.observed = observed_mbps.map(|mbps| BitRate::from_bps(mbps * 1_000_000));
        let actuator = Health::assess(&inputs(Some(cycle), 10_050)).wans.remove(0).actuator;
        let reason = "the router has not enforced the upload rate for 7 s";
        assert_eq!(actuator.reasons, [reason][usize::from(!reported)..], "{observed_mbps:?}");
    }
}
