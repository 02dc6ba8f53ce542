//! Which direction makes the queue, when only the round trip is known.

use crate::{Direction, PerDirection};

/// Whether a direction's traffic makes the queue that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribution {
    /// It does not.
    Excluded,
    /// It may, and so may the other's.
    Possible,
    /// It does: the directions are measured apart, or no other direction can.
    Certain,
}

impl Attribution {
    pub(crate) fn is_attributed(self) -> bool {
        self != Self::Excluded
    }
}

/// What speaks for and against a direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributionEvidence {
    /// Traffic waits in our own shaper.
    pub(crate) shaper_limited: bool,
    /// Delivery rate as a share of the shaper rate.
    pub(crate) utilisation: f64,
    /// Delivery rate as a share of the one when a queue stood last.
    pub(crate) share_of_capacity: Option<f64>,
    /// Below this share of limit and bound, traffic is still growing.
    pub(crate) growing: f64,
    /// The delivery rate is lower than a moment ago.
    pub(crate) falling: bool,
}

/// The directions of a WAN that are shaped.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributionInputs(pub(crate) PerDirection<Option<AttributionEvidence>>);

impl AttributionInputs {
    /// Returns whether `direction` is out of suspicion although it is busy.
    ///
    /// Download arrives at the shaper behind the provider's queue: what waits here has passed
    /// there, so the provider passes more than the shaper. Upload waits here before it gets
    /// there, which excludes it only if the download is a likelier source. A direction that is not
    /// shaped is none: its load is not known.
    pub(crate) fn excludes(&self, direction: Direction) -> bool {
        let PerDirection { download, upload } = &self.0;
        match direction {
            Direction::Download => download.is_some_and(|download| {
                let is_upload_growing = upload.is_some_and(|upload| upload.is_growing());
                download.shaper_limited || download.is_growing() && !is_upload_growing
            }),
            Direction::Upload => upload.zip(*download).is_some_and(|(upload, download)| {
                !download.shaper_limited
                    && !download.is_growing()
                    && (upload.shaper_limited || upload.is_growing())
            }),
        }
    }
}

impl AttributionEvidence {
    /// Transfers are on their way to a rate that the link is known to carry.
    fn is_growing(&self) -> bool {
        let Self { growing, .. } = *self;
        self.utilisation < growing
            && !self.falling
            && self.share_of_capacity.is_some_and(|near| near < growing)
    }
}
