//! The metrics of the conversation with the router, declared beside what feeds them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use strum::VariantArray as _;
use wanctl_core::Direction;

use super::{
    in_flight::{Operation, RequestTiming},
    reconciler::{RateOverride, WriteCount},
};
use crate::{
    catalogue::{Catalogue, FloatGauge, Histograms, Labels, Spec},
    clock::Clock,
    router::{Finding, Router, RouterError, RouterFacts, RouterFault, Severity, Transport},
};

/// A router answers within milliseconds when idle and within a second under load.
const REQUEST_BUCKETS: [f64; 11] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// From a router next door to one that is being rebooted.
const CONFIRMATION_BUCKETS: [f64; 12] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// What is declared of all routers.
#[derive(Debug, Clone)]
pub struct RouterFamilies {
    up: Family<Labels, Gauge>,
    last_success: Family<Labels, FloatGauge>,
    duration: Histograms,
    failures: Family<Labels, Counter>,
    drifts: Family<Labels, Counter>,
    active: Family<Labels, Gauge>,
    failovers: Family<Labels, Counter>,
    findings: Family<Labels, Gauge>,
    facts: Arc<Mutex<BTreeMap<String, RouterFacts>>>,
    cpu_load: Family<Labels, FloatGauge>,
    uptime: Family<Labels, FloatGauge>,
    flash: Family<Labels, FloatGauge>,
    confirmation: Histograms,
    write_failures: Family<Labels, Counter>,
    repeats: Family<Labels, Counter>,
    overridden: Family<Labels, Gauge>,
    write_budget: Family<Labels, Gauge>,
    last_hour: Family<Labels, Gauge>,
    exhausted: Family<Labels, Gauge>,
}

/// Metrics of one router.
#[derive(Debug, Clone)]
pub struct RouterMetrics {
    families: RouterFamilies,
    router: String,
    transports: &'static [Transport],
    up: Gauge,
    last_success: FloatGauge,
    drifts: Counter,
    write_budget: Gauge,
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

impl RouterFamilies {
    /// Declares the metrics.
    pub fn register(c: &mut Catalogue) -> Self {
        c.chapter("Router");
        let of_router = |name, help| Spec::new(name, help).by(&["router"]);
        let by_transport = |name, help| Spec::new(name, help).by(&["router", "transport"]);
        let by_direction = |name, help| Spec::new(name, help).by(&["wan", "direction"]);
        let families = Self {
            up: c.family(of_router(
                "wanctl_router_up",
                "Whether the last request to the router succeeded",
            )),
            last_success: c.family(of_router(
                "wanctl_router_last_success_timestamp_seconds",
                "Unix time of the last successful request to the router, 0 before the first",
            )),
            duration: c.histograms(
                Spec::new(
                    "wanctl_router_request_duration_seconds",
                    "Duration of requests to the router",
                )
                .by(&["router", "operation", "transport"]),
                &REQUEST_BUCKETS,
            ),
            failures: c.family(
                Spec::new("wanctl_router_request_failures_total", "Failed requests by reason")
                    .by(&["router", "operation", "transport", "reason"]),
            ),
            drifts: c.family(of_router(
                "wanctl_router_limit_drifts_total",
                "Limits that were changed outside wanctl and corrected",
            )),
            active: c.family(by_transport(
                "wanctl_router_transport_active",
                "1 for the transport in use",
            )),
            failovers: c.family(by_transport(
                "wanctl_router_failovers_total",
                "Switches to this transport from the other one",
            )),
            findings: c.family(
                Spec::new(
                    "wanctl_router_findings",
                    "Findings of the last check of the router's configuration; /health lists them",
                )
                .by(&["router", "severity"])
                .when("once checked"),
            ),
            confirmation: c.histograms(
                by_direction(
                    "wanctl_shaper_rate_confirmation_seconds",
                    "Time from a change of the desired limit until the router confirmed it",
                ),
                &CONFIRMATION_BUCKETS,
            ),
            write_failures: c.family(by_direction(
                "wanctl_shaper_rate_write_failures_total",
                "Rate writes that the router did not confirm",
            )),
            repeats: c.family(by_direction(
                "wanctl_shaper_rate_repeated_writes_total",
                "Writes of a rate that was written before and was not in force",
            )),
            overridden: c.family(
                Spec::new(
                    "wanctl_shaper_rate_overridden",
                    "1 while the written rate is not in force because the router enforces another \
                     one (`not_applied`) or it is changed outside wanctl (`changed_externally`); \
                     /health has the details",
                )
                .by(&["wan", "direction", "reason"]),
            ),
            write_budget: c.family(of_router(
                "wanctl_shaper_write_budget_per_hour",
                "Maximum writes per queue and hour, to limit the wear of the router's flash; only \
                 new cuts may exceed it",
            )),
            last_hour: c.family(by_direction(
                "wanctl_shaper_writes_last_hour",
                "Writes of the last hour that count towards the budget, failed ones included",
            )),
            exhausted: c.family(by_direction(
                "wanctl_shaper_write_budget_exhausted",
                "1 while the write budget is used up and only new cuts are written at once",
            )),
            cpu_load: Family::default(),
            uptime: Family::default(),
            flash: Family::default(),
            facts: Arc::default(),
        };
        families.declare_facts(c)
    }

