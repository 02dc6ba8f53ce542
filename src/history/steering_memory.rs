//! Where traffic was steered, kept over a restart: one row, replaced when something changes and
//! about once a minute.
//!
//! WANs are kept by name, and what a newer wanctl adds is not minded, as in [`super::memory`].

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::{Deserialize, Serialize};
use wanctl_core::{
    steering::SteeringMemory,
    units::{Delay, Timestamp},
};

use super::{HistoryError, Memories};

const REPLACE: &str = "INSERT INTO steering_memory (id, at, content) VALUES (1, ?1, ?2)
     ON CONFLICT (id) DO UPDATE SET at = excluded.at, content = excluded.content";

/// What is kept of steering.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedSteering {
    /// Where traffic went.
    pub memory: SteeringMemory,
    /// The WAN that the operator chose, and until when by the wall clock.
    pub steer_override: Option<(String, Timestamp)>,
}

/// The JSON of `steering_memory.content`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
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
    #[serde(default)]
    #[serde(rename = "override")]
    steer_override: Option<(String, i64)>,
}

/// The row, ready to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SteeringRow {
    at: Timestamp,
    content: Content,
}

impl SteeringRow {
    pub(super) fn new(at: Timestamp, kept: &SavedSteering) -> Self {
        let SavedSteering { memory, steer_override } = kept;
        let SteeringMemory {
            sensitive,
            default_route,
            hold_down,
            failover_hold_down,
            steered,
            failed_over,
        } = memory;
        let micros = |span: &Duration| u64::try_from(Delay::from(*span).micros()).unwrap_or(0);
        let content = Content {
            sensitive: sensitive.clone(),
            default_route: default_route.clone(),
            hold_down_us: micros(hold_down),
            failover_hold_down_us: micros(failover_hold_down),
            steered_us: steered.iter().map(micros).collect(),
            failed_over_us: failed_over.iter().map(micros).collect(),
            steer_override: steer_override
                .as_ref()
                .map(|(wan, until)| (wan.clone(), until.micros())),
        };
        Self { at, content }
    }

    pub(super) fn store(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let content = serde_json::to_string(&self.content)
            .expect("numbers and strings under string keys are JSON");
        transaction.execute(REPLACE, params![self.at.micros(), content]).map(drop)
    }
}

impl Content {
    fn kept(self) -> SavedSteering {
        let span = Duration::from_micros;
        SavedSteering {
            memory: SteeringMemory {
                sensitive: self.sensitive,
                default_route: self.default_route,
                hold_down: span(self.hold_down_us),
                failover_hold_down: span(self.failover_hold_down_us),
                steered: self.steered_us.into_iter().map(span).collect(),
                failed_over: self.failed_over_us.into_iter().map(span).collect(),
            },
            steer_override: self
                .steer_override
                .map(|(wan, until)| (wan, Timestamp::from_micros(until))),
        }
    }
}

impl Memories {
    /// Returns what was kept of steering, and when that was current; `None` if nothing was.
    ///
    /// # Errors
    /// [`HistoryError::Sqlite`], and [`HistoryError::Memory`] if what is there makes no sense.
    pub fn of_steering(&self) -> Result<Option<(Timestamp, SavedSteering)>, HistoryError> {
        let row: Option<(i64, String)> =
            self.reader.read("SELECT at, content FROM steering_memory WHERE id = 1", |rows| {
                rows.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })?;
        let Some((at, content)) = row else { return Ok(None) };
        let content: Content = serde_json::from_str(&content)
            .map_err(|source| HistoryError::Memory { wan: "steering".to_owned(), source })?;
        Ok(Some((Timestamp::from_micros(at), content.kept())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_as_it_was() {
        let kept = SavedSteering {
            memory: SteeringMemory {
                sensitive: "lte".to_owned(),
                default_route: "cable".to_owned(),
                hold_down: Duration::from_secs(12),
                failover_hold_down: Duration::ZERO,
                steered: vec![Duration::from_mins(3), Duration::from_secs(18)],
                failed_over: Vec::new(),
            },
            steer_override: Some(("lte".to_owned(), Timestamp::from_micros(7))),
        };
        let row = SteeringRow::new(Timestamp::from_micros(5), &kept);
        let text = serde_json::to_string(&row.content).unwrap();
        let content: Content = serde_json::from_str(&text).unwrap();
        assert_eq!(content.kept(), kept);
    }

    #[test]
    fn keys_that_only_another_version_knows_are_no_obstacle() {
        let text = r#"{"sensitive":"a","default_route":"b","later":1}"#;
        let content: Content = serde_json::from_str(text).unwrap();
        assert_eq!(content.kept().memory.default_route, "b");
    }
}
