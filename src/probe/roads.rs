//! The roads of one WAN: probes go by the one that is chosen, and now and then one by another.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};
use wanctl_core::{ProbeOutcome, ReflectorId};

use super::{Answer, Patience, Prober, Road, RoadReason, RoadReport, choice::Choice};
use crate::clock::Clock;

/// A road, and who asks by it.
pub type Way = (Road, Arc<dyn Prober>);

/// Asks the reflectors of one WAN by the best road that is answered.
#[derive(Debug)]
pub struct Roads {
    wan: String,
    clock: Clock,
    reflectors: Vec<IpAddr>,
    ways: Vec<Way>,
    choice: Mutex<Choice>,
    dead: Mutex<Vec<IpAddr>>,
}

impl Roads {
    /// Takes the ways to the `reflectors` of `wan`, the best first. A first road that this host refuses is not
    /// waited for.
    #[must_use]
    pub fn new(wan: &str, clock: Clock, reflectors: Vec<IpAddr>, ways: Vec<Way>) -> Self {
        let is_refused = ways.len() > 1 && is_refused(&ways);
        let choice = Choice::new(ways.len(), usize::from(is_refused), clock.now());
        let (choice, dead) = (Mutex::new(choice), Mutex::default());
        let roads = Self { wan: wan.to_owned(), clock, reflectors, ways, choice, dead };
        if is_refused {
            roads.say();
        }
        roads
    }

    fn choice(&self) -> MutexGuard<'_, Choice> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<&Way> {
        let current = self.choice().current();
        self.ways.get(current)
    }

    fn say(&self) {
        let Some(report) = self.report() else { return };
        let (wan, road, reason) = (&self.wan, report.road.name(), report.reason.explain());
        match report.reason {
            RoadReason::Best | RoadReason::Configured => {
                info!(%wan, road, reason, "the delay is measured by this road");
            }
            RoadReason::NotPermitted | RoadReason::Unanswered => {
                warn!(%wan, road, reason, "the delay is measured by this road");
            }
        }
    }

    async fn try_road(
        &self,
        road: usize,
        reflector: ReflectorId,
        sequence: u64,
        patience: Patience,
    ) {
        let Some((_, prober)) = self.ways.get(road) else { return };
        let answer = prober.probe(reflector, sequence, patience).await;
        if matches!(answer.outcome, ProbeOutcome::Reply(_)) {
            let moved = self.choice().trial_answered(road, self.clock.now());
            if moved {
                self.say();
            }
        }
    }
}

fn is_refused(ways: &[Way]) -> bool {
    let first = ways.first().and_then(|(_, prober)| prober.report());
    first.is_some_and(|report| report.reason == RoadReason::NotPermitted)
}

impl Prober for Roads {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        patience: Patience,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let current = self.choice().current();
            let Some((_, prober)) = self.ways.get(current) else {
                return ProbeOutcome::Unsent.into();
            };
            let answer = prober.probe(reflector, sequence, patience).await;
            if matches!(answer.outcome, ProbeOutcome::Reply(_)) {
                self.choice().heard(current, self.clock.now());
            }
            answer
        })
    }

    fn errand(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        patience: Patience,
    ) -> Option<BoxFuture<'static, ()>> {
        let trial = self.choice().trial(self.clock.now());
        if let Some(road) = trial {
            return Some(Box::pin(async move {
                self.try_road(road, reflector, sequence, patience).await;
            }));
        }
        let (_, prober) = self.current()?;
        Arc::clone(prober).errand(reflector, sequence, patience)
    }

    fn least_interval(&self) -> Duration {
        self.current().map_or(Duration::ZERO, |(_, prober)| prober.least_interval())
    }

    fn reaches(&self, reflector: ReflectorId) -> bool {
        self.current().is_some_and(|(_, prober)| prober.reaches(reflector))
    }

    fn may_be_abandoned(&self) -> bool {
        // A trial of another road may be under way.
        self.ways.iter().all(|(_, prober)| prober.may_be_abandoned())
    }

    fn note_dead(&self, reflectors: &[ReflectorId]) {
        let address = |id: &ReflectorId| self.reflectors.get(usize::from(id.0)).copied();
        let dead = reflectors.iter().filter_map(address).collect();
        *self.dead.lock().unwrap_or_else(PoisonError::into_inner) = dead;
    }

    fn report(&self) -> Option<RoadReport> {
        let current = self.choice().current();
        let (road, prober) = self.ways.get(current)?;
        let reason = match (self.ways.len(), current) {
            (1, _) => RoadReason::Configured,
            (_, 0) => RoadReason::Best,
            _ if is_refused(&self.ways) => RoadReason::NotPermitted,
            _ => RoadReason::Unanswered,
        };
        let own = prober.report();
        let fault = own.as_ref().and_then(|own| own.fault.clone());
        let reopened = own.map_or(0, |own| own.reopened);
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(RoadReport { road: *road, reason, fault, reopened, dead })
    }

    fn tells_directions(&self, reflector: ReflectorId) -> bool {
        self.current().is_some_and(|(_, prober)| prober.tells_directions(reflector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Refused;

    impl Prober for Refused {
        fn probe(&self, _: ReflectorId, _: u64, _: Patience) -> BoxFuture<'_, Answer> {
            Box::pin(async { ProbeOutcome::Unsent.into() })
        }

        fn report(&self) -> Option<RoadReport> {
            let (road, reason) = (Road::Icmp, RoadReason::NotPermitted);
            Some(RoadReport { road, reason, fault: None, reopened: 0, dead: Vec::new() })
        }
    }

    #[derive(Debug)]
    struct Mute;

    impl Prober for Mute {
        fn probe(&self, _: ReflectorId, _: u64, _: Patience) -> BoxFuture<'_, Answer> {
            Box::pin(async { ProbeOutcome::Lost.into() })
        }

        fn least_interval(&self) -> Duration {
            Duration::from_millis(100)
        }
    }

    fn roads(ways: Vec<Way>) -> Roads {
        Roads::new("cable", Clock::start(), vec![IpAddr::from([192, 0, 2, 1])], ways)
    }

    #[test]
    fn a_road_that_is_refused_is_not_waited_for_and_the_other_sets_the_pace() {
        let roads = roads(vec![(Road::Icmp, Arc::new(Refused)), (Road::Tcp, Arc::new(Mute))]);
        let report = roads.report().unwrap();
        assert_eq!((report.road, report.reason), (Road::Tcp, RoadReason::NotPermitted));
        assert_eq!(roads.least_interval(), Duration::from_millis(100));
        let [note] = &report.notes()[..] else { panic!("{report:?}") };
        assert!(note.contains("by way of tcp"), "{note}");
    }

    #[test]
    fn reflectors_that_are_dead_are_named() {
        let roads = roads(vec![(Road::Icmp, Arc::new(Mute))]);
        roads.note_dead(&[ReflectorId(0)]);
        let [note] = &roads.report().unwrap().notes()[..] else { panic!("{roads:?}") };
        assert!(note.contains("reflector 192.0.2.1 does not answer"), "{note}");
        roads.note_dead(&[]);
        assert_eq!(roads.report().unwrap().notes(), Vec::<String>::new());
    }

    #[test]
    fn a_lone_road_is_the_configured_one_even_if_it_is_refused() {
        let roads = roads(vec![(Road::Icmp, Arc::new(Refused))]);
        assert_eq!(roads.report().unwrap().reason, RoadReason::Configured);
    }
}
