//! The writer: the one thread that owns the database.

use std::{
    mem,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tracing::{info, warn};

use super::{
    Event, HistoryError, Recorder, Settings,
    age_clock::AgeClock,
    recorder::{Item, Shared},
    row::{Batch, EventRow},
    store::Store,
    tracker::Tracker,
};
use crate::clock::Clock;

/// Between two attempts while the writer is closing; it has only seconds.
const CLOSING_RETRY: Duration = Duration::from_millis(50);
/// Between two rounds of upkeep.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(1);

/// How often and how much.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// A batch is written this long after its writer began to gather it ...
    batch_span: Duration,
    /// ... or when it has so many items.
    batch_items: usize,
    /// Items that the queue holds: more than three minutes of two WANs.
    queue_items: usize,
    /// Between two attempts when the first has failed.
    retry: Duration,
    /// How long an attempt waits for a lock that another connection holds.
    busy_timeout: Duration,
}

const PACE: Pace = Pace {
    batch_span: Duration::from_secs(1),
    batch_items: 4096,
    queue_items: 8192,
    retry: Duration::from_secs(5),
    busy_timeout: Duration::from_secs(2),
};

/// Starts the history's writer thread. The disk cannot make this fail: what is wrong with it
/// shows in [`Recorder::stats`] and is tried again every 5 s.
///
/// # Panics
/// If the system gives the process no thread.
#[must_use]
pub fn start(settings: Settings) -> (Recorder, Writer) {
    start_at(settings, PACE)
}

fn start_at(settings: Settings, pace: Pace) -> (Recorder, Writer) {
    let (sender, items) = mpsc::sync_channel(pace.queue_items);
    let (alive, ended) = mpsc::sync_channel(0);
    let shared = Arc::<Shared>::default();
    let recorder = Recorder::new(sender, Arc::clone(&shared), settings.wans.len());
    let worker = Worker {
        items,
        shared: Arc::clone(&shared),
        tracker: Tracker::new(settings.wans.len()),
        path: settings.path.display().to_string(),
        store: Store::new(settings, pace.busy_timeout),
        batch: Batch::default(),
        taken: 0,
        failed_attempts: 0,
        age_clock: None,
        tended: None,
        pace,
    };
    let thread = thread::Builder::new()
        .name("history".into())
        .spawn(move || worker.run(alive))
        .expect("a process at its start gets a thread");
    (recorder, Writer { thread, ended, shared })
}

/// The running writer thread. Dropped without [`Writer::close`], it goes on until the last
/// [`Recorder`] is gone.
#[derive(Debug)]
pub struct Writer {
    thread: JoinHandle<()>,
    /// Disconnects when the thread ends.
    ended: Receiver<()>,
    shared: Arc<Shared>,
}

/// Why the end of the history is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// Not everything could be written.
    #[error("the last {items} cycles and events were not written to the history: {cause}")]
    Unwritten {
        /// How many cycles and events are lost.
        items: u64,
        /// The last error, or that the time was too short.
        cause: String,
    },
    /// Everything is written, but the log could not be copied into the database in time; the
    /// next start does it.
    #[error("the history was not closed in time; nothing is lost")]
    Unclosed,
    /// The thread panicked, which is a fault in wanctl.
    #[error("the history's writer panicked; please report this")]
    Panicked,
}

impl Writer {
    /// Writes what is queued, copies the log into the database and ends the thread, all `within`
    /// this time. What is recorded from now on may be dropped.
    ///
    /// # Errors
    /// [`CloseError`]; the thread is then left to itself.
    pub fn close(self, within: Duration) -> Result<(), CloseError> {
        let Self { thread, ended, shared } = self;
        shared.close_by.get_or_init(|| Instant::now() + within);
        thread.thread().unpark();
        let in_time = ended.recv_timeout(within) != Err(RecvTimeoutError::Timeout);
        if in_time && thread.join().is_err() {
            return Err(CloseError::Panicked);
        }
        let stats = shared.stats();
        if stats.queued == 0 {
            return if in_time { Ok(()) } else { Err(CloseError::Unclosed) };
        }
        let error = stats.last_error.filter(|_| stats.failing);
        let cause = error.unwrap_or_else(|| "the time was too short".into());
        Err(CloseError::Unwritten { items: stats.queued, cause })
    }
}

/// The thread's own state.
#[derive(Debug)]
struct Worker {
    items: Receiver<Item>,
    shared: Arc<Shared>,
    tracker: Tracker,
    path: String,
    store: Store,
    /// What is to be written next; it outlives failed attempts.
    batch: Batch,
    /// Items from the queue that the batch stands for.
    taken: u64,
    /// Since the last success.
    failed_attempts: u64,
    /// What ages are counted by, once the store has returned its newest row.
    age_clock: Option<AgeClock>,
    tended: Option<Instant>,
    pace: Pace,
}

