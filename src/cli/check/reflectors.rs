//! Each WAN's reflectors, asked as `run` would ask them.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout_at};
use wanctl_core::{ProbeOutcome, ReflectorId, units::Delay};

use super::{
    host::no_route_to,
    report::{Line, Topic},
};
use crate::{
    clock::Clock,
    config::{Config, KNOWN_IPV4, KNOWN_IPV6, WanConfig},
    probe::{
        Bind, Family, IcmpError, IcmpProber, ProbeConfig, ProbeMethodChoice, Prober, ProberKind,
        ReplyTimeout, TcpProber,
    },
    router::{PingFrom, Pinged, Router},
};

/// How often a reflector is asked; the fastest answer is the idle round trip.
const PROBES: u64 = 3;
/// Time between two probes to a reflector.
const BETWEEN: Duration = Duration::from_millis(200);
/// Time between the first probes of two reflectors.
const STAGGER: Duration = Duration::from_millis(20);
/// The longest wait for an answer.
const LONGEST: Duration = Duration::from_secs(3);
/// How long the router waits for an answer.
const PING: Duration = Duration::from_secs(1);
/// A link that is idle needs less than this share of `probe.timeout_ms`, so that a queue of the
/// same length is still measured.
const IDLE_SHARE: f64 = 0.5;

/// What became of the probes to one reflector.
#[derive(Debug, Clone, PartialEq)]
enum ReflectorStatus {
    Answers {
        /// The fastest round trip.
        rtt: Delay,
        /// Whether it answers ICMP timestamp requests, if it was asked.
        answers_timestamps: Option<bool>,
    },
    Silent,
    CannotSend(String),
    NotTried(String),
}

