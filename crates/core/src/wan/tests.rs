//! What holds for any sequence of samples, and what each reason stands for.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::units::BitRate;
use crate::{
    CongestionState, Direction, MeasurementState, ProbeOutcome, QueueReading, Reason, ReflectorId,
    policy::{Phase, RateDecision},
};

const FLOOR: BitRate = BitRate::from_bps(2_000_000);
const BASE: BitRate = BitRate::from_bps(30_000_000);
const CEILING: BitRate = BitRate::from_bps(60_000_000);

pub(super) fn params(law: LawKind) -> WanParams {
    let ms = Delay::from_millis_f64;
    let limits = Limits { floor: FLOOR, base: BASE, ceiling: CEILING };
    let direction = DirectionParams { limits, law };
    WanParams {
        evidence: EvidenceParams {
            reflectors: 3,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_secs(1),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection { download: Some(direction), upload: Some(direction) },
        tuning: Params::default(),
    }
}

/// What the world does within one cycle.
#[derive(Debug, Clone, Copy)]
struct CycleContext {
    /// Time since the cycle before, in ms.
    pause: u64,
    /// Round-trip time of this cycle's probe in ms; `None` is lost.
    rtt: Option<u32>,
    /// Traffic in Mbit/s, download and upload; `None` if the router reported nothing.
    traffic: Option<(f64, f64)>,
    /// Whether the router's counters are reset.
    reset: bool,
}

fn moments() -> impl Strategy<Value = Vec<CycleContext>> {
    let rtt = prop_oneof![4 => (5_u32..60).prop_map(Some), 3 => (60_u32..900).prop_map(Some), 1 => Just(None)];
    let traffic = prop_oneof![6 => (0.0..80.0_f64, 0.0..80.0_f64).prop_map(Some), 1 => Just(None)];
    let context = (1_u64..400, rtt, traffic, prop::bool::weighted(0.01))
        .prop_map(|(pause, rtt, traffic, reset)| CycleContext { pause, rtt, traffic, reset });
    prop::collection::vec(context, 1..200)
}

/// A WAN and the counters that its router would show.
struct Bench {
    wan: Wan,
    now: MonoTime,
    count: u64,
    bytes: PerDirection<u64>,
    limits: PerDirection<BitRate>,
    /// Whether the router does what is desired.
    follows: bool,
    /// Whether the reflectors measure one-way delays; what is more than 20 ms is then the download's.
    one_way: bool,
}

impl Bench {
    fn new(law: LawKind) -> Self {
        Self::with(&params(law))
    }

    /// A WAN that shapes `direction` alone.
    fn of_one(direction: Direction, law: LawKind) -> Self {
        let mut params = params(law);
        params.directions[direction.other()] = None;
        Self::with(&params)
    }

    fn with(params: &WanParams) -> Self {
        Self {
            wan: Wan::new(params, MonoTime::ZERO),
            now: MonoTime::ZERO,
            count: 0,
            bytes: PerDirection::default(),
            limits: PerDirection { download: BASE, upload: BASE },
            follows: true,
            one_way: false,
        }
    }

    fn live(&mut self, context: CycleContext) -> Decision {
        let dt = Duration::from_millis(context.pause);
        self.now = self.now + dt;
        self.count += 1;
        let outcome = context.rtt.map_or(ProbeOutcome::Lost, |ms| {
            ProbeOutcome::Reply(Delay::from_micros(i64::from(ms) * 1000))
        });
        let reflector = ReflectorId(u16::try_from(self.count % 3).unwrap());
        let delays = context.rtt.filter(|_| self.one_way).map(|ms| {
            let upload = Delay::from_micros(10_000);
            PerDirection { download: Delay::from_micros(i64::from(ms) * 1000) - upload, upload }
        });
        let sample =
            RttSample { reflector, sequence: self.count, at: self.now, outcome, one_way: delays };
        self.wan.on_rtt(&sample);
        if context.reset {
            self.bytes = PerDirection::default();
        }
        if let Some((download, upload)) = context.traffic {
            self.bytes.download += BitRate::from_mbps(download).bytes_in(dt);
            self.bytes.upload += BitRate::from_mbps(upload).bytes_in(dt);
            let queues = PerDirection::build(|direction| {
                Some(QueueReading {
                    bytes: self.bytes[direction],
                    limit: self.limits[direction],
                    ..QueueReading::default()
                })
            });
            self.wan.on_shaper(&ShaperSample { sequence: self.count, at: self.now, queues });
        }
        self.wan.on_actuation(PerDirection::build(|direction| Actuation {
            observed: Some(self.limits[direction]),
            ..Actuation::default()
        }));
        let decision = self.wan.decide(self.now);
        if self.follows {
            for (direction, outcome) in decision.directions.present() {
                self.limits[direction] = outcome.desired;
            }
        }
        decision
    }

    /// Lives through `context` for `seconds`, twenty times a second.
    fn last(&mut self, seconds: u64, context: CycleContext) -> Decision {
        let lived = (0..seconds * 20).map(|_| self.live(CycleContext { pause: 50, ..context }));
        lived.last().unwrap()
    }
}

const QUIET: CycleContext =
    CycleContext { pause: 50, rtt: Some(20), traffic: Some((0.1, 0.1)), reset: false };
const BUSY: CycleContext = CycleContext { traffic: Some((29.9, 0.6)), ..QUIET };

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_rate_stays_within_floor_and_ceiling(moments in moments()) {
        let mut bench = Bench::new(LawKind::Adaptive);
        for context in moments {
            for (_, outcome) in bench.live(context).directions.present() {
                prop_assert!((FLOOR..=CEILING).contains(&outcome.desired), "{:?}", outcome.desired);
            }
        }
    }

    #[test]
    fn only_a_reason_to_raise_raises_and_only_a_reason_to_cut_cuts(moments in moments()) {
        let mut bench = Bench::new(LawKind::Adaptive);
        for context in moments {
            for (_, outcome) in bench.live(context).directions.present() {
                let raises = outcome.reason.code().starts_with("raise") || outcome.reason == Reason::DecayUp;
                let cuts =
                    outcome.reason.code().starts_with("cut") || outcome.reason == Reason::DecayDown;
                prop_assert!(outcome.desired <= outcome.previous || raises, "{:?}", outcome.reason);
                prop_assert!(outcome.desired >= outcome.previous || cuts, "{:?}", outcome.reason);
            }
        }
    }

    #[test]
    fn a_direction_has_a_congestion_state_only_while_its_delay_is_measured(moments in moments()) {
        let mut bench = Bench::new(LawKind::Adaptive);
        for context in moments {
            let Decision { measurement, directions, .. } = bench.live(context);
            let is_measured = measurement.state.is_measured() && measurement.delta.is_some();
            for (_, outcome) in directions.present() {
                prop_assert!(is_measured || outcome.state == CongestionState::Unknown);
            }
        }
    }

    #[test]
    fn nothing_that_is_reported_of_a_direction_that_is_not_shaped_matters(
        moments in moments(),
        is_upload in any::<bool>(),
        others in prop::collection::vec(0.0..80.0_f64, 200),
    ) {
        let shaped = if is_upload { Direction::Upload } else { Direction::Download };
        let mut bench = Bench::of_one(shaped, LawKind::Adaptive);
        let mut other = Bench::of_one(shaped, LawKind::Adaptive);
        for (context, rate) in moments.into_iter().zip(others) {
            let traffic = context.traffic.map(|(download, upload)| {
                if is_upload { (rate, upload) } else { (download, rate) }
            });
            let decision = bench.live(context);
            prop_assert_eq!(&decision, &other.live(CycleContext { traffic, ..context }));
            prop_assert_eq!(decision.directions[shaped.other()], None);
            let outcome = decision.directions[shaped].unwrap();
            prop_assert!((FLOOR..=CEILING).contains(&outcome.desired), "{:?}", outcome.desired);
            prop_assert_eq!(bench.wan.memory().directions[shaped.other()], None);
        }
    }

    #[test]
    fn equal_inputs_give_equal_decisions(moments in moments()) {
        let run = |moments: &[CycleContext]| -> Vec<Decision> {
            let mut bench = Bench::new(LawKind::Adaptive);
            moments.iter().map(|context| bench.live(*context)).collect()
        };
        prop_assert_eq!(run(&moments), run(&moments));
    }

    #[test]
    fn losing_measurements_never_raises_a_rate(before in moments(), after in moments()) {
        let mut bench = Bench::new(LawKind::Adaptive);
        for context in before {
            bench.live(context);
        }
        // Once the last reply is stale, there is nothing to go by.
        bench.last(2, CycleContext { rtt: None, ..QUIET });
        for context in after {
            for (_, outcome) in bench.live(CycleContext { rtt: None, ..context }).directions.present() {
                prop_assert!(outcome.desired <= outcome.previous, "{:?}", outcome.reason);
            }
        }
    }

    #[test]
    fn cuts_per_second_are_bounded(moments in moments()) {
        let mut bench = Bench::new(LawKind::Adaptive);
        let mut last: Vec<(Reason, MonoTime)> = Vec::new();
        for context in moments {
            let reason = bench.live(context).directions.download.unwrap().reason;
            if !reason.is_cut() {
                continue;
            }
            // A queue of its own may be found just after it has followed the other direction.
            let before = last.extract_if(.., |(earlier, _)| *earlier == reason).last();
            if let Some((_, before)) = before {
                prop_assert!(bench.now.since(before) >= Duration::from_millis(150), "{reason:?}");
            }
            last.push((reason, bench.now));
        }
    }

    #[test]
    fn the_fixed_law_never_moves(moments in moments()) {
        let mut bench = Bench::new(LawKind::Fixed);
        for context in moments {
            for (_, outcome) in bench.live(context).directions.present() {
                prop_assert_eq!(outcome.desired, BASE);
            }
        }
    }
}

