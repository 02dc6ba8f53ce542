//! What is done on the way out: the parting limits and switches, one try each, and a record of the
//! limits that stay.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{error, info, warn};
use wanctl_core::units::BitRate;

use super::in_flight::InFlight;
use crate::router::{QueueRef, Router, SwitchRef};

/// The limit with which a queue is left.
#[derive(Debug, Clone)]
pub(super) struct FinalLimit {
    pub(super) queue: QueueRef,
    /// The limit to write; `None` leaves the last.
    pub(super) write: Option<BitRate>,
    /// The limit that was in force last, if that is known.
    pub(super) last: Option<BitRate>,
}

/// How a router is to be left.
pub(super) struct ExitWrites {
    pub(super) router: Router,
    pub(super) limits: Vec<FinalLimit>,
    /// In the order in which they are to be put so: a way opens before another closes.
    pub(super) switches: Vec<(SwitchRef, bool)>,
}

/// Waits for the requests that are in flight, then leaves the router as it is to be left; each
/// takes at most `within`.
pub(super) async fn write_exit(
    exit_writes: ExitWrites,
    in_flight: Vec<InFlight>,
    within: Duration,
) {
    let ExitWrites { router, mut limits, switches } = exit_writes;
    // A request that is not waited for would block the transport, and one that is cancelled would
    // confuse the router before the exit writes.
    let writes = in_flight.iter().filter_map(|request| request.write).map(|write| write.queue);
    for queue in writes.collect::<Vec<_>>() {
        if let Some(left) = limits.get_mut(queue) {
            // Nobody takes the answer into account any more.
            left.last = None;
        }
    }
    if timeout(within, join_all(in_flight.into_iter().map(InFlight::answer))).await.is_err() {
        warn!(?within, "a request to the router is still in flight");
    }
    let deadline = Instant::now() + within;
    let mut is_late = false;
    for left in &mut limits {
        let Some(limit) = left.write else { continue };
        left.last = None;
        let queue = &left.queue;
        match timeout_at(deadline, router.shaper.set_limit(queue, limit)).await {
            Ok(Ok(limit)) => {
                info!(%queue, %limit, "exit write done");
                left.last = Some(limit);
            }
            Ok(Err(failure)) => error!(%queue, error = %failure, "exit write failed"),
            Err(_) => is_late = true,
        }
    }
    for (switch, enabled) in &switches {
        let Some(rows) = &router.switches else { break };
        match timeout_at(deadline, rows.enable_switch(switch, *enabled)).await {
            Ok(Ok(enabled)) => info!(%switch, enabled, "exit write done"),
            Ok(Err(failure)) => {
                error!(%switch, error = %failure, "exit write failed");
            }
            Err(_) => is_late = true,
        }
    }
    if is_late {
        error!(
            ?within,
            "no more exit writes: the router does not answer, unconfirmed limits stay as they are"
        );
    }
    if !limits.is_empty() {
        info!("limits left on the router: {}", sentence(&limits));
    }
}

/// Names each queue and the limit with which it is left.
fn sentence(limits: &[FinalLimit]) -> String {
    let each = |left: &FinalLimit| match left.last {
        Some(limit) if limit == BitRate::ZERO => format!("{} without a limit", left.queue),
        Some(limit) => format!("{} at {limit}", left.queue),
        None => format!("{} unknown (not confirmed by the router)", left.queue),
    };
    limits.iter().map(each).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_named_and_what_is_not_known_is_not_claimed() {
        let left = |name: &str, last| FinalLimit {
            queue: QueueRef::Tree(name.to_owned()),
            write: None,
            last,
        };
        let limits = [
            left("dl", Some(BitRate::from_mbps(120.0))),
            left("ul", None),
            left("other", Some(BitRate::ZERO)),
        ];
        assert_eq!(
            sentence(&limits),
            format!(
                "{} at {}, {} unknown (not confirmed by the router), {} without a limit",
                limits[0].queue,
                BitRate::from_mbps(120.0),
                limits[1].queue,
                limits[2].queue
            )
        );
    }
}
