//! What is done on the way out: the parting limits and switches, one try each.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::underway::Underway;
use crate::{
    config::{QueueRef, SwitchRef},
    router::Router,
    units::BitRate,
};

/// How a router is to be left.
pub(super) struct Parting {
    pub(super) router: Arc<dyn Router>,
    pub(super) limits: Vec<(QueueRef, BitRate)>,
    /// In the order in which they are to be put so: a way opens before another closes.
    pub(super) switches: Vec<(SwitchRef, bool)>,
}

/// Waits for the requests that are under way, then leaves the router as it is to be left; each
/// takes at most `within`.
pub(super) async fn leave(parting: Parting, underway: Vec<Underway>, within: Duration) {
    // A request that is not waited for would hold the road for ever, and one that is cut off
    // would confuse the router before the farewell.
    if timeout(within, join_all(underway.into_iter().map(Underway::answer))).await.is_err() {
        warn!(?within, "a request to the router is still under way");
    }
    let Parting { router, limits, switches } = parting;
    let farewell = async {
        for (queue, limit) in &limits {
            match router.set_limit(queue, *limit).await {
                Ok(limit) => info!(%queue, %limit, "restored"),
                Err(failure) => error!(%queue, error = %failure, "could not restore"),
            }
        }
        for (switch, enabled) in &switches {
            match router.enable_switch(switch, *enabled).await {
                Ok(enabled) => info!(%switch, enabled, "restored"),
                Err(failure) => error!(%switch, error = %failure, "could not restore"),
            }
        }
    };
    if timeout(within, farewell).await.is_err() {
        error!(?within, "gave up on the router: it stays as it is");
    }
}
