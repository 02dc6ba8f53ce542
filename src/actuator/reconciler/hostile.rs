//! The reconciler against routers that do not apply writes, in virtual time.

use proptest::prelude::*;

use super::*;

const TICK: Duration = Duration::from_millis(50);
const DEADBAND: f64 = 0.01;

/// What a router makes of a limit.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Obeys,
    /// Keeps the limit it had; shows that at once, or only when it is read.
    Keeps {
        reports: bool,
    },
    /// Allows nothing below or above this.
    Clamps {
        least: u64,
        most: u64,
    },
    /// Rounds down to whole multiples of this.
    Rounds {
        to: u64,
    },
    /// Rounds down to a power of two.
    Powers,
    /// Refuses each write.
    Refuses,
    /// Answers no write, and does nothing.
    Silent,
    /// Goes back to its own limit after this many ticks.
    Reverts {
        after: u64,
    },
    /// Somebody else writes another limit every so many ticks.
    Contested {
        period: u64,
    },
}

impl Manner {
    /// The limit in force after a write of `limit` where `before` was in force.
    fn apply(self, limit: u64, before: u64) -> u64 {
        match self {
            Self::Obeys | Self::Reverts { .. } | Self::Contested { .. } => limit,
            Self::Keeps { .. } | Self::Refuses | Self::Silent => before,
            Self::Clamps { least, most } => limit.clamp(least, most),
            Self::Rounds { to } => limit / to * to,
            Self::Powers => 1 << limit.max(1).ilog2(),
        }
    }
}

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        Just(Manner::Obeys),
        any::<bool>().prop_map(|reports| Manner::Keeps { reports }),
        (10_u64..40, 40_u64..90).prop_map(|(least, most)| Manner::Clamps {
            least: least * 1_000_000,
            most: most * 1_000_000,
        }),
        prop_oneof![Just(1000_u64), Just(64_000), Just(1_000_000), Just(10_000_000)]
            .prop_map(|to| Manner::Rounds { to }),
        Just(Manner::Powers),
        Just(Manner::Refuses),
        Just(Manner::Silent),
        (1_u64..2000).prop_map(|after| Manner::Reverts { after }),
        (1_u64..2000).prop_map(|period| Manner::Contested { period }),
    ]
}

/// The rates that a control loop wants, each for so many ticks: still, wobbling, or moving.
fn desires() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let still = (5_000_000_u64..100_000_000, 20_u64..4000);
    prop::collection::vec(still, 1..6)
}

/// A router with one queue, and the task that reads and writes it.
struct World {
    reconciler: Reconciler,
    manner: Manner,
    now: MonoTime,
    tick: u64,
    in_force: u64,
    foreign: u64,
    written_at: u64,
    /// Times and limits of the writes that reached the router.
    writes: Vec<(MonoTime, u64)>,
}

impl World {
    fn new(manner: Manner, in_force: u64) -> Self {
        Self {
            reconciler: Reconciler::new(Pace::default(), 1),
            manner,
            now: MonoTime::from_millis(1000),
            tick: 0,
            in_force,
            foreign: in_force,
            written_at: 0,
            writes: Vec::new(),
        }
    }

    fn step(&mut self, desired: u64) {
        self.now = self.now + TICK;
        self.tick += 1;
        match self.manner {
            Manner::Reverts { after } if self.tick == self.written_at + after => {
                self.in_force = self.foreign;
            }
            Manner::Contested { period } if self.tick.is_multiple_of(period) => {
                self.in_force = self.foreign;
            }
            _ => {}
        }
        let now = self.now;
        self.reconciler.want(0, BitRate::from_bps(desired), now);
        self.reconciler.observed(0, BitRate::from_bps(self.in_force), now, now);
        let Some(write) = self.reconciler.due(now) else { return };
        self.reconciler.begin(write, now);
        let limit = write.limit.bps();
        self.writes.push((now, limit));
        self.written_at = self.tick;
        let before = self.in_force;
        self.in_force = self.manner.apply(limit, before);
        match self.manner {
            Manner::Refuses => self.reconciler.refused(write, now, Duration::from_secs(1)),
            Manner::Silent => self.reconciler.doubt(now),
            Manner::Keeps { reports: false } => self.reconciler.confirmed(write, write.limit, now),
            _ => self.reconciler.confirmed(write, BitRate::from_bps(self.in_force), now),
        }
    }

    fn is_settled(&self, desired: u64) -> bool {
        self.in_force.abs_diff(desired) as f64 <= desired as f64 * DEADBAND
    }

