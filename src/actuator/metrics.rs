//! The metrics of the conversation with the router, declared beside what feeds them.

use std::sync::{Arc, Mutex, PoisonError, atomic::AtomicU64};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
        info::Info,
    },
    registry::Registry,
};

use super::underway::Call;
use crate::{
    clock::Clock,
    router::{RouterError, RouterFacts, RouterFault, Transport},
};

/// A router answers within milliseconds when idle and within a second when it suffers.
const CALL_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

type Labels = Vec<(&'static str, &'static str)>;
type FloatGauge = Gauge<f64, AtomicU64>;

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
    Survey,
    /// Whether a rule or route is enabled.
    Look,
    /// A rule or route, enabled or disabled.
    Switch,
}

impl Operation {
    const ALL: [Self; 6] =
        [Self::Read, Self::Write, Self::Facts, Self::Survey, Self::Look, Self::Switch];

    const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Facts => "facts",
            Self::Survey => "survey",
            Self::Look => "look",
            Self::Switch => "switch",
        }
    }
}

/// Metrics of one router.
#[derive(Debug, Clone)]
pub struct RouterMetrics {
    up: Gauge,
    last_success: FloatGauge,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
    failures: Family<Labels, Counter>,
    drifts: Counter,
    active: Family<Labels, Gauge>,
    failovers: Family<Labels, Counter>,
    facts: Arc<Mutex<Option<RouterFacts>>>,
}

impl RouterMetrics {
    /// Declares the metrics in `registry`, every series at zero.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            up: Gauge::default(),
            last_success: Gauge::default(),
            duration: Family::new_with_constructor(|| Histogram::new(CALL_BUCKETS)),
            failures: Family::default(),
            drifts: Counter::default(),
            active: Family::default(),
            failovers: Family::default(),
            facts: Arc::default(),
        };
        for transport in Transport::ALL {
            drop(metrics.active.get_or_create(&of_transport(transport)));
            drop(metrics.failovers.get_or_create(&of_transport(transport)));
            for operation in Operation::ALL {
                drop(metrics.duration.get_or_create(&of_call(operation, transport)));
                for reason in RouterFault::KINDS {
                    drop(metrics.failures.get_or_create(&failure(operation, transport, reason)));
                }
            }
        }
        let all = metrics.clone();
        let mut add = |name: &str, help: &str, metric: Box<dyn Declare>| {
            metric.declare(registry, name, help);
        };
        add("router_up", "Whether the last request to the router succeeded", Box::new(all.up));
        add(
            "router_last_success_timestamp_seconds",
            "Unix time of the last successful request to the router",
            Box::new(all.last_success),
        );
        add("router_request_failures", "Failed requests by reason", Box::new(all.failures));
        add(
            "router_limit_drifts",
            "Limits found changed by somebody else and put right",
            Box::new(all.drifts),
        );
        add("router_transport_active", "1 for the road in use", Box::new(all.active));
        add("router_failovers", "Moves to this road from the other", Box::new(all.failovers));
        registry.register_collector(Box::new(FactsCollector(all.facts)));
        registry.register(
            "router_request_duration_seconds",
            "Duration of requests to the router",
            all.duration,
        );
        metrics
    }

    /// Counts one request.
    pub(super) fn call<T>(&self, call: Call, outcome: &Result<T, RouterError>) {
        let Call { operation, transport, took, .. } = call;
        let duration = self.duration.get_or_create(&of_call(operation, transport));
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
    pub(super) fn road(&self, transport: Transport, moved: bool) {
        for each in Transport::ALL {
            self.active.get_or_create(&of_transport(each)).set(i64::from(each == transport));
        }
        self.failovers.get_or_create(&of_transport(transport)).inc_by(u64::from(moved));
    }

    pub(super) fn facts(&self, facts: &RouterFacts) {
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(facts.clone());
    }
}

/// Exports what the router says about itself, once it has said it.
#[derive(Debug)]
struct FactsCollector(Arc<Mutex<Option<RouterFacts>>>);

impl Collector for FactsCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let facts = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(facts) = facts else { return Ok(()) };
        let labels =
            [("identity", facts.identity), ("board", facts.board), ("version", facts.version)];
        let info = Info::new(labels.to_vec());
        let help = "What the router is.";
        info.encode(encoder.encode_descriptor("router", help, None, info.metric_type())?)?;
        let sectors = facts.flash_sectors_written.map(|sectors| sectors as f64);
        for (name, help, value) in [
            (
                "router_cpu_load_ratio",
                "Load of the router's processors.",
                Some(facts.cpu_percent as f64 / 100.0),
            ),
            ("router_uptime_seconds", "Time since it booted.", Some(facts.uptime.as_secs_f64())),
            (
                "router_flash_written_sectors",
                "Sectors written to its flash since it was made.",
                sectors,
            ),
        ] {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// A metric that can be declared; `Registry::register` is generic, so a list needs this.
trait Declare {
    fn declare(self: Box<Self>, registry: &mut Registry, name: &str, help: &str);
}

impl<M: prometheus_client::registry::Metric> Declare for M {
    fn declare(self: Box<Self>, registry: &mut Registry, name: &str, help: &str) {
        registry.register(name, help, *self);
    }
}

fn of_transport(transport: Transport) -> Labels {
    vec![("transport", transport.name())]
}

fn of_call(operation: Operation, transport: Transport) -> Labels {
    vec![("operation", operation.name()), ("transport", transport.name())]
}

fn failure(operation: Operation, transport: Transport, reason: &'static str) -> Labels {
    let mut labels = of_call(operation, transport);
    labels.push(("reason", reason));
    labels
}
