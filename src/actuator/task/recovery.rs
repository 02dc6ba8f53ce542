//! What is done about a router that hangs, and when it is back.

use std::time::Duration;

use tracing::debug;
use wanctl_core::units::MonoTime;

use super::{Actuator, IDLE};
use crate::{
    actuator::{
        in_flight::InFlight,
        liveness::{GRACE, ServerState},
    },
    router::{RouterError, RouterFault},
};

impl Actuator {
    /// Begins a check of the server if one is due, and returns the time until the next.
    pub(super) fn check_alive(
        &mut self,
        requests: [&Option<InFlight>; 2],
        now: MonoTime,
    ) -> Duration {
        let oldest = requests.into_iter().flatten().map(|request| request.began).min();
        let rests = self.hangs_since.filter(|_| now < self.rest_until);
        let due = self.liveness.watch(oldest.or(rests));
        let give_up = self.give_up.map_or(IDLE, |(at, _)| at.since(now));
        let Some(due) = due else { return give_up };
        if now < due {
            return due.since(now).min(give_up);
        }
        let Some(check) = self.work.router.inspect.check_alive() else { return give_up };
        self.liveness.begin(check, now);
        Duration::ZERO
    }

    /// Takes the answer to a check: the server is back, so a rest is over.
    pub(super) fn checked(&mut self, began: MonoTime, answered: bool) {
        let now = self.work.clock.now();
        let life = self.liveness.take(began, answered, now);
        if life == ServerState::Down {
            return;
        }
        if self.hangs_since.take().is_some() && now < self.rest_until {
            debug!("the router's REST server answers again");
            self.rest_until = now;
        }
        if life == ServerState::RequestsLost {
            self.give_up.get_or_insert((now + GRACE, began));
        }
    }

    /// Gives up requests that were lost in a hang which is over.
    pub(super) fn give_up_lost(&mut self, requests: [&mut Option<InFlight>; 2], now: MonoTime) {
        let Some((_, before)) = self.give_up.take_if(|(at, _)| now >= *at) else { return };
        let is_lost = |request: &mut InFlight| request.began < before;
        for lost in requests.into_iter().filter_map(|request| request.take_if(is_lost)) {
            let InFlight { began, write, call, .. } = lost;
            let call = call.end();
            let fault = RouterFault::Timeout(now.since(began));
            let failure: RouterError =
                fault.at(self.work.router.inspect.target(), call.operation.name());
            match write {
                Some(write) => {
                    self.work.metrics.wrote(
                        call,
                        write.queue,
                        &Err::<(), _>(failure.clone()),
                        None,
                    );
                }
                None => self.work.metrics.request(call, &Err::<(), _>(failure.clone())),
            }
            self.record_outcome(Some(failure), now);
            // It is known to answer: there is nothing to wait for.
            (self.rest_until, self.hangs_since) = (now, None);
        }
        self.publish_actuation();
    }
}
