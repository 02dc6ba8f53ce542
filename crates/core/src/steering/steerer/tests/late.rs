//! Queues deeper than any timeout: replies come late, and nothing fails over.

use proptest::prelude::*;

use super::*;
use crate::{
    Cycle, DirectionParams, EvidenceParams, LawKind, Limits, Params, PerDirection, ProbeOutcome,
    ReflectorId, RttSample, StateThresholds, Timing, Wan, WanParams,
    units::{BitRate, Delay, Timestamp},
};

/// Time between two probes and two cycles, in ms.
const STEP: u64 = 50;
const REFLECTORS: u16 = 6;

/// A link whose queue becomes as deep, in ms, as given, one step after another.
#[derive(Debug, Clone)]
struct Plant {
    path: u64,
    timeout: u64,
    /// How deep the queue becomes, and by how many ms it grows or drains in each step of 50.
    queues: Vec<(u64, u64)>,
}

fn plants() -> impl Strategy<Value = Plant> {
    let lines = prop_oneof![Just((40, 1_000)), Just((640, 1_000)), Just((640, 2_000))];
    let queues = prop::collection::vec((0..5_000_u64, 5..100_u64), 1..6);
    (lines, queues).prop_map(|((path, timeout), queues)| Plant { path, timeout, queues })
}

fn controller() -> Wan {
    let [floor, base, ceiling] = [5.0, 50.0, 100.0].map(BitRate::from_mbps);
    let limits = Limits { floor, base, ceiling };
    let direction = DirectionParams { limits, law: LawKind::Adaptive };
    let ms = Delay::from_millis_f64;
    let params = WanParams {
        evidence: EvidenceParams {
            reflectors: REFLECTORS,
            probe_interval: Duration::from_millis(STEP),
            stale_after: Duration::from_millis(1_200),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection { download: Some(direction), upload: Some(direction) },
        tuning: Params::default(),
    };
    Wan::new(&params, MonoTime::ZERO)
}

/// The outcomes of the probes of one WAN, which become known as time goes by.
#[derive(Default)]
struct Probes {
    sequence: u64,
    under_way: Vec<(u64, u64, ProbeOutcome)>,
}

impl Probes {
    fn send(&mut self, now: u64, rtt: u64, timeout: u64) {
        self.sequence += 1;
        if rtt > timeout {
            self.under_way.push((now + timeout, self.sequence, ProbeOutcome::Lost));
        }
        let delay = Delay::from(Duration::from_millis(rtt));
        self.under_way.push((now + rtt, self.sequence, ProbeOutcome::Reply(delay)));
    }

    fn known(&mut self, now: u64) -> Vec<RttSample> {
        let mut known: Vec<_> = self.under_way.extract_if(.., |(at, ..)| *at <= now).collect();
        known.sort_unstable_by_key(|(at, sequence, _)| (*at, *sequence));
        let sample = |(at, sequence, outcome): (u64, u64, ProbeOutcome)| RttSample {
            reflector: ReflectorId(u16::try_from(sequence % u64::from(REFLECTORS)).unwrap()),
            sequence,
            at: MonoTime::from_millis(at),
            outcome,
            one_way: None,
        };
        known.into_iter().map(sample).collect()
    }
}

/// Gives the default WAN the queues of `plant`, and returns the changes that were made.
fn moves(plant: &Plant) -> usize {
    let mut site = SteeringFixture::new(2);
    let mut wans: Vec<Wan> = (0..2).map(|_| controller()).collect();
    let mut probes = [Probes::default(), Probes::default()];
    let (mut now, mut queue, mut moves) = (0, 0, 0);
    let mut turn = |site: &mut SteeringFixture, queue: u64| {
        now += STEP;
        for (place, (wan, probes)) in wans.iter_mut().zip(&mut probes).enumerate() {
            let rtt = if place == 0 { plant.path + queue } else { 30 };
            probes.send(now, rtt, plant.timeout);
            let samples = probes.known(now);
            for sample in &samples {
                wan.on_rtt(sample);
            }
            let decision = wan.decide(MonoTime::from_millis(now));
            site.steering.on_cycle(&Cycle {
                wan: place,
                number: now / STEP,
                at: MonoTime::from_millis(now),
                wall: Timestamp::default(),
                measurement: decision.measurement,
                directions: decision.directions,
                reflectors: decision.reflectors,
                samples,
                method: None,
                timing: Timing { interval: Duration::from_millis(STEP), ..Timing::default() },
            });
        }
        site.now = MonoTime::from_millis(now);
        site.decide();
        moves += usize::from(site.last.clone().unwrap().failover.moved.is_some());
    };
    // Until both WANs are proven up.
    (0..400).for_each(|_| turn(&mut site, 0));
    for (depth, pace) in &plant.queues {
        while queue != *depth {
            // A queue cannot drain faster than time goes by.
            queue = if queue < *depth {
                (queue + pace).min(*depth)
            } else {
                queue.saturating_sub(*pace.min(&STEP)).max(*depth)
            };
            turn(&mut site, queue);
        }
        (0..60).for_each(|_| turn(&mut site, queue));
    }
    moves
}

#[test]
fn a_queue_deeper_than_the_timeout_fails_nothing_over() {
    for (path, depth) in [(40, 1_300), (640, 1_000), (40, 5_000)] {
        for pace in [10, 100] {
            let plant = Plant { path, timeout: 1_000, queues: vec![(depth, pace), (0, pace)] };
            assert_eq!(moves(&plant), 0, "{plant:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn neither_do_queues_that_come_and_go(plant in plants()) {
        prop_assert_eq!(moves(&plant), 0);
    }
}
