//! Puts steering on two closed loops in step.

use wanctl_core::{
    Actuation, Cycle, Decision, PerDirection, ProbeMethod, RttSample, ShaperSample, Timing, Wan,
    units::{BitRate, Delay, MonoTime, Timestamp},
};

use super::{
    SteeringResults, SteeringScenario,
    candidate::{CandidateRun, Placement},
    oracle,
    packets::{Packets, SECOND},
};
use crate::{
    closed_loop::{CYCLE, ClosedLoop, LoopSpec},
    controller::{Controller, limits, rates},
    law_benchmark::Scenario,
    steering_benchmark::{Candidate, candidate::CALL},
};

/// A link with less than this is dark.
const OUTAGE_BELOW: BitRate = BitRate::from_bps(1_000);

/// Most changes within an hour that the oracle with few of them makes.
const FEW: usize = 5;
/// Seconds in an hour.
const HOUR: usize = 3600;

/// Runs all `candidates` through `setting`, in virtual time. What the links do does not depend on
/// where calls go, so they are run once for all; after the contests come the one who leaves home
/// at once, and the oracle that changes fewer than six times an hour.
#[must_use]
pub fn run(candidates: &[Candidate], setting: &SteeringScenario) -> Vec<SteeringResults> {
    let wans = [&setting.default_wan, &setting.other];
    let mut loops = wans.map(joined);
    let mut courses: Vec<CandidateRun> =
        candidates.iter().map(|candidate| CandidateRun::new(candidate, wans)).collect();
    let mut packets = Packets::default();
    let mut now = MonoTime::ZERO;
    for number in 1.. {
        if now.since_start() >= setting.duration {
            break;
        }
        now = now + CYCLE;
        for (wan, (bench, scenario)) in loops.iter_mut().zip(wans).enumerate() {
            let base = Delay::from(scenario.link.base_rtt);
            bench.run(CYCLE, |step| {
                let least = step.capacity.download.min(step.capacity.upload);
                packets.set_outage(wan, step.now, least < OUTAGE_BELOW);
                for added in step.monitor_delays {
                    packets.arrived(wan, step.now, base + *added);
                }
                for _ in 0..step.monitor_lost {
                    packets.lost(wan, step.now);
                }
                if let Some(cycle) = step.controller.cycle(wan, number, step.now) {
                    for course in &mut courses {
                        course.steering.on_cycle(&cycle);
                    }
                }
            });
        }
        for course in &mut courses {
            course.go_on(number, now);
        }
    }
    figures(courses, packets, setting)
}

/// Looks back: what calls felt by each course, and what they could have felt.
fn figures(
    courses: Vec<CandidateRun>,
    mut packets: Packets,
    setting: &SteeringScenario,
) -> Vec<SteeringResults> {
    packets.sort();
    let seconds = usize::try_from(setting.duration.as_secs()).unwrap_or(usize::MAX);
    let lasts = usize::try_from(CALL[1].as_secs()).unwrap_or(usize::MAX);
    let changes = FEW * seconds / HOUR;
    let few = oracle::with_few_changes(&packets.losses(seconds), lasts, changes);
    let better = oracle::each_second(&packets.delays(seconds));
    let default_wan = packets.latency(|wan, _| u32::from(wan == 0));
    let oracle = packets.latency(|wan, sent| u32::from(better.get(sent / SECOND) == Some(&wan)));
    let plans = [("other", vec![1; seconds]), ("oracle-6", few)];
    let planned = plans.map(|(name, plan)| {
        let sent = Placement::by(&plan);
        let steers = u32::try_from(sent.changes.len()).unwrap_or(u32::MAX);
        (name.to_owned(), sent, [steers, 0])
    });
    let tried = courses.into_iter().map(|course| (course.name, course.sent, course.moves));
    let all = tried.chain(planned);
    all.map(|(name, sent, [steers, failovers])| SteeringResults {
        setting: setting.name.clone(),
        name,
        default_wan,
        steered: packets.latency(|wan, cycle| sent.calls.get(cycle).map_or(0, |calls| calls[wan])),
        oracle,
        steers,
        failovers,
        away: CYCLE * sent.away,
        changes: sent.changes,
    })
    .collect()
}

fn joined(scenario: &Scenario) -> ClosedLoop<CycleController> {
    let params = &scenario.params;
    let limits = limits(params);
    let base = PerDirection::build(|direction| limits[direction].base);
    let spec = LoopSpec { reflectors: params.evidence.reflectors, ..LoopSpec::new(base) };
    ClosedLoop::new(
        scenario.link.clone(),
        spec,
        CycleController::new(Wan::new(params, MonoTime::ZERO)),
    )
}

/// Our own controller as a pilot that tells its cycles.
#[derive(Debug)]
struct CycleController {
    wan: Wan,
    samples: Vec<RttSample>,
    reported: Option<(Decision, Vec<RttSample>)>,
}

impl CycleController {
    fn new(wan: Wan) -> Self {
        Self { wan, samples: Vec::new(), reported: None }
    }

    fn cycle(&self, wan: usize, number: u64, at: MonoTime) -> Option<Cycle> {
        let (decision, samples) = self.reported.as_ref()?;
        Some(Cycle {
            wan,
            number,
            at,
            wall: Timestamp::from_micros(0),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors.clone(),
            samples: samples.clone(),
            method: Some(ProbeMethod::IcmpEcho),
            timing: Timing { interval: CYCLE, ..Timing::default() },
        })
    }
}

impl Controller for CycleController {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.wan.on_rtt(sample);
        self.samples.push(*sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        self.wan.on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.wan.on_actuation(actuation);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        let decision = self.wan.decide(now);
        let desired = rates(&decision);
        self.reported = Some((decision, std::mem::take(&mut self.samples)));
        desired
    }
}
