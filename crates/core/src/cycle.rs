//! `Cycle`: the record of one decision, and the only thing that metrics, history, status and
//! steering read. If a consumer needs something, it goes in here.

use std::time::Duration;

use crate::{
    Actuation, CongestionState, Load, Measurement, PerDirection, Phase, ProbeMethod, QueueReading,
    Reason, ReflectorView, RttSample,
    units::{BitRate, MonoTime, Timestamp},
};

/// Everything that one control cycle of one WAN saw and decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// Number of the cycle since the daemon started, from 1.
    pub number: u64,
    /// When the decision was taken.
    pub at: MonoTime,
    /// The same moment on the wall clock, for records.
    pub wall: Timestamp,
    /// What the probes say.
    pub measurement: Measurement,
    /// What was seen and decided for each direction that is shaped.
    pub directions: PerDirection<Option<DirectionCycle>>,
    /// The state of each reflector, in the order of the configuration.
    pub reflectors: Vec<ReflectorView>,
    /// The probe outcomes that arrived since the cycle before.
    pub samples: Vec<RttSample>,
    /// How the newest reply was measured; `None` before the first.
    pub method: Option<ProbeMethod>,
    /// How punctual the loop was.
    pub timing: Timing,
}

/// What was seen and decided for one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionCycle {
    /// The congestion state: unknown unless its delay is measured.
    pub state: CongestionState,
    /// Since when the state holds.
    pub since: MonoTime,
    /// The traffic that this direction carried.
    pub load: Load,
    /// Whether a rise of the delay is put down to this direction's traffic.
    pub attributed: bool,
    /// The shaper queue's newest counters, if the router gave any.
    pub queue: Option<QueueReading>,
    /// The rate that was desired before this decision.
    pub previous: BitRate,
    /// The rate that is desired from now on.
    pub desired: BitRate,
    /// Why.
    pub reason: Reason,
    /// What the policy is doing.
    pub phase: Phase,
    /// The capacity estimate: the rate at which a queue stood last, or what
    /// has passed it since. `None` while nothing is known.
    pub capacity: Option<BitRate>,
    /// How far the router has followed.
    pub actuation: Actuation,
}

/// How punctual the loop was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timing {
    /// The configured time between two cycles.
    pub interval: Duration,
    /// How late this cycle started after its tick.
    pub lateness: Duration,
    /// Ticks that were dropped between the cycle before and this one.
    pub skipped: u64,
    /// Busy time of the cycle before this one, fan-out included; this one is not over yet.
    pub busy: Duration,
}

impl Timing {
    /// Returns whether the cycle before this one was busy for longer than the interval.
    #[must_use]
    pub fn overran(&self) -> bool {
        self.busy > self.interval
    }
}
