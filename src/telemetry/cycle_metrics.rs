//! The metrics of a WAN's cycles, declared once and fed by nothing but `Cycle`.
//!
//! A 50 ms loop under a 15 s scrape loses nothing that is a counter, a histogram or a time
//! integral; the gauges are for the eye. Handles are resolved when the WAN is declared, so that
//! recording a cycle costs no look-up by label.

mod direction;
#[cfg(test)]
mod tests;

use std::{sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::control::{Cycle, Direction, MeasurementState, PerDirection, ProbeOutcome};
use direction::{Before, DirectionMetrics};

/// Round-trip times: from a metropolitan fibre to a drowned mobile link.
const RTT_BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0];
/// Durations within a cycle; the last bounds are the usual intervals, 50 ms among them.
const CYCLE_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    1.0,
];

type Labels = Vec<(&'static str, String)>;
type FloatGauge = Gauge<f64, AtomicU64>;
type FloatCounter = Counter<f64, AtomicU64>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// All families that are labelled by WAN.
#[derive(Debug)]
pub struct WanLabels {
    rtt: Histograms,
    inflation: Histograms,
    baseline: Family<Labels, FloatGauge>,
    delta: Family<Labels, FloatGauge>,
    jitter: Family<Labels, FloatGauge>,
    measurement_state: Family<Labels, Gauge>,
    measurement_time: Family<Labels, FloatCounter>,
    reflector_rtt: Histograms,
    probes: Family<Labels, Counter>,
    probe_failures: Family<Labels, Counter>,
    rate: Family<Labels, FloatGauge>,
    applied: Family<Labels, FloatGauge>,
    achieved: Family<Labels, FloatGauge>,
    backlog: Family<Labels, Gauge>,
    allowance: Family<Labels, FloatCounter>,
    sent: Family<Labels, Counter>,
    changes: Family<Labels, Counter>,
    decisions: Family<Labels, Counter>,
    writes: Family<Labels, Counter>,
    state: Family<Labels, Gauge>,
    state_time: Family<Labels, FloatCounter>,
    transitions: Family<Labels, Counter>,
    busy: Histograms,
    lateness: Histograms,
    overruns: Family<Labels, Counter>,
    skipped: Family<Labels, Counter>,
    last_completed: Family<Labels, FloatGauge>,
}

impl WanLabels {
    /// Declares the families in `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let rtt = || Histogram::new(RTT_BUCKETS);
        let cycle = || Histogram::new(CYCLE_BUCKETS);
        let r = registry;
        Self {
            rtt: histogram(
                r,
                "rtt_seconds",
                "Median round-trip time over the fresh reflectors, once per cycle",
                rtt,
            ),
            inflation: histogram(
                r,
                "rtt_inflation_seconds",
                "Delay over the baseline, not below zero, once per cycle",
                rtt,
            ),
            baseline: add(r, "rtt_baseline_seconds", "Learned idle round-trip time"),
            delta: add(r, "rtt_delta_seconds", "Delay over the baseline, may be negative"),
            jitter: add(r, "rtt_jitter_seconds", "Smoothed step from reply to reply"),
            measurement_state: add(
                r,
                "measurement_state",
                "How far the probes can be trusted, 1 for the current state",
            ),
            measurement_time: add(
                r,
                "measurement_state_time_seconds",
                "Time spent in each state of the measurement",
            ),
            reflector_rtt: histogram(
                r,
                "reflector_rtt_seconds",
                "Round-trip time of each reply of one reflector",
                rtt,
            ),
            probes: add(r, "reflector_probes", "Probes sent to the reflector"),
            probe_failures: add(
                r,
                "reflector_probe_failures",
                "Probes without a usable reply, by reason",
            ),
            rate: add(r, "shaper_rate_bytes_per_second", "Desired shaper rate"),
            applied: add(
                r,
                "shaper_rate_applied_bytes_per_second",
                "Shaper rate as read back from the router",
            ),
            achieved: add(
                r,
                "shaper_achieved_bytes_per_second",
                "Traffic that passed the shaper, smoothed over 0.2 s",
            ),
            backlog: add(r, "shaper_backlog_bytes", "Bytes waiting in the shaper's queue"),
            allowance: add(
                r,
                "shaper_allowance_bytes",
                "Time integral of the desired rate, whose rate() is the exact mean",
            ),
            sent: add(r, "shaper_sent_bytes", "Bytes that passed the shaper"),
            changes: add(r, "shaper_rate_changes", "Changes of the desired rate, by kind"),
            decisions: add(r, "decisions", "Cycles by the reason of their decision"),
            writes: add(r, "shaper_rate_writes", "Rate writes that the router confirmed"),
            state: add(r, "controller_state", "Congestion state, 1 for the current state"),
            state_time: add(
                r,
                "controller_state_time_seconds",
                "Time spent in each congestion state",
            ),
            transitions: add(
                r,
                "controller_state_transitions",
                "Transitions between congestion states",
            ),
            busy: histogram(
                r,
                "cycle_duration_seconds",
                "Busy time of a cycle, fan-out included",
                cycle,
            ),
            lateness: histogram(
                r,
                "cycle_start_lag_seconds",
                "How late a cycle started after its tick",
                cycle,
            ),
            overruns: add(r, "cycle_overruns", "Cycles busy for longer than the interval"),
            skipped: add(r, "cycle_ticks_skipped", "Ticks dropped because of a late cycle"),
            last_completed: add(
                r,
                "cycle_last_completed_timestamp_seconds",
                "Unix time at which the last cycle was decided",
            ),
        }
    }
}