#[test]
fn a_queue_of_ours_is_cut_and_the_other_direction_is_left_alone() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.last(10, QUIET);
    bench.last(3, BUSY);
    let outcome = bench.last(1, CycleContext { rtt: Some(120), ..BUSY }).directions;
    assert!(outcome.download.unwrap().attributed && !outcome.upload.unwrap().attributed);
    assert!(outcome.download.unwrap().desired < BASE);
    assert_eq!(outcome.upload.unwrap().desired, BASE);
    assert_eq!(outcome.upload.unwrap().reason, Reason::HoldNotAttributed);
}

#[test]
fn what_little_gets_through_a_collapsed_link_makes_its_queue_and_what_idles_does_not() {
    for (download, is_cut) in [(1.5, true), (0.5, false)] {
        let mut bench = Bench::new(LawKind::Adaptive);
        bench.one_way = true;
        bench.last(10, QUIET);
        let stuck = CycleContext { rtt: Some(300), traffic: Some((download, 0.3)), ..QUIET };
        let outcome = bench.last(2, stuck).directions;
        assert_eq!(outcome.download.unwrap().attributed, is_cut, "{download} of 30 Mbit/s");
        assert_eq!(
            outcome.download.unwrap().desired < BASE,
            is_cut,
            "{:?}",
            outcome.download.unwrap().reason
        );
        assert!(!outcome.upload.unwrap().attributed);
    }
}

