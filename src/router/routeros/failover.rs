//! When REST is left for SSH, and when it is returned to. Pure: answers and times in, a road out.
//!
//! ```text
//!          REST ── n faults of the road in a row, over a while ──► SSH
//!            ▲                                                      │
//!            └── m looks in a row find REST healthy, or one does ◄──┘
//!                while SSH itself fails
//! ```

use std::time::Duration;

use wanctl_core::units::MonoTime;

use crate::router::{RouterFault, Transport};

/// How much is borne before a road is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// REST is left after at least this many failures in a row…
    pub failures: u32,
    /// …with at least this long between the first and the last.
    pub sustained: Duration,
    /// The first look whether REST is back comes after this time.
    pub first_look: Duration,
    /// After every failed look the next one takes twice as long to come, up to this.
    pub longest_pause: Duration,
    /// REST is returned to after this many good looks in a row.
    pub good_looks: u32,
}

impl Default for Patience {
    /// A pause of the web server, which lasts some two seconds, is not worth a change; an outage
    /// of five seconds is, since a cut may have to go out. Back there is no hurry: SSH works.
    fn default() -> Self {
        Self {
            failures: 3,
            sustained: Duration::from_secs(5),
            first_look: Duration::from_secs(30),
            longest_pause: Duration::from_mins(5),
            good_looks: 3,
        }
    }
}

/// Which road is taken, and why not the other.
#[derive(Debug)]
pub(super) struct Failover {
    patience: Patience,
    state: State,
}

#[derive(Debug)]
enum State {
    Rest {
        /// When the failures in a row began, and how many there are.
        trouble: Option<(MonoTime, u32)>,
    },
    Ssh {
        next_look: MonoTime,
        pause: Duration,
        is_looking: bool,
        good_looks: u32,
        /// Whether SSH does no better than REST did.
        fails: bool,
    },
}

impl Failover {
    pub(super) const fn new(patience: Patience) -> Self {
        Self { patience, state: State::Rest { trouble: None } }
    }

    /// Returns the road to take.
    pub(super) const fn road(&self) -> Transport {
        match self.state {
            State::Rest { .. } => Transport::Rest,
            State::Ssh { .. } => Transport::Ssh,
        }
    }

    /// Takes note of how a request on `road` went.
    pub(super) fn answered(&mut self, road: Transport, fault: Option<&RouterFault>, now: MonoTime) {
        match (&mut self.state, road) {
            (State::Rest { trouble }, Transport::Rest) => {
                // A refusal came over a road that works.
                if !fault.is_some_and(RouterFault::is_of_the_road) {
                    *trouble = None;
                    return;
                }
                let (since, failures) = trouble.map_or((now, 1), |(since, n)| (since, n + 1));
                *trouble = Some((since, failures));
                let Patience { failures: enough, sustained, first_look, .. } = self.patience;
                if failures >= enough && now.since(since) >= sustained {
                    self.state = State::Ssh {
                        next_look: now + first_look,
                        pause: first_look,
                        is_looking: false,
                        good_looks: 0,
                        fails: false,
                    };
                }
            }
            (State::Ssh { next_look, fails, .. }, Transport::Ssh) => {
                // Whoever is not let in over SSH stands before a closed road as well.
                *fails = fault.is_some_and(|fault| {
                    fault.is_of_the_road() || matches!(fault, RouterFault::Unauthorized(_))
                });
                if *fails {
                    *next_look = (*next_look).min(now + self.patience.sustained);
                }
            }
            // An answer that was on its way when the road changed.
            (State::Rest { .. }, Transport::Ssh) | (State::Ssh { .. }, Transport::Rest) => {}
        }
    }

    /// Tells whether REST is to be looked at, at most once until [`Failover::looked`].
    pub(super) fn begin_look(&mut self, now: MonoTime) -> bool {
        match &mut self.state {
            State::Ssh { next_look, is_looking, .. } if !*is_looking && now >= *next_look => {
                *is_looking = true;
                true
            }
            State::Ssh { .. } | State::Rest { .. } => false,
        }
    }

    /// Takes note of what a look found.
    pub(super) fn looked(&mut self, is_healthy: bool, now: MonoTime) {
        let Patience { first_look, longest_pause, good_looks: enough, .. } = self.patience;
        let State::Ssh { next_look, pause, is_looking, good_looks, fails } = &mut self.state else {
            return;
        };
        *is_looking = false;
        *good_looks = if is_healthy { good_looks.saturating_add(1) } else { 0 };
        *pause = if is_healthy { first_look } else { pause.saturating_mul(2).min(longest_pause) };
        *next_look = now + *pause;
        if is_healthy && (*fails || *good_looks >= enough) {
            self.state = State::Rest { trouble: None };
        }
    }
}

#[cfg(test)]
mod tests;
