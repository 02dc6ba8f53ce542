//! Mirrors of what shapes a controller: parameters and memory.
//!
//! Every structure is taken apart whole, so that a field that is added to the core does not
//! compile until it is written down here too.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use wanctl_core::{
    DirectionMemory, DirectionParams, EvidenceParams, LawKind, Limits, PerDirection,
    StateThresholds, WanMemory, WanParams, ZoneFloors, ZoneParams,
    units::{BitRate, Delay, MonoTime},
};

/// One value for each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pair<T> {
    pub(super) download: T,
    pub(super) upload: T,
}

impl<T> Pair<Option<T>> {
    /// Maps what is there.
    pub(super) fn to_present<U>(&self, map: impl Fn(&T) -> U) -> PerDirection<Option<U>> {
        self.to(|value| value.as_ref().map(&map))
    }
}

impl<T> Pair<T> {
    pub(super) fn of<U: Copy>(pair: PerDirection<U>, map: impl Fn(U) -> T) -> Self {
        Self { download: map(pair.download), upload: map(pair.upload) }
    }

    pub(super) fn of_present<U>(
        pair: &PerDirection<Option<U>>,
        map: impl Fn(&U) -> T,
    ) -> Pair<Option<T>> {
        Pair { download: pair.download.as_ref().map(&map), upload: pair.upload.as_ref().map(map) }
    }

    pub(super) fn to<U>(&self, map: impl Fn(&T) -> U) -> PerDirection<U> {
        PerDirection { download: map(&self.download), upload: map(&self.upload) }
    }
}

/// Nanoseconds since the start of the daemon's clock; they last for 584 years.
pub(super) fn nanos(at: MonoTime) -> u64 {
    span_nanos(at.since_start())
}

/// The moment that `nanos` gave.
pub(super) fn moment(nanos: u64) -> MonoTime {
    MonoTime::from_start(Duration::from_nanos(nanos))
}

