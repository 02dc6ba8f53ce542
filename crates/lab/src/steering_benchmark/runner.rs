//! Runs candidates on two closed loops in step.

use wanctl_core::{
    PerDirection, Wan,
    units::{BitRate, Delay, MonoTime},
};

use super::{
    SteeringResults, SteeringScenario,
    candidate::{CALL, Candidate, CandidateRun, Placement},
    oracle,
    packets::{Packets, SECOND},
};
use crate::{
    closed_loop::{ClosedLoop, LoopSpec},
    controller::{CYCLE, RecordingController, limits},
    law_benchmark::Scenario,
};

/// A link with less than this carries nothing.
const OUTAGE: BitRate = BitRate::from_bps(1_000);

/// Most changes within an hour of the oracle with few of them.
const FEW: usize = 5;
/// Seconds in an hour.
const HOUR: usize = 3600;

/// Runs all `candidates` through `scenario`, in virtual time. The links do not depend on the
/// candidates, so they are run once for all. After the candidates come `other`, which uses the
/// alternate from the start, and the oracle with fewer than six changes an hour.
#[must_use]
pub fn run(candidates: &[Candidate], scenario: &SteeringScenario) -> Vec<SteeringResults> {
    let wans = [&scenario.default, &scenario.alternate];
    let mut loops = wans.map(joined);
    let mut runs: Vec<CandidateRun> =
        candidates.iter().map(|candidate| CandidateRun::new(candidate, wans)).collect();
    let mut packets = Packets::default();
    let mut now = MonoTime::ZERO;
    for number in 1.. {
        if now.since_start() >= scenario.duration {
            break;
        }
        now = now + CYCLE;
        for (wan, (closed_loop, link)) in loops.iter_mut().zip(wans).enumerate() {
            let base = Delay::from(link.link.base_rtt);
            closed_loop.run(CYCLE, |step| {
                let least = step.capacity.download.min(step.capacity.upload);
                packets.set_outage(wan, step.now, least < OUTAGE);
                for added in step.monitor_delays {
                    packets.arrived(wan, step.now, base + *added);
                }
                for _ in 0..step.monitor_lost {
                    packets.lost(wan, step.now);
                }
                if let Some(cycle) = step.controller.cycle(wan, number, step.now) {
                    for run in &mut runs {
                        run.steering.on_cycle(&cycle);
                    }
                }
            });
        }
        for run in &mut runs {
            run.advance(number, now);
        }
    }
    results(runs, packets, scenario)
}

fn results(
    runs: Vec<CandidateRun>,
    mut packets: Packets,
    scenario: &SteeringScenario,
) -> Vec<SteeringResults> {
    packets.sort();
    let seconds = usize::try_from(scenario.duration.as_secs()).unwrap_or(usize::MAX);
    let lasts = usize::try_from(CALL[1].as_secs()).unwrap_or(usize::MAX);
    let changes = FEW * seconds / HOUR;
    let few = oracle::with_few_changes(&packets.losses(seconds), lasts, changes);
    let better = oracle::each_second(&packets.delays(seconds));
    let default = packets.latency(|wan, _| u32::from(wan == 0));
    let best = packets.latency(|wan, sent| u32::from(better.get(sent / SECOND) == Some(&wan)));
    let plans = [("other", vec![1; seconds]), ("oracle-6", few)];
    let planned = plans.map(|(name, plan)| {
        let placement = Placement::by(&plan);
        let steers = u32::try_from(placement.changes.len()).unwrap_or(u32::MAX);
        (name.to_owned(), placement, [steers, 0])
    });
    let tested = runs.into_iter().map(|run| (run.name, run.placement, run.moves));
    let all = tested.chain(planned);
    all.map(|(name, placement, [steers, failovers])| SteeringResults {
        scenario: scenario.name.clone(),
        name,
        default,
        steered: packets
            .latency(|wan, cycle| placement.calls.get(cycle).map_or(0, |calls| calls[wan])),
        oracle: best,
        steers,
        failovers,
        away: CYCLE * placement.away,
        changes: placement.changes,
    })
    .collect()
}

fn joined(scenario: &Scenario) -> ClosedLoop<RecordingController> {
    let params = &scenario.params;
    let limits = limits(params);
    let base = PerDirection::build(|direction| limits[direction].base);
    let spec = LoopSpec { reflectors: params.evidence.reflectors, ..LoopSpec::new(base) };
    let controller = RecordingController::new(Wan::new(params, MonoTime::ZERO));
    ClosedLoop::new(scenario.link.clone(), spec, controller)
}
