//! The rate laws: from what is known about a direction to the rate it should have.
//!
//! A law answers one question per cycle. Clamping to the limits is not its business: `Wan` does
//! that for all laws alike, so that no law can forget it.

mod adaptive;
mod fixed;
mod name;
mod zone;

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use adaptive::Adaptive;
use fixed::Fixed;
pub use name::LawName;
use zone::Zone;
pub use zone::{ZoneFloors, ZoneParams};

use super::{Direction, Load, MeasurementState, StateThresholds};
use crate::estimate::{attribution::Attribution, noise::Noise, replies::QueueSignal};
use crate::params::Params;
use crate::units::{BitRate, Delay, MonoTime};

/// The bounds of a direction's shaper rate; `floor ≤ base ≤ ceiling`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// No cut goes below this.
    #[serde(rename = "floor_bps")]
    pub floor: BitRate,
    /// The rate that an idle link returns to: what the link can be trusted to carry.
    #[serde(rename = "base_bps")]
    pub base: BitRate,
    /// No raise goes above this.
    #[serde(rename = "ceiling_bps")]
    pub ceiling: BitRate,
}

/// Which law moves a direction's rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawKind {
    /// Cuts in proportion to the delay, raises only on demand.
    Adaptive,
    /// Answers each congestion state in its own way, as the predecessor's v1.7 did.
    Zone(ZoneParams),
    /// Keeps the base rate and only observes.
    Fixed,
}

impl LawKind {
    /// Builds the law, where delay from `queue_threshold` on is bloat and the congestion states begin at
    /// `thresholds`.
    pub(super) fn build(
        self,
        queue_threshold: Delay,
        thresholds: StateThresholds,
        params: &Params,
    ) -> Box<dyn RateLaw> {
        match self {
            Self::Adaptive => Box::new(Adaptive::new(queue_threshold, params)),
            Self::Zone(zone) => Box::new(Zone::new(thresholds, zone, params)),
            Self::Fixed => Box::new(Fixed),
        }
    }
}

/// What a law may know about its direction at one moment.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, Copy)]
pub(super) struct LawInput {
    pub(super) direction: Direction,
    pub(super) now: MonoTime,
    /// Time since the decision before this one.
    pub(super) dt: Duration,
    /// The rate desired so far.
    pub(super) current: BitRate,
    /// The limit that the router was last known to enforce; `None` if it is in doubt.
    pub(super) in_force: Option<BitRate>,
    /// What the reflectors say is recent and well-founded enough to raise a rate on.
    pub(super) sufficient_evidence: bool,
    pub(super) limits: Limits,
    pub(super) measurement: MeasurementState,
    /// Enough distinct reflectors agree that the delay is up.
    pub(super) quorum: bool,
    /// Whether the delay is put down to this direction's traffic.
    pub(super) attribution: Attribution,
    /// Traffic waits in our own shaper.
    pub(super) shaper_limited: bool,
    /// What the last replies since the last cut say.
    pub(super) queue: Option<QueueSignal>,
    /// How much the delay strays without a queue.
    pub(super) noise: Noise,
    /// What one packet ahead of a probe in each direction's shaper adds: no queue yet.
    pub(super) serialisation: Delay,
    /// Idle round-trip time of the path.
    pub(super) path: Duration,
    /// The middle of all fresh reflectors' deltas.
    pub(super) delta: Option<Delay>,
    pub(super) load: Load,
    /// The counters were read just now, so that `load` is what flows at present.
    pub(super) has_fresh_counters: bool,
    /// What a cut has left of the other direction's rate (0 to 1), as long as its queue drains or
    /// cannot be seen.
    pub(super) other_remaining: Option<f64>,
    /// What the provider's link lets through, if traffic flows as only a full link's does.
    pub(super) plateau: Option<BitRate>,
}

/// A law's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateDecision {
    pub(super) rate: BitRate,
    pub(super) reason: Reason,
}

