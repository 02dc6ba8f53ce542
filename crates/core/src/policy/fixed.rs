//! The policy `fixed`: the base rate, always.

use super::{Limits, Policy, RateDecision, Reason};
use crate::estimate::Estimate;

/// Keeps the base rate. For links whose capacity does not move, and for comparison.
#[derive(Debug)]
pub(crate) struct Fixed;

impl Policy for Fixed {
    fn decide(&mut self, _: &Estimate, limits: &Limits) -> RateDecision {
        RateDecision::new(limits.base, Reason::Fixed, Reason::Fixed.phase())
    }
}
