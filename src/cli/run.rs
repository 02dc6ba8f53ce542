//! `wanctl run`: the daemon against a real router.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use tokio::{net::TcpListener, runtime::Handle, task};
use tracing::{info, warn};

use super::{
    EXIT_CONFIG, EXIT_NO_PERMISSION, Failure, RunArgs,
    signals::{Hangup, Notice, Signals},
};
use crate::{
    clock::Clock,
    config::{Config, ConfigErrors, Mode, Problem, WanConfig},
    daemon::{Daemon, Parts, Source},
    http::Listening,
    probe::{
        Bind, IcmpError, IcmpProber, ProbeMethodChoice, Prober, ProberEntry, ProberKind, Probers,
        RouterProber, Supervised, TcpProber,
    },
    router::Router,
};

pub(super) async fn run(args: RunArgs) -> Result<(), Failure> {
    // Listened for before anything else: process 1 of a container has no default actions.
    let mut signals = Signals::listen(Hangup::Reloads)?;
    signals.enter("starting");
    // On a thread that may hang, in a file system that does not answer for example.
    let runtime = Handle::current();
    let mut starting = task::spawn_blocking(move || runtime.block_on(start(&args)));
    let daemon = loop {
        tokio::select! {
            started = &mut starting => break started.context("the start panicked")??,
            notice = signals.next() => match notice {
                Notice::Stop(signal) => {
                    info!(signal, "stopped before the start was over");
                    return Ok(());
                }
                // What is being read is as new as can be.
                Notice::Reload => {}
            },
        }
    };
    signals.enter("working");
    let reason = loop {
        match signals.next().await {
            Notice::Stop(signal) => break signal,
            Notice::Reload => daemon.reload(),
        }
    };
    info!(reason, "stopping");
    signals.enter("stopping");
    daemon.stop(reason).await;
    signals.enter("ending");
    Ok(())
}

/// Starts the daemon.
async fn start(args: &RunArgs) -> Result<Daemon, Failure> {
    let config_failure = |error: anyhow::Error| Failure { code: EXIT_CONFIG, error };
    let (config, warnings) =
        load(&args.config, args.observe).map_err(|errors| config_failure(errors.into()))?;
    for warning in &warnings {
        warn!("{warning}");
    }
    for router in &config.routers {
        for reminder in router.connection.reminders() {
            warn!(router = %router.name, "{reminder}");
        }
    }
    let web = args.web.open_or_wait();
    let routers = config
        .open_routers()
        .map_err(|text| config_failure(anyhow!("{}: {text}", args.config.display())))?;
    let listen = config.http.listen;
    let listening = Listening::bind(listen).await.with_context(|| busy(listen))?;
    let clock = Clock::start();
    let probers = open_probers(&config, &routers, clock)?;
    info!(mode = ?config.control.mode, "starting");
    let recording = args.record.open_or_go_on();
    let source = Some(source(args));
    let parts = Parts { config, routers, probers, clock, listening, web, source, recording };
    Ok(Daemon::start(parts)?)
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
    routers: &[Router],
    clock: Clock,
) -> Result<Vec<Arc<dyn Prober>>, Failure> {
    let open = |wan: &WanConfig| {
        let apart = config.router_of(wan).is_some_and(|router| router.connection.pings_apart());
        let probers = probers(wan, routers.get(wan.router), apart, clock)?;
        let reflectors = wan.probe.reflectors.clone();
        Ok(Arc::new(Probers::new(&wan.name, clock, reflectors, probers)) as Arc<dyn Prober>)
    };
    config.wans.iter().map(open).collect()
}

/// The probers of one WAN, the best first. `pings_apart` says whether its router can ping without
/// delaying a write.
fn probers(
    wan: &WanConfig,
    router: Option<&Router>,
    pings_apart: bool,
    clock: Clock,
) -> Result<Vec<ProberEntry>, Failure> {
    let probe = &wan.probe;
    let around = |kind, prober: Arc<dyn Prober>| -> ProberEntry {
        (kind, Arc::new(Supervised::around(&wan.name, clock, probe, (kind, prober))))
    };
    let by_router = || {
        let pinger = router.and_then(|router| router.pinger.clone())?;
        Some(around(ProberKind::RouterPing, Arc::new(RouterProber::new(pinger, probe))))
    };
    let by_tcp = || around(ProberKind::TcpConnect, Arc::new(TcpProber::new(probe)));
    let by_icmp = || {
        let settings = probe.clone();
        Arc::new(Supervised::start(&wan.name, clock, probe, move |family| {
            Ok(Arc::new(IcmpProber::open(&settings, family, clock)?))
        }))
    };
    match probe.method {
        ProbeMethodChoice::RouterPing => {
            let by_router = by_router().ok_or_else(|| Failure {
                code: EXIT_CONFIG,
                error: anyhow!("wan {}: this kind of router sends no pings", wan.name),
            })?;
            Ok(vec![by_router])
        }
        ProbeMethodChoice::TcpConnect => Ok(vec![by_tcp()]),
        ProbeMethodChoice::Icmp => {
            let icmp = by_icmp();
            if icmp.is_refused() {
                let error = anyhow::Error::new(IcmpError::NotPermitted);
                let error = error.context(format!("wan {}", wan.name));
                return Err(Failure { code: EXIT_NO_PERMISSION, error });
            }
            Ok(vec![(ProberKind::Icmp, icmp)])
        }
        ProbeMethodChoice::Auto => {
            let mut probers: Vec<ProberEntry> = vec![(ProberKind::Icmp, by_icmp())];
            // An end of this host means nothing to the router, whose own routing might lead to
            // another WAN.
            if pings_apart && probe.bind == Bind::Any {
                probers.extend(by_router());
            }
            probers.push(by_tcp());
            Ok(probers)
        }
    }
}

/// Opens the HTTP listener.
pub(super) async fn bind(address: SocketAddr) -> Result<TcpListener, anyhow::Error> {
    TcpListener::bind(address).await.with_context(|| busy(address))
}

fn busy(address: SocketAddr) -> String {
    format!("cannot listen on {address}: stop another wanctl there, or set another port")
}
