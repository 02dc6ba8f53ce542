//! Which direction makes the queue, when only the round trip is known.

use crate::{Direction, PerDirection};

/// Whether a direction's traffic makes the queue that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// It does not.
    Cleared,
    /// It may, and so may the other's.
    Suspected,
    /// It does: the ways can be told apart, or nobody else can.
    Proven,
}

impl Blame {
    pub(crate) fn is_blamed(self) -> bool {
        self != Self::Cleared
    }
}

/// What speaks for and against a direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suspect {
    /// Traffic waits in our own shaper.
    pub(crate) waits: bool,
    /// What gets through, as a share of the shaper rate.
    pub(crate) filled: f64,
    /// What gets through, as a share of what got through when a queue stood last.
    pub(crate) near_bound: Option<f64>,
    /// Below this share of limit and bound, traffic is still growing.
    pub(crate) growing: f64,
    /// Less gets through than a moment ago.
    pub(crate) falling: bool,
}

/// The directions of a WAN that are shaped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suspects(pub(crate) PerDirection<Option<Suspect>>);

impl Suspects {
    /// Tells whether `direction` is out of suspicion although it is busy.
    ///
    /// Download arrives at the shaper behind the provider's queue: what waits here has passed
    /// there, so the provider passes more than the shaper. Upload waits here before it gets
    /// there, which excuses it only if the download is a better suspect. A direction that is not
    /// shaped is none: its load is not known.
    pub(crate) fn excuses(&self, direction: Direction) -> bool {
        let PerDirection { download, upload } = &self.0;
        match direction {
            Direction::Download => download.is_some_and(|download| {
                let is_upload_growing = upload.is_some_and(|upload| upload.is_growing());
                download.waits || download.is_growing() && !is_upload_growing
            }),
            Direction::Upload => upload.zip(*download).is_some_and(|(upload, download)| {
                !download.waits && !download.is_growing() && (upload.waits || upload.is_growing())
            }),
        }
    }
}

impl Suspect {
    /// Transfers are on their way to a rate that is known to get through.
    fn is_growing(&self) -> bool {
        let Self { growing, .. } = *self;
        self.filled < growing && !self.falling && self.near_bound.is_some_and(|near| near < growing)
    }
}
