//! Where the next page of an answer begins.

use std::fmt;

use wanctl_core::units::Timestamp;

use super::{QueryError, resolution};
use crate::history::Resolution;

/// The first row that a page had no room for, and what of the question must not change between
/// pages. Written `FROM.TO.RESOLUTION.AT.WAN`, the times in µs since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Start of the asked span.
    pub from: Timestamp,
    /// End of the asked span.
    pub to: Timestamp,
    /// How fine the rows are.
    pub resolution: Resolution,
    /// When the next row is, or begins.
    pub at: Timestamp,
    /// The WAN of the next row.
    pub wan: String,
}

impl Cursor {
    /// Reads what [`Cursor`]'s `Display` has written.
    ///
    /// # Errors
    /// A [`QueryError`].
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let nonsense =
            || QueryError::new("cursor", "this is no cursor: pass on what `next` said, unchanged");
        let mut parts = text.splitn(5, '.');
        let mut part = || parts.next().ok_or_else(nonsense);
        let time = |text: &str| text.parse().map(Timestamp::from_micros).map_err(|_| nonsense());
        let (from, to) = (time(part()?)?, time(part()?)?);
        let resolution = resolution(part()?).map_err(|_| nonsense())?;
        let (at, wan) = (time(part()?)?, part()?.to_owned());
        let inside = from < to && at < to && resolution != Resolution::Auto && !wan.is_empty();
        if inside { Ok(Self { from, to, resolution, at, wan }) } else { Err(nonsense()) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, resolution, at, wan } = self;
        let [from, to, at] = [from, to, at].map(|at| at.micros());
        write!(f, "{from}.{to}.{}.{at}.{wan}", resolution.name())
    }
}
