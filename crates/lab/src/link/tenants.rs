//! Who uses a link now: its own people, those of another link that was left, and calls.

use std::time::Duration;

use wanctl_core::{Direction, PerDirection, units::BitRate};

use crate::traffic::{Demand, Programme, Traffic};

/// What one call takes, each way.
const CALL: BitRate = BitRate::from_bps(100_000);

/// The people behind a link.
#[derive(Debug, Clone)]
pub(super) struct Tenants {
    own: Tenant,
    guests: Tenant,
    calls: u32,
    changed: bool,
}

#[derive(Debug, Clone)]
struct Tenant {
    programme: Programme,
    demand: PerDirection<Demand>,
    is_here: bool,
}

impl Tenants {
    pub(super) fn new(own: Traffic, guests: Traffic) -> Self {
        let tenant = |traffic, is_here| Tenant {
            programme: Programme::new(traffic),
            demand: PerDirection::build(|_| Demand::None),
            is_here,
        };
        Self { own: tenant(own, true), guests: tenant(guests, false), calls: 0, changed: false }
    }

    /// Says who is here from now on.
    pub(super) fn settle(&mut self, own: bool, guests: bool) {
        self.changed |= self.own.is_here != own || self.guests.is_here != guests;
        (self.own.is_here, self.guests.is_here) = (own, guests);
    }

    /// Says how many calls are carried from now on; tells whether that is news.
    pub(super) fn carry(&mut self, calls: u32) -> bool {
        std::mem::replace(&mut self.calls, calls) != calls
    }

    /// Returns what the calls take.
    pub(super) fn calls(&self) -> BitRate {
        CALL.scaled(f64::from(self.calls))
    }

    /// Returns what all of them want, if that has changed by `time`.
    pub(super) fn advance(&mut self, time: Duration) -> Option<PerDirection<Demand>> {
        for tenant in [&mut self.own, &mut self.guests] {
            if let Some(phase) = tenant.programme.advance(time) {
                tenant.demand = PerDirection::build(|direction| phase.demand(direction));
                self.changed |= tenant.is_here;
            }
        }
        std::mem::take(&mut self.changed).then(|| {
            PerDirection::build(|direction: Direction| {
                let here = [&self.own, &self.guests].into_iter().filter(|tenant| tenant.is_here);
                here.fold(Demand::None, |sum, tenant| sum.and(tenant.demand[direction]))
            })
        })
    }
}
