//! Turns what becomes of reflectors and routers into events of the history and lines of the log.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use wanctl_core::ReflectorId;

use crate::{
    actuator::RouterReport,
    clock::Clock,
    history::{Event, Recorder},
    probe::PoolEvent,
    router::Transport,
    status::StatusBoard,
};

/// Records outages of a router and moves between its transports until `stop`.
pub(super) async fn record_router(
    name: String,
    mut report: watch::Receiver<RouterReport>,
    recorder: Recorder,
    stop: CancellationToken,
) {
    let record = |event| recorder.event(Clock::wall(), None, event);
    let mut away: Option<Instant> = None;
    let mut previous: Option<Transport> = None;
    loop {
        // Both futures may be dropped and begun anew without loss.
        tokio::select! {
            () = stop.cancelled() => return,
            changed = report.changed() => if changed.is_err() { return },
        }
        let (failure, transport) = {
            let reported = report.borrow_and_update();
            (reported.failure.as_ref().map(|(error, _)| error.to_string()), reported.transport)
        };
        match (failure, away) {
            (Some(error), None) => {
                away = Some(Instant::now());
                record(Event::RouterUnreachable { router: name.clone(), error });
            }
            (None, Some(since)) => {
                away = None;
                let outage = since.elapsed();
                record(Event::RouterRecovered { router: name.clone(), outage });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let (Some(from), Some(to)) = (previous, transport)
            && from != to
        {
            let (from, to) = (from.name(), to.name());
            record(Event::TransportChanged { router: name.clone(), from, to });
        }
        previous = transport.or(previous);
    }
}

/// One WAN's reflectors, and what becomes of them.
pub(super) struct ReflectorEvents {
    /// The WAN's place in the configuration.
    pub(super) wan: usize,
    /// The reflectors' addresses, in the order of the configuration.
    pub(super) reflectors: Vec<String>,
    pub(super) changes: mpsc::Receiver<PoolEvent>,
    pub(super) recorder: Recorder,
}

impl ReflectorEvents {
    /// Records the changes until the sender is gone.
    pub(super) async fn run(mut self) {
        while let Some(change) = self.changes.recv().await {
            let event = match change {
                PoolEvent::Replaced { reflector, by, fault } => Event::ReflectorReplaced {
                    reflector: self.address(reflector),
                    by: self.address(by),
                    fault: fault.code(),
                },
                PoolEvent::Returned(reflector) => {
                    Event::ReflectorReturned { reflector: self.address(reflector) }
                }
            };
            self.recorder.event(Clock::wall(), Some(self.wan), event);
        }
    }

    fn address(&self, reflector: ReflectorId) -> String {
        self.reflectors.get(usize::from(reflector.0)).cloned().unwrap_or_default()
    }
}

/// Time between two checks: a reflector is dead after several seconds at the earliest.
const DEAD_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Logs until `stop` which reflectors are dead, once when it happens and once when they answer again.
pub(super) async fn log_dead_reflectors(board: StatusBoard, stop: CancellationToken) {
    let mut known = BTreeSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(DEAD_CHECK_INTERVAL) => {}
        }
        let dead: BTreeSet<(String, String)> = board
            .views()
            .into_iter()
            .flat_map(|wan| {
                let dead = wan.reflectors.into_iter().filter(|row| row.dead_seconds.is_some());
                dead.map(move |row| (wan.name.clone(), row.address))
            })
            .collect();
        for (wan, reflector) in dead.difference(&known) {
            warn!(
                wan,
                reflector, "a reflector does not answer although others do: it does not count"
            );
        }
        for (wan, reflector) in known.difference(&dead) {
            info!(wan, reflector, "a dead reflector counts again, or was replaced");
        }
        known = dead;
    }
}
