//! `wanctl history`: how a link has behaved.

mod events;
mod export;
mod human;
mod pager;
#[cfg(feature = "plot")]
mod plot;
mod summary;
mod sums;
mod table;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use wanctl_core::units::{Delay, Timestamp};

use super::{EXIT_USAGE, Failure, output::say, zone};
use crate::{
    clock::Clock,
    history::{self, Compacted, Event, HistoryQuery, QueryArgs, QueryError, Reader},
};
use pager::Output;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HistoryArgs {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    asked: QueryOptions,
    #[command(flatten)]
    view: View,
    /// How the answer is written; `openmetrics` only for rows.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write to the terminal itself, not through $PAGER.
    #[arg(long)]
    no_pager: bool,
}

/// The database file.
#[derive(Debug, Clone, Args)]
struct Database {
    /// The database file, of a running daemon or a copy.
    #[arg(long, value_name = "FILE", default_value = "/var/lib/wanctl/history.db")]
    db: PathBuf,
}

/// What is asked for.
#[derive(Debug, Clone, Args)]
struct QueryOptions {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    query: QueryArgs,
}

/// What is made of it.
#[derive(Debug, Clone, Args)]
struct View {
    /// Sum it up: percentiles, time in each state, minutes over a delay.
    #[arg(long, group = "what")]
    summary: bool,
    /// List the events.
    #[arg(long, group = "what")]
    events: bool,
    /// Only events of these kinds, for example `state_changed,rate_written`.
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "events")]
    kind: Vec<String>,
    /// Sum it up for each hour of the day, or each day.
    #[arg(long, value_enum, group = "what", value_name = "UNIT")]
    by: Option<sums::By>,
    /// Draw it in the terminal, or as a picture: FILE.svg or FILE.png.
    #[cfg(feature = "plot")]
    #[arg(long, num_args = 0..=1, value_name = "FILE", group = "what", default_missing_value = "-")]
    plot: Option<plot::Target>,
    /// The delay over the baseline above which minutes are counted, for example `30ms`.
    #[arg(long, value_name = "DELAY", default_value = "30ms", value_parser = delay)]
    over: Delay,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// For programs, times in UTC.
    Json,
    /// For spreadsheets, times in UTC.
    Csv,
    /// For `promtool tsdb create-blocks-from openmetrics`.
    Openmetrics,
}

/// What to do besides asking.
#[derive(Debug, Subcommand)]
enum Task {
    /// Write rows to a file, for spreadsheets, programs and Prometheus.
    Export(export::ExportArgs),
    /// Check that the file is whole and that its tiers agree.
    Verify(Database),
    /// Write the file anew, as small as its content. The daemon must not run.
    Compact(Database),
}

/// What every view needs.
#[derive(Debug)]
struct QueryContext {
    reader: Reader,
    question: HistoryQuery,
    /// The WANs that are shown, in order.
    wans: Vec<String>,
    zone: TimeZone,
    now: Timestamp,
}

impl QueryOptions {
    fn open(&self) -> Result<QueryContext, Failure> {
        let (now, zone) = (Clock::wall(), zone::local());
        let question = HistoryQuery::parse(&self.query, now, &zone).map_err(misused)?;
        let reader = Reader::open(&self.database.db)?;
        let wans = reader.wans_among(&question.wans)?;
        Ok(QueryContext { reader, question, wans, zone, now })
    }
}

fn misused(QueryError { parameter, reason }: QueryError) -> Failure {
    usage(format_args!("--{parameter}: {reason}"))
}

/// What is made of the rows.
enum Answer {
    Rows,
    Summary(Delay),
    By(sums::By, Delay),
    Events(Vec<String>),
    #[cfg(feature = "plot")]
    Plot(plot::Target),
}

impl View {
    fn answer(self) -> Result<Answer, Failure> {
        if let Some(kind) = self.kind.iter().find(|kind| !Event::KINDS.contains(&kind.as_str())) {
            let (kind, known) = (kind.escape_debug(), Event::KINDS.join(", "));
            return Err(usage(format_args!(
                "--kind: there is no kind of event `{kind}`; there are {known}"
            )));
        }
        #[cfg(feature = "plot")]
        if let Some(target) = self.plot {
            return Ok(Answer::Plot(target));
        }
        Ok(match self.by {
            Some(by) => Answer::By(by, self.over),
            None if self.summary => Answer::Summary(self.over),
            None if self.events => Answer::Events(self.kind),
            None => Answer::Rows,
        })
    }
}

pub(super) fn run(args: HistoryArgs) -> Result<(), Failure> {
    let HistoryArgs { task, asked, view, format, no_pager } = args;
    match task {
        Some(Task::Export(args)) => return export::run(&args),
        Some(Task::Verify(database)) => return verify(&database.db),
        Some(Task::Compact(database)) => return compact(&database.db),
        None => {}
    }
    let answer = view.answer()?;
    if format == Format::Openmetrics && !matches!(answer, Answer::Rows) {
        return Err(usage("--format openmetrics: only rows are written that way"));
    }
    let asking = asked.open()?;
    let chosen = asked.query.metrics.is_some();
    #[cfg(feature = "plot")]
    if let Answer::Plot(plot::Target::File(file)) = &answer {
        return Ok(plot::to_file(&asking, chosen, file)?);
    }
    let mut out = Output::open(!no_pager && format == Format::Table);
    match answer {
        Answer::Rows if format == Format::Table => table::print(&mut out, &asking, chosen)?,
        Answer::Rows => export::write(&mut out, &asking, format)?,
        Answer::Summary(over) => {
            let groups = sums::whole(&asking)?;
            match format {
                Format::Table => summary::print(&mut out, &asking, &groups, over)?,
                _ => sums::write(&mut out, &groups, "span", format, over)?,
            }
        }
        Answer::By(by, over) => {
            let groups = sums::grouped(&asking, by)?;
            match format {
                Format::Table => table::print_groups(&mut out, &asking, &groups, by, over)?,
                _ => sums::write(&mut out, &groups, by.key(), format, over)?,
            }
        }
        Answer::Events(kinds) => events::print(&mut out, &asking, format, kinds)?,
        #[cfg(feature = "plot")]
        Answer::Plot(_) => plot::to_terminal(&mut out, &asking, chosen)?,
    }
    Ok(out.finish()?)
}

fn usage(message: impl std::fmt::Display) -> Failure {
    Failure { code: EXIT_USAGE, error: anyhow::anyhow!("{message}") }
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

/// Reads a delay: a number of ms, or with its unit.
fn delay(text: &str) -> Result<Delay, String> {
    if let Ok(millis) = text.parse::<f64>() {
        return Ok(Delay::from_millis_f64(millis));
    }
    super::duration(text).map(Delay::from)
}
