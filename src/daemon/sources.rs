//! What the HTTP server asks: how the daemon is, and to reload its configuration.

use std::sync::Arc;

use tokio::sync::watch;

use super::reload::Reloader;
use crate::{
    actuator::{RouterReport, SwitchLink},
    clock::Clock,
    config::Change,
    history::{Recorder, Stats},
    http::{HealthSource, HostSource, ReloadSource, Reloaded, ServerTrouble},
    probe::{Prober, RoadReport},
    status::{
        Board, Health, HealthInputs, HistoryStanding, HistoryValues, ProbingStanding, SteeringBoard,
    },
};

/// Returns what judges the daemon's health.
pub(super) fn health_source(
    reloader: Reloader,
    clock: Clock,
    board: Board,
    report: watch::Receiver<RouterReport>,
    recorder: Option<Recorder>,
    (probers, steering, switches, trouble): (
        Vec<Arc<dyn Prober>>,
        SteeringBoard,
        SwitchLink,
        ServerTrouble,
    ),
) -> HealthSource {
    HealthSource(Arc::new(move || {
        Health::judge(&HealthInputs {
            now: clock.now(),
            wall: Clock::wall(),
            wans: board.latest(),
            loops: board.loop_counts(),
            probing: probers.iter().zip(board.reflectors()).map(probing).collect(),
            router: report.borrow().clone(),
            history: recorder.as_ref().map(|recorder| standing(recorder.stats())),
            config: reloader.standing().config,
            clock: board.clock(),
            steering: steering.clone(),
            server_trouble: trouble.get(),
            switch_troubles: switches.troubles.borrow().clone(),
        })
    }))
}

/// How a WAN is probed.
fn probing((prober, reflectors): (&Arc<dyn Prober>, Vec<String>)) -> ProbingStanding {
    let report = prober.report();
    ProbingStanding {
        road: report.as_ref().map(|report| report.road.name()),
        notes: report.as_ref().map_or_else(Vec::new, RoadReport::notes),
        reflectors,
    }
}

/// How the history stands.
fn standing(stats: Stats) -> HistoryStanding {
    HistoryStanding {
        failure: stats.last_error.filter(|_| stats.failing),
        last_commit: stats.last_commit,
        values: HistoryValues {
            rows_written: stats.rows_written,
            events_written: stats.events_written,
            dropped: stats.dropped,
            queued: stats.queued,
            failures: stats.failures,
            last_commit_age_seconds: None,
            size_bytes: stats.database_bytes + stats.wal_bytes,
        },
    }
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

/// Returns what tells whether the configuration lists a host as this server.
pub(super) fn host_source(reloader: Reloader) -> HostSource {
    HostSource(Arc::new(move |host| reloader.lists(host)))
}
