//! Plain events, one to a link.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::Conditions;
use crate::trace::Trace;

/// Makes a link that never changes.
#[must_use]
pub fn steady(nominal: PerDirection<BitRate>) -> Conditions {
    Conditions::of(PerDirection::build(|direction| Trace::steady(nominal[direction])))
}

/// Makes a link that has `low` instead of `nominal` from `from` until `until`, once in `span`.
///
/// Times that do not ascend give a link that never changes.
#[must_use]
pub fn step(
    nominal: PerDirection<BitRate>,
    low: PerDirection<BitRate>,
    [from, until, span]: [Duration; 3],
) -> Conditions {
    Conditions::of(PerDirection::build(|direction| {
        let (high, low) = (nominal[direction], low[direction]);
        let points = vec![(Duration::ZERO, high), (from, low), (until, high)];
        Trace::held(points, span).unwrap_or_else(|| Trace::steady(high))
    }))
}

/// Makes a link that carries nothing from `from` until `until`, once in `span`.
#[must_use]
pub fn outage(nominal: PerDirection<BitRate>, times: [Duration; 3]) -> Conditions {
    step(nominal, PerDirection::default(), times)
}

/// Makes a steady link whose empty round-trip time is `after` instead of `before` from `from` on.
#[must_use]
pub fn path_change(
    nominal: PerDirection<BitRate>,
    before: Duration,
    from: Duration,
    after: Duration,
) -> Conditions {
    let base_rtt_steps = vec![(Duration::ZERO, before), (from, after)];
    Conditions { base_rtt_steps, ..steady(nominal) }
}
