//! What of a configuration the running parts work by.

use wanctl_core::{Limits, units::BitRate};

use super::LoopSettings;
use crate::{
    actuator::{IdleReads, Tuning},
    config::{Config, ControlConfig, HistoryConfig, Mode, OnExit, WanConfig},
    history::Retention,
};

impl LoopSettings {
    /// Returns what the loop of each WAN of `config` works by.
    pub(super) fn of(config: &Config) -> impl Iterator<Item = Self> {
        config.wans.iter().map(|wan| Self::of_wan(wan, &config.control))
    }

    /// Returns what the loop of `wan` works by.
    pub(super) fn of_wan(wan: &WanConfig, control: &ControlConfig) -> Self {
        Self {
            params: wan.params,
            interval: control.interval,
            observe_mode: control.mode == Mode::Observe,
        }
    }
}

/// Returns the mode's name in health and in the history.
pub(super) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Active => "active",
        Mode::Observe => "observe",
    }
}

/// Returns what the actuator of each router works by.
pub(super) fn tunings(config: &Config) -> impl Iterator<Item = Tuning> {
    config.routers.iter().enumerate().map(|(place, router)| Tuning {
        writes: config.control.mode == Mode::Active,
        stats_interval: router.stats_interval,
        pace: router.pace,
        idle: IdleReads::default(),
        exit_limits: exit_limits(config, place),
    })
}

/// Returns how much the history keeps.
pub(super) fn retention(config: &HistoryConfig) -> Retention {
    let HistoryConfig { path: _, raw, seconds, minutes, five_minutes, hours, events, max_bytes } =
        *config;
    Retention {
        raw,
        seconds,
        minutes,
        five_minutes,
        hours,
        events,
        bytes: max_bytes,
        ..Retention::default()
    }
}

/// The limits to leave on the router with this place, in the order of its queues.
fn exit_limits(config: &Config, router: usize) -> Option<Vec<BitRate>> {
    let of: fn(&Limits) -> BitRate = match config.control.on_exit {
        OnExit::Keep => return None,
        OnExit::Base => |limits| limits.base,
        OnExit::Ceiling => |limits| limits.ceiling,
    };
    let wans = config.wans.iter().filter(|wan| wan.router == router);
    let shaped = wans.flat_map(|wan| wan.params.directions.present());
    Some(shaped.map(|(_, params)| of(&params.limits)).collect())
}
