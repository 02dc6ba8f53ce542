//! Publishes what steering decided: metrics, the board, the log and the history.

use std::collections::BTreeMap;

use tracing::{info, warn};
use wanctl_core::{
    steering::{Move, Rank, RouteActuation, SteeringDecision, SteeringMode, Switch},
    units::Timestamp,
};

use crate::{
    clock::Clock,
    history::{Event, Recorder, SavedSteering, SteeringInputs},
    status::SteeringBoard,
    telemetry::SteeringMetrics,
};

/// Publishes decisions.
#[derive(Debug)]
pub(super) struct SteeringPublisher {
    metrics: SteeringMetrics,
    recorder: Option<Recorder>,
    board: SteeringBoard,
    /// The WANs' places in the configuration, by rank.
    places: Vec<usize>,
    names: Vec<String>,
    seen: BTreeMap<Switch, bool>,
}

impl SteeringPublisher {
    pub(super) fn new(
        metrics: SteeringMetrics,
        recorder: Option<Recorder>,
        board: SteeringBoard,
        places: Vec<usize>,
    ) -> Self {
        Self { metrics, recorder, board, places, names: Vec::new(), seen: BTreeMap::new() }
    }

    /// Returns the name of a WAN, known since the first decision.
    pub(super) fn name(&self, rank: Rank) -> Option<String> {
        self.names.get(rank.0).cloned()
    }

    pub(super) fn keep(&self, at: Timestamp, kept: &SavedSteering) {
        if let Some(recorder) = &self.recorder {
            recorder.steering(at, kept);
        }
    }

    pub(super) fn publish(&mut self, decision: SteeringDecision, actuation: RouteActuation) {
        if self.names.is_empty() {
            self.names = decision.wans.iter().map(|wan| wan.name.clone()).collect();
        }
        self.metrics.record(&decision);
        self.publish_decision(&decision);
        self.publish_switches(&actuation);
        self.board.record(decision, actuation, Clock::wall());
    }

    fn publish_decision(&self, decision: &SteeringDecision) {
        let SteeringDecision { steer, failover, mode, .. } = decision;
        let inputs = || Box::new(SteeringInputs::of(decision));
        let would = if *mode == SteeringMode::Active { "" } else { "would: " };
        if let Some((from, to)) = steer.transition {
            let event =
                Event::SteeringStateChanged { from: from.name(), to: to.name(), inputs: inputs() };
            self.record(None, event);
        }
        if let Some(moved) = steer.moved {
            let (from, to) = self.ends(moved);
            let (reason, score) = (steer.reason.code(), steer.score.points);
            info!(
                from,
                to, reason, score, "{would}new latency-sensitive connections move to another WAN"
            );
            self.record(Some(moved.from), Event::Steered { from, to, inputs: inputs() });
        }
        if let Some(moved) = failover.moved {
            let (from, to) = self.ends(moved);
            let reason = failover.reason.code();
            warn!(from, to, reason, "{would}the default route moves to another WAN");
            self.record(Some(moved.from), Event::FailedOver { from, to, inputs: inputs() });
        }
    }

    /// Records what the router was seen to do: it may differ from what was decided.
    fn publish_switches(&mut self, actuation: &RouteActuation) {
        for report in &actuation.switches {
            let Some((enabled, _)) = report.seen else { continue };
            if self.seen.insert(report.switch, enabled) == Some(enabled) {
                continue;
            }
            let switch_wan = self.name(report.switch.wan).unwrap_or_default();
            let switch = report.switch.kind.name();
            let event = Event::SwitchChanged { switch_wan, switch, enabled };
            self.record(Some(report.switch.wan), event);
        }
    }

    fn ends(&self, moved: Move) -> (String, String) {
        let name = |rank| self.name(rank).unwrap_or_default();
        (name(moved.from), name(moved.to))
    }

    fn record(&self, wan: Option<Rank>, event: Event) {
        if let Some(recorder) = &self.recorder {
            let place = wan.and_then(|rank| self.places.get(rank.0).copied());
            recorder.event(Clock::wall(), place, event);
        }
    }
}
