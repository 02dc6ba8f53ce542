//! What is exported: the families of `/metrics` that the history can tell.

use std::io::{self, Write};

use wanctl_core::{CongestionState, Direction, MeasurementState, units::Delay};

use crate::history::{Bucket, DelayKind, Field};

/// The bounds of the delay histograms in µs, those of `/metrics`.
const BOUNDS: [i64; 14] = [
    1_000, 2_500, 5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 150_000, 250_000,
    500_000, 1_000_000, 2_000_000,
];

/// A metric family.
pub(super) struct Family {
    pub(super) name: &'static str,
    /// Its base unit, if its name ends in one.
    pub(super) unit: Option<&'static str>,
    pub(super) help: &'static str,
    pub(super) series: Vec<Series>,
}

/// One labelled series of every WAN.
pub(super) struct Series {
    /// Labels besides the WAN's, each after a comma.
    labels: String,
    source: Source,
}

/// Where a series has its values from.
enum Source {
    /// A field, and how many of its units are one base unit.
    Gauge(&'static Field, f64),
    /// A field that adds up, likewise.
    Counter(&'static Field, f64),
    /// The time integral of a rate in bytes: the fields of its mean and its time.
    Integral(&'static Field, &'static Field),
    Histogram(DelayKind),
}

/// What a series has added up to: one sum, or the counts and the sum of a histogram.
pub(super) type Sums = [i64; BOUNDS.len() + 2];

impl Family {
    /// Returns the type of the family.
    pub(super) fn kind(&self) -> &'static str {
        match self.series.first().map(|series| &series.source) {
            Some(Source::Gauge(..)) => "gauge",
            Some(Source::Counter(..) | Source::Integral(..)) => "counter",
            Some(Source::Histogram(_)) => "histogram",
            None => "unknown",
        }
    }
}

impl Series {
    /// Appends the series' samples of a bucket, if it knows anything.
    pub(super) fn write(
        &self,
        name: &str,
        wan: &str,
        bucket: &Bucket,
        at: &str,
        sums: &mut Sums,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let labels = &self.labels;
        let mut count = |value: i64, per: f64| {
            sums[0] = sums[0].saturating_add(value);
            sums[0] as f64 / per
        };
        match self.source {
            Source::Gauge(field, per) => {
                let Some(value) = field.value(bucket) else { return Ok(()) };
                let value = value as f64 / per;
                writeln!(out, "{name}{{{wan}{labels}}} {value} {at}")
            }
            Source::Counter(field, per) => {
                let Some(value) = field.value(bucket) else { return Ok(()) };
                let value = count(value, per);
                writeln!(out, "{name}_total{{{wan}{labels}}} {value} {at}")
            }
            Source::Integral(mean, time) => {
                let both = mean.value(bucket).zip(time.value(bucket));
                let Some((mean, millis)) = both else { return Ok(()) };
                let value = count(mean.saturating_mul(millis) / 8, 1e3);
                writeln!(out, "{name}_total{{{wan}{labels}}} {value} {at}")
            }
            Source::Histogram(kind) => {
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

/// Returns all families.
#[expect(clippy::too_many_lines, reason = "a catalogue is one list")]
pub(super) fn all() -> Vec<Family> {
    let field = |name: &str| Field::named(name).expect("a test exports every family");
    let one = |source| vec![Series { labels: String::new(), source }];
    let gauge = |name, per| one(Source::Gauge(field(name), per));
    let counter = |name, per| one(Source::Counter(field(name), per));
    let each = |source: &dyn Fn(&str) -> Source| {
        let of = |direction: Direction| {
            let name = direction.name();
            Series { labels: format!(",direction=\"{name}\""), source: source(name) }
        };
        Direction::ALL.map(of).into_iter().collect::<Vec<_>>()
    };
    let rate = |what: &str| {
        each(&|direction| Source::Gauge(field(&format!("{direction}_{what}_mean_bps")), 8.0))
    };
    let sum =
        |what: &str| each(&|direction| Source::Counter(field(&format!("{direction}_{what}")), 1.0));
    let family = |name, unit, help, series| Family { name, unit, help, series };
    let seconds = Some("seconds");
    vec![
        family(
            "wanctl_rtt_seconds",
            seconds,
            "Median round-trip time over the fresh reflectors, once per cycle",
            one(Source::Histogram(DelayKind::Rtt)),
        ),
        family(
            "wanctl_rtt_inflation_seconds",
            seconds,
            "Delay over the baseline, not below zero, once per cycle",
            one(Source::Histogram(DelayKind::Delta)),
        ),
        family(
            "wanctl_rtt_baseline_seconds",
            seconds,
            "Learned idle round-trip time, mean",
            gauge("baseline_mean_us", 1e6),
        ),
        family(
            "wanctl_rtt_delta_seconds",
            seconds,
            "Delay over the baseline, may be negative, mean",
            gauge("delta_mean_us", 1e6),
        ),
        family(
            "wanctl_rtt_jitter_seconds",
            seconds,
            "Smoothed step from reply to reply, mean",
            gauge("jitter_mean_us", 1e6),
        ),
        family(
            "wanctl_rtt_noise_seconds",
            seconds,
            "Mean step from reply to reply while the link is idle, mean",
            gauge("noise_mean_us", 1e6),
        ),
        family(
            "wanctl_measurement_state_time_seconds",
            seconds,
            "Time spent in each state of the measurement",
            MeasurementState::ALL.map(measurement).into_iter().collect(),
        ),
        family(
            "wanctl_controller_state_time_seconds",
            seconds,
            "Time spent in each congestion state",
            Direction::ALL.into_iter().flat_map(states).collect(),
        ),
        family(
            "wanctl_shaper_rate_bytes_per_second",
            None,
            "Desired shaper rate, mean",
            rate("desired"),
        ),
        family(
            "wanctl_shaper_rate_observed_bytes_per_second",
            None,
            "Shaper rate as read back from the router, mean",
            rate("observed"),
        ),
        family(
            "wanctl_shaper_delivery_rate_bytes_per_second",
            None,
            "Traffic that passed the shaper, mean",
            rate("delivery"),
        ),
        family(
            "wanctl_link_capacity_estimate_bytes_per_second",
            None,
            "Capacity estimate of the provider's link, mean",
            rate("capacity"),
        ),
        family(
            "wanctl_shaper_allowance_bytes",
            Some("bytes"),
            "Time integral of the desired rate, whose rate() is the exact mean",
            each(&|direction| {
                let name = |what: &str| field(&format!("{direction}_desired_{what}"));
                Source::Integral(name("mean_bps"), name("ms"))
            }),
        ),
        family(
            "wanctl_shaper_sent_bytes",
            Some("bytes"),
            "Bytes that passed the shaper",
            sum("bytes"),
        ),
        family(
            "wanctl_shaper_dropped_packets",
            None,
            "Packets that the shaper dropped",
            sum("drops"),
        ),
        family(
            "wanctl_shaper_rate_writes",
            None,
            "Rate writes that the router confirmed",
            sum("writes"),
        ),
        family(
            "wanctl_cycle_overruns",
            None,
            "Cycles busy for longer than the interval",
            counter("overruns", 1.0),
        ),
        family(
            "wanctl_cycle_ticks_skipped",
            None,
            "Ticks dropped because of a late cycle",
            counter("skipped", 1.0),
        ),
    ]
}

fn measurement(state: MeasurementState) -> Series {
    let state = state.name();
    let time = Field::named(&format!("{state}_ms")).expect("each state has its time");
    Series { labels: format!(",state=\"{state}\""), source: Source::Counter(time, 1e3) }
}

fn states(direction: Direction) -> Vec<Series> {
    let of = |state: CongestionState| {
        let (direction, state) = (direction.name(), state.name());
        let time = Field::named(&format!("{direction}_{state}_ms")).expect("each has its time");
        let labels = format!(",direction=\"{direction}\",state=\"{state}\"");
        Series { labels, source: Source::Counter(time, 1e3) }
    };
    CongestionState::ALL.map(of).into_iter().collect()
}
