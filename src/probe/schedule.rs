//! The schedule of one WAN's probes: evenly spaced, each to the next reflector.
//!
//! One reply about every interval means that a queue is seen within one interval plus its own
//! delay, and that no reflector hears from us more often than (interval × active reflectors). A
//! turn is one packet, whatever it is for, so the interval keeps the budget of packets as well.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;

use super::{Pace, Pool, PoolEvent, PoolParams, ProbeMetrics, Prober, Road};
use crate::{
    clock::Clock,
    config::ProbeConfig,
    control::{ReflectorId, RttSample},
};

/// Fates that may wait for the schedule: far more than are under way at once.
const FATES: usize = 256;

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
    /// Time after which a probe is lost.
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
    /// Where it is left by which road the probes go.
    pub road: watch::Sender<Option<Road>>,
    /// Where it is told who takes turns; what nobody takes is dropped.
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
        let Ends { samples, mut pace, road, changes, mut metrics } = ends;
        let mut pool = Pool::new(self.pool, clock.now());
        metrics.active(pool.active());
        let (teller, mut fates) = mpsc::channel::<RttSample>(FATES);
        let underway = TaskTracker::new();
        let mut due = Instant::now() + self.splay;
        let mut sequence: u64 = 0;
        loop {
            // All of these may be dropped and begun anew without loss.
            tokio::select! {
                () = stop.cancelled() => break,
                Some(fate) = fates.recv() => {
                    let event = pool.learn(fate.reflector, fate.sequence, fate.outcome);
                    self.tell(event, &pool, &metrics, &changes);
                    metrics.one_way(fate.reflector, prober.tells_directions(fate.reflector));
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
                metrics.road(&report);
                road.send_if_modified(|told| told.replace(report.road) != Some(report.road));
            }
            let now = clock.now();
            self.tell(pool.review(now), &pool, &metrics, &changes);
            let reflector = pool.next(now);
            sequence += 1;
            let timeout = self.timeout;
            // The turn of a spare is a trial already.
            let may_take = pool.active().contains(&reflector);
            let errand = may_take
                .then(|| Arc::clone(&prober).errand(reflector, sequence, timeout))
                .flatten();
            if let Some(errand) = errand {
                underway.spawn(errand);
                continue;
            }
            let (prober, samples, teller) = (Arc::clone(&prober), samples.clone(), teller.clone());
            // Not stopped with the schedule: a probe may be a request to the router, which must
            // not be cut off.
            underway.spawn(async move {
                let answer = prober.probe(reflector, sequence, timeout).await;
                let (outcome, one_way) = (answer.outcome, answer.one_way);
                let sample = RttSample { reflector, sequence, at: clock.now(), outcome, one_way };
                // Full means that the control loop has stopped taking.
                let _ = samples.try_send(sample);
                let _ = teller.try_send(sample);
            });
        }
        underway.close();
        underway.wait().await;
    }

    /// The time to the next turn.
    fn gap(&self, pace: Pace, prober: &dyn Prober) -> Duration {
        let wanted = match pace {
            Pace::Full => self.interval,
            Pace::Idle => self.idle_interval,
        };
        wanted.max(prober.least_interval())
    }

    fn tell(
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
                info!(%wan, %reflector, %by, ?fault, "another reflector takes its turns");
            }
            PoolEvent::Returned(reflector) => {
                let reflector = self.address(reflector);
                info!(%wan, %reflector, "a reflector answers well again");
            }
        }
    }

    fn address(&self, reflector: ReflectorId) -> String {
        let address = self.reflectors.get(usize::from(reflector.0));
        address.map_or_else(|| reflector.0.to_string(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests;
