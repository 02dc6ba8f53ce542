//! Probes that outlive their interface: sockets are opened anew when nothing can be sent, and it
//! is known and reported why nothing can.
//!
//! An interface that vanished and came back is another one to the kernel, and a socket tied to
//! the old one stays mute for ever. Each address family has sockets of its own, so that one may
//! be absent or without a route while the other works.

use std::{
    fmt,
    net::IpAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tracing::{info, warn};
use wanctl_core::{ProbeOutcome, ReflectorId, units::MonoTime};

use super::{
    Bind, Family, IcmpError, ProbeConfig, ProbeResult, Prober, ProberKind, ProberReason,
    ProberReport, ReplyTimeout, route, socket_health::SocketHealth,
};
use crate::clock::Clock;

type Open = dyn Fn(Family) -> Result<Arc<dyn Prober>, IcmpError> + Send + Sync;

/// A host knows within this time that it cannot send a probe.
const KNOWN_WITHIN: Duration = Duration::from_millis(200);

/// The probes of one WAN by one prober, with sockets that are opened anew when nothing can be sent.
pub struct Supervised {
    wan: String,
    kind: ProberKind,
    clock: Clock,
    reflectors: Vec<IpAddr>,
    /// The end of the probes on this host; `None` if it is not on this host.
    bind: Option<Bind>,
    open: Box<Open>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: [Line; 2],
    /// What was reported last, and since when.
    fault: Option<(String, MonoTime)>,
    reopened: u64,
}

/// The probes of one address family.
#[derive(Debug, Default)]
struct Line {
    prober: Option<Arc<dyn Prober>>,
    sending: SocketHealth,
    is_refused: bool,
}

impl State {
    fn line(&mut self, family: Family) -> &mut Line {
        let [v4, v6] = &mut self.lines;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    /// Why no probe can be sent at present; `None` if one of any family can.
    fn fault_at(&self, now: MonoTime) -> Option<String> {
        if self.lines.iter().any(|line| line.sending.works(now)) {
            return None;
        }
        let faults: Vec<&str> =
            self.lines.iter().filter_map(|line| line.sending.fault(now)).collect();
        match faults[..] {
            [] => None,
            [first, second] if first == second => Some(first.to_owned()),
            _ => Some(faults.join("; ")),
        }
    }
}

impl fmt::Debug for Supervised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervised").field("wan", &self.wan).finish_non_exhaustive()
    }
}

impl Supervised {
    /// Opens the sockets of `wan` by `open`, for each family of its reflectors, now and whenever
    /// it seems necessary. What fails is reported and tried again.
    pub fn start(
        wan: &str,
        clock: Clock,
        config: &ProbeConfig,
        open: impl Fn(Family) -> Result<Arc<dyn Prober>, IcmpError> + Send + Sync + 'static,
    ) -> Self {
        let supervised = Self {
            wan: wan.to_owned(),
            kind: ProberKind::Icmp,
            clock,
            reflectors: config.reflectors.clone(),
            bind: Some(config.bind.clone()),
            open: Box::new(open),
            state: Mutex::default(),
        };
        let mut state = supervised.state();
        for family in supervised.families() {
            supervised.open_anew(&mut state, family);
        }
        supervised.report_change(&mut state);
        drop(state);
        supervised
    }

    /// Watches over a prober that needs no sockets opened beforehand.
    pub fn around(
        wan: &str,
        clock: Clock,
        config: &ProbeConfig,
        (kind, prober): (ProberKind, Arc<dyn Prober>),
    ) -> Self {
        let is_here = kind != ProberKind::RouterPing;
        let bind = is_here.then(|| config.bind.clone());
        let open = move |_| Ok(Arc::clone(&prober));
        Self { kind, bind, ..Self::start(wan, clock, config, open) }
    }

