//! The task that reads counters, writes limits and reports the outcomes.
//!
//! At most one read and one write are in flight. The transport queues them if they are of one user,
//! so a read is begun only when no write is due. A request is never cancelled.

mod outcome;
mod overrides;
mod polling;
mod recovery;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::error;
use wanctl_core::{
    PerDirection,
    units::{BitRate, MonoTime},
};

use super::{
    Assignment, RouterReport,
    exit::{ExitWrites, FinalLimit},
    idle::IdlePolling,
    in_flight::{Completion, InFlight, Operation, RequestTiming, answer_of, any_changed},
    liveness::Liveness,
    poll_schedule::PollSchedule,
    queue_watch::{DriftLog, QueueWatch},
    reconciler::{Reconciler, Write},
    switches::{Job, Switches},
};
use crate::actuator::exit;
use crate::router::{MarkedConnections, QueueRef, RouterError, RouterFault};

/// Longest time between two turns of the task.
const IDLE: Duration = Duration::from_secs(1);

/// Keeps the router's limits at what the control loops want.
#[derive(Debug)]
pub struct Actuator {
    work: Assignment,
    refs: Arc<[QueueRef]>,
    /// The receiving ends of `links[..].desired`, which remember what was seen.
    wanted: BTreeMap<usize, watch::Receiver<PerDirection<Option<BitRate>>>>,
    /// The receiving ends of `links[..].idle`.
    idle: Vec<watch::Receiver<bool>>,
    idle_watch: IdlePolling,
    reconciler: Reconciler,
    watches: Vec<QueueWatch>,
    switches: Switches,
    report: watch::Sender<RouterReport>,
    readings: u64,
    drifts: DriftLog,
    failures: u32,
    /// Failures in a row that may pass.
    suspicions: u32,
    was_away: bool,
    rest_until: MonoTime,
    /// Since when the router is left alone because a request had no answer.
    hangs_since: Option<MonoTime>,
    liveness: Liveness,
    /// When requests that were lost in a hang are given up, and before when they must have begun.
    give_up: Option<(MonoTime, MonoTime)>,
    next: PollSchedule,
}

impl Actuator {
    /// Prepares the task.
    #[must_use]
    pub fn new(work: Assignment) -> Self {
        let queues = work.queues.len();
        Self {
            refs: work.queues.iter().map(|queue| queue.queue.clone()).collect(),
            wanted: work.links.iter().map(|(wan, link)| (*wan, link.desired.subscribe())).collect(),
            idle: work.links.values().map(|link| link.idle.subscribe()).collect(),
            idle_watch: IdlePolling::default(),
            reconciler: Reconciler::new(work.pace(), queues),
            watches: vec![QueueWatch::default(); queues],
            switches: Switches::new(work.switches.clone()),
            report: watch::channel(RouterReport::default()).0,
            readings: 0,
            drifts: DriftLog::default(),
            failures: 0,
            suspicions: 0,
            was_away: false,
            rest_until: MonoTime::ZERO,
            hangs_since: None,
            liveness: Liveness::default(),
            give_up: None,
            next: PollSchedule::new(),
            work,
        }
    }

    /// Returns where the router's state is reported.
    #[must_use]
    pub fn report(&self) -> watch::Receiver<RouterReport> {
        self.report.subscribe()
    }

