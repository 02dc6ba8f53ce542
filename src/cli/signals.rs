//! SIGTERM, SIGINT and SIGHUP, and the deadline by which the process ends after a signal to stop.
//!
//! The signals have a thread and a runtime of their own: neither a blocked worker nor a blocked
//! terminal keeps the process from being stopped.

use std::{
    io, process,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};
use tracing::error;

use super::EXIT_FAILURE;

/// The process has ended this long after the signal, whatever hangs.
const DEADLINE: Duration = Duration::from_millis(5500);
/// How long the last line of the log may take: standard error may be a pipe that nobody reads.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What SIGHUP means to a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hangup {
    /// To read the configuration again.
    Reloads,
    /// To end, as without a handler.
    #[cfg_attr(
        not(any(feature = "client", feature = "lab")),
        expect(dead_code, reason = "only their commands do")
    )]
    Stops,
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// To end; by the signal of this name.
    Stop(&'static str),
    /// To reload the configuration.
    Reload,
}

/// The signals that the program listens to.
#[derive(Debug)]
pub(super) struct Signals {
    notices: mpsc::UnboundedReceiver<Notice>,
    stage: Stage,
}

/// What the process is doing, for the message of a process that could not be stopped in order.
#[derive(Debug, Clone)]
struct Stage(Arc<Mutex<&'static str>>);

impl Signals {
    /// Starts listening; from now on the signals do not end the program by themselves. Once one
    /// asks it to stop, the program has [`DEADLINE`] until the process is ended.
    ///
    /// # Errors
    /// If the system has no thread or no descriptor to give.
    pub(super) fn listen(hangup: Hangup) -> io::Result<Self> {
        let (sender, notices) = mpsc::unbounded_channel();
        let stage = Stage(Arc::new(Mutex::new("working")));
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let entered = runtime.enter();
        let (mut terminate, mut interrupt, mut over) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        );
        drop(entered);
        let shown = stage.clone();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let asked = runtime.block_on(async {
                loop {
                    let notice = tokio::select! {
                        _ = terminate.recv() => Notice::Stop("SIGTERM"),
                        _ = interrupt.recv() => Notice::Stop("SIGINT"),
                        _ = over.recv() => match hangup {
                            Hangup::Reloads => Notice::Reload,
                            Hangup::Stops => Notice::Stop("SIGHUP"),
                        },
                    };
                    // Nobody listens any more once the program is on its way out.
                    let _ = sender.send(notice);
                    if let Notice::Stop(signal) = notice {
                        return signal;
                    }
                }
            });
            thread::sleep(DEADLINE);
            end(asked, shown.get());
        })?;
        Ok(Self { notices, stage })
    }

    /// Notes what the process is doing from now on.
    pub(super) fn enter(&self, stage: &'static str) {
        *self.stage.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// Waits for the next signal and returns what it asks for.
    pub(super) async fn next(&mut self) -> Notice {
        // The sender lives until it has sent this.
        self.notices.recv().await.unwrap_or(Notice::Stop("a signal"))
    }
}

impl Stage {
    fn get(&self) -> &'static str {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a process that did not end by itself.
fn end(signal: &'static str, stage: &'static str) -> ! {
    let seconds = DEADLINE.as_secs_f64();
    let last_words = thread::Builder::new().spawn(move || {
        error!(signal, stage, "still not stopped {seconds} s after the signal: ending the process");
    });
    if let Ok(last_words) = last_words {
        let until = std::time::Instant::now() + LAST_WORDS;
        while !last_words.is_finished() && std::time::Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
    }
    process::exit(EXIT_FAILURE.into())
}
