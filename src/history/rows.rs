//! The rows that a question is answered with: WAN after WAN, each from old to new.

use std::{collections::VecDeque, sync::Arc};

use wanctl_core::units::Timestamp;

use super::{Cursor, HistoryError, HistoryQuery, Point, Reader, query::Series};

/// A row of an answer.
#[derive(Debug, Clone)]
pub struct Row {
    /// Name of the WAN.
    pub wan: Arc<str>,
    /// What its cycles say.
    pub point: Point,
}

/// A stream of rows that takes the memory of a page of one WAN, however much there is. After an
/// error it ends.
#[derive(Debug)]
pub struct Rows<'a> {
    reader: &'a Reader,
    question: &'a HistoryQuery,
    /// WANs that are still to come.
    wans: VecDeque<Arc<str>>,
    current: Option<(Arc<str>, Series<'a>)>,
    /// How many rows may still be returned.
    left: usize,
    /// Where the next page is known to begin.
    end: Option<Cursor>,
    next: Option<Cursor>,
}

impl<'a> Rows<'a> {
    /// Answers `question` from `cursor` on with at most `limit` rows.
    ///
    /// # Errors
    /// [`HistoryError::UnknownWan`] and [`HistoryError::Sqlite`]; the stream yields the latter.
    pub fn new(
        reader: &'a Reader,
        question: &'a HistoryQuery,
        limit: usize,
        cursor: Option<&Cursor>,
    ) -> Result<Self, HistoryError> {
        let is_left = |wan: &String| cursor.is_none_or(|cursor| *wan >= cursor.wan);
        let wans = reader.wans_among(&question.wans)?.into_iter().filter(is_left);
        let mut rows = Self {
            reader,
            question,
            wans: wans.map(Arc::from).collect(),
            current: None,
            left: limit,
            end: None,
            next: None,
        };
        let is_first = |cursor: &&Cursor| rows.wans.front().is_some_and(|wan| **wan == *cursor.wan);
        if let Some(at) = cursor.filter(is_first).map(|cursor| cursor.at) {
            rows.begin(at)?;
        }
        Ok(rows)
    }

    /// Ends the page where the `next` begins, or with the last row if there is none, and however
    /// many rows that are. A page that is read again ends so where it ended before, although rows
    /// were added to it meanwhile.
    #[must_use]
    pub fn up_to(self, next: Option<Cursor>) -> Self {
        Self { left: usize::MAX, end: next, ..self }
    }

    /// Returns where the next page begins, once this one is full.
    #[must_use]
    pub const fn next_page(&self) -> Option<&Cursor> {
        self.next.as_ref()
    }

    fn begin(&mut self, from: Timestamp) -> Result<bool, HistoryError> {
        let Some(wan) = self.wans.pop_front() else { return Ok(false) };
        let HistoryQuery { to, resolution, .. } = *self.question;
        let resolution = resolution.settled(self.question.from, to);
        let series = self.reader.series(&wan, from, to, resolution)?;
        self.current = Some((wan, series));
        Ok(true)
    }

    fn turn(&mut self) -> Result<Option<Row>, HistoryError> {
        loop {
            if let Some((wan, series)) = &mut self.current
                && let Some(point) = series.next()
            {
                return Ok(Some(Row { wan: Arc::clone(wan), point: point? }));
            }
            if !self.begin(self.question.from)? {
                return Ok(None);
            }
        }
    }

    fn end(&mut self) {
        self.wans.clear();
        self.current = None;
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, HistoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.turn() {
            Ok(row) => row?,
            Err(error) => {
                self.end();
                return Some(Err(error));
            }
        };
        let is_beyond = |end: &mut Cursor| (&*row.wan, row.point.at) >= (end.wan.as_str(), end.at);
        if let Some(end) = self.end.take_if(is_beyond) {
            self.next = Some(end);
            self.end();
            return None;
        }
        if self.left == 0 {
            let HistoryQuery { from, to, resolution, .. } = *self.question;
            let resolution = resolution.settled(from, to);
            let (at, wan) = (row.point.at, row.wan.to_string());
            self.next = Some(Cursor { from, to, resolution, at, wan });
            self.end();
            return None;
        }
        self.left -= 1;
        Some(Ok(row))
    }
}

#[cfg(test)]
mod tests;
