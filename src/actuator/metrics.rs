//! The metrics of the conversation with the router, declared beside what feeds them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use wanctl_core::Direction;

use super::{
    in_flight::RequestTiming,
    reconciler::{RateOverride, WriteCount},
};
use crate::{
    catalogue::{Catalogue, Figure, FloatGauge, Histograms, Labels, Spec},
    clock::Clock,
    router::{Finding, RouterError, RouterFacts, RouterFault, Transport},
};

/// A router answers within milliseconds when idle and within a second when it suffers.
const REQUEST_BUCKETS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// From a router next door to one that is being rebooted.
const CONFIRMATION_BUCKETS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The severities of what a survey finds, and whether such a finding is fatal.
const SEVERITIES: [(&str, bool); 2] = [("fatal", true), ("warning", false)];

/// What is asked of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// The counters and limits of the queues.
    Read,
    /// A limit.
    Write,
    /// What the router says about itself.
    Facts,
    /// What keeps it from shaping.
    Inspect,
    /// Whether a rule or route is enabled.
    SwitchRead,
    /// A rule or route, enabled or disabled.
    SwitchWrite,
}

impl Operation {
    const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Facts, Self::Inspect, Self::SwitchRead, Self::SwitchWrite];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Facts => "facts",
            Self::Inspect => "survey",
            Self::SwitchRead => "look",
            Self::SwitchWrite => "switch",
        }
    }
}

/// Metrics of one router.
#[derive(Debug, Clone)]
pub struct RouterMetrics {
    up: Gauge,
    last_success: FloatGauge,
    duration: Histograms,
    failures: Family<Labels, Counter>,
    drifts: Counter,
    active: Family<Labels, Gauge>,
    failovers: Family<Labels, Counter>,
    findings: Family<Labels, Gauge>,
    facts: Arc<Mutex<Option<RouterFacts>>>,
    confirmation: Histograms,
    write_failures: Family<Labels, Counter>,
    repeats: Family<Labels, Counter>,
    overridden: Family<Labels, Gauge>,
    write_budget: Gauge,
    last_hour: Family<Labels, Gauge>,
    exhausted: Family<Labels, Gauge>,
    /// In the order of the router's queues.
    queues: Vec<QueueMetrics>,
}

#[derive(Debug, Clone)]
struct QueueMetrics {
    confirmation: Histogram,
    failures: Counter,
    repeats: Counter,
    not_applied: Gauge,
    changed: Gauge,
    last_hour: Gauge,
    exhausted: Gauge,
}

impl RouterMetrics {
    /// Declares the metrics, every series of the router's own at zero.
    pub fn register(c: &mut Catalogue) -> Self {
        c.chapter("Router");
        let metrics = Self::declare(c);
        for transport in Transport::ALL {
            drop(metrics.active.get_or_create(&of_transport(transport)));
            drop(metrics.failovers.get_or_create(&of_transport(transport)));
            for operation in Operation::ALL {
                drop(metrics.duration.get_or_create(&of_request(operation, transport)));
                for reason in RouterFault::KINDS {
                    drop(metrics.failures.get_or_create(&failure(operation, transport, reason)));
                }
            }
        }
        let facts = Arc::clone(&metrics.facts);
        let info = Spec::new("wanctl_router_info", "What the router is").when("once known");
        c.info(info.by(&["identity", "board", "version"]), move || {
            let facts = facts.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
            Some([facts.identity, facts.board, facts.version].map(String::from).into())
        });
        let facts = Arc::clone(&metrics.facts);
        let figures = [
            Figure::gauge("wanctl_router_cpu_load_ratio", "Load of the router's processors"),
            Figure::gauge("wanctl_router_uptime_seconds", "Time since the router booted"),
            Figure::gauge(
                "wanctl_router_flash_written_sectors",
                "Sectors written to the router's flash since it was made",
            ),
        ];
        c.figures(figures.map(|figure| figure.when("once known")), move || {
            let facts = facts.lock().unwrap_or_else(PoisonError::into_inner).clone();
            facts.map_or([None; 3], |facts| {
                [
                    facts.cpu_percent.map(|percent| percent as f64 / 100.0),
                    facts.uptime.map(|uptime| uptime.as_secs_f64()),
                    facts.flash_sectors_written.map(|sectors| sectors as f64),
                ]
            })
        });
        metrics
    }

