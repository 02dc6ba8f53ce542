//! What the controllers have learned, kept over a restart: one row a WAN, replaced about once a
//! minute.
//!
//! Kept by name: the WAN by its own and a reflector by its address, so that what is remembered
//! finds its place again in a configuration that lists them otherwise. What the configuration no
//! longer has is left out, and a key that only a newer wanctl knows is not minded.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use wanctl_core::{
    DirectionMemory, PerDirection, WanMemory,
    units::{BitRate, Delay, Timestamp},
};

use super::{HistoryError, Reader};

/// Replaces what is remembered of a WAN.
const REPLACE: &str = "INSERT INTO memory (wan, at, content) VALUES (?1, ?2, ?3)
     ON CONFLICT (wan) DO UPDATE SET at = excluded.at, content = excluded.content";

/// An idle delay beyond this, in microseconds, is no delay of a path on earth.
const LONGEST_US: i64 = 60_000_000;

/// The JSON of `memory.content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    #[serde(default)]
    reflectors: BTreeMap<String, ReflectorContent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    download: Option<DirectionContent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<DirectionContent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ReflectorContent {
    #[serde(default)]
    baseline_us: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct DirectionContent {
    desired_bps: u64,
    #[serde(default)]
    proven_bps: Option<u64>,
}

impl Content {
    /// Names what `memory` has in the order of `reflectors`.
    pub(super) fn new(memory: &WanMemory, reflectors: &[String]) -> Self {
        let WanMemory { baselines, directions } = memory;
        let direction = |_, DirectionMemory { desired, proven }: &DirectionMemory| {
            DirectionContent { desired_bps: desired.bps(), proven_bps: proven.map(BitRate::bps) }
        };
        let PerDirection { download, upload } = directions.map_present(direction);
        let reflector = |(address, baseline): (&String, &Option<Delay>)| {
            (address.clone(), ReflectorContent { baseline_us: baseline.map(Delay::micros) })
        };
        Self {
            reflectors: reflectors.iter().zip(baselines).map(reflector).collect(),
            download,
            upload,
        }
    }

    fn parse(text: &str) -> serde_json::Result<Self> {
        let content: Self = serde_json::from_str(text)?;
        if content.download.is_none() && content.upload.is_none() {
            return Err(serde::de::Error::custom("neither `download` nor `upload` is there"));
        }
        Ok(content)
    }

    /// Puts what is remembered into the order of `reflectors`.
    fn memory(&self, reflectors: &[String]) -> WanMemory {
        let baseline = |address: &String| {
            let micros = self.reflectors.get(address)?.baseline_us?;
            (1..=LONGEST_US).contains(&micros).then(|| Delay::from_micros(micros))
        };
        let direction = |content: DirectionContent| DirectionMemory {
            desired: BitRate::from_bps(content.desired_bps),
            proven: content.proven_bps.map(BitRate::from_bps),
        };
        WanMemory {
            baselines: reflectors.iter().map(baseline).collect(),
            directions: PerDirection {
                download: self.download.map(direction),
                upload: self.upload.map(direction),
            },
        }
    }
}

/// One row of the table `memory`, but for the database's number of its WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemoryRow {
    /// The WAN's place in the settings.
    pub(super) wan: usize,
    /// When it was current.
    pub(super) at: Timestamp,
    /// What was learned.
    pub(super) content: Content,
}

impl MemoryRow {
    /// Stores the row as that of the WAN with the number `wan`.
    pub(super) fn store(&self, transaction: &Transaction<'_>, wan: i64) -> rusqlite::Result<()> {
        let content = serde_json::to_string(&self.content)
            .expect("numbers and strings under string keys are JSON");
        let mut replace = transaction.prepare_cached(REPLACE)?;
        replace.execute(params![wan, self.at.micros(), content])?;
        Ok(())
    }
}

/// What a start continues from, in a history of this version or an older one: it is read before the
/// writer has brought the file up to date.
#[derive(Debug)]
pub struct Memories {
    pub(super) reader: Reader,
}

impl Memories {
    /// Opens the history at `path`, which is never created or changed.
    ///
    /// # Errors
    /// [`HistoryError::Missing`], [`HistoryError::Unfit`], [`HistoryError::Foreign`] or
    /// [`HistoryError::OtherSchema`] if there is no history that this wanctl reads,
    /// [`HistoryError::Sqlite`] if it cannot be read.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        Reader::open(path).map(|reader| Self { reader })
    }

    /// Returns what was learned of `wan`, in the order of `reflectors`, and when that was current;
    /// `None` if nothing is remembered.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`], and [`HistoryError::Memory`] if what is there makes no sense.
    pub fn of_wan(
        &self,
        wan: &str,
        reflectors: &[String],
    ) -> Result<Option<(Timestamp, WanMemory)>, HistoryError> {
        let row: Option<(i64, String)> = self.reader.read(
            "SELECT at, content FROM memory JOIN wan ON wan.id = memory.wan WHERE name = ?1",
            |rows| rows.query_row([wan], |row| Ok((row.get(0)?, row.get(1)?))).optional(),
        )?;
        let Some((at, content)) = row else { return Ok(None) };
        let content = Content::parse(&content)
            .map_err(|source| HistoryError::Memory { wan: wan.to_owned(), source })?;
        Ok(Some((Timestamp::from_micros(at), content.memory(reflectors))))
    }
}

#[cfg(test)]
mod tests;
