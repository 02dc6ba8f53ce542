//! `--record`: everything that the controllers see and decide, into a file.

use std::path::PathBuf;

use clap::Args;
use tracing::error;

use crate::recording::{Recording, RecordingError};

#[derive(Debug, Args)]
pub(super) struct RecordArgs {
    /// Record all inputs and decisions of the controllers into this new file, for `wanctl replay`.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Maximum size of the recording; at this size the recording ends, and control continues.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "1GB", requires = "record")]
    record_max: u64,
}

impl RecordArgs {
    /// Begins the recording, if one is asked for.
    pub(super) fn open(&self) -> Result<Option<Recording>, RecordingError> {
        self.record.as_deref().map(|path| Recording::create(path, self.record_max)).transpose()
    }

    /// Begins the recording, if one is asked for. If it cannot begin, the daemon runs without it.
    pub(super) fn open_or_go_on(&self) -> Option<Recording> {
        self.open().unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            error!(error, "no recording is written; control continues");
            None
        })
    }
}

/// Reads a size such as `1GB`; a bare number is bytes.
fn size(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, u64); 4] =
        [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("", 1)];
    let unit = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
    let size = unit.and_then(|(number, bytes)| number.parse::<u64>().ok()?.checked_mul(*bytes));
    size.ok_or_else(|| "expected a number of bytes, kB, MB or GB, such as 500MB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_a_unit() {
        assert_eq!(size("1GB"), Ok(1_000_000_000));
        assert_eq!(size("20kB"), Ok(20_000));
        assert_eq!(size("7"), Ok(7));
        for bad in
            ["", "GB", "1.5GB", "-1", "1 GB", "1TB", "99999999999999999999", "999999999999GB"]
        {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
