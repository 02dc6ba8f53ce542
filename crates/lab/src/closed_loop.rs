//! A controller and a simulated link in virtual time: no clock, no task, thousands of times faster
//! than real time.

mod router;

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{
    PerDirection, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample,
    units::{BitRate, Delay, MonoTime},
};

use self::router::SlowRouter;
use super::{
    controller::{CYCLE, Controller},
    link::{Link, LinkSpec, Probed, SPREAD},
};

/// How a controller and its link are joined.
#[derive(Debug, Clone)]
pub struct LoopSpec {
    /// How many reflectors there are; probed in turn, one each cycle.
    pub reflectors: u16,
    /// The limits in force at the start; zero is none.
    pub limits: PerDirection<BitRate>,
    /// From a decision until the router enforces it.
    pub latency: Duration,
    /// Mean of the exponentially distributed time that is added.
    pub latency_jitter: Duration,
    /// Time between two cycles and between two probes.
    pub cycle: Duration,
    /// Time between two readings of the shapers' counters.
    pub reading: Duration,
    /// A probe without a reply is lost after this time.
    pub probe_timeout: Duration,
    /// Reflectors are this much further away, one from the next.
    pub spread: Duration,
}

impl LoopSpec {
    /// Returns the timing of the real program over REST, with six reflectors.
    #[must_use]
    pub fn new(limits: PerDirection<BitRate>) -> Self {
        Self {
            reflectors: 6,
            limits,
            latency: Duration::from_millis(20),
            latency_jitter: Duration::ZERO,
            cycle: CYCLE,
            reading: Duration::from_millis(100),
            probe_timeout: Duration::from_secs(1),
            spread: SPREAD,
        }
    }
}

/// A controller and its link, joined.
#[derive(Debug)]
pub struct ClosedLoop<C> {
    spec: LoopSpec,
    link: Link,
    controller: C,
    router: SlowRouter,
    now: MonoTime,
    /// The reflector of the last probe.
    turn: u16,
    /// Probes in flight by their numbers.
    sent: Vec<(u64, ReflectorId)>,
    probed: Vec<Probed>,
    readings: u64,
    next_reading: MonoTime,
    monitor_delays: Vec<Delay>,
    monitor_lost: u32,
    /// Every second reflector answers timestamp requests.
    timestamps: bool,
}

/// One cycle of the closed loop, observed from outside.
#[derive(Debug)]
pub struct Step<'a, C> {
    /// The time.
    pub now: MonoTime,
    /// The controller, after its decision.
    pub controller: &'a C,
    /// The rates that the shapers should have.
    pub desired: PerDirection<BitRate>,
    /// The rates that they have; zero is unlimited.
    pub enforced: PerDirection<BitRate>,
    /// Changes of the desired rate since the start, each of which is a write to the router.
    pub writes: PerDirection<u64>,
    /// The link's true capacity.
    pub capacity: PerDirection<BitRate>,
    /// The delay of the provider's buffers.
    pub queue_delay: PerDirection<Delay>,
    /// Round-trip delays over the base that the latency monitor measured since the step before:
    /// about 50 packets a second.
    pub monitor_delays: &'a [Delay],
    /// Packets of the latency monitor found lost since the step before.
    pub monitor_lost: u32,
    /// Payload that greedy flows have delivered since the start, in bytes.
    pub goodput: PerDirection<u64>,
    /// Whether there are greedy flows now.
    pub wanted: PerDirection<bool>,
}

impl<C: Controller> ClosedLoop<C> {
    /// Joins a controller and a link at time zero.
    #[must_use]
    pub fn new(link: LinkSpec, spec: LoopSpec, controller: C) -> Self {
        let rng = Rng::with_seed(link.seed ^ 0x5eed);
        let timestamps = link.timestamps;
        let mut link = Link::new(link);
        for (direction, limit) in spec.limits.each() {
            link.set_limit(direction, *limit);
        }
        link.start_monitor();
        Self {
            router: SlowRouter::new(spec.limits, spec.latency, spec.latency_jitter, rng),
            spec,
            link,
            controller,
            now: MonoTime::ZERO,
            turn: 0,
            sent: Vec::new(),
            probed: Vec::new(),
            readings: 0,
            next_reading: MonoTime::ZERO,
            monitor_delays: Vec::new(),
            monitor_lost: 0,
            timestamps,
        }
    }

    /// Returns the controller.
    pub fn controller(&self) -> &C {
        &self.controller
    }

    /// Makes every reflector's path longer by `offset` than it was at first, from now on.
    pub fn reroute(&mut self, offset: Duration) {
        self.link.reroute(offset);
    }

