//! The delay of a WAN, over all reflectors and by reflector.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge, histogram::Histogram};
use wanctl_core::{
    CongestionState, Cycle, Measurement, MeasurementState, ProbeOutcome, ReflectorView, RttSample,
    StateThresholds, units::Delay,
};

use super::{RTT_BUCKETS, WAN};
use crate::{
    catalogue::{FloatCounter, FloatGauge},
    telemetry::series::{Absent, By, LabelValue, Observation, Series, label_value, metrics, show},
};

const STATE: &[&str] = &["wan", "state"];
const REFLECTOR: &[&str] = &["wan", "reflector"];

metrics! {
    MeasurementMetrics of MeasurementFamilies from Measurement, "Delay", by WAN, when "";
    rtt: Histogram, "wanctl_rtt_seconds",
        "Median round-trip time over the fresh reflectors, once per cycle", buckets &RTT_BUCKETS
        => |seen| seen.new.rtt.map(Delay::seconds);
    // A negative observation would break the sum, which must not fall.
    inflation: Histogram, "wanctl_rtt_inflation_seconds",
        "Delay over the baseline, not below zero, once per cycle while measured",
        buckets &RTT_BUCKETS
        => |seen| delta(seen.new).map(|delta| delta.max(0.0));
    baseline: Absent<FloatGauge>, "wanctl_rtt_baseline_seconds", "Learned idle round-trip time",
        when "while a fresh reflector has one"
        => |seen| seen.new.baseline.map(Delay::seconds);
    delta: Absent<FloatGauge>, "wanctl_rtt_delta_seconds",
        "Delay over the baseline, may be negative", when "while measured"
        => |seen| delta(seen.new);
    jitter: Absent<FloatGauge>, "wanctl_rtt_jitter_seconds",
        "Smoothed difference between consecutive replies (RFC 3550)", when "while measured"
        => |seen| seen.new.jitter.map(Delay::seconds);
    noise: Absent<FloatGauge>, "wanctl_rtt_noise_seconds",
        "Mean difference between consecutive replies on the idle link; the thresholds of law \
         adaptive and of the states are above it",
        when "after the link was idle"
        => |seen| seen.new.noise.map(Delay::seconds);
    threshold: By<Threshold, FloatGauge>, "wanctl_rtt_threshold_seconds",
        "Configured delay over the baseline from which the congestion state begins, unless it is \
         within the noise",
        by STATE;
    state: By<MeasurementState, Gauge>, "wanctl_measurement_state",
        "Measurement state, 1 for the current one. The delay is measured in healthy and reduced, \
         and not in starting, collapsed, stalled, bypass (the probes bypass the queue) and \
         cannot_send (no probe can be sent)",
        by STATE
        => |seen| seen.new.state;
    state_time: By<MeasurementState, FloatCounter>, "wanctl_measurement_state_time_seconds_total",
        "Time spent in each measurement state", by STATE
        => |seen| (seen.new.state, seen.passed);
    fresh: Gauge, "wanctl_measurement_fresh_reflectors",
        "Reflectors whose last reply is recent enough to count"
        => |seen| seen.new.fresh;
    delayed: Gauge, "wanctl_measurement_delayed_reflectors",
        "Fresh reflectors whose delay is above the threshold"
        => |seen| seen.new.delayed;
    provisional: Gauge, "wanctl_rtt_baseline_provisional",
        "1 while the baselines were only learned under load, so that they may contain a queue and \
         no rate is raised"
        => |seen| seen.new.provisional;
    quorum: Counter, "wanctl_measurement_quorum_cycles_total",
        "Cycles in which enough reflectors were delayed (quorum)"
        => |seen| seen.new.quorum;
}

metrics! {
    ReflectorMetrics of ReflectorFamilies from ReflectorView, "Reflectors", by REFLECTOR, when "";
    rtt: Histogram, "wanctl_reflector_rtt_seconds",
        "Round-trip time of each reply of one reflector", buckets &RTT_BUCKETS;
    probes: Counter, "wanctl_reflector_probes_total",
        "Probes to the reflector whose result is known";
    failures: By<Failure, Counter>, "wanctl_reflector_probe_failures_total",
        "Probes without a usable reply, by reason: timeout (no reply in time) or send_error (not \
         sent)",
        by &["wan", "reflector", "reason"];
    baseline: Absent<FloatGauge>, "wanctl_reflector_baseline_seconds",
        "The reflector's learned idle round-trip time", when "once learned"
        => |seen| seen.new.baseline.map(Delay::seconds);
    last_reply: Absent<FloatGauge>, "wanctl_reflector_last_reply_timestamp_seconds",
        "Unix time of the reflector's last reply", when "once it replied";
    dead: Gauge, "wanctl_reflector_dead",
        "1 while the reflector does not count: it does not answer although others do"
        => |seen| seen.new.dead_since.is_some();
}

label_value!(MeasurementState: "state", name);

/// A state that is entered above a threshold: all measured ones but green.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Threshold(CongestionState);

impl LabelValue for Threshold {
    fn all() -> Vec<Self> {
        CongestionState::MEASURED.iter().skip(1).map(|state| Self(*state)).collect()
    }

    fn labels(self) -> Vec<(&'static str, &'static str)> {
        vec![("state", self.0.name())]
    }
}

/// Why a probe has no usable reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Failure(&'static str);

impl Failure {
    const TIMEOUT: Self = Self("timeout");
    const SEND_ERROR: Self = Self("send_error");
}

impl LabelValue for Failure {
    fn all() -> Vec<Self> {
        vec![Self::TIMEOUT, Self::SEND_ERROR]
    }

    fn labels(self) -> Vec<(&'static str, &'static str)> {
        vec![("reason", self.0)]
    }
}

impl MeasurementMetrics {
    pub(super) fn configure(&self, thresholds: StateThresholds) {
        let StateThresholds { yellow, soft_red, red } = thresholds;
        for (state, threshold) in Threshold::all().into_iter().zip([yellow, soft_red, red]) {
            self.threshold.set(state, threshold.seconds());
        }
    }
}

/// Delay over the baseline in seconds. Probes that bypass the queue have a delay, but it is not
/// the queue's.
fn delta(measurement: &Measurement) -> Option<f64> {
    measurement.delta.filter(|_| measurement.state.is_measured()).map(Delay::seconds)
}

/// Counts one probe.
pub(super) fn count_sample(metrics: &mut ReflectorMetrics, sample: &RttSample, cycle: &Cycle) {
    match sample.outcome {
        ProbeOutcome::Reply(rtt) => {
            metrics.rtt.observe(rtt.seconds());
            let ago = cycle.at.since(sample.at).as_secs_f64();
            metrics.last_reply.show(Some(cycle.wall.seconds() - ago));
        }
        ProbeOutcome::Lost => metrics.failures.show(Some(Failure::TIMEOUT)),
        ProbeOutcome::Unsent => {
            metrics.failures.show(Some(Failure::SEND_ERROR));
            return;
        }
    }
    metrics.probes.inc();
}
