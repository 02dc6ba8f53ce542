//! What of `steering` may change in a running daemon: everything but the WANs and the switches.

use wanctl_core::steering::{SteeringMode, SteeringParams, WanFacts};

use super::Changes;
use crate::config::SteeringConfig;

pub(super) fn adopt(
    changes: &mut Changes,
    old: &SteeringConfig,
    new: &SteeringConfig,
) -> SteeringConfig {
    let SteeringConfig { params, switches, forgets, on_exit } = new;
    let SteeringParams { mode, wans, steer, failover } = params;
    // The properties of a WAN are reported where they are set.
    let structure = |config: &SteeringConfig| {
        let name = |wan: &WanFacts| wan.name.clone();
        let names: Vec<String> = config.params.wans.iter().map(name).collect();
        (names, config.switches.clone(), config.forgets.clone())
    };
    let is_same = structure(old) == structure(new);
    changes.restart("steering.wans", structure(old), &structure(new));
    // What was off from the start has no switches to its name.
    let is_off = |mode: SteeringMode| mode == SteeringMode::Off;
    let mode = if is_off(*mode) == is_off(old.params.mode) {
        changes.live("steering.mode", &old.params.mode, *mode)
    } else {
        changes.restart("steering.mode", old.params.mode, mode)
    };
    let with_limits = |wan: &WanFacts| {
        let new = wans.iter().find(|new| new.name == wan.name).map(|new| new.limits);
        let new = new.unwrap_or(wan.limits);
        // A direction that comes or goes waits for a restart.
        let limits = wan.limits.map_present(|direction, old| new[direction].unwrap_or(*old));
        WanFacts { limits, ..wan.clone() }
    };
    SteeringConfig {
        params: SteeringParams {
            mode,
            wans: old.params.wans.iter().map(with_limits).collect(),
            steer: changes.live("steering.steer", &old.params.steer, *steer),
            failover: changes.live("steering.failover", &old.params.failover, *failover),
        },
        switches: if is_same { switches.clone() } else { old.switches.clone() },
        forgets: if is_same { forgets.clone() } else { old.forgets.clone() },
        on_exit: changes.live("steering.on_exit", &old.on_exit, *on_exit),
    }
}