impl Worker {
    /// Runs until it is closed or no recorder is left. The end of `_alive` reports that of the thread.
    fn run(mut self, _alive: SyncSender<()>) {
        loop {
            let is_ended = self.gather();
            let failure = self.write().err();
            let close_by = self.shared.close_by.get();
            let ending = is_ended || close_by.is_some();
            match failure {
                None if !ending => {}
                Some(_) if !ending => self.backoff(self.pace.retry),
                None if is_ended || self.shared.queued() == 0 => break,
                _ if close_by.is_none_or(|&by| Instant::now() >= by) => break,
                None => {}
                Some(error) if error.may_pass_soon() => thread::sleep(CLOSING_RETRY),
                Some(_) => break,
            }
        }
        self.store.close();
    }

    /// Fills the batch until its time or its size is reached. Returns whether all recorders are gone.
    ///
    /// It never waits at the queue: each send would have to wake it, with two system calls and often
    /// a change of threads in the middle of a control cycle.
    fn gather(&mut self) -> bool {
        let until = Instant::now() + self.pace.batch_span;
        while self.batch.cycles.len() + self.batch.events.len() < self.pace.batch_items {
            match self.items.try_recv() {
                Ok(item) => self.take(item),
                Err(TryRecvError::Disconnected) => return true,
                Err(TryRecvError::Empty) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() || self.shared.close_by.get().is_some() {
                        return false;
                    }
                    thread::park_timeout(left);
                }
            }
        }
        false
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Cycle(cycle) => self.tracker.take(cycle, &mut self.batch),
            Item::Event(at, wan, event) => {
                self.batch.events.push(EventRow::new(at, wan, &event));
            }
            Item::Memory(row) => self.batch.memories.push(row),
        }
        self.taken += 1;
    }

    /// Writes the batch and does some upkeep; on an error the batch stays for the next attempt.
    fn write(&mut self) -> Result<(), HistoryError> {
        let result = self.try_write();
        match &result {
            Ok(()) => self.note_success(),
            Err(error) => self.note_failure(error),
        }
        let (database_bytes, wal_bytes) = self.store.sizes();
        let mut stats = self.shared.written();
        (stats.database_bytes, stats.wal_bytes) = (database_bytes, wal_bytes);
        result
    }

    fn try_write(&mut self) -> Result<(), HistoryError> {
        if self.age_clock.is_none() {
            // From what was stored before the first batch, whose times may be wrong.
            let newest = self.store.newest()?;
            self.age_clock = Some(AgeClock::new(Instant::now(), Clock::wall(), newest));
        }
        self.store.write(&self.batch)?;
        self.note_commit();
        self.tend()
    }

    fn tend(&mut self) -> Result<(), HistoryError> {
        let retention = self.shared.retention().take();
        let is_due = self.tended.is_none_or(|at| at.elapsed() >= UPKEEP_INTERVAL);
        if let Some(retention) = retention {
            self.store.retain(retention);
        } else if !is_due {
            return Ok(());
        }
        let (run, wall) = (Instant::now(), Clock::wall());
        self.tended = Some(run);
        let Some(clock) = &mut self.age_clock else { return Ok(()) };
        let aged = clock.read(run, wall);
        match self.store.upkeep(wall, aged) {
            // Another second will do.
            Err(error) if error.is_busy() => Ok(()),
            result => result.map(drop),
        }
    }

    fn note_commit(&mut self) {
        let batch = mem::take(&mut self.batch);
        if !batch.is_empty() {
            let mut stats = self.shared.written();
            stats.rows_written += batch.cycles.len() as u64;
            stats.events_written += batch.events.len() as u64;
            stats.last_commit = Some(Clock::wall());
        }
        self.shared.settle(mem::take(&mut self.taken));
    }

    fn note_success(&mut self) {
        let attempts = mem::take(&mut self.failed_attempts);
        if attempts > 0 {
            let dropped = self.shared.stats().dropped;
            info!(path = self.path, attempts, dropped, "history is written again");
            self.shared.written().failing = false;
        }
    }

    fn note_failure(&mut self, error: &HistoryError) {
        let text = error.with_causes();
        if let HistoryError::SetAside(archived_as, _) = error {
            // Not a state but something that happened, so it is logged each time.
            warn!(error = text, "history file set aside");
            let event = Event::HistoryArchived { archived_as: archived_as.display().to_string() };
            self.batch.events.push(EventRow::new(Clock::wall(), None, &event));
        } else if self.failed_attempts == 0 {
            warn!(error = text, "history is not written, control goes on");
        }
        self.failed_attempts += 1;
        let mut stats = self.shared.written();
        stats.failures += 1;
        stats.failing = true;
        stats.last_error = Some(text);
    }

    /// Waits for `span`, or until the writer is to close.
    fn backoff(&self, span: Duration) {
        let until = Instant::now() + span;
        while self.shared.close_by.get().is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::park_timeout(left);
        }
    }
}

#[cfg(test)]
mod tests;