    /// Runs for `span` and calls `see` after each cycle.
    pub fn run(&mut self, span: Duration, mut see: impl FnMut(&Step<'_, C>)) {
        let until = self.now + span;
        while self.now < until {
            let desired = self.cycle();
            let link = &self.link;
            see(&Step {
                now: self.now,
                controller: &self.controller,
                desired,
                enforced: self.router.enforced(),
                writes: self.router.writes(),
                capacity: PerDirection::build(|direction| link.capacity(direction)),
                queue_delay: PerDirection::build(|direction| link.queue_delay(direction)),
                monitor_delays: &self.monitor_delays,
                monitor_lost: self.monitor_lost,
                goodput: PerDirection::build(|direction| link.goodput(direction)),
                wanted: PerDirection::build(|direction| link.is_wanted(direction)),
            });
        }
    }

    fn cycle(&mut self) -> PerDirection<BitRate> {
        self.now = self.now + self.spec.cycle;
        self.router.enforce(&mut self.link, self.now);
        self.link.advance_to(self.now.since_start());
        self.record_monitor();
        self.controller.on_actuation(self.router.actuation());
        self.probe();
        self.record_probes();
        if self.now >= self.next_reading {
            self.next_reading = self.now + self.spec.reading;
            self.read();
        }
        self.controller.on_truth(PerDirection::build(|direction| self.link.capacity(direction)));
        let desired = self.controller.decide(self.now);
        self.router.write(self.now, desired);
        // A router without latency has it in force before anything else happens.
        self.router.enforce(&mut self.link, self.now);
        desired
    }

    fn record_monitor(&mut self) {
        self.monitor_delays.clear();
        self.monitor_lost = 0;
        if let Some(monitor) = self.link.monitor_mut() {
            self.monitor_delays.append(&mut monitor.added);
            self.monitor_lost = std::mem::take(&mut monitor.lost);
        }
    }

    fn probe(&mut self) {
        let reflectors = self.spec.reflectors.max(1);
        self.turn = (self.turn + 1) % reflectors;
        let further = self.spec.spread * u32::from(self.turn);
        let number = self.link.send_probe(further, self.spec.probe_timeout);
        self.sent.push((number, ReflectorId(self.turn)));
    }

    fn record_probes(&mut self) {
        self.link.drain_probed(&mut self.probed);
        for Probed { number, at, outcome, up } in self.probed.drain(..) {
            let Some(place) = self.sent.iter().position(|(sent, _)| *sent == number) else {
                continue;
            };
            let (_, reflector) = self.sent.remove(place);
            let one_way = match outcome {
                ProbeOutcome::Reply(rtt) if self.timestamps && reflector.0.is_multiple_of(2) => {
                    Some(timestamps(reflector, at, rtt, up))
                }
                ProbeOutcome::Reply(_) | ProbeOutcome::Lost | ProbeOutcome::Unsent => None,
            };
            let sample = RttSample { reflector, sequence: number, at, outcome, one_way };
            debug_assert!(outcome != ProbeOutcome::Unsent, "a simulated probe can be sent");
            self.controller.on_rtt(&sample);
        }
    }

    fn read(&mut self) {
        self.readings += 1;
        let enforced = self.router.enforced();
        let queues = PerDirection::build(|direction| {
            let read = self.link.reading(direction);
            Some(QueueReading {
                bytes: read.bytes,
                packets: read.packets,
                // RouterOS does not count drops under CAKE.
                dropped: 0,
                backlog_bytes: read.backlog_bytes,
                backlog_packets: read.backlog_packets,
                limit: enforced[direction],
            })
        });
        self.controller.on_shaper(&ShaperSample { sequence: self.readings, at: self.now, queues });
    }
}

/// Offset of a reflector's clock in µs, times its number: undisciplined clocks are seconds apart.
const AHEAD: i64 = 1_234_567;
/// Drift of the clock in millionths, as of an undisciplined crystal.
const DRIFT: i64 = 20;

/// Returns the one-way delays that a client computes from the millisecond timestamps of a reply that
/// took `rtt`, of which `up` to the reflector.
fn timestamps(reflector: ReflectorId, at: MonoTime, rtt: Delay, up: Delay) -> PerDirection<Delay> {
    let arrived = i64::try_from(at.since_start().as_micros()).unwrap_or(i64::MAX);
    let sent = arrived - rtt.micros();
    let reflected = sent + up.micros();
    let ahead = AHEAD * (i64::from(reflector.0) + 1) + reflected / 1_000_000 * DRIFT;
    let stamp = (reflected + ahead).div_euclid(1000) * 1000;
    PerDirection {
        download: Delay::from_micros(arrived - stamp),
        upload: Delay::from_micros(stamp - sent),
    }
}

#[cfg(test)]
mod tests;
