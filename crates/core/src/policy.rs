//! Policies: from the estimate of a direction to the rate that it should have.
//!
//! A policy answers one question per cycle. The limits are kept by `Wan`, and what is not in force
//! yet is waited for by `pending`, for all policies alike. A new policy is a file here, a variant of
//! [`LawKind`], a name in [`LawName`] and a line in `LawKind::build`.

mod adaptive;
mod fixed;
#[cfg(test)]
pub(crate) mod fixture;
mod name;
mod phase;
mod reason;
mod zone;

use std::fmt;

use serde::{Deserialize, Serialize};

use adaptive::Adaptive;
use fixed::Fixed;
pub use name::LawName;
pub use phase::Phase;
pub use reason::Reason;
use zone::Zone;
pub use zone::{ZoneFloors, ZoneParams};

use super::StateThresholds;
use crate::estimate::{Applied, Estimate};
use crate::params::Params;
use crate::units::BitRate;

/// The limits of a direction's shaper rate; `floor ≤ base ≤ ceiling`.
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

/// Which policy moves a direction's rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawKind {
    /// Cuts to the estimated capacity, raises only while the shaper limits the traffic.
    Adaptive,
    /// Answers each congestion state in its own way, as the predecessor's v1.7 did.
    Zone(ZoneParams),
    /// Keeps the base rate and only observes.
    Fixed,
}

impl LawKind {
    /// Builds the policy, for congestion states that begin at `thresholds`.
    pub(super) fn build(self, thresholds: StateThresholds, params: &Params) -> Box<dyn Policy> {
        match self {
            Self::Adaptive => Box::new(Adaptive::new(params)),
            Self::Zone(zone) => Box::new(Zone::new(thresholds, zone, params.zone)),
            Self::Fixed => Box::new(Fixed),
        }
    }
}

/// What a policy does while a cut is not in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhilePending {
    /// It holds, and decides anew once the cut is overdue.
    DecideWhenOverdue,
    /// It holds.
    Hold,
    /// It decides, because its decision does not depend on measurements.
    Decide,
}

/// A policy.
pub(super) trait Policy: fmt::Debug + Send {
    /// Returns the rate that the direction should have from now on, and why.
    fn decide(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision;
}

/// A policy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateDecision {
    pub(super) rate: BitRate,
    pub(super) reason: Reason,
    pub(super) phase: Phase,
    /// What the estimator has to know of it; `None` if no policy was asked.
    pub(super) applied: Option<Applied>,
}

impl RateDecision {
    /// Returns a decision that the estimator need not observe.
    pub(super) fn new(rate: BitRate, reason: Reason, phase: Phase) -> Self {
        Self { rate, reason, phase, applied: Some(Applied::default()) }
    }

    /// Returns the decision with what the estimator has to observe.
    fn with(self, applied: Applied) -> Self {
        Self { applied: Some(applied), ..self }
    }

    /// Keeps the rate within `limits`. The floor stops a cut, but never lifts a rate that is already
    /// below it, as `previous` may be, and the ceiling holds for everything.
    pub(super) fn within(self, limits: Limits, previous: BitRate) -> Self {
        let floor = limits.floor.min(previous);
        Self { rate: self.rate.max(floor).min(limits.ceiling), ..self }
    }
}
