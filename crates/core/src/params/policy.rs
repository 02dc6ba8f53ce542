//! Numbers of the policies.

use std::time::Duration;

use super::{Group, Param, ParamError, Tunable, checked, key, params};

params! {
    /// What is desired but not in force yet.
    PendingParams at "pending" {
        /// A limit in force that exceeds the desired one by this factor is a cut not in force yet.
        tolerance: f64 = 1.02, "", 1.0..=2.0;
        /// A cut that is pending for this long is overdue: the router hangs or keeps another limit.
        overdue: Duration = 500.0, "ms", 0.0..=60_000.0;
        /// An overdue cut is changed only by more than this share.
        same: f64 = 0.03, "", 0.0..=1.0;
    }
}

params! {
    /// The policy `adaptive`.
    AdaptiveParams at "policy.adaptive" {
        /// Share of the capacity that a cut leaves while a small queue drains.
        drain_max_share: f64 = 0.965, "", 0.9..=1.0;
        /// Share left while a deep queue drains: below it transfers lose more than the queue costs.
        drain_min_share: f64 = 0.5, "", 0.05..=0.9;
        /// A queue of this depth takes the whole rate to drain; each share of it that share.
        drain_full_depth: Duration = 300.0, "ms", 1.0..=60_000.0;
        /// Share of the capacity estimate to resume at: the most that lets a queue shrink.
        resume_share: f64 = 0.985, "", 0.5..=1.0;
        /// A raise without an estimate exceeds the delivery rate by this factor at most.
        lead: f64 = 1.4, "", 1.0..=10.0;
        /// Raises are made in steps of this factor, worth their writes.
        raise_step: f64 = 1.03, "", 1.0..=2.0;
        /// Raises are this far apart.
        raise_interval: Duration = 100.0, "ms", 0.0..=60_000.0;
        /// No raise starts above this multiple of the limit in force.
        raise_ahead: f64 = 1.5, "", 1.0..=10.0;
        /// From this volatility on a rate returns to the typical one without demand.
        volatile: f64 = 0.3, "", 0.0..=1.0;
        /// Growth at the estimate within its lifetime.
        growth_doubt: f64 = 0.5, "", 0.0..=10.0;
        /// Least growth at an estimate that lasts.
        growth_least: f64 = 0.015, "/s", 0.0..=16.0;
        /// Least growth beyond the estimate while a higher rate is known to have been possible.
        growth_back: f64 = 0.1, "/s", 0.0..=1.0;
        /// The same below the estimate, where less can go wrong.
        growth_back_below: f64 = 0.2, "/s", 0.0..=16.0;
        /// Growth without an estimate.
        growth_climb: f64 = 3.0, "/s", 1.0..=16.0;
        /// Growth gained for each share by which a disproved estimate is passed.
        growth_confidence: f64 = 15.0, "/s", 0.0..=100.0;
        /// Growth gained for each share of distance from the estimate.
        growth_pull: f64 = 8.0, "/s", 0.0..=100.0;
        /// Distance up to which only the least growth holds: the error of an estimate.
        growth_near: f64 = 0.05, "", 0.0..=1.0;
        /// Most growth.
        growth_max: f64 = 16.0, "/s", 1.0..=100.0;
        /// How far beyond an estimate that lasts a rate is tried.
        beyond: f64 = 1.1, "", 1.0..=10.0;
        /// How far beyond the most volatile one.
        beyond_volatile: f64 = 1.5, "", 1.0..=10.0;
        /// A cut that leaves a direction this share at most backs off the other.
        cross_share: f64 = 0.7, "", 0.0..=1.0;
        /// Share of its rate that the other has to have used lately.
        cross_busy: f64 = 0.8, "", 0.0..=10.0;
        /// The back-off leaves this multiple of the delivery rate.
        cross_room: f64 = 1.1, "", 1.0..=10.0;
        /// It lowers the rate by this factor at least, because it forgets the capacity estimate.
        cross_worth: f64 = 1.2, "", 1.0..=10.0;
        /// Time constant of idle decay: slow against a pause, fast against the next hour.
        decay_tau: Duration = 20.0, "s", 0.1..=3600.0;
        /// Time constant towards the base rate without a delay signal.
        decay_tau_no_signal: Duration = 5.0, "s", 0.1..=3600.0;
        /// Steps of idle decay, as a share of the base rate.
        decay_step: f64 = 0.05, "", 0.0..=1.0;
        /// After so many time constants the last step is made.
        decay_last: f64 = 0.5, "", 0.0..=10.0;
        /// A decay that was interrupted for this long begins anew.
        decay_gap: Duration = 1.0, "s", 0.0..=60.0;
        /// First step of a raise in state `bypass`.
        bypass_step: f64 = 0.05, "", 0.0..=1.0;
        /// Factor from one successful step to the next, as windows double.
        bypass_step_growth: f64 = 2.0, "", 1.0..=10.0;
        /// Largest step.
        bypass_step_max: f64 = 0.4, "", 0.0..=1.0;
        /// Time that a raise is in force before it counts, besides the path: five readings.
        bypass_trial: Duration = 500.0, "ms", 1.0..=60_000.0;
        /// A raise that is not filled was worth it if the delivery rate grew by this factor.
        bypass_gain: f64 = 1.02, "", 1.0..=2.0;
        /// Time to the first raise after the link was full.
        bypass_pause: Duration = 2.0, "s", 0.0..=600.0;
        /// Longest time after raises that were not filled, doubled each time.
        bypass_pause_max: Duration = 4.0, "s", 0.0..=600.0;
        /// Even traffic means a full link only this long after the link was full.
        bypass_full_within: Duration = 4.0, "s", 0.0..=600.0;
        /// Less than this share of the floor is no traffic.
        bypass_floor_in_use: f64 = 0.5, "", 0.0..=1.0;
    }
}

params! {
    /// The timing of the policy `zone`.
    ZoneTiming at "policy.zone" {
        /// A decision that is late moves the rate by no more than this time would have.
        longest_step: Duration = 200.0, "ms", 50.0..=10_000.0;
        /// No raise starts above this multiple of the limit in force.
        raise_ahead: f64 = 1.1, "", 1.0..=10.0;
    }
}
