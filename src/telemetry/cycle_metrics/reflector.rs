//! What each reflector has answered.

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use wanctl_core::{Cycle, ProbeOutcome, ReflectorView, RttSample, units::Delay};

use super::{RTT_BUCKETS, absent::Absent, of_wan};
use crate::catalogue::{Catalogue, FloatGauge, Histograms, Labels, Spec};

#[derive(Debug)]
pub(super) struct ReflectorFamilies {
    rtt: Histograms,
    probes: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
    baseline: Family<Labels, FloatGauge>,
    last_reply: Family<Labels, FloatGauge>,
    dead: Family<Labels, Gauge>,
}

impl ReflectorFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        c.chapter("Reflectors");
        let by_reflector = |name, help| Spec::new(name, help).by(&["wan", "reflector"]);
        Self {
            rtt: c.histograms(
                by_reflector(
                    "wanctl_reflector_rtt_seconds",
                    "Round-trip time of each reply of one reflector",
                ),
                &RTT_BUCKETS,
            ),
            probes: c.family(by_reflector(
                "wanctl_reflector_probes_total",
                "Probes to the reflector whose result is known",
            )),
            failures: c.family(
                Spec::new(
                    "wanctl_reflector_probe_failures_total",
                    "Probes without a usable reply, by reason: timeout (no reply in time) or \
                     send_error (not sent)",
                )
                .by(&["wan", "reflector", "reason"]),
            ),
            baseline: c.family(
                by_reflector(
                    "wanctl_reflector_baseline_seconds",
                    "The reflector's learned idle round-trip time",
                )
                .when("once learned"),
            ),
            last_reply: c.family(
                by_reflector(
                    "wanctl_reflector_last_reply_timestamp_seconds",
                    "Unix time of the reflector's last reply",
                )
                .when("once it replied"),
            ),
            dead: c.family(by_reflector(
                "wanctl_reflector_dead",
                "1 while the reflector does not count: it does not answer although others do",
            )),
        }
    }
}

#[derive(Debug)]
pub(super) struct ReflectorMetrics {
    rtt: Histogram,
    probes: Counter,
    lost: Counter,
    unsent: Counter,
    baseline: Absent,
    last_reply: Absent,
    dead: Gauge,
}

impl ReflectorMetrics {
    pub(super) fn new(all: &ReflectorFamilies, wan: &str, address: &str) -> Self {
        let labels = || of_wan(wan, &[("reflector", address)]);
        let failure = |reason| {
            let labels = of_wan(wan, &[("reflector", address), ("reason", reason)]);
            all.failures.get_or_create_owned(&labels)
        };
        Self {
            rtt: all.rtt.get_or_create_owned(&labels()),
            probes: all.probes.get_or_create_owned(&labels()),
            lost: failure("timeout"),
            unsent: failure("send_error"),
            baseline: Absent::new(&all.baseline, labels()),
            last_reply: Absent::new(&all.last_reply, labels()),
            dead: all.dead.get_or_create_owned(&labels()),
        }
    }

    pub(super) fn learned(&mut self, view: &ReflectorView) {
        self.baseline.set(view.baseline.map(Delay::seconds));
        self.dead.set(i64::from(view.dead_since.is_some()));
    }

    pub(super) fn record(&mut self, sample: &RttSample, cycle: &Cycle) {
        match sample.outcome {
            ProbeOutcome::Reply(rtt) => {
                self.probes.inc();
                self.rtt.observe(rtt.seconds());
                let ago = cycle.at.since(sample.at).as_secs_f64();
                self.last_reply.set(Some(cycle.wall.seconds() - ago));
            }
            ProbeOutcome::Lost => {
                self.probes.inc();
                self.lost.inc();
            }
            ProbeOutcome::Unsent => {
                self.unsent.inc();
            }
        }
    }
}
