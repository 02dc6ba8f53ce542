use super::*;
use crate::{
    Cycle, ReflectorId, ReflectorView,
    steering::fixture::{TestWan, WanConditions},
};

/// A WAN that is watched, and its clock.
struct Watched {
    wan: TestWan,
    reachability: Reachability,
    now: MonoTime,
    change: fn(&mut Cycle),
    others_send: bool,
}

impl Watched {
    fn new() -> Self {
        let reachability = Reachability::new(MonoTime::ZERO);
        let (wan, now) = (TestWan::new(0), MonoTime::ZERO);
        Self { wan, reachability, now, change: |_| {}, others_send: false }
    }

    fn run(&mut self, millis: u64, conditions: WanConditions) -> Reach {
        for _ in 0..millis / 50 {
            self.now = self.now + Duration::from_millis(50);
            let mut cycle = self.wan.cycle(self.now, conditions);
            (self.change)(&mut cycle);
            self.reachability.update(&cycle, self.others_send, &FailoverParams::default());
        }
        self.reachability.reach()
    }
}

#[test]
fn up_is_proven_slowly_and_down_quickly() {
    let mut watched = Watched::new();
    assert_eq!(watched.run(9_900, WanConditions::HEALTHY), Reach::Unknown);
    assert_eq!(watched.run(200, WanConditions::HEALTHY), Reach::Up);
    assert_eq!(watched.run(1_450, WanConditions::DEAD), Reach::Up);
    assert_eq!(watched.run(50, WanConditions::DEAD), Reach::Down);
    assert_eq!(watched.run(9_900, WanConditions::HEALTHY), Reach::Down);
    assert_eq!(watched.run(200, WanConditions::HEALTHY), Reach::Up);
}

#[test]
fn a_wan_that_was_dead_from_the_start_is_down() {
    let mut watched = Watched::new();
    assert_eq!(watched.run(2_900, WanConditions::DEAD), Reach::Unknown);
    assert_eq!(watched.run(500, WanConditions::DEAD), Reach::Down);
}

#[test]
fn one_target_that_answers_is_enough_to_be_alive_and_too_little_to_be_declared_dead_by() {
    let only_one: fn(&mut Cycle) = |cycle| {
        for reflector in cycle.reflectors.iter_mut().skip(1) {
            reflector.last_reply = None;
        }
    };
    let mut watched = Watched { change: only_one, ..Watched::new() };
    watched.run(20_000, WanConditions::HEALTHY);
    assert_eq!(watched.run(10_000, WanConditions::DEAD), Reach::Up);
}

#[test]
fn targets_that_fell_silent_one_by_one_all_count() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    watched.change = |cycle| {
        let long_ago = MonoTime::from_millis(20_000);
        let others = |view: &&mut ReflectorView| view.id != ReflectorId(0);
        cycle
            .reflectors
            .iter_mut()
            .filter(others)
            .for_each(|view| view.last_reply = Some(long_ago));
    };
    assert_eq!(watched.run(60_000, WanConditions::HEALTHY), Reach::Up);
    assert_eq!(watched.run(2_000, WanConditions::DEAD), Reach::Down);
}

#[test]
fn silence_counts_only_while_somebody_watches() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    watched.now = watched.now + Duration::from_mins(10);
    watched.reachability.interrupted();
    assert_eq!(watched.run(1_500, WanConditions::DEAD), Reach::Up);
    assert_eq!(watched.run(100, WanConditions::DEAD), Reach::Down);
}

#[test]
fn a_wan_whose_probes_cannot_be_sent_is_down_if_another_ones_can() {
    for proven_for in [0, 20_000] {
        let mut watched = Watched { others_send: true, ..Watched::new() };
        let before = watched.run(proven_for, WanConditions::HEALTHY);
        assert_eq!(watched.run(1_400, WanConditions::UNSENT), before, "not before `silence`");
        assert_eq!(watched.run(150, WanConditions::UNSENT), Reach::Down, "after {proven_for} ms");
    }
}

#[test]
fn a_single_reflector_is_enough_for_that() {
    let one: fn(&mut Cycle) = |cycle| cycle.reflectors.truncate(1);
    let mut watched = Watched { others_send: true, change: one, ..Watched::new() };
    watched.run(20_000, WanConditions::HEALTHY);
    assert_eq!(watched.run(1_550, WanConditions::UNSENT), Reach::Down);
}

#[test]
fn if_no_wan_can_send_that_proves_nothing() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    assert_eq!(watched.run(60_000, WanConditions::UNSENT), Reach::Up);
    // Sent again, and lost.
    assert_eq!(watched.run(2_000, WanConditions::DEAD), Reach::Down);
}

#[test]
fn after_a_common_outage_the_first_that_can_send_again_proves_nothing_yet() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    watched.run(60_000, WanConditions::UNSENT);
    watched.others_send = true;
    assert_eq!(watched.run(1_400, WanConditions::UNSENT), Reach::Up);
    assert_eq!(watched.run(150, WanConditions::UNSENT), Reach::Down);
}

#[test]
fn probes_that_are_lost_and_probes_that_cannot_be_sent_are_silence_together() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    watched.change = |cycle| {
        for sample in &mut cycle.samples {
            let unsent = cycle.number % 2 == 0;
            sample.outcome = if unsent { ProbeOutcome::Unsent } else { ProbeOutcome::Lost };
        }
    };
    assert_eq!(watched.run(1_600, WanConditions::UNSENT), Reach::Down);
}

#[test]
fn while_a_download_comes_through_the_replies_are_late_and_not_missing() {
    let mut watched = Watched::new();
    watched.run(20_000, WanConditions::HEALTHY);
    watched.change = |cycle| {
        cycle.directions.download.as_mut().unwrap().load.class = LoadClass::Low;
    };
    assert_eq!(watched.run(5_900, WanConditions::DEAD), Reach::Up);
    assert_eq!(watched.run(200, WanConditions::DEAD), Reach::Down, "that is no queue any more");
}
