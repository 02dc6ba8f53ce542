//! How long the router is left alone after a failure.

use std::time::Duration;

use crate::router::RouterFault;

/// Pause after a failed connection, doubled up to `LONGEST_BACKOFF`.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(4);
/// Pause after a request that broke, stayed without an answer or was refused: RouterOS recovers
/// from a confused web server within 1.3 to 2.4 s, but only when it is left alone.
const BROKEN_BACKOFF: Duration = Duration::from_secs(3);
/// Pause after a refusal: it will be the same at once, and another in a second does no harm.
const REFUSAL_BACKOFF: Duration = Duration::from_secs(1);

/// Returns the pause after `fault`, the `failures`-th in a row (1 or more).
pub(super) fn after(fault: &RouterFault, failures: u32) -> Duration {
    match fault {
        RouterFault::Connect(_) | RouterFault::Untrusted(_) => {
            let doublings = failures.saturating_sub(1).min(8);
            (FIRST_BACKOFF * 2_u32.saturating_pow(doublings)).min(LONGEST_BACKOFF)
        }
        RouterFault::Timeout(_)
        | RouterFault::Reset(_)
        | RouterFault::Unauthorized(_)
        | RouterFault::Overloaded(_)
        | RouterFault::Booting(_)
        | RouterFault::Unparsable(_)
        | RouterFault::NotRouterOs(_) => BROKEN_BACKOFF,
        RouterFault::Policy(_)
        | RouterFault::NotFound(_)
        | RouterFault::Ambiguous(_)
        | RouterFault::Unfit(_)
        | RouterFault::UnknownParameter(_)
        | RouterFault::Rejected(_) => REFUSAL_BACKOFF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_that_is_away_is_knocked_at_more_and_more_slowly() {
        let away = RouterFault::Connect("refused".into());
        let pauses: Vec<u128> = (1..=6).map(|n| after(&away, n).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 4000, 4000]);
    }

    #[test]
    fn a_confused_router_is_left_alone_for_longer_than_it_stays_confused() {
        for fault in [
            RouterFault::Reset("reset".into()),
            RouterFault::Unauthorized("wanctl".into()),
            RouterFault::Timeout(Duration::from_secs(3)),
        ] {
            assert!(after(&fault, 1) >= Duration::from_secs(3), "{fault}");
        }
    }
}