#[test]
fn a_delay_without_traffic_of_ours_cuts_nothing() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.last(10, QUIET);
    let outcome = bench.last(2, CycleContext { rtt: Some(120), ..QUIET });
    assert!(outcome.measurement.quorum);
    assert_eq!(outcome.directions.download.unwrap().reason, Reason::HoldNotAttributed);
    assert_eq!(outcome.directions.download.unwrap().desired, BASE);
}

#[test]
fn without_counters_nothing_is_raised_and_a_queue_is_still_cut() {
    let mut bench = Bench::new(LawKind::Adaptive);
    let uncounted = CycleContext { traffic: None, ..QUIET };
    let outcome = bench.last(5, uncounted).directions;
    assert_eq!(outcome.download.unwrap().reason, Reason::HoldLoadUnknown);
    let outcome = bench.last(2, CycleContext { rtt: Some(150), ..uncounted }).directions;
    assert!(outcome.download.unwrap().desired < BASE && outcome.upload.unwrap().desired < BASE);
}

#[test]
fn lost_probes_under_load_count_as_congestion() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.last(10, QUIET);
    bench.last(10, CycleContext { traffic: Some((58.0, 0.5)), ..QUIET });
    let outcome = bench.last(15, CycleContext { rtt: None, ..BUSY });
    assert_eq!(outcome.measurement.state, MeasurementState::Collapsed);
    assert!(outcome.directions.download.unwrap().desired <= BASE.scaled(1.1));
    let outcome = bench.last(5, CycleContext { rtt: None, traffic: Some((0.0, 0.0)), ..QUIET });
    assert_eq!(outcome.measurement.state, MeasurementState::Stalled);
    assert_eq!(outcome.directions.download.unwrap().reason, Reason::HoldStalled);
}

