//! Polls of the router, and what they show.

use std::{collections::BTreeMap, sync::Arc};

use tracing::warn;
use wanctl_core::{PerDirection, QueueReading, ShaperSample, units::MonoTime};

use super::Actuator;
use crate::{
    actuator::{
        in_flight::{Completion, InFlight, Operation},
        poll_schedule::PollKind,
        queue_watch::unusable,
        reconciler::Observation,
    },
    router::{Finding, Readings, RouterFacts},
};

impl Actuator {
    /// Reads at the full pace again as soon as a control loop or a write has reason to.
    pub(super) fn notice_stir(&mut self, now: MonoTime) {
        for idle in &mut self.idle {
            idle.borrow_and_update();
        }
        let is_pending = self.reconciler.next_due().is_some() && self.work.writes();
        let is_stirred = is_pending || !self.work.loops_are_idle();
        self.idle_watch.stir(is_stirred);
        if is_stirred {
            self.next.queues = self.next.queues.min(now + self.work.stats_interval());
        }
    }

    /// Begins the most urgent poll of the router, if any is due.
    pub(super) fn poll(&mut self, now: MonoTime) -> Option<InFlight> {
        // Rare, and short: the counters can wait for it, and a slow router must not starve it.
        if let Some(job) = self.switches.due_read(now).filter(|_| !self.next.findings) {
            return Some(self.switch(job, now));
        }
        let full_interval = self.work.stats_interval();
        let interval = self.idle_watch.interval(full_interval, self.work.idle(), now);
        let inspect = Arc::clone(&self.work.router.inspect);
        Some(match self.next.next(now, interval)? {
            PollKind::Findings => {
                InFlight::begin(now, self.begin(Operation::Inspect), async move {
                    Completion::Findings(inspect.findings().await)
                })
            }
            PollKind::Queues => {
                let (shaper, refs) = (Arc::clone(&self.work.router.shaper), Arc::clone(&self.refs));
                InFlight::begin(now, self.begin(Operation::Read), async move {
                    Completion::Queues(now, shaper.read_queues(&refs).await)
                })
            }
            PollKind::Facts => InFlight::begin(now, self.begin(Operation::Facts), async move {
                let facts = async { Ok((inspect.facts().await?, inspect.idle_queues().await?)) };
                Completion::Facts(facts.await)
            }),
        })
    }

    /// Distributes one reading over the WANs; an unusable queue is reported, the others go on.
    pub(super) fn take_readings(&mut self, readings: &Readings, asked: MonoTime, now: MonoTime) {
        self.readings += 1;
        if self.idle_watch.take(&readings.rows, now) {
            self.next.queues = self.next.queues.min(now + self.work.stats_interval());
        }
        let mut problems = Vec::new();
        // The readings of each WAN; none once a queue of it cannot be counted.
        let mut found: BTreeMap<usize, Option<PerDirection<Option<QueueReading>>>> =
            self.work.links.keys().map(|wan| (*wan, Some(PerDirection::default()))).collect();
        let queues = self.work.queues.iter().zip(&mut self.watches).zip(&readings.rows).enumerate();
        for (index, ((queue, watch), row)) in queues {
            // What a queue that is off counts is not the traffic.
            let counted = row.as_ref().ok().filter(|row| row.active);
            match (found.get_mut(&queue.wan), counted) {
                (Some(found), Some(row)) => {
                    if let Some(found) = found {
                        found[queue.direction] = Some(row.reading);
                    }
                }
                (Some(found), None) => *found = None,
                (None, _) => {}
            }
            let row = match row {
                Ok(row) => row,
                Err(fault) => {
                    problems.push(unusable(&self.work.router, queue, fault));
                    continue;
                }
            };
            problems.extend(watch.poll(&queue.queue, row, now));
            let reported = self.reconciler.observed(index, row.reading.limit, asked, now);
            if let Observation::Drifted { from, to } = reported {
                self.work.metrics.drift();
                self.drifts.saw(&queue.queue, from, to, now);
            }
        }
        for (link, queues) in self.work.links.values().zip(found.into_values()) {
            if let Some(queues) = queues {
                let sample = ShaperSample { sequence: self.readings, at: now, queues };
                link.shaper.send_replace(Some(sample));
            }
        }
        self.report.send_if_modified(|report| {
            let changed = report.queue_problems != problems;
            if changed {
                for what in &problems {
                    warn!(%what, "a queue has a problem");
                }
                report.queue_problems = problems;
            }
            changed
        });
    }

    pub(super) fn take_facts(&mut self, facts: RouterFacts, idle: Vec<Finding>) {
        self.work.metrics.facts(&facts);
        self.report.send_modify(|report| report.learn(facts, idle));
    }

    pub(super) fn take_findings(&mut self, findings: Vec<Finding>) {
        for finding in &findings {
            warn!(what = %finding, "the configuration of the router has a problem");
        }
        self.work.metrics.findings(&findings);
        self.report.send_modify(|report| report.findings = findings);
    }
}
