//! What `wanctl check` looks at on this host: the history's directory, the listen address, and the
//! local end of each WAN's probes.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::task::spawn_blocking;

use super::report::{Line, Topic};
use crate::{
    cli::run::bind,
    config::{Config, WanConfig},
    history::{HistoryError, Reader},
    probe::{Bind, ProbeConfig, ProbeMethodChoice},
};

/// The discard port: connecting a datagram socket to it asks for a route and sends nothing.
const DISCARD: u16 = 9;
const HISTORY: &str = "history";

/// Looks at what `run` needs of this host apart from the network.
pub(super) async fn surroundings(config: &Config) -> Vec<Line> {
    let path = config.history.path.clone();
    // A locked file is waited for.
    let history = spawn_blocking(move || history(path.as_deref()));
    let listen = listen(config).await;
    let history = history.await.unwrap_or_else(|error| {
        Line::unknown(Topic::Host, HISTORY, format!("not checked: {error}"))
    });
    vec![history, listen]
}

fn history(path: Option<&Path>) -> Line {
    let Some(path) = path else {
        return Line::ok(Topic::Host, HISTORY, "not stored (`history.path` is not set)");
    };
    let shown = path.display();
    let line = match Reader::open(path) {
        Ok(_) => may_be_written(path).map(|()| format!("{shown} can be written")),
        Err(HistoryError::Missing { .. }) => place_for(path),
        Err(error) if error.is_busy() => {
            return Line::unknown(
                Topic::Host,
                HISTORY,
                format!("not checked: another program has locked {shown}"),
            )
            .remedy("stop that program, or check again later");
        }
        Err(error) => Err(error.with_causes()),
    };
    match line {
        Ok(what) => Line::ok(Topic::Host, HISTORY, what),
        Err(why) => Line::warning(Topic::Host, HISTORY, why).remedy(
            "give wanctl's user write permission there, or set another file in `history.path`",
        ),
    }
}

/// Says that a history can be begun at `path`, where there is none.
fn place_for(path: &Path) -> Result<String, String> {
    let shown = path.display();
    if path.exists() {
        may_be_written(path)?;
    }
    let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    // `run` makes the directory, so what counts is the nearest one that is there.
    let there = directory.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    try_file_in(there).map(|()| format!("{shown} can be written")).map_err(|error| {
        format!("the history cannot be stored in {}: {error}", directory.display())
    })
}

/// Opens a file that is there as one that is to be written, and leaves it as it is.
fn may_be_written(path: &Path) -> Result<(), String> {
    let opened = fs::File::options().append(true).open(path);
    opened.map(drop).map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Writes a file and removes it again.
fn try_file_in(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!(".wanctl-check-{}", std::process::id()));
    fs::write(&path, b"")?;
    fs::remove_file(path)
}

async fn listen(config: &Config) -> Line {
    let address = config.http.listen;
    let subject = "listen address";
    match bind(address).await {
        Ok(_) => Line::ok(Topic::Host, subject, format!("{address} is free")),
        Err(error) => Line::warning(Topic::Host, subject, format!("{error:#}"))
            .remedy("correct `http.listen`, unless a wanctl already runs on this host"),
    }
}

/// Returns whether the local end of the WAN's probes is on this host. Probes that the router sends
/// have their end there.
pub(super) fn local_end(wan: &WanConfig) -> Option<Line> {
    if wan.probe.method == ProbeMethodChoice::RouterPing {
        return None;
    }
    let subject = format!("wan {} local end", wan.name);
    let end = described(&wan.probe.bind);
    Some(match tied(&wan.probe.bind) {
        Ok(()) if wan.probe.bind == Bind::Any => Line::ok(
            Topic::Wan,
            subject,
            "neither `source` nor `interface` is set: this host's routes select it",
        ),
        Ok(()) => Line::ok(Topic::Wan, subject, format!("{end} is on this host")),
        Err(error) => Line::failed(Topic::Wan, subject, format!("{end} cannot be used: {error}"))
            .remedy(
                "add it to this host (`ip address`), or correct this WAN's `source` or `interface`",
            ),
    })
}

fn described(bind: &Bind) -> String {
    match bind {
        Bind::Any => "this host".to_owned(),
        Bind::Source(address) => format!("source address {address}"),
        Bind::Interface(name) => format!("interface {name}"),
    }
}

fn tied(bind: &Bind) -> io::Result<()> {
    let family = match bind {
        Bind::Source(IpAddr::V6(_)) => Domain::IPV6,
        Bind::Any | Bind::Interface(_) | Bind::Source(IpAddr::V4(_)) => Domain::IPV4,
    };
    bind.tie(&Socket::new(family, Type::DGRAM, Some(Protocol::UDP))?)
}

/// Returns why this host cannot send to `reflector` as configured, if its routes say so.
pub(super) fn no_route_to(probe: &ProbeConfig, reflector: IpAddr) -> Option<String> {
    let target = SocketAddr::new(reflector, DISCARD);
    let routed = || -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(target), Type::DGRAM, Some(Protocol::UDP))?;
        probe.bind.tie(&socket)?;
        socket.connect(&target.into())
    };
    routed().err().map(|error| {
        let end = described(&probe.bind);
        format!("cannot send to it from {end}: {error}")
    })
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use rusqlite::Connection;

    use super::*;

    #[test]
    fn an_end_that_is_not_here_is_named() {
        let loopback = Bind::Source(IpAddr::from([127, 0, 0, 1]));
        let (absent, nowhere) =
            (Bind::Interface("wanctl-none".to_owned()), Bind::Source(IpAddr::from([192, 0, 2, 9])));
        assert!(tied(&loopback).is_ok());
        let reflector = IpAddr::from([127, 0, 0, 2]);
        let probe = |bind| ProbeConfig { bind, ..ProbeConfig::of(vec![reflector]) };
        assert_eq!(no_route_to(&probe(loopback), reflector), None);
        for (bind, name) in [(absent, "interface wanctl-none"), (nowhere, "address 192.0.2.9")] {
            assert!(tied(&bind).is_err());
            let why = no_route_to(&probe(bind), reflector).unwrap();
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn a_history_that_cannot_be_kept_is_reported() {
        let directory = tempfile::tempdir().unwrap();
        let in_it = |name: &str| history(Some(&directory.path().join(name))).state.name();
        assert_eq!(in_it("history.db"), "ok");
        assert_eq!(in_it("not/yet/there/history.db"), "ok");
        fs::write(directory.path().join("file"), "").unwrap();
        assert_eq!(in_it("file/history.db"), "warning");
        fs::create_dir(directory.path().join("folder")).unwrap();
        assert_eq!(in_it("folder"), "warning");
        let pipe = directory.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(in_it("pipe"), "warning");
        symlink("/dev/zero", directory.path().join("zero")).unwrap();
        assert_eq!(in_it("zero"), "warning");
        fs::write(directory.path().join("garbage"), [b'x'; 9999]).unwrap();
        assert_eq!(in_it("garbage"), "warning");
        fs::write(directory.path().join("blank"), "").unwrap();
        assert_eq!(in_it("blank"), "ok");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 6, "nothing is left behind");
        let locked = Connection::open(directory.path().join("locked")).unwrap();
        locked.execute_batch("BEGIN EXCLUSIVE").unwrap();
        assert_eq!(in_it("locked"), "unknown");
    }
}
