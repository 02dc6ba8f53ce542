//! What an emulated router is like.

use super::{LatencyProfile, Pinger, User};
use crate::units::BitRate;

/// Everything that is chosen when an emulator is built.
#[derive(Debug, Clone)]
pub struct EmulatorConfig {
    /// Name of the router.
    pub identity: String,
    /// Version of RouterOS, as in `7.20.8 (stable)`.
    pub version: String,
    /// Name of the board.
    pub board: String,
    /// Users, each with a queue of requests of their own.
    pub users: Vec<User>,
    /// Queue trees. Interfaces and CAKE types are made for the names that they mention.
    pub queues: Vec<QueueSpec>,
    /// Mangle rules, in their order.
    pub mangle: Vec<MangleSpec>,
    /// How long answers take.
    pub latency: LatencyProfile,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Where the router's own pings go.
    pub pinger: Pinger,
    /// Seed of the latencies.
    pub seed: u64,
}

/// A queue tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Name of the queue, by which the plant knows it.
    pub name: String,
    /// What it hangs under: an interface, another queue, or `global`.
    pub parent: String,
    /// Name of the queue type; one that is not built in becomes a CAKE type.
    pub queue_type: String,
    /// Limit at the start; zero means unlimited.
    pub max_limit: BitRate,
}

/// A mangle rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MangleSpec {
    /// Chain, such as `prerouting`.
    pub chain: String,
    /// Action, such as `mark-routing`.
    pub action: String,
    /// Comment, by which clients find the rule.
    pub comment: String,
    /// Whether the rule starts switched off.
    pub disabled: bool,
}

impl Default for EmulatorConfig {
    /// A healthy router of the RB5009 class without users, queues or rules.
    fn default() -> Self {
        Self {
            identity: "MikroTik".into(),
            version: "7.20.8 (stable)".into(),
            board: "RB5009UG+S+".into(),
            users: Vec::new(),
            queues: Vec::new(),
            mangle: Vec::new(),
            latency: LatencyProfile::default(),
            keep_alive: true,
            pinger: Pinger::default(),
            seed: 0,
        }
    }
}
