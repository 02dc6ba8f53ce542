//! The law that does nothing: the base rate, once, for ever.

use super::{LawInput, RateDecision, RateLaw, Reason};

/// Keeps the base rate. For links whose capacity does not move, and for comparison.
#[derive(Debug)]
pub(crate) struct Fixed;

impl RateLaw for Fixed {
    fn decide(&mut self, input: &LawInput) -> RateDecision {
        RateDecision { rate: input.limits.base, reason: Reason::Fixed }
    }
}
