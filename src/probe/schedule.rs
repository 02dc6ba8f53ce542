//! The schedule of one WAN's probes: evenly spaced, each to the next reflector.
//!
//! One reply about every interval means that a queue is seen within one interval plus its own
//! delay, and that no reflector hears from us more often than (interval × active reflectors). A
//! turn is one packet, whatever it is for, so the interval keeps the budget of packets as well.

use std::{net::IpAddr, pin::pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};
use wanctl_core::{ProbeOutcome, ReflectorId, RttSample};

use super::{
    Pace, Pool, PoolEvent, PoolParams, ProbeConfig, ProbeMetrics, ProbeResult, Prober, ProberKind,
    ReplyTimeout, reply_timeout::IdleRtt,
};
use crate::clock::Clock;

/// Fates that may wait for the schedule: far more than are in flight at once.
const FATES: usize = 256;

/// Time between two checks of the routes: an address family comes and goes with its link.
const ROUTES: Duration = Duration::from_secs(2);

/// How a WAN's probes are spread.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The WAN's name, for the log.
    pub wan: String,
    /// The reflectors, in the order of the configuration, for the log.
    pub reflectors: Vec<IpAddr>,
    /// Who takes turns.
    pub pool: PoolParams,
    /// Time between two probes.
    pub interval: Duration,
    /// The same while the link is idle.
    pub idle_interval: Duration,
    /// Time after which a probe is called lost, unless the path is longer.
    pub timeout: Duration,
    /// Delay of the first probe, so that several WANs do not probe in the same instant.
    pub splay: Duration,
}

/// Where a schedule meets everybody else.
#[derive(Debug)]
pub struct Ends {
    /// Where the outcomes go; when nobody takes them they are dropped, because an old delay is
    /// worth nothing.
    pub samples: mpsc::Sender<RttSample>,
    /// Where it lies how fast to probe.
    pub pace: watch::Receiver<Pace>,
    /// Where the prober in use is published.
    pub prober_kind: watch::Sender<Option<ProberKind>>,
    /// Where changes of the active reflectors are published; dropped if the receiver is full.
    pub changes: mpsc::Sender<PoolEvent>,
    /// What is shown of the probing.
    pub metrics: ProbeMetrics,
}

impl Schedule {
    /// Spreads the probes of `wan` as configured, the first after `splay`.
    #[must_use]
    pub fn new(wan: &str, config: &ProbeConfig, splay: Duration) -> Self {
        Self {
            wan: wan.to_owned(),
            reflectors: config.reflectors.clone(),
            pool: PoolParams {
                reflectors: u16::try_from(config.reflectors.len()).unwrap_or(u16::MAX),
                active: config.active,
                builtin_spares: config.builtin_spares,
                rotation: config.rotation,
            },
            interval: config.interval,
            idle_interval: config.idle_interval,
            timeout: config.timeout,
            splay,
        }
    }

