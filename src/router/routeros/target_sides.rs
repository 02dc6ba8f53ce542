//! Remembers on which side of the router the targets of simple queues are.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{
    target,
    topology::Topology,
    transport::{Row, RowTransport},
};
use crate::router::{QueueTarget, RouterError};

/// An unknown side is determined again after this time: the routes may have been missing because
/// the WAN was down.
const RETRY_UNKNOWN: Duration = Duration::from_secs(30);

/// What decides a side: the target and the other end, as the router shows them.
type Ends = (Option<String>, Option<String>);
/// A side, or why it is unknown.
type TargetSide = Result<QueueTarget, String>;

/// The sides of the targets that were asked for, each until the target changes.
#[derive(Debug, Default)]
pub(super) struct TargetSides(Mutex<BTreeMap<Ends, (TargetSide, Instant)>>);

impl TargetSides {
    /// Returns the side of the simple queue `row`.
    ///
    /// # Errors
    /// Any that concerns all requests.
    pub(super) async fn of(
        &self,
        transport: &dyn RowTransport,
        row: &Row,
    ) -> Result<TargetSide, RouterError> {
        let [target, dst] = ["target", "dst"].map(|end| row.text(end).map(str::to_owned));
        let ends = (target, dst);
        if let Some(side) = self.known(&ends) {
            return Ok(side);
        }
        let topology = Topology::read(transport).await?;
        let side = target::side(&topology, ends.0.as_deref(), ends.1.as_deref());
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Targets that change all the time must not fill the memory.
        if known.len() >= 64 {
            known.clear();
        }
        known.insert(ends, (side.clone(), Instant::now()));
        Ok(side)
    }

    fn known(&self, ends: &Ends) -> Option<TargetSide> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (side, asked) = known.get(ends)?;
        (side.is_ok() || asked.elapsed() < RETRY_UNKNOWN).then(|| side.clone())
    }

    /// Lets every side be asked for again: the router may have been set up differently.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
