//! Which WAN new latency-sensitive connections take, and which WAN carries everything else.
//!
//! ```text
//! Cycle of each WAN ─► watch ─┬─► reachability ─► failover machine ─► default ───┐
//!                             └─► signals ─► score ─► steering machine ─────────┴► RouteTarget
//! RouteActuation, operator ───────────────► blockers, belief ─┘
//! ```
//!
//! Two decisions with separate evidence. **Steering** moves new latency-sensitive connections
//! away from a WAN that stays congested although it is shaped; the evidence is its score.
//! **Failing over** moves everything away from a WAN that is dead; the only evidence is that none
//! of several targets answers through that WAN's own source. Congestion never fails over.
//!
//! Pure like `control`: cycles, reports of the router and a time go in, a decision with its score,
//! blockers, timers and reasons comes out. WANs are known by their [`Rank`], the place in the
//! operator's order of preference; the first is the default WAN.
//!
//! Invariants:
//! - nothing is moved to a WAN that is not verified healthy (except the default WAN: it is returned
//!   to from a dead alternate as soon as it answers at all);
//! - a cycle that is old, and a probe that was never sent, are no evidence of anything;
//! - changes within an hour are bounded, and the bound never prevents a return to the default WAN;
//! - nothing is decided on a remembered state before the router's switches were seen;
//! - while a switch is in doubt connections are not moved because of congestion.
#![deny(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm
)]

/// Gives an enum the list of its values, and the method `$method` for its `snake_case` name.
macro_rules! named {
    ($name:ident::$method:ident) => {
        impl $name {
            /// All values, in the order in which they are shown.
            pub const ALL: &'static [Self] = <Self as strum::VariantArray>::VARIANTS;

            /// Returns the code used in the configuration, labels, the history and JSON.
            #[must_use]
            pub fn $method(self) -> &'static str {
                self.into()
            }
        }
    };
}

mod actions;
mod eligibility;
mod failover;
#[cfg(test)]
mod fixture;
mod flap_damping;
mod machine;
mod params;
mod preset;
mod reachability;
mod reason;
mod score;
mod steerer;
mod target;
mod trend;
mod view;
mod watch;

pub use params::{
    ActionLimits, FailoverParams, FlapParams, Recovery, SteerParams, SteeringMode, SteeringParams,
    WanFacts,
};
pub use preset::Preset;
pub use reachability::Reach;
pub use reason::{Blocker, FailoverReason, SteerReason};
pub use score::{Assessment, AssessmentParams, Contributor, Score, Signals, Weights};
pub use steerer::{Steering, SteeringMemory};
pub use target::{
    FailoverMethod, Rank, RouteActuation, RouteTarget, Switch, SwitchKind, SwitchOrder,
    SwitchReport,
};
pub use view::{
    FailoverView, Move, SteerOverride, SteerState, SteerView, SteeringDecision, SteeringTally,
    SteeringWanView, Timer, TimerKind,
};
