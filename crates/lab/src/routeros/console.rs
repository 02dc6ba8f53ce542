//! The console: the same router over SSH.
//!
//! Errors are text like any other and come with the exit status of success, what follows them is
//! not carried out, `[find]` may find nothing, lines are broken at the width of a terminal, and
//! values have types and clocks that REST does not have.
//!
//! The language is the part of RouterOS' that a controller needs. A command line is read as a whole
//! first: a word that does not exist prevents all of it.

mod parse;
mod run;
mod script;
#[cfg(test)]
mod tests;

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
};
use tokio_util::sync::CancellationToken;

use self::run::{Machine, wrapped};
use super::{Emulator, RequestEffect, RequestRecord, User, lock};

/// What a terminal has if nobody says otherwise.
const COLUMNS: usize = 80;
/// Longest command line that is read, in bytes.
const LINE_LIMIT: u64 = 64 * 1024;

impl Emulator {
    /// Carries out a command line as a user over SSH would see it, and returns what is printed.
    ///
    /// `login` is the user's name with or without console options: `ctl` has lines of 80 columns,
    /// `ctl+cet512w` of 512. Whom SSH lets in is the business of the SSH server.
    pub async fn console(&self, login: &str, command: &str) -> String {
        let arrived = self.now();
        let (name, options) = login.split_once('+').unwrap_or((login, ""));
        let mut effects = Vec::new();
        let known = self.0.users.iter().zip(&self.0.turns).find(|(user, _)| user.name == name);
        let printed = match known {
            Some((user, turn)) => {
                let _turn = if self.0.quirks.user_order { Some(turn.lock().await) } else { None };
                self.carry_out(user, command, &mut effects).await
            }
            // A login without an account has nothing to say.
            None => String::new(),
        };
        lock(&self.0.log).push(RequestRecord {
            at: arrived.since_start(),
            took: self.now().since(arrived),
            user: name.to_owned(),
            method: "SSH".to_owned(),
            path: command.to_owned(),
            status: 0,
            effects,
        });
        wrapped(&printed, width(options))
    }

    /// Returns what the command line prints; nothing if the router goes down meanwhile.
    async fn carry_out(
        &self,
        user: &User,
        command: &str,
        effects: &mut Vec<RequestEffect>,
    ) -> String {
        let reboots = self.finish_boot();
        tokio::time::sleep(self.draw_latency()).await;
        self.stall().await;
        let is_up = lock(&self.0.faults).is_reachable(self.now());
        if !is_up || self.finish_boot() != reboots {
            return String::new();
        }
        let (printed, wait) = self.operate(user, effects, |session| {
            let system = session.world.system.resource(session.now);
            let version = system.get("version").map(String::as_str).unwrap_or_default();
            match parse::parse(command, Abilities::of(version)) {
                Ok(script) => Machine::new(session, &self.0.pinger).run(&script),
                Err(complaint) => (complaint + "\r\n", Duration::ZERO),
            }
        });
        tokio::time::sleep(wait).await;
        printed
    }

    /// Serves the console on a socket until `stop`: for the forced command of an SSH server. Each
    /// connection carries the login, a line end and a command line one way, and what is printed the
    /// other.
    ///
    /// # Errors
    /// Fails when the listener does.
    pub async fn serve_console(
        self,
        listener: UnixListener,
        stop: CancellationToken,
    ) -> io::Result<()> {
        loop {
            let (stream, _) = tokio::select! {
                accepted = listener.accept() => accepted?,
                () = stop.cancelled() => return Ok(()),
            };
            let emulator = self.clone();
            // Its failure is that of a client who went away.
            tokio::spawn(async move { emulator.converse(stream).await.ok() });
        }
    }

    async fn converse(&self, mut stream: UnixStream) -> io::Result<()> {
        let (receiver, mut sender) = stream.split();
        let mut request = String::new();
        receiver.take(LINE_LIMIT).read_to_string(&mut request).await?;
        let (login, command) = request.split_once('\n').unwrap_or((&request, ""));
        let printed = self.console(login, command).await;
        sender.write_all(printed.as_bytes()).await?;
        sender.shutdown().await
    }
}

/// Reads the width out of console options such as `cet512w`.
fn width(options: &str) -> usize {
    let before = options.split('w').next().filter(|_| options.contains('w')).unwrap_or_default();
    let digits = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + 1);
    before.get(digits..).and_then(|digits| digits.parse().ok()).unwrap_or(COLUMNS)
}

/// What the console of a version can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Abilities {
    /// Whether there is `:serialize`, since 7.16.
    serializes: bool,
    /// Whether parameters that do not exist are called by their name, since 7.23.
    names_parameters: bool,
}

impl Abilities {
    /// Returns what the console of `version`, such as `7.20.8 (stable)`, can do.
    fn of(version: &str) -> Self {
        let minor = version.strip_prefix("7.").unwrap_or_default();
        let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        let minor: u32 = minor.get(..digits).and_then(|n| n.parse().ok()).unwrap_or(0);
        Self { serializes: minor >= 16, names_parameters: minor >= 23 }
    }
}
