//! A WAN as the live page, the status command and `/status` show it.

use serde::{Deserialize, Serialize};
use wanctl_core::{
    Cycle, Direction, DirectionCycle,
    units::{BitRate, Delay},
};

use super::{Code, Note, Point};

/// One WAN.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WanView {
    /// Its name.
    pub name: String,
    /// Whether a cycle has been decided yet; the rest is empty until then.
    pub running: bool,
    /// Unix time of the newest cycle in seconds.
    pub time: f64,
    /// State of the measurement.
    pub measurement: Code,
    /// Fresh reflectors, and all.
    pub reflectors_fresh: [usize; 2],
    /// Median round-trip time in ms.
    pub rtt_ms: Option<f64>,
    /// Median baseline in ms.
    pub baseline_ms: Option<f64>,
    /// Median delay over the baseline in ms.
    pub delta_ms: Option<f64>,
    /// Median jitter in ms.
    pub jitter_ms: Option<f64>,
    /// The download; `None` if it is not shaped.
    pub download: Option<DirectionView>,
    /// The upload; `None` if it is not shaped.
    pub upload: Option<DirectionView>,
    /// The reflectors.
    pub reflectors: Vec<ReflectorRow>,
    /// The last decisions, newest first.
    pub notes: Vec<Note>,
    /// The newest point of the recent past, with which a chart grows as `/recent` would.
    pub newest: Option<Point>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DirectionView {
    /// Congestion state, or `unknown` while nothing is measured.
    pub state: Code,
    /// Seconds since it was entered.
    pub state_seconds: f64,
    /// Desired rate in Mbit/s.
    pub desired_mbps: f64,
    /// Rate that the router enforces in Mbit/s, if known.
    pub observed_mbps: Option<f64>,
    /// Capacity estimate of the provider's link in Mbit/s, if known.
    pub capacity_mbps: Option<f64>,
    /// Traffic in Mbit/s, if known.
    pub delivery_mbps: Option<f64>,
    /// How busy the shaper is.
    pub load: Code,
    /// Bytes waiting in the shaper, if known.
    pub backlog_bytes: Option<u64>,
    /// Reason code of the newest decision.
    pub reason: Code,
    /// The same in plain words.
    pub why: Code,
    /// What the policy is doing: its phase.
    pub phase: Code,
    /// Rate writes that the router confirmed.
    pub writes: u64,
}

/// One reflector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReflectorRow {
    /// Its address.
    pub address: String,
    /// Whether its last reply is recent.
    pub fresh: bool,
    /// Its baseline in ms.
    pub baseline_ms: Option<f64>,
    /// Its delay over the baseline in ms.
    pub delta_ms: Option<f64>,
    /// Share of its probes lost lately, 0 to 1.
    pub loss: f64,
    /// The baseline may contain a queue: it was never seen without load.
    pub provisional: bool,
    /// For how many seconds it has not answered although others have, if it does not count for
    /// that.
    pub dead_seconds: Option<f64>,
}

impl WanView {
    pub(super) fn of(
        name: &str,
        addresses: &[String],
        cycle: Option<&Cycle>,
        notes: Vec<Note>,
        newest: Option<Point>,
    ) -> Self {
        let ms = |delay: Option<Delay>| delay.map(Delay::millis);
        let reported = cycle.map(|cycle| &cycle.measurement);
        let direction = |direction: Direction| DirectionView::of(cycle?, direction);
        let reflectors = cycle.map_or(&[][..], |cycle| cycle.reflectors.as_slice());
        let reflectors = addresses.iter().zip(reflectors).filter(|(_, view)| view.was_probed());
        let reflectors = reflectors.map(|(address, view)| ReflectorRow {
            address: address.clone(),
            fresh: view.fresh,
            baseline_ms: ms(view.baseline),
            delta_ms: ms(view.delta),
            loss: view.loss,
            provisional: view.provisional,
            dead_seconds: cycle
                .zip(view.dead_since)
                .map(|(cycle, since)| cycle.at.since(since).as_secs_f64()),
        });
        let reflectors: Vec<ReflectorRow> = reflectors.collect();
        Self {
            name: name.to_owned(),
            running: cycle.is_some(),
            time: cycle.map_or(0.0, |cycle| cycle.wall.seconds()),
            measurement: reported.map_or("starting", |reported| reported.state.name()).into(),
            reflectors_fresh: [
                reported.map_or(0, |reported| usize::from(reported.fresh)),
                reflectors.len(),
            ],
            rtt_ms: ms(reported.and_then(|reported| reported.rtt)),
            baseline_ms: ms(reported.and_then(|reported| reported.baseline)),
            delta_ms: ms(reported.and_then(|reported| reported.delta)),
            jitter_ms: ms(reported.and_then(|reported| reported.jitter)),
            download: direction(Direction::Download),
            upload: direction(Direction::Upload),
            reflectors,
            notes,
            newest,
        }
    }
}

impl DirectionView {
    /// Returns `None` for a direction that is not shaped.
    fn of(cycle: &Cycle, direction: Direction) -> Option<Self> {
        let reported: &DirectionCycle = cycle.directions[direction].as_ref()?;
        Some(Self {
            state: reported.state.name().into(),
            state_seconds: cycle.at.since(reported.since).as_secs_f64(),
            desired_mbps: reported.desired.mbps(),
            observed_mbps: reported.actuation.observed.map(BitRate::mbps),
            capacity_mbps: reported.capacity.map(BitRate::mbps),
            delivery_mbps: reported.load.delivery_rate.map(BitRate::mbps),
            load: reported.load.class.name().into(),
            backlog_bytes: reported
                .queue
                .and_then(|queue| queue.backlog())
                .map(|reported| reported.bytes),
            reason: reported.reason.code().into(),
            why: reported.reason.explain().into(),
            phase: reported.phase.name().into(),
            writes: reported.actuation.writes,
        })
    }
}
