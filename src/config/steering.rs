//! Reads `steering:`, which WANs stand in for each other, by which rules, and when.

mod timing;
mod wans;

use wanctl_core::steering::{Preset, SteeringMode, SteeringParams, SwitchKind};

use super::{
    WanConfig,
    read::Table,
    report::{Read, Reported},
    router::Routers,
    value,
};
use crate::{actuator::ConntrackFlush, probe::Bind, router::SwitchRef};

/// Fewest probes in a row that must be lost before a WAN is declared dead.
const LOST_PROBES: u32 = 5;

/// Steering and failover between the WANs.
#[derive(Debug, Clone, PartialEq)]
pub struct SteeringConfig {
    /// What the decisions need; the WANs are in the order of preference.
    pub params: SteeringParams,
    /// The rules and routes of the router that are switched, each once.
    pub switches: Vec<PlacedSwitch>,
    /// What the router forgets after which switch was changed; usually nothing.
    pub forgets: Vec<ConntrackFlush>,
    /// How the switches are left when the daemon ends.
    pub on_exit: SteeringExit,
}

/// A switch, and the router that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedSwitch {
    /// The place of the router in [`Config::routers`](super::Config::routers).
    pub router: usize,
    /// Which of its switches it is.
    pub at: SwitchRef,
}

/// How the switches are left when the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SteeringExit {
    /// As they are.
    Keep,
    /// At rest, but for what keeps traffic away from a WAN that is dead.
    Restore,
}

/// Reads `steering:`; `known` are the WANs of the configuration, none if they are wrong.
pub(super) fn read(
    table: &mut Table<'_>,
    known: &[WanConfig],
    routers: Routers<'_>,
) -> Read<SteeringConfig> {
    let mode = table.or(
        "mode",
        value::choice(&[
            ("off", SteeringMode::Off),
            ("observe", SteeringMode::Observe),
            ("active", SteeringMode::Active),
        ]),
        SteeringMode::default(),
    );
    let preset = table.or(
        "preset",
        value::choice(&[
            ("balanced", Preset::Balanced),
            ("v17", Preset::V17),
            ("hysteresis", Preset::Hysteresis),
        ]),
        Preset::default(),
    );
    let on_exit = table.or(
        "on_exit",
        value::choice(&[("keep", SteeringExit::Keep), ("restore", SteeringExit::Restore)]),
        SteeringExit::Restore,
    );
    let wans = wans::read(table, known, routers);
    let preset = preset.unwrap_or_default();
    let steer = table.table("steer", |table| timing::steer(table, preset.steer()));
    let failover = table.table("failover", |table| {
        let params = timing::failover(table)?;
        let listed = wans.as_ref().map_or(&[][..], |wans| wans.configs.as_slice());
        let slowest = listed.iter().map(|wan| wan.probe.idle_interval).max().unwrap_or_default();
        let least = slowest * LOST_PROBES;
        if params.dead_after < least {
            let (dead_after, least) = (params.dead_after.as_millis(), least.as_millis());
            let message = format!(
                "{dead_after} must be at least {least}, {LOST_PROBES} times the longest \
                 `probe.idle_interval_ms` of these WANs"
            );
            return Err(table.fail("dead_after_ms", message));
        }
        let fewest = listed.iter().map(|wan| wan.probe.active).min();
        if let Some(fewest) = fewest.filter(|fewest| *fewest < params.quorum) {
            let quorum = params.quorum;
            let message = format!("{quorum} is more than the {fewest} active reflectors of a WAN");
            return Err(table.fail("quorum", message));
        }
        Ok(params)
    });
    let (wans, steer) = (wans?, steer?);
    warn(table, &wans, steer.allow_metered);
    Ok(SteeringConfig {
        params: SteeringParams { mode: mode?, wans: wans.facts, steer, failover: failover? },
        forgets: wans.forgets,
        switches: wans.switches,
        on_exit: on_exit?,
    })
}

/// Warns of what is allowed but does nothing.
fn warn(table: &Table<'_>, wans: &wans::Wans, allow_metered: bool) {
    let mut steerable = wans.facts.iter().filter(|wan| wan.has_steer).peekable();
    if steerable.peek().is_some() && steerable.all(|wan| wan.metered) && !allow_metered {
        table.warn(
            "wans",
            "every WAN with a `steer` rule is metered and `steer.allow_metered` is false, so \
             connections are moved only when the preferred WAN is dead",
        );
    }
    let is_reachable =
        |kind: SwitchKind| wans.switches.iter().any(|switch| switch.at.switch.kind == kind);
    let diverts = is_reachable(SwitchKind::FailoverRule) || is_reachable(SwitchKind::FailoverRoute);
    if !diverts {
        table.warn(
            "wans",
            "no WAN has a `failover` switch, so only latency-sensitive connections leave a dead \
             WAN",
        );
    }
}

/// Probes that are not bound to a WAN say nothing about it.
fn must_be_bound(table: &Table<'_>, wan: &WanConfig) -> Read<()> {
    if wan.probe.bind != Bind::Any {
        return Ok(());
    }
    let message = "its probes follow the routing table and may measure another WAN, so steering \
                   would use wrong evidence; give the WAN a `source` or an `interface`";
    let _: Reported = table.fail("name", message);
    Err(Reported)
}
