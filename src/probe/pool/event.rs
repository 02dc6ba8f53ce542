//! What changes in a pool, and why.

use wanctl_core::{ReflectorId, units::Delay};

/// Why a reflector was replaced.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplacementReason {
    /// It loses this share of its probes, 0 to 1, and others do not.
    Loss(f64),
    /// It is this much slower than the fastest.
    Delay(Delay),
    /// None: it has taken turns for long enough.
    Rotation,
    /// There is no route to its address family at present.
    NoRoute,
    /// None: it belongs to the reserve, and one of the WAN's own answers again.
    ListedRecovered,
}

impl ReplacementReason {
    /// The stable codes of all faults.
    pub const CODES: [&'static str; 5] =
        ["loss", "delay", "rotation", "no_route", "listed_recovered"];

    /// Returns the stable code used in labels.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Loss(_) => "loss",
            Self::Delay(_) => "delay",
            Self::Rotation => "rotation",
            Self::NoRoute => "no_route",
            Self::ListedRecovered => "listed_recovered",
        }
    }
}

/// A change in the pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PoolEvent {
    /// A reflector has made room for another.
    Replaced {
        /// Who takes turns no more.
        reflector: ReflectorId,
        /// Who takes turns instead.
        by: ReflectorId,
        /// Why.
        fault: ReplacementReason,
    },
    /// A reflector that had been replaced answers well and may take turns again.
    Returned(ReflectorId),
}
