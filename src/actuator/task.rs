//! The task that reads counters, writes limits and tells how it went.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::{
    RouterMetrics,
    reconciler::{Observation, Pace, Reconciler, Write},
};
use crate::{
    clock::Clock,
    control::{Actuation, Direction, PerDirection, ShaperSample},
    router::{QueueRow, Router, RouterError},
    units::{BitRate, MonoTime, Timestamp},
};

/// First pause after a failure, doubled up to `LONGEST_PAUSE`: RouterOS recovers from a confused
/// web server within 1.3 to 2.4 s when it is left alone.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// With nothing due sooner, the task looks around this often.
const IDLE: Duration = Duration::from_secs(1);

/// A shaper queue and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The WAN's place in the configuration.
    pub wan: usize,
    /// The direction it shapes.
    pub direction: Direction,
    /// Its name on the router.
    pub name: String,
}

/// What a WAN's control loop and the actuator share; on either side the newest value wins.
#[derive(Debug, Clone)]
pub struct Link {
    /// The rates that the loop wants.
    pub desired: watch::Sender<PerDirection<Option<BitRate>>>,
    /// The newest counters.
    pub shaper: watch::Sender<Option<ShaperSample>>,
    /// How far the router has followed.
    pub actuation: watch::Sender<PerDirection<Actuation>>,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            desired: watch::channel(PerDirection::default()).0,
            shaper: watch::channel(None).0,
            actuation: watch::channel(PerDirection::default()).0,
        }
    }
}

/// How the router is, for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouterReport {
    /// Whether the last request succeeded; `None` before the first.
    pub up: Option<bool>,
    /// What is wrong and what to do about it.
    pub trouble: Vec<String>,
    /// When a request last succeeded.
    pub last_success: Option<Timestamp>,
}

/// Keeps the router's limits at what the control loops want.
#[derive(Debug)]
pub struct Actuator {
    router: Arc<dyn Router>,
    queues: Vec<Queue>,
    links: Vec<Link>,
    /// The receiving ends of `links[..].desired`, which remember what was seen.
    wanted: Vec<watch::Receiver<PerDirection<Option<BitRate>>>>,
    clock: Clock,
    /// `false`: read, and write nothing.
    writes: bool,
    stats_interval: Duration,
    reconciler: Reconciler,
    metrics: RouterMetrics,
    report: watch::Sender<RouterReport>,
    readings: u64,
    failures: u32,
}

impl Actuator {
    /// Prepares the task for `queues`; `links` has one entry a WAN.
    #[must_use]
    pub fn new(
        router: Arc<dyn Router>,
        queues: Vec<Queue>,
        links: Vec<Link>,
        clock: Clock,
        writes: bool,
        stats_interval: Duration,
        metrics: RouterMetrics,
    ) -> Self {
        let reconciler = Reconciler::new(Pace::default(), queues.len());
        let wanted = links.iter().map(|link| link.desired.subscribe()).collect();
        Self {
            router,
            queues,
            links,
            wanted,
            clock,
            writes,
            stats_interval,
            reconciler,
            metrics,
            report: watch::channel(RouterReport::default()).0,
            readings: 0,
            failures: 0,
        }
    }

    /// Returns where the router's state is told.
    #[must_use]
    pub fn report(&self) -> watch::Receiver<RouterReport> {
        self.report.subscribe()
    }

