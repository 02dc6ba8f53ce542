//! Where an answer goes: to a pager if a person watches, else to the pipe as it is.

use std::{
    env,
    io::{self, BufWriter, IsTerminal as _, Stdout, Write},
    process::{Child, ChildStdin, Command, Stdio},
};

/// Shows a short answer without stopping and leaves it on the screen; long lines are not folded.
const LESS: &str = "FRSX";

/// Standard output or a pager. Dropped, it waits for the pager, which owns the terminal until
/// its reader has seen enough.
#[derive(Debug)]
pub(super) enum Output {
    Plain(BufWriter<Stdout>),
    Paged { input: Option<BufWriter<ChildStdin>>, pager: Child },
}

impl Output {
    /// Starts `$PAGER`, or `less`, if `wanted` and standard output is a terminal. One that cannot
    /// be started is done without.
    pub(super) fn open(wanted: bool) -> Self {
        let plain = || Self::Plain(BufWriter::new(io::stdout()));
        let pager = env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
        if !wanted || !io::stdout().is_terminal() || pager.is_empty() || pager == "cat" {
            return plain();
        }
        let mut command = Command::new("sh");
        command.args(["-c", &pager]).stdin(Stdio::piped());
        if env::var_os("LESS").is_none() {
            command.env("LESS", LESS);
        }
        let Ok(mut pager) = command.spawn() else { return plain() };
        let input = pager.stdin.take().map(BufWriter::new);
        Self::Paged { input, pager }
    }

    /// Writes what is left and waits for the pager.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Paged { input: Some(input), .. } => input.write(bytes),
            Self::Paged { input: None, .. } => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Paged { input, .. } => input.as_mut().map_or(Ok(()), Write::flush),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Self::Paged { input, pager } = self {
            // Its end of the pipe is the end of the text for the pager.
            drop(input.take());
            let _ = pager.wait();
        }
    }
}
