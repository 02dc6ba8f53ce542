//! What the probes of a WAN say, all reflectors together.

use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram,
};
use wanctl_core::{CongestionState, Measurement, MeasurementState, StateThresholds, units::Delay};

use super::{RTT_BUCKETS, WAN, absent::Absent, of_wan};
use crate::catalogue::{Catalogue, FloatCounter, FloatGauge, Histograms, Labels, Spec};

#[derive(Debug)]
pub(super) struct MeasurementFamilies {
    rtt: Histograms,
    inflation: Histograms,
    baseline: Family<Labels, FloatGauge>,
    delta: Family<Labels, FloatGauge>,
    jitter: Family<Labels, FloatGauge>,
    noise: Family<Labels, FloatGauge>,
    threshold: Family<Labels, FloatGauge>,
    state: Family<Labels, Gauge>,
    state_time: Family<Labels, FloatCounter>,
    fresh: Family<Labels, Gauge>,
    delayed: Family<Labels, Gauge>,
    provisional: Family<Labels, Gauge>,
    quorum: Family<Labels, Counter>,
}

impl MeasurementFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        c.chapter("Delay");
        let by_wan = |name, help| Spec::new(name, help).by(WAN);
        let by_state = |name, help| Spec::new(name, help).by(&["wan", "state"]);
        let measured = "while measured";
        Self {
            rtt: c.histograms(
                by_wan(
                    "wanctl_rtt_seconds",
                    "Median round-trip time over the fresh reflectors, once per cycle",
                ),
                &RTT_BUCKETS,
            ),
            inflation: c.histograms(
                by_wan(
                    "wanctl_rtt_inflation_seconds",
                    "Delay over the baseline, not below zero, once per cycle while measured",
                ),
                &RTT_BUCKETS,
            ),
            baseline: c.family(
                by_wan("wanctl_rtt_baseline_seconds", "Learned idle round-trip time")
                    .when("while a fresh reflector has one"),
            ),
            delta: c.family(
                by_wan("wanctl_rtt_delta_seconds", "Delay over the baseline, may be negative")
                    .when(measured),
            ),
            jitter: c.family(
                by_wan(
                    "wanctl_rtt_jitter_seconds",
                    "Smoothed difference between consecutive replies (RFC 3550)",
                )
                .when(measured),
            ),
            noise: c.family(
                by_wan(
                    "wanctl_rtt_noise_seconds",
                    "Mean difference between consecutive replies on the idle link; the thresholds \
                     of law adaptive and of the states are above it",
                )
                .when("after the link was idle"),
            ),
            threshold: c.family(by_state(
                "wanctl_rtt_threshold_seconds",
                "Configured delay over the baseline from which the congestion state begins, \
                 unless it is within the noise",
            )),
            state: c.family(by_state(
                "wanctl_measurement_state",
                "Measurement state, 1 for the current one. The delay is measured in healthy and \
                 reduced, and not in starting, collapsed, stalled, bypass (the probes bypass the \
                 queue) and cannot_send (no probe can be sent)",
            )),
            state_time: c.family(by_state(
                "wanctl_measurement_state_time_seconds_total",
                "Time spent in each measurement state",
            )),
            fresh: c.family(by_wan(
                "wanctl_measurement_fresh_reflectors",
                "Reflectors whose last reply is recent enough to count",
            )),
            delayed: c.family(by_wan(
                "wanctl_measurement_delayed_reflectors",
                "Fresh reflectors whose delay is above the threshold",
            )),
            provisional: c.family(by_wan(
                "wanctl_rtt_baseline_provisional",
                "1 while the baselines were only learned under load, so that they may contain a \
                 queue and no rate is raised",
            )),
            quorum: c.family(by_wan(
                "wanctl_measurement_quorum_cycles_total",
                "Cycles in which enough reflectors were delayed (quorum)",
            )),
        }
    }
}

#[derive(Debug)]
pub(super) struct MeasurementMetrics {
    rtt: Histogram,
    inflation: Histogram,
    baseline: Absent,
    delta: Absent,
    jitter: Absent,
    noise: Absent,
    /// As in `CongestionState::MEASURED`, without green, which is entered below all thresholds.
    thresholds: [FloatGauge; 3],
    states: Vec<(MeasurementState, Gauge, FloatCounter)>,
    fresh: Gauge,
    delayed: Gauge,
    provisional: Gauge,
    quorum: Counter,
}

impl MeasurementMetrics {
    pub(super) fn new(all: &MeasurementFamilies, wan: &str) -> Self {
        let one = || of_wan(wan, &[]);
        let states = MeasurementState::ALL.map(|state| {
            let labels = of_wan(wan, &[("state", state.name())]);
            let gauge = all.state.get_or_create_owned(&labels);
            (state, gauge, all.state_time.get_or_create_owned(&labels))
        });
        let [_, worse @ ..] = CongestionState::MEASURED;
        Self {
            rtt: all.rtt.get_or_create_owned(&one()),
            inflation: all.inflation.get_or_create_owned(&one()),
            baseline: Absent::new(&all.baseline, one()),
            delta: Absent::new(&all.delta, one()),
            jitter: Absent::new(&all.jitter, one()),
            noise: Absent::new(&all.noise, one()),
            thresholds: worse.map(|state| {
                all.threshold.get_or_create_owned(&of_wan(wan, &[("state", state.name())]))
            }),
            states: states.to_vec(),
            fresh: all.fresh.get_or_create_owned(&one()),
            delayed: all.delayed.get_or_create_owned(&one()),
            provisional: all.provisional.get_or_create_owned(&one()),
            quorum: all.quorum.get_or_create_owned(&one()),
        }
    }

    pub(super) fn configure(&self, thresholds: StateThresholds) {
        let StateThresholds { yellow, soft_red, red } = thresholds;
        for (gauge, threshold) in self.thresholds.iter().zip([yellow, soft_red, red]) {
            gauge.set(threshold.seconds());
        }
    }

    /// `passed` is the time in seconds since the cycle before.
    pub(super) fn record(&mut self, reported: &Measurement, passed: f64) {
        if let Some(rtt) = reported.rtt {
            self.rtt.observe(rtt.seconds());
        }
        // Probes that bypass the queue have a delay, but it is not the queue's.
        let delta = reported.delta.filter(|_| reported.state.is_measured());
        if let Some(delta) = delta {
            // A negative observation would break the sum, which must not fall.
            self.inflation.observe(delta.seconds().max(0.0));
        }
        self.delta.set(delta.map(Delay::seconds));
        self.baseline.set(reported.baseline.map(Delay::seconds));
        self.jitter.set(reported.jitter.map(Delay::seconds));
        self.noise.set(reported.noise.map(Delay::seconds));
        for (state, gauge, time) in &self.states {
            let current = *state == reported.state;
            gauge.set(i64::from(current));
            if current {
                time.inc_by(passed);
            }
        }
        self.fresh.set(i64::from(reported.fresh));
        self.delayed.set(i64::from(reported.delayed));
        self.provisional.set(i64::from(reported.provisional));
        self.quorum.inc_by(u64::from(reported.quorum));
    }
}
