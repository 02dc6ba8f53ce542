//! Going on under other parameters, as after a reload: what was learned stays.

use super::{Wan, WanParams};
use crate::{Direction, units::MonoTime};

impl Wan {
    /// Goes on from `now` by the parameters `new` in place of `old`, those that it has worked by.
    /// The reflectors and the directions must be the same.
    ///
    /// Other limits clamp the rates and change nothing else. Another law begins anew at the rate
    /// that its predecessor left. Other thresholds begin evidence, states and laws anew, from the
    /// learned baselines: for some probes nothing is known, and no rate moves.
    pub fn reconfigure(&mut self, old: &WanParams, new: &WanParams, now: MonoTime) {
        let mut fresh = Self::new(new, now);
        let same_evidence = old.evidence == new.evidence && old.tuning == new.tuning;
        let same_thresholds = old.thresholds == new.thresholds;
        if !same_evidence {
            fresh.evidence.restore(&self.evidence.baselines());
            self.evidence = fresh.evidence;
        }
        for direction in Direction::ALL {
            let of = |params: &WanParams| params.directions[direction].map(|params| params.law);
            let (Some(shaped), Some(fresh)) =
                (&mut self.directions[direction], fresh.directions[direction].take())
            else {
                continue;
            };
            let same_law = of(old) == of(new);
            if !(same_law && same_evidence && same_thresholds) {
                shaped.estimator = fresh.estimator;
                shaped.pending = fresh.pending;
                shaped.policy = fresh.policy;
            }
            if !same_thresholds {
                shaped.machine = fresh.machine;
            }
            shaped.limits = fresh.limits;
            shaped.desired = shaped.desired.max(fresh.limits.floor).min(fresh.limits.ceiling);
        }
    }

    /// Says whether anybody carries the decisions out from now on; see [`Wan::observing`].
    pub fn set_observing(&mut self, observe_mode: bool) {
        self.observe_mode = observe_mode;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tests::params;
    use super::*;
    use crate::{
        LawKind, PerDirection, ProbeOutcome, ReflectorId, RttSample,
        units::{BitRate, Delay},
    };

    fn mbps(rate: f64) -> BitRate {
        BitRate::from_mbps(rate)
    }

    /// A controller that has heard its reflectors and stands at `rate` in both directions.
    fn standing_at(params: &WanParams, rate: BitRate) -> (Wan, MonoTime) {
        let mut wan = Wan::new(params, MonoTime::ZERO);
        let mut now = MonoTime::ZERO;
        for sequence in 0..30 {
            now = now + Duration::from_millis(50);
            wan.on_rtt(&RttSample {
                reflector: ReflectorId(u16::try_from(sequence % 3).unwrap_or(0)),
                sequence,
                at: now,
                outcome: ProbeOutcome::Reply(Delay::from_micros(20_000)),
                one_way: None,
            });
            wan.decide(now);
        }
        for direction in Direction::ALL {
            wan.directions[direction].as_mut().unwrap().desired = rate;
        }
        (wan, now)
    }

    #[test]
    fn other_limits_clamp_the_rates_and_touch_nothing_else() {
        let old = params(LawKind::Adaptive);
        for (rate, after) in [(45.0, 45.0), (58.0, 50.0), (3.0, 10.0)] {
            let (mut wan, now) = standing_at(&old, mbps(rate));
            let before = wan.evidence.measurement(now, true);
            let mut new = old;
            new.directions.download.as_mut().unwrap().limits.ceiling = mbps(50.0);
            new.directions.download.as_mut().unwrap().limits.floor = mbps(10.0);
            wan.reconfigure(&old, &new, now);
            let PerDirection { download, upload } = wan.memory().directions;
            assert_eq!(
                (download.unwrap().desired, upload.unwrap().desired),
                (mbps(after), mbps(rate))
            );
            assert_eq!(wan.evidence.measurement(now, true), before);
        }
    }

    #[test]
    fn other_thresholds_keep_baselines_and_rates() {
        let old = params(LawKind::Adaptive);
        let (mut wan, now) = standing_at(&old, mbps(45.0));
        let before = wan.memory();
        let mut new = old;
        new.thresholds.yellow = Delay::from_millis_f64(8.0);
        new.evidence.queue_threshold = new.thresholds.yellow;
        wan.reconfigure(&old, &new, now);
        assert_eq!(wan.memory(), before);
    }

    #[test]
    fn another_law_takes_over_at_its_next_decision() {
        let old = params(LawKind::Adaptive);
        let (mut wan, now) = standing_at(&old, mbps(45.0));
        wan.reconfigure(&old, &params(LawKind::Fixed), now);
        assert_eq!(wan.memory().directions.upload.unwrap().desired, mbps(45.0));
        let decision = wan.decide(now + Duration::from_millis(50));
        assert_eq!(decision.directions.upload.unwrap().desired, mbps(30.0));
    }
}
