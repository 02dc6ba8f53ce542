//! `wanctl history`: how a link has behaved.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use jiff::{Timestamp as WallTime, tz::TimeZone};

use super::{Failure, duration, output::say};
use crate::{
    clock::Clock,
    control::Direction,
    history::{self, Compacted, Reader, Summary},
    units::Timestamp,
};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    task: Option<Task>,
    /// The database file.
    #[arg(long, global = true, value_name = "FILE", default_value = "/var/lib/wanctl/history.db")]
    db: PathBuf,
    /// How far back to look, for example `30m` or `24h`.
    #[arg(long, value_parser = duration, value_name = "TIME", default_value = "1h")]
    last: Duration,
    /// Only this WAN.
    #[arg(long, value_name = "NAME")]
    wan: Option<String>,
    /// List the events instead of summing up the cycles.
    #[arg(long)]
    events: bool,
}

/// What to do with the file instead of telling what is in it.
#[derive(Debug, Clone, Copy, Subcommand)]
enum Task {
    /// Check that the file is whole and that its tiers agree.
    Verify,
    /// Write the file anew, as small as its content. The daemon must not run.
    Compact,
}

pub(super) fn run(args: &HistoryArgs) -> Result<(), Failure> {
    match args.task {
        Some(Task::Verify) => return verify(&args.db),
        Some(Task::Compact) => return compact(&args.db),
        None => {}
    }
    let reader = Reader::open(&args.db)?;
    let now = Clock::wall();
    let back = i64::try_from(args.last.as_micros()).unwrap_or(i64::MAX);
    let from = Timestamp::from_micros(now.micros().saturating_sub(back));
    if args.events {
        list_events(&reader, args, from, now)
    } else {
        sum_up(&reader, args, from, now)
    }
}

fn verify(path: &Path) -> Result<(), Failure> {
    let found = Reader::open(path)?.verify()?;
    for problem in &found.problems {
        say(problem)?;
    }
    let (compared, cycles, gaps) = (found.compared, found.cycles, found.gaps);
    say(format!(
        "{compared} buckets compared, {cycles} single cycles read, {gaps} gaps in the record"
    ))?;
    if found.problems.is_empty() {
        return Ok(());
    }
    let shown = path.display();
    Err(anyhow::anyhow!("{shown} is not whole; move it away and a new history begins").into())
}

fn compact(path: &Path) -> Result<(), Failure> {
    let Compacted { before, after } = history::compact(path)?;
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    Ok(say(format!("{:.1} MB before, {:.1} MB after", megabytes(before), megabytes(after)))?)
}

fn list_events(
    reader: &Reader,
    args: &HistoryArgs,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), Failure> {
    for event in reader.events(from, to)? {
        if args.wan.is_some() && event.wan != args.wan {
            continue;
        }
        let wan = event.wan.as_deref().unwrap_or("-");
        say(format!("{}  {wan:<10}  {:<20}  {}", local(event.at), event.kind, event.payload))?;
    }
    Ok(())
}

fn sum_up(
    reader: &Reader,
    args: &HistoryArgs,
    from: Timestamp,
    to: Timestamp,
) -> Result<(), Failure> {
    let wans = args.wan.clone().map_or_else(|| reader.wans(), |wan| Ok(vec![wan]))?;
    for wan in wans {
        tell(&wan, &reader.summary(&wan, from, to)?)?;
    }
    Ok(())
}

fn tell(wan: &str, summary: &Summary) -> std::io::Result<()> {
    let (Some(first), Some(last)) = (summary.first, summary.last) else {
        return say(format!("{wan}: nothing recorded in this time"));
    };
    say(format!("{wan}: {} cycles from {} to {}", summary.cycles, local(first), local(last)))?;
    if let Some(delta) = &summary.delta {
        say(format!(
            "  added delay  p50 {}, p95 {}, p99 {}, max {}",
            delta.p50, delta.p95, delta.p99, delta.max
        ))?;
    }
    for direction in Direction::ALL {
        let told = &summary.directions[direction];
        let rate = |rate: Option<crate::units::BitRate>| {
            rate.map_or_else(|| "unknown".to_owned(), |rate| rate.to_string())
        };
        let states = told
            .states
            .iter()
            .map(|(state, share)| format!("{} {:.1} %", state.name(), 100.0 * share));
        say(format!(
            "  {:<11}  traffic {}, wanted {}; {}",
            direction.name(),
            rate(told.achieved),
            rate(told.desired),
            states.collect::<Vec<_>>().join(", ")
        ))?;
    }
    Ok(())
}

fn local(at: Timestamp) -> String {
    WallTime::from_microsecond(at.micros()).map_or_else(
        |_| at.micros().to_string(),
        |at| at.to_zoned(TimeZone::system()).strftime("%F %T").to_string(),
    )
}
