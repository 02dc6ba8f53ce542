//! Reads what concerns the daemon itself: `control:`, `history:`, `http:`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ControlConfig, HistoryConfig, HttpConfig, Mode, OnExit, document::Node, read::Table,
    report::Read, value,
};

const DEFAULT_HISTORY: &str = "/var/lib/wanctl/history.db";
const DEFAULT_PORT: u16 = 9102;
/// Most names by which the server is asked for.
const MOST_HOSTS: usize = 32;

pub(super) fn control(table: &mut Table<'_>) -> Read<ControlConfig> {
    let interval = table.or("interval_ms", value::millis(20..=1000), Duration::from_millis(50));
    let mode = table.or(
        "mode",
        value::choice(&[("active", Mode::Active), ("observe", Mode::Observe)]),
        Mode::Active,
    );
    let on_exit = table.or(
        "on_exit",
        value::choice(&[
            ("keep", OnExit::Keep),
            ("base", OnExit::Base),
            ("ceiling", OnExit::Ceiling),
        ]),
        OnExit::Keep,
    );
    Ok(ControlConfig { interval: interval?, mode: mode?, on_exit: on_exit? })
}

/// Reads `history:`; a relative path starts at `base`.
pub(super) fn history(table: &mut Table<'_>, base: &Path) -> Read<HistoryConfig> {
    let enabled = table.or("enabled", value::flag, true);
    let path = table.or("path", value::path, PathBuf::from(DEFAULT_HISTORY));
    let default = HistoryConfig::default();
    let raw = table.or("raw_hours", value::hours(1..=8760), default.raw);
    let mut days = |key, most, default| table.or(key, value::days(1..=most), default);
    let seconds = days("seconds_days", 366, default.seconds);
    let minutes = days("minutes_days", 3660, default.minutes);
    let five_minutes = days("five_minutes_days", 3660, default.five_minutes);
    let hours = days("hours_days", 36600, default.hours);
    let events = days("events_days", 3660, default.events);
    let max_bytes = table.or("max_megabytes", value::megabytes(64..=1_000_000), default.max_bytes);
    let path = base.join(path?);
    Ok(HistoryConfig {
        path: enabled?.then_some(path),
        raw: raw?,
        seconds: seconds?,
        minutes: minutes?,
        five_minutes: five_minutes?,
        hours: hours?,
        events: events?,
        max_bytes: max_bytes?,
    })
}

pub(super) fn http(table: &mut Table<'_>) -> Read<HttpConfig> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
    let listen = table.or("listen", socket_address, loopback);
    let allow_remote = table.or("allow_remote", value::flag, false);
    let allow_reload = table.or("allow_reload", value::flag, false);
    let allow_steer = table.or("allow_steer", value::flag, false);
    let hosts = table.optional_list("hosts", 0..=MOST_HOSTS);
    let hosts = hosts.and_then(|items| {
        items.unwrap_or_default().iter().map(|item| item.scalar(host_name)).collect::<Read<_>>()
    });
    let (listen, allow_remote) = (listen?, allow_remote?);
    if !listen.ip().to_canonical().is_loopback() && !allow_remote {
        return Err(table.fail(
            "listen",
            format!(
                "{listen} can be reached from other machines and has no authentication; listen on \
                 127.0.0.1, or set a password with --web.config.file and `allow_remote: true`"
            ),
        ));
    }
    Ok(HttpConfig { listen, allow_reload: allow_reload?, allow_steer: allow_steer?, hosts: hosts? })
}

/// Reads the name of a host, in any case, without a port.
fn host_name(node: &Node) -> Result<String, String> {
    let name = value::line(253)(node)?.to_ascii_lowercase();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
    let is_name = name.chars().all(is_of_name) && !name.starts_with('.') && !name.ends_with('.');
    if is_name {
        Ok(name)
    } else {
        Err(format!("expected the name of a host, without a port, got {}", value::quoted(node)))
    }
}

fn socket_address(node: &Node) -> Result<SocketAddr, String> {
    let parsed = match node {
        Node::Text(text) => text.parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| {
        let got = value::quoted(node);
        format!("expected an IP address and a port such as 127.0.0.1:{DEFAULT_PORT}, got {got}")
    })
}
