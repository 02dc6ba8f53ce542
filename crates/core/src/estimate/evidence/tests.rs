use std::collections::BTreeSet;

use super::*;

const MS: i64 = 1000;

struct Bench {
    evidence: Evidence,
    now: MonoTime,
    sequence: u64,
    traffic: Traffic,
}

impl Bench {
    fn new(reflectors: u16) -> Self {
        let params = EvidenceParams {
            reflectors,
            stale_after: Duration::from_secs(1),
            probe_interval: Duration::from_millis(50),
            queue_threshold: Delay::from_micros(15 * MS),
        };
        let (now, traffic) = (MonoTime::ZERO, Traffic::Loaded);
        Self {
            evidence: Evidence::new(params, &EstimateParams::default(), now),
            now,
            sequence: 0,
            traffic,
        }
    }

    /// Reflectors whose baseline is known: as many as `count`, at 20 ms.
    fn learned(count: u16) -> Self {
        let mut bench = Self::new(count);
        for _ in 0..3 {
            bench.round(&vec![Some(20); usize::from(count)]);
        }
        bench
    }

    /// One round in which reflector `i` answers after `rtts[i]` ms, or is silent.
    fn round(&mut self, rtts: &[Option<i64>]) -> Measurement {
        for (id, rtt) in (0..).zip(rtts) {
            self.now = self.now + Duration::from_millis(50);
            self.sequence += 1;
            let outcome = rtt
                .map_or(ProbeOutcome::Lost, |ms| ProbeOutcome::Reply(Delay::from_micros(ms * MS)));
            let sample = RttSample {
                reflector: ReflectorId(id),
                sequence: self.sequence,
                at: self.now,
                outcome,
                one_way: None,
            };
            self.evidence.update(&sample, self.traffic);
        }
        self.evidence.measurement(self.now, true)
    }
}

#[test]
fn reflectors_at_different_distances_are_not_a_queue() {
    let mut bench = Bench::new(3);
    let summary = bench.round(&[Some(8), Some(30), Some(190)]);
    assert_eq!(summary.delta, Some(Delay::ZERO));
    assert!(!summary.quorum);
}

#[test]
fn one_noisy_reflector_of_six_is_outvoted() {
    let mut bench = Bench::learned(6);
    let mut one_bad = [Some(20); 6];
    one_bad[2] = Some(400);
    let summary = bench.round(&one_bad);
    assert_eq!(summary.delayed, 1);
    assert!(!summary.quorum);
    assert_eq!(summary.delta, Some(Delay::ZERO));
}

#[test]
fn three_of_six_are_a_verdict_and_its_depth_is_theirs() {
    let mut bench = Bench::learned(6);
    let summary = bench.round(&[Some(80), Some(90), Some(100), Some(20), Some(20), Some(20)]);
    assert!(summary.quorum);
}

#[test]
fn a_single_reflector_must_say_it_twice() {
    let mut bench = Bench::learned(1);
    assert!(!bench.round(&[Some(90)]).quorum);
    assert!(bench.round(&[Some(90)]).quorum);
}

#[test]
fn silence_is_collapse_under_load_and_stall_without() {
    let mut bench = Bench::learned(3);
    for _ in 0..10 {
        bench.round(&[None; 3]);
    }
    let under_load = bench.evidence.measurement(bench.now, true);
    assert_eq!(under_load.state, MeasurementState::Collapsed);
    assert_eq!(under_load.delta, None);
    let idle = bench.evidence.measurement(bench.now, false);
    assert_eq!(idle.state, MeasurementState::Stalled);
}

#[test]
fn fewer_than_a_quorum_is_reduced() {
    let mut bench = Bench::new(6);
    let summary = bench.round(&[Some(20), Some(20), None, None, None, None]);
    assert_eq!(summary.state, MeasurementState::Reduced);
    assert_eq!(summary.fresh, 2);
}

#[test]
fn probes_sent_before_a_cut_do_not_vote_for_another() {
    let mut bench = Bench::learned(6);
    bench.round(&[Some(90); 6]);
    let cut = bench.now;
    assert!(bench.evidence.quorum(cut, MonoTime::ZERO).reached);
    assert!(!bench.evidence.quorum(cut, cut).reached);
    bench.round(&[Some(90); 6]);
    assert!(bench.evidence.quorum(bench.now, cut).reached, "the queue stands all the same");
}

#[test]
fn silence_and_a_baseline_born_under_load_are_no_ground_for_a_raise() {
    let mut bench = Bench::new(3);
    bench.round(&[Some(120); 3]);
    assert!(!bench.evidence.has_sufficient_evidence(bench.now), "never seen at rest");
    for _ in 0..70 {
        bench.round(&[Some(20); 3]);
    }
    let summary = bench.evidence.measurement(bench.now, true);
    assert!(summary.provisional && !bench.evidence.has_sufficient_evidence(bench.now), "nor now");
    assert_eq!(bench.evidence.baselines(), [None; 3], "not to be remembered");
    bench.traffic = Traffic::Shaped;
    for _ in 0..15 {
        bench.round(&[Some(20); 3]);
    }
    assert!(!bench.evidence.measurement(bench.now, true).provisional);
    assert!(bench.evidence.has_sufficient_evidence(bench.now));
    let later = bench.now + Duration::from_millis(400);
    assert!(!bench.evidence.has_sufficient_evidence(later), "silent for 400 ms");
}

