//! What a start continues from: what the controllers have learned, one row a WAN, and where traffic
//! was steered, one row; each is replaced about once a minute.
//!
//! WANs are kept by name and reflectors by address, so that each is found again in a configuration
//! that lists them otherwise. What the configuration no longer has is left out, and keys that only
//! another version of wanctl knows are ignored.

use std::{collections::BTreeMap, path::Path, time::Duration};

use rusqlite::{OptionalExtension as _, Params, Transaction, params};
use serde::{Deserialize, Serialize, de::Error as _};
use wanctl_core::{
    DirectionMemory, PerDirection, WanMemory,
    steering::SteeringMemory,
    units::{Delay, Timestamp},
};

use super::{HistoryError, Reader};

/// An idle delay beyond this, in microseconds, is no delay of a path on earth.
const LONGEST_US: i64 = 60_000_000;

/// A row of `memory` or `steering_memory`, but for the database's number of its WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MemoryRow {
    /// The WAN's place in the settings; `None` for steering.
    pub(super) wan: Option<usize>,
    at: Timestamp,
    content: String,
}

impl MemoryRow {
    pub(super) fn of_wan(
        wan: usize,
        at: Timestamp,
        memory: &WanMemory,
        reflectors: &[String],
    ) -> Self {
        let WanMemory { baselines, directions } = memory;
        let reflector = |(address, baseline): (&String, &Option<Delay>)| {
            (address.clone(), ReflectorContent { baseline_us: *baseline })
        };
        let reflectors = reflectors.iter().zip(baselines).map(reflector).collect();
        Self::new(Some(wan), at, &WanContent { reflectors, directions: *directions })
    }

    pub(super) fn of_steering(at: Timestamp, saved: &SavedSteering) -> Self {
        Self::new(None, at, &SteeringContent::from(saved))
    }

    fn new(wan: Option<usize>, at: Timestamp, content: &impl Serialize) -> Self {
        let content =
            serde_json::to_string(content).expect("numbers and strings under string keys are JSON");
        Self { wan, at, content }
    }

    /// Stores the row as that of the WAN with the number `wan`.
    pub(super) fn store(
        &self,
        transaction: &Transaction<'_>,
        wan: Option<i64>,
    ) -> rusqlite::Result<()> {
        let (table, key) =
            if wan.is_some() { ("memory", "wan") } else { ("steering_memory", "id") };
        let sql = format!("REPLACE INTO {table} ({key}, at, content) VALUES (?1, ?2, ?3)");
        let values = params![wan.unwrap_or(1), self.at.micros(), self.content];
        transaction.prepare_cached(&sql)?.execute(values).map(drop)
    }
}

/// The JSON of `memory.content`.
#[derive(Debug, Serialize, Deserialize)]
struct WanContent {
    #[serde(default)]
    reflectors: BTreeMap<String, ReflectorContent>,
    #[serde(flatten)]
    directions: PerDirection<Option<DirectionMemory>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ReflectorContent {
    baseline_us: Option<Delay>,
}

/// What is kept of steering.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedSteering {
    /// Where traffic went.
    pub memory: SteeringMemory,
    /// The WAN that the operator chose, and until when by the wall clock.
    pub steer_override: Option<(String, Timestamp)>,
}

/// The JSON of `steering_memory.content`.
#[derive(Debug, Serialize, Deserialize)]
struct SteeringContent {
    sensitive: String,
    default_route: String,
    #[serde(default)]
    hold_down_us: u64,
    #[serde(default)]
    failover_hold_down_us: u64,
    #[serde(default)]
    steered_us: Vec<u64>,
    #[serde(default)]
    failed_over_us: Vec<u64>,
    #[serde(default, rename = "override")]
    steer_override: Option<(String, i64)>,
}

impl From<&SavedSteering> for SteeringContent {
    fn from(SavedSteering { memory, steer_override }: &SavedSteering) -> Self {
        let SteeringMemory {
            sensitive,
            default_route,
            hold_down,
            failover_hold_down,
            steered,
            failed_over,
        } = memory;
        let micros = |span: &Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Self {
            sensitive: sensitive.clone(),
            default_route: default_route.clone(),
            hold_down_us: micros(hold_down),
            failover_hold_down_us: micros(failover_hold_down),
            steered_us: steered.iter().map(micros).collect(),
            failed_over_us: failed_over.iter().map(micros).collect(),
            steer_override: steer_override
                .as_ref()
                .map(|(wan, until)| (wan.clone(), until.micros())),
        }
    }
}

impl From<SteeringContent> for SavedSteering {
    fn from(content: SteeringContent) -> Self {
        let span = Duration::from_micros;
        Self {
            memory: SteeringMemory {
                sensitive: content.sensitive,
                default_route: content.default_route,
                hold_down: span(content.hold_down_us),
                failover_hold_down: span(content.failover_hold_down_us),
                steered: content.steered_us.into_iter().map(span).collect(),
                failed_over: content.failed_over_us.into_iter().map(span).collect(),
            },
            steer_override: content
                .steer_override
                .map(|(wan, until)| (wan, Timestamp::from_micros(until))),
        }
    }
}

/// What a start continues from; read before the writer opens the file.
#[derive(Debug)]
pub struct Memories {
    reader: Reader,
}

impl Memories {
    /// Opens the history at `path`, which is never created or changed.
    ///
    /// # Errors
    /// Those of [`Reader::open`].
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
        let sql = "SELECT at, content FROM memory JOIN wan ON wan.id = memory.wan WHERE name = ?1";
        let Some((at, content)) = self.content(sql, [wan])? else { return Ok(None) };
        let parsed = serde_json::from_str(&content).and_then(|content: WanContent| {
            if content.directions == PerDirection::default() {
                return Err(serde_json::Error::custom("neither `download` nor `upload` is there"));
            }
            Ok(content)
        });
        let WanContent { reflectors: known, directions } =
            parsed.map_err(|source| HistoryError::Memory(wan.to_owned(), source))?;
        let baseline = |address: &String| {
            let baseline = known.get(address)?.baseline_us?;
            (1..=LONGEST_US).contains(&baseline.micros()).then_some(baseline)
        };
        let baselines = reflectors.iter().map(baseline).collect();
        Ok(Some((at, WanMemory { baselines, directions })))
    }

    /// Returns what was kept of steering, and when that was current; `None` if nothing was.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`], and [`HistoryError::Memory`] if what is there makes no sense.
    pub fn of_steering(&self) -> Result<Option<(Timestamp, SavedSteering)>, HistoryError> {
        let sql = "SELECT at, content FROM steering_memory WHERE id = 1";
        let Some((at, content)) = self.content(sql, [])? else { return Ok(None) };
        let content: SteeringContent = serde_json::from_str(&content)
            .map_err(|source| HistoryError::Memory("steering".to_owned(), source))?;
        Ok(Some((at, content.into())))
    }

    fn content(
        &self,
        sql: &str,
        key: impl Params,
    ) -> Result<Option<(Timestamp, String)>, HistoryError> {
        self.reader.read(sql, |rows| {
            let read =
                |row: &rusqlite::Row<'_>| Ok((Timestamp::from_micros(row.get(0)?), row.get(1)?));
            rows.query_row(key, read).optional()
        })
    }
}

#[cfg(test)]
mod tests;
