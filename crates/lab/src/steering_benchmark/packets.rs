//! The packets of the latency monitors on both WANs, and what they cost.

use std::time::Duration;

use wanctl_core::units::{Delay, MonoTime};

use crate::controller::CYCLE;

/// A packet that takes longer is useless for a conversation.
const USELESS: Delay = Delay::from_micros(400_000);
/// Cycles in a second.
pub(super) const SECOND: usize = 20;
/// A delay beyond this was computed from a capacity of almost zero.
const IMPLAUSIBLE: Delay = Delay::from_micros(60_000_000);
/// Milliseconds between two packets of the latency monitor, and between two cycles.
const A_PACKET: usize = 20;
const CYCLE_MS: usize = 50;
/// The cost of a second without any packet of a WAN.
const NO_PACKET_COST: f64 = 1e9;

/// Delay and loss of latency-sensitive connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallLatency {
    /// The delay that 95 % of the packets stay below, lost ones counted as useless, in ms.
    pub p95: f64,
    /// The share of packets that are lost or useless (0 to 1).
    pub useless: f64,
}

#[derive(Debug, Clone, Copy)]
struct Packet {
    wan: usize,
    /// Number of the cycle in which it was sent.
    sent: usize,
    /// Its round-trip time in ms; [`USELESS`] if it was lost or takes longer.
    cost: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Outage {
    is_now: bool,
    since: usize,
    held: usize,
}

/// All packets of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Packets {
    all: Vec<Packet>,
    /// When the last outage of each link began, and the packets that left its buffer since.
    outages: [Outage; 2],
}

impl Packets {
    pub(super) fn set_outage(&mut self, wan: usize, now: MonoTime, is_out: bool) {
        let Some(outage) = self.outages.get_mut(wan) else { return };
        if is_out && !outage.is_now {
            *outage = Outage { since: cycle_of(now.since_start()), ..Outage::default() };
        }
        outage.is_now = is_out;
    }

    /// Records a packet that came back at `now`, after `delay`.
    pub(super) fn arrived(&mut self, wan: usize, now: MonoTime, delay: Delay) {
        let took = Duration::from_micros(u64::try_from(delay.micros()).unwrap_or(0));
        let mut sent = cycle_of(now.since_start().saturating_sub(took));
        // The packets that an outage holds back have no meaningful delay. They leave in the order
        // in which they came, fifty a second from the start of the outage.
        if delay > IMPLAUSIBLE
            && let Some(outage) = self.outages.get_mut(wan)
        {
            sent = outage.since + outage.held * A_PACKET / CYCLE_MS;
            outage.held += 1;
        }
        self.all.push(Packet { wan, sent, cost: delay.min(USELESS).millis() });
    }

    /// Records a packet that was found to be lost at `now`.
    pub(super) fn lost(&mut self, wan: usize, now: MonoTime) {
        let sent = cycle_of(now.since_start());
        self.all.push(Packet { wan, sent, cost: USELESS.millis() });
    }

    /// Puts the cheap ones first, as [`Packets::latency`] requires.
    pub(super) fn sort(&mut self) {
        self.all.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    }

    /// Returns what a packet costs on each WAN, on average, in each second: its delay in ms.
    pub(super) fn delays(&self, seconds: usize) -> Vec<[f64; 2]> {
        self.costs(seconds, |delay| delay)
    }

    /// Returns the same where what counts is whether packets are of any use, and their delay only
    /// decides between equals.
    pub(super) fn losses(&self, seconds: usize) -> Vec<[f64; 2]> {
        let useless = USELESS.millis();
        self.costs(seconds, |delay| if delay >= useless { 1.0 } else { 0.01 * delay / useless })
    }

    fn costs(&self, seconds: usize, of: impl Fn(f64) -> f64) -> Vec<[f64; 2]> {
        let mut sums = vec![[(0.0, 0_u32); 2]; seconds];
        for packet in &self.all {
            if let Some(sum) = sums.get_mut(packet.sent / SECOND) {
                sum[packet.wan].0 += of(packet.cost);
                sum[packet.wan].1 += 1;
            }
        }
        let mean = |(sum, count): (f64, u32)| {
            if count == 0 { NO_PACKET_COST } else { sum / f64::from(count) }
        };
        sums.into_iter().map(|second| second.map(mean)).collect()
    }

    /// Returns the latency if a packet counts as often as the `weight` of its WAN and cycle.
    pub(super) fn latency(&self, weight: impl Fn(usize, usize) -> u32) -> CallLatency {
        let weighed = |packet: &Packet| u64::from(weight(packet.wan, packet.sent));
        let all: u64 = self.all.iter().map(weighed).sum();
        let is_useless = |packet: &&Packet| packet.cost >= USELESS.millis();
        let useless: u64 = self.all.iter().filter(is_useless).map(weighed).sum();
        let mut left = all * 95 / 100;
        let p95 = self.all.iter().find(|packet| {
            let weight = weighed(packet);
            let is_there = left < weight;
            left = left.saturating_sub(weight);
            is_there
        });
        CallLatency {
            p95: p95.map_or(0.0, |packet| packet.cost),
            useless: useless as f64 / all.max(1) as f64,
        }
    }
}

fn cycle_of(at: Duration) -> usize {
    usize::try_from(at.as_micros() / CYCLE.as_micros()).unwrap_or(usize::MAX)
}
