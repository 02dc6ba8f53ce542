//! What a direction's shaper queue counts, as the router reports it.

use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use wanctl_core::{Direction, DirectionCycle, QueueReading, units::BitRate};

use super::{DIRECTION, RTT_BUCKETS, absent::Absent, of_direction};
use crate::catalogue::{Catalogue, FloatGauge, Histograms, Labels, Spec};

#[derive(Debug)]
pub(super) struct QueueFamilies {
    delivery: Family<Labels, FloatGauge>,
    sent: Family<Labels, Counter>,
    packets: Family<Labels, Counter>,
    dropped: Family<Labels, Counter>,
    backlog: Family<Labels, FloatGauge>,
    backlog_packets: Family<Labels, FloatGauge>,
    delay: Histograms,
}

impl QueueFamilies {
    pub(super) fn register(c: &mut Catalogue) -> Self {
        c.chapter("Queues");
        let by_direction = |name, help| Spec::new(name, help).by(DIRECTION);
        let counted = "while the router's counters are fresh";
        Self {
            delivery: c.family(
                by_direction(
                    "wanctl_shaper_delivery_rate_bytes_per_second",
                    "Delivery rate of the shaper, smoothed over 0.2 s",
                )
                .when(counted),
            ),
            sent: c.family(by_direction(
                "wanctl_shaper_sent_bytes_total",
                "Bytes that passed the shaper",
            )),
            packets: c.family(by_direction(
                "wanctl_shaper_sent_packets_total",
                "Packets that passed the shaper",
            )),
            dropped: c.family(
                by_direction(
                    "wanctl_shaper_dropped_packets_total",
                    "Packets that the shaper dropped",
                )
                .when("once the router has counted a drop, which RouterOS may never do for CAKE"),
            ),
            backlog: c.family(
                by_direction("wanctl_shaper_backlog_bytes", "Backlog of the shaper in bytes")
                    .when(counted),
            ),
            backlog_packets: c.family(
                by_direction("wanctl_shaper_backlog_packets", "Backlog of the shaper in packets")
                    .when(counted),
            ),
            delay: c.histograms(
                by_direction(
                    "wanctl_shaper_queue_delay_seconds",
                    "Queueing delay of the shaper: backlog divided by the limit in force, once \
                     per cycle while the router's counters are fresh",
                ),
                &RTT_BUCKETS,
            ),
        }
    }
}

#[derive(Debug)]
pub(super) struct QueueMetrics {
    delivery: Absent,
    sent: Counter,
    packets: Counter,
    /// Absent until the router has counted a drop, which it may never do.
    dropped: (Family<Labels, Counter>, Labels),
    backlog: Absent,
    backlog_packets: Absent,
    delay: Histogram,
    before: Option<QueueReading>,
}

impl QueueMetrics {
    pub(super) fn new(all: &QueueFamilies, wan: &str, direction: Direction) -> Self {
        let labels = || of_direction(wan, direction, &[]);
        Self {
            delivery: Absent::new(&all.delivery, labels()),
            sent: all.sent.get_or_create_owned(&labels()),
            packets: all.packets.get_or_create_owned(&labels()),
            dropped: (all.dropped.clone(), labels()),
            backlog: Absent::new(&all.backlog, labels()),
            backlog_packets: Absent::new(&all.backlog_packets, labels()),
            delay: all.delay.get_or_create_owned(&labels()),
            before: None,
        }
    }

    pub(super) fn record(&mut self, reported: &DirectionCycle) {
        self.delivery.set(reported.load.delivery_rate.map(BitRate::bytes_per_second));
        let fresh = reported.queue.filter(|_| reported.load.delivery_rate.is_some());
        let backlog = fresh.and_then(|queue| Some((queue.limit, queue.backlog()?)));
        self.backlog.set(backlog.map(|(_, backlog)| backlog.bytes as f64));
        self.backlog_packets.set(backlog.map(|(_, backlog)| backlog.packets as f64));
        // A queue without a limit has no rate at which it would drain.
        if let Some((limit, backlog)) = backlog.filter(|(limit, _)| *limit > BitRate::ZERO) {
            self.delay.observe(backlog.bytes as f64 / limit.bytes_per_second());
        }
        let Some(now) = reported.queue else { return };
        if let Some(then) = self.before.replace(now) {
            self.sent.inc_by(since(then.bytes, now.bytes));
            self.packets.inc_by(since(then.packets, now.packets));
            let dropped = since(then.dropped, now.dropped);
            if dropped > 0 {
                let (family, labels) = &self.dropped;
                family.get_or_create(labels).inc_by(dropped);
            }
        }
    }
}

/// What a counter has counted since it stood at `then`. One that fell was reset: what it shows has
/// been counted since.
fn since(then: u64, now: u64) -> u64 {
    now.checked_sub(then).unwrap_or(now)
}
