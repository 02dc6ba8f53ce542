//! A simulated WAN: TCP flows, sparse packets, the user's shapers, the provider's buffers, and
//! probes that share its queues.
//!
//! ```text
//! user                      provider                            the internet
//!
//! upload flows ─► CAKE ───► FIFO ────────────────────────────► receivers, reflectors
//! receivers ◄──── CAKE ◄─── FIFO ◄── base round-trip time ◄─── download flows
//! ```
//!
//! Time passes in steps of two milliseconds. What a flow sends within one travels as one piece;
//! acknowledgements travel the other way through the same queues, so that each direction affects
//! the other. Losses and marks reach the sender a round trip later.

mod cake;
mod direction;
mod fifo;
mod flow_queue;
pub(super) mod packet;
mod probes;
mod spec;
mod supply;
mod user_groups;

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{
    Direction,
    units::{BitRate, Delay, MonoTime},
};

use self::{
    direction::LinkDirection,
    packet::{DelayLine, InTransit, PacketPayload, QueuedPacket, SparsePacket},
    probes::{LatencyMonitor, Probes, arrive, lose},
    user_groups::UserGroups,
};
pub use self::{
    probes::Probed,
    spec::{Buffer, LinkSpec, ProbePath},
    supply::{Shape, Supply},
};
use super::{plant::PlantReading, traffic::Web};

/// The step of the model: short against any delay that matters.
pub const STEP: Duration = Duration::from_micros(STEP_MICROS);
const STEP_MICROS: u64 = 2_000;
/// Reflectors are usually this much further away, one from the next.
pub const SPREAD: Duration = Duration::from_millis(3);
/// Longest delay of a provider's buffer that is reported, in seconds.
const MOST_DELAY: f64 = 60.0;
/// Steps between two packets of the monitor: a call of 50 packets per second.
const MONITOR_INTERVAL: u64 = 10;

/// A simulated WAN.
#[derive(Debug, Clone)]
pub struct Link {
    /// Steps since the start.
    steps: u64,
    download: LinkDirection,
    upload: LinkDirection,
    groups: UserGroups,
    web: Option<(Web, f64)>,
    /// The way from the internet to the provider's download buffer.
    net: DelayLine,
    reflected: InTransit,
    base_rtt: Vec<(Duration, Duration)>,
    base: f64,
    path_offset: Duration,
    jitter: f64,
    loss: f64,
    path: ProbePath,
    probes: Probes,
    monitor: Option<LatencyMonitor>,
    rng: Rng,
}

impl Link {
    /// Creates an empty link at time zero, without shapers.
    #[must_use]
    pub fn new(spec: LinkSpec) -> Self {
        let [download, upload] =
            Direction::ALL.map(|direction| LinkDirection::new(direction, &spec));
        let LinkSpec { base_rtt, base_rtt_steps, jitter, loss, probes, traffic, .. } = spec;
        let (displaced, seed) = (spec.displaced, spec.seed);
        let mut rng = Rng::with_seed(seed);
        let web = traffic.web().map(|web| (web, web.every.as_secs_f64() * exponential(&mut rng)));
        Self {
            steps: 0,
            download,
            upload,
            groups: UserGroups::new(traffic, displaced),
            web,
            net: DelayLine::default(),
            reflected: InTransit::default(),
            base_rtt: base_rtt_steps.into_iter().rev().collect(),
            base: base_rtt.as_secs_f64(),
            path_offset: Duration::ZERO,
            jitter: jitter.as_secs_f64(),
            loss,
            path: probes,
            probes: Probes::default(),
            monitor: None,
            rng,
        }
    }

    /// Moves on to `now`, by whole steps; a time that has passed changes nothing.
    pub(crate) fn advance_to(&mut self, now: Duration) {
        while self.time() + STEP <= now {
            self.step();
        }
    }

    pub(crate) fn now(&self) -> MonoTime {
        MonoTime::from_start(self.time())
    }

    /// Sets the rate of a direction's shaper; zero removes it.
    pub(crate) fn set_limit(&mut self, direction: Direction, limit: BitRate) {
        match direction {
            Direction::Download => self.download.cake.set_limit(limit),
            Direction::Upload => self.upload.cake.set_limit(limit),
        }
    }

    /// Makes the way to the internet longer by `path_offset` than it was at first, from now on.
    pub(crate) fn reroute(&mut self, path_offset: Duration) {
        self.path_offset = path_offset;
    }

