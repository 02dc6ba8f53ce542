//! What every transport has to do alike.

use std::fmt::Debug;

use wanctl::router::{
    Inspect as _, MarkedConnections, PingFrom, Pinger as _, QueueRef, RouterError, Shaper as _,
    SwitchMenu, Switches as _, routeros::RouterOs,
};
use wanctl_core::{Direction, units::BitRate};
use wanctl_lab::routeros::Fault;

use super::rig::{LONG_COMMENT, LOST, QUOTED_MARK, Rig, STRANGE_NAME, dl, switch};

/// How long the answer to a ping is waited for.
const PING: std::time::Duration = std::time::Duration::from_secs(1);

/// Does everything that a router can be asked for, and reports what came of it. Faults are named by
/// their kind: the words differ.
pub(crate) async fn transcript(rig: &Rig, router: &RouterOs) -> Vec<String> {
    let mut reported = Vec::new();
    let strange = QueueRef::Tree(STRANGE_NAME.to_owned());
    let none = QueueRef::Tree("none".to_owned());
    let lan_queue =
        |direction| QueueRef::Simple { name: "lan".to_owned(), direction, target: None };
    let queues =
        [dl(), strange, lan_queue(Direction::Upload), lan_queue(Direction::Download), none];
    let facts = router.facts().await.map(|mut facts| {
        // The two routers were not started at the same moment.
        facts.uptime = None;
        facts
    });
    report(&mut reported, "facts", facts);
    report(&mut reported, "findings", router.findings().await);
    report(&mut reported, "read", router.read_queues(&queues).await);
    for queue in &queues {
        report(&mut reported, "write", router.set_limit(queue, BitRate::from_mbps(7.0)).await);
    }
    report(&mut reported, "read again", router.read_queues(&queues).await);
    let rules = ["none", "twice", "steer: \"games\"", LONG_COMMENT];
    let rules = rules.map(|comment| (SwitchMenu::Mangle, comment));
    for (table, comment) in
        rules.into_iter().chain([(SwitchMenu::Route, "none"), (SwitchMenu::Route, "over wan2")])
    {
        report(&mut reported, "rule", router.switch_enabled(&switch(table, comment)).await);
        for enabled in [true, true, false] {
            report(
                &mut reported,
                "switch",
                router.enable_switch(&switch(table, comment), enabled).await,
            );
        }
    }
    for mark in ["none", QUOTED_MARK] {
        let of = MarkedConnections { mark: mark.to_owned(), ipv6: true };
        report(&mut reported, "forget", router.forget_connections(&of).await);
        report(&mut reported, "forget again", router.forget_connections(&of).await);
    }
    let interface = PingFrom { source: None, interface: Some("ether1".to_owned()) };
    let source = PingFrom { source: Some([192, 0, 2, 9].into()), interface: None };
    let answers = [192, 0, 2, 1].into();
    for (address, from) in [(answers, &interface), (answers, &source), (LOST, &interface)] {
        report(&mut reported, "ping", router.ping(address, from, PING).await);
    }
    rig.emulator.inject(Fault::Recreate { queue: "dl".to_owned() });
    report(&mut reported, "made anew", router.set_limit(&dl(), BitRate::from_mbps(3.0)).await);
    let drift = Fault::Drift { queue: "dl".to_owned(), limit: BitRate::from_mbps(9.0) };
    rig.emulator.inject(drift);
    report(&mut reported, "drifted", router.read_queues(&queues).await);
    reported
}

fn report<T: Debug>(reported: &mut Vec<String>, what: &str, answer: Result<T, RouterError>) {
    reported.push(match answer {
        Ok(answer) => format!("{what}: {answer:?}"),
        Err(error) => format!("{what}: {} while {}", error.fault.kind(), error.operation),
    });
}
