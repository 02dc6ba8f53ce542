//! The families of `/metrics` that are exported.

use std::io::{self, Write};

use wanctl_core::{CongestionState, Direction, MeasurementState, units::Delay};

use crate::history::{Bucket, DelayKind, Field};

/// The bounds of the delay histograms in µs, those of `/metrics`.
const BOUNDS: [i64; 14] = [
    1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 150_000, 250_000,
    500_000, 1_000_000, 2_000_000,
];

/// A metric family: its series are those of a WAN.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    source: Source<&'static str>,
}

/// Where values come from, by the names of fields or by the fields. A name may have placeholders, for
/// each value of which there is a series: `{d}` for the direction, `{m}` for the state of the
/// measurement, `{s}` for the congestion state.
#[derive(Clone, Copy)]
enum Source<F> {
    /// The counts of a histogram and the sum of its values.
    Histogram(DelayKind),
    /// A field, and how many of its units are one base unit.
    Gauge(F, f64),
    /// A field that adds up, likewise.
    Counter(F, f64),
    /// The time integral of a rate in bytes: the fields of its mean and its time.
    Integral(F, F),
}

use Source::{Counter, Gauge, Histogram, Integral};

macro_rules! families {
    ($($name:literal $source:ident($($argument:expr),+) $help:literal),+ $(,)?) => {
        pub(super) const FAMILIES: [Family; [$($name),+].len()] =
            [$(Family { name: $name, help: $help, source: $source($($argument),+) }),+];
    };
}

families!(
    "wanctl_rtt_seconds" Histogram(DelayKind::Rtt)
        "Median round-trip time over the fresh reflectors, once per cycle",
    "wanctl_rtt_inflation_seconds" Histogram(DelayKind::Delta)
        "Delay over the baseline, not below zero, once per cycle",
    "wanctl_rtt_baseline_seconds" Gauge("baseline_mean_us", 1e6)
        "Learned idle round-trip time, mean",
    "wanctl_rtt_delta_seconds" Gauge("delta_mean_us", 1e6)
        "Delay over the baseline, may be negative, mean",
    "wanctl_rtt_jitter_seconds" Gauge("jitter_mean_us", 1e6)
        "Smoothed step from reply to reply, mean",
    "wanctl_rtt_noise_seconds" Gauge("noise_mean_us", 1e6)
        "Mean step from reply to reply while the link is idle, mean",
    "wanctl_measurement_state_time_seconds" Counter("{m}_ms", 1e3)
        "Time spent in each state of the measurement",
    "wanctl_controller_state_time_seconds" Counter("{d}_{s}_ms", 1e3)
        "Time spent in each congestion state",
    "wanctl_shaper_rate_bytes_per_second" Gauge("{d}_desired_mean_bps", 8.0)
        "Desired shaper rate, mean",
    "wanctl_shaper_rate_observed_bytes_per_second" Gauge("{d}_observed_mean_bps", 8.0)
        "Shaper rate as read back from the router, mean",
    "wanctl_shaper_delivery_rate_bytes_per_second" Gauge("{d}_delivery_mean_bps", 8.0)
        "Traffic that passed the shaper, mean",
    "wanctl_link_capacity_estimate_bytes_per_second" Gauge("{d}_capacity_mean_bps", 8.0)
        "Capacity estimate of the provider's link, mean",
    "wanctl_shaper_allowance_bytes" Integral("{d}_desired_mean_bps", "{d}_desired_ms")
        "Time integral of the desired rate, whose rate() is the exact mean",
    "wanctl_shaper_sent_bytes" Counter("{d}_bytes", 1.0)
        "Bytes that passed the shaper",
    "wanctl_shaper_dropped_packets" Counter("{d}_drops", 1.0)
        "Packets that the shaper dropped",
    "wanctl_shaper_rate_writes" Counter("{d}_writes", 1.0)
        "Rate writes that the router confirmed",
    "wanctl_cycle_overruns" Counter("overruns", 1.0)
        "Cycles busy for longer than the interval",
    "wanctl_cycle_ticks_skipped" Counter("skipped", 1.0)
        "Ticks dropped because of a late cycle",
);

/// One labelled series of every WAN.
pub(super) struct Series {
    pub(super) family: &'static str,
    /// Labels besides the WAN's, each after a comma.
    labels: String,
    source: Source<&'static Field>,
}

/// The sums of a series: one, or the counts and the sum of a histogram.
pub(super) type Sums = [i64; BOUNDS.len() + 2];

