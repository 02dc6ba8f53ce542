use proptest::prelude::*;

use super::*;

const TURN: Duration = Duration::from_millis(50);

/// A pool and simulated reflectors in virtual time. An outcome is known at once.
struct Bench {
    pool: Pool,
    now: MonoTime,
    sequence: u64,
    asked: Vec<u64>,
    events: Vec<(MonoTime, PoolEvent)>,
}

impl Bench {
    fn new(reflectors: u16, active: u16) -> Self {
        Self::with(PoolParams { reflectors, active, builtin_spares: 0, rotation: None })
    }

    fn with(params: PoolParams) -> Self {
        Self {
            pool: Pool::new(params, MonoTime::ZERO),
            now: MonoTime::ZERO,
            sequence: 0,
            asked: vec![0; usize::from(params.reflectors)],
            events: Vec::new(),
        }
    }

    /// Lets `span` pass; reflector `i` answers after `outcome_of(i)` ms, or not.
    fn run(&mut self, span: Duration, outcome_of: impl Fn(u16) -> Option<i64>) {
        let end = self.now + span;
        while self.now < end {
            self.now = self.now + TURN;
            self.sequence += 1;
            let id = self.pool.next(self.now);
            self.asked[usize::from(id.0)] += 1;
            let outcome = outcome_of(id.0).map_or(ProbeOutcome::Lost, |ms| {
                ProbeOutcome::Reply(Delay::from_micros(ms * 1000))
            });
            let learned = self.pool.learn(id, self.sequence, outcome);
            let reviewed = self.pool.review(self.now);
            self.events.extend(learned.into_iter().chain(reviewed).map(|event| (self.now, event)));
        }
    }

    fn replaced(&self) -> Vec<(u16, &'static str)> {
        let replaced = |(_, event): &(MonoTime, PoolEvent)| match event {
            PoolEvent::Replaced { reflector, fault, .. } => Some((reflector.0, fault.code())),
            PoolEvent::Returned(_) => None,
        };
        self.events.iter().filter_map(replaced).collect()
    }

