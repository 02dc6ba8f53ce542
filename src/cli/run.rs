//! `wanctl run`: the daemon against a real router.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};
use tracing::{info, warn};

use super::{EXIT_CONFIG, EXIT_NO_PERMISSION, Failure, RunArgs};
use crate::{
    clock::Clock,
    config::{Bind, Config, ConfigErrors, Mode, Problem, Trust, Via, WanConfig},
    daemon::{Daemon, Parts, Source},
    probe::{IcmpError, IcmpProber, Prober, Road, Roads, RouterProber, Supervised, TcpProber, Way},
    router::routeros::RouterOs,
};

pub(super) async fn run(args: RunArgs) -> Result<(), Failure> {
    let config_failure = |error: anyhow::Error| Failure { code: EXIT_CONFIG, error };
    let (config, warnings) =
        load(&args.config, args.observe).map_err(|errors| config_failure(errors.into()))?;
    for warning in &warnings {
        warn!("{warning}");
    }
    if config.router.trust == Trust::Insecure {
        warn!(url = %config.router.url, "the router's certificate is not verified");
    }
    let web = args.web.open()?;
    let router = RouterOs::new(&config.router, config.queues())
        .map_err(|text| config_failure(anyhow!("{}: router: {text}", args.config.display())))?;
    let router = Arc::new(router);
    let listener = bind(config.http.listen).await?;
    let clock = Clock::start();
    let probers = open_probers(&config, &router, clock)?;
    // Listened for before anything is said, so that no signal finds the door unattended.
    let mut signals = Signals::listen()?;
    // With port 0 the system has chosen one.
    let listen = listener.local_addr().context("the listener has no address")?;
    info!(url = %format!("{}://{listen}/", web.scheme()), mode = ?config.control.mode, "serving");
    let recording = args.record.open()?;
    let source = Some(source(&args));
    let daemon =
        Daemon::start(Parts { config, router, probers, clock, listener, web, source, recording })?;
    let reason = loop {
        match signals.next().await {
            Notice::Stop(signal) => break signal,
            Notice::Hangup => daemon.reload(),
        }
    };
    info!(reason, "stopping");
    daemon.stop(reason).await;
    Ok(())
}

/// Loads the configuration, over which the command line may have a word.
fn load(path: &Path, observe: bool) -> Result<(Config, Vec<Problem>), ConfigErrors> {
    let (mut config, warnings) = Config::load(path)?;
    if observe {
        config.control.mode = Mode::Observe;
    }
    Ok((config, warnings))
}

/// Where the configuration is read again.
fn source(args: &RunArgs) -> Source {
    let (path, observe) = (args.config.clone(), args.observe);
    Source(Arc::new(move || load(&path, observe)))
}

/// Opens what sends the probes of each WAN.
pub(super) fn open_probers(
    config: &Config,
    router: &Arc<RouterOs>,
    clock: Clock,
) -> Result<Vec<Arc<dyn Prober>>, Failure> {
    let open = |(number, wan): (u16, &WanConfig)| {
        let roads = roads(number, wan, config.router.pings.is_some(), router, clock)?;
        Ok(Arc::new(Roads::new(&wan.name, clock, roads)) as Arc<dyn Prober>)
    };
    (0..).zip(&config.wans).map(open).collect()
}

/// The roads of one WAN, the best first.
fn roads(
    number: u16,
    wan: &WanConfig,
    pings: bool,
    router: &Arc<RouterOs>,
    clock: Clock,
) -> Result<Vec<Way>, Failure> {
    let probe = &wan.probe;
    let by_router =
        || -> Way { (Road::Router, Arc::new(RouterProber::new(Arc::clone(router), probe))) };
    let by_tcp = || -> Way { (Road::Tcp, Arc::new(TcpProber::new(probe))) };
    let by_icmp = || {
        let probe = probe.clone();
        let icmp = Supervised::start(&wan.name, clock, move || {
            Ok(Arc::new(IcmpProber::open(&probe, number, clock)?))
        });
        Arc::new(icmp)
    };
    match probe.via {
        Via::Router => Ok(vec![by_router()]),
        Via::Tcp => Ok(vec![by_tcp()]),
        Via::Host => {
            let icmp = by_icmp();
            if icmp.is_refused() {
                let error = anyhow::Error::new(IcmpError::NotPermitted);
                let error = error.context(format!("wan {}", wan.name));
                return Err(Failure { code: EXIT_NO_PERMISSION, error });
            }
            Ok(vec![(Road::Icmp, icmp)])
        }
        Via::Auto => {
            let mut roads: Vec<Way> = vec![(Road::Icmp, by_icmp())];
            // An end of this host means nothing to the router, whose own routing might lead to
            // another WAN.
            if pings && probe.bind == Bind::Any {
                roads.push(by_router());
            }
            roads.push(by_tcp());
            Ok(roads)
        }
    }
}

/// Opens the HTTP listener.
pub(super) async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, anyhow::Error> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} (another wanctl? choose another port)")
    })
}

/// The signals that the program listens to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// What a signal asks for.
pub(super) enum Notice {
    /// To end; by the signal of this name.
    Stop(&'static str),
    /// SIGHUP: to reload the configuration, or to end where there is none.
    Hangup,
}

impl Signals {
    /// Starts listening; from now on they do not end the program by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one and says what it asks for.
    pub(super) async fn next(&mut self) -> Notice {
        tokio::select! {
            _ = self.terminate.recv() => Notice::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Notice::Stop("SIGINT"),
            _ = self.hangup.recv() => Notice::Hangup,
        }
    }
}