    /// Returns whether this host has refused all sockets, so that waiting does not help.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        let mut state = self.state();
        let is_open = state.lines.iter().any(|line| line.prober.is_some());
        !is_open && self.families().any(|family| state.line(family).is_refused)
    }

    fn families(&self) -> impl Iterator<Item = Family> {
        let known =
            |family: &Family| self.reflectors.iter().any(|address| Family::of(*address) == *family);
        Family::ALL.into_iter().filter(known)
    }

    fn family(&self, reflector: ReflectorId) -> Option<Family> {
        self.reflectors.get(usize::from(reflector.0)).map(|address| Family::of(*address))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_anew(&self, state: &mut State, family: Family) {
        let line = state.line(family);
        // The old ones go first: there may be a limit.
        line.prober = None;
        match (self.open)(family) {
            Ok(prober) => {
                line.prober = Some(prober);
                line.is_refused = false;
            }
            Err(error) => {
                line.is_refused = matches!(error, IcmpError::NotPermitted);
                line.sending.failed(error.to_string(), self.clock.now());
            }
        }
    }

    /// The sockets of a family, if they are open or can be opened.
    fn ready(&self, family: Family) -> Result<Arc<dyn Prober>, String> {
        let now = self.clock.now();
        let mut state = self.state();
        let line = state.line(family);
        if line.prober.is_none() && line.sending.retries(now) {
            state.reopened += 1;
            self.open_anew(&mut state, family);
        }
        self.report_change(&mut state);
        let line = state.line(family);
        let reason = || line.sending.reason().unwrap_or("no socket is open").to_owned();
        line.prober.clone().ok_or_else(reason)
    }

    fn sent(&self, family: Family) {
        let mut state = self.state();
        state.line(family).sending.sent(self.clock.now());
        self.report_change(&mut state);
    }

    fn failed(&self, family: Family, reason: String) {
        let now = self.clock.now();
        let mut state = self.state();
        if state.line(family).sending.failed(reason, now) && self.kind == ProberKind::Icmp {
            state.reopened += 1;
            self.open_anew(&mut state, family);
        }
        self.report_change(&mut state);
    }

    /// Logs a fault once, and whenever it becomes another one.
    fn report_change(&self, state: &mut State) {
        let (wan, now) = (&self.wan, self.clock.now());
        match (state.fault_at(now), &mut state.fault) {
            (None, None) => {}
            (None, Some((_, since))) => {
                // A family that nobody tries any more has no fault, but proves nothing either.
                if state.lines.iter().any(|line| line.sending.works(now)) {
                    let seconds = now.since(*since).as_secs();
                    info!(%wan, seconds, "probes can be sent again");
                    state.fault = None;
                }
            }
            (Some(fault), Some((reported, _))) if fault == *reported => {}
            (Some(fault), reported) => {
                warn!(%wan, error = fault, "no probe can be sent; trying again");
                let since = reported.as_ref().map_or(now, |(_, since)| *since);
                *reported = Some((fault, since));
            }
        }
    }
}

