//! `wanctl run`: the daemon against a real router.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing::{info, warn};

use super::{EXIT_CONFIG, EXIT_NO_PERMISSION, Failure, RunArgs};
use crate::{
    clock::Clock,
    config::{Config, Mode, Trust},
    daemon::{Daemon, Parts},
    probe::{IcmpError, IcmpProber, Prober},
    router::routeros::RestClient,
};

pub(super) async fn run(args: RunArgs) -> Result<(), Failure> {
    let config_failure = |error: anyhow::Error| Failure { code: EXIT_CONFIG, error };
    let (mut config, warnings) =
        Config::load(&args.config).map_err(|errors| config_failure(errors.into()))?;
    for warning in &warnings {
        warn!("{warning}");
    }
    if args.observe {
        config.control.mode = Mode::Observe;
    }
    if config.router.trust == Trust::Insecure {
        warn!(url = %config.router.url, "the router's certificate is not verified");
    }
    let router = RestClient::new(&config.router)
        .map_err(|text| config_failure(anyhow!("{}: router: {text}", args.config.display())))?;
    let probers = open_probers(&config)?;
    let listener = bind(config.http.listen).await?;
    // With port 0 the system has chosen one.
    let listen = listener.local_addr().context("the listener has no address")?;
    info!(url = %format!("http://{listen}/"), mode = ?config.control.mode, "serving");
    let mut daemon = Daemon::start(Parts {
        config,
        router: Arc::new(router),
        probers,
        clock: Clock::start(),
        listener,
    })?;
    let (reason, broken) = tokio::select! {
        reason = asked_to_stop() => (reason?, false),
        what = daemon.broken() => (what, true),
    };
    info!(reason, "stopping");
    daemon.stop(&reason).await;
    if broken { Err(anyhow!(reason).into()) } else { Ok(()) }
}

fn open_probers(config: &Config) -> Result<Vec<Arc<dyn Prober>>, Failure> {
    let open = |(number, wan): (u16, &crate::config::WanConfig)| {
        let prober = IcmpProber::open(&wan.probe, number).map_err(|error| {
            let code = match error {
                IcmpError::NotPermitted => EXIT_NO_PERMISSION,
                IcmpError::Bind { .. } => EXIT_CONFIG,
            };
            Failure { code, error: anyhow::Error::new(error).context(format!("wan {}", wan.name)) }
        })?;
        Ok(Arc::new(prober) as Arc<dyn Prober>)
    };
    (0..).zip(&config.wans).map(open).collect()
}

/// Opens the HTTP listener.
pub(super) async fn bind(address: std::net::SocketAddr) -> Result<TcpListener, anyhow::Error> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address} (another wanctl? choose another port)")
    })
}

/// Waits for SIGTERM or SIGINT and says which came.
pub(super) async fn asked_to_stop() -> std::io::Result<String> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM".to_owned()),
        _ = interrupt.recv() => Ok("SIGINT".to_owned()),
    }
}
