//! The other ways to switch: a twin for IPv6, a route that is withdrawn, connections that begin
//! anew, and not at all while nothing is written.

use wanctl_lab::routeros::{EmulatorConfig, RouteSpec};

use super::testbed::{ROUTE, STEER_RULE, Testbed, rules, steer_rule, switch};

const STEER_RULE6: &str = "wanctl: steer to lte, IPv6";
const CONNECTION: &str = "ip/firewall/connection";
const CONNECTION6: &str = "ipv6/firewall/connection";

/// A router whose main table falls back on lte by itself, once the cable's route is withdrawn.
fn falling_back() -> EmulatorConfig {
    let route = |gateway: &str, distance, table: &str, comment: &str| RouteSpec {
        destination: "0.0.0.0/0".to_owned(),
        gateway: gateway.to_owned(),
        distance,
        table: table.to_owned(),
        comment: comment.to_owned(),
        disabled: false,
    };
    EmulatorConfig {
        mangle6: vec![steer_rule(STEER_RULE6, "mark-connection")],
        routing_rules: Vec::new(),
        routes: vec![
            route("ether1", 1, "main", ROUTE),
            route("ether2", 2, "main", ""),
            route("ether2", 1, "to-lte", ""),
        ],
        ..rules()
    }
}

fn wans() -> String {
    format!(
        "    - {{name: cable, forget_mark: sensitive, failover: {{route: '{ROUTE}'}}}}
    - name: lte
      forget_mark: to-lte
      steer: {{rule: '{STEER_RULE}', rule6: '{STEER_RULE6}'}}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn sensitive_connections_move_by_both_rules_and_return() {
    let course = vec![(0, 1.0), (5, 0.12), (13, 1.0)];
    let mut testbed = Testbed::start_with(course, falling_back(), &wans()).await;
    for (menu, mark) in [
        (CONNECTION, "sensitive"),
        (CONNECTION, "sensitive"),
        (CONNECTION, "web"),
        (CONNECTION, "to-lte"),
        (CONNECTION6, "sensitive"),
        (CONNECTION6, "to-lte"),
    ] {
        testbed.track(menu, mark).await;
    }
    testbed
        .until("both rules enabled", |_| {
            testbed.switched(STEER_RULE) == [true] && testbed.switched(STEER_RULE6) == [true]
        })
        .await;
    testbed.until("connections on the default WAN forgotten", |_| testbed.forgotten() == 3).await;
    testbed
        .until("both rules disabled", |_| {
            testbed.switched(STEER_RULE) == [true, false]
                && testbed.switched(STEER_RULE6) == [true, false]
        })
        .await;
    testbed.until("the calls on lte forgotten", |_| testbed.forgotten() == 5).await;
    assert_eq!(testbed.switched(ROUTE), [] as [bool; 0], "congestion never fails over");
    testbed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_of_a_dead_wan_is_withdrawn_and_comes_back() {
    let course = vec![(0, 1.0), (6, 0.0), (12, 1.0)];
    let mut testbed = Testbed::start_with(course, falling_back(), &wans()).await;
    testbed.track(CONNECTION, "sensitive").await;
    testbed.until("the route disabled", |_| testbed.switched(ROUTE) == [false]).await;
    testbed.until("the calls on the dead WAN forgotten", |_| testbed.forgotten() == 1).await;
    testbed.until("calls carried by lte", |_| testbed.world.connections_on(1) > 2).await;
    testbed.until("the route enabled", |_| testbed.switched(ROUTE) == [false, true]).await;
    testbed.until("cable carrying again", |reported| reported["default_route"] == "cable").await;
    assert_eq!(
        testbed.switched(STEER_RULE),
        [] as [bool; 0],
        "what goes with everything needs no rule"
    );
    testbed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_chooses_the_wan_of_latency_sensitive_connections() {
    let mut testbed = Testbed::start(vec![(0, 1.0)], rules()).await;
    testbed.until("both WANs up", |reported| reported["wans"][1]["reach"] == "up").await;
    let (code, said) = testbed.command(&["alternate", "--for", "2m"]).await;
    assert!(code == Some(0) && said.contains("to lte until 2"), "{said}");
    assert!(said.contains("applied"), "{said}");
    assert_eq!(testbed.switched(STEER_RULE), [true], "the answer waited for the router");
    let reported =
        testbed.until("the order", |reported| reported["override"]["effect"] == "applied").await;
    assert!(
        reported["override"]["until"].is_f64() && reported["override"]["to"] == "lte",
        "{reported}"
    );
    let (code, said) = testbed.command(&["fibre"]).await;
    assert!(code == Some(3) && said.contains("there are cable, lte"), "{said}");
    let (code, said) = testbed.command(&["auto"]).await;
    assert_eq!(code, Some(0), "{said}");
    testbed.until("the rule at rest", |_| testbed.switched(STEER_RULE) == [true, false]).await;
    testbed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steering_only_observes_while_nothing_is_written() {
    let mut testbed = Testbed::start(vec![(0, 1.0)], rules()).await;
    testbed.until("both WANs up", |reported| reported["wans"][1]["reach"] == "up").await;
    testbed.override_with("to=lte").await;
    testbed.until("the rule enabled", |_| testbed.switched(STEER_RULE) == [true]).await;
    testbed.reload("observe");
    testbed.until("observing", |reported| reported["mode"] == "observe").await;
    assert_eq!(testbed.metric("wanctl_steering_active").await, Some(0.0));
    let (code, said) = testbed.command(&["lte"]).await;
    assert!(code == Some(0) && said.contains("observe mode"), "{said}");
    testbed.override_with("to=auto").await;
    testbed
        .until("default WAN, as a decision only", |reported| reported["sensitive"] == "cable")
        .await;
    assert_eq!(testbed.switched(STEER_RULE), [true], "nothing is written");
    testbed.reload("active");
    // What the router does is adopted, and then repaired in its own time.
    testbed
        .until("the rule at rest", |reported| switch(reported, "steer_rule")["enabled"] == false)
        .await;
    assert_eq!(testbed.switched(STEER_RULE), [true, false]);
    assert_eq!(testbed.metric("wanctl_steering_active").await, Some(1.0));
    testbed.end().await;
}
