//! Going on under other parameters, as after a reload: what was learned stays.

use super::{PerDirection, Wan, WanParams};
use crate::{control::Direction, units::MonoTime};

impl Wan {
    /// Goes on from `now` by the parameters `new` in place of `old`, those that it has worked by.
    /// The reflectors must be the same.
    ///
    /// Other limits clamp the rates and change nothing else. Another law begins anew at the rate
    /// that its predecessor left. Other thresholds begin evidence, states and laws anew, from the
    /// learned baselines: for some probes nothing is known, and no rate moves.
    pub fn reconfigure(&mut self, old: &WanParams, new: &WanParams, now: MonoTime) {
        let mut fresh = Self::new(new, now);
        let same_evidence = old.evidence == new.evidence;
        let same_thresholds = old.thresholds == new.thresholds;
        if !same_evidence {
            fresh.evidence.restore(&self.evidence.baselines());
            self.evidence = fresh.evidence;
        }
        let PerDirection { download, upload } = fresh.directions;
        for (direction, fresh) in [(Direction::Download, download), (Direction::Upload, upload)] {
            let channel = &mut self.directions[direction];
            let same_law = old.directions[direction].law == new.directions[direction].law;
            if !(same_law && same_evidence && same_thresholds) {
                channel.law = fresh.law;
            }
            if !same_thresholds {
                channel.machine = fresh.machine;
            }
            channel.limits = fresh.limits;
            channel.desired = channel.desired.max(fresh.limits.floor).min(fresh.limits.ceiling);
        }
    }

    /// Says whether anybody carries the decisions out from now on; see [`Wan::observing`].
    pub fn set_observing(&mut self, observes: bool) {
        self.observes = observes;
    }
}