    /// Probes until `stop`.
    pub async fn run(
        self,
        prober: Arc<dyn Prober>,
        clock: Clock,
        ends: Ends,
        stop: CancellationToken,
    ) {
        let Ends { samples, mut pace, prober_kind, changes, mut metrics } = ends;
        let mut pool = Pool::new(self.pool, clock.now());
        metrics.active(pool.active());
        let (results, mut outcomes) = mpsc::channel::<RttSample>(FATES);
        let in_flight = TaskTracker::new();
        let mut idle_rtt = vec![IdleRtt::default(); self.reflectors.len()];
        let mut due = Instant::now() + self.splay;
        let mut routes_due = clock.now();
        let mut dead = Vec::new();
        let mut sequence: u64 = 0;
        loop {
            // All of these may be dropped and begun anew without loss.
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = outcomes.recv() => {
                    if let (ProbeOutcome::Reply(rtt), Some(idle_rtt)) =
                        (ended.outcome, idle_rtt.get_mut(usize::from(ended.reflector.0)))
                    {
                        idle_rtt.learn(rtt, ended.at);
                    }
                    let event = pool.learn(ended.reflector, ended.sequence, ended.outcome);
                    self.publish(event, &pool, &metrics, &changes);
                    metrics.one_way(ended.reflector, prober.measures_one_way(ended.reflector));
                    continue;
                }
                // The control loop may end first; the pace is then what it was.
                Ok(()) = pace.changed() => {
                    let soon = Instant::now() + self.gap(*pace.borrow_and_update(), &*prober);
                    due = due.min(soon);
                    continue;
                }
                () = sleep_until(due) => {}
            }
            let gap = self.gap(*pace.borrow(), &*prober);
            due += gap;
            // A burst of late probes would be a queue of our own making.
            if due <= Instant::now() {
                due = Instant::now() + gap;
            }
            metrics.interval(gap);
            if let Some(report) = prober.report() {
                metrics.method(&report);
                prober_kind.send_if_modified(|reported| {
                    reported.replace(report.kind) != Some(report.kind)
                });
            }
            let now = clock.now();
            self.publish(pool.review(now), &pool, &metrics, &changes);
            if now >= routes_due {
                routes_due = now + ROUTES;
                for event in pool.route(|id| prober.reaches(id), now) {
                    self.publish(Some(event), &pool, &metrics, &changes);
                }
                self.report_dead(&mut dead, pool.dead(), &*prober);
            }
            let reflector = pool.next(now);
            sequence += 1;
            let idle_rtt = idle_rtt.get(usize::from(reflector.0)).copied().unwrap_or_default();
            let reply_timeout = idle_rtt.reply_timeout(self.timeout);
            // The turn of a spare is a trial already.
            let may_take = pool.active().contains(&reflector);
            let background_task = may_take
                .then(|| Arc::clone(&prober).background_task(reflector, sequence, reply_timeout))
                .flatten();
            if let Some(background_task) = background_task {
                in_flight.spawn(background_task);
                continue;
            }
            let probe = Probe {
                prober: Arc::clone(&prober),
                reflector,
                sequence,
                clock,
                samples: samples.clone(),
                results: results.clone(),
                stop: stop.clone(),
            };
            in_flight.spawn(probe.run(reply_timeout));
        }
        in_flight.close();
        in_flight.wait().await;
    }

    /// The time to the next turn.
    fn gap(&self, pace: Pace, prober: &dyn Prober) -> Duration {
        let wanted = match pace {
            Pace::Full => self.interval,
            Pace::Idle => self.idle_interval,
        };
        wanted.max(prober.least_interval())
    }

    fn publish(
        &self,
        event: Option<PoolEvent>,
        pool: &Pool,
        metrics: &ProbeMetrics,
        changes: &mpsc::Sender<PoolEvent>,
    ) {
        let Some(event) = event else { return };
        metrics.active(pool.active());
        metrics.event(&event);
        let _ = changes.try_send(event);
        let wan = &self.wan;
        match event {
            PoolEvent::Replaced { reflector, by, fault } => {
                let (reflector, by) = (self.address(reflector), self.address(by));
                info!(%wan, %reflector, %by, ?fault, "a spare replaced an active reflector");
            }
            PoolEvent::Returned(reflector) => {
                let reflector = self.address(reflector);
                info!(%wan, %reflector, "a replaced reflector answers reliably again");
            }
        }
    }

    /// Logs once which reflectors are dead, and whenever they become others.
    fn report_dead(
        &self,
        before: &mut Vec<ReflectorId>,
        dead: Vec<ReflectorId>,
        prober: &dyn Prober,
    ) {
        if *before == dead {
            return;
        }
        let wan = &self.wan;
        for id in dead.iter().filter(|id| !before.contains(id)) {
            let reflector = self.address(*id);
            warn!(%wan, %reflector, "a reflector does not answer although others do");
        }
        prober.note_dead(&dead);
        *before = dead;
    }

    fn address(&self, reflector: ReflectorId) -> String {
        let address = self.reflectors.get(usize::from(reflector.0));
        address.map_or_else(|| reflector.0.to_string(), ToString::to_string)
    }
}

/// One probe from its sending to its last fate.
struct Probe {
    prober: Arc<dyn Prober>,
    reflector: ReflectorId,
    sequence: u64,
    clock: Clock,
    samples: mpsc::Sender<RttSample>,
    results: mpsc::Sender<RttSample>,
    stop: CancellationToken,
}

impl Probe {
    /// Reports the probe's fate: lost when its time is up, and a reply whenever it comes. A late
    /// one is reported after the loss, under the same sequence number.
    async fn run(self, reply_timeout: ReplyTimeout) {
        let mut ended = pin!(self.prober.probe(self.reflector, self.sequence, reply_timeout));
        if let Ok(answer) = timeout(reply_timeout.lost_after, &mut ended).await {
            return self.publish(&answer);
        }
        self.publish(&ProbeOutcome::Lost.into());
        // A request to the router must not be cut off.
        let may_stop = self.prober.may_be_abandoned();
        let late = tokio::select! {
            late = ended => late,
            () = self.stop.cancelled(), if may_stop => return,
        };
        if let ProbeOutcome::Reply(_) = late.outcome {
            self.publish(&late);
        }
    }

    fn publish(&self, answer: &ProbeResult) {
        if answer.outcome == ProbeOutcome::Unsent && answer.unsent.is_none() {
            // The turn was skipped, which says nothing.
            return;
        }
        let sample = RttSample {
            reflector: self.reflector,
            sequence: self.sequence,
            at: self.clock.now(),
            outcome: answer.outcome,
            one_way: answer.one_way,
        };
        // Full means that the control loop has stopped taking.
        let _ = self.samples.try_send(sample);
        let _ = self.results.try_send(sample);
    }
}

#[cfg(test)]
mod tests;
