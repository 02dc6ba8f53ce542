//! A link that rests, loads its download, loads both directions, and rests again.

use std::time::Duration;

use wanctl_core::{
    Actuation, CongestionState, Cycle, DirectionCycle, Load, LoadClass, Measurement,
    MeasurementState, PerDirection, Phase, ProbeMethod, ProbeOutcome, QueueReading, Reason,
    ReflectorId, RttSample, Timing,
    units::{BitRate, Delay, MonoTime, Timestamp},
};

const INTERVAL: Duration = Duration::from_millis(50);
/// Cycles of one phase: five minutes.
const PHASE: u64 = 6_000;

/// Makes the cycles of one WAN.
pub(crate) struct TrafficModel {
    wan: usize,
    number: u64,
    start: Timestamp,
    random: fastrand::Rng,
    directions: PerDirection<Option<DirectionCycle>>,
}

impl TrafficModel {
    /// A WAN whose first cycle is at `start`.
    pub(crate) fn new(wan: usize, start: Timestamp) -> Self {
        let direction = DirectionCycle {
            state: CongestionState::Green,
            since: MonoTime::ZERO,
            load: Load {
                class: LoadClass::Low,
                delivery_rate: None,
                newest_delivery_rate: None,
                recent_peak: None,
            },
            attributed: false,
            queue: Some(QueueReading::default()),
            previous: BitRate::from_mbps(300.0),
            desired: BitRate::from_mbps(300.0),
            reason: Reason::HoldApplicationLimited,
            phase: Phase::Cruise,
            capacity: None,
            actuation: Actuation::default(),
        };
        let directions = PerDirection::build(|_| Some(direction));
        Self { wan, number: 0, start, random: fastrand::Rng::with_seed(7), directions }
    }

    /// Returns the next cycle.
    pub(crate) fn cycle(&mut self) -> Cycle {
        self.number += 1;
        let random = &mut self.random;
        let loaded = match self.number / PHASE % 3 {
            0 => [false, false],
            1 => [true, false],
            _ => [true, true],
        };
        let lateness = Duration::from_micros(random.u64(60..900));
        let passed = INTERVAL.saturating_mul(u32::try_from(self.number).unwrap_or(u32::MAX));
        let at = MonoTime::from_start(passed + lateness);
        let delta = random.i64(-300..1_500) + if loaded[0] { random.i64(0..20_000) } else { 0 };
        let quorum = delta > 15_000;
        let micros = |micros| Some(Delay::from_micros(micros));
        let outcome = ProbeOutcome::Reply(Delay::from_micros(24_000 + delta));
        for (place, (_, direction)) in self.directions.present_mut().enumerate() {
            let link = [480.0, 22.0][place];
            live(random, direction, BitRate::from_mbps(link), loaded[place], self.number);
        }
        Cycle {
            wan: self.wan,
            number: self.number,
            at,
            wall: self.start.after(passed + lateness),
            measurement: Measurement {
                state: MeasurementState::Healthy,
                fresh: 6,
                delayed: if quorum { random.u16(1..6) } else { 0 },
                quorum,
                rtt: micros(24_000 + delta),
                baseline: micros(23_900 + random.i64(0..20)),
                delta: micros(delta),
                jitter: micros(random.i64(400..2_000)),
                noise: micros(800),
                age: None,
                cannot_send_since: None,
                provisional: false,
            },
            directions: self.directions,
            reflectors: Vec::new(),
            samples: vec![RttSample {
                reflector: ReflectorId(0),
                sequence: self.number,
                at,
                outcome,
                one_way: None,
            }],
            method: Some(ProbeMethod::IcmpEcho),
            timing: Timing { interval: INTERVAL, lateness, ..Timing::default() },
        }
    }
}

/// Moves the rate five times in two seconds, follows it 200 ms later, reads counters at 10 Hz.
fn live(
    random: &mut fastrand::Rng,
    now: &mut DirectionCycle,
    link: BitRate,
    loaded: bool,
    number: u64,
) {
    let share = if loaded { 0.8 + 0.25 * random.f64() } else { 0.05 * random.f64() };
    if number.is_multiple_of(8) {
        now.desired = link.scaled(if loaded { 0.75 + 0.3 * random.f64() } else { 0.6 });
    } else if number.is_multiple_of(4) && now.actuation.observed != Some(now.desired) {
        now.actuation.observed = Some(now.desired);
        now.actuation.writes += 1;
    }
    now.state = if loaded && random.u8(0..10) == 0 {
        CongestionState::Yellow
    } else {
        CongestionState::Green
    };
    now.load.delivery_rate = Some(now.desired.scaled(share));
    if let Some(queue) = now.queue.as_mut().filter(|_| number.is_multiple_of(2)) {
        let bytes = now.desired.scaled(share).bytes_in(INTERVAL * 2);
        queue.bytes += bytes;
        queue.packets += bytes / 1_200;
        queue.backlog_bytes = if loaded { random.u64(0..60_000) } else { 0 };
        queue.dropped += if loaded { random.u64(0..3) } else { 0 };
    }
}
