//! The columns of the tiers' tables: their order, and how they merge. Schema, sums, views and answers
//! follow from them.

use std::sync::LazyLock;

use wanctl_core::{CongestionState, Direction, MeasurementState, ProbeMethod};

use super::{DelayKind, RateKind};

/// How two values of a column become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::history) enum Merge {
    Sum,
    Min,
    Max,
}

macro_rules! columns {
    ($(#[$doc:meta])* $type:ident, $table:ident, $count:ident,
     { $($variant:ident $name:literal $merge:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::history) enum $type { $($variant),+ }

        const $table: [(&str, Merge); $count] = [$(($name, Merge::$merge)),+];
        const $count: usize = [$($type::$variant),+].len();
    };
}

columns!(
    /// A column about the WAN.
    Column, WAN, WAN_COUNT, {
    Cycles "cycles" Sum, Gaps "gaps" Sum, SpanMs "span_ms" Sum, Skipped "skipped" Sum,
    Overruns "overruns" Sum, LatenessMax "lateness_max_us" Max, ProbesSent "probes_sent" Sum,
    ProbesLost "probes_lost" Sum,
    StartingMs "starting_ms" Sum, HealthyMs "healthy_ms" Sum, ReducedMs "reduced_ms" Sum,
    CollapsedMs "collapsed_ms" Sum, StalledMs "stalled_ms" Sum, BypassMs "bypass_ms" Sum,
    CannotSendMs "cannot_send_ms" Sum,
    IcmpEchoMs "icmp_echo_ms" Sum, IcmpTimestampMs "icmp_timestamp_ms" Sum,
    TcpConnectMs "tcp_connect_ms" Sum, RouterPingMs "router_ping_ms" Sum,
    RttCycles "rtt_cycles" Sum, RttSum "rtt_sum_us" Sum, RttMin "rtt_min_us" Min,
    RttMax "rtt_max_us" Max,
    DeltaCycles "delta_cycles" Sum, DeltaSum "delta_sum_us" Sum, DeltaMin "delta_min_us" Min,
    DeltaMax "delta_max_us" Max,
    BaselineCycles "baseline_cycles" Sum, BaselineSum "baseline_sum_us" Sum,
    JitterCycles "jitter_cycles" Sum, JitterSum "jitter_sum_us" Sum,
    JitterMax "jitter_max_us" Max,
    NoiseCycles "noise_cycles" Sum, NoiseSum "noise_sum_us" Sum,
});

columns!(
    /// A column about a direction.
    DirectionColumn, DIRECTION, DIRECTION_COUNT, {
    UnknownMs "unknown_ms" Sum, GreenMs "green_ms" Sum, YellowMs "yellow_ms" Sum,
    SoftRedMs "soft_red_ms" Sum, RedMs "red_ms" Sum,
    AttributedMs "attributed_ms" Sum,
    DesiredMs "desired_ms" Sum, DesiredSum "desired_sum_bits" Sum,
    DesiredMin "desired_min_kbps" Min, DesiredMax "desired_max_kbps" Max,
    ObservedMs "observed_ms" Sum, ObservedSum "observed_sum_bits" Sum,
    ObservedMin "observed_min_kbps" Min, ObservedMax "observed_max_kbps" Max,
    DeliveryMs "delivery_ms" Sum, DeliverySum "delivery_sum_bits" Sum,
    DeliveryMin "delivery_min_kbps" Min, DeliveryMax "delivery_max_kbps" Max,
    CapacityMs "capacity_ms" Sum, CapacitySum "capacity_sum_bits" Sum,
    CapacityMin "capacity_min_kbps" Min, CapacityMax "capacity_max_kbps" Max,
    BacklogMax "backlog_max_bytes" Max, Bytes "bytes" Sum, Packets "packets" Sum,
    Drops "drops" Sum, Cuts "cuts" Sum, Raises "raises" Sum, Writes "writes" Sum,
});

/// How many values a bucket has, percentiles and histograms not counted.
pub(super) const VALUES: usize = WAN_COUNT + 2 * DIRECTION_COUNT;

/// Names and kinds of all values, in the order of the tables.
pub(in crate::history) static COLUMNS: LazyLock<Vec<(String, Merge)>> = LazyLock::new(|| {
    let of = |direction: Direction| {
        DIRECTION.map(|(name, merge)| (format!("{}_{name}", direction.name()), merge))
    };
    let wan = WAN.map(|(name, merge)| (name.to_owned(), merge));
    wan.into_iter().chain(Direction::ALL.into_iter().flat_map(of)).collect()
});

/// The stored percentiles, computed from the histograms for plain SQL.
pub(in crate::history) const DERIVED: [(&str, DelayKind, f64); 4] = [
    ("rtt_p50_us", DelayKind::Rtt, 0.5),
    ("rtt_p95_us", DelayKind::Rtt, 0.95),
    ("delta_p50_us", DelayKind::Delta, 0.5),
    ("delta_p95_us", DelayKind::Delta, 0.95),
];

/// The stored histograms, in the order of [`DelayKind`].
pub(in crate::history) const HISTOGRAMS: [&str; 2] = ["rtt_histogram", "delta_histogram"];

impl From<Column> for usize {
    fn from(column: Column) -> Self {
        column as Self
    }
}

// The columns of a group stand in the order of their enumeration; a test compares the names.

impl Column {
    /// Returns the place of the time in `state`.
    pub(in crate::history) const fn measurement(state: MeasurementState) -> usize {
        Self::StartingMs as usize + state as usize
    }

    /// Returns the place of the time in which replies were measured by `method`.
    pub(in crate::history) const fn method(method: ProbeMethod) -> usize {
        Self::IcmpEchoMs as usize + method as usize
    }

    /// Returns the places of a delay: count, sum, minimum, maximum.
    pub(in crate::history) const fn delay(kind: DelayKind) -> [usize; 4] {
        let first = Self::RttCycles as usize + 4 * kind as usize;
        [first, first + 1, first + 2, first + 3]
    }
}

impl DirectionColumn {
    /// Returns the column's place for a direction.
    pub(in crate::history) const fn of(self, direction: Direction) -> usize {
        WAN_COUNT + DIRECTION_COUNT * direction as usize + self as usize
    }

    /// Returns the place of the time in `state`.
    pub(in crate::history) const fn state(direction: Direction, state: CongestionState) -> usize {
        Self::UnknownMs.of(direction) + state as usize
    }

    /// Returns the places of a rate: time known, sum over time, minimum, maximum.
    pub(in crate::history) const fn rate(direction: Direction, kind: RateKind) -> [usize; 4] {
        let first = Self::DesiredMs.of(direction) + 4 * kind as usize;
        [first, first + 1, first + 2, first + 3]
    }
}
