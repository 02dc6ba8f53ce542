//! `wanctl check`: looks at everything that `run` needs, and says what it found line by line.
//!
//! ```text
//!  configuration ─┬─► host, reflectors from this host ─┐
//!                 └─► router, then pings from it ──────┴─► Report ─► text | JSON, exit code
//! ```

mod host;
mod reflectors;
mod report;
mod router;
mod text;

use std::time::Duration;

use anyhow::anyhow;
use clap::ValueEnum;
use futures_util::future::{join, join_all};
use tokio::time::Instant;
use wanctl_core::{Direction, DirectionParams, Limits};

use self::report::{Line, Report, Topic};
use super::{CheckArgs, EXIT_CONFIG, Failure, output::say};
use crate::{
    config::{Config, Mode, Problem},
    router::Router,
};

/// How long everything together may take; later results are reported as unknown.
const LONGEST: Duration = Duration::from_secs(25);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// For programs; the schema is docs/check.schema.json.
    Json,
}

/// Checks, and returns the exit code that says what it comes to.
pub(super) async fn run(args: CheckArgs) -> Result<u8, Failure> {
    let (config, warnings) = match Config::load(&args.config) {
        Ok(loaded) => loaded,
        Err(errors) => {
            if args.format == Format::Json {
                let problem = |problem: &Problem| {
                    Line::failed(Topic::Configuration, "configuration", problem.to_string())
                };
                let lines = errors.problems().iter().map(problem).collect();
                print(args.format, &Report::new(&args.config, args.offline, lines, Vec::new()))?;
            }
            return Err(Failure { code: EXIT_CONFIG, error: errors.into() });
        }
    };
    let mut lines = described(&args, &config);
    let warned = |problem: &Problem| {
        Line::warning(Topic::Configuration, "configuration", problem.to_string())
    };
    lines.extend(warnings.iter().map(warned));
    let mut not_tried = Vec::new();
    if args.offline {
        not_tried.push("this host, the reflectors and the router (--offline)".to_owned());
    } else {
        let routers = config
            .open_routers()
            .map_err(|text| Failure { code: EXIT_CONFIG, error: anyhow!("{text}") })?;
        lines.extend(run_checks(&args, &config, &routers).await);
        not_tried.extend(untried(&args, &config));
    }
    let report = Report::new(&args.config, args.offline, lines, not_tried);
    print(args.format, &report)?;
    Ok(report.verdict.exit_code())
}

fn print(format: Format, report: &Report) -> Result<(), Failure> {
    match format {
        Format::Text => say(text::render(report))?,
        Format::Json => say(serde_json::to_string_pretty(report)?)?,
    }
    Ok(())
}

/// Checks this host and the routers at the same time.
async fn run_checks(args: &CheckArgs, config: &Config, routers: &[Router]) -> Vec<Line> {
    let until = Instant::now() + LONGEST;
    let mut lines = host::surroundings(config).await;
    lines.extend(config.wans.iter().filter_map(host::local_end));
    let by_router = |(place, router)| async move {
        let check = router::Check { config, place, router, until };
        let (mut lines, answers) = check.run(args.try_write).await;
        lines.extend(reflectors::from_router(config, (place, router), answers, until).await);
        lines
    };
    let by_routers = join_all(routers.iter().enumerate().map(by_router));
    let (by_routers, by_host) = join(by_routers, reflectors::from_host(config, until)).await;
    lines.extend(by_host);
    lines.extend(by_routers.into_iter().flatten());
    lines
}

/// What this command does not look at, and how to.
fn untried(args: &CheckArgs, config: &Config) -> Vec<String> {
    let mut untried = Vec::new();
    if !args.try_write {
        let why =
            if config.control.mode == Mode::Observe { " (not needed in observe mode)" } else { "" };
        untried.push(format!("writing a limit{why}: {}", router::TRY_WRITE));
    }
    if config.steering.is_some() {
        untried.push(
            "switching a steering rule: `wanctl steer` moves traffic while `wanctl run` is running"
                .to_owned(),
        );
    }
    untried.extend(config.routers.iter().flat_map(|router| router.connection.described().1));
    untried
        .push("delay under load: run `wanctl run --observe` while the link is loaded".to_owned());
    untried
}

/// What the configuration says.
fn described(args: &CheckArgs, config: &Config) -> Vec<Line> {
    let ok = |subject: String, what: String| Line::ok(Topic::Configuration, subject, what);
    let mode = match config.control.mode {
        Mode::Active => "active, limits are written to the router",
        Mode::Observe => "observe, nothing is written to the router",
    };
    let mut lines = vec![ok(
        "configuration".to_owned(),
        format!("{}: no errors; mode {mode}", args.config.display()),
    )];
    for wan in &config.wans {
        for direction in Direction::ALL {
            let who = format!("wan {} {}", wan.name, direction.name());
            let shaped = wan.queues[direction].as_ref().zip(wan.params.directions[direction]);
            let Some((queue, DirectionParams { limits, law })) = shaped else {
                lines.push(ok(who, "is not shaped".to_owned()));
                continue;
            };
            let Limits { floor, base, ceiling } = limits;
            let law = law.name().name();
            lines.push(ok(
                who,
                format!("{queue}, law {law}, floor {floor}, base {base}, ceiling {ceiling}"),
            ));
        }
    }
    lines
}
