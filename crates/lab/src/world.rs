//! Simulated WANs in real time, behind an emulated router's queues and in front of our probes.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use wanctl_core::{Direction, ProbeOutcome, ReflectorId, units::BitRate};

use super::{
    link::{Link, SPREAD},
    plant::{Egress, Plant, PlantReading},
    traffic::SensitiveConnections,
};

/// Returns the time since the start of the world.
type Elapsed = dyn Fn() -> Duration + Send + Sync;

/// Links that live in real time. They need no task: every access advances them.
#[derive(Clone)]
pub struct World {
    elapsed: Arc<Elapsed>,
    links: Arc<Vec<(WorldQueues, Mutex<Link>)>>,
    routing: Arc<Mutex<DemoRouting>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("links", &self.links).finish_non_exhaustive()
    }
}

/// The latency-sensitive connections, and the link that new ones use.
#[derive(Debug)]
struct DemoRouting {
    connections: SensitiveConnections,
    sensitive: Option<usize>,
}

/// A latency-sensitive connection begins this often, and lasts so long.
const CALL_EVERY: Duration = Duration::from_secs(1);
const CALL_LASTS: Duration = Duration::from_secs(8);

/// Names of a link's queues on the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorldQueues {
    /// The queue that shapes the download.
    pub download: String,
    /// The queue that shapes the upload.
    pub upload: String,
    /// The gateway by which routes lead over it.
    pub gateway: String,
}

impl WorldQueues {
    fn direction(&self, queue: &str) -> Option<Direction> {
        if queue == self.download {
            Some(Direction::Download)
        } else {
            (queue == self.upload).then_some(Direction::Upload)
        }
    }
}

impl World {
    /// Starts `links`, whose time since the start `elapsed` returns.
    #[must_use]
    pub fn new(
        elapsed: impl Fn() -> Duration + Send + Sync + 'static,
        links: Vec<(WorldQueues, Link)>,
    ) -> Self {
        let links = links.into_iter().map(|(queues, link)| (queues, Mutex::new(link)));
        let routing = DemoRouting {
            connections: SensitiveConnections::new(CALL_EVERY, CALL_LASTS),
            sensitive: None,
        };
        Self {
            elapsed: Arc::new(elapsed),
            links: Arc::new(links.collect()),
            routing: Arc::new(Mutex::new(routing)),
        }
    }

    /// Sends a probe over the link with this number to `reflector`, which is lost after `timeout`.
    /// Returns the number of the probe, or `None` if there is no such link.
    #[must_use]
    pub fn send_probe(
        &self,
        link: usize,
        reflector: ReflectorId,
        timeout: Duration,
    ) -> Option<u64> {
        let further = SPREAD * u32::from(reflector.0);
        let (_, link) = self.links.get(link)?;
        Some(self.moved_on(link).send_probe(further, timeout))
    }

    /// Returns the outcome of a probe that was sent over the link with this number, once there is one.
    #[must_use]
    pub fn probe_outcome(&self, link: usize, probe: u64) -> Option<ProbeOutcome> {
        let (_, link) = self.links.get(link)?;
        Some(self.moved_on(link).probed(probe)?.outcome)
    }

    /// Returns the time since the world began.
    #[must_use]
    pub fn now(&self) -> Duration {
        (self.elapsed)()
    }

    /// Counts the latency-sensitive connections on the link with this number.
    #[must_use]
    pub fn connections_on(&self, link: usize) -> u32 {
        self.advance_connections();
        self.routing.lock().unwrap_or_else(PoisonError::into_inner).connections.on(link)
    }

    fn link_of(&self, queue: &str) -> Option<(MutexGuard<'_, Link>, Direction)> {
        self.links.iter().find_map(|(queues, link)| {
            let direction = queues.direction(queue)?;
            Some((self.moved_on(link), direction))
        })
    }

    fn link_by(&self, gateway: Option<&String>) -> Option<usize> {
        self.links.iter().position(|(names, _)| Some(&names.gateway) == gateway)
    }

    fn advance_connections(&self) {
        let mut routing = self.routing.lock().unwrap_or_else(PoisonError::into_inner);
        let sensitive = routing.sensitive;
        routing.connections.advance((self.elapsed)(), sensitive);
        for (number, (_, link)) in self.links.iter().enumerate() {
            self.moved_on(link).set_calls(routing.connections.on(number));
        }
    }

    /// A panic in the middle of a step would leave a link that is a little wrong, no more.
    fn moved_on<'a>(&self, link: &'a Mutex<Link>) -> MutexGuard<'a, Link> {
        let mut link = link.lock().unwrap_or_else(PoisonError::into_inner);
        link.advance_to((self.elapsed)());
        link
    }
}

impl Plant for World {
    fn set_limit(&self, queue: &str, limit: BitRate) {
        if let Some((mut link, direction)) = self.link_of(queue) {
            link.set_limit(direction, limit);
        }
    }

    fn route(&self, egress: &Egress) {
        let default_route = self.link_by(egress.default_route.as_ref());
        for (number, (_, link)) in self.links.iter().enumerate() {
            // Only the users of the first link move, to the link of the default route.
            let away = default_route.is_some_and(|link| link != 0);
            let own = number != 0 || !away;
            self.moved_on(link).set_present(own, away && default_route == Some(number));
        }
        let mut routing = self.routing.lock().unwrap_or_else(PoisonError::into_inner);
        routing.sensitive = self.link_by(egress.sensitive.as_ref());
    }

    fn reading(&self, queue: &str) -> PlantReading {
        self.advance_connections();
        let link = self.link_of(queue);
        link.map_or_else(PlantReading::default, |(link, direction)| link.reading(direction))
    }
}
