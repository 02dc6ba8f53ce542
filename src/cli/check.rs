//! `wanctl check`: the same path as `run`, up to the point where something would start.

use super::{CheckArgs, EXIT_CONFIG, Failure, output::say};
use crate::{
    config::Config,
    control::{Direction, LawKind},
};

pub(super) fn run(args: &CheckArgs) -> Result<(), Failure> {
    let (config, warnings) = Config::load(&args.config)
        .map_err(|errors| Failure { code: EXIT_CONFIG, error: errors.into() })?;
    for warning in &warnings {
        say(format!("warning: {warning}"))?;
    }
    say(format!("{}: no errors", args.config.display()))?;
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