    /// Says who uses the link from now on: its own people, and its displaced from another link.
    pub(crate) fn set_present(&mut self, own: bool, displaced: bool) {
        self.groups.set_present(own, displaced);
    }

    pub(crate) fn set_calls(&mut self, calls: u32) {
        if self.groups.set_calls(calls) {
            let (rate, now) = (self.groups.call_rate(), self.seconds());
            self.download.users.call(rate, now);
            self.upload.users.call(rate, now);
        }
    }

    pub(crate) fn reading(&self, direction: Direction) -> PlantReading {
        self.of(direction).cake.reading()
    }

    /// Returns a direction's true capacity, which no controller may ask for.
    pub(crate) fn capacity(&self, direction: Direction) -> BitRate {
        BitRate::from_bps(8).scaled(self.of(direction).supply.now())
    }

    /// Returns the delay of a direction's provider buffer, at most a minute: what the controller
    /// ought to keep low.
    pub(crate) fn queue_delay(&self, direction: Direction) -> Delay {
        let link = self.of(direction);
        let seconds = (link.fifo.backlog() / link.supply.now()).min(MOST_DELAY);
        Delay::from_millis_f64(seconds * 1e3)
    }

    /// Returns the payload that a direction's greedy flows have delivered, in bytes.
    pub(crate) fn goodput(&self, direction: Direction) -> u64 {
        self.of(direction).users.goodput()
    }

    pub(crate) fn is_wanted(&self, direction: Direction) -> bool {
        self.of(direction).users.is_greedy()
    }

    /// Sends a probe to a reflector that is `further` away than the nearest and returns its
    /// number. It shares the queues as they are when it really passes.
    pub(crate) fn send_probe(&mut self, further: Duration, timeout: Duration) -> u64 {
        let number = self.probes.send(self.now(), timeout);
        if self.rng.f64() < self.loss {
            return number;
        }
        let jitter = self.jitter * exponential(&mut self.rng);
        let further = further.as_secs_f64() + jitter;
        match self.path {
            ProbePath::Shared => {
                let packet = SparsePacket { probe: Some(number), waited: 0.0, up: 0.0, further };
                self.depart(packet);
            }
            ProbePath::Bypass => {
                let seconds = self.out_delay() + further;
                let rtt = Delay::from_millis_f64(seconds * 1e3);
                self.probes.on_reply(number, rtt, rtt.scaled(0.5));
            }
        }
        number
    }

    /// Returns the end of a probe, once it is known, and only once.
    pub(crate) fn probed(&mut self, number: u64) -> Option<Probed> {
        self.probes.take(number, self.now())
    }

    /// Moves the ends of all probes that are known by now to `into`, in their order in time.
    pub(crate) fn drain_probed(&mut self, into: &mut Vec<Probed>) {
        self.probes.drain(self.now(), into);
    }

    /// Starts the latency monitor: 50 sparse packets a second.
    pub(super) fn start_monitor(&mut self) {
        self.monitor.get_or_insert_default();
    }

    pub(super) fn monitor_mut(&mut self) -> Option<&mut LatencyMonitor> {
        self.monitor.as_mut()
    }

    fn of(&self, direction: Direction) -> &LinkDirection {
        match direction {
            Direction::Download => &self.download,
            Direction::Upload => &self.upload,
        }
    }

    fn time(&self) -> Duration {
        Duration::from_micros(self.steps * STEP_MICROS)
    }

    /// The same in seconds, as the model reckons.
    fn seconds(&self) -> f64 {
        self.steps as f64 * STEP.as_secs_f64()
    }

    fn out_delay(&self) -> f64 {
        self.base + self.path_offset.as_secs_f64()
    }

    fn step(&mut self) {
        let (time, now, dt) = (self.time(), self.seconds(), STEP.as_secs_f64());
        self.apply_programme(time, now);
        if self.monitor.is_some() && self.steps.is_multiple_of(MONITOR_INTERVAL) {
            self.depart(SparsePacket { probe: None, waited: 0.0, up: 0.0, further: 0.0 });
        }
        self.carry_down(now, dt);
        self.carry_up(now, dt);
        self.steps += 1;
        let time = self.time();
        self.download.supply.advance(time);
        self.upload.supply.advance(time);
    }

