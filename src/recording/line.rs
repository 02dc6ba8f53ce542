//! The lines of a recording.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use wanctl_core::{
    Actuation, Decision, DirectionCycle, PerDirection, ProbeOutcome, QueueReading, ReflectorId,
    RttSample, ShaperSample,
    units::{BitRate, Delay, MonoTime},
};

use super::params::{MemoryLine, Pair, ParamsLine, moment, nanos};

/// The version of the format that this wanctl writes and reads.
pub(super) const FORMAT: u64 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format; its name is how a recording is known.
    pub(super) wanctl_recording: u64,
    /// The version of the wanctl that recorded.
    pub(super) version: String,
}

/// Every other line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A controller starts.
    Begin(Begin),
    /// A controller goes on under other parameters, before its next cycle.
    Change(ParamsChange),
    /// One cycle: what came in since the one before, and what was decided.
    Cycle(Box<CycleLine>),
    /// Cycles that could not be recorded.
    Gap(Gap),
    /// Nothing more comes.
    End(End),
}

/// A controller starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    pub(super) wan: usize,
    pub(super) name: String,
    pub(super) at_ns: u64,
    pub(super) observes: bool,
    pub(super) params: ParamsLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) memory: Option<MemoryLine>,
}

/// A controller goes on under other parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParamsChange {
    pub(super) wan: usize,
    pub(super) at_ns: u64,
    pub(super) observes: bool,
    pub(super) params: ParamsLine,
}

/// One cycle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleLine {
    pub(super) wan: usize,
    pub(super) at_ns: u64,
    /// Outcomes of probes, in the order in which they were taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) rtt: Vec<RttLine>,
    /// The newest counters, if they are not those of the cycle before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shaper: Option<ShaperLine>,
    /// How far the router has followed, if that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) actuation: Option<Pair<ActuationLine>>,
    #[serde(flatten)]
    pub(super) decided: Pair<Option<DecidedLine>>,
}

/// What was decided for one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DecidedLine {
    pub(super) previous_bps: u64,
    pub(super) desired_bps: u64,
    pub(super) reason: Cow<'static, str>,
    pub(super) state: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RttLine {
    reflector: u16,
    sequence: u64,
    at_ns: u64,
    #[serde(flatten)]
    outcome: OutcomeLine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_way_us: Option<Pair<i64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
enum OutcomeLine {
    Reply { rtt_us: i64 },
    Lost,
    Unsent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ShaperLine {
    sequence: u64,
    at_ns: u64,
    #[serde(flatten)]
    queues: Pair<Option<QueueLine>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct QueueLine {
    bytes: u64,
    packets: u64,
    dropped: u64,
    backlog_bytes: u64,
    backlog_packets: u64,
    limit_bps: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ActuationLine {
    written_bps: Option<u64>,
    observed_bps: Option<u64>,
    pending_since_ns: Option<u64>,
    writes: u64,
}

/// Cycles that could not be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub(super) wan: usize,
    pub(super) cycles: u64,
}

/// Nothing more comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// `stopped` or `full`.
    pub(super) reason: Cow<'static, str>,
}

impl CycleLine {
    /// Writes down a cycle; `shaper` and `actuation` only if they are news.
    pub(super) fn new(
        (wan, at): (usize, MonoTime),
        samples: &[RttSample],
        shaper: Option<ShaperSample>,
        actuation: Option<PerDirection<Actuation>>,
        decided: Pair<Option<DecidedLine>>,
    ) -> Self {
        Self {
            wan,
            at_ns: nanos(at),
            rtt: samples.iter().copied().map(RttLine::from).collect(),
            shaper: shaper.map(ShaperLine::from),
            actuation: actuation.map(|pair| Pair::of(pair, ActuationLine::from)),
            decided,
        }
    }

    pub(super) fn at(&self) -> MonoTime {
        moment(self.at_ns)
    }
}

impl From<&Decision> for Pair<Option<DecidedLine>> {
    fn from(decision: &Decision) -> Self {
        Pair::of_present(&decision.directions, |direction| {
            let DirectionCycle { previous, desired, reason, state, .. } = direction;
            DecidedLine {
                previous_bps: previous.bps(),
                desired_bps: desired.bps(),
                reason: reason.code().into(),
                state: state.name().into(),
            }
        })
    }
}

impl From<RttSample> for RttLine {
    fn from(sample: RttSample) -> Self {
        let RttSample { reflector: ReflectorId(reflector), sequence, at, outcome, one_way } =
            sample;
        Self {
            reflector,
            sequence,
            at_ns: nanos(at),
            outcome: match outcome {
                ProbeOutcome::Reply(rtt) => OutcomeLine::Reply { rtt_us: rtt.micros() },
                ProbeOutcome::Lost => OutcomeLine::Lost,
                ProbeOutcome::Unsent => OutcomeLine::Unsent,
            },
            one_way_us: one_way.map(|pair| Pair::of(pair, Delay::micros)),
        }
    }
}

impl From<RttLine> for RttSample {
    fn from(line: RttLine) -> Self {
        Self {
            reflector: ReflectorId(line.reflector),
            sequence: line.sequence,
            at: moment(line.at_ns),
            outcome: match line.outcome {
                OutcomeLine::Reply { rtt_us } => ProbeOutcome::Reply(Delay::from_micros(rtt_us)),
                OutcomeLine::Lost => ProbeOutcome::Lost,
                OutcomeLine::Unsent => ProbeOutcome::Unsent,
            },
            one_way: line.one_way_us.map(|pair| pair.to(|us| Delay::from_micros(*us))),
        }
    }
}

impl From<ShaperSample> for ShaperLine {
    fn from(sample: ShaperSample) -> Self {
        let ShaperSample { sequence, at, queues } = sample;
        Self {
            sequence,
            at_ns: nanos(at),
            queues: Pair::of_present(&queues, |queue| {
                let QueueReading { bytes, packets, dropped, backlog_bytes, backlog_packets, limit } =
                    *queue;
                let limit_bps = limit.bps();
                QueueLine { bytes, packets, dropped, backlog_bytes, backlog_packets, limit_bps }
            }),
        }
    }
}

impl From<ShaperLine> for ShaperSample {
    fn from(line: ShaperLine) -> Self {
        Self {
            sequence: line.sequence,
            at: moment(line.at_ns),
            queues: line.queues.to_present(|queue| QueueReading {
                bytes: queue.bytes,
                packets: queue.packets,
                dropped: queue.dropped,
                backlog_bytes: queue.backlog_bytes,
                backlog_packets: queue.backlog_packets,
                limit: BitRate::from_bps(queue.limit_bps),
            }),
        }
    }
}

impl From<Actuation> for ActuationLine {
    fn from(actuation: Actuation) -> Self {
        let Actuation { written, observed, pending_since, writes } = actuation;
        Self {
            written_bps: written.map(BitRate::bps),
            observed_bps: observed.map(BitRate::bps),
            pending_since_ns: pending_since.map(nanos),
            writes,
        }
    }
}

impl From<&ActuationLine> for Actuation {
    fn from(line: &ActuationLine) -> Self {
        Self {
            written: line.written_bps.map(BitRate::from_bps),
            observed: line.observed_bps.map(BitRate::from_bps),
            pending_since: line.pending_since_ns.map(moment),
            writes: line.writes,
        }
    }
}
