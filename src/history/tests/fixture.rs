//! Cycles and histories for the tests.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use wanctl_core::{
    Actuation, CongestionState, Cycle, DirectionCycle, Load, LoadClass, Measurement,
    MeasurementState, PerDirection, Phase, ProbeMethod, ProbeOutcome, QueueReading, Reason,
    ReflectorId, RttSample, Timing,
    units::{BitRate, Delay, MonoTime, Timestamp},
};

use crate::history::{Retention, Settings, row::Batch, store::Store, tracker::Tracker};

/// The wall clock at cycle 0.
pub(in crate::history) const START: Timestamp = Timestamp::from_micros(1_790_000_000_000_000);
/// Time between two cycles.
pub(in crate::history) const STEP: Duration = Duration::from_millis(50);

/// Returns cycle `number` of a WAN without a queue: no value equals another of its row by accident.
pub(in crate::history) fn cycle(wan: usize, number: u64) -> Cycle {
    let since_start = STEP * u32::try_from(number).unwrap();
    let at = MonoTime::from_start(since_start);
    let probe = |sequence, outcome| RttSample {
        reflector: ReflectorId(0),
        sequence,
        at,
        outcome,
        one_way: None,
    };
    let direction = |place: u64, reason, class| DirectionCycle {
        state: CongestionState::Green,
        since: MonoTime::ZERO,
        load: Load {
            class,
            delivery_rate: Some(BitRate::from_bps(41_000_000 + 1000 * place)),
            newest_delivery_rate: Some(BitRate::from_bps(40_000_000 + 1000 * place)),
            recent_peak: Some(0.4),
        },
        attributed: place == 0,
        queue: Some(QueueReading {
            bytes: 1_000_000 + number * (256_000 + place),
            packets: 1_000 + number * (210 + place),
            dropped: number * (3 + place),
            backlog_bytes: 15_140 + place,
            backlog_packets: 10,
            limit: BitRate::from_bps(90_000_000 + place),
        }),
        previous: BitRate::from_bps(91_000_000 + place),
        desired: BitRate::from_bps(92_000_000 + 1000 * place),
        reason,
        phase: Phase::Cruise,
        capacity: Some(BitRate::from_bps((92_000_000 + 1000 * place) * 11 / 10)),
        actuation: Actuation {
            written: Some(BitRate::from_bps(92_000_000 + 1000 * place)),
            observed: Some(BitRate::from_bps(93_000_000 + 1000 * place)),
            pending_since: None,
            writes: 5,
        },
    };
    Cycle {
        wan,
        number,
        at,
        wall: START.after(since_start),
        measurement: Measurement {
            state: MeasurementState::Healthy,
            fresh: 6,
            delayed: 2,
            quorum: true,
            rtt: Some(Delay::from_micros(24_300)),
            baseline: Some(Delay::from_micros(22_100)),
            delta: Some(Delay::from_micros(2_200)),
            jitter: Some(Delay::from_micros(870)),
            noise: Some(Delay::from_micros(640)),
            age: Some(Duration::from_millis(30)),
            cannot_send_since: None,
            provisional: false,
        },
        directions: PerDirection {
            download: Some(direction(0, Reason::RaiseShaperLimited, LoadClass::High)),
            upload: Some(direction(1, Reason::HoldApplicationLimited, LoadClass::Low)),
        },
        reflectors: Vec::new(),
        samples: vec![
            probe(number, ProbeOutcome::Reply(Delay::from_micros(24_300))),
            probe(number, ProbeOutcome::Lost),
            probe(number, ProbeOutcome::Unsent),
        ],
        method: Some(ProbeMethod::IcmpEcho),
        timing: Timing {
            interval: Duration::from_millis(50),
            lateness: Duration::from_micros(310),
            skipped: 4,
            busy: Duration::from_micros(95),
        },
    }
}

