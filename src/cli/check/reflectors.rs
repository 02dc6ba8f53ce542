//! Each WAN's reflectors, asked as `run` would ask them.

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    host::no_way_to,
    report::{Line, Topic},
};
use crate::{
    clock::Clock,
    config::{Bind, Config, ProbeConfig, Via, WanConfig},
    control::{ProbeOutcome, ReflectorId},
    probe::{IcmpError, IcmpProber, Prober, Road, TcpProber},
    router::routeros::{PingFrom, RouterOs},
    units::Delay,
};

/// How often a reflector is asked; the fastest answer is the idle round trip.
const PROBES: u64 = 3;
/// Time between two probes to a reflector.
const BETWEEN: Duration = Duration::from_millis(200);
/// Time between the first probes of two reflectors.
const STAGGER: Duration = Duration::from_millis(20);
/// The longest wait for an answer.
const LONGEST: Duration = Duration::from_secs(3);
/// A link that is idle needs less than this share of `probe.timeout_ms`, so that a queue of the
/// same length is still measured.
const IDLE_SHARE: f64 = 0.5;

/// What became of the probes to one reflector.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Answers {
        /// The fastest round trip.
        rtt: Delay,
        /// Whether it answers ICMP timestamp requests, if it was asked.
        tells_time: Option<bool>,
    },
    Silent,
    CannotSend(String),
    NotTried(String),
}

/// Asks every WAN's reflectors from this host, all at a time.
pub(super) async fn from_host(config: &Config, until: Instant) -> Vec<Line> {
    let clock = Clock::start();
    let wans = (0..).zip(&config.wans).filter(|(_, wan)| wan.probe.via != Via::Router);
    let asked = wans.map(|(number, wan)| async move {
        let pings = config.router.pings.is_some();
        ask_from_host(number, wan, pings, clock, until).await
    });
    join_all(asked).await.into_iter().flatten().collect()
}

async fn ask_from_host(
    number: u16,
    wan: &WanConfig,
    pings: bool,
    clock: Clock,
    until: Instant,
) -> Vec<Line> {
    let probe = &wan.probe;
    if probe.via == Via::Tcp {
        return lines(wan, Road::Tcp, &by_tcp(probe, until).await);
    }
    let icmp = match IcmpProber::open(probe, number, clock) {
        Ok(prober) => prober,
        Err(error) => return without_icmp(wan, &error, pings, until).await,
    };
    let mut fates = on_host(probe, &icmp, until).await;
    if fates.iter().any(is_answer) || probe.via == Via::Host {
        if probe.timestamps {
            ask_time(&Arc::new(icmp), &mut fates, until).await;
        }
        return lines(wan, Road::Icmp, &fates);
    }
    let by_tcp = by_tcp(probe, until).await;
    if !by_tcp.iter().any(is_answer) {
        return lines(wan, Road::Icmp, &fates);
    }
    let mut found = lines(wan, Road::Tcp, &by_tcp);
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
    if matches!(error, IcmpError::NotPermitted) && wan.probe.via == Via::Auto {
        let mut found = lines(wan, Road::Tcp, &by_tcp(&wan.probe, until).await);
        found.insert(0, instead(wan, &error.to_string(), pings));
        return found;
    }
    let why = "not sent: see the line on ICMP above";
    let none = wan.probe.reflectors.iter().map(|_| Fate::CannotSend(why.to_owned()));
    let mut found = lines(wan, Road::Icmp, &none.collect::<Vec<_>>());
    found.insert(0, Line::failed(Topic::Wan, subject, error.to_string()));
    found
}

/// Says that the best probe method does not work, and what is used in its place.
fn instead(wan: &WanConfig, why: &str, pings: bool) -> Line {
    let methods = if pings && wan.probe.bind == Bind::Any {
        "`run` measures by the router's pings or by TCP connects instead"
    } else {
        "`run` measures by TCP connects instead"
    };
    Line::warning(Topic::Wan, format!("wan {} ICMP", wan.name), why)
        .remedy(format!("permit ICMP on the way; until then {methods}"))
}

async fn by_tcp(probe: &ProbeConfig, until: Instant) -> Vec<Fate> {
    on_host(probe, &TcpProber::new(probe), until).await
}

async fn on_host(probe: &ProbeConfig, prober: &dyn Prober, until: Instant) -> Vec<Fate> {
    let asked = (0..).zip(&probe.reflectors).map(|(id, address)| async move {
        sleep(STAGGER * u32::from(id)).await;
        let fate = timeout_at(until, fate_of(probe, prober, id, *address)).await;
        fate.unwrap_or_else(|_| out_of_time())
    });
    join_all(asked).await
}

fn out_of_time() -> Fate {
    Fate::NotTried("the time for it was up".to_owned())
}

async fn fate_of(probe: &ProbeConfig, prober: &dyn Prober, id: u16, address: IpAddr) -> Fate {
    if let Some(why) = no_way_to(probe, address) {
        return Fate::CannotSend(why);
    }
    let longest = (probe.timeout * 2).min(LONGEST);
    let (mut best, mut sent) = (None, false);
    for turn in 0..PROBES {
        let sequence = u64::from(id) * PROBES + turn;
        match prober.probe(ReflectorId(id), sequence, longest).await.outcome {
            ProbeOutcome::Reply(rtt) => best = Some(best.map_or(rtt, |best: Delay| best.min(rtt))),
            ProbeOutcome::Lost => {}
            ProbeOutcome::Unsent => continue,
        }
        sent = true;
        if best.is_some() {
            sleep(BETWEEN).await;
        }
    }
    match (best, sent) {
        (Some(rtt), _) => Fate::Answers { rtt, tells_time: None },
        (None, true) => Fate::Silent,
        (None, false) => {
            Fate::CannotSend("this host refuses to send to it (a firewall, or no route)".to_owned())
        }
    }
}

