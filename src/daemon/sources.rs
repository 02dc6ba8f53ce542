//! What the HTTP server asks: how the daemon is, and to reload its configuration.

use std::sync::Arc;

use tokio::sync::watch;

use super::reload::Reloader;
use crate::{
    actuator::{RouterReport, SwitchChannels},
    clock::Clock,
    config::Change,
    history::{Recorder, Stats},
    http::{HealthSource, HostSource, ListenError, ReloadSource, Reloaded},
    probe::{Prober, ProberReport},
    status::{
        Health, HealthInputs, HistoryInputs, HistoryValues, ProbingInputs, StatusBoard,
        SteeringBoard,
    },
};

/// Returns what judges the daemon's health.
pub(super) fn health_source(
    reloader: Reloader,
    clock: Clock,
    board: StatusBoard,
    report: watch::Receiver<RouterReport>,
    recorder: Option<Recorder>,
    (probers, steering, switches, listen_error): (
        Vec<Arc<dyn Prober>>,
        SteeringBoard,
        SwitchChannels,
        ListenError,
    ),
) -> HealthSource {
    HealthSource(Arc::new(move || {
        Health::assess(&HealthInputs {
            now: clock.now(),
            wall: Clock::wall(),
            wans: board.latest(),
            loops: board.loop_counts(),
            probing: probers.iter().zip(board.reflectors()).map(probing).collect(),
            router: report.borrow().clone(),
            history: recorder.as_ref().map(|recorder| config_in_force(recorder.stats())),
            config: reloader.config_in_force().config,
            clock: board.clock(),
            steering: steering.clone(),
            listen_error: listen_error.get(),
            switch_problems: switches.problems.borrow().clone(),
        })
    }))
}

/// How a WAN is probed.
fn probing((prober, reflectors): (&Arc<dyn Prober>, Vec<String>)) -> ProbingInputs {
    let report = prober.report();
    ProbingInputs {
        road: report.as_ref().map(|report| report.kind.name()),
        notes: report.as_ref().map_or_else(Vec::new, ProberReport::notes),
        reflectors,
    }
}

/// How the history stands.
fn config_in_force(stats: Stats) -> HistoryInputs {
    HistoryInputs {
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
            if !reloader.config_in_force().allows_http {
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
