//! What the daemon tells about itself: the metric registry and the log.

mod config_metrics;
mod cycle_metrics;
mod expose;
mod logging;
mod process;
mod steering_metrics;

pub use config_metrics::ConfigMetrics;
pub use cycle_metrics::{CycleMetrics, WanLabels};
pub use expose::{Format, encode};
pub use logging::{LogFormat, LogLevel, start as start_logging};
pub use process::ProcessCollector;
pub use steering_metrics::SteeringMetrics;

use prometheus_client::{metrics::info::Info, registry::Registry};

/// Prefix of all our metrics.
const PREFIX: &str = "wanctl";

/// Creates the registry with what is known before anything runs.
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(ProcessCollector));
    let build = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("target", std::env::consts::ARCH),
        ("os", std::env::consts::OS),
    ];
    ours(&mut registry).register("build", "What was built", Info::new(build.to_vec()));
    registry
}

/// Returns the part of the registry in which every name gets our prefix.
pub fn ours(registry: &mut Registry) -> &mut Registry {
    registry.sub_registry_with_prefix(PREFIX)
}