#[test]
fn a_late_reply_takes_its_loss_back_and_carries_its_delay() {
    let mut bench = Bench::new(1);
    let probe = |bench: &mut Bench, sequence, outcome| {
        bench.now = bench.now + Duration::from_millis(50);
        let (reflector, at) = (ReflectorId(0), bench.now);
        bench.evidence.update(
            &RttSample { reflector, sequence, at, outcome, one_way: None },
            Traffic::Loaded,
        );
        bench.evidence.views(bench.now).first().map_or(1.0, |view| view.loss)
    };
    let rtt = |ms| ProbeOutcome::Reply(Delay::from_micros(ms * MS));
    let before = (1..=20).map(|n| probe(&mut bench, n, rtt(40))).last();
    assert_eq!(before, Some(0.0));
    for n in 21..=30 {
        probe(&mut bench, n, ProbeOutcome::Lost);
    }
    assert!(probe(&mut bench, 31, ProbeOutcome::Lost) > 0.25);
    let after = (21..=31).map(|n| probe(&mut bench, n, rtt(1_340))).last();
    assert!(after.is_some_and(|loss| loss.abs() < 1e-9), "{after:?}");
    let summary = bench.evidence.measurement(bench.now, true);
    assert_eq!(summary.delta, Some(Delay::from_micros(1_300 * MS)));
    assert_eq!(summary.age, Some(Duration::ZERO));
}

#[test]
fn probes_that_cannot_be_sent_are_a_state_of_their_own_and_no_congestion() {
    for answered_before in [true, false] {
        let mut bench = Bench::new(3);
        if answered_before {
            bench.round(&[Some(20); 3]);
        }
        let before = bench.evidence.baselines();
        let mut states = BTreeSet::new();
        for sequence in 100..200 {
            bench.now = bench.now + Duration::from_millis(50);
            let (reflector, outcome) = (ReflectorId(0), ProbeOutcome::Unsent);
            let sample = RttSample { reflector, sequence, at: bench.now, outcome, one_way: None };
            bench.evidence.update(&sample, Traffic::Quiet);
            states.insert(bench.evidence.measurement(bench.now, true).state.name());
        }
        let last = bench.evidence.measurement(bench.now, true);
        assert_eq!(last.state, MeasurementState::CannotSend);
        let since = last.cannot_send_since.map(|since| bench.now.since(since));
        assert_eq!(since, Some(Duration::from_millis(99 * 50)));
        assert!(!states.contains("collapsed"), "{states:?}");
        assert_eq!(bench.evidence.baselines(), before);
    }
}

#[test]
fn with_dead_reflectors_the_others_suffice_and_the_dead_are_named() {
    for alive in [1, 2, 5] {
        let mut bench = Bench::new(6);
        bench.traffic = Traffic::Quiet;
        let answers: Vec<_> = (0..6).map(|id| (id < alive).then_some(20)).collect();
        let since_start = |bench: &mut Bench, seconds: u64| {
            let mut last = bench.round(&answers);
            while bench.now.since_start() < Duration::from_secs(seconds) {
                last = bench.round(&answers);
            }
            last
        };
        let summary = since_start(&mut bench, 3);
        assert_eq!(
            summary.state == MeasurementState::Healthy,
            alive >= 3,
            "{alive} of 6, at first"
        );
        let summary = since_start(&mut bench, 7);
        assert_eq!(summary.state, MeasurementState::Healthy, "{alive} of 6");
        assert!(bench.evidence.has_sufficient_evidence(bench.now));
        let dead = bench.evidence.views(bench.now).into_iter().filter(|r| r.dead_since.is_some());
        assert_eq!(dead.count(), 6 - alive);
        // Nobody is overdue between two replies of those that are left, even if one is lost.
        let wait = Duration::from_millis(300 * 2);
        let since = PerDirection { download: Some(MonoTime::ZERO), upload: None };
        let signals = bench.evidence.queue_signals(bench.now + wait, since);
        let depth = signals.download.map(|signal| signal.depth);
        assert!(alive > 2 || depth.is_none_or(|depth| depth < Delay::from_micros(MS)), "{depth:?}");
        // They count again as soon as they answer.
        bench.round(&[Some(30); 6]);
        let dead = bench.evidence.views(bench.now).into_iter().filter(|r| r.dead_since.is_some());
        assert_eq!(dead.count(), 0);
    }
}
