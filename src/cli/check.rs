//! `wanctl check`: the same path as `run`, up to the point where something would start, and a look
//! at the router.

use anyhow::anyhow;

use super::{CheckArgs, EXIT_CONFIG, EXIT_FAILURE, Failure, output::say};
use crate::{
    config::{Config, Mode},
    control::{Direction, LawKind},
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
    if args.offline { Ok(()) } else { ask_router(&config).await }
}

fn describe(config: &Config) -> std::io::Result<()> {
    say(format!("router {} as user {}", config.router.url, config.router.credentials.user))?;
    for wan in &config.wans {
        say(format!("wan {} with {} reflectors", wan.name, wan.probe.reflectors.len()))?;
        for direction in Direction::ALL {
            let settings = &wan.params.directions[direction];
            let limits = settings.limits;
            let law = match settings.law {
                LawKind::Adaptive => "adaptive",
                LawKind::Fixed => "fixed",
            };
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
    if let (Mode::Active, Some(queue), Some(Some(row))) =
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
