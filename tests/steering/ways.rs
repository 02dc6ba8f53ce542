//! The other ways to switch: a twin for IPv6, a route that is withdrawn, connections that begin
//! anew, and not at all while nothing is written.

use wanctl_lab::routeros::{EmulatorConfig, RouteSpec};

use super::house::{CALLS, House, ROUTE, calls, rules, switch};

const CALLS6: &str = "wanctl: calls over lte, IPv6";
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
        mangle6: vec![calls(CALLS6, "mark-connection")],
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
        "    - {{name: cable, forget_mark: calls, failover: {{route: '{ROUTE}'}}}}
    - name: lte
      forget_mark: to-lte
      steer: {{rule: '{CALLS}', rule6: '{CALLS6}'}}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_leave_by_both_rules_and_begin_anew_and_come_back() {
    let course = vec![(0, 1.0), (5, 0.12), (13, 1.0)];
    let mut house = House::start_with(course, falling_back(), &wans()).await;
    for (menu, mark) in [
        (CONNECTION, "calls"),
        (CONNECTION, "calls"),
        (CONNECTION, "web"),
        (CONNECTION, "to-lte"),
        (CONNECTION6, "calls"),
        (CONNECTION6, "to-lte"),
    ] {
        house.track(menu, mark).await;
    }
    house
        .until("both rules enabled", |_| {
            house.switched(CALLS) == [true] && house.switched(CALLS6) == [true]
        })
        .await;
    house.until("the calls at home forgotten", |_| house.forgotten() == 3).await;
    house
        .until("both rules disabled", |_| {
            house.switched(CALLS) == [true, false] && house.switched(CALLS6) == [true, false]
        })
        .await;
    house.until("the calls on lte forgotten", |_| house.forgotten() == 5).await;
    assert_eq!(house.switched(ROUTE), [] as [bool; 0], "congestion never fails over");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_of_a_dead_wan_is_withdrawn_and_comes_back() {
    let course = vec![(0, 1.0), (6, 0.0), (12, 1.0)];
    let mut house = House::start_with(course, falling_back(), &wans()).await;
    house.track(CONNECTION, "calls").await;
    house.until("the route disabled", |_| house.switched(ROUTE) == [false]).await;
    house.until("the calls on the dead WAN forgotten", |_| house.forgotten() == 1).await;
    house.until("calls carried by lte", |_| house.world.calls_on(1) > 2).await;
    house.until("the route enabled", |_| house.switched(ROUTE) == [false, true]).await;
    house.until("cable carrying again", |told| told["carrier"] == "cable").await;
    assert_eq!(house.switched(CALLS), [] as [bool; 0], "what goes with everything needs no rule");
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_can_say_where_calls_go() {
    let mut house = House::start(vec![(0, 1.0)], rules()).await;
    house.until("both WANs up", |told| told["wans"][1]["reach"] == "up").await;
    let (code, said) = house.command(&["alternate", "--for", "2m"]).await;
    assert!(code == Some(0) && said.contains("to lte until 2"), "{said}");
    assert!(said.contains("carried out"), "{said}");
    assert_eq!(house.switched(CALLS), [true], "the answer waited for the router");
    let told = house.until("the order", |told| told["manual"]["effect"] == "carried_out").await;
    assert!(told["manual"]["until"].is_f64() && told["manual"]["to"] == "lte", "{told}");
    let (code, said) = house.command(&["fibre"]).await;
    assert!(code == Some(3) && said.contains("there are cable, lte"), "{said}");
    let (code, said) = house.command(&["auto"]).await;
    assert_eq!(code, Some(0), "{said}");
    house.until("the rule at rest", |_| house.switched(CALLS) == [true, false]).await;
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steering_only_observes_while_nothing_is_written() {
    let mut house = House::start(vec![(0, 1.0)], rules()).await;
    house.until("both WANs up", |told| told["wans"][1]["reach"] == "up").await;
    house.override_with("to=lte").await;
    house.until("the rule enabled", |_| house.switched(CALLS) == [true]).await;
    house.reload("observe");
    house.until("observing", |told| told["mode"] == "observe").await;
    assert_eq!(house.metric("wanctl_steering_active").await, Some(0.0));
    let (code, said) = house.command(&["lte"]).await;
    assert!(code == Some(0) && said.contains("only observes"), "{said}");
    house.override_with("to=auto").await;
    house.until("home, if only in the mind", |told| told["sensitive"] == "cable").await;
    assert_eq!(house.switched(CALLS), [true], "nothing is written");
    house.reload("active");
    // What the router does is taken over, and then put right in its own time.
    house.until("the rule at rest", |told| switch(told, "steer")["enabled"] == false).await;
    assert_eq!(house.switched(CALLS), [true, false]);
    assert_eq!(house.metric("wanctl_steering_active").await, Some(1.0));
    house.end().await;
}
