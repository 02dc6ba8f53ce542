//! The reasons of decisions.

use super::Phase;

/// Why a rate is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Cut: this direction's traffic makes a queue stand.
    CutQueue,
    /// Cut: the other direction has lost much of its rate, and the delivery rate is lower here, too.
    CutCrossDirection,
    /// Cut: the probes are lost while traffic flows, and the rate is above its base.
    CutCollapsed,
    /// Cut: the probes do not see the queue, and the rate is above what was proven with them.
    CutBypass,
    /// Raise: the shaper limits the traffic and there is no standing queue.
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
    /// Hold: the traffic is application-limited.
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

    /// Returns the phase that a decision with this reason belongs to, for policies without phases of
    /// their own.
    #[must_use]
    pub(crate) const fn phase(self) -> Phase {
        match self {
            Self::HoldStarting => Phase::Startup,
            Self::CutQueue | Self::CutCrossDirection | Self::HoldRefractory | Self::HoldFloor => {
                Phase::Drain
            }
            Self::RaiseShaperLimited => Phase::Probe,
            Self::DecayUp | Self::DecayDown => Phase::Decay,
            Self::CutCollapsed
            | Self::CutBypass
            | Self::HoldStalled
            | Self::HoldCollapsed
            | Self::HoldBypass
            | Self::HoldCannotSend => Phase::NoSignal,
            Self::RaiseRollback
            | Self::HoldPending
            | Self::HoldInsufficientEvidence
            | Self::HoldNotAttributed
            | Self::HoldDelay
            | Self::HoldApplicationLimited
            | Self::HoldCeiling
            | Self::HoldLoadUnknown
            | Self::Fixed => Phase::Cruise,
        }
    }

    /// Returns whether the rate is cut because something is wrong.
    #[must_use]
    pub const fn is_cut(self) -> bool {
        matches!(
            self,
            Self::CutQueue | Self::CutCrossDirection | Self::CutCollapsed | Self::CutBypass
        )
    }

    /// Returns whether the rate is raised because more is asked for, or was cut for nothing.
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