impl RateDecision {
    /// Keeps the rate within `limits`. The floor stops a cut, but never lifts a rate that is already
    /// below it, as `previous` may be, and the ceiling holds for everything.
    pub(super) fn within(self, limits: Limits, previous: BitRate) -> Self {
        let floor = limits.floor.min(previous);
        Self { rate: self.rate.max(floor).min(limits.ceiling), ..self }
    }
}

/// A rate law.
pub(super) trait RateLaw: fmt::Debug + Send {
    /// Returns the rate that the direction should have from now on, and why.
    fn decide(&mut self, input: &LawInput) -> RateDecision;

    /// Returns the rate at which a queue stood last, if that still means something.
    fn capacity_bound(&self) -> Option<BitRate> {
        None
    }

    /// Returns what the last cut has left of the rate (0 to 1), as long as the queue drains; and what
    /// is left of it at the rate given, as long as the probes see no queue.
    fn remaining_share(&self, _rate: BitRate) -> Option<f64> {
        None
    }

    /// Returns what the provider's link is believed to carry, while `rate` is desired.
    fn capacity(&self, _rate: BitRate) -> Option<BitRate> {
        None
    }

    /// Returns the highest rate that met demand without a queue lately.
    fn proven(&self, _now: MonoTime) -> Option<BitRate> {
        None
    }

    /// Takes note of what was proven `age` before the start.
    fn recall(&mut self, _proven: BitRate, _age: Duration) {}

    /// Returns when the last cut came into force: what was measured before tells nothing about
    /// the need for another.
    fn last_cut(&self) -> MonoTime {
        MonoTime::ZERO
    }
}

/// Why a rate is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Cut: this direction's traffic makes a queue stand.
    CutQueue,
    /// Cut: the other direction has lost much of its rate, and less gets through here, too.
    CutCrossDirection,
    /// Cut: the probes are lost while traffic flows, and the rate is above its base.
    CutCollapsed,
    /// Cut: the probes do not see the queue, and the rate is above what was proven with them.
    CutBypass,
    /// Raise: the shaper limits the traffic and no queue stands.
    RaiseShaperLimited,
    /// Raise: cuts did not help, so the delay is not of our making, and they are taken back.
    RaiseRollback,
    /// Idle decay: there is no demand and the rate is below its base.
    DecayUp,
    /// Idle decay: there is no demand and the rate is above its base.
    DecayDown,
    /// Hold: a cut was made just now and its effect is not visible yet.
    HoldRefractory,
    /// Hold: the router has not confirmed the last change yet, or is in doubt.
    HoldPending,
    /// Hold: replies have just stopped, or their baselines were never seen at rest.
    HoldInsufficientEvidence,
    /// Hold: the delay is up, but not by this direction's traffic.
    HoldNotAttributed,
    /// Hold: the delay is a little up, too much for a raise and too little for a cut.
    HoldDelay,
    /// Hold: nobody asks for more.
    HoldApplicationLimited,
    /// Hold: more is asked for, but the ceiling is reached.
    HoldCeiling,
    /// Hold: a cut is due, but the floor is reached.
    HoldFloor,
    /// Hold: the router's counters are missing, so demand is unknown.
    HoldLoadUnknown,
    /// Hold: no reflector answers and no traffic flows.
    HoldStalled,
    /// Hold: the probes are lost while traffic flows, and the rate is at or below its base.
    HoldCollapsed,
    /// Hold: the probes do not see the queue.
    HoldBypass,
    /// Hold: no probe can be sent, so nothing is known of the link.
    HoldCannotSend,
    /// Hold: no reflector has answered yet.
    HoldStarting,
    /// The law is `fixed`.
    Fixed,
}

impl Reason {
    /// All reasons, in the order in which they are shown.
    pub const ALL: [Self; 23] = [
        Self::CutQueue,
        Self::CutCrossDirection,
        Self::CutCollapsed,
        Self::CutBypass,
        Self::RaiseShaperLimited,
        Self::RaiseRollback,
        Self::DecayUp,
        Self::DecayDown,
        Self::HoldRefractory,
        Self::HoldPending,
        Self::HoldInsufficientEvidence,
        Self::HoldNotAttributed,
        Self::HoldDelay,
        Self::HoldApplicationLimited,
        Self::HoldCeiling,
        Self::HoldFloor,
        Self::HoldLoadUnknown,
        Self::HoldStalled,
        Self::HoldCollapsed,
        Self::HoldBypass,
        Self::HoldCannotSend,
        Self::HoldStarting,
        Self::Fixed,
    ];

