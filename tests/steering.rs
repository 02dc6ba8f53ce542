//! Steering from end to end: the real daemon decides over simulated links, and the rules of the
//! emulated router, over real HTTP, send the simulated traffic where they say.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "steering"]
mod steering {
    mod faults;
    mod round_trip;
    mod switch_kinds;
    pub(crate) mod testbed;
}
