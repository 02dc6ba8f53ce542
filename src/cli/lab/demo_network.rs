//! The routes and steering rules of the demo's emulated router, and the configuration of steering.

use std::time::Duration;

use wanctl_core::steering::{
    FailoverMethod, FailoverParams, Preset, Rank, Recovery, SteerParams, SteeringMode,
    SteeringParams, Switch, SwitchKind, WanFacts,
};
use wanctl_lab::{
    demo_wans::DemoWan,
    routeros::{EmulatorConfig, MangleSpec, RouteSpec, RoutingRuleSpec},
};

use crate::{
    config::{Config, PlacedSwitch, SteeringConfig, SteeringExit},
    router::{SwitchMenu, SwitchRef},
};

/// Expedited forwarding, which calls are marked with.
const DSCP: &str = "46";

/// Adds routes over all WANs to `router`, and disabled rules that send traffic to all but the first.
pub(super) fn with_routes(router: EmulatorConfig, wans: &[DemoWan]) -> EmulatorConfig {
    let alternates = wans.iter().skip(1);
    let mangle = alternates.clone().flat_map(|wan| {
        let table = table(wan.name);
        let calls = [("dscp", DSCP.to_owned()), ("new-connection-mark", table.clone())];
        let marked = [("connection-mark", table.clone()), ("new-routing-mark", table)];
        [
            MangleSpec {
                chain: "prerouting".to_owned(),
                action: "mark-connection".to_owned(),
                comment: steer_rule(wan.name),
                disabled: true,
                more: calls.to_vec(),
            },
            MangleSpec {
                chain: "prerouting".to_owned(),
                action: "mark-routing".to_owned(),
                comment: String::new(),
                disabled: false,
                more: marked.to_vec(),
            },
        ]
    });
    let rules = alternates.map(|wan| RoutingRuleSpec {
        action: "lookup".to_owned(),
        table: table(wan.name),
        comment: all_rule(wan.name),
        disabled: true,
    });
    let default_routes = wans.iter().enumerate().map(|(rank, wan)| RouteSpec {
        destination: "0.0.0.0/0".to_owned(),
        gateway: wan.queues.gateway.clone(),
        distance: 1,
        table: if rank == 0 { "main".to_owned() } else { table(wan.name) },
        comment: format!("wanctl: default route of {}", wan.name),
        disabled: false,
    });
    EmulatorConfig {
        mangle: mangle.collect(),
        routing_rules: rules.collect(),
        routes: default_routes.collect(),
        ..router
    }
}

/// Configures steering between the WANs of `config`, with times that show all of it within minutes.
pub(super) fn steering(config: &Config) -> SteeringConfig {
    let facts = config.wans.iter().enumerate().map(|(place, wan)| WanFacts {
        name: wan.name.clone(),
        place,
        limits: wan.params.limits(),
        metered: wan.metered,
        has_steer: place > 0,
        has_steer6: false,
        failover_method: (place > 0).then_some(FailoverMethod::EnableRule),
    });
    let switches = config.wans.iter().enumerate().skip(1).flat_map(|(rank, wan)| {
        let switch = |kind, menu, comment| PlacedSwitch {
            router: wan.router,
            at: SwitchRef { switch: Switch { wan: Rank(rank), kind }, menu, comment },
        };
        [
            switch(SwitchKind::SteerRule, SwitchMenu::Mangle, steer_rule(&wan.name)),
            switch(SwitchKind::FailoverRule, SwitchMenu::RoutingRule, all_rule(&wan.name)),
        ]
    });
    let defaults = Preset::Balanced.steer();
    let flap_damping = Duration::from_mins(1);
    let recovery = Recovery { sustain: Duration::from_secs(5), ..defaults.recovery };
    SteeringConfig {
        switches: switches.collect(),
        forgets: Vec::new(),
        params: SteeringParams {
            mode: SteeringMode::Active,
            wans: facts.collect(),
            steer: SteerParams {
                recovery,
                hold_down: Duration::from_secs(15),
                flap_damping,
                ..defaults
            },
            failover: FailoverParams {
                recovery: Duration::from_secs(5),
                hold_down: Duration::from_secs(10),
                failback: Duration::from_secs(10),
                flap_damping,
                ..FailoverParams::default()
            },
        },
        on_exit: SteeringExit::Restore,
    }
}

fn table(wan: &str) -> String {
    format!("to-{wan}")
}

fn steer_rule(wan: &str) -> String {
    format!("wanctl: steer to {wan}")
}

fn all_rule(wan: &str) -> String {
    format!("wanctl: failover to {wan}")
}
