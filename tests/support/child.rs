//! The program as a child process whose output is kept, and waiting with a deadline.

use std::{
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a condition is waited for: far above what anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Time between two looks at a condition.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Waits until `look` finds something; `what` names it if it never comes.
pub(crate) fn until<T>(what: &str, check: impl FnMut() -> Option<T>) -> T {
    until_within(DEADLINE, what, check)
}

/// Waits as [`until`] does, but for as long as `deadline`.
pub(crate) fn until_within<T>(
    deadline: Duration,
    what: &str,
    mut check: impl FnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} without success: {what}");
        thread::sleep(POLL_INTERVAL);
    }
}

/// The binary under test.
pub(crate) fn wanctl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wanctl"));
    // What the developer's shell says about logs and proxies is no part of the test.
    command.env_remove("RUST_LOG").env_remove("NOTIFY_SOCKET");
    command
}

/// A running child. Dropped, it is killed (SIGKILL) without a chance to say goodbye.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdout: Captured,
    stderr: Captured,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Debug)]
struct Captured {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("starting {command:?}: {e}"));
        let stdout = Captured::read(child.stdout.take().unwrap());
        let stderr = Captured::read(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// Runs a command to its end.
    pub(crate) fn finish(command: Command) -> Exit {
        Self::start(command).exit()
    }

    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits for a line of the log that contains `words`, and returns it.
    pub(crate) fn logged(&mut self, words: &str) -> String {
        self.line(words, Self::stderr)
    }

    /// Waits for a line of standard output that contains `words`, and returns it.
    pub(crate) fn said(&mut self, words: &str) -> String {
        self.line(words, Self::stdout)
    }

    fn line(&mut self, words: &str, stream: fn(&Self) -> String) -> String {
        until(&format!("a line with `{words}`"), || {
            let ended = self.has_ended();
            let text = stream(self);
            // Only whole lines: the rest of this one may hold what the caller looks for.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let found = whole.lines().find(|line| line.contains(words)).map(str::to_owned);
            assert!(found.is_some() || !ended, "no line with `{words}`: {self:?}");
            found
        })
    }

    /// Returns the number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks the child to end, as a service manager does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends the signal of this name.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success(), "{kill}: {status}");
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for the child's end.
    pub(crate) fn exit(mut self) -> Exit {
        let status = until("the end of the program", || self.child.try_wait().unwrap());
        for stream in [&mut self.stdout, &mut self.stderr] {
            if let Some(reader) = stream.reader.take() {
                reader.join().unwrap();
            }
        }
        Exit { status, stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing to do for one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Captured {
    fn read(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let kept = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let line = String::from_utf8_lossy(&std::mem::take(&mut line)).into_owned();
                kept.lock().unwrap_or_else(PoisonError::into_inner).push_str(&line);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Exit {
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Asserts the exit code; everything that was said comes with a failure.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code(), Some(code), "{self:#?}");
        self
    }

    /// The last line of standard error, where a failing program says why.
    pub(crate) fn complaint(&self) -> &str {
        self.stderr.lines().last().unwrap_or_default()
    }
}
