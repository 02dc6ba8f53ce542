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
    time::{Instant as TokioInstant, Interval, MissedTickBehavior, interval_at},
};
use tokio_util::sync::CancellationToken;
use wanctl_core::{
    Actuation, Cycle, PerDirection, ProbeMethod, ProbeOutcome, RttSample, ShaperSample, Timing,
    Wan, WanParams, units::BitRate,
};

use super::{idle::IdleWatch, memory::MemoryWriter};
use crate::{
    clock::Clock,
    history::Recorder,
    probe::{Pace, ProberKind},
    recording::Tape,
    status::StatusBoard,
    telemetry::CycleMetrics,
};

/// What of a loop may change while it turns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopSettings {
    /// What shapes the WAN's control.
    pub params: WanParams,
    /// Time between two cycles.
    pub interval: Duration,
    /// Whether nobody carries the decisions out.
    pub observe_mode: bool,
}

/// One WAN's loop, and the ends of the channels by which it meets everybody else.
#[derive(Debug)]
pub struct ControlLoop {
    /// The WAN's place in the configuration.
    pub index: usize,
    /// The WAN's controller.
    pub wan: Wan,
    /// What the WAN's controller and this loop work by.
    pub settings: LoopSettings,
    /// Where new settings arrive; they are taken between two cycles.
    pub updates: watch::Receiver<LoopSettings>,
    /// The clock that dates decisions; the samples must be dated by the same one.
    pub clock: Clock,
    /// The prober in use.
    pub prober_kind: watch::Receiver<Option<ProberKind>>,
    /// How the newest reply was measured.
    pub method: Option<ProbeMethod>,
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
    /// Where it is left for the actuator whether the link is idle.
    pub is_idle: watch::Sender<bool>,
    /// Watches for quiet.
    pub idle: IdleWatch,
    /// Where each cycle goes.
    pub outputs: Outputs,
}

/// Where a cycle goes.
#[derive(Debug)]
pub struct Outputs {
    /// The WAN's metrics.
    pub metrics: CycleMetrics,
    /// The history, if one is kept.
    pub recorder: Option<Recorder>,
    /// The board of the newest cycles.
    pub board: StatusBoard,
    /// Where steering picks the cycles up, if anything is steered.
    pub steering: Option<mpsc::Sender<Arc<Cycle>>>,
    /// Keeps what the controller has learned, if there is a history to keep it in.
    pub memory_writer: Option<MemoryWriter>,
    /// Takes everything down, if that is asked for.
    pub tape: Option<Tape>,
}

impl Outputs {
    fn send(&mut self, cycle: Cycle) {
        self.metrics.record(&cycle);
        let cycle = Arc::new(cycle);
        self.board.record(&cycle);
        if let Some(steering) = &self.steering {
            // A full channel means that steering stands still; the loop does not.
            let _ = steering.try_send(Arc::clone(&cycle));
        }
        if let Some(recorder) = &self.recorder {
            recorder.cycle(cycle);
        }
    }
}

impl ControlLoop {
    /// Turns until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = every(self.settings.interval);
        let mut before: Option<TokioInstant> = None;
        let mut timing = Timing { interval: self.settings.interval, ..Timing::default() };
        for number in 1.. {
            if timing.interval != self.settings.interval {
                timing.interval = self.settings.interval;
                ticks = every(timing.interval);
                before = None;
            }
            // Both futures may be dropped and begun anew without loss.
            let tick = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                tick = ticks.tick() => tick,
            };
            let started = Instant::now();
            timing.lateness = started.saturating_duration_since(tick.into_std());
            timing.skipped = before.map_or(0, |before| skipped(tick - before, timing.interval));
            before = Some(tick);
            self.cycle(number, timing);
            timing.busy = started.elapsed();
        }
        if let Some(memory_writer) = &mut self.outputs.memory_writer {
            memory_writer.keep(&self.wan);
        }
    }

    /// Turns once: takes what has arrived, decides, and publishes. Never waits.
    ///
    /// `number` counts the cycles from 1; `timing` is how punctual this one is.
    pub fn cycle(&mut self, number: u64, timing: Timing) {
        self.take_settings();
        let mut samples = Vec::new();
        while let Ok(sample) = self.samples.try_recv() {
            self.wan.on_rtt(&sample);
            samples.push(sample);
        }
        self.note_method(&samples);
        let shaper = *self.shaper.borrow_and_update();
        if let Some(sample) = &shaper {
            self.wan.on_shaper(sample);
        }
        let actuation = *self.actuation.borrow_and_update();
        self.wan.on_actuation(actuation);
        let at = self.clock.now();
        let decision = self.wan.decide(at);
        if let Some(tape) = &mut self.outputs.tape {
            tape.cycle(at, &samples, shaper, actuation, &decision);
        }
        if let Some(memory_writer) = &mut self.outputs.memory_writer {
            memory_writer.turn(at, &samples, &self.wan);
        }
        let wanted = decision.directions.map_present(|_, decided| decided.desired);
        self.desired.send_if_modified(|reported| {
            let changed = *reported != wanted;
            *reported = wanted;
            changed
        });
        let pace = self.idle.pace(&decision, at);
        self.pace.send_if_modified(|reported| std::mem::replace(reported, pace) != pace);
        let is_idle = pace == Pace::Idle;
        self.is_idle.send_if_modified(|reported| std::mem::replace(reported, is_idle) != is_idle);
        self.outputs.send(Cycle {
            wan: self.index,
            number,
            at,
            wall: Clock::wall(),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors,
            samples,
            method: self.method,
            timing,
        });
    }

    fn note_method(&mut self, samples: &[RttSample]) {
        let is_reply = |sample: &&RttSample| matches!(sample.outcome, ProbeOutcome::Reply(_));
        if let Some(reply) = samples.iter().rev().find(is_reply)
            && let Some(prober_kind) = *self.prober_kind.borrow()
        {
            self.method = Some(prober_kind.method(reply.one_way.is_some()));
        }
    }

    /// Goes on under new settings, if some have arrived.
    fn take_settings(&mut self) {
        // An end of the sender is the end of the daemon.
        if !self.updates.has_changed().unwrap_or(false) {
            return;
        }
        let (old, new) = (self.settings, *self.updates.borrow_and_update());
        self.settings = new;
        self.outputs.metrics.configure(&new.params, new.interval);
        if (old.params, old.observe_mode) == (new.params, new.observe_mode) {
            return;
        }
        let at = self.clock.now();
        self.wan.reconfigure(&old.params, &new.params, at);
        self.wan.set_observing(new.observe_mode);
        if let Some(tape) = &mut self.outputs.tape {
            tape.change(at, &new.params, new.observe_mode);
        }
    }
}

/// Ticks from one interval from now on.
fn every(interval: Duration) -> Interval {
    let mut ticks = interval_at(TokioInstant::now() + interval, interval);
    // A late loop must not replay the cycles it missed: their samples are gone.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

/// How many ticks were dropped between two that are `apart`.
fn skipped(apart: Duration, interval: Duration) -> u64 {
    let ticks = (apart.as_secs_f64() / interval.as_secs_f64()).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let ticks = ticks as u64;
    ticks.saturating_sub(1)
}
