//! What the HTTP server asks: how the daemon is, and to reload its configuration.

use std::sync::Arc;

use tokio::sync::watch;

use super::reload::Reloader;
use crate::{
    actuator::{RouterReport, SwitchChannels},
    clock::Clock,
    config::Change,
    history::{Recorder, Stats},
    http::{HealthSource, HostSource, ListenError, OrderOutcome, ReloadSource, Source},
    probe::{Prober, ProberReport},
    status::{
        Health, HealthInputs, HistoryInputs, HistoryValues, ProbingInputs, RouterStanding,
        StatusBoard, SteeringBoard,
    },
};

/// The inputs of health.
pub(super) struct HealthSources {
    pub(super) reloader: Reloader,
    pub(super) clock: Clock,
    pub(super) board: StatusBoard,
    /// The name, kind and state of each router.
    pub(super) routers: Vec<(String, &'static str, watch::Receiver<RouterReport>)>,
    /// The place of each WAN's router.
    pub(super) router_of: Vec<usize>,
    pub(super) recorder: Option<Recorder>,
    pub(super) probers: Vec<Arc<dyn Prober>>,
    pub(super) steering: SteeringBoard,
    pub(super) switches: Vec<SwitchChannels>,
    pub(super) listen_error: ListenError,
}

/// Returns what assesses the daemon's health.
pub(super) fn health_source(of: HealthSources) -> HealthSource {
    Source(Arc::new(move || {
        let router =
            |(name, kind, report): &(String, &'static str, watch::Receiver<RouterReport>)| {
                RouterStanding { name: name.clone(), kind, report: report.borrow().clone() }
            };
        let problems = |switches: &SwitchChannels| switches.problems.borrow().clone();
        Health::assess(&HealthInputs {
            now: of.clock.now(),
            wall: Clock::wall(),
            wans: of.board.latest(),
            loops: of.board.loop_counts(),
            probing: of.probers.iter().zip(of.board.reflectors()).map(probing).collect(),
            routers: of.routers.iter().map(router).collect(),
            router_of: of.router_of.clone(),
            history: of.recorder.as_ref().map(|recorder| config_in_force(recorder.stats())),
            config: of.reloader.config_in_force().config,
            clock: of.board.clock(),
            steering: of.steering.clone(),
            listen_error: of.listen_error.get(),
            switch_problems: of.switches.iter().flat_map(problems).collect(),
        })
    }))
}

/// How a WAN is probed.
fn probing((prober, reflectors): (&Arc<dyn Prober>, Vec<String>)) -> ProbingInputs {
    let report = prober.report();
    ProbingInputs {
        method: report.as_ref().map(|report| report.kind.name()),
        notes: report.as_ref().map_or_else(Vec::new, ProberReport::notes),
        reflectors,
    }
}

/// State of the history.
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
    Source(Arc::new(move || {
        let reloader = reloader.clone();
        Box::pin(async move {
            if !reloader.config_in_force().allows_http {
                return OrderOutcome::Forbidden("set http.allow_reload and send SIGHUP");
            }
            match reloader.reload().await {
                Ok(changes) if changes.is_empty() => {
                    OrderOutcome::Done("nothing changed".to_owned())
                }
                Ok(changes) => {
                    let lines: Vec<String> = changes.iter().map(Change::to_string).collect();
                    OrderOutcome::Done(lines.join("\n"))
                }
                Err(error) => OrderOutcome::Refused(error.to_string()),
            }
        })
    }))
}

/// Returns what checks whether the configuration lists a host as this server.
pub(super) fn host_source(reloader: Reloader) -> HostSource {
    Source(Arc::new(move |host| reloader.lists(host)))
}
