//! Notifications to systemd. The watchdog proves that the control loops turn, nothing else: an outage
//! of the link or of the router is no reason to be restarted.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{clock::Clock, status::StatusBoard};

/// A loop that has not turned for this long is stuck.
const STUCK: Duration = Duration::from_secs(3);

/// Says that the daemon is up.
pub(super) fn ready() {
    notify(NotifyState::Ready);
}

/// Says that the configuration is being read anew, and once this is dropped, that it was.
#[must_use]
pub(super) fn reloading() -> Reloading {
    // `Type=notify-reload` needs the time, to assign this answer to its signal.
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        let _ = sd_notify::notify(&[NotifyState::Reloading, now]);
    }
    Reloading
}

/// The configuration is being read anew.
#[derive(Debug)]
pub(super) struct Reloading;

impl Drop for Reloading {
    fn drop(&mut self) {
        ready();
    }
}

/// Says that the daemon is on its way out.
pub(super) fn stopping() {
    notify(NotifyState::Stopping);
}

/// Pets the watchdog, if systemd wants that, for as long as the loops turn.
pub(super) async fn run(board: StatusBoard, clock: Clock, stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(limit / 3) => {}
        }
        let now = clock.now();
        let turning = board
            .latest()
            .iter()
            .all(|(_, cycle)| cycle.as_ref().is_some_and(|cycle| now.since(cycle.at) < STUCK));
        if turning {
            notify(NotifyState::Watchdog);
        }
    }
}

/// Outside systemd nobody listens, which is not an error.
fn notify(state: NotifyState<'_>) {
    let _ = sd_notify::notify(&[state]);
}