    /// Works until `stop`, then writes the parting limits if there are any, within `within`.
    pub async fn run(mut self, stop: CancellationToken, within: Duration) {
        let (mut reading, mut writing): (Option<InFlight>, Option<InFlight>) = (None, None);
        while !stop.is_cancelled() {
            self.take_desired();
            let now = self.work.clock.now();
            self.notice_stir(now);
            self.give_up_lost([&mut reading, &mut writing], now);
            // A write that had to wait behind a reading would carry the rate of when it began.
            let may_write =
                writing.is_none() && (reading.is_none() || self.work.router.shaper.reads_apart());
            if now >= self.rest_until {
                if may_write {
                    writing = self.change(now);
                }
                if reading.is_none() && writing.is_none() {
                    reading = self.poll(now);
                }
            }
            let may_write = may_write && writing.is_none();
            let due = self.until_due(now, reading.is_none() && writing.is_none(), may_write);
            let pause = due.min(self.check_alive([&reading, &writing], now));
            let writes = self.work.writes();
            // The requests live on when another branch wins; the rest may be begun anew.
            let answer = tokio::select! {
                () = stop.cancelled() => None,
                answer = answer_of(&mut writing) => { writing = None; Some(answer) }
                answer = answer_of(&mut reading) => { reading = None; Some(answer) }
                (began, answered) = self.liveness.answer() => {
                    self.checked(began, answered);
                    None
                }
                () = sleep(pause) => None,
                () = any_changed(self.wanted.values_mut()), if writes => None,
                () = any_changed(self.idle.iter_mut()) => None,
                Ok(()) = self.switches.orders.changed(), if writes => None,
            };
            if let Some((call, answer)) = answer {
                self.take(call, answer);
            }
        }
        let in_flight = writing.into_iter().chain(reading).collect();
        let writes = self.work.writes();
        let exit_limits = self.work.exit_limits();
        let limit = |(index, queue): (usize, &QueueRef)| FinalLimit {
            queue: queue.clone(),
            write: exit_limits.get(index).copied(),
            last: self.reconciler.actuation(index).observed,
        };
        let limits = self.refs.iter().enumerate().map(limit).collect();
        let switches = if writes { self.switches.exit_orders() } else { Vec::new() };
        let router = self.work.router.clone();
        exit::write_exit(ExitWrites { router, limits, switches }, in_flight, within).await;
    }

    /// Begins the most urgent change, if any is due: cuts, then switches, then raises.
    fn change(&mut self, now: MonoTime) -> Option<InFlight> {
        if !self.work.writes() {
            return None;
        }
        let write = self.reconciler.due(now);
        match (write, self.switches.due(now)) {
            (Some(write), _) if write.is_cut => Some(self.write(write)),
            (_, Some(job)) => Some(self.switch(job, now)),
            (write, None) => match self.switches.due_forgetting() {
                Some(connections) => Some(self.forget(connections)),
                None => write.map(|write| self.write(write)),
            },
        }
    }

    fn forget(&self, connections: MarkedConnections) -> InFlight {
        let now = self.work.clock.now();
        let switches = self.work.router.switches.clone();
        InFlight::begin(now, self.begin(Operation::SwitchWrite), async move {
            let answer = match switches {
                Some(switches) => switches.forget_connections(&connections).await,
                None => Ok(0),
            };
            Completion::ConnectionsForgotten(connections, answer)
        })
    }

    fn until_due(&self, now: MonoTime, may_read: bool, may_write: bool) -> Duration {
        let write = self.reconciler.next_due().filter(|_| self.work.writes() && may_write);
        let poll = self.switches.next_read().unwrap_or(self.next.queues);
        let read = may_read.then_some(self.next.queues.min(poll));
        let due = write.into_iter().chain(read).min().unwrap_or(now + IDLE);
        // A rest keeps nothing from falling due behind it.
        due.max(self.rest_until).since(now).min(IDLE)
    }

    fn take_desired(&mut self) {
        self.switches.take_orders(self.work.writes(), self.work.clock.now());
        // In observe mode nothing is wanted of the router, so nothing is ever pending.
        if !self.work.writes() {
            return self.reconciler.release();
        }
        self.reconciler.set_pace(self.work.pace());
        let now = self.work.clock.now();
        let wanted: BTreeMap<usize, _> =
            self.wanted.iter_mut().map(|(wan, rates)| (*wan, *rates.borrow_and_update())).collect();
        for (index, queue) in self.work.queues.iter().enumerate() {
            if let Some(limit) = wanted.get(&queue.wan).and_then(|rates| rates[queue.direction]) {
                self.reconciler.want(index, limit, now);
            }
        }
    }

    fn write(&mut self, write: Write) -> InFlight {
        let now = self.work.clock.now();
        self.reconciler.begin(write, now);
        let (shaper, refs) = (Arc::clone(&self.work.router.shaper), Arc::clone(&self.refs));
        let request = InFlight::begin(now, self.begin(Operation::Write), async move {
            let answer = match refs.get(write.queue) {
                Some(queue) => shaper.set_limit(queue, write.limit).await,
                None => Ok(write.limit),
            };
            Completion::Wrote(write, answer)
        });
        request.of_limit(write)
    }