    /// Returns the code used in labels and in the history.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CutQueue => "cut_queue",
            Self::CutCrossDirection => "cut_cross_direction",
            Self::CutCollapsed => "cut_collapsed",
            Self::CutBypass => "cut_bypass",
            Self::RaiseShaperLimited => "raise_shaper_limited",
            Self::RaiseRollback => "raise_rollback",
            Self::DecayUp => "decay_up",
            Self::DecayDown => "decay_down",
            Self::HoldRefractory => "hold_refractory",
            Self::HoldPending => "hold_pending",
            Self::HoldInsufficientEvidence => "hold_insufficient_evidence",
            Self::HoldNotAttributed => "hold_not_attributed",
            Self::HoldDelay => "hold_delay",
            Self::HoldApplicationLimited => "hold_application_limited",
            Self::HoldCeiling => "hold_ceiling",
            Self::HoldFloor => "hold_floor",
            Self::HoldLoadUnknown => "hold_load_unknown",
            Self::HoldStalled => "hold_stalled",
            Self::HoldCollapsed => "hold_collapsed",
            Self::HoldBypass => "hold_bypass",
            Self::HoldCannotSend => "hold_cannot_send",
            Self::HoldStarting => "hold_starting",
            Self::Fixed => "fixed",
        }
    }

    /// Tells whether the rate is cut because something is wrong.
    #[must_use]
    pub const fn is_cut(self) -> bool {
        matches!(
            self,
            Self::CutQueue | Self::CutCrossDirection | Self::CutCollapsed | Self::CutBypass
        )
    }

    /// Tells whether the rate is raised because more is asked for, or was cut for nothing.
    #[must_use]
    pub const fn is_raise(self) -> bool {
        matches!(self, Self::RaiseShaperLimited | Self::RaiseRollback)
    }

    /// Returns the reason in plain words, for people.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::CutQueue => "cut: a standing queue is attributed to this direction",
            Self::CutCrossDirection => {
                "cut: cross-direction back-off, the delivery rate fell in both directions"
            }
            Self::CutCollapsed => "cut: probes are lost while traffic flows",
            Self::CutBypass => "cut: the probes bypass the queue",
            Self::RaiseShaperLimited => {
                "raise: the shaper limits the traffic, and the delay permits more"
            }
            Self::RaiseRollback => "raise: the cuts did not reduce the delay and are rolled back",
            Self::DecayUp => "idle decay: no demand, up towards the base rate",
            Self::DecayDown => "idle decay: no demand, down towards the base rate",
            Self::HoldRefractory => "hold: the last cut has not taken effect yet",
            Self::HoldPending => "hold: the router has not confirmed the last change yet",
            Self::HoldInsufficientEvidence => "hold: too few or too recent replies for a raise",
            Self::HoldNotAttributed => {
                "hold: the delay is up, but it is not attributed to this direction"
            }
            Self::HoldDelay => "hold: the delay is slightly above the baseline",
            Self::HoldApplicationLimited => {
                "hold: application-limited, a higher rate would not be used"
            }
            Self::HoldCeiling => "hold: at the ceiling",
            Self::HoldFloor => "hold: at the floor although there is a standing queue",
            Self::HoldLoadUnknown => "hold: the router reports no counters",
            Self::HoldStalled => "hold: no replies and no traffic",
            Self::HoldCollapsed => "hold: probes are lost while traffic flows",
            Self::HoldBypass => "hold: the probes bypass the queue",
            Self::HoldCannotSend => "hold: no probe can be sent",
            Self::HoldStarting => "hold: no reflector has answered yet",
            Self::Fixed => "fixed: the law `fixed` holds the base rate",
        }
    }
}