pub(super) fn span_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A WAN's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct ParamsLine {
    reflectors: u16,
    probe_interval_ns: u64,
    stale_after_ns: u64,
    bloat_threshold_us: i64,
    yellow_us: i64,
    soft_red_us: i64,
    red_us: i64,
    #[serde(flatten)]
    directions: Pair<Option<DirectionLine>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct DirectionLine {
    floor_bps: u64,
    base_bps: u64,
    ceiling_bps: u64,
    law: LawLine,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LawLine {
    Adaptive,
    Zone(ZoneLine),
    Fixed,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ZoneLine {
    floor_green_bps: u64,
    floor_yellow_bps: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor_soft_red_bps: Option<u64>,
    floor_red_bps: u64,
    factor_down: f64,
    factor_down_yellow: f64,
    step_up_bps: u64,
    green_required_ns: u64,
}

impl From<LawKind> for LawLine {
    fn from(law: LawKind) -> Self {
        match law {
            LawKind::Adaptive => Self::Adaptive,
            LawKind::Zone(zone) => Self::Zone(zone.into()),
            LawKind::Fixed => Self::Fixed,
        }
    }
}

impl From<&LawLine> for LawKind {
    fn from(line: &LawLine) -> Self {
        match line {
            LawLine::Adaptive => Self::Adaptive,
            LawLine::Zone(zone) => Self::Zone(zone.into()),
            LawLine::Fixed => Self::Fixed,
        }
    }
}

impl From<ZoneParams> for ZoneLine {
    fn from(params: ZoneParams) -> Self {
        let ZoneParams { floors, factor_down, factor_down_yellow, step_up, green_required } =
            params;
        let ZoneFloors { green, yellow, soft_red, red } = floors;
        Self {
            floor_green_bps: green.bps(),
            floor_yellow_bps: yellow.bps(),
            floor_soft_red_bps: soft_red.map(BitRate::bps),
            floor_red_bps: red.bps(),
            factor_down,
            factor_down_yellow,
            step_up_bps: step_up.bps(),
            green_required_ns: span_nanos(green_required),
        }
    }
}

impl From<&ZoneLine> for ZoneParams {
    fn from(line: &ZoneLine) -> Self {
        Self {
            floors: ZoneFloors {
                green: BitRate::from_bps(line.floor_green_bps),
                yellow: BitRate::from_bps(line.floor_yellow_bps),
                soft_red: line.floor_soft_red_bps.map(BitRate::from_bps),
                red: BitRate::from_bps(line.floor_red_bps),
            },
            factor_down: line.factor_down,
            factor_down_yellow: line.factor_down_yellow,
            step_up: BitRate::from_bps(line.step_up_bps),
            green_required: Duration::from_nanos(line.green_required_ns),
        }
    }
}

impl From<WanParams> for ParamsLine {
    fn from(params: WanParams) -> Self {
        let WanParams { evidence, thresholds, directions } = params;
        let EvidenceParams { reflectors, stale_after, probe_interval, bloat_threshold } = evidence;
        let StateThresholds { yellow, soft_red, red } = thresholds;
        Self {
            reflectors,
            probe_interval_ns: span_nanos(probe_interval),
            stale_after_ns: span_nanos(stale_after),
            bloat_threshold_us: bloat_threshold.micros(),
            yellow_us: yellow.micros(),
            soft_red_us: soft_red.micros(),
            red_us: red.micros(),
            directions: Pair::of_present(&directions, |DirectionParams { limits, law }| {
                let Limits { floor, base, ceiling } = *limits;
                DirectionLine {
                    floor_bps: floor.bps(),
                    base_bps: base.bps(),
                    ceiling_bps: ceiling.bps(),
                    law: (*law).into(),
                }
            }),
        }
    }
}

impl From<&ParamsLine> for WanParams {
    fn from(line: &ParamsLine) -> Self {
        Self {
            evidence: EvidenceParams {
                reflectors: line.reflectors,
                probe_interval: Duration::from_nanos(line.probe_interval_ns),
                stale_after: Duration::from_nanos(line.stale_after_ns),
                bloat_threshold: Delay::from_micros(line.bloat_threshold_us),
            },
            thresholds: StateThresholds {
                yellow: Delay::from_micros(line.yellow_us),
                soft_red: Delay::from_micros(line.soft_red_us),
                red: Delay::from_micros(line.red_us),
            },
            directions: line.directions.to_present(|direction| DirectionParams {
                limits: Limits {
                    floor: BitRate::from_bps(direction.floor_bps),
                    base: BitRate::from_bps(direction.base_bps),
                    ceiling: BitRate::from_bps(direction.ceiling_bps),
                },
                law: (&direction.law).into(),
            }),
        }
    }
}

/// What a controller started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MemoryLine {
    /// How old it was.
    pub(super) age_ns: u64,
    baselines_us: Vec<Option<i64>>,
    #[serde(flatten)]
    directions: Pair<Option<DirectionMemoryLine>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct DirectionMemoryLine {
    desired_bps: u64,
    proven_bps: Option<u64>,
}

impl MemoryLine {
    pub(super) fn new(memory: &WanMemory, age: Duration) -> Self {
        let WanMemory { baselines, directions } = memory;
        Self {
            age_ns: span_nanos(age),
            baselines_us: baselines.iter().map(|delay| delay.map(Delay::micros)).collect(),
            directions: Pair::of_present(directions, |DirectionMemory { desired, proven }| {
                DirectionMemoryLine {
                    desired_bps: desired.bps(),
                    proven_bps: proven.map(BitRate::bps),
                }
            }),
        }
    }

    pub(super) fn memory(&self) -> WanMemory {
        WanMemory {
            baselines: self.baselines_us.iter().map(|us| us.map(Delay::from_micros)).collect(),
            directions: self.directions.to_present(|direction| DirectionMemory {
                desired: BitRate::from_bps(direction.desired_bps),
                proven: direction.proven_bps.map(BitRate::from_bps),
            }),
        }
    }
}
