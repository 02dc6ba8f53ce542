//! How punctual a WAN's loop is.

use std::time::Duration;

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use wanctl_core::{
    Cycle,
    units::{MonoTime, Timestamp},
};

use super::{WAN, of_wan};
use crate::catalogue::{Catalogue, FloatGauge, Histograms, Labels, Spec};

/// Durations within a cycle; the last bounds are the usual intervals, 50 ms among them.
const CYCLE_BUCKETS: [f64; 13] = [
    0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
    1.0,
];
/// A wall clock that moves this much more or less than the monotonic one was set. Slewing, at half
/// a millisecond a second, never comes near.
const CLOCK_STEP: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct TimingFamilies {
    busy: Histograms,
    lateness: Histograms,
    overruns: Family<Labels, Counter>,
    skipped: Family<Labels, Counter>,
    interval: Family<Labels, FloatGauge>,
    last_completed: Family<Labels, FloatGauge>,
    clock_steps: Family<Labels, Counter>,
}

impl TimingFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        c.chapter("Cycles");
        let by_wan = |name, help| Spec::new(name, help).by(WAN);
        Self {
            busy: c.histograms(
                by_wan(
                    "wanctl_cycle_duration_seconds",
                    "Busy time of a cycle, fan-out included; its count is the number of cycles",
                ),
                &CYCLE_BUCKETS,
            ),
            lateness: c.histograms(
                by_wan("wanctl_cycle_start_lag_seconds", "Delay of a cycle's start after its tick"),
                &CYCLE_BUCKETS,
            ),
            overruns: c.family(by_wan(
                "wanctl_cycle_overruns_total",
                "Cycles busy for longer than the interval",
            )),
            skipped: c.family(by_wan(
                "wanctl_cycle_ticks_skipped_total",
                "Ticks dropped because of a late cycle",
            )),
            interval: c.family(by_wan(
                "wanctl_cycle_interval_seconds",
                "Configured time between two cycles",
            )),
            last_completed: c.family(by_wan(
                "wanctl_cycle_last_completed_timestamp_seconds",
                "Unix time at which the last cycle was decided, 0 before the first",
            )),
            clock_steps: c.family(by_wan(
                "wanctl_clock_steps_total",
                "Steps of the wall clock by more than a second, as seen by the WAN's control loop",
            )),
        }
    }
}

#[derive(Debug)]
pub(super) struct TimingMetrics {
    busy: Histogram,
    lateness: Histogram,
    overruns: Counter,
    skipped: Counter,
    interval: FloatGauge,
    last_completed: FloatGauge,
    clock_steps: Counter,
    clocks: Option<(MonoTime, Timestamp)>,
}

impl TimingMetrics {
    pub(super) fn new(all: &TimingFamilies, wan: &str) -> Self {
        let labels = of_wan(wan, &[]);
        Self {
            busy: all.busy.get_or_create_owned(&labels),
            lateness: all.lateness.get_or_create_owned(&labels),
            overruns: all.overruns.get_or_create_owned(&labels),
            skipped: all.skipped.get_or_create_owned(&labels),
            interval: all.interval.get_or_create_owned(&labels),
            last_completed: all.last_completed.get_or_create_owned(&labels),
            clock_steps: all.clock_steps.get_or_create_owned(&labels),
            clocks: None,
        }
    }

    pub(super) fn configure(&self, interval: Duration) {
        self.interval.set(interval.as_secs_f64());
    }

    pub(super) fn record(&mut self, cycle: &Cycle) {
        self.lateness.observe(cycle.timing.lateness.as_secs_f64());
        self.skipped.inc_by(cycle.timing.skipped);
        self.last_completed.set(cycle.wall.seconds());
        // The first cycle has no predecessor whose duration could be exported.
        if cycle.number > 1 {
            self.busy.observe(cycle.timing.busy.as_secs_f64());
            self.overruns.inc_by(u64::from(cycle.timing.overran()));
        }
        if let Some((at, wall)) = self.clocks.replace((cycle.at, cycle.wall)) {
            let passed = cycle.at.since(at).as_secs_f64();
            let set_by = cycle.wall.seconds() - wall.seconds() - passed;
            self.clock_steps.inc_by(u64::from(set_by.abs() > CLOCK_STEP.as_secs_f64()));
        }
    }
}
