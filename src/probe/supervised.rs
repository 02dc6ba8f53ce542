//! Sockets that outlive their interface: opened anew when nothing can be sent.
//!
//! An interface that vanished and came back is another one to the kernel, and a socket tied to
//! the old one stays mute for ever.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};

use super::{Answer, IcmpError, Prober, Road, RoadReason, RoadReport, reopening::Reopening};
use crate::{
    clock::Clock,
    control::{ProbeOutcome, ReflectorId},
};

type Open = dyn Fn() -> Result<Arc<dyn Prober>, IcmpError> + Send + Sync;

/// The ICMP probes of one WAN, with sockets that are opened anew when nothing can be sent.
pub struct Supervised {
    wan: String,
    clock: Clock,
    open: Box<Open>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    prober: Option<Arc<dyn Prober>>,
    reopening: Reopening,
    /// Why nothing can be sent, once that was told.
    fault: Option<String>,
    is_refused: bool,
    reopened: u64,
}

impl fmt::Debug for Supervised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervised").field("wan", &self.wan).finish_non_exhaustive()
    }
}

impl Supervised {
    /// Opens the sockets of `wan` by `open`, now and whenever it seems necessary. What fails is
    /// told and tried again.
    pub fn start(
        wan: &str,
        clock: Clock,
        open: impl Fn() -> Result<Arc<dyn Prober>, IcmpError> + Send + Sync + 'static,
    ) -> Self {
        let supervised =
            Self { wan: wan.to_owned(), clock, open: Box::new(open), state: Mutex::default() };
        supervised.open_anew(&mut supervised.state());
        supervised
    }

    /// Tells whether this host has refused the sockets, so that no waiting helps.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.state().is_refused
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_anew(&self, state: &mut State) {
        let wan = &self.wan;
        // The old ones go first: there may be a limit.
        state.prober = None;
        let fault = match (self.open)() {
            Ok(prober) => {
                state.prober = Some(prober);
                state.is_refused = false;
                return;
            }
            Err(error) => {
                state.is_refused = matches!(error, IcmpError::NotPermitted);
                error.to_string()
            }
        };
        if state.fault.is_none() {
            warn!(%wan, error = fault, "no probe can be sent; trying again");
        }
        state.fault = Some(fault);
    }

    /// The sockets, if they are open or can be opened.
    fn ready(&self) -> Option<Arc<dyn Prober>> {
        let mut state = self.state();
        if state.prober.is_none() && state.reopening.failed(self.clock.now()) {
            state.reopened += 1;
            self.open_anew(&mut state);
        }
        state.prober.clone()
    }

    fn learn(&self, outcome: ProbeOutcome) {
        let wan = &self.wan;
        let now = self.clock.now();
        let mut state = self.state();
        match outcome {
            ProbeOutcome::Reply(_) | ProbeOutcome::Lost => {
                let outage = state.reopening.sent(now);
                if let (Some(_), Some(outage)) = (state.fault.take(), outage) {
                    let seconds = outage.as_secs();
                    info!(%wan, seconds, "probes can be sent again");
                }
            }
            ProbeOutcome::Unsent => {
                if state.reopening.failed(now) {
                    if state.fault.is_none() {
                        let fault = "the operating system refuses them: no route, or the \
                                     interface or address is gone";
                        warn!(%wan, error = fault, "no probe can be sent; trying again");
                        state.fault = Some(fault.to_owned());
                    }
                    state.reopened += 1;
                    self.open_anew(&mut state);
                }
            }
        }
    }
}

impl Prober for Supervised {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let Some(prober) = self.ready() else { return ProbeOutcome::Unsent.into() };
            let answer = prober.probe(reflector, sequence, timeout).await;
            self.learn(answer.outcome);
            answer
        })
    }

    fn errand(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> Option<BoxFuture<'static, ()>> {
        let prober = self.state().prober.clone()?;
        prober.errand(reflector, sequence, timeout)
    }

    fn report(&self) -> Option<RoadReport> {
        let state = self.state();
        let reason =
            if state.is_refused { RoadReason::NotPermitted } else { RoadReason::Configured };
        let (fault, reopened) = (state.fault.clone(), state.reopened);
        Some(RoadReport { road: Road::Icmp, reason, fault, reopened })
    }

    fn tells_directions(&self, reflector: ReflectorId) -> bool {
        let prober = self.state().prober.clone();
        prober.is_some_and(|prober| prober.tells_directions(reflector))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    };

    use super::*;
    use crate::units::Delay;

    /// Sockets of an interface that comes and goes; those opened before it came back are mute.
    #[derive(Debug, Default)]
    struct Interface {
        is_there: AtomicBool,
        generation: AtomicU32,
    }

    #[derive(Debug)]
    struct Socket(Arc<Interface>, u32);

    impl Prober for Socket {
        fn probe(&self, _: ReflectorId, _: u64, _: Duration) -> BoxFuture<'_, Answer> {
            let sent = self.0.is_there.load(Relaxed) && self.0.generation.load(Relaxed) == self.1;
            let reply = ProbeOutcome::Reply(Delay::from_micros(1000));
            Box::pin(async move { if sent { reply } else { ProbeOutcome::Unsent }.into() })
        }
    }

    fn supervised(interface: &Arc<Interface>) -> Supervised {
        let interface = Arc::clone(interface);
        Supervised::start("cable", Clock::start(), move || {
            if interface.is_there.load(Relaxed) {
                let generation = interface.generation.load(Relaxed);
                Ok(Arc::new(Socket(Arc::clone(&interface), generation)))
            } else {
                let source = io::ErrorKind::NotFound.into();
                Err(IcmpError::Bind { bind: "interface lte0".to_owned(), source })
            }
        })
    }

    fn sent(supervised: &Supervised) -> bool {
        let probe = supervised.probe(ReflectorId(0), 1, Duration::from_secs(1));
        let outcome = futures_util::FutureExt::now_or_never(probe).unwrap().outcome;
        outcome != ProbeOutcome::Unsent
    }

    #[test]
    fn an_interface_that_is_absent_at_the_start_is_told_and_waited_for() {
        let interface = Arc::new(Interface::default());
        let supervised = supervised(&interface);
        assert!(!sent(&supervised));
        let fault = supervised.report().unwrap().fault.unwrap();
        assert!(fault.contains("interface lte0"), "{fault}");
        assert!(!supervised.is_refused());
    }

    #[test]
    fn sockets_of_an_interface_that_was_made_anew_are_opened_anew() {
        let interface = Arc::new(Interface::default());
        interface.is_there.store(true, Relaxed);
        let supervised = supervised(&interface);
        assert!(sent(&supervised));
        interface.generation.fetch_add(1, Relaxed);
        assert!(!sent(&supervised));
        // The wait is reopening's own affair; here it is over.
        supervised.open_anew(&mut supervised.state());
        assert!(sent(&supervised));
        assert_eq!(supervised.report().unwrap().fault, None);
    }
}
