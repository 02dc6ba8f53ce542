//! ICMP of this host, tied to a WAN by source address or interface: echo, and timestamps for
//! reflectors whose clock has proved sane.

mod exchange;
mod wire;

use std::{
    fmt, io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tracing::{debug, info};
use wanctl_core::{
    ProbeOutcome, ReflectorId,
    units::{Delay, MonoTime},
};

use super::{
    Bind, ClockFault, ClockValidator, Family, ProbeConfig, ProbeResult, Prober, ReplyTimeout,
    TimestampExchange, route,
};
use crate::clock::Clock;
#[cfg(fuzzing)]
pub(super) use exchange::fuzzed;
use exchange::{Exchange, Exchanged, Kind};
use wire::Body;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// Least time between two requests to reflectors whose clock is on trial.
const TRIAL_INTERVAL: Duration = Duration::from_millis(250);
/// Requests of a trial leave by so much more after the turn, each, so that a clock is not seen at
/// the same digit every time.
const TRIAL_STEP: Duration = Duration::from_millis(3);

/// Why a WAN's probes cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum IcmpError {
    /// Neither an unprivileged nor a raw ICMP socket is permitted.
    #[error(
        "not permitted to send ICMP echo: allow it for this user's group with `sysctl -w \
         net.ipv4.ping_group_range=\"0 2147483647\"`, or give the program the capability with \
         `setcap cap_net_raw+ep` (systemd: AmbientCapabilities=CAP_NET_RAW)"
    )]
    NotPermitted,
    /// The source address or the interface cannot be used.
    #[error("{0}")]
    Bind(String),
}

/// Sends ICMP echo requests to the reflectors of one WAN and one address family.
pub struct IcmpProber {
    reflectors: Vec<IpAddr>,
    bind: Bind,
    echo: Exchange,
    clock: Clock,
    day: Day,
    /// Absent where raw sockets are not permitted, or not wanted.
    timestamps: Option<Exchange>,
    trials: Mutex<Trials>,
}

/// Whose clocks are sane.
#[derive(Debug)]
struct Trials {
    validators: Vec<ClockValidator>,
    next: MonoTime,
}

impl fmt::Debug for IcmpProber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IcmpProber").field("reflectors", &self.reflectors).finish_non_exhaustive()
    }
}

/// The time of the day by the wall clock of the start, which then runs on without steps.
#[derive(Debug, Clone, Copy)]
struct Day {
    began: Instant,
    micros: i64,
}

impl Day {
    fn start() -> Self {
        Self { began: Instant::now(), micros: Clock::wall().micros().rem_euclid(DAY) }
    }

    fn at(&self, moment: Instant) -> i64 {
        let passed = Delay::from(moment.saturating_duration_since(self.began)).micros();
        (self.micros + passed % DAY).rem_euclid(DAY)
    }
}

impl IcmpProber {
    /// Opens the sockets for the reflectors of `family`.
    ///
    /// # Errors
    /// [`IcmpError`] if the sockets are refused or cannot be bound as configured.
    pub fn open(config: &ProbeConfig, family: Family, clock: Clock) -> Result<Self, IcmpError> {
        let kind = match family {
            Family::V4 => Kind::Echo,
            Family::V6 => Kind::EchoV6,
        };
        let bind = &config.bind;
        let echo = Exchange::open(kind, bind).map_err(|error| refused(bind, family, &error))?;
        // A raw socket needs more than an echo does, and echoes do without it.
        let wanted = config.timestamps && family == Family::V4;
        let timestamps = wanted.then(|| Exchange::open(Kind::Timestamp, bind).ok()).flatten();
        Ok(Self {
            bind: bind.clone(),
            echo,
            clock,
            day: Day::start(),
            timestamps,
            trials: Mutex::new(Trials {
                validators: vec![ClockValidator::default(); config.reflectors.len()],
                next: clock.now(),
            }),
            reflectors: config.reflectors.clone(),
        })
    }

    /// Returns whether `reflector` answers an ICMP timestamp request within `longest`; `None` if it
    /// cannot be asked: raw sockets are not permitted or not wanted, or it is no IPv4 address.
    pub async fn answers_timestamps(
        &self,
        reflector: ReflectorId,
        longest: Duration,
    ) -> Option<bool> {
        let target = self.target(reflector).filter(IpAddr::is_ipv4)?;
        let timestamps = self.timestamps.as_ref()?;
        let mut sent = timestamps.send(target, reflector.0.into()).await.ok()?;
        Some(sent.reply(longest).await.is_some())
    }

    fn trials(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self, reflector: ReflectorId) -> Option<IpAddr> {
        self.reflectors.get(usize::from(reflector.0)).copied()
    }

    fn unsent(&self, target: IpAddr, error: &io::Error) -> ProbeResult {
        ProbeResult::unsent(route::explain(&self.bind, target, error))
    }

