//! The users of a link: its own, those displaced from another link, and latency-sensitive connections.

use std::time::Duration;

use wanctl_core::{Direction, PerDirection, units::BitRate};

use crate::traffic::{Demand, Programme, Traffic};

/// Rate of one latency-sensitive connection in each direction.
const CALL: BitRate = BitRate::from_bps(100_000);

/// The users of a link.
#[derive(Debug, Clone)]
pub(super) struct UserGroups {
    own: UserGroup,
    displaced: UserGroup,
    calls: u32,
    changed: bool,
}

#[derive(Debug, Clone)]
struct UserGroup {
    programme: Programme,
    demand: PerDirection<Demand>,
    is_present: bool,
}

impl UserGroups {
    pub(super) fn new(own: Traffic, displaced: Traffic) -> Self {
        let group = |traffic, is_present| UserGroup {
            programme: Programme::new(traffic),
            demand: PerDirection::build(|_| Demand::None),
            is_present,
        };
        Self { own: group(own, true), displaced: group(displaced, false), calls: 0, changed: false }
    }

    pub(super) fn set_present(&mut self, own: bool, displaced: bool) {
        self.changed |= self.own.is_present != own || self.displaced.is_present != displaced;
        (self.own.is_present, self.displaced.is_present) = (own, displaced);
    }

    /// Sets the number of latency-sensitive connections; returns whether it has changed.
    pub(super) fn set_calls(&mut self, calls: u32) -> bool {
        std::mem::replace(&mut self.calls, calls) != calls
    }

    pub(super) fn call_rate(&self) -> BitRate {
        CALL.scaled(f64::from(self.calls))
    }

    /// Returns what all of them want, if that has changed by `time`.
    pub(super) fn advance(&mut self, time: Duration) -> Option<PerDirection<Demand>> {
        for group in [&mut self.own, &mut self.displaced] {
            if let Some(phase) = group.programme.advance(time) {
                group.demand = PerDirection::build(|direction| phase.demand(direction));
                self.changed |= group.is_present;
            }
        }
        std::mem::take(&mut self.changed).then(|| {
            PerDirection::build(|direction: Direction| {
                let present =
                    [&self.own, &self.displaced].into_iter().filter(|group| group.is_present);
                present.fold(Demand::None, |sum, group| sum.and(group.demand[direction]))
            })
        })
    }
}