    fn is_active(&self, id: u16) -> bool {
        self.pool.active().contains(&ReflectorId(id))
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn the_active_take_turns_and_a_twentieth_goes_to_the_spares() {
    let mut bench = Bench::new(12, 6);
    bench.run(MINUTE, |_| Some(20));
    let spares: u64 = bench.asked[6..].iter().sum();
    assert_eq!(spares, 60);
    assert!(bench.asked[..6].iter().all(|n| (189..=191).contains(n)), "{:?}", bench.asked);
    assert!(bench.asked[6..].iter().all(|n| *n == 10), "{:?}", bench.asked);
    assert_eq!(bench.events, []);
}

#[test]
fn one_that_does_not_answer_is_replaced_once_rests_and_returns() {
    let mut bench = Bench::new(8, 4);
    bench.run(MINUTE / 2, |id| (id != 2).then_some(20));
    assert_eq!(bench.replaced(), [(2, "loss")]);
    assert!(!bench.is_active(2));
    let resting = bench.asked[2];
    bench.run(Duration::from_secs(20), |_| Some(20));
    assert_eq!(bench.asked[2], resting, "asked while it rests");
    bench.run(MINUTE * 2, |_| Some(20));
    let returned = PoolEvent::Returned(ReflectorId(2));
    assert!(bench.events.iter().any(|(_, event)| *event == returned), "{:?}", bench.events);
    assert!(!bench.is_active(2), "a spare again, but nobody makes room without a fault");
}

#[test]
fn spares_distinguish_dead_reflectors_from_an_outage() {
    let mut bench = Bench::new(8, 4);
    bench.run(MINUTE, |_| Some(20));
    bench.run(MINUTE * 2, |id| (id >= 4).then_some(20));
    assert_eq!(bench.replaced().len(), 4, "{:?}", bench.events);
    assert!((4..8).all(|id| bench.is_active(id)));
}

#[test]
fn a_far_one_makes_room_for_a_near_spare_and_equals_do_not_change_places() {
    let mut bench = Bench::new(8, 4);
    bench.run(MINUTE * 3, |id| Some(if id == 1 { 90 } else { 20 + i64::from(id) }));
    assert_eq!(bench.replaced(), [(1, "delay")]);
    let mut equals = Bench::new(8, 4);
    equals.run(MINUTE * 3, |id| Some(if id < 4 { 38 } else { 20 }));
    assert_eq!(equals.replaced(), []);
}

#[test]
fn a_longer_path_to_all_replaces_no_reflector() {
    let mut bench = Bench::new(12, 6);
    bench.run(MINUTE, |_| Some(20));
    bench.run(MINUTE * 3, |_| Some(120));
    assert_eq!(bench.replaced(), []);
}

#[test]
fn rotation_takes_the_longest_serving_and_gives_it_no_rest() {
    let mut bench = Bench::with(PoolParams {
        reflectors: 8,
        active: 4,
        builtin_spares: 0,
        rotation: Some(MINUTE * 10),
    });
    bench.run(MINUTE * 21, |_| Some(20));
    assert_eq!(bench.replaced(), [(0, "rotation"), (1, "rotation")]);
}

#[test]
fn a_lone_reflector_and_one_without_spares_stay() {
    for (reflectors, active) in [(1, 1), (1, 6), (6, 6)] {
        let mut bench = Bench::new(reflectors, active);
        bench.run(MINUTE * 2, |id| (id > 0).then_some(20));
        assert_eq!(bench.replaced(), []);
    }
}

/// Of six reflectors that the file names, and six in reserve.
fn with_reserve() -> Bench {
    Bench::with(PoolParams { reflectors: 12, active: 6, builtin_spares: 6, rotation: None })
}

#[test]
fn the_reserve_replaces_the_dead_and_leaves_when_they_are_back() {
    let mut bench = with_reserve();
    bench.run(MINUTE, |_| Some(20));
    assert!(bench.asked[6..].iter().all(|n| *n == 0), "asked without need: {:?}", bench.asked);
    bench.run(MINUTE, |id| (id >= 4).then_some(20));
    let dead: Vec<u16> = bench.pool.dead().iter().map(|id| id.0).collect();
    assert_eq!(dead, [0, 1, 2, 3]);
    assert_eq!(bench.pool.active().iter().filter(|id| id.0 >= 6).count(), 4, "{:?}", bench.events);
    bench.run(MINUTE * 10, |_| Some(20));
    assert_eq!(bench.pool.dead(), []);
    assert!((0..6).all(|id| bench.is_active(id)), "{:?}", bench.pool.active());
}

#[test]
fn those_who_never_answered_are_replaced_within_half_a_minute() {
    let mut bench = with_reserve();
    bench.run(Duration::from_secs(40), |id| (id >= 4).then_some(20));
    assert_eq!(bench.pool.active().iter().filter(|id| id.0 < 4).count(), 0, "{:?}", bench.events);
}

#[test]
fn a_blackout_makes_nobody_dead() {
    let mut bench = with_reserve();
    bench.run(MINUTE, |_| Some(20));
    bench.run(MINUTE * 5, |_| None);
    assert_eq!(bench.pool.dead(), []);
    bench.run(MINUTE, |_| Some(20));
    assert_eq!((bench.pool.dead(), bench.replaced()), (vec![], vec![]));
}

#[test]
fn families_follow_their_routes_and_nobody_is_at_fault() {
    let mut bench = Bench::new(12, 6);
    let v4 = |id: ReflectorId| id.0 < 6;
    assert_eq!(bench.pool.route(|_| false, bench.now), [], "cut off: nothing to change");
    let events = bench.pool.route(|id| !v4(id), bench.now);
    assert_eq!(events.len(), 6);
    assert!((6..12).all(|id| bench.is_active(id)), "{:?}", bench.pool.active());
    bench.run(MINUTE, |_| Some(20));
    assert!(bench.asked[..6].iter().all(|n| *n == 0), "asked without a route: {:?}", bench.asked);
    bench.pool.route(v4, bench.now);
    assert!((0..6).all(|id| bench.is_active(id)), "{:?}", bench.pool.active());
    assert_eq!((bench.pool.dead(), bench.replaced()), (vec![], vec![]));
}

#[test]
fn a_late_reply_is_held_against_nobody() {
    let mut pool = Pool::new(
        PoolParams { reflectors: 4, active: 3, builtin_spares: 0, rotation: None },
        MonoTime::ZERO,
    );
    let late = ReflectorId(1);
    for sequence in (1..600_u64).step_by(3) {
        let reply = ProbeOutcome::Reply(Delay::from_micros(20_000));
        pool.learn(ReflectorId(0), sequence, reply);
        pool.learn(late, sequence + 1, ProbeOutcome::Lost);
        pool.learn(ReflectorId(2), sequence + 2, reply);
        let delay = ProbeOutcome::Reply(Delay::from_micros(1_300_000));
        pool.learn(late, sequence + 1, delay);
    }
    assert_eq!(pool.dead(), []);
    assert!(pool.members[1].window.loss() < 0.01);
}

/// Reflectors with faults of their own, and a link that goes away and comes back.
fn faults() -> impl Strategy<Value = (Vec<Option<i64>>, Vec<(u64, bool)>)> {
    let reflector = prop_oneof![4 => (5_i64..200).prop_map(Some), 1 => Just(None)];
    let stretches = (100_u64..40_000, any::<bool>());
    (prop::collection::vec(reflector, 1..16), prop::collection::vec(stretches, 1..6))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn never_more_than_the_active_and_never_two_replaced_within_a_review(
        (reflectors, stretches) in faults(),
        active in 1_u16..10,
    ) {
        let count = u16::try_from(reflectors.len()).unwrap();
        let mut bench = Bench::new(count, active);
        for (ms, up) in stretches {
            let outcome_of = |id: u16| reflectors[usize::from(id)].filter(|_| up);
            bench.run(Duration::from_millis(ms), outcome_of);
            let mut distinct = bench.pool.active().to_vec();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(distinct.len(), usize::from(active.min(count)));
        }
        let times: Vec<MonoTime> = bench
            .events
            .iter()
            .filter(|(_, event)| matches!(event, PoolEvent::Replaced { .. }))
            .map(|(at, _)| *at)
            .collect();
        prop_assert!(times.windows(2).all(|pair| pair[1].since(pair[0]) >= REVIEW));
    }

    #[test]
    fn a_blackout_condemns_nobody(
        stretches in prop::collection::vec((100_u64..90_000, 100_u64..90_000), 1..5),
        active in 1_u16..8,
    ) {
        let mut bench = Bench::new(12, active);
        for (up, down) in stretches {
            bench.run(Duration::from_millis(up), |_| Some(20));
            bench.run(Duration::from_millis(down), |_| None);
        }
        bench.run(MINUTE, |_| Some(20));
        prop_assert_eq!(bench.replaced(), []);
    }
}
