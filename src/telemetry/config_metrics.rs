//! The metrics of the configuration: which one holds, and how reloading it went.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};

use crate::units::Timestamp;

/// Which configuration holds, and how reloading went.
#[derive(Debug, Clone)]
pub struct ConfigMetrics {
    hash: Hash,
    enabled: Gauge,
    taken: Counter,
    refused: Counter,
    is_good: Gauge,
    last_success: Gauge<f64, AtomicU64>,
    generation: Gauge,
}

impl ConfigMetrics {
    /// Declares the metrics in `registry`, every series at its first value.
    pub fn register(registry: &mut Registry) -> Self {
        let results = Family::<Vec<(&str, &str)>, Counter>::default();
        let metrics = Self {
            hash: Hash::default(),
            enabled: Gauge::default(),
            taken: results.get_or_create_owned(&vec![("result", "success")]),
            refused: results.get_or_create_owned(&vec![("result", "failure")]),
            is_good: Gauge::default(),
            last_success: Gauge::default(),
            generation: Gauge::default(),
        };
        registry.register_collector(Box::new(metrics.hash.clone()));
        registry.register(
            "controller_enabled",
            "1 if rates are written to the router, 0 in observe mode",
            metrics.enabled.clone(),
        );
        registry.register(
            "config_reloads",
            "Attempts to take a changed configuration while running, by result",
            results,
        );
        registry.register(
            "config_last_reload_successful",
            "1 if the last attempt to load the configuration succeeded",
            metrics.is_good.clone(),
        );
        registry.register(
            "config_last_reload_success_timestamp_seconds",
            "Unix time at which a configuration was last loaded",
            metrics.last_success.clone(),
        );
        registry.register(
            "config_generation",
            "Number of the configuration in force: 1 since the start, one more with each reload",
            metrics.generation.clone(),
        );
        metrics
    }

    /// Takes note of a configuration that has come into force; `is_reload` unless it is the first.
    pub fn taken(&self, sha256: &str, is_active: bool, is_reload: bool, at: Timestamp) {
        sha256.clone_into(&mut self.hash.open());
        self.enabled.set(i64::from(is_active));
        self.taken.inc_by(u64::from(is_reload));
        self.is_good.set(1);
        self.last_success.set(at.seconds());
        self.generation.inc();
    }

    /// Takes note of a configuration that was refused.
    pub fn refused(&self) {
        self.refused.inc();
        self.is_good.set(0);
    }
}

/// The hash of the configuration's text, as an info that can change.
#[derive(Debug, Clone, Default)]
struct Hash(Arc<Mutex<String>>);

impl Hash {
    fn open(&self) -> MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Hash {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        let info = Info::new(vec![("hash", self.open().clone())]);
        let help = "The configuration in force, by the hash of its text.";
        let metric = encoder.encode_descriptor("config", help, None, info.metric_type())?;
        info.encode(metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Format, encode};

    #[test]
    fn a_reload_moves_the_hash_and_a_failure_keeps_it() {
        let mut registry = Registry::with_prefix("x");
        let metrics = ConfigMetrics::register(&mut registry);
        let page = || encode(&registry, Format::Text).unwrap();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        metrics.taken("aa", true, false, at(100));
        for line in ["x_config_info{hash=\"aa\"} 1", "x_config_generation 1"] {
            assert!(page().contains(line), "{}", page());
        }
        metrics.refused();
        metrics.taken("bb", false, true, at(200));
        metrics.refused();
        for line in [
            "x_config_info{hash=\"bb\"} 1",
            "x_config_generation 2",
            "x_config_last_reload_successful 0",
            "x_config_last_reload_success_timestamp_seconds 200",
            "x_config_reloads_total{result=\"success\"} 1",
            "x_config_reloads_total{result=\"failure\"} 2",
            "x_controller_enabled 0",
        ] {
            assert!(page().contains(line), "{line}: {}", page());
        }
    }
}
