//! `wanctl history`: how a link has behaved.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use jiff::{Timestamp as WallTime, tz::TimeZone};

use super::{Failure, duration, output::say};
use crate::{
    clock::Clock,
    control::Direction,
    history::{Reader, Summary},
    units::Timestamp,
};

#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    /// The database file.
    #[arg(long, value_name = "FILE", default_value = "/var/lib/wanctl/history.db")]
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

pub(super) fn run(args: &HistoryArgs) -> Result<(), Failure> {
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
