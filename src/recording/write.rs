//! The thread that writes a recording.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::{error, info, warn};

use super::{
    line::{End, FORMAT, Header, Line},
    tape::{Beginning, Tape},
};

/// Lines that the queue holds: three minutes of one WAN, one and a half of two.
const QUEUE: usize = 4096;
/// How often the queue is emptied. The thread is not woken by the loops, which would cost them a
/// system call each time.
const DRAIN: Duration = Duration::from_millis(200);
/// How often what was written reaches the file.
const FLUSH: Duration = Duration::from_secs(1);
/// Kept free for the line that says that the recording is full.
const LAST_WORDS: u64 = 64;

/// What the tapes and the writer share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Nothing is written any more: full, broken or closed.
    pub(super) ended: AtomicBool,
    /// Cycles that found no room, of all tapes.
    pub(super) lost: AtomicU64,
    closing: AtomicBool,
}

/// Why there is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file is there already.
    #[error("{path} already exists, and a recording never overwrites a file: use another name")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made.
    #[error("cannot write the recording {path}")]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A recording that is being made.
#[derive(Debug)]
pub struct Recording {
    lines: SyncSender<Line>,
    shared: Arc<Shared>,
    thread: thread::Thread,
    /// Disconnects when the thread ends.
    ended: Receiver<()>,
}

impl Recording {
    /// Begins a recording in a new file of at most `most` bytes.
    ///
    /// # Errors
    /// [`RecordingError`]: the file exists or cannot be made.
    ///
    /// # Panics
    /// If the system gives the process no thread.
    pub fn create(path: &Path, most: u64) -> Result<Self, RecordingError> {
        let file = File::create_new(path).map_err(|source| {
            let path = path.to_owned();
            if source.kind() == io::ErrorKind::AlreadyExists {
                RecordingError::Exists { path }
            } else {
                RecordingError::Create { path, source }
            }
        })?;
        info!(path = %path.display(), "recording");
        Ok(Self::to(file, most))
    }

    /// Begins a recording of at most `most` bytes that goes to `output`.
    ///
    /// # Panics
    /// If the system gives the process no thread.
    #[must_use]
    pub fn to(output: impl Write + Send + 'static, most: u64) -> Self {
        let (lines, queue) = mpsc::sync_channel(QUEUE);
        let (alive, ended) = mpsc::sync_channel(0);
        let shared = Arc::<Shared>::default();
        let worker = Worker {
            queue,
            shared: Arc::clone(&shared),
            output: BufWriter::new(output),
            left: most,
            text: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name("recording".to_owned())
            .spawn(move || worker.run(alive))
            .expect("a process at its start gets a thread");
        Self { lines, shared, thread: thread.thread().clone(), ended }
    }

    /// Returns what takes down the WAN that starts like this.
    #[must_use]
    pub fn tape(&self, beginning: Beginning<'_>) -> Tape {
        // Before the loops turn there is room, and nobody is kept waiting if there is none.
        let _ = self.lines.send(beginning.line());
        Tape::new(beginning.wan, self.lines.clone(), Arc::clone(&self.shared))
    }

    /// Writes what is queued and ends the recording, `within` this time; a disk that takes longer
    /// is left to itself. What is taken down from now on is lost.
    pub fn close(self, within: Duration) {
        let Self { lines, shared, thread, ended } = self;
        drop(lines);
        shared.closing.store(true, Relaxed);
        thread.unpark();
        if ended.recv_timeout(within) == Err(RecvTimeoutError::Timeout) {
            warn!("the recording was not closed in time: its end is missing");
        }
        let lost = shared.lost.load(Relaxed);
        if lost > 0 {
            warn!(cycles = lost, "the recording has gaps: the disk was too slow");
        }
    }
}

/// The thread's own state.
struct Worker<W: Write> {
    queue: Receiver<Line>,
    shared: Arc<Shared>,
    output: BufWriter<W>,
    /// Bytes that may still be written.
    left: u64,
    /// The line being written; kept for its memory.
    text: Vec<u8>,
}

impl<W: Write> Worker<W> {
    /// Runs until it is closed, full or broken, or no tape is left. The end of `_alive` says that
    /// this has ended.
    fn run(mut self, _alive: SyncSender<()>) {
        if let Err(error) = self.write() {
            error!(%error, "the recording has ended: it cannot be written; control continues");
        }
        self.shared.ended.store(true, Relaxed);
    }

    fn write(&mut self) -> io::Result<()> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let header = Header { wanctl_recording: FORMAT, version };
        serde_json::to_writer(&mut self.text, &header)?;
        self.put()?;
        let mut flushed = Instant::now();
        loop {
            // Read before the queue is emptied, so that what was queued before closing is written.
            let closing = self.shared.closing.load(Relaxed);
            let is_over = loop {
                match self.queue.try_recv() {
                    Ok(line) => {
                        serde_json::to_writer(&mut self.text, &line)?;
                        if !self.put()? {
                            return self.end("full");
                        }
                    }
                    Err(TryRecvError::Empty) => break closing,
                    Err(TryRecvError::Disconnected) => break true,
                }
            };
            if is_over {
                return self.end("stopped");
            }
            if flushed.elapsed() >= FLUSH {
                self.output.flush()?;
                flushed = Instant::now();
            }
            thread::park_timeout(DRAIN);
        }
    }

    /// Writes the line that is ready, if there is room for it.
    fn put(&mut self) -> io::Result<bool> {
        self.text.push(b'\n');
        let length = self.text.len() as u64;
        let fits = length + LAST_WORDS <= self.left;
        if fits {
            self.left -= length;
            self.output.write_all(&self.text)?;
        }
        self.text.clear();
        Ok(fits)
    }

    fn end(&mut self, reason: &'static str) -> io::Result<()> {
        if reason == "full" {
            warn!("the recording has ended: it reached the size of --record-max");
        }
        let end = Line::End(End { reason: reason.into() });
        serde_json::to_writer(&mut self.text, &end)?;
        self.left = u64::MAX;
        self.put()?;
        self.output.flush()
    }
}