impl Family {
    /// Returns the type of the family.
    pub(super) fn kind(&self) -> &'static str {
        match self.source {
            Gauge(..) => "gauge",
            Counter(..) | Integral(..) => "counter",
            Histogram(_) => "histogram",
        }
    }

    /// Returns the base unit, if the name ends in one.
    pub(super) fn unit(&self) -> Option<&'static str> {
        let last = self.name.rsplit_once('_').map(|(_, last)| last);
        last.filter(|last| ["seconds", "bytes"].contains(last) && !self.name.contains("_per_"))
    }

    /// Returns the series, in the order in which they are exported.
    pub(super) fn series(&self) -> Vec<Series> {
        let template = match self.source {
            Gauge(name, _) | Counter(name, _) | Integral(name, _) => name,
            Histogram(_) => "",
        };
        let directions = Direction::ALL.map(Direction::name);
        let measurement = MeasurementState::ALL.map(MeasurementState::name);
        let congestion = CongestionState::ALL.map(CongestionState::name);
        let placeholders: [(&str, &str, &[&str]); 3] = [
            ("{d}", "direction", &directions),
            ("{m}", "state", &measurement),
            ("{s}", "state", &congestion),
        ];
        // The labels of each series, and what stands for the placeholders.
        let mut variants = vec![(String::new(), Vec::new())];
        for (placeholder, label, values) in placeholders {
            if template.contains(placeholder) {
                let with = |(labels, replaced): &(String, Vec<_>), value: &&'static str| {
                    let labels = format!("{labels},{label}=\"{value}\"");
                    (labels, [&replaced[..], &[(placeholder, *value)]].concat())
                };
                let all = variants.iter().flat_map(|one| values.iter().map(|v| with(one, v)));
                variants = all.collect();
            }
        }
        let series = |(labels, replaced): (String, Vec<(&str, &str)>)| {
            let field = |name: &str| {
                let name = replaced
                    .iter()
                    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
                Field::named(&name).expect("a test exports every family")
            };
            let source = match self.source {
                Histogram(kind) => Histogram(kind),
                Gauge(name, per) => Gauge(field(name), per),
                Counter(name, per) => Counter(field(name), per),
                Integral(mean, time) => Integral(field(mean), field(time)),
            };
            Series { family: self.name, labels, source }
        };
        variants.into_iter().map(series).collect()
    }
}

impl Series {
    /// Appends the series' samples of a bucket, if it knows anything.
    pub(super) fn write(
        &self,
        wan: &str,
        bucket: &Bucket,
        at: &str,
        sums: &mut Sums,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let Self { family: name, labels, source } = self;
        let mut count = |value: i64, per: f64| {
            sums[0] = sums[0].saturating_add(value);
            sums[0] as f64 / per
        };
        match *source {
            Gauge(field, per) => {
                let Some(value) = field.value(bucket) else { return Ok(()) };
                let value = value as f64 / per;
                writeln!(out, "{name}{{{wan}{labels}}} {value} {at}")
            }
            Counter(field, per) => {
                let Some(value) = field.value(bucket) else { return Ok(()) };
                let value = count(value, per);
                writeln!(out, "{name}_total{{{wan}{labels}}} {value} {at}")
            }
            Integral(mean, time) => {
                let both = mean.value(bucket).zip(time.value(bucket));
                let Some((mean, millis)) = both else { return Ok(()) };
                let value = count(mean.saturating_mul(millis) / 8, 1e3);
                writeln!(out, "{name}_total{{{wan}{labels}}} {value} {at}")
            }
            Histogram(kind) => {
                add(kind, bucket, sums);
                if sums[BOUNDS.len()] == 0 {
                    return Ok(());
                }
                for (bound, count) in BOUNDS.iter().zip(*sums) {
                    let le = *bound as f64 / 1e6;
                    writeln!(out, "{name}_bucket{{{wan}{labels},le=\"{le:?}\"}} {count} {at}")?;
                }
                let (count, sum) = (sums[BOUNDS.len()], sums[BOUNDS.len() + 1] as f64 / 1e6);
                writeln!(out, "{name}_bucket{{{wan}{labels},le=\"+Inf\"}} {count} {at}")?;
                writeln!(out, "{name}_count{{{wan}{labels}}} {count} {at}")?;
                writeln!(out, "{name}_sum{{{wan}{labels}}} {sum} {at}")
            }
        }
    }
}

/// Adds a bucket's delays to the cumulative counts.
fn add(kind: DelayKind, bucket: &Bucket, sums: &mut Sums) {
    let Some(stats) = bucket.delay(kind) else { return };
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for (bound, sum) in BOUNDS.iter().zip(sums.iter_mut()) {
        let within =
            stats.cycles - bucket.above(kind, Delay::from_micros(*bound)).min(stats.cycles);
        *sum += signed(within);
    }
    sums[BOUNDS.len()] += signed(stats.cycles);
    // Delays below zero are none in the metric, which knows no negative inflation.
    let exact = stats.mean.micros().saturating_mul(signed(stats.cycles));
    sums[BOUNDS.len() + 1] +=
        if stats.min >= Delay::ZERO { exact } else { bucket.positive_sum(kind).micros() };
}