/// Returns settings for two WANs and a file in `directory`.
pub(in crate::history) fn settings(directory: &TempDir) -> Settings {
    Settings {
        path: directory.path().join("history.db"),
        // The fixture's cycles have fixed moments, and the writer trims by the real clock.
        retention: Retention {
            raw: Duration::MAX,
            seconds: Duration::MAX,
            minutes: Duration::MAX,
            events: Duration::MAX,
            ..Retention::default()
        },
        wans: vec!["cable".into(), "dsl".into()],
    }
}

/// Returns a store on these settings that does not wait for locks.
pub(in crate::history) fn store(settings: &Settings) -> Store {
    Store::new(settings.clone(), Duration::ZERO)
}

/// Returns the batch of these cycles.
pub(in crate::history) fn batch(cycles: impl IntoIterator<Item = Cycle>) -> Batch {
    let (mut tracker, mut batch) = (Tracker::new(2), Batch::default());
    for cycle in cycles {
        tracker.take(Arc::new(cycle), &mut batch);
    }
    batch
}

/// Cycles of a WAN that rests, loads its download, loads both directions and rests again, with
/// readings of the router at 10 Hz.
#[derive(Debug)]
pub(in crate::history) struct SampleHistory {
    random: fastrand::Rng,
    number: u64,
    at: Duration,
    last: Cycle,
}

impl SampleHistory {
    pub(in crate::history) fn new() -> Self {
        let last = cycle(0, 1);
        Self { random: fastrand::Rng::with_seed(7), number: 0, at: Duration::ZERO, last }
    }

    pub(in crate::history) fn next_cycle(&mut self) -> Cycle {
        self.number += 1;
        let random = &mut self.random;
        let loaded = match self.number / 2000 % 3 {
            0 => [false, false],
            1 => [true, false],
            _ => [true, true],
        };
        let lateness = Duration::from_micros(random.u64(60..900));
        self.at = STEP * u32::try_from(self.number).unwrap() + lateness;
        let mut now = Cycle { number: self.number, ..self.last.clone() };
        now.at = MonoTime::from_start(self.at);
        now.wall = START.after(self.at);
        now.timing = Timing { lateness, skipped: 0, ..now.timing };
        now.samples.truncate(1);
        let delta = random.i64(-300..1_500) + if loaded[0] { random.i64(0..20_000) } else { 0 };
        now.measurement.delta = Some(Delay::from_micros(delta));
        now.measurement.baseline = Some(Delay::from_micros(23_900));
        now.measurement.rtt = Some(Delay::from_micros(24_000 + delta));
        now.measurement.jitter = Some(Delay::from_micros(random.i64(400..2_000)));
        now.measurement.delayed = if delta > 15_000 { random.u16(1..6) } else { 0 };
        now.measurement.quorum = delta > 15_000;
        for (place, (_, direction)) in now.directions.present_mut().enumerate() {
            let link = [480_000_000, 22_000_000][place];
            live(random, direction, link, loaded[place], self.number);
        }
        self.last = now.clone();
        now
    }
}

fn live(
    random: &mut fastrand::Rng,
    now: &mut DirectionCycle,
    link: u64,
    loaded: bool,
    number: u64,
) {
    let share = if loaded { random.f64().mul_add(0.25, 0.8) } else { random.f64() * 0.05 };
    if number.is_multiple_of(8) {
        let factor = if loaded { random.f64().mul_add(0.3, 0.75) } else { 0.6 };
        now.desired = BitRate::from_bps(link).scaled(factor);
    } else if number.is_multiple_of(4) && now.actuation.observed != Some(now.desired) {
        now.actuation.observed = Some(now.desired);
        now.actuation.writes += 1;
    }
    now.load.delivery_rate = Some(now.desired.scaled(share));
    if number.is_multiple_of(40) {
        now.capacity = Some(BitRate::from_bps(link).scaled(random.f64().mul_add(0.1, 0.95)));
    }
    if number.is_multiple_of(2) {
        let queue = now.queue.get_or_insert_default();
        let bytes = now.desired.scaled(share).bytes_in(STEP * 2);
        queue.bytes += bytes;
        queue.packets += bytes / 1_200;
        queue.backlog_bytes = if loaded { random.u64(0..60_000) } else { 0 };
        queue.dropped += if loaded { random.u64(0..3) } else { 0 };
    }
}