/// Asks every WAN's reflectors from this host, all at a time.
pub(super) async fn from_host(config: &Config, until: Instant) -> Vec<Line> {
    let clock = Clock::start();
    let wans = config.wans.iter().filter(|wan| wan.probe.method != ProbeMethodChoice::RouterPing);
    let asked = wans.map(|wan| async move {
        let router = config.router_of(wan);
        let pings = router.is_some_and(|router| router.connection.pings_apart());
        probe_from_host(wan, pings, clock, until).await
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn probe_from_host(wan: &WanConfig, pings: bool, clock: Clock, until: Instant) -> Vec<Line> {
    let probe = &wan.probe;
    if probe.method == ProbeMethodChoice::TcpConnect {
        return lines(wan, ProberKind::TcpConnect, &by_tcp(probe, until).await);
    }
    let icmp = match Icmp::open(probe, clock) {
        Ok(icmp) => icmp,
        Err(error) => return without_icmp(wan, &error, pings, until).await,
    };
    let of = |address| icmp.of(address).map(|prober| &**prober as &dyn Prober);
    let mut statuses = on_host(probe, of, until).await;
    if statuses.iter().any(is_answer) || probe.method == ProbeMethodChoice::Icmp {
        if probe.timestamps {
            probe_timestamps(&icmp, probe, &mut statuses, until).await;
        }
        return lines(wan, ProberKind::Icmp, &statuses);
    }
    let by_tcp = by_tcp(probe, until).await;
    if !by_tcp.iter().any(is_answer) {
        return lines(wan, ProberKind::Icmp, &statuses);
    }
    let mut found = lines(wan, ProberKind::TcpConnect, &by_tcp);
    found.insert(0, instead(wan, "no reflector answers ICMP echo from this host", pings));
    found
}

/// What happens where this host cannot open an ICMP socket.
async fn without_icmp(
    wan: &WanConfig,
    error: &IcmpError,
    pings: bool,
    until: Instant,
) -> Vec<Line> {
    let subject = format!("wan {} ICMP", wan.name);
    if matches!(error, IcmpError::NotPermitted) && wan.probe.method == ProbeMethodChoice::Auto {
        let mut found = lines(wan, ProberKind::TcpConnect, &by_tcp(&wan.probe, until).await);
        found.insert(0, instead(wan, &error.to_string(), pings));
        return found;
    }
    let why = "not probed: see the line on ICMP above";
    let none = asked(&wan.probe).into_iter().map(|_| ReflectorStatus::CannotSend(why.to_owned()));
    let mut found = lines(wan, ProberKind::Icmp, &none.collect::<Vec<_>>());
    found.insert(0, Line::failed(Topic::Wan, subject, error.to_string()));
    found
}

/// Says that the best probe method does not work, and what is used in its place.
fn instead(wan: &WanConfig, why: &str, pings: bool) -> Line {
    let methods = if pings && wan.probe.bind == Bind::Any {
        "`run` measures with the router's pings or with TCP connects"
    } else {
        "`run` measures with TCP connects"
    };
    Line::warning(Topic::Wan, format!("wan {} ICMP", wan.name), why)
        .remedy(format!("allow ICMP on the path; until then {methods}"))
}

async fn by_tcp(probe: &ProbeConfig, until: Instant) -> Vec<ReflectorStatus> {
    let prober = TcpProber::new(probe);
    on_host(probe, |_| Some(&prober as &dyn Prober), until).await
}

/// The ICMP sockets of the families that have some.
struct Icmp {
    v4: Option<Arc<IcmpProber>>,
    v6: Option<Arc<IcmpProber>>,
}

impl Icmp {
    fn open(probe: &ProbeConfig, clock: Clock) -> Result<Self, IcmpError> {
        let open = |family| {
            let is_asked = asked(probe).iter().any(|(_, address)| Family::of(*address) == family);
            is_asked.then(|| IcmpProber::open(probe, family, clock).map(Arc::new)).transpose()
        };
        match (open(Family::V4), open(Family::V6)) {
            (Err(error), Ok(None) | Err(_)) | (Ok(None), Err(error)) => Err(error),
            (v4, v6) => Ok(Self { v4: v4.ok().flatten(), v6: v6.ok().flatten() }),
        }
    }

    fn of(&self, address: IpAddr) -> Option<&Arc<IcmpProber>> {
        match Family::of(address) {
            Family::V4 => self.v4.as_ref(),
            Family::V6 => self.v6.as_ref(),
        }
    }
}

/// The reflectors that are asked, with their numbers: those that the file names, or the built-in
/// ones to which there is a route.
fn asked(probe: &ProbeConfig) -> Vec<(u16, IpAddr)> {
    let is_reachable = |address: &IpAddr| match probe.method {
        ProbeMethodChoice::RouterPing => address.is_ipv4(),
        ProbeMethodChoice::Auto | ProbeMethodChoice::Icmp | ProbeMethodChoice::TcpConnect => {
            no_route_to(probe, *address).is_none()
        }
    };
    let named = (0..).zip(probe.named().iter().copied());
    if !probe.named().iter().any(is_reachable) {
        return named.collect();
    }
    let is_built_in = |address: &IpAddr| match address {
        IpAddr::V4(address) => KNOWN_IPV4.contains(address),
        IpAddr::V6(address) => KNOWN_IPV6.contains(address),
    };
    named.filter(|(_, address)| is_reachable(address) || !is_built_in(address)).collect()
}

async fn on_host<'a>(
    probe: &ProbeConfig,
    prober: impl Fn(IpAddr) -> Option<&'a dyn Prober>,
    until: Instant,
) -> Vec<ReflectorStatus> {
    let asked = asked(probe).into_iter().map(|(id, address)| {
        let prober = prober(address);
        async move {
            let Some(prober) = prober else {
                return ReflectorStatus::CannotSend(
                    "cannot open an ICMP socket of its address family".to_owned(),
                );
            };
            sleep(STAGGER * u32::from(id)).await;
            let status = timeout_at(until, status_of(probe, prober, id, address)).await;
            status.unwrap_or_else(|_| out_of_time())
        }
    });
    join_all(asked).await
}

fn out_of_time() -> ReflectorStatus {
    ReflectorStatus::NotTried("the time limit of the check was reached".to_owned())
}

async fn status_of(
    probe: &ProbeConfig,
    prober: &dyn Prober,
    id: u16,
    address: IpAddr,
) -> ReflectorStatus {
    if let Some(why) = no_route_to(probe, address) {
        return ReflectorStatus::CannotSend(why);
    }
    let reply_timeout = ReplyTimeout::only((probe.timeout * 2).min(LONGEST));
    let (mut best, mut sent, mut unsent) = (None, false, None);
    for turn in 0..PROBES {
        let sequence = u64::from(id) * PROBES + turn;
        let answer = prober.probe(ReflectorId(id), sequence, reply_timeout).await;
        match answer.outcome {
            ProbeOutcome::Reply(rtt) => best = Some(best.map_or(rtt, |best: Delay| best.min(rtt))),
            ProbeOutcome::Lost => {}
            ProbeOutcome::Unsent => {
                unsent = answer.unsent;
                continue;
            }
        }
        sent = true;
        if best.is_some() {
            sleep(BETWEEN).await;
        }
    }
    match (best, sent) {
        (Some(rtt), _) => ReflectorStatus::Answers { rtt, answers_timestamps: None },
        (None, true) => ReflectorStatus::Silent,
        (None, false) => ReflectorStatus::CannotSend(
            unsent.unwrap_or_else(|| "this host refuses to send to it".to_owned()),
        ),
    }
}

/// Asks those that answer for the time.
async fn probe_timestamps(
    icmp: &Icmp,
    probe: &ProbeConfig,
    statuses: &mut [ReflectorStatus],
    until: Instant,
) {
    let asked = asked(probe).into_iter().zip(statuses).map(|((id, address), status)| async move {
        if let (ReflectorStatus::Answers { answers_timestamps, .. }, Some(icmp)) =
            (status, icmp.of(address))
        {
            let asking = icmp.answers_timestamps(ReflectorId(id), LONGEST);
            *answers_timestamps = timeout_at(until, asking).await.ok().flatten();
        }
    });
    join_all(asked).await;
}

/// Asks the reflectors of the WANs that the router probes, one at a time as the router does.
pub(super) async fn from_router(
    config: &Config,
    (place, router): (usize, &Router),
    answers: bool,
    until: Instant,
) -> Vec<Line> {
    let mut found = Vec::new();
    let is_its =
        |wan: &WanConfig| wan.router == place && wan.probe.method == ProbeMethodChoice::RouterPing;
    for wan in config.wans.iter().filter(|wan| is_its(wan)) {
        let from = PingFrom::from(&wan.probe.bind);
        let mut statuses = Vec::new();
        for (_, address) in asked(&wan.probe) {
            statuses.push(if answers {
                let asked = timeout_at(until, by_router(router, address, &from)).await;
                asked.unwrap_or_else(|_| out_of_time())
            } else {
                ReflectorStatus::NotTried("the router does not answer".to_owned())
            });
        }
        found.extend(lines(wan, ProberKind::RouterPing, &statuses));
    }
    found
}

async fn by_router(router: &Router, address: IpAddr, from: &PingFrom) -> ReflectorStatus {
    let Some(pinger) = &router.pinger else {
        return ReflectorStatus::CannotSend("this kind of router sends no pings".to_owned());
    };
    for _ in 0..2 {
        match pinger.ping(address, from, PING).await {
            Ok(Pinged::Reply(rtt)) => {
                return ReflectorStatus::Answers { rtt, answers_timestamps: None };
            }
            Ok(Pinged::Lost) => {}
            Ok(Pinged::Refused(words)) => {
                return ReflectorStatus::CannotSend(format!("the router cannot ping it: {words}"));
            }
            Err(error) => {
                return ReflectorStatus::CannotSend(format!(
                    "the router cannot ping it: {}",
                    error.fault
                ));
            }
        }
    }
    ReflectorStatus::Silent
}

const fn is_answer(status: &ReflectorStatus) -> bool {
    matches!(status, ReflectorStatus::Answers { .. })
}

/// Reports the results of a WAN's probes: how many reflectors answer, and each of them.
fn lines(wan: &WanConfig, kind: ProberKind, statuses: &[ReflectorStatus]) -> Vec<Line> {
    let method = match kind {
        ProberKind::Icmp => "ICMP echo from this host",
        ProberKind::RouterPing => "pings from the router",
        ProberKind::TcpConnect => "TCP connects from this host",
    };
    let mut found = vec![summary(wan, method, statuses)];
    let each = asked(&wan.probe).into_iter().zip(statuses);
    found.extend(each.map(|((_, address), status)| reflector(wan, address, status)));
    found
}

fn summary(wan: &WanConfig, method: &str, statuses: &[ReflectorStatus]) -> Line {
    let subject = format!("wan {} reflectors", wan.name);
    let count = |wanted: fn(&ReflectorStatus) -> bool| {
        statuses.iter().filter(|status| wanted(status)).count()
    };
    let (all, answer) = (statuses.len(), count(is_answer));
    let untried = count(|status| matches!(status, ReflectorStatus::NotTried(_)));
    let what = format!("{answer} of {all} answer {method}");
    if answer == 0 && untried == 0 {
        return Line::failed(Topic::Wan, subject, what).remedy(
            "see each reflector below: if none answers, this WAN cannot be measured and its rates \
             are held",
        );
    }
    if answer == 0 {
        return Line::unknown(Topic::Wan, subject, format!("{what}; {untried} were not checked"));
    }
    let active = usize::from(wan.probe.active);
    if answer < active {
        let what = format!("{what}; `probe.active` needs {active}");
        return Line::warning(Topic::Wan, subject, what)
            .remedy("replace the others, or add spares to `reflectors`");
    }
    Line::ok(Topic::Wan, subject, what)
}

fn reflector(wan: &WanConfig, address: IpAddr, status: &ReflectorStatus) -> Line {
    let subject = format!("wan {} reflector {address}", wan.name);
    match status {
        ReflectorStatus::Answers { rtt, answers_timestamps } => {
            let time = match answers_timestamps {
                Some(true) => ", answers timestamp requests",
                Some(false) => ", does not answer timestamp requests",
                None => "",
            };
            let what = format!("idle round-trip time {:.1} ms{time}", rtt.millis());
            let timeout = wan.probe.timeout.as_secs_f64() * 1e3;
            if rtt.millis() > timeout * IDLE_SHARE {
                let what = format!("{what}, more than half of `probe.timeout_ms`, {timeout:.0}");
                return Line::warning(Topic::Reflector, subject, what).remedy(format!(
                    "set `probe.timeout_ms` to {:.0} or more, or select a nearer reflector",
                    (rtt.millis() * 4.0 / 100.0).ceil() * 100.0
                ));
            }
            Line::ok(Topic::Reflector, subject, what)
        }
        ReflectorStatus::Silent => Line::warning(Topic::Reflector, subject, "does not answer")
            .remedy("replace it in `reflectors`, or check whether the WAN is up"),
        ReflectorStatus::CannotSend(why) => Line::warning(Topic::Reflector, subject, why.as_str())
            .remedy("correct the WAN's `source` or `interface`, the routes, or `reflectors`"),
        ReflectorStatus::NotTried(why) => {
            Line::unknown(Topic::Reflector, subject, format!("not checked: {why}"))
        }
    }
}