impl Prober for Supervised {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let Some(address) = self.reflectors.get(usize::from(reflector.0)) else {
                return ProbeOutcome::Unsent.into();
            };
            let family = Family::of(*address);
            let lacks = self.bind.as_ref().and_then(|bind| route::lacks_address(bind, *address));
            if let Some(reason) = lacks {
                self.failed(family, reason.clone());
                return ProbeResult::unsent(reason);
            }
            let prober = match self.ready(family) {
                Ok(prober) => prober,
                Err(reason) => return ProbeResult::unsent(reason),
            };
            let mut ended = pin!(prober.probe(reflector, sequence, reply_timeout));
            // What comes of it may be known much later, and say nothing of sending any more.
            let is_here = self.bind.is_some();
            let soon = if is_here { timeout(KNOWN_WITHIN, &mut ended).await.ok() } else { None };
            let known = match soon {
                Some(answer) => answer,
                None if is_here => {
                    self.sent(family);
                    return ended.await;
                }
                None => ended.await,
            };
            match (&known.outcome, &known.unsent) {
                (ProbeOutcome::Reply(_) | ProbeOutcome::Lost, _) => self.sent(family),
                (ProbeOutcome::Unsent, Some(reason)) => self.failed(family, reason.clone()),
                (ProbeOutcome::Unsent, None) => {}
            }
            known
        })
    }

    fn background_task(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> Option<BoxFuture<'static, ()>> {
        let prober = self.state().line(self.family(reflector)?).prober.clone()?;
        prober.background_task(reflector, sequence, reply_timeout)
    }

    fn least_interval(&self) -> Duration {
        let state = self.state();
        let open = state.lines.iter().filter_map(|line| line.prober.as_ref());
        open.map(|prober| prober.least_interval()).max().unwrap_or_default()
    }

    fn reaches(&self, reflector: ReflectorId) -> bool {
        let Some(address) = self.reflectors.get(usize::from(reflector.0)) else { return false };
        if let Some(bind) = &self.bind {
            return route::reaches(bind, *address);
        }
        // What the router cannot send at all is tried anew now and then.
        self.state().line(Family::of(*address)).sending.may_retry(self.clock.now())
    }

    fn may_be_abandoned(&self) -> bool {
        self.bind.is_some()
    }

    fn report(&self) -> Option<ProberReport> {
        let reason =
            if self.is_refused() { ProberReason::NotPermitted } else { ProberReason::Configured };
        let state = self.state();
        let fault = state.fault.as_ref().map(|(fault, _)| fault.clone());
        let dead = Vec::new();
        Some(ProberReport { kind: self.kind, reason, fault, reopened: state.reopened, dead })
    }

    fn measures_one_way(&self, reflector: ReflectorId) -> bool {
        let Some(family) = self.family(reflector) else { return false };
        let prober = self.state().line(family).prober.clone();
        prober.is_some_and(|prober| prober.measures_one_way(reflector))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

    use super::*;
    use wanctl_core::units::Delay;

    /// Sockets of an interface that comes and goes; those opened before it came back are mute.
    #[derive(Debug, Default)]
    struct Interface {
        is_there: AtomicBool,
        generation: AtomicU32,
    }

    #[derive(Debug)]
    struct Socket(Arc<Interface>, u32);

    impl Prober for Socket {
        fn probe(&self, _: ReflectorId, _: u64, _: ReplyTimeout) -> BoxFuture<'_, ProbeResult> {
            let sent = self.0.is_there.load(Relaxed) && self.0.generation.load(Relaxed) == self.1;
            let reply = ProbeOutcome::Reply(Delay::from_micros(1000));
            let answer = if sent { reply.into() } else { ProbeResult::unsent("mute".to_owned()) };
            Box::pin(async move { answer })
        }
    }

    fn supervised(interface: &Arc<Interface>) -> Supervised {
        let interface = Arc::clone(interface);
        let config = ProbeConfig::of(vec!["192.0.2.1".parse().unwrap()]);
        Supervised::start("cable", Clock::start(), &config, move |_| {
            if interface.is_there.load(Relaxed) {
                let generation = interface.generation.load(Relaxed);
                Ok(Arc::new(Socket(Arc::clone(&interface), generation)))
            } else {
                Err(IcmpError::Bind("interface lte0 does not exist".to_owned()))
            }
        })
    }

    async fn probe(supervised: &Supervised) -> ProbeResult {
        supervised.probe(ReflectorId(0), 1, ReplyTimeout::only(Duration::from_secs(1))).await
    }

    #[tokio::test]
    async fn an_interface_that_is_absent_at_the_start_is_reported_and_waited_for() {
        let interface = Arc::new(Interface::default());
        let supervised = supervised(&interface);
        let answer = probe(&supervised).await;
        assert_eq!(answer, ProbeResult::unsent("interface lte0 does not exist".to_owned()));
        let fault = supervised.report().unwrap().fault.unwrap();
        assert!(fault.contains("interface lte0"), "{fault}");
        assert!(!supervised.is_refused());
    }

    #[tokio::test]
    async fn sockets_of_an_interface_that_was_made_anew_are_opened_anew() {
        let interface = Arc::new(Interface::default());
        interface.is_there.store(true, Relaxed);
        let supervised = supervised(&interface);
        assert_eq!(probe(&supervised).await.unsent, None);
        interface.generation.fetch_add(1, Relaxed);
        assert_eq!(probe(&supervised).await.unsent.as_deref(), Some("mute"));
        // The wait is the affair of `SocketHealth`; here it is over.
        supervised.open_anew(&mut supervised.state(), Family::V4);
        assert_eq!(probe(&supervised).await.unsent, None);
        assert_eq!(supervised.report().unwrap().fault, None);
    }

    #[test]
    fn one_family_that_cannot_be_sent_is_no_fault_while_the_other_can() {
        let mut state = State::default();
        let now = MonoTime::from_millis(5000);
        state.line(Family::V6).sending.failed("no IPv6 route".to_owned(), now);
        assert_eq!(state.fault_at(now).as_deref(), Some("no IPv6 route"));
        state.line(Family::V4).sending.sent(now);
        assert_eq!(state.fault_at(now), None);
        state.line(Family::V4).sending.failed("no IPv4 route".to_owned(), now);
        let later = now + Duration::from_secs(1);
        assert_eq!(state.fault_at(later).as_deref(), Some("no IPv4 route; no IPv6 route"));
    }
}
