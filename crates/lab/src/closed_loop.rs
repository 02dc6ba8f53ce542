//! A controller against a simulated link in virtual time: no clock, no task, thousands of times
//! faster than life.

mod recording_controller;
mod reflector_clock;
mod router;

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{
    PerDirection, ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample,
    units::{BitRate, Delay, MonoTime},
};

pub use self::recording_controller::RecordingController;
use self::router::SlowRouter;
use super::{
    controller::Controller,
    link::{Link, LinkSpec, Probed, SPREAD},
};

/// Time between two cycles and between two probes, unless a [`LoopSpec`] says otherwise.
pub const CYCLE: Duration = Duration::from_millis(50);

/// How a controller and its link are joined.
#[derive(Debug, Clone)]
pub struct LoopSpec {
    /// How many reflectors there are; asked in turn, one each cycle.
    pub reflectors: u16,
    /// The limits in force at the start; zero is none.
    pub limits: PerDirection<BitRate>,
    /// From a decision until the router enforces it.
    pub latency: Duration,
    /// Mean of the exponentially distributed time that it takes longer.
    pub latency_jitter: Duration,
    /// Time between two cycles and between two probes.
    pub cycle: Duration,
    /// Time between two readings of the shapers' counters.
    pub reading: Duration,
    /// A probe without an answer is lost after this time.
    pub probe_timeout: Duration,
    /// Reflectors are this much further away, one from the next.
    pub spread: Duration,
}

impl LoopSpec {
    /// Returns how the real program works over REST, with six reflectors.
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
pub struct ClosedLoop<P> {
    spec: LoopSpec,
    link: Link,
    controller: P,
    router: SlowRouter,
    now: MonoTime,
    /// The reflector that the next probe asks, and the number of its probe.
    turn: u16,
    asked: Vec<(u64, ReflectorId)>,
    probed: Vec<Probed>,
    readings: u64,
    next_reading: MonoTime,
    monitor_delays: Vec<Delay>,
    monitor_lost: u32,
    /// Every second reflector tells the time.
    timestamps: bool,
}

/// What one cycle of the closed loop looks like from outside.
#[derive(Debug)]
pub struct Step<'a, P> {
    /// The time.
    pub now: MonoTime,
    /// The controller, after it has decided.
    pub controller: &'a P,
    /// The rates that the shapers should have.
    pub desired: PerDirection<BitRate>,
    /// The rates that they have.
    pub enforced: PerDirection<BitRate>,
    /// Changes of the desired rate since the start, each of which is a write to the router.
    pub writes: PerDirection<u64>,
    /// The link's true capacity.
    pub capacity: PerDirection<BitRate>,
    /// The delay of the provider's buffers.
    pub queue_delay: PerDirection<Delay>,
    /// What the packets of a call felt on their round trip beyond the base, as far as they came
    /// back since the step before: about 50 per second.
    pub monitor_delays: &'a [Delay],
    /// How many of them were found to be lost since the step before.
    pub monitor_lost: u32,
    /// Payload that greedy flows have delivered since the start, in bytes.
    pub goodput: PerDirection<u64>,
    /// Whether there are greedy flows now.
    pub wanted: PerDirection<bool>,
    /// The link as it really is.
    pub link: &'a Link,
}

impl<P: Controller> ClosedLoop<P> {
    /// Joins a controller and a link at time zero.
    #[must_use]
    pub fn new(link: LinkSpec, spec: LoopSpec, controller: P) -> Self {
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
            asked: Vec::new(),
            probed: Vec::new(),
            readings: 0,
            next_reading: MonoTime::ZERO,
            monitor_delays: Vec::new(),
            monitor_lost: 0,
            timestamps,
        }
    }

    /// Returns the controller.
    pub fn controller(&self) -> &P {
        &self.controller
    }

    /// Returns the link.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// Makes every reflector's path longer by `extra_delay` than it was at first, from now on.
    pub fn reroute(&mut self, extra_delay: Duration) {
        self.link.reroute(extra_delay);
    }

    /// Runs for `span` and calls `see` after each cycle.
    pub fn run(&mut self, span: Duration, mut see: impl FnMut(&Step<'_, P>)) {
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
                link,
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
        self.hear_probes();
        if self.now >= self.next_reading {
            self.next_reading = self.now + self.spec.reading;
            self.read();
        }
        self.controller.on_truth(PerDirection::build(|direction| self.link.capacity(direction)));
        let desired = self.controller.decide(self.now);
        self.router.write(self.now, desired);
        // A router that answers at once has it in force before anything else happens.
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
        self.asked.push((number, ReflectorId(self.turn)));
    }

    fn hear_probes(&mut self) {
        self.link.drain_probed(&mut self.probed);
        for Probed { number, at, outcome, up } in self.probed.drain(..) {
            let Some(place) = self.asked.iter().position(|(asked, _)| *asked == number) else {
                continue;
            };
            let (_, reflector) = self.asked.remove(place);
            let one_way = match outcome {
                ProbeOutcome::Reply(rtt) if self.timestamps && reflector.0.is_multiple_of(2) => {
                    Some(reflector_clock::timestamps(reflector, at, rtt, up))
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
                // As a RouterOS tells them under CAKE: not.
                dropped: 0,
                backlog_bytes: read.backlog_bytes,
                backlog_packets: read.backlog_packets,
                limit: enforced[direction],
            })
        });
        self.controller.on_shaper(&ShaperSample { sequence: self.readings, at: self.now, queues });
    }
}

#[cfg(test)]
mod tests;
