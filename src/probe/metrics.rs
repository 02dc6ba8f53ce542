//! The metrics of the probing itself, declared beside what feeds them. What the probes brought is
//! counted from the cycles, with everything else that was decided on.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use wanctl_core::ReflectorId;

use super::{PoolEvent, ProberReport, ReplacementReason};
use crate::catalogue::{Catalogue, FloatGauge, Labels, Spec};

/// All families of the probing, labelled by WAN.
#[derive(Debug, Clone)]
pub struct ProbeFamilies {
    active: Family<Labels, Gauge>,
    one_way: Family<Labels, Gauge>,
    replacements: Family<Labels, Counter>,
    returns: Family<Labels, Counter>,
    method: Family<Labels, Gauge>,
    reopened: Family<Labels, Counter>,
    interval: Family<Labels, FloatGauge>,
}

impl ProbeFamilies {
    /// Declares the families.
    pub fn register(c: &mut Catalogue) -> Self {
        c.chapter("Probing");
        let by_reflector = |name, help| Spec::new(name, help).by(&["wan", "reflector"]);
        let by_wan = |name, help| Spec::new(name, help).by(&["wan"]);
        Self {
            active: c.family(by_reflector(
                "wanctl_reflector_active",
                "1 for active reflectors, 0 for spares",
            )),
            one_way: c.family(by_reflector(
                "wanctl_reflector_one_way",
                "1 if one-way delays are measured with the reflector's timestamps",
            )),
            replacements: c.family(
                Spec::new(
                    "wanctl_reflector_replacements_total",
                    "Reflectors that were replaced by a spare, by reason",
                )
                .by(&["wan", "reason"]),
            ),
            returns: c.family(by_wan(
                "wanctl_reflector_returns_total",
                "Replaced reflectors that answer reliably again and may be active",
            )),
            // A gauge in all formats, since one prober replaces another.
            method: c.family(
                Spec::new(
                    "wanctl_probe_method_info",
                    "1 for the probe method in use, with the reason",
                )
                .by(&["wan", "method", "reason"])
                .when("once chosen"),
            ),
            reopened: c.family(by_wan(
                "wanctl_probe_reopenings_total",
                "Sockets that were reopened because no probe could be sent",
            )),
            interval: c.family(by_wan(
                "wanctl_probe_interval_seconds",
                "Current time between two probes of the WAN",
            )),
        }
    }
}

/// The metrics of one WAN.
#[derive(Debug)]
pub struct ProbeMetrics {
    all: ProbeFamilies,
    wan: String,
    reflectors: Vec<Reflector>,
    method: Option<Labels>,
    reopened: Counter,
    counted: u64,
    interval: FloatGauge,
}

#[derive(Debug)]
struct Reflector {
    active: Gauge,
    one_way: Gauge,
}

impl ProbeMetrics {
    /// Resolves the handles of the WAN `wan`, every series at zero from the start.
    #[must_use]
    pub fn new(all: &ProbeFamilies, wan: &str, reflectors: &[String]) -> Self {
        let labels = |name, value: &str| of(wan, name, value);
        for code in ReplacementReason::CODES {
            drop(all.replacements.get_or_create(&labels("reason", code)));
        }
        let one = vec![("wan", wan.to_owned())];
        drop(all.returns.get_or_create(&one));
        let reflector = |address: &String| Reflector {
            active: all.active.get_or_create_owned(&labels("reflector", address)),
            one_way: all.one_way.get_or_create_owned(&labels("reflector", address)),
        };
        Self {
            all: all.clone(),
            wan: wan.to_owned(),
            reflectors: reflectors.iter().map(reflector).collect(),
            method: None,
            reopened: all.reopened.get_or_create_owned(&one),
            counted: 0,
            interval: all.interval.get_or_create_owned(&one),
        }
    }

    /// Shows who takes turns.
    pub(super) fn active(&self, active: &[ReflectorId]) {
        for (id, reflector) in (0..).map(ReflectorId).zip(&self.reflectors) {
            reflector.active.set(i64::from(active.contains(&id)));
        }
    }

    /// Shows whose clock is trusted.
    pub(super) fn one_way(&self, reflector: ReflectorId, trusted: bool) {
        if let Some(metrics) = self.reflectors.get(usize::from(reflector.0)) {
            metrics.one_way.set(i64::from(trusted));
        }
    }

    /// Counts a change in the pool.
    pub(super) fn event(&self, event: &PoolEvent) {
        match event {
            PoolEvent::Replaced { fault, .. } => {
                let labels = of(&self.wan, "reason", fault.code());
                self.all.replacements.get_or_create(&labels).inc();
            }
            PoolEvent::Returned(_) => {
                let labels = vec![("wan", self.wan.clone())];
                self.all.returns.get_or_create(&labels).inc();
            }
        }
    }

    /// Shows the prober in use, and counts what was opened anew since.
    pub(super) fn method(&mut self, report: &ProberReport) {
        let mut labels = of(&self.wan, "method", report.kind.name());
        labels.push(("reason", report.reason.code().to_owned()));
        if self.method.as_ref() != Some(&labels) {
            if let Some(before) = &self.method {
                self.all.method.remove(before);
            }
            self.all.method.get_or_create(&labels).set(1);
            self.method = Some(labels);
        }
        self.reopened.inc_by(report.reopened.saturating_sub(self.counted));
        self.counted = report.reopened;
    }

    /// Shows the time between two probes.
    pub(super) fn interval(&self, interval: std::time::Duration) {
        self.interval.set(interval.as_secs_f64());
    }
}

fn of(wan: &str, name: &'static str, value: &str) -> Labels {
    vec![("wan", wan.to_owned()), (name, value.to_owned())]
}
