//! A place where wanctl runs: a directory with its configuration.

use std::{
    fs, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command,
};

use tempfile::TempDir;

use super::child::wanctl;

pub(crate) const USER: &str = "wanctl";
/// What must never be seen.
pub(crate) const PASSWORD: &str = "swordfish-0xC0FFEE";
pub(crate) const WAN: &str = "cable";
pub(crate) const DOWNLOAD: &str = "cable-download";
pub(crate) const UPLOAD: &str = "cable-upload";
/// The base rates, download and upload.
pub(crate) const BASE_MBPS: [f64; 2] = [40.0, 8.0];

/// What differs between the configurations.
#[derive(Debug)]
pub(crate) struct Sketch {
    pub(crate) url: String,
    pub(crate) download: &'static str,
    pub(crate) probes: String,
    pub(crate) on_exit: &'static str,
    pub(crate) history: &'static str,
    pub(crate) listen: String,
}

impl Sketch {
    /// A configuration that is in order, for the router at `url`. Every address of 127.0.0.0/8
    /// answers pings on Linux. The thresholds are far above what a busy machine does to them.
    pub(crate) fn of(url: String) -> Self {
        let reflectors: Vec<String> = (1..=6).map(|host| format!("127.0.0.{host}")).collect();
        Self {
            url,
            download: DOWNLOAD,
            // Asked to ping, it says so where it may not, instead of finding another way.
            probes: format!("reflectors: [{}]\n    probe: {{method: icmp}}", reflectors.join(", ")),
            on_exit: "keep",
            history: "history.db",
            listen: "127.0.0.1:0".to_owned(),
        }
    }

    fn yaml(&self) -> String {
        let Self { url, download, probes, on_exit, history, listen } = self;
        let [base_download, base_upload] = BASE_MBPS;
        format!(
            "\
router:
  url: {url}
  user: {USER}
  password_file: router.password
wans:
  - name: {WAN}
    {probes}
    delay: {{yellow_ms: 500, soft_red_ms: 1000, red_ms: 1500}}
    download: {{queue: {download}, floor_mbps: 10, base_mbps: {base_download}, ceiling_mbps: 100}}
    upload: {{queue: {UPLOAD}, floor_mbps: 2, base_mbps: {base_upload}, ceiling_mbps: 20}}
control: {{on_exit: {on_exit}}}
history: {{path: {history}}}
http: {{listen: \"{listen}\"}}
"
        )
    }
}

/// A directory that goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    directory: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    /// A directory with the configuration and the password that `sketch` needs.
    pub(crate) fn with(sketch: &Sketch) -> Self {
        let site = Self::new();
        site.write("wanctl.yaml", &sketch.yaml());
        site.write("router.password", &format!("{PASSWORD}\n"));
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// `wanctl run` in this directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = wanctl();
        command.arg("run").arg("--config").arg(self.path("wanctl.yaml")).args(arguments);
        command
    }
}

/// Reads the address in a line that announces a URL.
pub(crate) fn address(line: &str) -> SocketAddr {
    let rest = line.split_once("://").map_or("", |(_, rest)| rest);
    let end = rest.find(['/', ' ']).unwrap_or(rest.len());
    rest[..end].parse().unwrap_or_else(|error| panic!("{error}: {line}"))
}