    fn declare(c: &mut Catalogue) -> Self {
        let by_transport = |name, help| Spec::new(name, help).by(&["transport"]);
        let by_direction = |name, help| Spec::new(name, help).by(&["wan", "direction"]);
        Self {
            up: c.one(Spec::new(
                "wanctl_router_up",
                "Whether the last request to the router succeeded",
            )),
            last_success: c.one(Spec::new(
                "wanctl_router_last_success_timestamp_seconds",
                "Unix time of the last successful request to the router, 0 before the first",
            )),
            duration: c.histograms(
                Spec::new(
                    "wanctl_router_request_duration_seconds",
                    "Duration of requests to the router",
                )
                .by(&["operation", "transport"]),
                &REQUEST_BUCKETS,
            ),
            failures: c.family(
                Spec::new("wanctl_router_request_failures_total", "Failed requests by reason")
                    .by(&["operation", "transport", "reason"]),
            ),
            drifts: c.one(Spec::new(
                "wanctl_router_limit_drifts_total",
                "Limits found changed by somebody else and put right",
            )),
            active: c
                .family(by_transport("wanctl_router_transport_active", "1 for the road in use")),
            failovers: c.family(by_transport(
                "wanctl_router_failovers_total",
                "Moves to this road from the other",
            )),
            findings: c.family(
                Spec::new(
                    "wanctl_router_findings",
                    "What the last survey of the router found that a person should know; /health \
                     says what",
                )
                .by(&["severity"])
                .when("once surveyed"),
            ),
            confirmation: c.histograms(
                by_direction(
                    "wanctl_shaper_rate_confirmation_seconds",
                    "Time from when the router ought to have another rate until it confirmed it",
                ),
                &CONFIRMATION_BUCKETS,
            ),
            write_failures: c.family(by_direction(
                "wanctl_shaper_rate_write_failures_total",
                "Rate writes that the router did not confirm",
            )),
            repeats: c.family(by_direction(
                "wanctl_shaper_rate_repeated_writes_total",
                "Writes of a rate that was written before and had not been kept",
            )),
            overridden: c.family(
                Spec::new(
                    "wanctl_shaper_rate_overridden",
                    "1 while the written rate is not in force because the router keeps another \
                     (`kept`) or somebody else keeps changing it (`changed`); /health says more",
                )
                .by(&["wan", "direction", "reason"]),
            ),
            write_budget: c.one(Spec::new(
                "wanctl_shaper_write_budget_per_hour",
                "Writes that each queue may get within an hour, for the sake of the router's \
                 flash; only new cuts may exceed it",
            )),
            last_hour: c.family(by_direction(
                "wanctl_shaper_writes_last_hour",
                "Writes of the last hour that count towards the budget, failed ones included",
            )),
            exhausted: c.family(by_direction(
                "wanctl_shaper_write_budget_exhausted",
                "1 while the write budget is used up and only new cuts are written at once",
            )),
            facts: Arc::default(),
            queues: Vec::new(),
        }
    }

