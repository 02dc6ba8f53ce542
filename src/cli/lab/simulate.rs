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
    /// A capacity trace: mahimahi, `seconds,mbit` CSV, or `seconds mbit_down mbit_up [rtt_ms]`. The
    /// upload of X.down is X.up, if that stands beside it. May be repeated.
    #[arg(long, value_name = "FILE")]
    trace: Vec<PathBuf>,
    /// The column of a CSV trace that is the download, by its number or name.
    #[arg(long, value_parser = column, default_value = "1", value_name = "COLUMN")]
    column: Column,
    /// The width of the bins in which a mahimahi trace becomes a rate.
    #[arg(long, default_value_t = 100, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=60_000))]
    bin_ms: u64,
    /// A scenario by its name; `--list` has them. May be repeated. Without a trace or a scenario:
    /// all of them.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// A law by its name; `--list` has them. May be repeated.
    #[arg(long, value_name = "NAME")]
    law: Vec<String>,
    /// Compare all laws; those given with `--law` come first.
    #[arg(long)]
    compare: bool,
    /// How much of the mean capacity the provider's buffers hold. Without it 100, or 50, 100 and 300
    /// if all scenarios are run.
    #[arg(long, value_delimiter = ',', value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=10_000))]
    buffer_ms: Vec<u64>,
    /// How long each scenario lasts, for example `60s` or `5m`; without it, as long as it is.
    #[arg(long, value_parser = duration, value_name = "TIME")]
    duration: Option<Duration>,
    /// Equal seeds give equal runs. May be repeated, to run everything with each.
    #[arg(long, value_name = "NUMBER", default_value = "1")]
    seed: Vec<u64>,
    /// Round-trip time of the empty link; without it, as the scenario says, and 20 ms for a trace.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..=2_000))]
    rtt_ms: Option<u64>,
    /// The lowest rates in Mbit/s; without it, a tenth of the base rates.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    floor: Option<PerDirection<BitRate>>,
    /// The rates in Mbit/s that the link can be trusted with; without it, the capacity that it has
    /// for three quarters of the time.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    base: Option<PerDirection<BitRate>>,
    /// The highest rates in Mbit/s; without it, a tenth more than nearly all of the capacity.
    #[arg(long, value_parser = rates, value_name = "DOWN[,UP]")]
    ceiling: Option<PerDirection<BitRate>>,
    /// Take limits, thresholds and, unless laws are given, the law from this configuration.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The WAN of the configuration; only needed if it has several.
    #[arg(long, value_name = "NAME", requires = "config")]
    wan: Option<String>,
    /// Run with this value of a tunable number of the estimator or a policy; `--list` has them. Of
    /// several values each is run, and has its own row. May be repeated: all combinations are run.
    #[arg(long, value_name = "KEY=VALUE[,VALUE]")]
    set: Vec<Sweep>,
    /// How the figures are printed.
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Draw capacity, rates and delay of each law into this SVG or PNG file; of several scenarios
    /// into one each, `FILE-SCENARIO-SEED.svg`.
    #[cfg(feature = "plot")]
    #[arg(long, value_name = "FILE", conflicts_with = "steering")]
    plot: Option<crate::plot::PictureFile>,
    /// Try steering between two WANs instead: the first two columns of each trace, or brown-outs,
    /// outages and glitches.
    #[arg(long, conflicts_with_all = ["scenario", "compare", "config", "set"])]
    steering: bool,
    /// List the scenarios, the laws and the tunable numbers, and run nothing.
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

/// A line on the terminal that tells how far it is; nothing if nobody looks.
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
