//! What the HTTP server asks: how the daemon is, and to reload its configuration.

use std::sync::Arc;

use tokio::sync::watch;

use super::reload::{Reloader, Standing};
use crate::{
    actuator::{RouterReport, SwitchLink},
    clock::Clock,
    config::Change,
    history::Recorder,
    http::{HealthSource, ReloadSource, Reloaded},
    probe::{Prober, RoadReport},
    status::{Board, Health, HealthInputs, SteeringBoard},
};

/// Returns what judges the daemon's health.
pub(super) fn health_source(
    reloader: Reloader,
    clock: Clock,
    board: Board,
    report: watch::Receiver<RouterReport>,
    recorder: Option<Recorder>,
    (probers, steering, switches): (Vec<Arc<dyn Prober>>, SteeringBoard, SwitchLink),
) -> HealthSource {
    HealthSource(Arc::new(move || {
        let history = recorder.as_ref().map(Recorder::stats).filter(|stats| stats.failing);
        let Standing { mode, reminders, failure, pending, .. } = reloader.standing();
        Health::judge(HealthInputs {
            now: clock.now(),
            mode,
            wans: board.latest(),
            router: report.borrow().clone(),
            reminders,
            probing: probers.iter().map(notes).collect(),
            history: history.and_then(|stats| stats.last_error).into_iter().collect(),
            reload_failure: failure,
            awaits_restart: pending,
            steering: steering.clone(),
            switch_troubles: switches.troubles.borrow().clone(),
        })
    }))
}

/// What a person should know of how a WAN is probed.
fn notes(prober: &Arc<dyn Prober>) -> Vec<String> {
    prober.report().as_ref().map_or_else(Vec::new, RoadReport::notes)
}

/// Returns what reloads the configuration for the HTTP server.
pub(super) fn reload_source(reloader: Reloader) -> ReloadSource {
    ReloadSource(Arc::new(move || {
        let reloader = reloader.clone();
        Box::pin(async move {
            if !reloader.standing().allows_http {
                return Reloaded::Forbidden;
            }
            match reloader.reload().await {
                Ok(changes) if changes.is_empty() => Reloaded::Taken("nothing changed".to_owned()),
                Ok(changes) => {
                    let lines: Vec<String> = changes.iter().map(Change::to_string).collect();
                    Reloaded::Taken(lines.join("\n"))
                }
                Err(error) => Reloaded::Refused(error.to_string()),
            }
        })
    }))
}
