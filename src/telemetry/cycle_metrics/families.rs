//! The families of the WANs' metrics: every name, help and bucket in one place.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Round-trip times: from a metropolitan fibre to a drowned mobile link.
const RTT_BUCKETS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.0];
/// Durations within a cycle; the last bounds are the usual intervals, 50 ms among them.
const CYCLE_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    1.0,
];

pub(super) type Labels = Vec<(&'static str, String)>;
pub(super) type FloatGauge = Gauge<f64, AtomicU64>;
pub(super) type FloatCounter = Counter<f64, AtomicU64>;
pub(super) type Histograms = Family<Labels, Histogram, fn() -> Histogram>;

/// All families that are labelled by WAN.
#[derive(Debug)]
pub struct WanLabels {
    pub(super) rtt: Histograms,
    pub(super) inflation: Histograms,
    pub(super) baseline: Family<Labels, FloatGauge>,
    pub(super) delta: Family<Labels, FloatGauge>,
    pub(super) jitter: Family<Labels, FloatGauge>,
    pub(super) measurement_state: Family<Labels, Gauge>,
    pub(super) measurement_time: Family<Labels, FloatCounter>,
    pub(super) reflector_rtt: Histograms,
    pub(super) probes: Family<Labels, Counter>,
    pub(super) probe_failures: Family<Labels, Counter>,
    pub(super) rate: Family<Labels, FloatGauge>,
    pub(super) applied: Family<Labels, FloatGauge>,
    pub(super) achieved: Family<Labels, FloatGauge>,
    pub(super) backlog: Family<Labels, FloatGauge>,
    pub(super) allowance: Family<Labels, FloatCounter>,
    pub(super) sent: Family<Labels, Counter>,
    pub(super) dropped: Family<Labels, Counter>,
    pub(super) changes: Family<Labels, Counter>,
    pub(super) decisions: Family<Labels, Counter>,
    pub(super) pending: Family<Labels, FloatGauge>,
    pub(super) writes: Family<Labels, Counter>,
    pub(super) state: Family<Labels, Gauge>,
    pub(super) state_time: Family<Labels, FloatCounter>,
    pub(super) transitions: Family<Labels, Counter>,
    pub(super) busy: Histograms,
    pub(super) lateness: Histograms,
    pub(super) overruns: Family<Labels, Counter>,
    pub(super) skipped: Family<Labels, Counter>,
    pub(super) last_completed: Family<Labels, FloatGauge>,
}

impl WanLabels {
    /// Declares the families in `registry`.
    #[expect(clippy::too_many_lines, reason = "a catalogue is one list")]
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
            dropped: add(
                r,
                "shaper_dropped_packets",
                "Packets that the shaper dropped; absent while the router counts none, as RouterOS \
                 does for CAKE",
            ),
            changes: add(r, "shaper_rate_changes", "Changes of the desired rate, by kind"),
            decisions: add(r, "decisions", "Cycles by the reason of their decision"),
            pending: add(
                r,
                "shaper_rate_pending_seconds",
                "For how long the router has not enforced the desired rate, 0 if it does",
            ),
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
