//! The transport over SSH, through the system's `ssh` and a real `sshd`, against the emulated console;
//! and the same suite over REST, so that what holds for one transport holds for the other.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "ssh"]
mod ssh {
    pub(crate) mod contract;
    pub(crate) mod rig;
    pub(crate) mod sshd;
}

use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use ssh::{
    contract::transcript,
    rig::{Rig, TIMEOUT, dl, switch, until},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wanctl::{
    actuator::{
        Actuator, Assignment, IdleReads, Pace, RouterFamilies, SwitchChannels, SwitchMetrics,
        SwitchWork, Tuning,
    },
    catalogue::Catalogue,
    clock::Clock,
    router::{
        Inspect as _, QueueRef, RouterError, Shaper as _, SwitchMenu, SwitchRef, Switches as _,
        Transport,
        routeros::{RouterOs, TransportChoice, TransportFailoverParams},
    },
};
use wanctl_core::{
    steering::{Rank, Switch, SwitchKind, SwitchOrder, SwitchReport},
    units::BitRate,
};
use wanctl_lab::routeros::{Fault, RequestEffect};

const MODERN: &str = "7.20.8 (stable)";
/// Without `:serialize`.
const OLD: &str = "7.15.3 (stable)";

fn mbps(rate: u64) -> BitRate {
    BitRate::from_bps(rate * 1_000_000)
}

fn kind<T>(answer: Result<T, RouterError>) -> &'static str {
    answer.map_or_else(|error| error.fault.kind(), |_| "no fault")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_transports_lead_to_the_same_router() {
    for (version, user) in [(MODERN, "ctl"), (OLD, "ctl"), (MODERN, "reader")] {
        let (rest, ssh) = (Rig::new(version).await, Rig::new(version).await);
        let [one, other] =
            [rest.router(user, TransportChoice::Rest), ssh.router(user, TransportChoice::Ssh)];
        let (over_rest, over_ssh) = tokio::join!(transcript(&rest, &one), transcript(&ssh, &other));
        assert_eq!(over_rest, over_ssh, "{version}, {user}");
        assert_eq!(rest.effects(), ssh.effects(), "{version}, {user}");
        let methods = |rig: &Rig| rig.emulator.log().iter().all(|call| call.method == "SSH");
        assert!(methods(&ssh) && !methods(&rest), "each used its own transport");
        assert!(ssh.sshd.logins() == 1, "all of it over one connection: {}", ssh.sshd.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_known_or_has_changed_is_refused() {
    let mut rig = Rig::new(MODERN).await;
    let router = rig.router("ctl", TransportChoice::Ssh);
    router.set_limit(&dl(), mbps(50)).await.unwrap();
    rig.sshd.stop();
    rig.sshd.change_host_key();
    rig.sshd.start();
    let calls = rig.emulator.log().len();
    let error = until(|| async {
        router.set_limit(&dl(), mbps(40)).await.err().filter(|e| e.fault.kind() == "untrusted")
    })
    .await;
    assert!(error.to_string().contains("has changed; the fingerprint is now SHA256:"), "{error}");
    let stranger = Rig::new(MODERN).await;
    stranger.sshd.forget_host();
    let router = stranger.router("ctl", TransportChoice::Ssh);
    assert_eq!(kind(router.facts().await), "untrusted");
    assert_eq!(rig.emulator.log().len(), calls, "nothing reached the router");
    assert!(stranger.emulator.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_router_does_not_know_is_refused() {
    let rig = Rig::new(MODERN).await;
    rig.sshd.authorise_nobody();
    let error = rig.router("ctl", TransportChoice::Ssh).facts().await.unwrap_err();
    assert_eq!(error.to_string().split_once(": ").unwrap().1, "reading: user `ctl` is refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_reported_and_found_again() {
    let mut rig = Rig::new(MODERN).await;
    let router = Arc::new(rig.router("ctl", TransportChoice::Ssh));
    // In the middle of a command.
    rig.emulator.inject(Fault::Hang(Duration::from_millis(700)));
    let in_flight = tokio::spawn({
        let router = Arc::clone(&router);
        async move { router.facts().await }
    });
    until(|| async { (rig.sshd.commands() > 0).then_some(()) }).await;
    rig.sshd.stop();
    assert_eq!(kind(in_flight.await.unwrap()), "reset");
    // Between two commands, and while nobody is there.
    assert_eq!(kind(router.facts().await), "connect");
    rig.sshd.start();
    assert_eq!(router.set_limit(&dl(), mbps(30)).await.unwrap(), mbps(30));
    // On a connection that was good until then.
    rig.sshd.stop();
    assert_eq!(kind(router.set_limit(&dl(), mbps(20)).await), "connect");
    rig.sshd.start();
    assert_eq!(router.set_limit(&dl(), mbps(10)).await.unwrap(), mbps(10));
    assert_eq!(rig.limit("dl"), mbps(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_an_answer_takes_its_connection_with_it() {
    let rig = Rig::new(MODERN).await;
    let router = rig.router("ctl", TransportChoice::Ssh);
    router.facts().await.unwrap();
    assert_eq!(rig.sshd.sessions(), 1);
    rig.emulator.inject(Fault::Hang(TIMEOUT + Duration::from_millis(500)));
    assert_eq!(kind(router.set_limit(&dl(), mbps(40)).await), "timeout");
    until(|| async { (rig.sshd.sessions() == 0).then_some(()) }).await;
    assert_eq!(router.set_limit(&dl(), mbps(30)).await.unwrap(), mbps(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_closed_while_idle_is_not_even_noticed() {
    let rig = Rig::new(MODERN).await;
    let router = rig.router("ctl", TransportChoice::Ssh);
    for rate in 1..4 {
        router.set_limit(&dl(), mbps(rate)).await.unwrap();
        rig.sshd.close_sessions();
    }
    assert_eq!(rig.limit("dl"), mbps(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_never_a_success() {
    let rig = Rig::new(MODERN).await;
    let router = rig.router("ctl", TransportChoice::Ssh);
    let none = QueueRef::Tree("none".to_owned());
    assert_eq!(kind(router.set_limit(&none, mbps(5)).await), "not_found");
    for (comment, fault) in [("none", "not_found"), ("twice", "ambiguous")] {
        let answer = router.enable_switch(&switch(SwitchMenu::Mangle, comment), true).await;
        assert_eq!(kind(answer), fault, "{comment}");
    }
    // A row that was made anew has another id: the old one must not look like a success.
    router.set_limit(&dl(), mbps(50)).await.unwrap();
    rig.emulator.inject(Fault::Recreate { queue: "dl".to_owned() });
    assert_eq!(router.set_limit(&dl(), mbps(40)).await.unwrap(), mbps(40));
    assert_eq!(rig.limit("dl"), mbps(40));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_switched_there_and_back_over_ssh() {
    let rig = Rig::new(MODERN).await;
    let switch = Switch { wan: Rank(1), kind: SwitchKind::SteerRule };
    let comment = "steer: \"games\"".to_owned();
    let link = SwitchChannels::default();
    let switches = SwitchWork {
        refs: vec![SwitchRef { switch, menu: SwitchMenu::Mangle, comment: comment.clone() }],
        forgets: Vec::new(),
        link: link.clone(),
        metrics: SwitchMetrics::unregistered(),
    };
    let config = rig.config("ctl", TransportChoice::Ssh);
    let (stats_interval, pace) = (Duration::from_millis(100), Pace::default());
    let idle = IdleReads::default();
    let tuning = Tuning { writes: true, stats_interval, idle, pace, exit_limits: None };
    let router = RouterOs::new(&config, vec![dl()]).unwrap().into_router("router");
    let families = RouterFamilies::register(&mut Catalogue::default());
    let actuator = Actuator::new(Assignment {
        metrics: families.of_router(&router, [].into_iter()),
        router,
        queues: Vec::new(),
        links: BTreeMap::new(),
        switches,
        clock: Clock::start(),
        tuning: watch::channel(tuning).1,
    });
    let stop = CancellationToken::new();
    let task = tokio::spawn(actuator.run(stop.clone(), Duration::from_secs(3)));
    for enabled in [true, false] {
        link.orders.send_replace(vec![SwitchOrder { switch, enabled }]);
        let seen = || {
            let reported = link.actuation.borrow().switches.first().copied();
            let follows = |reported: &SwitchReport| {
                reported.pending_since.is_none()
                    && reported.seen.is_some_and(|(is, _)| is == enabled)
            };
            async move { reported.filter(follows) }
        };
        until(seen).await;
    }
    stop.cancel();
    task.await.unwrap();
    let effect = |enabled| RequestEffect::Rule { comment: comment.clone(), enabled };
    assert_eq!(rig.effects(), [effect(true), effect(false)]);
    assert!(rig.emulator.log().iter().all(|call| call.method == "SSH"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let rig = Rig::new(MODERN).await;
    let router = rig.router("ctl", TransportChoice::Ssh);
    let mut spans = Vec::new();
    router.set_limit(&dl(), mbps(1)).await.unwrap();
    for rate in 1..=60 {
        let asked = Instant::now();
        router.set_limit(&dl(), mbps(rate)).await.unwrap();
        spans.push(asked.elapsed());
    }
    spans.sort_unstable();
    let reported = format!("a write over SSH: median {:?}, 95 % within {:?}", spans[30], spans[57]);
    writeln!(std::io::stderr(), "{reported}").unwrap();
    assert_eq!((rig.sshd.sessions(), rig.sshd.logins()), (1, 1));
    drop(router);
    until(|| async { (rig.sshd.sessions() == 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_steps_in_while_rest_is_away() {
    let mut rig = Rig::new(MODERN).await;
    let failover_params = TransportFailoverParams {
        failures: 3,
        sustained: Duration::from_millis(100),
        first_check: Duration::from_millis(50),
        longest_backoff: Duration::from_millis(100),
        good_checks: 3,
    };
    let config = rig.config("ctl", TransportChoice::Auto);
    let router = RouterOs::with_failover_params(&config, vec![dl()], failover_params).unwrap();
    let write = async |rate| router.set_limit(&dl(), mbps(rate)).await;
    let emulator = rig.emulator.clone();
    let last_method = || emulator.log().pop().unwrap().method;
    assert_eq!((write(50).await.unwrap(), router.transport()), (mbps(50), Transport::Rest));
    assert_eq!(last_method(), "PATCH");
    // A refusal is no reason to leave.
    let none = QueueRef::Tree("none".to_owned());
    for _ in 0..5 {
        assert_eq!(kind(router.set_limit(&none, mbps(5)).await), "not_found");
    }
    assert_eq!(router.transport(), Transport::Rest);

    rig.stop_rest().await;
    until(|| {
        let answer = write(40);
        async {
            let answer = answer.await;
            answer.inspect_err(|error| assert_eq!(error.fault.kind(), "connect")).ok()
        }
    })
    .await;
    assert_eq!((last_method(), router.transport()), ("SSH".to_owned(), Transport::Ssh));
    assert_eq!(rig.limit("dl"), mbps(40));

    rig.start_rest().await;
    until(|| {
        let answer = router.read_queues(&[]);
        async {
            answer.await.unwrap();
            router.facts().await.unwrap();
            (router.transport() == Transport::Rest).then_some(())
        }
    })
    .await;
    write(30).await.unwrap();
    assert_eq!(last_method(), "PATCH");
    assert_eq!(rig.limit("dl"), mbps(30));
}
