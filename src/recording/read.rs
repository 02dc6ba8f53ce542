//! Reading a recording, line by line: it may be larger than memory, and somebody's editor or a
//! power cut may have been at it.

use std::io::{self, BufRead, Read as _};

use super::line::{FORMAT, Header, Line};

/// Far longer than any line that is written: a cycle with a thousand probes has 120 kB.
const LONGEST: u64 = 1 << 20;

/// What is wrong with a recording, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct ReadError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong there.
    pub fault: ReadFault,
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The file is empty.
    #[error("the recording is empty")]
    Empty,
    /// The first line is not that of a recording.
    #[error("this is not a recording of wanctl, which begins with {{\"wanctl_recording\":{FORMAT}")]
    Foreign,
    /// The format is another.
    #[error(
        "the recording has format {0}, this wanctl reads format {FORMAT}; use the version that \
         wrote it"
    )]
    Format(u64),
    /// The line is not one of a recording.
    #[error("not a line of a recording: {0}")]
    Garbage(serde_json::Error),
    /// The line has no end in sight.
    #[error("longer than {LONGEST} bytes, which no line of a recording is")]
    Endless,
    /// A line speaks of a WAN that none before it has begun.
    #[error("WAN number {0} has not begun")]
    UnknownWan(usize),
    /// The file cannot be read.
    #[error("cannot read further: {0}")]
    Io(io::Error),
}

/// The lines of a recording after its header.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    number: u64,
    text: Vec<u8>,
    version: String,
    torn: Option<u64>,
}

impl<R: BufRead> Lines<R> {
    /// Reads the header of a recording.
    ///
    /// # Errors
    /// If this is none, or one of another format.
    pub fn open(input: R) -> Result<Self, ReadError> {
        let mut lines =
            Self { input, number: 0, text: Vec::new(), version: String::new(), torn: None };
        if !lines.advance()? {
            return Err(lines.fail(ReadFault::Empty));
        }
        let header: Result<serde_json::Value, _> = serde_json::from_slice(&lines.text);
        let header = header.map_err(|_| lines.fail(ReadFault::Foreign))?;
        // First the version alone: the header of another format may look otherwise.
        match header.get("wanctl_recording").and_then(serde_json::Value::as_u64) {
            None => return Err(lines.fail(ReadFault::Foreign)),
            Some(FORMAT) => {}
            Some(other) => return Err(lines.fail(ReadFault::Format(other))),
        }
        let header: Header = serde_json::from_value(header)
            .map_err(|error| lines.fail(ReadFault::Garbage(error)))?;
        lines.version = header.version;
        Ok(lines)
    }

    /// Returns the version of the wanctl that recorded.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the number of the line that was returned last.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the number of the last line if it is cut short, as a crash leaves it, once the end
    /// has been reached.
    #[must_use]
    pub fn torn(&self) -> Option<u64> {
        self.torn
    }

    /// Returns the next line; `None` at the end, be it torn.
    ///
    /// # Errors
    /// If the line is none of a recording or cannot be read.
    pub fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        if !self.advance()? {
            return Ok(None);
        }
        match serde_json::from_slice(&self.text) {
            Ok(line) => Ok(Some(line)),
            Err(_) if !self.text.ends_with(b"\n") => {
                self.torn = Some(self.number);
                Ok(None)
            }
            Err(error) => Err(self.fail(ReadFault::Garbage(error))),
        }
    }

    /// Makes a complaint about the line that was returned last.
    pub(super) fn fail(&self, fault: ReadFault) -> ReadError {
        ReadError { line: self.number.max(1), fault }
    }

    /// Reads the next line into `text`; `false` at the end.
    fn advance(&mut self) -> Result<bool, ReadError> {
        self.text.clear();
        let read = (&mut self.input).take(LONGEST).read_until(b'\n', &mut self.text);
        self.number += 1;
        match read {
            Err(error) => Err(self.fail(ReadFault::Io(error))),
            Ok(0) => {
                self.number -= 1;
                Ok(false)
            }
            Ok(read) if read as u64 == LONGEST && !self.text.ends_with(b"\n") => {
                Err(self.fail(ReadFault::Endless))
            }
            Ok(_) => Ok(true),
        }
    }
}
