//! The command line: arguments in, text and an exit code out. The only part that prints.

mod check;
mod history;
#[cfg(feature = "lab")]
mod lab;
mod output;
mod record;
mod replay;
mod run;
mod signals;
#[cfg(feature = "client")]
mod status;
#[cfg(feature = "client")]
mod steer;
mod web;
mod zone;

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;

use crate::telemetry::{LogFormat, LogLevel, start_logging};

/// Why a command failed, with the exit code that says so to scripts.
#[derive(Debug)]
struct Failure {
    code: u8,
    error: anyhow::Error,
}

/// Anything that has no code of its own.
const EXIT_FAILURE: u8 = 1;
/// The command line or the environment makes no sense; clap uses the same.
const EXIT_USAGE: u8 = 2;
/// `wanctl check` found everything that is needed, and something that is not as it should be. A
/// command line that makes no sense has the same code, and nothing on standard output.
const EXIT_WARNINGS: u8 = 2;
/// `wanctl status` got an answer, and it is not what was required.
#[cfg(feature = "client")]
const EXIT_UNFULFILLED: u8 = 3;
/// Not permitted to open an ICMP socket (`EX_NOPERM` of sysexits.h).
const EXIT_NO_PERMISSION: u8 = 77;
/// The configuration is wrong (`EX_CONFIG` of sysexits.h).
const EXIT_CONFIG: u8 = 78;

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: EXIT_FAILURE, error: error.into() }
    }
}

/// Adaptive CAKE shaper for RouterOS: keeps latency low on links with varying capacity.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: LogArgs,
}

/// `wanctl history` under a name of its own.
#[derive(Debug, Parser)]
#[command(name = "wanctl-history", version, max_term_width = 100)]
struct HistoryCli {
    #[command(flatten)]
    args: history::HistoryArgs,
    #[command(flatten)]
    log: LogArgs,
}

#[derive(Debug, Args)]
struct LogArgs {
    /// Level of the log on standard error; `RUST_LOG` overrides it.
    #[arg(long, global = true, value_enum, default_value = "info", value_name = "LEVEL")]
    log_level: LogLevel,
    /// Format of the log.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the controller: measure the delay, decide, and set the router's limits.
    Run(RunArgs),
    /// Check the configuration, this host, the router and every reflector before a start.
    Check(CheckArgs),
    /// Replay a recording of `run --record` and report the decisions that differ.
    Replay(replay::ReplayArgs),
    /// Show the status of a running daemon: rates, delay, states, last decisions and problems.
    #[cfg(feature = "client")]
    Status(status::StatusArgs),
    /// Override steering for a limited time: select the WAN of new latency-sensitive connections.
    #[cfg(feature = "client")]
    Steer(steer::SteerArgs),
    /// Query the SQLite history of a link.
    History(Box<history::HistoryArgs>),
    #[cfg(feature = "lab")]
    #[command(flatten)]
    Lab(lab::LabCommand),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Observe mode: make and export every decision, but write nothing to the router.
    #[arg(long)]
    observe: bool,
    #[command(flatten)]
    web: web::WebArgs,
    #[command(flatten)]
    record: record::RecordArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 if everything is ready, 1 if not, 2 if it is ready with warnings \
                  or something could not be checked, 78 if the configuration has errors. The \
                  check takes at most 30 s."
)]
struct CheckArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Check only the file: send no probe and no request to the router.
    #[arg(long, conflicts_with = "try_write")]
    offline: bool,
    /// Write one limit with its present value, to check the permission to write. Without this
    /// option nothing is written to the router.
    #[arg(long)]
    try_write: bool,
    /// Format of the report.
    #[arg(long, value_enum, default_value = "text")]
    format: check::Format,
}

/// The name under which the program is `wanctl history`.
const HISTORY_NAME: &str = "wanctl-history";

/// Runs the program with the arguments of the process. Called as `wanctl-history`, it is
/// `wanctl history`.
#[must_use]
pub fn main() -> ExitCode {
    let called = std::env::args_os().next().map(PathBuf::from);
    if called.as_deref().and_then(Path::file_name) == Some(OsStr::new(HISTORY_NAME)) {
        let HistoryCli { args, log } = HistoryCli::parse();
        return start(Cli { command: Command::History(Box::new(args)), log });
    }
    start(Cli::parse())
}

fn start(cli: Cli) -> ExitCode {
    // The demo prints to standard output; its log is for problems.
    #[cfg(feature = "lab")]
    let is_demo = matches!(cli.command, Command::Lab(lab::LabCommand::Demo(_)));
    #[cfg(not(feature = "lab"))]
    let is_demo = false;
    let quiet = is_demo && cli.log.log_level == LogLevel::Info;
    let level = if quiet { LogLevel::Warn } else { cli.log.log_level };
    if let Err(sentence) = start_logging(level, cli.log.log_format) {
        output::complain(&anyhow::Error::msg(sentence));
        return ExitCode::from(EXIT_USAGE);
    }
    match dispatch(cli.command) {
        Ok(code) => ExitCode::from(code),
        // Whoever closed the pipe has seen enough.
        Err(failure) if output::is_broken_pipe(&failure.error) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(&failure.error);
            ExitCode::from(failure.code)
        }
    }
}

/// Runs a command; returns the exit code of one that did what it was asked.
fn dispatch(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => block_on(run::run(args)),
        Command::Check(args) => return block_on(check::run(args)),
        Command::Replay(args) => replay::run(&args),
        #[cfg(feature = "client")]
        Command::Status(args) => block_on(status::run(args)),
        #[cfg(feature = "client")]
        Command::Steer(args) => block_on(steer::run(args)),
        Command::History(args) => history::run(*args),
        #[cfg(feature = "lab")]
        Command::Lab(command) => lab::run(command),
    }?;
    Ok(0)
}

/// How much the workers step back behind the control thread, which keeps the program's priority:
/// enough that a scrape does not make a cycle late, too little to starve them.
const WORKER_NICENESS: i32 = 5;

/// File descriptors, far more than are ever used.
const DESCRIPTORS: u64 = 8192;

/// How long what is still running may take once a command is done.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(300);

/// Two workers: one may be busy with a scrape while the other answers the router.
fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let step_back = || {
        // On Linux a thread has a niceness of its own. If it is refused, nothing is lost but ease.
        let _ = rustix::process::nice(WORKER_NICENESS);
    };
    raise_descriptors();
    let mut builder = runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().on_thread_start(step_back).build()?;
    let done = runtime.block_on(work);
    // A name server that does not answer or a file system that hangs blocks a thread that cannot
    // be interrupted. It ends with the process.
    runtime.shutdown_timeout(SHUTDOWN_GRACE);
    done
}

/// Takes the file descriptors that the process may have: the soft limit is low for the sake of
/// programs that use `select`.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if limit.current.is_some_and(|current| current < most) {
        // If it is refused, there are as many as before.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(most), ..limit });
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Duration::try_from(span).map_err(|_| "must not be negative".to_owned())
}