    /// Tells the queues apart by these names of their WANs and directions, in their order.
    #[must_use]
    pub fn of_queues<'a>(self, queues: impl Iterator<Item = (&'a str, Direction)>) -> Self {
        let queues = queues.map(|(wan, direction)| {
            let wan = ("wan", wan.to_owned());
            let labels = vec![wan, ("direction", direction.name().to_owned())];
            let overridden = |reason: &str| {
                let labels = [labels.clone(), vec![("reason", reason.to_owned())]].concat();
                self.overridden.get_or_create_owned(&labels)
            };
            QueueMetrics {
                confirmation: self.confirmation.get_or_create_owned(&labels),
                failures: self.write_failures.get_or_create_owned(&labels),
                repeats: self.repeats.get_or_create_owned(&labels),
                not_applied: overridden("kept"),
                changed: overridden("changed"),
                last_hour: self.last_hour.get_or_create_owned(&labels),
                exhausted: self.exhausted.get_or_create_owned(&labels),
            }
        });
        Self { queues: queues.collect(), ..self }
    }

    /// Counts a request to write a queue's limit, which the queue has awaited for so long.
    pub(super) fn wrote<T>(
        &self,
        call: RequestTiming,
        queue: usize,
        outcome: &Result<T, RouterError>,
        awaited: Option<Duration>,
    ) {
        self.request(call, outcome);
        let Some(metrics) = self.queues.get(queue) else { return };
        match (outcome, awaited) {
            (Ok(_), Some(awaited)) => metrics.confirmation.observe(awaited.as_secs_f64()),
            (Ok(_), None) => {}
            (Err(_), _) => {
                metrics.failures.inc();
            }
        }
    }

    /// Shows the writes of a queue, and why its limit is not the one that was written, if so.
    pub(super) fn writes(&self, queue: usize, count: WriteCount, why: Option<RateOverride>) {
        let Some(metrics) = self.queues.get(queue) else { return };
        metrics.repeats.inc_by(count.repeats.saturating_sub(metrics.repeats.get()));
        metrics.last_hour.set(i64::from(count.last_hour));
        metrics.exhausted.set(i64::from(count.is_exhausted));
        metrics.not_applied.set(i64::from(matches!(
            why,
            Some(RateOverride::NotApplied { .. } | RateOverride::Refused { .. })
        )));
        metrics.changed.set(i64::from(matches!(why, Some(RateOverride::ChangedExternally { .. }))));
    }

    /// Shows the budget of each queue.
    pub(super) fn write_budget(&self, per_hour: u32) {
        self.write_budget.set(i64::from(per_hour));
    }

    /// Shows what a survey found.
    pub(super) fn findings(&self, findings: &[Finding]) {
        for (severity, fatal) in SEVERITIES {
            let found = findings.iter().filter(|finding| finding.is_fatal == fatal).count();
            let labels = vec![("severity", severity.to_owned())];
            let found = i64::try_from(found).unwrap_or(i64::MAX);
            self.findings.get_or_create(&labels).set(found);
        }
    }

    /// Counts one request.
    pub(super) fn request<T>(&self, call: RequestTiming, outcome: &Result<T, RouterError>) {
        let RequestTiming { operation, transport, took, .. } = call;
        let duration = self.duration.get_or_create(&of_request(operation, transport));
        duration.observe(took.as_secs_f64());
        match outcome {
            Ok(_) => {
                self.up.set(1);
                self.last_success.set(Clock::wall().seconds());
            }
            Err(error) => {
                // A router that says no is there.
                self.up.set(i64::from(!error.fault.concerns_all()));
                let labels = failure(operation, transport, error.fault.kind());
                self.failures.get_or_create(&labels).inc();
            }
        }
    }

    pub(super) fn drift(&self) {
        self.drifts.inc();
    }

    /// Takes note of the road in use; `moved` tells that it was another one before.
    pub(super) fn transport(&self, transport: Transport, moved: bool) {
        for each in Transport::ALL {
            self.active.get_or_create(&of_transport(each)).set(i64::from(each == transport));
        }
        self.failovers.get_or_create(&of_transport(transport)).inc_by(u64::from(moved));
    }

    pub(super) fn facts(&self, facts: &RouterFacts) {
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts.clone());
    }
}

fn of_transport(transport: Transport) -> Labels {
    vec![("transport", transport.name().to_owned())]
}

fn of_request(operation: Operation, transport: Transport) -> Labels {
    let operation = ("operation", operation.name().to_owned());
    vec![operation, ("transport", transport.name().to_owned())]
}

fn failure(operation: Operation, transport: Transport, reason: &'static str) -> Labels {
    let mut labels = of_request(operation, transport);
    labels.push(("reason", reason.to_owned()));
    labels
}
