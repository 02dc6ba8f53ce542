//! `wanctl emulate-console`: what a real SSH server runs in the place of a router's console.

use std::{
    env,
    io::{self, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
};

use anyhow::Context as _;
use clap::Args;

use super::Failure;

/// For an SSH server's `ForceCommand`, which passes login and command in the environment.
#[derive(Debug, Args)]
pub(in crate::cli) struct EmulateConsoleArgs {
    /// Socket of the emulated router's console.
    #[arg(long, value_name = "SOCKET")]
    at: PathBuf,
}

/// Passes the command line that the SSH server was asked for to the emulated router, and its answer
/// back. Like RouterOS it exits with success whatever the answer is.
pub(super) fn run(args: &EmulateConsoleArgs) -> Result<(), Failure> {
    let login = env::var("USER").context("no `USER` in the environment")?;
    let command = env::var("SSH_ORIGINAL_COMMAND").unwrap_or_default();
    let socket = args.at.display();
    let mut router =
        UnixStream::connect(&args.at).with_context(|| format!("cannot connect to {socket}"))?;
    write!(router, "{login}\n{command}")?;
    router.shutdown(Shutdown::Write)?;
    io::copy(&mut router, &mut io::stdout().lock())?;
    Ok(())
}
