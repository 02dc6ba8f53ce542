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
    history::{Row, Rows, export_openmetrics, write_csv, write_json},
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

/// Writes the rows, with a progress bar on standard error if that takes long and a person watches.
pub(super) fn write(
    out: &mut dyn Write,
    asking: &QueryContext,
    format: Format,
) -> Result<(), anyhow::Error> {
    let QueryContext { reader, question, wans, now, .. } = asking;
    let mut rows = Rows::new(reader, question, usize::MAX, None)?;
    let from = question.from.micros();
    let span = (question.to.micros() - from).max(1) as f64;
    let (started, mut seen, mut shown) = (Instant::now(), 0_u64, None);
    let see = |row: &Row| {
        seen += 1;
        // Often enough for the eye.
        if !seen.is_multiple_of(256) || started.elapsed() < DEADLINE {
            return;
        }
        let done = (row.point.at.micros() - from) as f64 / span;
        let before = wans.iter().position(|wan| **wan == *row.wan).unwrap_or(0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let within = (done.clamp(0.0, 1.0) * STEPS as f64) as u64;
        let bar = shown.get_or_insert_with(|| bar(wans.len() as u64 * STEPS));
        bar.set_message(format!("{seen} rows"));
        bar.set_position(before as u64 * STEPS + within);
    };
    match format {
        Format::Csv => write_csv(out, &mut rows, question, see)?,
        Format::Json => write_json(out, &mut rows, question, see)?,
        Format::Openmetrics => export_openmetrics(out, &mut rows, question, *now, see)?,
        Format::Table => super::table::print(out, asking, true)?,
    }
    if let Some(bar) = shown {
        bar.finish_and_clear();
    }
    Ok(())
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
