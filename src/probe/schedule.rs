//! The schedule of one WAN's probes: evenly spaced, each to the next reflector.
//!
//! One reply about every interval means that a queue is seen within one interval plus its own
//! delay, and that no reflector hears from us more often than (interval × reflectors).

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Prober;
use crate::{
    clock::Clock,
    control::{ReflectorId, RttSample},
};

/// How a WAN's probes are spread.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// How many reflectors take turns (1 or more).
    pub reflectors: u16,
    /// Time between two probes.
    pub interval: Duration,
    /// Time after which a probe is lost.
    pub timeout: Duration,
    /// Delay of the first probe, so that several WANs do not probe in the same instant.
    pub splay: Duration,
}

impl Schedule {
    /// Probes until `stop`. Outcomes go to `samples`; when nobody takes them they are dropped,
    /// because an old delay is worth nothing.
    pub async fn run(
        self,
        prober: Arc<dyn Prober>,
        clock: Clock,
        samples: mpsc::Sender<RttSample>,
        stop: CancellationToken,
    ) {
        let mut ticks = interval_at(Instant::now() + self.splay, self.interval);
        // A burst of late probes would be a queue of our own making.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let underway = TaskTracker::new();
        let turns = (0..self.reflectors.max(1)).cycle();
        for (sequence, turn) in (1..).zip(turns) {
            // Both futures may be dropped and begun anew without loss.
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            let (prober, samples) = (Arc::clone(&prober), samples.clone());
            // Not stopped with the schedule: a probe may be a request to the router, which must
            // not be cut off.
            underway.spawn(async move {
                let reflector = ReflectorId(turn);
                let outcome = prober.probe(reflector, sequence, self.timeout).await;
                let sample =
                    RttSample { reflector, sequence, at: clock.now(), outcome, one_way: None };
                // Full means that the control loop has stopped taking: see above.
                let _ = samples.try_send(sample);
            });
        }
        underway.close();
        underway.wait().await;
    }
}