    /// Changes a switch, or reads it.
    fn switch(&mut self, job: Job, now: MonoTime) -> InFlight {
        self.switches.begin(job, now);
        let none = RouterFault::Unfit("this kind of router has no switches".into());
        let none = none.at(self.work.router.inspect.target(), "looking for a rule");
        let (switches, row) = (self.work.router.switches.clone(), self.switches.row(job.place));
        let operation =
            if job.change.is_some() { Operation::SwitchWrite } else { Operation::SwitchRead };
        InFlight::begin(now, self.begin(operation), async move {
            let answer = match (switches.zip(row), job.change) {
                (Some((switches, row)), Some(on)) => switches.enable_switch(&row, on).await,
                (Some((switches, row)), None) => switches.switch_enabled(&row).await,
                (None, _) => Err(none),
            };
            Completion::Switch(job, answer)
        })
    }

    /// Notes the transport of a request: by its end another may be in use.
    fn begin(&self, operation: Operation) -> RequestTiming {
        RequestTiming::begin(operation, self.work.router.inspect.transport())
    }

    /// Takes an answer into account.
    fn take(&mut self, call: RequestTiming, answer: Completion) {
        let now = self.work.clock.now();
        let failure = match answer {
            Completion::Wrote(write, answer) => {
                let awaited = self.reconciler.awaited(write.queue, now);
                self.work.metrics.wrote(call, write.queue, &answer, awaited);
                answer
                    .map(|limit| self.confirm(write, limit, now))
                    .err()
                    .and_then(|failure| self.refusal(write, failure, now))
            }
            Completion::Switch(job, answer) => {
                self.work.metrics.request(call, &answer);
                self.switches.take(&self.work.router, job, answer, now)
            }
            Completion::ConnectionsForgotten(connections, answer) => {
                self.work.metrics.request(call, &answer);
                Switches::forgot(&connections, answer)
            }
            Completion::Queues(asked, answer) => {
                self.work.metrics.request(call, &answer);
                answer.map(|readings| self.take_readings(&readings, asked, now)).err()
            }
            Completion::Facts(answer) => {
                self.work.metrics.request(call, &answer);
                answer
                    .map(|(facts, idle)| self.take_facts(facts, idle))
                    .err()
                    .filter(|error| error.fault.concerns_all())
            }
            Completion::Findings(answer) => {
                self.work.metrics.request(call, &answer);
                answer
                    .map(|findings| self.take_findings(findings))
                    .err()
                    .filter(|error| error.fault.concerns_all())
            }
        };
        self.record_outcome(failure, now);
        self.publish_actuation();
        self.publish_overrides(now);
    }

    fn confirm(&mut self, write: Write, limit: BitRate, now: MonoTime) {
        self.reconciler.confirmed(write, limit, now);
        self.report.send_if_modified(|report| report.refusals.remove(&write.queue).is_some());
    }

    /// Records a write that failed. A fault of this queue delays this queue only; a fault of the whole
    /// router is returned.
    fn refusal(
        &mut self,
        write: Write,
        failure: RouterError,
        now: MonoTime,
    ) -> Option<RouterError> {
        if failure.fault.concerns_all() {
            return Some(failure);
        }
        self.reconciler.refused(write, now, outcome::backoff(&failure.fault, 1));
        self.next.queues = MonoTime::ZERO;
        let queue = self.refs.get(write.queue).map(ToString::to_string).unwrap_or_default();
        let what =
            format!("{queue}: {failure}: {}", self.work.router.inspect.remedy(&failure.fault));
        self.report.send_if_modified(|report| {
            let known = report.refusals.insert(write.queue, what.clone());
            let is_news = known.as_ref() != Some(&what);
            if is_news {
                error!(%what, "the router refuses a write");
            }
            is_news
        });
        None
    }

    fn publish_actuation(&self) {
        for (index, queue) in self.work.queues.iter().enumerate() {
            let Some(link) = self.work.links.get(&queue.wan) else { continue };
            let any_changed = self.reconciler.actuation(index);
            link.actuation.send_if_modified(|reported| {
                let changed = reported[queue.direction] != any_changed;
                reported[queue.direction] = any_changed;
                changed
            });
        }
    }
}
