//! What shapes the two decisions. Every span is a duration, never a number of ticks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::{AssessmentParams, FailoverMethod, Weights};
use crate::{CongestionState, Limits, PerDirection, units::Delay};

/// Everything that shapes steering.
#[derive(Debug, Clone, PartialEq)]
pub struct SteeringParams {
    /// Whether decisions are taken, and carried out.
    pub mode: SteeringMode,
    /// The WANs in the order of preference, at least two.
    pub wans: Vec<WanFacts>,
    /// When new latency-sensitive connections are moved.
    pub steer: SteerParams,
    /// When everything is moved.
    pub failover: FailoverParams,
}

/// Whether decisions are taken, and carried out.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SteeringMode {
    /// Nothing is decided.
    Off,
    /// Decisions are made and reported, but not applied.
    #[default]
    Observe,
    /// Decisions are carried out.
    Active,
}

named!(SteeringMode::name);

/// What is known of a WAN before anything is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WanFacts {
    /// Its name, in memories, labels and views.
    pub name: String,
    /// Its place in the configuration, which is what its cycles carry.
    pub place: usize,
    /// The bounds of its shaper rates.
    pub limits: PerDirection<Option<Limits>>,
    /// Its traffic costs money.
    pub metered: bool,
    /// A rule exists that sends new latency-sensitive connections over it.
    pub has_steer: bool,
    /// The same for IPv6.
    pub has_steer6: bool,
    /// How it takes part in a failover, if it does.
    pub failover_method: Option<FailoverMethod>,
}

/// When new latency-sensitive connections are moved, and when they come back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SteerParams {
    /// The points of each contributor to the score.
    pub weights: Weights,
    /// How a WAN is assessed for the contributors `assessed_*`.
    pub assessment: AssessmentParams,
    /// Connections are moved from this score on, 1 to 100…
    pub threshold: u8,
    /// …once it has stood this long.
    pub sustain: Duration,
    /// What a WAN must be like before connections come back.
    pub recovery: Recovery,
    /// Connections that were moved stay away for at least this long.
    pub hold_down: Duration,
    /// A WAN whose traffic is above this share of a ceiling (0 to 1) takes no more.
    pub headroom: f64,
    /// The round trip over the other WAN must be shorter by this, where both are known.
    pub gain: Option<Delay>,
    /// Whether a metered WAN may be used because of congestion.
    pub allow_metered: bool,
    /// A WAN that went bad again within this time must be well for twice as long as it last was, at
    /// most this long, before connections come back; zero for no damping.
    pub flap_damping: Duration,
    /// Most changes within an hour.
    pub actions: ActionLimits,
    /// What is done about a WAN that goes bad and well all the time.
    pub flap: FlapParams,
}

/// What a WAN must be like before connections come back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The score is at most this, below the threshold.
    pub score: u8,
    /// No direction is worse than this.
    pub state: CongestionState,
    /// The delay over the baseline is below this.
    pub delta: Delay,
    /// No packets are dropped.
    pub no_drops: bool,
    /// All of it for this long.
    pub sustain: Duration,
}

/// When everything is moved, and when it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverParams {
    /// A WAN is dead when nothing has answered through it for this long…
    pub dead_after: Duration,
    /// …and at least this many targets used to.
    pub quorum: u16,
    /// A WAN is alive when that many targets have been answering for this long.
    pub recovery: Duration,
    /// What was moved stays for at least this long, unless the WAN it is on dies.
    pub hold_down: Duration,
    /// A more preferred WAN must have been alive for this long before it is returned to.
    pub failback: Duration,
    /// One that died again within this time, for twice as long as it last lived, at most this long;
    /// zero for no damping.
    pub flap_damping: Duration,
    /// Most changes within an hour.
    pub actions: ActionLimits,
}

/// Most changes within an hour, at least 2: one away and one back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActionLimits {
    /// Most changes.
    pub per_hour: u32,
}

/// What is done about a WAN that goes bad and well all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlapParams {
    /// More changes than `changes` within this span are flapping.
    pub window: Duration,
    /// Changes that are borne.
    pub changes: u32,
    /// The threshold is then raised for this long…
    pub penalty: Duration,
    /// …by this many points; a threshold above 100 is never reached.
    pub points: u8,
}
