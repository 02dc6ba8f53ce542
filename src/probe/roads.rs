//! The roads of one WAN: probes go by the one that is chosen, and now and then one by another.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};

use super::{Answer, Prober, Road, RoadReason, RoadReport, choice::Choice};
use crate::{
    clock::Clock,
    control::{ProbeOutcome, ReflectorId},
};

/// A road, and who asks by it.
pub type Way = (Road, Arc<dyn Prober>);

/// Asks the reflectors of one WAN by the best road that is answered.
#[derive(Debug)]
pub struct Roads {
    wan: String,
    clock: Clock,
    ways: Vec<Way>,
    choice: Mutex<Choice>,
}

impl Roads {
    /// Takes the ways of `wan`, the best first. A first road that this host refuses is not
    /// waited for.
    #[must_use]
    pub fn new(wan: &str, clock: Clock, ways: Vec<Way>) -> Self {
        let is_refused = ways.len() > 1 && is_refused(&ways);
        let choice = Choice::new(ways.len(), usize::from(is_refused), clock.now());
        let roads = Self { wan: wan.to_owned(), clock, ways, choice: Mutex::new(choice) };
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
        timeout: Duration,
    ) {
        let Some((_, prober)) = self.ways.get(road) else { return };
        let answer = prober.probe(reflector, sequence, timeout).await;
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
        timeout: Duration,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let current = self.choice().current();
            let Some((_, prober)) = self.ways.get(current) else {
                return ProbeOutcome::Unsent.into();
            };
            let answer = prober.probe(reflector, sequence, timeout).await;
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
        timeout: Duration,
    ) -> Option<BoxFuture<'static, ()>> {
        let trial = self.choice().trial(self.clock.now());
        if let Some(road) = trial {
            return Some(Box::pin(async move {
                self.try_road(road, reflector, sequence, timeout).await;
            }));
        }
        let (_, prober) = self.current()?;
        Arc::clone(prober).errand(reflector, sequence, timeout)
    }

    fn least_interval(&self) -> Duration {
        self.current().map_or(Duration::ZERO, |(_, prober)| prober.least_interval())
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
        Some(RoadReport { road: *road, reason, fault, reopened })
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
        fn probe(&self, _: ReflectorId, _: u64, _: Duration) -> BoxFuture<'_, Answer> {
            Box::pin(async { ProbeOutcome::Unsent.into() })
        }

        fn report(&self) -> Option<RoadReport> {
            let (road, reason) = (Road::Icmp, RoadReason::NotPermitted);
            Some(RoadReport { road, reason, fault: None, reopened: 0 })
        }
    }

    #[derive(Debug)]
    struct Mute;

    impl Prober for Mute {
        fn probe(&self, _: ReflectorId, _: u64, _: Duration) -> BoxFuture<'_, Answer> {
            Box::pin(async { ProbeOutcome::Lost.into() })
        }

        fn least_interval(&self) -> Duration {
            Duration::from_millis(100)
        }
    }

    fn roads(ways: Vec<Way>) -> Roads {
        Roads::new("cable", Clock::start(), ways)
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
    fn a_lone_road_is_the_configured_one_even_if_it_is_refused() {
        let roads = roads(vec![(Road::Icmp, Arc::new(Refused))]);
        assert_eq!(roads.report().unwrap().reason, RoadReason::Configured);
    }
}