#[test]
fn a_cut_that_the_router_has_not_followed_is_not_followed_by_another() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.last(10, QUIET);
    bench.follows = false;
    let outcome = bench.last(10, CycleContext { rtt: Some(150), ..BUSY }).directions.download;
    assert_eq!(outcome.unwrap().reason, Reason::HoldPending);
    assert!(
        outcome.unwrap().desired >= BASE.scaled(0.45),
        "one cut, not {}",
        outcome.unwrap().desired
    );
}

#[test]
fn a_raise_does_not_run_ahead_of_a_router_that_does_not_follow() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.last(10, QUIET);
    bench.follows = false;
    let outcome = bench.last(30, BUSY).directions.download;
    assert!(outcome.unwrap().desired <= BASE.scaled(1.5), "{}", outcome.unwrap().desired);
}

#[test]
fn observing_says_what_would_be_done_about_the_limit_in_force() {
    let mut bench = Bench::new(LawKind::Adaptive);
    bench.wan = Wan::new(&params(LawKind::Adaptive), MonoTime::ZERO).observing();
    bench.follows = false;
    bench.last(10, QUIET);
    let mut cuts = 0;
    for _ in 0..200 {
        let outcome = bench.live(CycleContext { rtt: Some(150), ..BUSY }).directions.download;
        assert_eq!(outcome.unwrap().previous, BASE);
        cuts += u32::from(outcome.unwrap().reason == Reason::CutQueue);
    }
    assert!(cuts > 5, "it would cut, {cuts} times in ten seconds");
}

#[test]
fn a_queue_that_stood_before_the_first_reply_is_not_climbed_into() {
    let mut bench = Bench::new(LawKind::Adaptive);
    for _ in 0..180 {
        let outcome = bench.live(CycleContext { rtt: Some(120), ..BUSY }).directions.download;
        assert!(
            outcome.unwrap().desired <= outcome.unwrap().previous,
            "{:?}",
            outcome.unwrap().reason
        );
    }
}

#[test]
fn a_rate_below_the_floor_is_not_lifted_by_it() {
    let verdict = RateDecision::new(BitRate::from_mbps(0.5), Reason::CutQueue, Phase::Drain);
    let limits = params(LawKind::Adaptive).directions.download.unwrap().limits;
    let low = BitRate::from_mbps(1.0);
    assert_eq!(verdict.within(limits, low).rate, low);
    assert_eq!(verdict.within(limits, BASE).rate, FLOOR);
}

#[test]
fn an_upload_is_not_cut_for_a_download_that_is_not_shaped() {
    // A download of which only the acknowledgements are seen: a quarter of the upload's rate.
    let standing = CycleContext { rtt: Some(120), traffic: Some((0.0, 7.5)), ..QUIET };
    for one_way in [true, false] {
        let mut bench = Bench::of_one(Direction::Upload, LawKind::Adaptive);
        bench.one_way = one_way;
        bench.last(20, QUIET);
        for _ in 0..20 * 60 {
            let upload = bench.live(standing).directions.upload.unwrap();
            assert_eq!(upload.desired, BASE, "{one_way}: {:?}", upload.reason);
            assert_eq!(upload.state, CongestionState::Green);
        }
    }
}

#[test]
fn a_full_upload_is_not_cut_for_a_delay_that_timestamps_place_in_the_download() {
    let mut bench = Bench::of_one(Direction::Upload, LawKind::Adaptive);
    bench.one_way = true;
    bench.last(20, QUIET);
    for _ in 0..20 * 60 {
        let upload = bench
            .live(CycleContext { rtt: Some(120), traffic: Some((0.0, 29.9)), ..QUIET })
            .directions
            .upload
            .unwrap();
        assert!(upload.desired >= BASE, "{:?}", upload.reason);
    }
}

#[test]
fn the_queue_of_a_download_that_is_not_shaped_does_not_become_the_baseline() {
    let mut bench = Bench::of_one(Direction::Upload, LawKind::Adaptive);
    bench.last(20, CycleContext { traffic: Some((0.0, 0.05)), ..QUIET });
    let acks = CycleContext { rtt: Some(120), traffic: Some((0.0, 2.0)), ..QUIET };
    let measured = bench.last(60, acks).measurement;
    assert_eq!(measured.baseline, Some(Delay::from_micros(20_000)));
}