    async fn echo(
        &self,
        target: IpAddr,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> ProbeResult {
        let mut sent = match self.echo.send(target, sequence).await {
            Ok(sent) => sent,
            Err(error) => return self.unsent(target, &error),
        };
        match sent.reply(reply_timeout.longest).await {
            Some(Exchanged { sent, received, .. }) => {
                ProbeOutcome::Reply(received.saturating_duration_since(sent).into()).into()
            }
            None => ProbeOutcome::Lost.into(),
        }
    }

    /// Asks a reflector for the time and validates the answer.
    async fn timestamp(
        &self,
        timestamps: &Exchange,
        (reflector, target): (ReflectorId, IpAddr),
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> ProbeResult {
        let mut sent = match timestamps.send(target, sequence).await {
            Ok(sent) => sent,
            Err(error) => return self.unsent(target, &error),
        };
        if let Some(exchanged) = sent.reply(reply_timeout.lost_after).await {
            return self.assessed((reflector, target), Some(exchanged));
        }
        // The clock validator does not wait: a reflector that no longer answers timestamps is asked
        // for echoes again.
        let missed = self.assessed((reflector, target), None);
        match sent.reply(reply_timeout.longest).await {
            Some(exchanged) => self.assessed((reflector, target), Some(exchanged)),
            None => missed,
        }
    }

    fn assessed(
        &self,
        (reflector, target): (ReflectorId, IpAddr),
        exchanged: Option<Exchanged>,
    ) -> ProbeResult {
        let stamps = exchanged.and_then(|exchanged| self.stamps(&exchanged));
        let now = self.clock.now();
        let mut trials = self.trials();
        let Some(validator) = trials.validators.get_mut(usize::from(reflector.0)) else {
            return ProbeOutcome::Lost.into();
        };
        let was_trusted = validator.is_trusted();
        let (answer, fault) = match stamps {
            Some(stamps) => {
                let reported = validator.observe(&stamps, now);
                let outcome = ProbeOutcome::Reply(stamps.rtt);
                (ProbeResult { one_way: reported.ok(), ..outcome.into() }, reported.err())
            }
            None => (ProbeOutcome::Lost.into(), validator.missed(now).err()),
        };
        let is_trusted = validator.is_trusted();
        match fault {
            None if is_trusted && !was_trusted => {
                info!(%target, "one-way delays are measured with the reflector's clock");
            }
            Some(fault) if was_trusted && fault != ClockFault::Silent => {
                info!(%target, why = fault.explain(), "the reflector's clock is not trusted");
            }
            Some(fault) => debug!(%target, why = fault.explain(), "its clock cannot be used"),
            None => {}
        }
        answer
    }

    fn stamps(&self, exchanged: &Exchanged) -> Option<TimestampExchange> {
        let Body::Timestamp { receive, transmit, .. } = exchanged.body else { return None };
        let rtt = exchanged.received.saturating_duration_since(exchanged.sent).into();
        Some(TimestampExchange { sent_micros: self.day.at(exchanged.sent), receive, transmit, rtt })
    }
}

fn refused(bind: &Bind, family: Family, error: &io::Error) -> IcmpError {
    match (error.kind(), bind) {
        (io::ErrorKind::PermissionDenied, _) => IcmpError::NotPermitted,
        (io::ErrorKind::AddrNotAvailable, Bind::Source(source)) => {
            IcmpError::Bind(format!("the source address {source} is not configured on this host"))
        }
        (_, Bind::Interface(name)) => IcmpError::Bind(route::no_interface(name, error)),
        (_, Bind::Any | Bind::Source(_)) => {
            IcmpError::Bind(format!("no {} socket can be opened: {error}", family.name()))
        }
    }
}

impl Prober for IcmpProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let Some(target) = self.target(reflector) else { return ProbeOutcome::Unsent.into() };
            match &self.timestamps {
                Some(timestamps) if self.measures_one_way(reflector) => {
                    self.timestamp(timestamps, (reflector, target), sequence, reply_timeout).await
                }
                _ => self.echo(target, sequence, reply_timeout).await,
            }
        })
    }

    fn background_task(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> Option<BoxFuture<'static, ()>> {
        let target = self.target(reflector).filter(IpAddr::is_ipv4)?;
        self.timestamps.as_ref()?;
        let now = self.clock.now();
        let answers = {
            let mut trials = self.trials();
            if now < trials.next {
                return None;
            }
            let answers = trials.validators.get(usize::from(reflector.0))?.trial(now)?;
            trials.next = now + TRIAL_INTERVAL;
            answers
        };
        Some(Box::pin(async move {
            tokio::time::sleep(TRIAL_STEP * u32::from(answers)).await;
            let Some(timestamps) = &self.timestamps else { return };
            let asked = (reflector, target);
            self.timestamp(
                timestamps,
                asked,
                sequence,
                ReplyTimeout::only(reply_timeout.lost_after),
            )
            .await;
        }))
    }

    fn measures_one_way(&self, reflector: ReflectorId) -> bool {
        let trials = self.trials();
        trials.validators.get(usize::from(reflector.0)).is_some_and(ClockValidator::is_trusted)
    }
}
