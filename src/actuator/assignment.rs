//! What the daemon gives an actuator to work with.

use std::{collections::BTreeMap, time::Duration};

use tokio::sync::watch;
use wanctl_core::{Actuation, Direction, PerDirection, ShaperSample, units::BitRate};

use super::{IdleReads, RouterMetrics, SwitchWork};
use crate::{
    clock::Clock,
    router::{QueueRef, Router},
};

/// A shaper queue and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// The direction it shapes.
    pub direction: Direction,
    /// Which queue of the router it is.
    pub queue: QueueRef,
}

/// What a WAN's control loop and the actuator share; on either side the newest value wins.
#[derive(Debug, Clone)]
pub struct WanChannels {
    /// The rates that the loop wants.
    pub desired: watch::Sender<PerDirection<Option<BitRate>>>,
    /// The newest counters.
    pub shaper: watch::Sender<Option<ShaperSample>>,
    /// How far the router has followed.
    pub actuation: watch::Sender<PerDirection<Actuation>>,
    /// Whether the loop has seen next to no traffic and no delay for a while.
    pub idle: watch::Sender<bool>,
}

impl Default for WanChannels {
    fn default() -> Self {
        Self {
            desired: watch::channel(PerDirection::default()).0,
            shaper: watch::channel(None).0,
            actuation: watch::channel(PerDirection::default()).0,
            idle: watch::channel(false).0,
        }
    }
}

/// What of an actuator's work may change while it works.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// `false`: read, and write nothing.
    pub writes: bool,
    /// Time between two readings.
    pub stats_interval: Duration,
    /// How idle queues are read.
    pub idle: IdleReads,
    /// How eagerly limits are written.
    pub pace: Pace,
    /// The limits to leave behind at the end, in the order of the queues; `None` keeps the last.
    pub exit_limits: Option<Vec<BitRate>>,
}

/// How eagerly limits are written. A cut beyond the deadband is never held back by any of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Raises, and cuts within the deadband, wait this long after a queue's last write.
    pub coalesce: Duration,
    /// Differences up to this share of the limit in force are small, 0 to 1.
    pub deadband: f64,
    /// A small difference that lasts is written after this long.
    pub settle: Duration,
    /// Most raises per minute and queue.
    pub raises_per_minute: u32,
    /// Most writes per hour and queue, whatever for; only new cuts may exceed it.
    pub writes_per_hour: u32,
}

impl Default for Pace {
    /// 200 ms between raises, as small climbs proved to be worth joining in the predecessor's
    /// production; 1 % is too little for a person or a congestion controller to notice; 300 is
    /// what 200 ms allow. 7200 writes in an hour are two a second, more than any link needed on
    /// average in the lab; a router whose flash is written 4 KiB for each of them, and endures 10^9
    /// such writes, lasts for 16 years of that.
    fn default() -> Self {
        Self {
            coalesce: Duration::from_millis(100),
            deadband: 0.01,
            settle: Duration::from_secs(10),
            raises_per_minute: 300,
            writes_per_hour: 7200,
        }
    }
}

/// What the daemon gives an actuator to work with.
#[derive(Debug)]
pub struct Assignment {
    /// The router.
    pub router: Router,
    /// Its queues.
    pub queues: Vec<Queue>,
    /// The channels of the WANs with a queue on it, by their place in the configuration.
    pub links: BTreeMap<usize, WanChannels>,
    /// Its switches.
    pub switches: SwitchWork,
    /// The time.
    pub clock: Clock,
    /// What may change while it works.
    pub tuning: watch::Receiver<Tuning>,
    /// Where requests are counted.
    pub metrics: RouterMetrics,
}

impl Assignment {
    /// Returns whether anything is written at present.
    pub(super) fn writes(&self) -> bool {
        self.tuning.borrow().writes
    }

    /// Returns the time between two readings at present.
    pub(super) fn stats_interval(&self) -> Duration {
        self.tuning.borrow().stats_interval
    }

    /// Returns how idle queues are read at present.
    pub(super) fn idle(&self) -> IdleReads {
        self.tuning.borrow().idle
    }

    /// Returns whether all control loops find their links idle.
    pub(super) fn loops_are_idle(&self) -> bool {
        self.links.values().all(|link| *link.idle.borrow())
    }

    /// Returns how eagerly limits are written at present.
    pub(super) fn pace(&self) -> Pace {
        self.tuning.borrow().pace
    }

    /// Returns the limits to leave behind if the end were now; none if nothing may be written.
    pub(super) fn exit_limits(&self) -> Vec<BitRate> {
        let tuning = self.tuning.borrow();
        tuning.exit_limits.clone().filter(|_| tuning.writes).unwrap_or_default()
    }
}
