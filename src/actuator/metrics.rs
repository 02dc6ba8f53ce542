//! The metrics of the conversation with the router, declared beside what feeds them.

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::router::RouterError;

/// A router answers within milliseconds when idle and within a second when it suffers.
const CALL_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];
const OPERATIONS: [&str; 2] = ["read", "write"];

type Labels = Vec<(&'static str, &'static str)>;

/// Metrics of one router.
#[derive(Debug, Clone)]
pub struct RouterMetrics {
    up: Gauge,
    last_success: Gauge<f64, AtomicU64>,
    duration: Family<Labels, Histogram, fn() -> Histogram>,
    failures: Family<Labels, Counter>,
    drifts: Counter,
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
        };
        for operation in OPERATIONS {
            drop(metrics.duration.get_or_create(&vec![("operation", operation)]));
            for reason in RouterError::KINDS {
                drop(metrics.failures.get_or_create(&failure(operation, reason)));
            }
        }
        let Self { up, last_success, duration, failures, drifts } = metrics.clone();
        registry.register("router_up", "Whether the last request to the router succeeded", up);
        registry.register(
            "router_last_success_timestamp_seconds",
            "Unix time of the last successful request to the router",
            last_success,
        );
        registry.register(
            "router_request_duration_seconds",
            "Duration of requests to the router",
            duration,
        );
        registry.register(
            "router_request_failures",
            "Failed requests to the router by reason",
            failures,
        );
        registry.register(
            "router_limit_drifts",
            "Limits found changed by somebody else and put right",
            drifts,
        );
        metrics
    }

    pub(super) fn call<T>(
        &self,
        operation: &'static str,
        took: Duration,
        outcome: &Result<T, RouterError>,
    ) {
        let labels = vec![("operation", operation)];
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
        match outcome {
            Ok(_) => {
                self.up.set(1);
                self.last_success.set(crate::clock::Clock::wall().seconds());
            }
            Err(error) => {
                self.up.set(0);
                self.failures.get_or_create(&failure(operation, error.kind())).inc();
            }
        }
    }

    pub(super) fn drift(&self) {
        self.drifts.inc();
    }
}

fn failure(operation: &'static str, reason: &'static str) -> Labels {
    vec![("operation", operation), ("reason", reason)]
}
