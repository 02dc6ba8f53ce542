//! The phases of a policy.

/// What a policy is doing with a direction's rate.
///
/// ```text
///              reply               shaper-limited
///  STARTUP ───────────► CRUISE ◄────────────────────► PROBE
///                       ▲ │  ▲    application-limited    │
///         queue is gone │ │  │                           │
///        or not ours    │ │  └─────────► DECAY ──────────┤
///                       │ │ queue  little traffic        │
///                       │ ▼                              │
///                      DRAIN ◄───────────────────────────┘
///                                     queue
///  any phase ──► NO_SIGNAL (no reply, or the probes bypass the queue) ──► CRUISE
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No baseline is final yet.
    Startup,
    /// At a rate that is right as far as is known.
    Cruise,
    /// The shaper limits the traffic: towards a higher rate.
    Probe,
    /// Below the capacity until the queue is gone.
    Drain,
    /// Little traffic: towards the base rate.
    Decay,
    /// The delay says nothing about a queue.
    NoSignal,
}

impl Phase {
    /// All phases, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Startup, Self::Cruise, Self::Probe, Self::Drain, Self::Decay, Self::NoSignal];

    /// Returns the name used in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Cruise => "cruise",
            Self::Probe => "probe",
            Self::Drain => "drain",
            Self::Decay => "decay",
            Self::NoSignal => "no_signal",
        }
    }
}
