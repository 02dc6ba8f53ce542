//! The loop of one WAN: every interval, newest samples in, one decision out, one `Cycle` to all.
//!
//! It waits for nothing but its tick. Probes, router, disk and HTTP live in tasks of their own
//! and are met only through channels that never block.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant as TokioInstant, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;

use super::idle::IdleWatch;
use crate::{
    clock::Clock,
    control::{Actuation, Cycle, PerDirection, RttSample, ShaperSample, Timing, Wan},
    history::Recorder,
    probe::Pace,
    status::Board,
    telemetry::CycleMetrics,
    units::BitRate,
};

/// One WAN's loop, and the ends of the channels by which it meets everybody else.
#[derive(Debug)]
pub struct ControlLoop {
    /// The WAN's place in the configuration.
    pub index: usize,
    /// The WAN's controller.
    pub wan: Wan,
    /// Time between two cycles.
    pub interval: Duration,
    /// The clock that dates decisions; the samples must be dated by the same one.
    pub clock: Clock,
    /// Where the outcomes of the probes arrive.
    pub samples: mpsc::Receiver<RttSample>,
    /// Where the newest counters of the shaper queues lie.
    pub shaper: watch::Receiver<Option<ShaperSample>>,
    /// Where it lies how far the router has followed.
    pub actuation: watch::Receiver<PerDirection<Actuation>>,
    /// Where the desired rates are left for the actuator.
    pub desired: watch::Sender<PerDirection<Option<BitRate>>>,
    /// Where it is left how fast to probe.
    pub pace: watch::Sender<Pace>,
    /// Watches for quiet.
    pub idle: IdleWatch,
    /// Where each cycle goes.
    pub outlets: Outlets,
}

/// Where a cycle goes: to everybody who tells about it.
#[derive(Debug)]
pub struct Outlets {
    /// The WAN's metrics.
    pub metrics: CycleMetrics,
    /// The history, if one is kept.
    pub recorder: Option<Recorder>,
    /// The board of the newest cycles.
    pub board: Board,
}

impl Outlets {
    fn send(&mut self, cycle: Cycle) {
        self.metrics.record(&cycle);
        let cycle = Arc::new(cycle);
        self.board.record(&cycle);
        if let Some(recorder) = &self.recorder {
            recorder.cycle(cycle);
        }
    }
}

impl ControlLoop {
    /// Turns until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval_at(TokioInstant::now() + self.interval, self.interval);
        // A late loop must not replay the cycles it missed: their samples are gone.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut before: Option<TokioInstant> = None;
        let mut timing = Timing { interval: self.interval, ..Timing::default() };
        for number in 1.. {
            // Both futures may be dropped and begun anew without loss.
            let tick = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                tick = ticks.tick() => tick,
            };
            let started = Instant::now();
            timing.lateness = started.saturating_duration_since(tick.into_std());
            timing.skipped = before.map_or(0, |before| skipped(tick - before, self.interval));
            before = Some(tick);
            self.cycle(number, timing);
            timing.busy = started.elapsed();
        }
    }

    /// Turns once: takes what has arrived, decides, and tells everybody. Never waits.
    ///
    /// `number` counts the cycles from 1; `timing` tells how punctual this one is.
    pub fn cycle(&mut self, number: u64, timing: Timing) {
        let mut samples = Vec::new();
        while let Ok(sample) = self.samples.try_recv() {
            self.wan.on_rtt(&sample);
            samples.push(sample);
        }
        if let Some(sample) = *self.shaper.borrow_and_update() {
            self.wan.on_shaper(&sample);
        }
        self.wan.on_actuation(*self.actuation.borrow_and_update());
        let at = self.clock.now();
        let decision = self.wan.decide(at);
        let wanted = PerDirection::build(|direction| Some(decision.directions[direction].desired));
        self.desired.send_if_modified(|told| {
            let changed = *told != wanted;
            *told = wanted;
            changed
        });
        let pace = self.idle.pace(&decision, at);
        self.pace.send_if_modified(|told| std::mem::replace(told, pace) != pace);
        self.outlets.send(Cycle {
            wan: self.index,
            number,
            at,
            wall: Clock::wall(),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors,
            samples,
            timing,
        });
    }
}

/// How many ticks were dropped between two that are `apart`.
fn skipped(apart: Duration, interval: Duration) -> u64 {
    let ticks = (apart.as_secs_f64() / interval.as_secs_f64()).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let ticks = ticks as u64;
    ticks.saturating_sub(1)
}
