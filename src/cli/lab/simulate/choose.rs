//! What is run: laws and scenarios by their names, traces by their files, limits by the
//! configuration or the command line.

use std::{path::Path, time::Duration};

use anyhow::anyhow;
use wanctl_core::{Direction, DirectionParams, WanParams};
use wanctl_lab::{
    law_benchmark::{LAWS, Law, SUITE, Scenario, SuiteEntry},
    trace::{LoadOptions, load},
};

use super::SimulateArgs;
use crate::{
    cli::{EXIT_CONFIG, EXIT_USAGE, Failure},
    config::{Config, WanConfig},
};

/// What is less alike than this was not meant.
const SIMILAR: f64 = 0.75;
/// The provider's buffers if all scenarios are run, and if one is.
const SUITE_BUFFERS_MS: [u64; 3] = [50, 100, 300];
const DEFAULT_BUFFER_MS: u64 = 100;

/// Returns the WAN of the configuration file, if there is one.
pub(super) fn wan(args: &SimulateArgs) -> Result<Option<WanConfig>, Failure> {
    let Some(path) = &args.config else { return Ok(None) };
    let (config, _) =
        Config::load(path).map_err(|errors| Failure { code: EXIT_CONFIG, error: errors.into() })?;
    let names: Vec<&str> = config.wans.iter().map(|wan| wan.name.as_str()).collect();
    let wanted = match (&args.wan, &names[..]) {
        (Some(name), _) => name.as_str(),
        (None, [only]) => *only,
        (None, _) => {
            let names = names.join(", ");
            return Err(usage(format!(
                "{} has several WANs: choose one with --wan ({names})",
                path.display()
            )));
        }
    };
    let place = names.iter().position(|name| *name == wanted);
    let place = place.ok_or_else(|| unknown("WAN", wanted, &names))?;
    Ok(config.wans.get(place).cloned())
}

/// Returns the laws in the order in which they are shown.
pub(super) fn laws(args: &SimulateArgs, wan: Option<&WanConfig>) -> Result<Vec<Law>, Failure> {
    let names: Vec<&str> = LAWS.iter().map(|law| law.name).collect();
    let find = |name: &str| Law::named(name).copied().ok_or_else(|| unknown("law", name, &names));
    let mut laws: Vec<Law> = args.law.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
    if args.compare {
        let is_named = |law: &&Law| args.law.iter().any(|name| name == law.name);
        laws.extend(LAWS.iter().filter(|law| !is_named(law)));
    } else if laws.is_empty() {
        laws.push(match wan {
            Some(wan) => Law::configured(&wan.params),
            None => find("adaptive")?,
        });
    }
    Ok(laws)
}

/// Returns the scenarios with each buffer and each seed.
pub(super) fn scenarios(
    args: &SimulateArgs,
    wan: Option<&WanConfig>,
) -> Result<Vec<Scenario>, Failure> {
    let names: Vec<&str> = SUITE.iter().map(|entry| entry.name).collect();
    let find =
        |name: &String| SuiteEntry::named(name).ok_or_else(|| unknown("scenario", name, &names));
    let is_suite = args.trace.is_empty() && args.scenario.is_empty();
    let entries: Vec<&SuiteEntry> = if is_suite {
        SUITE.iter().collect()
    } else {
        args.scenario.iter().map(find).collect::<Result<_, _>>()?
    };
    let recorded =
        args.trace.iter().map(|path| of_trace(path, args)).collect::<Result<Vec<_>, _>>()?;
    let buffers: &[u64] = match &args.buffer_ms[..] {
        [] if is_suite => &SUITE_BUFFERS_MS,
        [] => &[DEFAULT_BUFFER_MS],
        given => given,
    };
    let mut chosen = Vec::new();
    for seed in &args.seed {
        let made = entries.iter().map(|entry| entry.scenario(*seed));
        let traced = recorded.iter().map(|scenario| scenario.clone().with_seed(*seed));
        for scenario in traced.chain(made) {
            let scenario = adjusted(scenario, args, wan)?;
            // Where no queue stands, its room makes no difference.
            let buffers = if scenario.is_loaded() { buffers } else { &[DEFAULT_BUFFER_MS] };
            chosen.extend(buffers.iter().map(|buffer| {
                let sized = scenario.clone().with_buffer(Duration::from_millis(*buffer));
                let suffix = if buffers.len() > 1 { format!("/{buffer}ms") } else { String::new() };
                Scenario { name: sized.name.clone() + &suffix, ..sized }
            }));
        }
    }
    Ok(chosen)
}

fn of_trace(path: &Path, args: &SimulateArgs) -> Result<Scenario, Failure> {
    let bin = Duration::from_millis(args.bin_ms);
    let recording = load(path, &LoadOptions { bin, column: args.column.clone() })?;
    let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    // The place distinguishes two of the same name.
    let is_alone = args.trace.iter().filter(|other| stem(other) == stem(path)).count() == 1;
    let name = stem(path).filter(|_| is_alone).unwrap_or_else(|| path.display().to_string());
    Ok(Scenario::of_recording(&name, recording))
}

fn adjusted(
    mut scenario: Scenario,
    args: &SimulateArgs,
    wan: Option<&WanConfig>,
) -> Result<Scenario, Failure> {
    if let Some(wan) = wan {
        scenario.params = wan.params;
    }
    limit(&mut scenario.params, args)?;
    if let Some(rtt) = args.rtt_ms {
        scenario.link.base_rtt = Duration::from_millis(rtt);
        scenario.link.base_rtt_steps.clear();
    }
    if let Some(duration) = args.duration {
        scenario.duration = duration;
    }
    Ok(scenario)
}

/// Puts the limits of the command line in force; those that are not given make room for them.
fn limit(params: &mut WanParams, args: &SimulateArgs) -> Result<(), Failure> {
    for direction in Direction::ALL {
        let Some(DirectionParams { limits, law }) = &mut params.directions[direction] else {
            continue;
        };
        let [floor, base, ceiling] =
            [args.floor, args.base, args.ceiling].map(|rates| rates.map(|rates| rates[direction]));
        limits.ceiling = ceiling
            .unwrap_or(limits.ceiling.max(base.unwrap_or_default()).max(floor.unwrap_or_default()));
        let lowest = floor.unwrap_or_default();
        limits.base = base.unwrap_or(limits.base.max(lowest).min(limits.ceiling));
        limits.floor = floor.unwrap_or(limits.floor.min(limits.base));
        if limits.floor > limits.base || limits.base > limits.ceiling {
            return Err(usage(format!(
                "{}: floor {}, base {} and ceiling {} are not in ascending order; change --floor, \
                 --base or --ceiling",
                direction.name(),
                limits.floor,
                limits.base,
                limits.ceiling
            )));
        }
        *law = law.within(limits);
    }
    Ok(())
}

pub(super) fn unknown(what: &str, name: &str, known: &[&str]) -> Failure {
    let alike = known.iter().map(|known| (strsim::jaro_winkler(name, known), *known));
    let meant = alike.filter(|(similarity, _)| *similarity > SIMILAR);
    let meant = meant.max_by(|(a, _), (b, _)| a.total_cmp(b));
    usage(match meant {
        Some((_, meant)) => format!("there is no {what} `{name}`; did you mean `{meant}`?"),
        None => format!("there is no {what} `{name}`; there are: {}", known.join(", ")),
    })
}

fn usage(sentence: String) -> Failure {
    Failure { code: EXIT_USAGE, error: anyhow!(sentence) }
}
