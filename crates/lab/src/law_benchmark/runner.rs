//! Runs laws through scenarios in virtual time, on all cores: each run is independent of the others.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use wanctl_core::PerDirection;

use super::{
    laws::{Law, ScenarioFacts},
    record::Record,
    results::LawResults,
    scenario::Scenario,
};
use crate::{
    closed_loop::{ClosedLoop, LoopSpec},
    controller::limits,
};

/// A law to be put through a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The law.
    pub law: &'a Law,
    /// The scenario, with its seed.
    pub scenario: &'a Scenario,
    /// Whether the record is wanted, for a plot.
    pub keeps_record: bool,
}

/// A line of the comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The law's name.
    pub law: String,
    /// The scenario's name.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The results of the law.
    pub results: LawResults,
}

/// What came of a job.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The line of the comparison.
    pub row: Row,
    /// The record, if it was wanted.
    pub record: Option<Record>,
}

/// Runs all jobs on all cores, and calls `done` with the number of jobs done so far after each.
/// The outcomes are in the order of the jobs, and equal jobs have equal outcomes.
#[must_use]
pub fn run(jobs: &[Job<'_>], done: &(dyn Fn(usize) + Sync)) -> Vec<Outcome> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(jobs.len());
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut outcomes = Vec::new();
        while let number = next.fetch_add(1, Ordering::Relaxed)
            && let Some(job) = jobs.get(number)
        {
            outcomes.push((number, carry_out(job)));
            done(finished.fetch_add(1, Ordering::Relaxed) + 1);
        }
        outcomes
    };
    let mut outcomes: Vec<(usize, Outcome)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
        // A panic in a worker is one of this function.
        ended.flat_map(|end| end.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn carry_out(job: &Job<'_>) -> Outcome {
    let Job { law, scenario, keeps_record } = *job;
    let record = observe(law, scenario);
    let limits = limits(&scenario.params);
    let row = Row {
        law: law.name.to_owned(),
        scenario: scenario.name.clone(),
        seed: scenario.link.seed,
        results: LawResults::of(&record, limits),
    };
    Outcome { row, record: keeps_record.then_some(record) }
}

/// Runs `law` through `scenario`.
pub(super) fn observe(law: &Law, scenario: &Scenario) -> Record {
    let Scenario { capacity, link, params, duration, .. } = scenario;
    let (span, seed) = (*duration, link.seed);
    let limits = limits(params);
    let joined = LoopSpec {
        reflectors: params.evidence.reflectors,
        cycle: params.evidence.probe_interval,
        ..LoopSpec::new(PerDirection::build(|direction| limits[direction].base))
    };
    let mut record = Record::default();
    let controller = (law.controller)(&ScenarioFacts { params, capacity, span, seed });
    let mut closed_loop = ClosedLoop::new(link.clone(), joined, controller);
    closed_loop.run(span, |step| record.push(step));
    record
}
