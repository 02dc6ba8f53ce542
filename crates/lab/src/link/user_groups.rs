//! Who uses a link now: its own people, those of another link that was left, and calls.

use std::time::Duration;

use wanctl_core::{Direction, PerDirection, units::BitRate};

use crate::traffic::{Demand, Programme, Traffic};

/// What one call takes, each way.
const CALL: BitRate = BitRate::from_bps(100_000);

/// The people behind a link.
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
    is_here: bool,
}

impl UserGroups {
    pub(super) fn new(own: Traffic, displaced: Traffic) -> Self {
        let user_group = |traffic, is_here| UserGroup {
            programme: Programme::new(traffic),
            demand: PerDirection::build(|_| Demand::None),
            is_here,
        };
        Self {
            own: user_group(own, true),
            displaced: user_group(displaced, false),
            calls: 0,
            changed: false,
        }
    }

    /// Says who is here from now on.
    pub(super) fn set_present(&mut self, own: bool, displaced: bool) {
        self.changed |= self.own.is_here != own || self.displaced.is_here != displaced;
        (self.own.is_here, self.displaced.is_here) = (own, displaced);
    }

    /// Says how many calls are carried from now on; tells whether that is news.
    pub(super) fn set_calls(&mut self, calls: u32) -> bool {
        std::mem::replace(&mut self.calls, calls) != calls
    }

    /// Returns what the calls take.
    pub(super) fn call_rate(&self) -> BitRate {
        CALL.scaled(f64::from(self.calls))
    }

    /// Returns what all of them want, if that has changed by `time`.
    pub(super) fn advance(&mut self, time: Duration) -> Option<PerDirection<Demand>> {
        for user_group in [&mut self.own, &mut self.displaced] {
            if let Some(phase) = user_group.programme.advance(time) {
                user_group.demand = PerDirection::build(|direction| phase.demand(direction));
                self.changed |= user_group.is_here;
            }
        }
        std::mem::take(&mut self.changed).then(|| {
            PerDirection::build(|direction: Direction| {
                let here = [&self.own, &self.displaced]
                    .into_iter()
                    .filter(|user_group| user_group.is_here);
                here.fold(Demand::None, |sum, user_group| sum.and(user_group.demand[direction]))
            })
        })
    }
}
