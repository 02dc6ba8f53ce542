//! The control loop's end of the queue, and what is known about the writer.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    time::Instant,
};

use wanctl_core::{Cycle, WanMemory, units::Timestamp};

use super::{
    Event, Retention,
    memory::{MemoryRow, SavedSteering},
};

/// What goes through the queue.
#[derive(Debug)]
pub(super) enum Item {
    /// A cycle to store.
    Cycle(Arc<Cycle>),
    /// An event to store.
    Event(Timestamp, Option<usize>, Event),
    /// What a start continues from, to replace what was stored before.
    Memory(MemoryRow),
}

/// Hands cycles and events to the writer, and never waits for it.
#[derive(Debug, Clone)]
pub struct Recorder {
    items: SyncSender<Item>,
    shared: Arc<Shared>,
    wans: usize,
}

impl Recorder {
    pub(super) fn new(items: SyncSender<Item>, shared: Arc<Shared>, wans: usize) -> Self {
        Self { items, shared, wans }
    }

    /// Queues a cycle, or counts it as dropped: if the queue is full, if the writer has ended, or
    /// if its WAN is not among those of the settings.
    pub fn cycle(&self, cycle: Arc<Cycle>) {
        self.offer(Some(cycle.wan), Item::Cycle(cycle));
    }

    /// Queues an event, about the WAN with this place in the settings or about none, or counts it
    /// as dropped like a cycle.
    pub fn event(&self, at: Timestamp, wan: Option<usize>, event: Event) {
        self.offer(wan, Item::Event(at, wan, event));
    }

    /// Queues what was learned of the WAN with this place in the settings, whose `reflectors` the
    /// memory has in this order; or counts it as dropped like a cycle.
    pub fn memory(&self, wan: usize, at: Timestamp, memory: &WanMemory, reflectors: &[String]) {
        self.offer(Some(wan), Item::Memory(MemoryRow::of_wan(wan, at, memory, reflectors)));
    }

    /// Queues where traffic is steered, to replace what was stored before; or counts it as dropped
    /// like a cycle.
    pub fn steering(&self, at: Timestamp, kept: &SavedSteering) {
        self.offer(None, Item::Memory(MemoryRow::of_steering(at, kept)));
    }

    /// Keeps so much from now on. Not by the queue, which may be full.
    pub fn retain(&self, retention: Retention) {
        *self.shared.retention() = Some(retention);
    }

    fn offer(&self, wan: Option<usize>, item: Item) {
        // Counted before it is sent, or the writer could have stored it before it was counted.
        self.shared.queued.fetch_add(1, Relaxed);
        let known = wan.is_none_or(|wan| wan < self.wans);
        if !known || self.items.try_send(item).is_err() {
            self.shared.queued.fetch_sub(1, Relaxed);
            self.shared.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Returns the state of the writer.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }
}

/// State of the history. Counts are since the start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Cycles that are in the database.
    pub rows_written: u64,
    /// Events that are in the database, those that the writer derived included.
    pub events_written: u64,
    /// Cycles and events that were not taken, because the queue was full.
    pub dropped: u64,
    /// Cycles and events that were taken and are not in the database yet.
    pub queued: u64,
    /// Attempts to write that failed; each keeps its rows for the next attempt.
    pub failures: u64,
    /// Whether the last attempt failed: nothing is being written.
    pub failing: bool,
    /// What went wrong last; it stays after a recovery.
    pub last_error: Option<String>,
    /// When rows were last committed.
    pub last_commit: Option<Timestamp>,
    /// Size of the database file.
    pub database_bytes: u64,
    /// Size of its write-ahead log.
    pub wal_bytes: u64,
}

/// What the writer and its recorders share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    queued: AtomicU64,
    dropped: AtomicU64,
    /// Set once, when the writer is to end; the moment by which it should have.
    pub(super) close_by: OnceLock<Instant>,
    /// How much is to be kept, until the writer has taken it.
    retention: Mutex<Option<Retention>>,
    /// All of `Stats` that only the writer changes.
    written: Mutex<Stats>,
}

impl Shared {
    pub(super) fn stats(&self) -> Stats {
        let dropped = self.dropped.load(Relaxed);
        Stats { queued: self.queued(), dropped, ..self.written().clone() }
    }

    pub(super) fn queued(&self) -> u64 {
        self.queued.load(Relaxed)
    }

    /// Notes that this many items have reached the database.
    pub(super) fn settle(&self, items: u64) {
        self.queued.fetch_sub(items, Relaxed);
    }

    /// Returns how much is to be kept, if that is news. The control loop never takes this lock.
    pub(super) fn retention(&self) -> MutexGuard<'_, Option<Retention>> {
        self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the writer's part of the figures. The control loop never takes this lock.
    pub(super) fn written(&self) -> MutexGuard<'_, Stats> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::{super::fixture, *};

    #[test]
    fn a_full_queue_drops_and_counts() {
        let (sender, _receiver) = mpsc::sync_channel(2);
        let recorder = Recorder::new(sender, Arc::default(), 1);
        for number in 0..5 {
            recorder.cycle(Arc::new(fixture::cycle(0, number)));
        }
        let stats = recorder.stats();
        assert_eq!((stats.queued, stats.dropped), (2, 3));
    }

    #[test]
    fn a_wan_that_is_not_configured_is_dropped() {
        let (sender, _receiver) = mpsc::sync_channel(2);
        let recorder = Recorder::new(sender, Arc::default(), 1);
        recorder.cycle(Arc::new(fixture::cycle(1, 1)));
        recorder.event(Timestamp::default(), Some(1), Event::Stop { reason: "test".into() });
        assert_eq!((recorder.stats().queued, recorder.stats().dropped), (0, 2));
    }
}
