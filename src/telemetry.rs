//! What the daemon tells about itself: the metric registry and the log.

mod cycle_metrics;
mod expose;
mod logging;
mod process;

pub use cycle_metrics::{CycleMetrics, WanLabels};
pub use expose::{Format, encode};
pub use logging::{LogFormat, LogLevel, start as start_logging};
pub use process::ProcessCollector;

use prometheus_client::{
    metrics::{gauge::Gauge, info::Info},
    registry::Registry,
};

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

/// Declares the series that names the configuration in force.
pub fn register_config(registry: &mut Registry, sha256: &str) {
    let info = Info::new(vec![("hash", sha256.to_owned())]);
    registry.register("config", "The configuration in force, by the hash of its text", info);
}

/// Declares the gauge that tells which mode holds.
pub fn register_mode(registry: &mut Registry, active: bool) {
    let enabled = Gauge::<i64>::default();
    enabled.set(i64::from(active));
    registry.register(
        "controller_enabled",
        "1 if rates are written to the router, 0 in observe mode",
        enabled,
    );
}
