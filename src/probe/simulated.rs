//! Probes over the simulated links of the demo.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::time::sleep;
use wanctl_core::{ProbeOutcome, ReflectorId};
use wanctl_lab::world::World;

use super::{ProbeResult, Prober, ReplyTimeout};

/// How often the simulation is asked for a reply. The round-trip time that it reports is the
/// link's own, whenever it is read.
const POLL_INTERVAL: Duration = Duration::from_millis(4);

/// Returns a prober of the link with this number.
#[must_use]
pub fn prober(world: &World, link: usize) -> Arc<dyn Prober> {
    Arc::new(SimulatedProber { world: world.clone(), link })
}

#[derive(Debug)]
struct SimulatedProber {
    world: World,
    link: usize,
}

impl Prober for SimulatedProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        _sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let Some(probe) = self.world.send_probe(self.link, reflector, reply_timeout.longest)
            else {
                return ProbeOutcome::Unsent.into();
            };
            loop {
                sleep(POLL_INTERVAL).await;
                if let Some(outcome) = self.world.probe_outcome(self.link, probe) {
                    return outcome.into();
                }
            }
        })
    }
}
