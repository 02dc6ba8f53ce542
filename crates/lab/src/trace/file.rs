//! Trace files: which format one is in, and what is said if it is in none.

use std::{
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

use super::{Trace, columns, mahimahi};
use thiserror::Error;

/// The largest file that is read, in bytes; an hour of a gigabit link in mahimahi's
/// format is twice that.
const LARGEST: u64 = 256 << 20;
/// The longest trace.
pub(super) const LONGEST: Duration = Duration::from_hours(7 * 24);
/// How a trace file is read.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// Width of the bins over which a mahimahi file becomes a rate (1 ms or more).
    pub bin: Duration,
    /// Which column of a CSV file is the download.
    pub column: Column,
}

impl Default for LoadOptions {
    /// Bins of 100 ms, about the resolution of a controller, and the first column.
    fn default() -> Self {
        Self { bin: Duration::from_millis(100), column: Column::Number(1) }
    }
}

/// A column of a CSV file, besides the seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// By its place, from 1.
    Number(usize),
    /// By the name in the header.
    Named(String),
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Named(name) => write!(f, "`{name}`"),
        }
    }
}

/// What was recorded of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The download's capacity.
    pub download: Trace,
    /// The upload's capacity, if it was recorded.
    pub upload: Option<Trace>,
    /// Moments and the round-trip time of the empty link from there on; ascending, usually empty.
    pub base_rtt_steps: Vec<(Duration, Duration)>,
}

/// Why a file is no trace: the file, the line, what is wrong and what was expected.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct TraceError(String);

/// What is wrong with the content of a trace file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The line, from 1, if it is one line's fault.
    pub(super) line: Option<usize>,
    /// What is wrong, and what was expected.
    pub(super) text: String,
}

impl Flaw {
    pub(super) fn at(line: usize, text: impl Into<String>) -> Self {
        Self { line: Some(line), text: text.into() }
    }

    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self { line: None, text: text.into() }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, ":{line}: {}", self.text),
            None => write!(f, ": {}", self.text),
        }
    }
}

/// Reads the trace `path`, in whichever format it is; docs/simulator.md has them. The upload of
/// `X.down` is `X.up`, if that stands beside it.
///
/// # Errors
/// If one of the files cannot be read or is no trace.
pub fn load(path: &Path, options: &LoadOptions) -> Result<Recording, TraceError> {
    let recording = load_one(path, options)?;
    let beside = path.with_extension("up");
    let is_half = path.extension().is_some_and(|extension| extension == "down");
    if !is_half || recording.upload.is_some() || !beside.exists() {
        return Ok(recording);
    }
    let upload = load_one(&beside, options)?.download;
    Ok(Recording { upload: Some(upload), ..recording })
}

fn load_one(path: &Path, options: &LoadOptions) -> Result<Recording, TraceError> {
    let shown = path.display();
    let unreadable =
        |error: io::Error| TraceError(format!("cannot read the trace {shown}: {error}"));
    // Opening a named pipe waits for a writer, so the kind of the file is checked first.
    let metadata = path.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(unreadable(io::Error::other("not a regular file")));
    }
    let bytes = metadata.len();
    if bytes > LARGEST {
        let text = format!("{shown} has {bytes} bytes; a trace has at most {LARGEST}");
        return Err(TraceError(text));
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST).read_to_end(&mut content).map_err(unreadable)?;
    parse(&content, options).map_err(|flaw| TraceError(format!("{shown}{flaw}")))
}

pub(super) fn parse(content: &[u8], options: &LoadOptions) -> Result<Recording, Flaw> {
    let text = std::str::from_utf8(content).map_err(|error| {
        let line = content[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Flaw::at(line, "this is not text; expected a capacity trace")
    })?;
    // A file from Windows may begin with a mark that means nothing.
    let text = text.trim_start_matches('\u{feff}');
    let first = lines(text).map(|(_, line)| line).find(|line| !line.starts_with('#'));
    let Some(first) = first else {
        return Err(Flaw::whole("is empty; expected a capacity trace"));
    };
    if first.contains([',', ';']) {
        columns::csv(text, &options.column)
    } else if first.split_whitespace().count() > 1 {
        columns::spaced(text)
    } else {
        let download = mahimahi::parse(text, options.bin)?;
        Ok(Recording { download, upload: None, base_rtt_steps: Vec::new() })
    }
}

/// Returns the lines that are not empty, trimmed, with their numbers from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines())
        .map(|(number, line)| (number, line.trim()))
        .filter(|(_, l)| !l.is_empty())
}

/// Shortens what is quoted from a file, and makes it printable.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.escape_debug().take(40).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}