    fn apply_programme(&mut self, time: Duration, now: f64) {
        while let Some((_, base)) = self.base_rtt.pop_if(|(from, _)| *from <= time) {
            self.base = base.as_secs_f64();
        }
        if let Some(demand) = self.groups.advance(time) {
            self.download.users.turn_to(demand.download, now, &mut self.rng);
            self.upload.users.turn_to(demand.upload, now, &mut self.rng);
        }
        if let Some((web, next)) = &mut self.web
            && now >= *next
        {
            *next += web.every.as_secs_f64() * exponential(&mut self.rng);
            let bytes = f64::from(web.bytes) * exponential(&mut self.rng);
            self.download.users.fetch(bytes, now);
        }
    }

    /// From the internet through the provider's buffer and the shaper to the user.
    fn carry_down(&mut self, now: f64, dt: f64) {
        while let Some(packet) = self.reflected.take(now) {
            self.return_packet(packet, now);
        }
        let Self { download, upload, net, rng, monitor, .. } = self;
        while let Some(queued) = net.take(now) {
            download.fifo.arrive(queued);
        }
        if !download.fifo.is_idle() {
            download.fifo.admit(download.supply.now(), dt, rng);
            while let Some((queued, moment)) = download.fifo.take() {
                match queued.payload {
                    PacketPayload::Data(segments) => download.cake.enqueue(segments, now),
                    PacketPayload::Ack(news) => {
                        download.cake.enqueue_ack(QueuedPacket::ack(news, now));
                    }
                    PacketPayload::Sparse(mut packet) => {
                        packet.waited += now - queued.entered + moment;
                        packet.waited += download.cake.pass_sparse(rng);
                        arrive(&mut self.probes, monitor, packet);
                    }
                }
            }
        }
        download.cake.serve(now, dt, upload.users.open(), rng, |payload| match payload {
            PacketPayload::Data(segments) => {
                if let Some(news) = download.users.receive(segments) {
                    upload.cake.enqueue_ack(QueuedPacket::ack(news, now));
                }
            }
            PacketPayload::Ack(news) => upload.users.on_ack(news, now),
            PacketPayload::Sparse(_) => {}
        });
    }

    /// From the user through the shaper and the provider's buffer to the internet.
    fn carry_up(&mut self, now: f64, dt: f64) {
        let out = self.out_delay();
        let Self { download, upload, net, rng, .. } = self;
        upload.users.send(now, dt, |segments| upload.cake.enqueue(segments, now));
        upload.cake.serve(now, dt, download.users.open(), rng, |payload| match payload {
            PacketPayload::Data(segments) => upload.fifo.arrive(QueuedPacket::data(segments, now)),
            PacketPayload::Ack(news) => upload.fifo.arrive(QueuedPacket::ack(news, now)),
            PacketPayload::Sparse(_) => {}
        });
        if !upload.fifo.is_idle() {
            upload.fifo.admit(upload.supply.now(), dt, rng);
            while let Some((queued, moment)) = upload.fifo.take() {
                match queued.payload {
                    PacketPayload::Data(segments) => {
                        if let Some(news) = upload.users.receive(segments) {
                            net.put(now + out, QueuedPacket::ack(news, now));
                        }
                    }
                    PacketPayload::Ack(news) => download.users.on_ack(news, now),
                    PacketPayload::Sparse(mut packet) => {
                        packet.waited += now - queued.entered + moment;
                        packet.further += out;
                        packet.up = packet.waited + packet.further / 2.0;
                        self.reflected.put(now + moment + packet.further, packet);
                    }
                }
            }
        }
        download.users.send(now, dt, |segments| {
            net.put(now + out, QueuedPacket::data(segments, now));
        });
    }

    fn depart(&mut self, mut packet: SparsePacket) {
        let now = self.seconds();
        let Self { upload, rng, .. } = self;
        packet.waited += upload.cake.pass_sparse(rng) + upload.fifo.residual(rng);
        if upload.fifo.arrive_sparse(QueuedPacket::sparse(packet, now), rng).is_err() {
            lose(&mut self.monitor, packet);
        }
    }

    fn return_packet(&mut self, mut packet: SparsePacket, now: f64) {
        let Self { download, rng, .. } = self;
        packet.waited += download.fifo.residual(rng);
        if download.fifo.arrive_sparse(QueuedPacket::sparse(packet, now), rng).is_err() {
            lose(&mut self.monitor, packet);
        }
    }
}

fn exponential(rng: &mut Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

#[cfg(test)]
mod tests;
