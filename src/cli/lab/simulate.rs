//! `wanctl simulate`: laws on simulated links, in virtual time, and what came of it.

mod choose;
#[cfg(feature = "plot")]
mod plot;
mod steering;
mod sweep;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum};
use wanctl_core::{Param, Params, PerDirection, units::BitRate};
use wanctl_lab::{
    law_benchmark::{Job, LAWS, Row, SUITE, Scenario, csv, json, run as run_all, table},
    trace::Column,
};

use super::super::{Failure, duration, output::say};
use sweep::Sweep;

#[derive(Debug, Args)]
pub(in crate::cli) struct SimulateArgs {
    /// Capacity trace: mahimahi, `seconds,mbit` CSV, or `seconds mbit_down mbit_up [rtt_ms]`. The
    /// upload of X.down is X.up, if it exists. Repeatable.
    #[arg(long, value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// Column of the download in a CSV trace, by number or name.
    #[arg(long, value_parser = column, default_value = "1", value_name = "COLUMN")]
    column: Column,
    /// Width of the bins that convert a mahimahi trace to rates.
    #[arg(long, default_value_t = 100, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=60_000))]
    bin_ms: u64,
    /// Scenario by name; `--list` shows them. Repeatable. Default without a trace: all scenarios.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Law by name; `--list` shows them. Repeatable.
    #[arg(long, value_name = "NAME")]
    law: Vec<String>,
    /// Compare all laws; those given with `--law` come first.
    #[arg(long)]
    compare: bool,
    /// Size of the provider's buffers at the mean capacity. Default: 100, or 50, 100 and 300 if all
    /// scenarios are run.
    #[arg(long, value_delimiter = ',', value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    buffer_ms: Vec<u64>,
    /// Duration of each scenario, for example `60s` or `5m`; default: its own duration.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Seed of the random numbers. Repeatable; everything is run with each seed.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: Vec<u64>,
    /// Round-trip time of the idle link; default: that of the scenario, and 20 ms for a trace.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=2_000))]
    rtt_ms: Option<u64>,
    /// Floor rates in Mbit/s; default: a tenth of the base rates.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    floor: Option<PerDirection<BitRate>>,
    /// Base rates in Mbit/s; default: the capacity that is available for three quarters of the
    /// time.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    base: Option<PerDirection<BitRate>>,
    /// Ceiling rates in Mbit/s; default: 110 % of the 99th percentile of the capacity.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    ceiling: Option<PerDirection<BitRate>>,
    /// Use the limits, the thresholds and, without `--law`, the law of this configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// WAN of the configuration; only needed if it has several.
    #[arg(long, value_name = "NAME", requires = "config")]
    wan: Option<String>,
    /// Run with this value of a tunable number of the estimator or a policy; `--list` has them. Of
    /// several values each is run, and has its own row. May be repeated: all combinations are run.
    #[arg(long, value_name = "KEY=VALUE[,VALUE]")]
    set: Vec<Sweep>,
    /// Format of the figures.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Plot capacity, rates and delay of each law into this SVG or PNG file; with several scenarios
    /// into a file for each, `FILE-SCENARIO-SEED.svg`.
    #[cfg(feature = "plot")]
    #[arg(long, value_name = "FILE", conflicts_with = "steering")]
    plot: Option<crate::plot::PictureFile>,
    /// Simulate steering between two WANs: with the first two columns of each trace, or with
    /// brown-outs and outages.
    #[arg(long, conflicts_with_all = ["scenario", "compare", "config", "set"])]
    steering: bool,
    /// List the scenarios, the laws and the tunable numbers without running anything.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns, with means.
    Table,
    /// A list of objects.
    Json,
    /// Comma-separated values with a header.
    Csv,
}