    fn most_in_a_minute(&self, from: MonoTime) -> usize {
        let recent = self.writes.iter().map(|(at, _)| *at).filter(|at| *at >= from);
        let times: Vec<MonoTime> = recent.collect();
        let within = |(index, start): (usize, &MonoTime)| {
            times.iter().skip(index).take_while(|at| at.since(*start) < MINUTE).count()
        };
        times.iter().enumerate().map(within).max().unwrap_or(0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_router_is_written_to_more_than_twelve_times_a_minute_without_a_new_desire(
        manner in manner(),
        in_force in 1_000_000_u64..200_000_000,
        desired in 5_000_000_u64..100_000_000,
        wobble in prop_oneof![Just(0_u64), 1_u64..40],
        wobble_every in 1_u64..100,
    ) {
        let mut world = World::new(manner, in_force);
        for tick in 0..20 * 60 * 5_u64 {
            // Up to 0.4 % to either side.
            let share = if (tick / wobble_every).is_multiple_of(2) { wobble } else { 0 };
            world.step(desired + desired / 10_000 * share);
        }
        let first_minute = world.now.since(MonoTime::ZERO).saturating_sub(MINUTE * 4);
        let after = MonoTime::ZERO + first_minute;
        let most = world.most_in_a_minute(after);
        prop_assert!(most <= 12, "{most} writes a minute: {:?}", world.writes);
        prop_assert!(world.most_in_a_minute(MonoTime::ZERO) <= 16);
    }

    #[test]
    fn a_router_that_obeys_gets_each_cut_at_once(desires in desires()) {
        let mut world = World::new(Manner::Obeys, 50_000_000);
        for (desired, ticks) in desires {
            let before = world.in_force;
            world.step(desired);
            let is_cut = desired < before && !enforcement::is_near(BitRate::from_bps(before), BitRate::from_bps(desired), DEADBAND);
            prop_assert!(!is_cut || world.in_force == desired, "{before} -> {desired}");
            for _ in 0..ticks {
                world.step(desired);
            }
        }
    }

    #[test]
    fn once_the_disturbance_ends_the_limit_converges_within_a_minute(
        manner in manner(),
        lasts in 1_u64..6000,
        in_force in 1_000_000_u64..200_000_000,
        desires in desires(),
    ) {
        let mut world = World::new(manner, in_force);
        let mut desired = 0;
        for (rate, ticks) in &desires {
            desired = *rate;
            for _ in 0..(*ticks).min(lasts) {
                world.step(desired);
            }
        }
        world.manner = Manner::Obeys;
        for _ in 0..20 * 61 {
            world.step(desired);
        }
        prop_assert!(world.is_settled(desired), "{} for {desired}", world.in_force);
        let moved = desired / 2;
        world.step(moved);
        prop_assert!(world.is_settled(moved), "a new cut goes out at once");
        let writes = world.writes.len();
        for _ in 0..20 * 60 {
            world.step(moved);
        }
        prop_assert_eq!(world.writes.len(), writes, "and then all is silent");
        prop_assert_eq!(world.reconciler.overridden(0, world.now), None);
    }

    #[test]
    fn a_new_cut_reaches_even_a_router_that_kept_every_limit_so_far(
        in_force in 60_000_000_u64..200_000_000,
        reports: bool,
        desired in 20_000_000_u64..50_000_000,
    ) {
        let mut world = World::new(Manner::Keeps { reports }, in_force);
        for _ in 0..20 * 120 {
            world.step(desired);
        }
        let found = world.reconciler.overridden(0, world.now);
        let at = BitRate::from_bps(in_force);
        let is_kept = matches!(found, Some(RateOverride::NotApplied { at: kept, .. }) if kept == at);
        prop_assert!(is_kept, "{found:?}");
        world.manner = Manner::Obeys;
        world.step(desired / 2);
        prop_assert_eq!(world.in_force, desired / 2);
    }
}

#[test]
fn a_second_controller_is_named_for_as_long_as_it_goes_on() {
    let mut world = World::new(Manner::Contested { period: 60 }, 900_000_000);
    for _ in 0..20 * 120 {
        world.step(50_000_000);
    }
    let found = world.reconciler.overridden(0, world.now);
    let to = BitRate::from_bps(900_000_000);
    assert!(
        matches!(found, Some(RateOverride::ChangedExternally { to: seen, .. }) if seen == to),
        "{found:?}"
    );
    assert!(world.most_in_a_minute(MonoTime::ZERO + MINUTE) <= 12);
    world.manner = Manner::Obeys;
    for _ in 0..20 * 180 {
        world.step(50_000_000);
    }
    assert_eq!(world.reconciler.overridden(0, world.now), None);
}

#[test]
fn an_exhausted_budget_holds_back_raises_and_repairs_but_no_new_cut() {
    let mut world = World::new(Manner::Obeys, 50_000_000);
    world.reconciler.set_pace(Pace { writes_per_hour: 60, ..Pace::default() });
    for step in 0..40 {
        for _ in 0..4 {
            world.step(50_000_000 + step % 2 * 5_000_000);
        }
    }
    assert!(world.reconciler.writes(0, world.now).is_exhausted);
    for _ in 0..4 {
        world.step(55_000_000);
    }
    let held = world.in_force;
    world.step(20_000_000);
    assert_eq!(world.in_force, 20_000_000, "a new cut");
    world.step(held);
    assert_eq!(world.in_force, 20_000_000, "a raise waits");
    for _ in 0..20 * 130 {
        world.step(held);
    }
    assert_eq!(world.in_force, held, "at half of the average rate");
}
