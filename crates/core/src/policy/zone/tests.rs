use super::*;
use crate::{
    Limits,
    estimate::{Observation, attribution::Attribution},
    policy::fixture::{Controller, mbps, observation},
};

const DOWNLOAD: &str = include_str!("../../../tests/data/zone/download.txt");
const UPLOAD: &str = include_str!("../../../tests/data/zone/upload.txt");
const MEASURED: MeasurementState = MeasurementState::Healthy;

fn download() -> ZoneParams {
    ZoneParams {
        floors: ZoneFloors {
            green: mbps(550.0),
            yellow: mbps(350.0),
            soft_red: Some(mbps(275.0)),
            red: mbps(200.0),
        },
        factor_down: 0.85,
        factor_down_yellow: 0.96,
        step_up: mbps(200.0),
        green_required: Duration::from_millis(250),
    }
}

fn upload() -> ZoneParams {
    ZoneParams {
        floors: ZoneFloors {
            green: mbps(20.0),
            yellow: mbps(15.0),
            soft_red: None,
            red: mbps(8.0),
        },
        factor_down: 0.90,
        factor_down_yellow: 0.94,
        step_up: mbps(20.0),
        ..download()
    }
}

/// A policy with everything as it should be but for the delay.
struct Bench {
    law: Controller<Zone>,
    input: Observation,
}

impl Bench {
    fn new(params: ZoneParams, ceiling: f64) -> Self {
        let ms = Delay::from_millis_f64;
        let thresholds = StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) };
        let ceiling = mbps(ceiling);
        let mut input = Observation {
            desired: ceiling,
            in_force: Some(ceiling),
            quorum: true,
            attribution: Attribution::Certain,
            ..observation(MEASURED, ceiling.mbps())
        };
        input.load.recent_peak = Some(1.0);
        let limits = Limits { floor: params.floors.red, base: ceiling, ceiling };
        let policy = Zone::new(thresholds, params, ZoneTiming::default());
        Self { law: Controller::new(policy, limits), input }
    }

    /// One decision at this delay, carried out at once.
    fn cycle(&mut self, delta_ms: f64) -> (BitRate, Reason) {
        self.input.now = self.input.now + self.input.dt;
        self.input.delta = Some(Delay::from_millis_f64(delta_ms));
        let RateDecision { rate, reason, .. } = self.law.decide(&self.input);
        self.start_at(rate.min(self.law.limits.ceiling));
        (rate, reason)
    }

    fn start_at(&mut self, rate: BitRate) {
        self.input.desired = rate;
        self.input.in_force = Some(rate);
    }
}

#[test]
fn it_answers_as_v1_7_did_but_for_the_floors_that_raised() {
    for (vectors, params, ceiling) in [(DOWNLOAD, download(), 940.0), (UPLOAD, upload(), 38.0)] {
        let mut bench = Bench::new(params, ceiling);
        let lines = vectors.lines().filter(|line| !line.starts_with('#'));
        for (number, line) in lines.enumerate() {
            let fields: Vec<&str> = line.split(' ').collect();
            let (delta, zone) = (fields[0].parse().unwrap(), fields[1]);
            let expected: u64 = fields.last().unwrap().parse().unwrap();
            bench.cycle(delta);
            assert_eq!(bench.law.policy.seen.name(), zone, "{number}: {line}");
            assert_eq!(bench.input.desired.bps(), expected, "{number}: {line}");
        }
    }
}

#[test]
fn a_cut_stops_at_the_floor_of_its_state_and_lifts_nothing_that_lies_below() {
    let mut bench = Bench::new(download(), 940.0);
    for (delta, start, end, reason) in [
        (20.0, 360.0, 350.0, Reason::CutQueue),
        (20.0, 350.0, 350.0, Reason::HoldFloor),
        (20.0, 250.0, 250.0, Reason::HoldFloor),
        (90.0, 210.0, 200.0, Reason::CutQueue),
        (90.0, 150.0, 150.0, Reason::HoldFloor),
        (5.0, 250.0, 250.0, Reason::HoldRefractory),
    ] {
        bench.start_at(mbps(start));
        assert_eq!(bench.cycle(delta), (mbps(end), reason), "{delta} at {start}");
    }
}