fn add<M>(registry: &mut Registry, name: &str, help: &str) -> Family<Labels, M>
where
    M: prometheus_client::encoding::EncodeMetric
        + prometheus_client::metrics::TypedMetric
        + Default
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let family = Family::<Labels, M>::default();
    registry.register(name, help, family.clone());
    family
}

fn histogram(
    registry: &mut Registry,
    name: &str,
    help: &str,
    constructor: fn() -> Histogram,
) -> Histograms {
    let family = Histograms::new_with_constructor(constructor);
    registry.register(name, help, family.clone());
    family
}

/// The handles of one WAN.
#[derive(Debug)]
pub struct CycleMetrics {
    rtt: Histogram,
    inflation: Histogram,
    baseline: FloatGauge,
    delta: FloatGauge,
    jitter: FloatGauge,
    measurement: Vec<(MeasurementState, Gauge, FloatCounter)>,
    reflectors: Vec<ReflectorMetrics>,
    directions: PerDirection<DirectionMetrics>,
    busy: Histogram,
    lateness: Histogram,
    overruns: Counter,
    skipped: Counter,
    last_completed: FloatGauge,
    before: Option<(crate::units::MonoTime, PerDirection<Before>)>,
}

#[derive(Debug)]
struct ReflectorMetrics {
    rtt: Histogram,
    probes: Counter,
    lost: Counter,
    unsent: Counter,
}

impl CycleMetrics {
    /// Resolves the handles of the WAN `wan`, every series at zero from the start.
    #[must_use]
    pub fn new(all: &WanLabels, wan: &str, reflectors: &[String]) -> Self {
        let one = || vec![("wan", wan.to_owned())];
        let with = |name: &'static str, value: &str| {
            vec![("wan", wan.to_owned()), (name, value.to_owned())]
        };
        let measurement = MeasurementState::ALL.map(|state| {
            let labels = with("state", state.name());
            let gauge = all.measurement_state.get_or_create_owned(&labels);
            (state, gauge, all.measurement_time.get_or_create_owned(&labels))
        });
        let reflectors = reflectors.iter().map(|address| {
            let labels = with("reflector", address);
            let failure = |reason: &str| {
                let mut labels = labels.clone();
                labels.push(("reason", reason.to_owned()));
                all.probe_failures.get_or_create_owned(&labels)
            };
            ReflectorMetrics {
                rtt: all.reflector_rtt.get_or_create_owned(&labels),
                probes: all.probes.get_or_create_owned(&labels),
                lost: failure("timeout"),
                unsent: failure("send_error"),
            }
        });
        Self {
            rtt: all.rtt.get_or_create_owned(&one()),
            inflation: all.inflation.get_or_create_owned(&one()),
            baseline: all.baseline.get_or_create_owned(&one()),
            delta: all.delta.get_or_create_owned(&one()),
            jitter: all.jitter.get_or_create_owned(&one()),
            measurement: measurement.to_vec(),
            reflectors: reflectors.collect(),
            directions: PerDirection::build(|direction| DirectionMetrics::new(all, wan, direction)),
            busy: all.busy.get_or_create_owned(&one()),
            lateness: all.lateness.get_or_create_owned(&one()),
            overruns: all.overruns.get_or_create_owned(&one()),
            skipped: all.skipped.get_or_create_owned(&one()),
            last_completed: all.last_completed.get_or_create_owned(&one()),
            before: None,
        }
    }

    /// Counts one cycle.
    pub fn record(&mut self, cycle: &Cycle) {
        let before = self.before;
        let passed = before.map_or(Duration::ZERO, |(at, _)| cycle.at.since(at)).as_secs_f64();
        self.record_measurement(cycle, passed);
        self.record_timing(cycle);
        for direction in Direction::ALL {
            let told = &cycle.directions[direction];
            let before = before.map(|(_, before)| before[direction]);
            self.directions[direction].record(told, before, passed);
        }
        let now = PerDirection::build(|direction| Before::of(&cycle.directions[direction]));
        self.before = Some((cycle.at, now));
    }

    fn record_measurement(&self, cycle: &Cycle, passed: f64) {
        let told = &cycle.measurement;
        if let Some(rtt) = told.rtt {
            self.rtt.observe(rtt.seconds());
        }
        if let Some(delta) = told.delta {
            self.inflation.observe(delta.seconds().max(0.0));
            self.delta.set(delta.seconds());
        }
        if let Some(baseline) = told.baseline {
            self.baseline.set(baseline.seconds());
        }
        if let Some(jitter) = told.jitter {
            self.jitter.set(jitter.seconds());
        }
        for (state, gauge, time) in &self.measurement {
            let current = *state == told.state;
            gauge.set(i64::from(current));
            if current {
                time.inc_by(passed);
            }
        }
        for sample in &cycle.samples {
            let Some(metrics) = self.reflectors.get(usize::from(sample.reflector.0)) else {
                continue;
            };
            metrics.probes.inc();
            match sample.outcome {
                ProbeOutcome::Reply(rtt) => metrics.rtt.observe(rtt.seconds()),
                ProbeOutcome::Lost => {
                    metrics.lost.inc();
                }
                ProbeOutcome::Unsent => {
                    metrics.unsent.inc();
                }
            }
        }
    }

    fn record_timing(&self, cycle: &Cycle) {
        self.lateness.observe(cycle.timing.lateness.as_secs_f64());
        self.skipped.inc_by(cycle.timing.skipped);
        self.last_completed.set(cycle.wall.seconds());
        // The first cycle has none before it whose busy time could be told.
        if cycle.number > 1 {
            self.busy.observe(cycle.timing.busy.as_secs_f64());
            self.overruns.inc_by(u64::from(cycle.timing.overran()));
        }
    }
}
