//! The log: to standard error, one line an event, as text or as JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{EnvFilter, fmt};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. The environment variable `RUST_LOG` wins over `level`.
pub fn start(level: &str, format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr).with_target(false);
    // A second start (in tests) leaves the first in place.
    let _ = match format {
        LogFormat::Text => builder.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}
