//! The probers of one WAN: probes go by the one that is chosen, and now and then one by another.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};
use wanctl_core::{ProbeOutcome, ReflectorId};

use super::{
    ProbeResult, Prober, ProberKind, ProberReason, ProberReport, ReplyTimeout,
    prober_selection::ProberSelection,
};
use crate::clock::Clock;

/// A kind, and who asks by it.
pub type ProberEntry = (ProberKind, Arc<dyn Prober>);

/// Asks the reflectors of one WAN by the best kind that is answered.
#[derive(Debug)]
pub struct Probers {
    wan: String,
    clock: Clock,
    reflectors: Vec<IpAddr>,
    entries: Vec<ProberEntry>,
    choice: Mutex<ProberSelection>,
    dead: Mutex<Vec<IpAddr>>,
}

impl Probers {
    /// Takes the entries to the `reflectors` of `wan`, the best first. A first kind that this host refuses is not
    /// waited for.
    #[must_use]
    pub fn new(
        wan: &str,
        clock: Clock,
        reflectors: Vec<IpAddr>,
        entries: Vec<ProberEntry>,
    ) -> Self {
        let is_refused = entries.len() > 1 && is_refused(&entries);
        let choice = ProberSelection::new(entries.len(), usize::from(is_refused), clock.now());
        let (choice, dead) = (Mutex::new(choice), Mutex::default());
        let probers = Self { wan: wan.to_owned(), clock, reflectors, entries, choice, dead };
        if is_refused {
            probers.log_change();
        }
        probers
    }

    fn choice(&self) -> MutexGuard<'_, ProberSelection> {
        self.choice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<&ProberEntry> {
        let current = self.choice().current();
        self.entries.get(current)
    }

    fn log_change(&self) {
        let Some(report) = self.report() else { return };
        let (wan, method, reason) = (&self.wan, report.kind.name(), report.reason.explain());
        match report.reason {
            ProberReason::Best | ProberReason::Configured => {
                info!(%wan, method, reason, "the delay is measured by this method");
            }
            ProberReason::NotPermitted | ProberReason::Unanswered => {
                warn!(%wan, method, reason, "the delay is measured by this method");
            }
        }
    }

    async fn trial(
        &self,
        index: usize,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) {
        let Some((_, prober)) = self.entries.get(index) else { return };
        let answer = prober.probe(reflector, sequence, reply_timeout).await;
        if matches!(answer.outcome, ProbeOutcome::Reply(_)) {
            let moved = self.choice().trial_answered(index, self.clock.now());
            if moved {
                self.log_change();
            }
        }
    }
}

fn is_refused(entries: &[ProberEntry]) -> bool {
    let first = entries.first().and_then(|(_, prober)| prober.report());
    first.is_some_and(|report| report.reason == ProberReason::NotPermitted)
}