    /// Works until `stop`, then writes `parting` limits if there are any, within `within`.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        parting: Option<Vec<BitRate>>,
        within: Duration,
    ) {
        self.tell_facts().await;
        let mut next_read = self.clock.now();
        while !stop.is_cancelled() {
            self.take_desired();
            let now = self.clock.now();
            let outcome = if let Some(write) = self.due(now) {
                self.write(write).await
            } else if now >= next_read {
                next_read = now + self.stats_interval;
                self.read().await
            } else {
                let wake = self.reconciler.next_due().filter(|_| self.writes);
                let wake = wake.map_or(next_read, |due| due.min(next_read));
                self.rest(&stop, wake.since(now).min(IDLE)).await;
                continue;
            };
            if self.judge(outcome) {
                continue;
            }
            // After a failure only a read can tell what the router enforces.
            self.reconciler.doubt();
            next_read = MonoTime::ZERO;
            let pause = FIRST_PAUSE * 2_u32.saturating_pow(self.failures.saturating_sub(1).min(8));
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(pause.min(LONGEST_PAUSE)) => {}
            }
        }
        if let Some(parting) = parting.filter(|_| self.writes) {
            self.part(&parting, within).await;
        }
    }

    fn due(&self, now: MonoTime) -> Option<Write> {
        self.writes.then(|| self.reconciler.due(now)).flatten()
    }

    /// Waits for the time to pass or for a control loop to want something new.
    async fn rest(&mut self, stop: &CancellationToken, span: Duration) {
        let change = self.wanted.iter_mut().map(|wanted| Box::pin(wanted.changed()));
        tokio::select! {
            () = stop.cancelled() => {}
            () = sleep(span) => {}
            _ = futures_util::future::select_all(change), if self.writes => {}
        }
    }

    fn take_desired(&mut self) {
        let now = self.clock.now();
        let wanted: Vec<_> = self.wanted.iter_mut().map(|w| *w.borrow_and_update()).collect();
        for (index, queue) in self.queues.iter().enumerate() {
            // In observe mode nothing is wanted of the router, so nothing is ever pending.
            let wanted = wanted.get(queue.wan).filter(|_| self.writes);
            if let Some(limit) = wanted.and_then(|rates| rates[queue.direction]) {
                self.reconciler.want(index, limit, now);
            }
        }
    }

    async fn write(&mut self, write: Write) -> Result<(), RouterError> {
        let Some(queue) = self.queues.get(write.queue) else { return Ok(()) };
        let asked = Instant::now();
        let answer = self.router.set_limit(&queue.name, write.limit).await;
        self.metrics.call("write", asked.elapsed(), &answer);
        self.reconciler.confirmed(write.queue, answer?, self.clock.now());
        self.publish_actuation();
        Ok(())
    }

    async fn read(&mut self) -> Result<(), RouterError> {
        let asked = Instant::now();
        let answer = self.router.read_queues().await;
        self.metrics.call("read", asked.elapsed(), &answer);
        let rows = answer?;
        self.readings += 1;
        self.take_rows(&rows);
        self.publish_actuation();
        Ok(())
    }

    /// Spreads one reading over the WANs; a queue that is missing is told, the others go on.
    fn take_rows(&mut self, rows: &[QueueRow]) {
        let now = self.clock.now();
        let mut trouble = Vec::new();
        let mut found: Vec<PerDirection<Option<&QueueRow>>> =
            vec![PerDirection::default(); self.links.len()];
        for (index, queue) in self.queues.iter().enumerate() {
            let Some(row) = rows.iter().find(|row| row.name == queue.name) else {
                trouble.push(missing(queue, rows));
                continue;
            };
            if !row.active {
                trouble.push(format!(
                    "queue `{}` is disabled or invalid on the router and shapes nothing: enable it \
                     and check its parent and type",
                    queue.name
                ));
            }
            let told = self.reconciler.observed(index, row.reading.limit, now);
            if let Observation::Drifted { from, to } = told {
                self.metrics.drift();
                warn!(queue = %queue.name, %from, %to, "somebody else changed a limit");
            }
            if let Some(found) = found.get_mut(queue.wan) {
                found[queue.direction] = Some(row);
            }
        }
        for (link, found) in self.links.iter().zip(found) {
            if let PerDirection { download: Some(download), upload: Some(upload) } = found {
                let queues = PerDirection { download: download.reading, upload: upload.reading };
                let sample = ShaperSample { sequence: self.readings, at: now, queues };
                link.shaper.send_replace(Some(sample));
            }
        }
        self.report.send_if_modified(|report| {
            let changed = report.trouble != trouble;
            if changed {
                for what in &trouble {
                    warn!(%what, "trouble on the router");
                }
                report.trouble = trouble;
            }
            changed
        });
    }

    fn publish_actuation(&self) {
        for (index, queue) in self.queues.iter().enumerate() {
            let Some(link) = self.links.get(queue.wan) else { continue };
            let news = self.reconciler.actuation(index);
            link.actuation.send_if_modified(|told| {
                let changed = told[queue.direction] != news;
                told[queue.direction] = news;
                changed
            });
        }
    }

    /// Takes note of how a request went; logs the first failure and the recovery only. Returns
    /// whether it went well.
    fn judge(&mut self, outcome: Result<(), RouterError>) -> bool {
        let failed = outcome.err();
        match &failed {
            None if self.failures > 0 => {
                info!(failures = self.failures, "the router answers again");
                self.failures = 0;
            }
            None => {}
            Some(failure) => {
                self.failures = self.failures.saturating_add(1);
                if self.failures == 1 {
                    error!(error = %failure, remedy = failure.remedy(), "a router request failed");
                }
            }
        }
        self.report.send_modify(|report| {
            let was_down = report.up == Some(false);
            report.up = Some(failed.is_none());
            match &failed {
                None => {
                    report.last_success = Some(Clock::wall());
                    if was_down {
                        report.trouble.clear();
                    }
                }
                Some(failure) => report.trouble = vec![format!("{failure}: {}", failure.remedy())],
            }
        });
        failed.is_none()
    }

    async fn tell_facts(&mut self) {
        let asked = Instant::now();
        let answer = self.router.facts().await;
        self.metrics.call("read", asked.elapsed(), &answer);
        match answer {
            Ok(facts) => {
                info!(identity = %facts.identity, board = %facts.board, version = %facts.version,
                    "found the router");
            }
            Err(failure) => {
                self.judge(Err(failure));
            }
        }
    }

    /// Writes the parting limits, one try each: the daemon is on its way out.
    async fn part(&mut self, parting: &[BitRate], within: Duration) {
        let restore = async {
            for (queue, limit) in self.queues.iter().zip(parting) {
                match self.router.set_limit(&queue.name, *limit).await {
                    Ok(limit) => info!(queue = %queue.name, %limit, "restored"),
                    Err(failure) => {
                        error!(queue = %queue.name, error = %failure, "could not restore");
                    }
                }
            }
        };
        if timeout(within, restore).await.is_err() {
            error!(?within, "gave up restoring: the router keeps its last limits");
        }
    }
}

fn missing(queue: &Queue, rows: &[QueueRow]) -> String {
    let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    format!(
        "the router has no queue named `{}` (queue trees there: {known}): create it, or correct \
         wans[{}].{}.queue",
        queue.name,
        queue.wan,
        queue.direction.name()
    )
}
