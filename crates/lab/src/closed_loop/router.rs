//! The router of the closed loop, which applies every write after a latency.

use std::{collections::VecDeque, time::Duration};

use fastrand::Rng;
use wanctl_core::{
    Actuation, PerDirection,
    units::{BitRate, MonoTime},
};

use crate::link::Link;

#[derive(Debug)]
pub(super) struct SlowRouter {
    latency: Duration,
    jitter: Duration,
    rng: Rng,
    desired: PerDirection<BitRate>,
    enforced: PerDirection<BitRate>,
    /// Limits in flight, oldest first, with the time at which they take effect.
    in_flight: VecDeque<(MonoTime, PerDirection<BitRate>)>,
    /// Since when the desired rate has not been in force.
    pending_since: PerDirection<Option<MonoTime>>,
    /// Writes since the start: sent to the router, and in force.
    written: PerDirection<u64>,
    done: PerDirection<u64>,
}

impl SlowRouter {
    pub(super) fn new(
        limits: PerDirection<BitRate>,
        latency: Duration,
        jitter: Duration,
        rng: Rng,
    ) -> Self {
        Self {
            latency,
            jitter,
            rng,
            desired: limits,
            enforced: limits,
            in_flight: VecDeque::new(),
            pending_since: PerDirection::default(),
            written: PerDirection::default(),
            done: PerDirection::default(),
        }
    }

    pub(super) fn enforced(&self) -> PerDirection<BitRate> {
        self.enforced
    }

    pub(super) fn writes(&self) -> PerDirection<u64> {
        self.written
    }

    /// Sends `desired` to the router if it is anything new.
    pub(super) fn write(&mut self, now: MonoTime, desired: PerDirection<BitRate>) {
        if desired == self.desired {
            return;
        }
        let mean = self.jitter.as_secs_f64();
        let extra = if mean > 0.0 { -(1.0 - self.rng.f64()).ln() * mean } else { 0.0 };
        let due = now + self.latency + Duration::from_secs_f64(extra);
        // Requests are answered one after the other.
        let last = self.in_flight.back().map_or(due, |(last, _)| *last);
        self.in_flight.push_back((due.max(last), desired));
        for (direction, rate) in desired.each() {
            if *rate != self.desired[direction] {
                self.written[direction] += 1;
                self.pending_since[direction].get_or_insert(now);
            }
        }
        self.desired = desired;
    }

    /// Lets the writes that arrive by `now` take effect on `link`, each at its own moment.
    pub(super) fn enforce(&mut self, link: &mut Link, now: MonoTime) {
        while let Some((at, limits)) = self.in_flight.pop_front_if(|(at, _)| *at <= now) {
            link.advance_to(at.since_start());
            for (direction, limit) in limits.each() {
                if *limit != self.enforced[direction] {
                    link.set_limit(direction, *limit);
                    self.done[direction] += 1;
                }
                if *limit == self.desired[direction] {
                    self.pending_since[direction] = None;
                }
            }
            self.enforced = limits;
        }
    }

    pub(super) fn actuation(&self) -> PerDirection<Actuation> {
        PerDirection::build(|direction| Actuation {
            written: (self.done[direction] > 0).then_some(self.enforced[direction]),
            observed: Some(self.enforced[direction]),
            pending_since: self.pending_since[direction],
            writes: self.done[direction],
        })
    }
}
