//! Events by time, WAN and kind, a page at a time.

use std::collections::VecDeque;

use rusqlite::{Row, params};
use wanctl_core::units::Timestamp;

use super::{
    super::{HistoryError, schema::failed},
    Reader,
};

/// Events in a page.
const PAGE_ROWS: i64 = 1000;

/// Which events are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// From this moment on ...
    pub from: Timestamp,
    /// ... and before this one.
    pub to: Timestamp,
    /// Only those about this WAN.
    pub wan: Option<String>,
    /// Only those of these kinds, as in [`super::super::Event::KINDS`]. If it is empty, all but
    /// `rate_written`, of which there are more than of all others together.
    pub kinds: Vec<String>,
}

/// An event as it is stored: also one whose kind only a newer wanctl knows.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Number of the event within the file.
    pub id: i64,
    /// When it happened.
    pub at: Timestamp,
    /// Name of the WAN that it is about, if it is about one.
    pub wan: Option<String>,
    /// What happened, as in the column `kind` of `event`.
    pub kind: String,
    /// The details: a JSON object.
    pub payload: serde_json::Value,
}

/// The wanted events, oldest first. After an error it ends.
#[derive(Debug)]
pub struct Events<'a> {
    reader: &'a Reader,
    filter: EventFilter,
    kinds: String,
    /// The moment and number of the last event that was read; `None` at the end.
    last: Option<(i64, i64)>,
    page: VecDeque<RecordedEvent>,
}

impl<'a> Events<'a> {
    pub(super) fn new(reader: &'a Reader, filter: EventFilter) -> Self {
        let kinds = serde_json::Value::from(filter.kinds.clone()).to_string();
        let last = Some((filter.from.micros(), i64::MIN));
        Self { reader, filter, kinds, last, page: VecDeque::new() }
    }

    fn turn(&mut self) -> rusqlite::Result<()> {
        let Some((at, id)) = self.last else { return Ok(()) };
        // The later row by time, then by number; `at` alone finds the place in the index.
        let mut statement = self.reader.connection.prepare_cached(
            "SELECT event.id, at, name, kind, payload FROM event LEFT JOIN wan ON wan.id = wan
             WHERE at >= ?1 AND (at > ?1 OR event.id > ?2) AND at < ?3
               AND (?4 IS NULL OR name = ?4)
               AND (?5 = '[]' AND kind <> 'rate_written'
                    OR kind IN (SELECT value FROM json_each(?5)))
             ORDER BY at, event.id LIMIT ?6",
        )?;
        let to = self.filter.to.micros();
        let asked = params![at, id, to, self.filter.wan, self.kinds, PAGE_ROWS];
        for event in statement.query_map(asked, recorded)? {
            self.page.push_back(event?);
        }
        let full = self.page.len() == usize::try_from(PAGE_ROWS).unwrap_or(usize::MAX);
        self.last = self.page.back().filter(|_| full).map(|event| (event.at.micros(), event.id));
        Ok(())
    }
}

impl Iterator for Events<'_> {
    type Item = Result<RecordedEvent, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && let Err(error) = self.turn()
        {
            self.last = None;
            return Some(Err(failed("reading", &self.reader.path)(error)));
        }
        self.page.pop_front().map(Ok)
    }
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<RecordedEvent> {
    let payload: String = row.get(4)?;
    Ok(RecordedEvent {
        id: row.get(0)?,
        at: Timestamp::from_micros(row.get(1)?),
        wan: row.get(2)?,
        kind: row.get(3)?,
        // Someone else's hand may have been in the file: what is no JSON is shown as it is.
        payload: serde_json::from_str(&payload).unwrap_or(serde_json::Value::String(payload)),
    })
}
