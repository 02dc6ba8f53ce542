//! What the estimator works on: measurements, and what became of the last decision.

use std::time::Duration;

use super::{Load, MeasurementState, attribution::Attribution, noise::Noise, replies::QueueSignal};
use crate::{
    Direction,
    units::{BitRate, Delay, MonoTime},
};

/// What was measured of one direction, as of one moment.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observation {
    pub(crate) direction: Direction,
    pub(crate) now: MonoTime,
    /// Time since the decision before this one.
    pub(crate) dt: Duration,
    /// The rate desired so far.
    pub(crate) desired: BitRate,
    /// The limit that the router was last known to enforce; `None` if that is in doubt.
    pub(crate) in_force: Option<BitRate>,
    pub(crate) measurement: MeasurementState,
    /// Replies are recent and baselines final enough to raise a rate on.
    pub(crate) sufficient_evidence: bool,
    /// Enough distinct reflectors agree that the delay is up.
    pub(crate) quorum: bool,
    /// Whether the delay is attributed to this direction.
    pub(crate) attribution: Attribution,
    /// Traffic is queued in the shaper.
    pub(crate) shaper_limited: bool,
    /// What the last replies since the last cut say.
    pub(crate) queue: Option<QueueSignal>,
    /// How much the delay varies without a queue.
    pub(crate) noise: Noise,
    /// What one packet ahead of a probe in each direction's shaper adds: no queue yet.
    pub(crate) serialisation: Delay,
    /// Idle round-trip time.
    pub(crate) path: Duration,
    /// Median delay over the baselines.
    pub(crate) delta: Option<Delay>,
    pub(crate) load: Load,
    /// The counters were read just now.
    pub(crate) has_fresh_counters: bool,
    /// The share of the other direction's rate that a cut has left (0 to 1), as long as its queue
    /// drains or the probes bypass it.
    pub(crate) other_remaining: Option<f64>,
    /// The rate of traffic that flows as evenly as only a full link lets it.
    pub(crate) plateau: Option<BitRate>,
}

/// How far the router has followed the last decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enforcement {
    /// It is not known which limit is in force.
    InDoubt,
    /// A cut is not in force yet.
    Pending,
    /// A cut has not been in force for so long that it never may.
    Overdue,
    /// The desired rate is in force.
    InForce {
        /// After it had been overdue.
        was_overdue: bool,
    },
}

/// How a queue is to drain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrainPlan {
    /// The rate before.
    pub(crate) from: BitRate,
    /// The rate while it drains.
    pub(crate) rate: BitRate,
    /// The rate to go on with.
    pub(crate) resume_rate: BitRate,
    /// The depth of the queue, path offset included.
    pub(crate) depth: Delay,
    /// How long it takes once the cut is in force and known to the senders.
    pub(crate) lasts: Duration,
}

/// Which measurements are no reason for another cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Disregard {
    /// None but those that were before.
    #[default]
    Nothing,
    /// Those until now: probes that were sent into a silence say nothing about a queue.
    UntilNow,
    /// Those until this decision is in force.
    UntilInForce,
}

/// What the estimator has to know of a decision: the only way in which decisions affect estimates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Applied {
    pub(crate) disregard: Disregard,
    /// A queue is to drain, so that the response to it can be observed.
    pub(crate) drain: Option<DrainPlan>,
    /// The standing queue is accepted as evidence of the capacity.
    pub(crate) accepts_queue: bool,
    /// The capacity estimate is worth nothing any more.
    pub(crate) forgets_capacity: bool,
    /// In state `bypass`: the rate that a higher one is tried from.
    pub(crate) trial_from: Option<BitRate>,
}
