//! One direction of a link: a sender, the provider's deep buffer, and our shaper in front of it
//! (upload) or behind it (download).

use std::time::Duration;

use super::{
    capacity::Capacity,
    flow::{Flow, Signal},
    plant::PlantReading,
};
use crate::{control::Direction, units::BitRate};

/// Sojourn above which the shaper's AQM marks, as CAKE's default target.
const AQM_TARGET: f64 = 0.005;
/// Sojourn above which CAKE drops whatever keeps coming.
const AQM_LIMIT: f64 = 0.1;
/// Mean size of a packet, acknowledgements included.
const PACKET: f64 = 1200.0;

#[derive(Debug, Clone)]
pub(super) struct Path {
    direction: Direction,
    capacity: Capacity,
    now_bps: f64,
    /// Size of the provider's buffer in bytes.
    buffer: f64,
    /// The shaper's rate; `None` is unlimited.
    limit: Option<BitRate>,
    flow: Flow,
    /// Bytes waiting at the provider and in the shaper.
    provider: f64,
    shaper: f64,
    signal: Signal,
    sent: f64,
    dropped: f64,
    /// Share of what arrived at the provider that its buffer could not take in the last step.
    overflow: f64,
}

impl Path {
    pub(super) fn new(direction: Direction, mut capacity: Capacity, buffer: u32) -> Self {
        let now_bps = capacity.advance(Duration::ZERO).bps() as f64;
        Self {
            direction,
            capacity,
            now_bps,
            buffer: f64::from(buffer),
            limit: None,
            flow: Flow::new(),
            provider: 0.0,
            shaper: 0.0,
            signal: Signal::Clear,
            sent: 0.0,
            dropped: 0.0,
            overflow: 0.0,
        }
    }

    pub(super) fn set_limit(&mut self, limit: BitRate) {
        self.limit = (limit > BitRate::ZERO).then_some(limit);
    }

    /// Delay of the provider's buffer in seconds: what every packet feels.
    pub(super) fn provider_delay(&self) -> f64 {
        self.provider * 8.0 / self.now_bps
    }

    pub(super) fn overflow(&self) -> f64 {
        self.overflow
    }

    pub(super) fn capacity(&self) -> BitRate {
        BitRate::from_bps(1).scaled(self.now_bps)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub(super) fn reading(&self) -> PlantReading {
        PlantReading {
            bytes: self.sent as u64,
            packets: (self.sent / PACKET) as u64,
            dropped: (self.dropped / PACKET) as u64,
            backlog_bytes: self.shaper as u64,
            backlog_packets: (self.shaper / PACKET).ceil() as u64,
        }
    }

    /// Moves on by `dt`: `extra` bytes are sent besides what the flows want.
    pub(super) fn step(
        &mut self,
        dt: Duration,
        base: Duration,
        demand: BitRate,
        extra: f64,
    ) -> f64 {
        let seconds = dt.as_secs_f64();
        self.now_bps = self.capacity.advance(dt).bps() as f64;
        let shaper_bps = self.limit.map_or(f64::INFINITY, |limit| limit.bps() as f64);
        let sojourn = self.shaper * 8.0 / shaper_bps;
        let rtt = base + Duration::from_secs_f64((self.provider_delay() + sojourn).min(30.0));
        let wanted = demand.bps() as f64 / 8.0 * seconds;
        let arrived = self.flow.send(dt, rtt, wanted, self.signal) + extra;
        let (through_link, through_shaper) =
            (self.now_bps / 8.0 * seconds, shaper_bps / 8.0 * seconds);
        let (out, overflow) = match self.direction {
            Direction::Upload => {
                let shaped = drain(&mut self.shaper, arrived, through_shaper);
                let overflow = self.enter_provider(shaped);
                drain(&mut self.provider, 0.0, through_link);
                (shaped, overflow)
            }
            Direction::Download => {
                let overflow = self.enter_provider(arrived);
                let carried = drain(&mut self.provider, 0.0, through_link);
                (drain(&mut self.shaper, carried, through_shaper), overflow)
            }
        };
        self.sent += out;
        self.overflow = overflow;
        self.signal = self.judge(shaper_bps);
        out
    }

    /// Adds to the provider's buffer; returns the share that did not fit.
    fn enter_provider(&mut self, bytes: f64) -> f64 {
        let fits = (self.buffer - self.provider).max(0.0).min(bytes);
        self.provider += fits;
        if bytes > 0.0 { (bytes - fits) / bytes } else { 0.0 }
    }

    fn judge(&mut self, shaper_bps: f64) -> Signal {
        let most = AQM_LIMIT * shaper_bps / 8.0;
        if self.shaper > most {
            self.dropped += self.shaper - most;
            self.shaper = most;
        }
        if self.overflow > 0.0 {
            Signal::Loss
        } else if self.shaper * 8.0 / shaper_bps > AQM_TARGET {
            Signal::Mark
        } else {
            Signal::Clear
        }
    }
}

/// Adds `arrived` to a queue, takes up to `most` out of it and returns what was taken.
fn drain(queue: &mut f64, arrived: f64, most: f64) -> f64 {
    *queue += arrived;
    let out = queue.min(most);
    *queue -= out;
    out
}
