//! Rows for other programs, with a progress bar if a person waits for them.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Format, QueryContext, QueryOptions};
use crate::{
    cli::Failure,
    history::{HistoryQuery, Row, Rows, export_openmetrics, write_csv, write_json},
};

/// After this long, a person wonders.
const DEADLINE: Duration = Duration::from_millis(500);
/// Steps of the bar for each WAN.
const STEPS: u64 = 1000;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    asked: QueryOptions,
    /// How the rows are written.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// The file to write; standard output if not given.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let ExportArgs { asked, format, output } = args;
    let asking = asked.open()?;
    let Some(path) = output else {
        let mut out = super::pager::Output::open(false);
        write(&mut out, &asking, *format)?;
        return Ok(out.finish()?);
    };
    let writing = || format!("writing {}", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(writing)?);
    write(&mut out, &asking, *format)?;
    Ok(out.flush().with_context(writing)?)
}

/// Writes the asked rows.
pub(super) fn write(
    out: &mut dyn Write,
    asking: &QueryContext,
    format: Format,
) -> Result<(), anyhow::Error> {
    let QueryContext { reader, question, now, .. } = asking;
    let mut rows = Rows::new(reader, question, usize::MAX, None)?;
    let mut progress = Progress::new(asking);
    let see = |row: &Row| progress.see(row);
    match format {
        Format::Csv => write_csv(out, &mut rows, question, see)?,
        Format::Json => write_json(out, &mut rows, question, see)?,
        Format::Openmetrics => export_openmetrics(out, &mut rows, question, *now, see)?,
        Format::Table => super::table::print(out, asking, true)?,
    }
    progress.end();
    Ok(())
}

/// A bar on standard error, which is not there for what is quick and where nobody watches.
struct Progress<'a> {
    asking: &'a QueryContext,
    started: Instant,
    rows: u64,
    bar: Option<ProgressBar>,
}

impl<'a> Progress<'a> {
    fn new(asking: &'a QueryContext) -> Self {
        Self { asking, started: Instant::now(), rows: 0, bar: None }
    }

    fn see(&mut self, row: &Row) {
        self.rows += 1;
        // Often enough for the eye.
        if !self.rows.is_multiple_of(256) || self.started.elapsed() < DEADLINE {
            return;
        }
        let HistoryQuery { from, to, .. } = self.asking.question;
        let whole = (to.micros() - from.micros()).max(1) as f64;
        let done = (row.point.at.micros() - from.micros()) as f64 / whole;
        let place = self.asking.wans.iter().position(|wan| **wan == *row.wan).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let within = (done.clamp(0.0, 1.0) * STEPS as f64) as u64;
        let wans = self.asking.wans.len() as u64;
        let bar = self.bar.get_or_insert_with(|| bar(wans * STEPS));
        bar.set_message(format!("{} rows", self.rows));
        bar.set_position(place as u64 * STEPS + within);
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(length: u64) -> ProgressBar {
    // Rows that scroll by on the same terminal are progress enough.
    let target = if io::stdout().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {eta} left");
    let bar = ProgressBar::with_draw_target(Some(length), target);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
