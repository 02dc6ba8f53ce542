//! The metrics of the configuration: which one holds, and how reloading it went.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use wanctl_core::units::Timestamp;

use crate::catalogue::{Catalogue, FloatGauge, Spec};

/// Which configuration holds, and how reloading went.
#[derive(Debug, Clone)]
pub struct ConfigMetrics {
    hash: Hash,
    enabled: Gauge,
    taken: Counter,
    refused: Counter,
    is_good: Gauge,
    last_success: FloatGauge,
    generation: Gauge,
}

impl ConfigMetrics {
    /// Declares the metrics, every series at its first value.
    pub fn register(c: &mut Catalogue) -> Self {
        c.chapter("Configuration");
        let hash = Hash::default();
        let reported = hash.clone();
        let info = Spec::new(
            "wanctl_config_info",
            "The configuration in force, by the SHA-256 hash of its text",
        );
        c.info(info.by(&["hash"]), move || Some(vec![reported.open().clone()]));
        let results = c.family::<Counter>(
            Spec::new("wanctl_config_reloads_total", "Reloads of the configuration by result")
                .by(&["result"]),
        );
        let result = |name: &str| results.get_or_create_owned(&vec![("result", name.to_owned())]);
        Self {
            hash,
            taken: result("success"),
            refused: result("failure"),
            enabled: c.one(Spec::new(
                "wanctl_controller_enabled",
                "1 if rates are written to the router, 0 in observe mode",
            )),
            is_good: c.one(Spec::new(
                "wanctl_config_last_reload_successful",
                "1 if the last attempt to load the configuration succeeded",
            )),
            last_success: c.one(Spec::new(
                "wanctl_config_last_reload_success_timestamp_seconds",
                "Unix time at which a configuration was last loaded",
            )),
            generation: c.one(Spec::new(
                "wanctl_config_generation",
                "Number of the configuration in force: 1 at the start, incremented by each reload",
            )),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{Format, encode};

    #[test]
    fn a_reload_moves_the_hash_and_a_failure_keeps_it() {
        let mut catalogue = Catalogue::default();
        let metrics = ConfigMetrics::register(&mut catalogue);
        let page = || encode(&catalogue, Format::Text).unwrap().text();
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        metrics.taken("aa", true, false, at(100));
        for line in ["wanctl_config_info{hash=\"aa\"} 1", "wanctl_config_generation 1"] {
            assert!(page().contains(line), "{}", page());
        }
        metrics.refused();
        metrics.taken("bb", false, true, at(200));
        metrics.refused();
        for line in [
            "wanctl_config_info{hash=\"bb\"} 1",
            "wanctl_config_generation 2",
            "wanctl_config_last_reload_successful 0",
            "wanctl_config_last_reload_success_timestamp_seconds 200",
            "wanctl_config_reloads_total{result=\"success\"} 1",
            "wanctl_config_reloads_total{result=\"failure\"} 2",
            "wanctl_controller_enabled 0",
        ] {
            assert!(page().contains(line), "{line}: {}", page());
        }
    }
}
