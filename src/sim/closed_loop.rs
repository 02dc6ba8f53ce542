//! The controller against a simulated link in virtual time: no clock, no task, thousands of times
//! faster than life.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::link::{Link, LinkSpec};
use crate::{
    control::{
        Actuation, Decision, Direction, PerDirection, ProbeOutcome, QueueReading, ReflectorId,
        RttSample, ShaperSample, Wan, WanParams,
    },
    units::{BitRate, Delay, MonoTime},
};

/// Time between two cycles and between two probes.
pub const CYCLE: Duration = Duration::from_millis(50);
/// Time between two readings of the counters.
const READING: Duration = Duration::from_millis(100);
/// From a decision until the router enforces it, as a RouterOS answers over REST.
const ACTUATION: Duration = Duration::from_millis(20);
/// A probe without an answer is lost after this time.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);
/// Reflectors are this much further away, one from the next.
const SPREAD: Duration = Duration::from_millis(3);

/// A WAN's controller and its link, joined.
#[derive(Debug)]
pub struct ClosedLoop {
    link: Link,
    wan: Wan,
    reflectors: u16,
    now: MonoTime,
    /// Probe outcomes under way, by the time at which they become known.
    underway: BTreeMap<(MonoTime, u64), RttSample>,
    /// Limits under way to the router, oldest first.
    writes: VecDeque<(MonoTime, PerDirection<BitRate>)>,
    enforced: PerDirection<BitRate>,
    probes: u64,
    readings: u64,
    next_reading: MonoTime,
    /// Answers of the reflectors come this much later, whatever the queues do.
    detour: Duration,
}

/// What one cycle of the closed loop looks like from outside.
#[derive(Debug)]
pub struct Step<'a> {
    /// The time.
    pub now: MonoTime,
    /// What the controller said.
    pub decision: &'a Decision,
    /// The link as it really is.
    pub link: &'a Link,
}

impl ClosedLoop {
    /// Joins a controller and a link at time zero, with the base rates in force.
    #[must_use]
    pub fn new(link: LinkSpec, params: &WanParams) -> Self {
        let mut link = Link::new(link);
        let enforced = PerDirection::build(|direction| params.directions[direction].limits.base);
        for (direction, limit) in enforced.each() {
            link.set_limit(direction, *limit);
        }
        Self {
            link,
            wan: Wan::new(params, MonoTime::ZERO),
            reflectors: params.evidence.reflectors.max(1),
            now: MonoTime::ZERO,
            underway: BTreeMap::new(),
            writes: VecDeque::new(),
            enforced,
            probes: 0,
            readings: 0,
            next_reading: MonoTime::ZERO,
            detour: Duration::ZERO,
        }
    }

    /// Makes every reflector's path longer by `detour` from now on.
    pub fn reroute(&mut self, detour: Duration) {
        self.detour = detour;
    }

    /// Runs for `span` and calls `see` after each cycle.
    pub fn run(&mut self, span: Duration, mut see: impl FnMut(&Step<'_>)) {
        let until = self.now + span;
        while self.now < until {
            let decision = self.cycle();
            see(&Step { now: self.now, decision: &decision, link: &self.link });
        }
    }

    fn cycle(&mut self) -> Decision {
        self.now = self.now + CYCLE;
        self.enforce();
        self.link.advance_to(self.now.since_start());
        self.probe();
        while let Some(entry) = self.underway.first_entry().filter(|e| e.key().0 <= self.now) {
            self.wan.on_rtt(&entry.remove());
        }
        if self.now >= self.next_reading {
            self.next_reading = self.now + READING;
            self.read();
        }
        let decision = self.wan.decide(self.now);
        let desired = PerDirection::build(|direction| decision.directions[direction].desired);
        self.writes.push_back((self.now + ACTUATION, desired));
        decision
    }

    /// Lets the writes that have arrived by now take effect, each at its own moment.
    fn enforce(&mut self) {
        while let Some((at, limits)) =
            self.writes.front().copied().filter(|(at, _)| *at <= self.now)
        {
            self.writes.pop_front();
            self.link.advance_to(at.since_start());
            for (direction, limit) in limits.each() {
                self.link.set_limit(direction, *limit);
            }
            self.enforced = limits;
        }
        self.wan.on_actuation(PerDirection::build(|direction| Actuation {
            observed: Some(self.enforced[direction]),
            ..Actuation::default()
        }));
    }

    fn probe(&mut self) {
        self.probes += 1;
        let turn = u16::try_from(self.probes % u64::from(self.reflectors)).unwrap_or(0);
        let outcome = self.link.probe(SPREAD * u32::from(turn) + self.detour);
        let (after, outcome) = match outcome {
            ProbeOutcome::Reply(rtt) if rtt < Delay::from(PROBE_TIMEOUT) => {
                let micros = u64::try_from(rtt.micros()).unwrap_or(0);
                (Duration::from_micros(micros), outcome)
            }
            ProbeOutcome::Reply(_) | ProbeOutcome::Lost => (PROBE_TIMEOUT, ProbeOutcome::Lost),
            ProbeOutcome::Unsent => (Duration::ZERO, outcome),
        };
        let at = self.now + after;
        let sample = RttSample {
            reflector: ReflectorId(turn),
            sequence: self.probes,
            at,
            outcome,
            one_way: None,
        };
        self.underway.insert((at, self.probes), sample);
    }

    fn read(&mut self) {
        self.readings += 1;
        let queues = PerDirection::build(|direction: Direction| {
            let read = self.link.reading(direction);
            QueueReading {
                bytes: read.bytes,
                packets: read.packets,
                dropped: 0,
                backlog_bytes: read.backlog_bytes,
                backlog_packets: read.backlog_packets,
                limit: self.enforced[direction],
            }
        });
        self.wan.on_shaper(&ShaperSample { sequence: self.readings, at: self.now, queues });
    }
}
