//! What every road has to do alike.

use std::fmt::Debug;

use wanctl::{
    config::{MarkedConnections, QueueRef, SwitchMenu},
    router::{
        Router as _, RouterError,
        routeros::{PingFrom, RouterOs},
    },
};
use wanctl_core::{Direction, units::BitRate};
use wanctl_lab::routeros::Fault;

use super::rig::{CALLS, LONG_COMMENT, LOST, Rig, STRANGE_NAME, dl};

/// How long the answer to a ping is waited for.
const PING: std::time::Duration = std::time::Duration::from_secs(1);

/// Does everything that a router can be asked for, and tells what came of it. Faults are told by
/// their kind: the words differ.
pub(crate) async fn transcript(rig: &Rig, router: &RouterOs) -> Vec<String> {
    let mut told = Vec::new();
    let strange = QueueRef::Tree(STRANGE_NAME.to_owned());
    let none = QueueRef::Tree("none".to_owned());
    let home = |direction| QueueRef::Simple { name: "home".to_owned(), direction, target: None };
    let queues = [dl(), strange, home(Direction::Upload), home(Direction::Download), none];
    let facts = router.facts().await.map(|mut facts| {
        // The two routers were not started at the same moment.
        facts.uptime = None;
        facts
    });
    tell(&mut told, "facts", facts);
    tell(&mut told, "survey", router.survey().await);
    tell(&mut told, "read", router.read_queues(&queues).await);
    for queue in &queues {
        tell(&mut told, "write", router.set_limit(queue, BitRate::from_mbps(7.0)).await);
    }
    tell(&mut told, "read again", router.read_queues(&queues).await);
    let rules = ["none", "twice", "steer: \"games\"", LONG_COMMENT];
    let rules = rules.map(|comment| (SwitchMenu::Mangle, comment));
    for (table, comment) in
        rules.into_iter().chain([(SwitchMenu::Route, "none"), (SwitchMenu::Route, "over wan2")])
    {
        tell(&mut told, "rule", router.rule_enabled(table, comment).await);
        for enabled in [true, true, false] {
            tell(&mut told, "switch", router.enable_rule(table, comment, enabled).await);
        }
    }
    for mark in ["none", CALLS] {
        let of = MarkedConnections { mark: mark.to_owned(), ipv6: true };
        tell(&mut told, "forget", router.forget(&of).await);
        tell(&mut told, "forget again", router.forget(&of).await);
    }
    let interface = PingFrom { source: None, interface: Some("ether1".to_owned()) };
    let source = PingFrom { source: Some([192, 0, 2, 9].into()), interface: None };
    let answers = [192, 0, 2, 1].into();
    for (address, from) in [(answers, &interface), (answers, &source), (LOST, &interface)] {
        tell(&mut told, "ping", router.ping(address, from, PING).await);
    }
    rig.emulator.inject(Fault::Recreate { queue: "dl".to_owned() });
    tell(&mut told, "made anew", router.set_limit(&dl(), BitRate::from_mbps(3.0)).await);
    let drift = Fault::Drift { queue: "dl".to_owned(), limit: BitRate::from_mbps(9.0) };
    rig.emulator.inject(drift);
    tell(&mut told, "drifted", router.read_queues(&queues).await);
    told
}

fn tell<T: Debug>(told: &mut Vec<String>, what: &str, answer: Result<T, RouterError>) {
    told.push(match answer {
        Ok(answer) => format!("{what}: {answer:?}"),
        Err(error) => format!("{what}: {} while {}", error.fault.kind(), error.operation),
    });
}