impl Prober for Probers {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let current = self.choice().current();
            let Some((_, prober)) = self.entries.get(current) else {
                return ProbeOutcome::Unsent.into();
            };
            let answer = prober.probe(reflector, sequence, reply_timeout).await;
            if matches!(answer.outcome, ProbeOutcome::Reply(_)) {
                self.choice().answered(current, self.clock.now());
            }
            answer
        })
    }

    fn background_task(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> Option<BoxFuture<'static, ()>> {
        let trial = self.choice().trial(self.clock.now());
        if let Some(index) = trial {
            return Some(Box::pin(async move {
                self.trial(index, reflector, sequence, reply_timeout).await;
            }));
        }
        let (_, prober) = self.current()?;
        Arc::clone(prober).background_task(reflector, sequence, reply_timeout)
    }

    fn least_interval(&self) -> Duration {
        self.current().map_or(Duration::ZERO, |(_, prober)| prober.least_interval())
    }

    fn reaches(&self, reflector: ReflectorId) -> bool {
        self.current().is_some_and(|(_, prober)| prober.reaches(reflector))
    }

    fn may_be_abandoned(&self) -> bool {
        // A trial of another kind may be in flight.
        self.entries.iter().all(|(_, prober)| prober.may_be_abandoned())
    }

    fn note_dead(&self, reflectors: &[ReflectorId]) {
        let address = |id: &ReflectorId| self.reflectors.get(usize::from(id.0)).copied();
        let dead = reflectors.iter().filter_map(address).collect();
        *self.dead.lock().unwrap_or_else(PoisonError::into_inner) = dead;
    }

    fn report(&self) -> Option<ProberReport> {
        let current = self.choice().current();
        let (kind, prober) = self.entries.get(current)?;
        let reason = match (self.entries.len(), current) {
            (1, _) => ProberReason::Configured,
            (_, 0) => ProberReason::Best,
            _ if is_refused(&self.entries) => ProberReason::NotPermitted,
            _ => ProberReason::Unanswered,
        };
        let own = prober.report();
        let fault = own.as_ref().and_then(|own| own.fault.clone());
        let reopened = own.map_or(0, |own| own.reopened);
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Some(ProberReport { kind: *kind, reason, fault, reopened, dead })
    }

    fn measures_one_way(&self, reflector: ReflectorId) -> bool {
        self.current().is_some_and(|(_, prober)| prober.measures_one_way(reflector))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Refused;

    impl Prober for Refused {
        fn probe(&self, _: ReflectorId, _: u64, _: ReplyTimeout) -> BoxFuture<'_, ProbeResult> {
            Box::pin(async { ProbeOutcome::Unsent.into() })
        }

        fn report(&self) -> Option<ProberReport> {
            let (kind, reason) = (ProberKind::Icmp, ProberReason::NotPermitted);
            Some(ProberReport { kind, reason, fault: None, reopened: 0, dead: Vec::new() })
        }
    }

    #[derive(Debug)]
    struct Mute;

    impl Prober for Mute {
        fn probe(&self, _: ReflectorId, _: u64, _: ReplyTimeout) -> BoxFuture<'_, ProbeResult> {
            Box::pin(async { ProbeOutcome::Lost.into() })
        }

        fn least_interval(&self) -> Duration {
            Duration::from_millis(100)
        }
    }

    fn probers(entries: Vec<ProberEntry>) -> Probers {
        Probers::new("cable", Clock::start(), vec![IpAddr::from([192, 0, 2, 1])], entries)
    }

    #[test]
    fn a_refused_prober_is_not_waited_for_and_the_other_sets_the_pace() {
        let probers = probers(vec![
            (ProberKind::Icmp, Arc::new(Refused)),
            (ProberKind::TcpConnect, Arc::new(Mute)),
        ]);
        let report = probers.report().unwrap();
        assert_eq!(
            (report.kind, report.reason),
            (ProberKind::TcpConnect, ProberReason::NotPermitted)
        );
        assert_eq!(probers.least_interval(), Duration::from_millis(100));
        let [note] = &report.notes()[..] else { panic!("{report:?}") };
        assert!(note.contains("by tcp"), "{note}");
    }

    #[test]
    fn reflectors_that_are_dead_are_named() {
        let probers = probers(vec![(ProberKind::Icmp, Arc::new(Mute))]);
        probers.note_dead(&[ReflectorId(0)]);
        let [note] = &probers.report().unwrap().notes()[..] else { panic!("{probers:?}") };
        assert!(note.contains("reflector 192.0.2.1 does not answer"), "{note}");
        probers.note_dead(&[]);
        assert_eq!(probers.report().unwrap().notes(), Vec::<String>::new());
    }

    #[test]
    fn a_lone_prober_is_the_configured_one_even_if_it_is_refused() {
        let probers = probers(vec![(ProberKind::Icmp, Arc::new(Refused))]);
        assert_eq!(probers.report().unwrap().reason, ProberReason::Configured);
    }
}
