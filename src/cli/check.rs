//! `wanctl check`: the same path as `run`, up to the point where something would start, and a look
//! at the router.

use std::{fs, net::IpAddr, path::Path, sync::Arc};

use anyhow::anyhow;
use futures_util::future::join_all;

use super::{
    CheckArgs, EXIT_CONFIG, EXIT_FAILURE, Failure,
    output::say,
    run::{bind, open_probers},
};
use crate::{
    clock::Clock,
    config::{Config, Mode, ProbeConfig, Via},
    control::{Direction, ProbeOutcome, ReflectorId},
    probe::{Prober, TcpProber},
    router::{Router as _, RouterError, routeros::RouterOs},
};

pub(super) async fn run(args: CheckArgs) -> Result<(), Failure> {
    let (config, warnings) = Config::load(&args.config)
        .map_err(|errors| Failure { code: EXIT_CONFIG, error: errors.into() })?;
    for warning in &warnings {
        say(format!("warning: {warning}"))?;
    }
    say(format!("{}: no errors", args.config.display()))?;
    describe(&config)?;
    if args.offline {
        return Ok(());
    }
    look_around(&config).await?;
    ask_router(&config).await
}

/// Tries what `run` will need of this host: the probes' sockets, the reflectors, the history's
/// directory and the port.
async fn look_around(config: &Config) -> Result<(), Failure> {
    let router = RouterOs::new(&config.router, config.queues())
        .map_err(|text| Failure { code: EXIT_CONFIG, error: anyhow!("router: {text}") })?;
    let probers = open_probers(config, &Arc::new(router), Clock::start())?;
    for (wan, prober) in config.wans.iter().zip(probers) {
        if let Some(report) = prober.report() {
            let (road, why) = (report.road.name(), report.reason.explain());
            say(format!("wan {}: the delay is measured by way of {road}: {why}", wan.name))?;
        }
        let fates = ask(&*prober, &wan.probe).await;
        let silent: Vec<String> = fates
            .iter()
            .filter(|(_, replied)| !replied)
            .map(|(address, _)| address.to_string())
            .collect();
        let all = fates.len();
        if silent.is_empty() {
            say(format!("wan {}: all {all} reflectors answer", wan.name))?;
        } else {
            let listed = silent.join(", ");
            say(format!("warning: wan {}: no answer from {listed} (of {all})", wan.name))?;
        }
        if silent.len() == all && wan.probe.via == Via::Auto {
            let connected = ask(&TcpProber::new(&wan.probe), &wan.probe).await;
            let count = connected.iter().filter(|(_, replied)| *replied).count();
            if count > 0 {
                say(format!(
                    "wan {}: {count} of {all} answer TCP connects, by which `run` would measure",
                    wan.name
                ))?;
            }
        }
    }
    if let Some(directory) = config.history.path.as_deref().and_then(Path::parent) {
        let tried = fs::create_dir_all(directory).and_then(|()| tempfile_in(directory));
        if let Err(error) = tried {
            let shown = directory.display();
            say(format!("warning: no history can be kept in {shown}: {error}"))?;
        }
    }
    if let Err(error) = bind(config.http.listen).await {
        say(format!("warning: {error:#}; a wanctl that runs already?"))?;
    }
    Ok(())
}

/// Asks every reflector once; tells who answers.
async fn ask(prober: &dyn Prober, probe: &ProbeConfig) -> Vec<(IpAddr, bool)> {
    let asked = (0..).zip(&probe.reflectors).map(|(id, address)| {
        let answer = prober.probe(ReflectorId(id), u64::from(id), probe.timeout);
        async move { (*address, matches!(answer.await.outcome, ProbeOutcome::Reply(_))) }
    });
    join_all(asked).await
}

/// Writes a file and removes it again.
fn tempfile_in(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".wanctl-check-{}", std::process::id()));
    fs::write(&path, b"")?;
    fs::remove_file(path)
}

fn describe(config: &Config) -> std::io::Result<()> {
    say(format!("router {} as user {}", config.router.url, config.router.credentials.user))?;
    for wan in &config.wans {
        say(format!("wan {} with {} reflectors", wan.name, wan.probe.reflectors.len()))?;
        for direction in Direction::ALL {
            let settings = &wan.params.directions[direction];
            let limits = settings.limits;
            let law = settings.law.name().name();
            say(format!(
                "  {:<8} {}: {law}, floor {}, base {}, ceiling {}",
                direction.name(),
                wan.queues[direction],
                limits.floor,
                limits.base,
                limits.ceiling
            ))?;
        }
    }
    Ok(())
}

async fn ask_router(config: &Config) -> Result<(), Failure> {
    let queues = config.queues();
    let router = RouterOs::new(&config.router, queues.clone())
        .map_err(|text| Failure { code: EXIT_CONFIG, error: anyhow!("router: {text}") })?;
    let facts = router.facts().await.map_err(|error| unanswered(&error))?;
    say(format!("found {}, {}, RouterOS {}", facts.identity, facts.board, facts.version))?;
    let findings = router.survey().await.map_err(|error| unanswered(&error))?;
    for finding in &findings {
        let weight = if finding.is_fatal { "error" } else { "warning" };
        say(format!("{weight}: {}", finding.text))?;
    }
    if findings.iter().any(|finding| finding.is_fatal) {
        let error = anyhow!("the router is not ready");
        return Err(Failure { code: EXIT_FAILURE, error });
    }
    // Only a write proves the right to write; this one changes nothing.
    let readings = router.read_queues(&queues).await.map_err(|error| unanswered(&error))?;
    if let (Mode::Active, Some(queue), Some(Ok(row))) =
        (config.control.mode, queues.first(), readings.rows.first())
    {
        router.set_limit(queue, row.reading.limit).await.map_err(|error| unanswered(&error))?;
        say(format!("writing is permitted: {queue} was set to the limit that it had"))?;
    }
    say("the router is ready")?;
    Ok(())
}

fn unanswered(error: &RouterError) -> Failure {
    let remedy = error.fault.remedy();
    Failure { code: EXIT_FAILURE, error: anyhow!("{error}; {remedy}") }
}
