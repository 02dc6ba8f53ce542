//! Puts a law on a scenario's link: the only place that knows how the closed loop tells what it
//! sees.

use wanctl_core::PerDirection;

use super::{
    law::{Law, ScenarioFacts},
    record::{Observation, Record},
    scenario::Scenario,
};
use crate::{
    closed_loop::{ClosedLoop, LoopSpec},
    controller::limits,
};

/// Runs `law` through `scenario`, in virtual time.
pub(super) fn observe(law: &Law, scenario: &Scenario) -> Record {
    let Scenario { capacity, link, params, duration, .. } = scenario;
    let facts = ScenarioFacts {
        params,
        capacity,
        base_rtt: link.base_rtt,
        span: *duration,
        seed: link.seed,
    };
    let limits = limits(params);
    let base = PerDirection::build(|direction| limits[direction].base);
    let joined = LoopSpec {
        reflectors: params.evidence.reflectors,
        cycle: params.evidence.probe_interval,
        ..LoopSpec::new(base)
    };
    let mut record = Record::default();
    let mut bench = ClosedLoop::new(link.clone(), joined, (law.controller)(&facts));
    bench.run(*duration, |step| {
        record.push(&Observation {
            now: step.now,
            enforced: step.enforced,
            capacity: step.capacity,
            monitor_delays: step.monitor_delays,
            monitor_lost: step.monitor_lost,
            delivered: step.goodput,
            demand: step.wanted,
            writes: step.writes.download + step.writes.upload,
        });
    });
    record
}
