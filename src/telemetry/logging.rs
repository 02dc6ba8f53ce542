//! The log: to standard error, one line an event, as text or as JSON.

mod count;

use std::{
    env,
    io::{self, IsTerminal as _},
};

use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, fmt, layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

pub use count::declare_log;

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The libraries below us are heard from `warn` on, but for `trace`: what they say, dozens of lines a
    /// second, drowns what we say.
    fn filter(self) -> EnvFilter {
        let (ours, theirs) = match self {
            Self::Error => ("error", "error"),
            Self::Warn => ("warn", "warn"),
            Self::Info => ("info", "warn"),
            Self::Debug => ("debug", "warn"),
            Self::Trace => ("trace", "trace"),
        };
        EnvFilter::new(format!("{theirs},wanctl={ours}"))
    }
}

/// Starts logging. The environment variable `RUST_LOG` wins over `level`.
///
/// # Errors
/// A sentence if `RUST_LOG` makes no sense: a log that is silent by mistake is no log.
pub fn start(level: LogLevel, format: LogFormat) -> Result<(), String> {
    let filter = match env::var(EnvFilter::DEFAULT_ENV) {
        Ok(directives) if !directives.is_empty() => parse(&directives)?,
        _ => level.filter(),
    };
    let lines = fmt::layer().with_writer(io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    let log = tracing_subscriber::registry().with(filter).with(lines).with(count::Count);
    // A second start (in tests) leaves the first in place.
    let _ = log.try_init();
    Ok(())
}

/// Parses `RUST_LOG`. A word alone is a level or one of our modules; the library would take any
/// other, `warning` for example, for a module that nobody has, and be silent.
fn parse(directives: &str) -> Result<EnvFilter, String> {
    let strange = directives.split(',').map(str::trim).find(|word| {
        let alone = !word.contains(['=', '[']);
        alone && word.parse::<LevelFilter>().is_err() && !word.starts_with("wanctl")
    });
    if let Some(word) = strange {
        return Err(format!(
            "RUST_LOG: `{word}` is not a level: use error, warn, info, debug or trace"
        ));
    }
    let parsed = EnvFilter::builder().parse(directives);
    parsed.map_err(|error| format!("RUST_LOG is `{directives}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_none_is_refused_and_not_obeyed_in_silence() {
        for good in ["debug", "warn,wanctl=trace", "wanctl::probe", "info,hyper=off"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["warning", "verbos", "wanctl=loud"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
