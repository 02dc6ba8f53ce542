//! Probes that do not see the queue: they take another way, or are let through first.
//!
//! Traffic that waited in our shaper fills any rate that the link carries. If it neither fills a
//! higher rate nor waits any more, something behind the shaper limits it; and traffic as even as
//! only a full link's is limited by that link. A queue has to stand there, then. Replies that are as
//! quick as ever say that the probes pass it by.

use super::{noise::Noise, plateau::PlateauDetector};
use crate::Direction;
use crate::params::BypassParams;
use crate::units::{BitRate, Delay, MonoTime};

/// What one direction's shaper says at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowObservation {
    pub(crate) direction: Direction,
    /// Delivery rate.
    pub(crate) delivery_rate: Option<BitRate>,
    /// The limit in force.
    pub(crate) in_force: BitRate,
    /// Traffic waits in the shaper.
    pub(crate) shaper_limited: bool,
}

#[derive(Debug, Clone, Copy)]
struct Detected {
    /// When there was reason last to leave it at that.
    since: MonoTime,
    /// The limit that was not filled.
    limit: BitRate,
}

/// Whether the probes see one direction's queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct BypassDetector {
    params: BypassParams,
    /// The rate at which traffic waited last.
    waited_at: Option<BitRate>,
    /// The limit in force.
    limit: BitRate,
    odd_since: Option<MonoTime>,
    plateau: PlateauDetector,
    detected: Option<Detected>,
}

impl BypassDetector {
    pub(crate) fn new(params: BypassParams) -> Self {
        Self { params, plateau: PlateauDetector::new(params), ..Self::default() }
    }

    /// Takes one moment into account, and returns whether the probes bypass the queue. `delta` is the delay
    /// over the baseline, which strays by `noise` without a queue.
    pub(crate) fn update(
        &mut self,
        now: MonoTime,
        flow: FlowObservation,
        delta: Option<Delay>,
        noise: Noise,
    ) -> bool {
        let is_flat = delta.is_some_and(|delta| delta.abs() < self.params.flat.max(noise.least()));
        let is_over =
            self.detected.is_some_and(|detected| now.since(detected.since) >= self.params.retry);
        if !is_flat || is_over {
            *self = Self::new(self.params);
        }
        self.observe(now, flow, is_flat);
        if self.is_odd_for_long(now, flow) || self.is_plateau(flow) {
            self.detected.get_or_insert(Detected { since: now, limit: flow.in_force });
        }
        self.detected.is_some()
    }

    /// Returns what the provider's link lets through, if traffic flows as only a full link's does.
    pub(crate) fn plateau(&self) -> Option<BitRate> {
        self.plateau.rate(self.params.plateau_windows_known)
    }

    fn observe(&mut self, now: MonoTime, flow: FlowObservation, is_flat: bool) {
        let is_download = flow.direction == Direction::Download;
        if flow.shaper_limited {
            self.waited_at = Some(flow.in_force);
        }
        if let Some(detected) =
            self.detected.as_mut().filter(|_| flow.shaper_limited && is_download)
        {
            // Less than before is carried, and the traffic itself finds out how much.
            if flow.in_force < detected.limit {
                detected.since = now;
            }
        }
        // What flowed below another limit says nothing of how full this one is.
        let is_same = std::mem::replace(&mut self.limit, flow.in_force) == flow.in_force;
        match flow
            .delivery_rate
            .filter(|_| is_download && is_flat && is_same && !flow.shaper_limited)
        {
            Some(delivery_rate) => self.plateau.update(now, delivery_rate),
            None => self.plateau.reset(),
        }
    }

    /// Returns whether traffic that waited for less has not filled the rate for long; a download that
    /// is not even is limited by those who send it.
    fn is_odd_for_long(&mut self, now: MonoTime, flow: FlowObservation) -> bool {
        let is_odd =
            flow.delivery_rate.zip(self.waited_at).is_some_and(|(delivery_rate, waited_at)| {
                flow.in_force > waited_at.scaled(self.params.raised)
                    && delivery_rate < flow.in_force.scaled(self.params.unfilled)
                    && delivery_rate > waited_at.scaled(self.params.same_traffic)
            });
        let is_odd = is_odd && (flow.direction == Direction::Upload || self.plateau().is_some());
        if !is_odd {
            self.odd_since = None;
            return false;
        }
        now.since(*self.odd_since.get_or_insert(now)) >= self.params.lasting
    }

    /// Returns whether traffic nearly fills the rate, as evenly as if a link were full.
    fn is_plateau(&self, flow: FlowObservation) -> bool {
        self.plateau.rate(self.params.plateau_windows).is_some_and(|rate| {
            rate > flow.in_force.scaled(self.params.nearly_filled)
                && rate < flow.in_force.scaled(self.params.unfilled)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Traffic waits at 20 Mbit/s; then `seconds` at 24 of which `delivery_rate` pass, each moment
    /// `strays` more or less.
    fn after(
        direction: Direction,
        seconds: u64,
        delivery_rate: f64,
        strays: f64,
        delta: i64,
    ) -> bool {
        let mut detector = BypassDetector::default();
        let mut observe = |ms, delivery_rate, rate, shaper_limited, delta| {
            let (delivery_rate, in_force) =
                (Some(BitRate::from_mbps(delivery_rate)), BitRate::from_mbps(rate));
            let flow = FlowObservation { direction, delivery_rate, in_force, shaper_limited };
            let delta = Some(Delay::from_micros(delta));
            detector.update(MonoTime::from_millis(ms), flow, delta, Noise::default())
        };
        let mut is_bypassed = observe(0, 20.0, 20.0, true, 0);
        for cycle in 1..=seconds * 20 {
            let delivery_rate =
                if cycle / 20 % 2 == 0 { delivery_rate - strays } else { delivery_rate + strays };
            is_bypassed = observe(cycle * 50, delivery_rate, 24.0, false, delta);
        }
        is_bypassed
    }

    #[test]
    fn a_higher_rate_that_is_not_filled_without_a_delay_is_a_bypass() {
        let after = |seconds, delivery_rate, delta| {
            after(Direction::Upload, seconds, delivery_rate, 0.0, delta)
        };
        assert!(after(6, 21.0, 300));
        assert!(!after(4, 21.0, 300), "not at once");
        assert!(!after(6, 21.0, 9_000), "a queue is seen");
        assert!(!after(6, 24.0, 300), "the rate is filled");
        assert!(!after(6, 5.0, 300), "other traffic");
    }

    #[test]
    fn so_is_a_download_as_even_as_only_a_full_link_is() {
        let after = |delivery_rate, strays, delta| {
            after(Direction::Download, 4, delivery_rate, strays, delta)
        };
        assert!(after(22.0, 0.1, 300));
        assert!(!after(22.0, 0.5, 300), "transfers that their senders limit");
        assert!(!after(22.0, 0.1, 9_000), "a queue is seen");
        assert!(!after(23.8, 0.1, 300), "the rate is filled");
        assert!(!after(20.5, 0.1, 300), "what a server has to send");
    }

    #[test]
    fn the_probes_get_another_chance() {
        assert!(after(Direction::Upload, 60, 21.0, 0.0, 300));
        assert!(!after(Direction::Upload, 66, 21.0, 0.0, 300));
    }
}