/// Asks those that answer for the time.
async fn ask_time(icmp: &Arc<IcmpProber>, fates: &mut [Fate], until: Instant) {
    let asked = (0..).zip(fates).map(|(id, fate)| async move {
        if let Fate::Answers { tells_time, .. } = fate {
            let asking = icmp.answers_timestamps(ReflectorId(id), LONGEST);
            *tells_time = timeout_at(until, asking).await.ok().flatten();
        }
    });
    join_all(asked).await;
}

/// Asks the reflectors of the WANs that the router probes, one at a time as the router does.
pub(super) async fn from_router(
    config: &Config,
    router: &RouterOs,
    answers: bool,
    until: Instant,
) -> Vec<Line> {
    let mut found = Vec::new();
    for wan in config.wans.iter().filter(|wan| wan.probe.via == Via::Router) {
        let from = PingFrom::of(&wan.probe.bind);
        let mut fates = Vec::new();
        for address in &wan.probe.reflectors {
            fates.push(if answers {
                let asked = timeout_at(until, by_router(router, *address, &from)).await;
                asked.unwrap_or_else(|_| out_of_time())
            } else {
                Fate::NotTried("the router does not answer".to_owned())
            });
        }
        found.extend(lines(wan, Road::Router, &fates));
    }
    found
}

async fn by_router(router: &RouterOs, address: IpAddr, from: &PingFrom) -> Fate {
    for _ in 0..2 {
        match router.ping(address, from).await {
            Ok(Some(rtt)) => return Fate::Answers { rtt, tells_time: None },
            Ok(None) => {}
            Err(error) => {
                return Fate::CannotSend(format!("the router cannot ping it: {}", error.fault));
            }
        }
    }
    Fate::Silent
}

const fn is_answer(fate: &Fate) -> bool {
    matches!(fate, Fate::Answers { .. })
}

/// Tells what became of a WAN's probes: how many reflectors answer, and each of them.
fn lines(wan: &WanConfig, road: Road, fates: &[Fate]) -> Vec<Line> {
    let method = match road {
        Road::Icmp => "ICMP echo from this host",
        Road::Router => "pings from the router",
        Road::Tcp => "TCP connects from this host",
    };
    let mut found = vec![summary(wan, method, fates)];
    let each = wan.probe.reflectors.iter().zip(fates);
    found.extend(each.map(|(address, fate)| reflector(wan, *address, fate)));
    found
}

fn summary(wan: &WanConfig, method: &str, fates: &[Fate]) -> Line {
    let subject = format!("wan {} reflectors", wan.name);
    let count = |wanted: fn(&Fate) -> bool| fates.iter().filter(|fate| wanted(fate)).count();
    let (all, answer) = (fates.len(), count(is_answer));
    let untried = count(|fate| matches!(fate, Fate::NotTried(_)));
    let what = format!("{answer} of {all} answer {method}");
    if answer == 0 && untried == 0 {
        return Line::failed(Topic::Wan, subject, what).remedy(
            "see each reflector below: without one that answers this WAN cannot be measured, and \
             its rates are held",
        );
    }
    if answer == 0 {
        return Line::unknown(Topic::Wan, subject, format!("{what}; {untried} were not tried"));
    }
    let active = usize::from(wan.probe.active);
    if answer < active {
        let what = format!("{what}; {active} shall take turns (`probe.active`)");
        return Line::warning(Topic::Wan, subject, what)
            .remedy("replace those that do not answer, or add spares to `reflectors`");
    }
    Line::ok(Topic::Wan, subject, what)
}

fn reflector(wan: &WanConfig, address: IpAddr, fate: &Fate) -> Line {
    let subject = format!("wan {} reflector {address}", wan.name);
    match fate {
        Fate::Answers { rtt, tells_time } => {
            let time = match tells_time {
                Some(true) => ", answers timestamp requests",
                Some(false) => ", does not answer timestamp requests",
                None => "",
            };
            let what = format!("idle round trip {:.1} ms{time}", rtt.millis());
            let timeout = wan.probe.timeout.as_secs_f64() * 1e3;
            if rtt.millis() > timeout * IDLE_SHARE {
                let what = format!("{what}, more than half of `probe.timeout_ms`, {timeout:.0}");
                return Line::warning(Topic::Reflector, subject, what).remedy(format!(
                    "set `probe.timeout_ms` to {:.0} or more, or choose a nearer reflector",
                    (rtt.millis() * 4.0 / 100.0).ceil() * 100.0
                ));
            }
            Line::ok(Topic::Reflector, subject, what)
        }
        Fate::Silent => Line::warning(Topic::Reflector, subject, "does not answer")
            .remedy("choose another in `reflectors`, or see whether the WAN is up"),
        Fate::CannotSend(why) => Line::warning(Topic::Reflector, subject, why.as_str())
            .remedy("correct the WAN's `source` or `interface`, the routes, or `reflectors`"),
        Fate::NotTried(why) => {
            Line::unknown(Topic::Reflector, subject, format!("not tried: {why}"))
        }
    }
}
