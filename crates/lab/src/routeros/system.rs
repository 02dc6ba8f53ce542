//! What the router knows about itself: `/system/identity`, `/system/resource`, and its flash.

use std::time::Duration;

use wanctl_core::units::MonoTime;

use super::{EmulatorConfig, FlashWrites, menus::Values, values};

/// Flash sectors written before the router was started for the first time here.
const SECTORS_BEFORE: u64 = 222_100;
/// Cores of the router.
pub(super) const CORES: u8 = 4;

/// The router's own facts.
#[derive(Debug)]
pub(super) struct System {
    identity: String,
    version: String,
    board: String,
    booted: MonoTime,
    flash: Flash,
}

/// Counts the sectors that changes cost. Every one of them is persistent at once: RouterOS has no
/// way to set a limit in memory only.
#[derive(Debug)]
struct Flash {
    policy: FlashWrites,
    sectors: u64,
    sectors_before_boot: u64,
    written: Option<MonoTime>,
}

impl Flash {
    fn write(&mut self, now: MonoTime) {
        if let (FlashWrites::Coalesced(span), Some(written)) = (self.policy, self.written)
            && now.since(written) < span
        {
            return;
        }
        self.written = Some(now);
        self.sectors += 1;
    }
}

impl System {
    pub(super) fn new(config: &EmulatorConfig) -> Self {
        Self {
            identity: config.identity.clone(),
            version: config.version.clone(),
            board: config.board.clone(),
            booted: MonoTime::ZERO,
            flash: Flash {
                policy: config.quirks.flash,
                sectors: 0,
                sectors_before_boot: 0,
                written: None,
            },
        }
    }

    /// Starts the router at `now`.
    pub(super) const fn boot(&mut self, now: MonoTime) {
        self.booted = now;
        self.flash.sectors_before_boot = self.flash.sectors;
    }

    pub(super) const fn uptime(&self, now: MonoTime) -> Duration {
        now.since(self.booted)
    }

    pub(super) fn write_flash(&mut self, now: MonoTime) {
        self.flash.write(now);
    }

    pub(super) fn rename(&mut self, name: String, now: MonoTime) {
        self.identity = name;
        self.flash.write(now);
    }

    /// Returns `/system/identity`.
    pub(super) fn identity(&self) -> Values {
        Values::from([("name", self.identity.clone())])
    }

    /// Returns `/system/resource`.
    pub(super) fn resource(&self, now: MonoTime) -> Values {
        // RouterOS counts its uptime in whole seconds.
        let uptime = Duration::from_secs(self.uptime(now).as_secs());
        let since_boot = self.flash.sectors - self.flash.sectors_before_boot;
        let mut shown: Values = [
            ("architecture-name", "arm64"),
            ("bad-blocks", "0"),
            ("board-name", &*self.board),
            ("build-time", "2026-01-28 09:26:35"),
            ("cpu", "ARM64"),
            ("cpu-frequency", "1400"),
            ("cpu-load", "3"),
            ("free-hdd-space", "985571328"),
            ("free-memory", "796278784"),
            ("platform", "MikroTik"),
            ("total-hdd-space", "1073741824"),
            ("total-memory", "1073741824"),
            ("version", &*self.version),
        ]
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
        shown.insert("cpu-count", CORES.to_string());
        shown.insert("uptime", values::shown_time(uptime));
        shown.insert("write-sect-since-reboot", since_boot.to_string());
        shown.insert("write-sect-total", (SECTORS_BEFORE + self.flash.sectors).to_string());
        shown
    }
}
