//! What the cycles of one WAN say to steering.

use std::time::Duration;

use super::{
    FailoverParams, Reach, Signals, SteerParams, WanFacts,
    flap_damping::{FlapDamping, Since},
    reachability::Reachability,
    trend::QueueTrend,
};
use crate::{
    CongestionState, Cycle, Direction, Measurement, MeasurementState, PerDirection, Timing,
    units::{Delay, MonoTime},
};

/// A cycle older than this, and than four intervals, is stale.
const FRESH_AT_LEAST: Duration = Duration::from_secs(1);
const FRESH_INTERVALS: u32 = 4;
/// A SOFT_RED of three cycles at 50 ms, as v1.7 counted, is more than a passing one.
const SOFT_RED_SUSTAINED: Duration = Duration::from_millis(150);
/// A rate is at its floor for good after this long: the law is quicker than that to raise it.
const AT_FLOOR_LASTS: Duration = Duration::from_secs(1);

/// The newest cycle, reduced to what counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct CycleSnapshot {
    at: MonoTime,
    fresh_for: Duration,
    pub(super) measurement: Measurement,
    /// The worst of what is shaped.
    pub(super) state: CongestionState,
    /// Traffic over ceiling (0 to about 1), the greatest of what is shaped; `None` if unknown.
    pub(super) share: Option<f64>,
}

/// What is known of one WAN.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    newest: Option<CycleSnapshot>,
    trends: PerDirection<QueueTrend>,
    /// The smoothed delay over the baseline, in microseconds.
    delta: Option<f64>,
    soft_red: Since,
    at_floor: Since,
    reachability: Reachability,
    above_threshold: Since,
    /// When it was congested or dead, for steering…
    bad_spells: FlapDamping,
    /// …and when it was dead, for failover.
    deaths: FlapDamping,
}

impl Watch {
    pub(super) fn new(now: MonoTime) -> Self {
        Self {
            newest: None,
            trends: PerDirection::default(),
            delta: None,
            soft_red: Since::default(),
            at_floor: Since::default(),
            reachability: Reachability::new(now),
            above_threshold: Since::default(),
            bad_spells: FlapDamping::default(),
            deaths: FlapDamping::default(),
        }
    }

    /// Takes in a cycle; one that is not newer than the last changes nothing. `others_send`:
    /// another WAN's probes can be sent.
    pub(super) fn on_cycle(
        &mut self,
        cycle: &Cycle,
        others_send: bool,
        facts: &WanFacts,
        (steer, failover): (&SteerParams, &FailoverParams),
    ) {
        let before = self.newest.map(|snapshot| snapshot.at);
        if before.is_some_and(|before| cycle.at <= before) {
            return;
        }
        let Timing { interval, .. } = cycle.timing;
        let fresh_for = FRESH_AT_LEAST.max(interval * FRESH_INTERVALS);
        let gap = before.map(|before| cycle.at.since(before)).filter(|gap| *gap < fresh_for);
        if gap.is_none() {
            self.reachability.interrupted();
            (self.soft_red, self.at_floor) = (Since::default(), Since::default());
            self.delta = None;
        }
        for direction in Direction::ALL {
            let reading =
                cycle.directions[direction].as_ref().and_then(|reported| reported.queue.as_ref());
            self.trends[direction].update(cycle.at, reading);
        }
        self.smooth(cycle.measurement.delta, gap, steer.assessment.smoothing);
        let states = cycle.directions.present().map(|(_, channel)| channel.state);
        let state = states.reduce(CongestionState::worse).unwrap_or(CongestionState::Unknown);
        self.soft_red.keep(state == CongestionState::SoftRed, cycle.at);
        let at_floor = cycle.directions.present().any(|(direction, channel)| {
            channel.state > CongestionState::Green
                && facts.limits[direction].is_some_and(|limits| channel.desired <= limits.floor)
        });
        self.at_floor.keep(at_floor, cycle.at);
        self.reachability.update(cycle, others_send, failover);
        let measurement = cycle.measurement;
        let share = share(cycle, facts);
        self.newest = Some(CycleSnapshot { at: cycle.at, fresh_for, measurement, state, share });
    }

    fn smooth(&mut self, delta: Option<Delay>, gap: Option<Duration>, tau: Duration) {
        let Some(delta) = delta.map(|delta| delta.micros() as f64) else {
            return;
        };
        let weight = |dt: Duration| 1.0 - (-dt.as_secs_f64() / tau.as_secs_f64().max(1e-6)).exp();
        self.delta = Some(match (self.delta, gap) {
            (Some(old), Some(dt)) => old + (delta - old) * weight(dt),
            (None, _) | (Some(_), None) => delta,
        });
    }