    fn declare_facts(self, c: &mut Catalogue) -> Self {
        let facts = Arc::clone(&self.facts);
        let info = Spec::new("wanctl_router_info", "Identity, model and version of the router")
            .when("once known");
        c.info(info.by(&["router", "identity", "board", "version"]), move || {
            let facts = facts.lock().unwrap_or_else(PoisonError::into_inner);
            let series = facts.iter().map(|(router, facts)| {
                let RouterFacts { identity, board, version, .. } = facts.clone();
                let [identity, board, version] = [identity, board, version].map(String::from);
                vec![router.clone(), identity, board, version]
            });
            series.collect::<Vec<_>>()
        });
        let mut of_router =
            |name, help| c.family(Spec::new(name, help).by(&["router"]).when("once known"));
        Self {
            cpu_load: of_router("wanctl_router_cpu_load_ratio", "CPU load of the router"),
            uptime: of_router("wanctl_router_uptime_seconds", "Time since the router booted"),
            flash: of_router(
                "wanctl_router_flash_written_sectors",
                "Sectors written to the router's flash in its lifetime",
            ),
            ..self
        }
    }

    /// Returns the metrics of a router, every series of its own at zero. `queues` are the WANs and
    /// directions of its queues, in their order.
    pub fn of_router<'a>(
        &self,
        router: &Router,
        queues: impl Iterator<Item = (&'a str, Direction)>,
    ) -> RouterMetrics {
        let labels = vec![("router", router.name.clone())];
        let metrics = RouterMetrics {
            router: router.name.clone(),
            transports: router.inspect.transports(),
            up: self.up.get_or_create_owned(&labels),
            last_success: self.last_success.get_or_create_owned(&labels),
            drifts: self.drifts.get_or_create_owned(&labels),
            write_budget: self.write_budget.get_or_create_owned(&labels),
            queues: queues.map(|(wan, direction)| self.of_queue(wan, direction)).collect(),
            families: self.clone(),
        };
        for transport in metrics.transports {
            let labels = metrics.of_transport(*transport);
            drop(self.active.get_or_create(&labels));
            drop(self.failovers.get_or_create(&labels));
            for operation in Operation::VARIANTS {
                let labels = metrics.of_request(*operation, *transport);
                drop(self.duration.get_or_create(&labels));
                for reason in RouterFault::KINDS {
                    drop(self.failures.get_or_create(&with(&labels, "reason", reason)));
                }
            }
        }
        metrics
    }

    fn of_queue(&self, wan: &str, direction: Direction) -> QueueMetrics {
        let labels = vec![("wan", wan.to_owned()), ("direction", direction.name().to_owned())];
        let overridden =
            |reason| self.overridden.get_or_create_owned(&with(&labels, "reason", reason));
        QueueMetrics {
            confirmation: self.confirmation.get_or_create_owned(&labels),
            failures: self.write_failures.get_or_create_owned(&labels),
            repeats: self.repeats.get_or_create_owned(&labels),
            not_applied: overridden("not_applied"),
            changed: overridden("changed_externally"),
            last_hour: self.last_hour.get_or_create_owned(&labels),
            exhausted: self.exhausted.get_or_create_owned(&labels),
        }
    }
}

/// Adds a label.
fn with(labels: &Labels, name: &'static str, value: &str) -> Labels {
    let mut labels = labels.clone();
    labels.push((name, value.to_owned()));
    labels
}

impl RouterMetrics {
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

    /// Shows the findings.
    pub(super) fn findings(&self, findings: &[Finding]) {
        for severity in Severity::PROBLEMS {
            let found = findings.iter().filter(|finding| finding.severity == severity).count();
            let labels = with(&self.labels(), "severity", severity.name());
            let found = i64::try_from(found).unwrap_or(i64::MAX);
            self.families.findings.get_or_create(&labels).set(found);
        }
    }

    /// Counts one request.
    pub(super) fn request<T>(&self, call: RequestTiming, outcome: &Result<T, RouterError>) {
        let RequestTiming { operation, transport, took, .. } = call;
        let labels = self.of_request(operation, transport);
        self.families.duration.get_or_create(&labels).observe(took.as_secs_f64());
        match outcome {
            Ok(_) => {
                self.up.set(1);
                self.last_success.set(Clock::wall().seconds());
            }
            Err(error) => {
                // A router that says no is there.
                self.up.set(i64::from(!error.fault.concerns_all()));
                let labels = with(&labels, "reason", error.fault.kind());
                self.families.failures.get_or_create(&labels).inc();
            }
        }
    }

    pub(super) fn drift(&self) {
        self.drifts.inc();
    }

    /// Shows the transport in use; `moved` says that it was another one before.
    pub(super) fn transport(&self, transport: Transport, moved: bool) {
        for each in self.transports {
            let active = self.families.active.get_or_create_owned(&self.of_transport(*each));
            active.set(i64::from(*each == transport));
        }
        let failovers = self.families.failovers.get_or_create_owned(&self.of_transport(transport));
        failovers.inc_by(u64::from(moved));
    }

    pub(super) fn facts(&self, facts: &RouterFacts) {
        let RouterFacts { cpu_percent, uptime, flash_sectors_written, .. } = *facts;
        let labels = self.labels();
        let show = |family: &Family<Labels, FloatGauge>, value: Option<f64>| match value {
            Some(value) => {
                family.get_or_create(&labels).set(value);
            }
            None => {
                family.remove(&labels);
            }
        };
        show(&self.families.cpu_load, cpu_percent.map(|percent| percent as f64 / 100.0));
        show(&self.families.uptime, uptime.map(|uptime| uptime.as_secs_f64()));
        show(&self.families.flash, flash_sectors_written.map(|sectors| sectors as f64));
        let mut known = self.families.facts.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(self.router.clone(), facts.clone());
    }

    fn labels(&self) -> Labels {
        vec![("router", self.router.clone())]
    }

    fn of_transport(&self, transport: Transport) -> Labels {
        with(&self.labels(), "transport", transport.name())
    }

    fn of_request(&self, operation: Operation, transport: Transport) -> Labels {
        let labels = with(&self.labels(), "operation", operation.name());
        with(&labels, "transport", transport.name())
    }
}
