//! Turns what the actuator reports of the router into events of the history.

use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    actuator::RouterReport,
    clock::Clock,
    history::{Event, Recorder},
    router::Transport,
};

/// Records outages of the router and moves between its roads until `stop`.
pub(super) async fn run(
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
            (reported.failure.as_ref().map(ToString::to_string), reported.transport)
        };
        match (failure, away) {
            (Some(error), None) => {
                away = Some(Instant::now());
                record(Event::RouterUnreachable { error });
            }
            (None, Some(since)) => {
                away = None;
                record(Event::RouterRecovered { outage: since.elapsed() });
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
        if let (Some(from), Some(to)) = (previous, transport)
            && from != to
        {
            record(Event::RoadChanged { from: from.name(), to: to.name() });
        }
        previous = transport.or(previous);
    }
}