    /// Learns from how the WAN is doing at `now`: whether its score is at the threshold, if that is
    /// known.
    pub(super) fn learn(
        &mut self,
        is_above_threshold: Option<bool>,
        now: MonoTime,
        steer: &SteerParams,
    ) {
        let is_dead = self.is_dead();
        self.deaths.note(is_dead, now);
        if let Some(is_above_threshold) = is_above_threshold {
            self.above_threshold.keep(is_above_threshold, now);
            let is_bad = is_dead || self.above_threshold.lasted(now, steer.sustain);
            self.bad_spells.note(is_bad, now);
        }
    }

    /// Returns whether the WAN has been congested for long enough to be left.
    pub(super) fn is_above_threshold(&self, now: MonoTime, steer: &SteerParams) -> bool {
        self.above_threshold.lasted(now, steer.sustain)
    }

    /// Returns how long flap damping of steering still lasts.
    pub(super) fn steer_damping_left(&self, now: MonoTime, most: Duration) -> Duration {
        self.bad_spells.remaining(now, most)
    }

    /// Returns how long flap damping of failover still lasts.
    pub(super) fn failover_damping_left(&self, now: MonoTime, most: Duration) -> Duration {
        self.deaths.remaining(now, most)
    }

    /// Returns the newest cycle, unless it is too old to say anything.
    pub(super) fn snapshot(&self, now: MonoTime) -> Option<&CycleSnapshot> {
        self.newest.as_ref().filter(|snapshot| now.since(snapshot.at) < snapshot.fresh_for)
    }

    pub(super) const fn reach(&self) -> Reach {
        self.reachability.reach()
    }

    /// Since when the WAN has been up, down or unknown.
    pub(super) const fn reach_since(&self) -> MonoTime {
        self.reachability.since()
    }

    /// Returns whether the WAN is known to be dead. It stays so until it is proven up: that cycles
    /// no longer come is no sign of life.
    pub(super) fn is_dead(&self) -> bool {
        self.reach() == Reach::Down
    }

    /// Since when none of the WAN's probes can be sent, if that has been so for more than a moment.
    pub(super) fn cannot_send_since(
        &self,
        now: MonoTime,
        params: &FailoverParams,
    ) -> Option<MonoTime> {
        let since = self.reachability.cannot_send_since(now, params)?;
        (now.since(since) >= params.dead_after / 2).then_some(since)
    }

    /// Returns whether the WAN's probes can be sent.
    pub(super) fn can_send(&self, now: MonoTime) -> bool {
        self.snapshot(now).is_some() && self.reachability.can_send(now)
    }

    /// Returns whether at least one target has answered within the last `span`.
    pub(super) fn replied_within(&self, now: MonoTime, span: Duration) -> bool {
        let age = self.snapshot(now).and_then(|snapshot| {
            snapshot.measurement.age.map(|age| age.saturating_add(now.since(snapshot.at)))
        });
        age.is_some_and(|age| age < span)
    }

    /// Returns what a score is made of, if anything is known. Of a WAN whose probes cannot be sent
    /// nothing is: what it was like before is no congestion of now.
    pub(super) fn signals(&self, now: MonoTime, steer: &SteerParams) -> Option<Signals> {
        let CycleSnapshot { measurement, state, .. } = *self.snapshot(now)?;
        if measurement.state == MeasurementState::CannotSend {
            return None;
        }
        let each = || self.trends.each().map(|(_, trend)| trend).into_iter();
        let worst = each()
            .map(|trend| {
                let delta = Delay::from_micros(1).scaled(self.delta.unwrap_or(0.0));
                steer.assessment.assess(delta, trend.drops(now), trend.backlog(now))
            })
            .max();
        Some(Signals {
            state,
            soft_red_sustained: self.soft_red.lasted(now, SOFT_RED_SUSTAINED),
            delta: measurement.delta,
            drops_rising: each().any(|trend| trend.drops_rising(now)),
            backlog: each().any(|trend| trend.stands(now)),
            at_floor: self.at_floor.lasted(now, AT_FLOOR_LASTS),
            collapsed: measurement.state == MeasurementState::Collapsed,
            assessment: worst.unwrap_or(super::Assessment::Green),
        })
    }

    /// Returns whether packets were dropped between the last two readings.
    pub(super) fn drops(&self, now: MonoTime) -> bool {
        self.trends.each().iter().any(|(_, trend)| trend.drops(now) > 0)
    }
}

fn share(cycle: &Cycle, facts: &WanFacts) -> Option<f64> {
    let shares = cycle.directions.present().map(|(direction, channel)| {
        channel.load.delivery_rate?.fraction_of(facts.limits[direction]?.ceiling)
    });
    shares.reduce(|one, other| Some(one?.max(other?)))?
}