#[test]
fn what_counts_is_time_and_not_the_number_of_decisions() {
    let after = |dt, deltas: [f64; 2]| {
        let mut bench = Bench::new(download(), 940.0);
        bench.start_at(mbps(900.0));
        bench.input.dt = Duration::from_millis(dt);
        for delta in deltas {
            for _ in 0..1000 / dt {
                bench.cycle(delta);
            }
        }
        bench.input.desired.mbps()
    };
    for deltas in [[20.0, 0.0], [0.0, 20.0], [60.0, 0.0]] {
        let (often, seldom) = (after(25, deltas), after(200, deltas));
        // A late decision may miss the end of the required time by one interval: 40 Mbit/s.
        assert!((often - seldom).abs() <= 40.0, "{deltas:?}: {often} and {seldom}");
    }
    // Two seconds of silence from the loop itself are not two seconds of RED.
    let mut bench = Bench::new(download(), 940.0);
    bench.input.dt = Duration::from_secs(2);
    assert!(bench.cycle(90.0).0 > mbps(490.0));
}

#[test]
fn it_climbs_beyond_the_base_rate_only_on_demand() {
    // From the fifth cycle of GREEN it may climb, by 10 Mbit/s a cycle.
    for (class, start, end, reason) in [
        (LoadClass::High, 500.0, 510.0, Reason::RaiseShaperLimited),
        (LoadClass::Low, 500.0, 500.0, Reason::HoldApplicationLimited),
        (LoadClass::Idle, 500.0, 500.0, Reason::HoldApplicationLimited),
        (LoadClass::Idle, 380.0, 390.0, Reason::DecayUp),
        (LoadClass::Idle, 395.0, 400.0, Reason::DecayUp),
        (LoadClass::Unknown, 100.0, 100.0, Reason::HoldLoadUnknown),
        (LoadClass::High, 940.0, 940.0, Reason::HoldCeiling),
    ] {
        let mut bench = Bench::new(download(), 940.0);
        bench.law.limits.base = mbps(400.0);
        bench.input.load.class = class;
        bench.start_at(mbps(start));
        let last = (0..5).map(|_| bench.cycle(0.0)).last().unwrap();
        assert_eq!(last, (mbps(end), reason), "{class:?} at {start}");
    }
}

#[test]
fn doubt_holds_and_never_raises() {
    type Change = fn(&mut Observation);
    let verdict = |delta: f64, change: Change| {
        let mut bench = Bench::new(download(), 940.0);
        bench.start_at(mbps(600.0));
        (0..10).for_each(|_| {
            bench.cycle(0.0);
        });
        bench.start_at(mbps(600.0));
        change(&mut bench.input);
        bench.cycle(delta)
    };
    let cases: [(f64, Change, Reason); 9] = [
        (90.0, |input| input.attribution = Attribution::Excluded, Reason::HoldNotAttributed),
        (90.0, |input| input.in_force = None, Reason::HoldPending),
        (90.0, |input| input.in_force = Some(mbps(700.0)), Reason::HoldPending),
        (0.0, |input| input.in_force = Some(mbps(500.0)), Reason::HoldPending),
        (0.0, |input| input.sufficient_evidence = false, Reason::HoldInsufficientEvidence),
        (
            0.0,
            |input| input.measurement = MeasurementState::Reduced,
            Reason::HoldInsufficientEvidence,
        ),
        (0.0, |input| input.measurement = MeasurementState::Stalled, Reason::HoldStalled),
        (0.0, |input| input.measurement = MeasurementState::Starting, Reason::HoldStarting),
        (0.0, |input| input.measurement = MeasurementState::Collapsed, Reason::HoldCollapsed),
    ];
    for (delta, change, reason) in cases {
        assert_eq!(verdict(delta, change), (mbps(600.0), reason), "{delta}");
    }
    let one_of_six = |input: &mut Observation| {
        input.measurement = MeasurementState::Reduced;
        input.quorum = false;
    };
    assert_eq!(verdict(90.0, one_of_six).1, Reason::HoldInsufficientEvidence);
}

#[test]
fn probes_that_are_lost_under_load_lead_down_to_the_base_rate_or_the_floor_of_the_state() {
    for (seen, end) in [(0.0, 550.0), (20.0, 450.0)] {
        let mut bench = Bench::new(download(), 940.0);
        bench.law.limits.base = mbps(450.0);
        bench.cycle(seen);
        bench.input.measurement = MeasurementState::Collapsed;
        assert_eq!(bench.cycle(0.0).1, Reason::CutCollapsed);
        (0..40).for_each(|_| {
            bench.cycle(0.0);
        });
        assert_eq!(bench.input.desired, mbps(end), "after {seen} ms");
    }
}

#[test]
fn a_cut_is_remembered_from_the_moment_it_is_in_force() {
    let mut bench = Bench::new(download(), 940.0);
    bench.cycle(90.0);
    let decided = bench.input.now;
    assert_eq!(bench.law.estimator.last_cut(), decided);
    bench.input.in_force = Some(mbps(940.0));
    bench.cycle(90.0);
    assert!(bench.law.estimator.last_cut() > decided);
}
