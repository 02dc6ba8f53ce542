//! Turns changes of who takes turns among a WAN's reflectors into events of the history.

use tokio::sync::mpsc;
use wanctl_core::ReflectorId;

use crate::{
    clock::Clock,
    history::{Event, Recorder},
    probe::PoolEvent,
};

/// One WAN's reflectors, and what becomes of them.
pub(super) struct ReflectorEvents {
    /// The WAN's place in the configuration.
    pub(super) wan: usize,
    /// The reflectors' addresses, in the order of the configuration.
    pub(super) reflectors: Vec<String>,
    pub(super) changes: mpsc::Receiver<PoolEvent>,
    pub(super) recorder: Recorder,
}

impl ReflectorEvents {
    /// Records the changes for as long as there is somebody to tell them.
    pub(super) async fn run(mut self) {
        while let Some(change) = self.changes.recv().await {
            let event = match change {
                PoolEvent::Replaced { reflector, by, fault } => Event::ReflectorReplaced {
                    reflector: self.address(reflector),
                    by: self.address(by),
                    fault: fault.code(),
                },
                PoolEvent::Returned(reflector) => {
                    Event::ReflectorReturned { reflector: self.address(reflector) }
                }
            };
            self.recorder.event(Clock::wall(), Some(self.wan), event);
        }
    }

    fn address(&self, reflector: ReflectorId) -> String {
        self.reflectors.get(usize::from(reflector.0)).cloned().unwrap_or_default()
    }
}