pub(super) fn run(args: &SimulateArgs) -> Result<(), Failure> {
    if args.list {
        return Ok(list()?);
    }
    if args.steering {
        return steering::run(args);
    }
    let wan = choose::wan(args)?;
    let laws = choose::laws(args, wan.as_ref())?;
    let scenarios = choose::scenarios(args, wan.as_ref())?;
    let variants = sweep::variants(&args.set);
    let progress = Progress::new(scenarios.len() * laws.len() * variants.len());
    #[cfg(feature = "plot")]
    let keeps_record = args.plot.is_some();
    #[cfg(not(feature = "plot"))]
    let keeps_record = false;
    // A picture needs every moment of its runs, which are dropped before the next one's.
    let at_once = if keeps_record { 1 } else { scenarios.len() };
    let mut rows: Vec<Row> = Vec::new();
    for part in scenarios.chunks(at_once.max(1)) {
        let varied: Vec<Vec<(&str, Scenario)>> = part
            .iter()
            .map(|scenario| sweep::apply(scenario, &variants))
            .collect::<Result<_, _>>()?;
        let (mut jobs, mut labels) = (Vec::new(), Vec::new());
        for (law, (label, scenario)) in varied
            .iter()
            .flat_map(|all| laws.iter().flat_map(move |law| all.iter().map(move |one| (law, one))))
        {
            jobs.push(Job { law, scenario, keeps_record });
            labels.push(*label);
        }
        let mut outcomes = run_all(&jobs, &|done| progress.print(rows.len() + done));
        for (outcome, label) in
            outcomes.iter_mut().zip(labels).filter(|(_, label)| !label.is_empty())
        {
            outcome.row.law = format!("{} {label}", outcome.row.law);
        }
        progress.clear();
        #[cfg(feature = "plot")]
        if let (Some(file), [scenario]) = (&args.plot, part) {
            let file = if scenarios.len() == 1 { file } else { &plot::beside(file, scenario) };
            plot::write(file, scenario, &outcomes).map_err(anyhow::Error::from)?;
        }
        rows.extend(outcomes.into_iter().map(|outcome| outcome.row));
    }
    let text = match args.format {
        Format::Table => table(&rows),
        Format::Json => json(&rows),
        Format::Csv => csv(&rows),
    };
    Ok(say(text.trim_end())?)
}

fn list() -> io::Result<()> {
    say("scenarios:")?;
    for entry in SUITE {
        say(format!("  {:<20} {}", entry.name, entry.about))?;
    }
    say("laws:")?;
    for law in LAWS {
        say(format!("  {:<22} {}", law.name, law.about))?;
    }
    say("numbers:")?;
    for Param { key, default, range, about, .. } in Params::default().list() {
        let (least, most) = range.into_inner();
        say(format!("  {key:<46} {default:>8} ({least} to {most}) {about}"))?;
    }
    Ok(())
}

/// A progress line on the terminal; nothing if there is no terminal.
struct Progress {
    jobs: usize,
    is_shown: bool,
}

impl Progress {
    fn new(jobs: usize) -> Self {
        Self { jobs, is_shown: jobs > 1 && io::stderr().is_terminal() }
    }

    fn print(&self, done: usize) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r{done} of {} runs", self.jobs);
        }
    }

    fn clear(&self) {
        if self.is_shown {
            // Back to the start of the line, and erase it.
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "clap asks for a Result")]
fn column(text: &str) -> Result<Column, String> {
    let number = text.parse().map(Column::Number);
    Ok(number.unwrap_or_else(|_| Column::Named(text.to_owned())))
}

/// Reads one rate for both directions, or two.
fn rates(text: &str) -> Result<PerDirection<BitRate>, String> {
    let rate = |text: &str| {
        let rate = text.trim().parse::<f64>().ok().filter(|rate| (0.1..=1e6).contains(rate));
        rate.map(BitRate::from_mbps).ok_or_else(|| format!("`{text}` is not 0.1 to 1000000 Mbit/s"))
    };
    let (download, upload) = text.split_once(',').unwrap_or((text, text));
    Ok(PerDirection { download: rate(download)?, upload: rate(upload)? })
}
