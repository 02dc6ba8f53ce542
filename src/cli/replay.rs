//! `wanctl replay`: what was recorded, decided again.

mod report;
mod vary;

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};

use super::{EXIT_CONFIG, EXIT_FAILURE, Failure};
use crate::{
    config::Config,
    recording::{Lines, replay},
};
use vary::{Setting, Variation};

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    /// Recording of `run --record`; `-` is standard input.
    #[arg(value_name = "FILE")]
    recording: PathBuf,
    /// Replay only this WAN.
    #[arg(long, value_name = "NAME")]
    wan: Option<String>,
    /// Use the limits, laws and thresholds of the WAN of the same name in this configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Use this value in place of the recorded one, for example `download.ceiling_mbps=80`,
    /// `delay.yellow_ms=20` or a number that `simulate --list` shows. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<Setting>,
    /// Use this law for both directions.
    #[arg(long, value_name = "NAME", value_parser = vary::law)]
    law: Option<Setting>,
    /// Format of the differences.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON object.
    Json,
}

pub(super) fn run(args: &ReplayArgs) -> Result<(), Failure> {
    let config = args.config.as_deref().map(load).transpose()?;
    let settings = args.law.iter().chain(&args.set).cloned().collect();
    let variation = Variation { config, settings };
    let shown = args.recording.display();
    let outcome = Lines::open(input(&args.recording)?)
        .map_err(Into::into)
        .and_then(|lines| {
            replay(lines, args.wan.as_deref(), |name, params| variation.apply(name, params))
        })
        .with_context(|| shown.to_string())?;
    match args.format {
        Format::Table => report::table(&outcome, variation.is_none())?,
        Format::Json => report::json(&outcome)?,
    }
    // With the settings that it was recorded with, a difference is a fault, ours or a gap's.
    if variation.is_none() && !outcome.is_identical() {
        let error = anyhow!("the replayed decisions differ from the recorded ones");
        return Err(Failure { code: EXIT_FAILURE, error });
    }
    Ok(())
}

fn load(path: &Path) -> Result<Config, Failure> {
    let loaded = Config::load(path);
    let (config, _) =
        loaded.map_err(|errors| Failure { code: EXIT_CONFIG, error: errors.into() })?;
    Ok(config)
}

fn input(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(Box::new(BufReader::new(file)))
}
