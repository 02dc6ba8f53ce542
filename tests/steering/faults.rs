//! What goes wrong on the router, each told in one line, and nothing left where it should not be.

use std::time::Duration;

use wanctl_lab::routeros::{EmulatorConfig, Fault, RoutingRuleSpec};

use super::house::{ALL, CALLS, House, calls, rules, switch};

/// Starts a house on a router of these rules and returns what health says about steering.
async fn complaint(router: EmulatorConfig, rule: &str) -> String {
    let mut house = House::start(vec![(0, 1.0)], router).await;
    let told = house
        .until("a refusal", |told| {
            told["switches"].is_array()
                && told["switches"].as_array().is_some_and(|all| !all.is_empty())
                && switch(told, rule)["refused"] == true
        })
        .await;
    // Steering goes on with what it has.
    assert_ne!(told["steer"]["reason"], "off");
    let (status, said) = house.override_with("to=lte").await;
    if rule == "steer" {
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("no usable rule for lte"), "{said}");
    } else {
        assert_eq!(status, 200, "{said}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let comment = if rule == "steer" { CALLS } else { ALL };
    assert_eq!(house.switched(comment), [] as [bool; 0]);
    let health: serde_json::Value = serde_json::from_str(&house.get("/health").await).unwrap();
    let reason = health["parts"]["steering"]["reasons"][0].as_str().unwrap().to_owned();
    assert!(!reason.contains('\n'));
    house.end().await;
    reason
}

fn with_rules(mangle: Vec<wanctl_lab::routeros::MangleSpec>) -> EmulatorConfig {
    let routing = rules().mangle.pop();
    EmulatorConfig { mangle: mangle.into_iter().chain(routing).collect(), ..rules() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_used_is_told_in_one_line_and_never_touched() {
    let table = |action: &str, table: &str| EmulatorConfig {
        routing_rules: vec![RoutingRuleSpec {
            action: action.to_owned(),
            table: table.to_owned(),
            comment: ALL.to_owned(),
            disabled: true,
        }],
        ..rules()
    };
    let twice = vec![calls(CALLS, "mark-connection"), calls(CALLS, "mark-connection")];
    let cases = [
        (with_rules(vec![calls("another", "mark-connection")]), "steer", "not found"),
        (with_rules(twice), "steer", "ambiguous: 2 rules"),
        (with_rules(vec![calls(CALLS, "accept")]), "steer", "`accept`, which marks nothing"),
        (table("drop", "to-lte"), "divert", "`drop`, which looks nothing up"),
        (table("lookup", "nowhere"), "divert", "`nowhere`, which is not there"),
    ];
    for (router, rule, words) in cases {
        let told = complaint(router, rule).await;
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_reboots_in_the_middle_of_a_switch_ends_up_as_it_should() {
    let mut house = House::start(vec![(0, 1.0)], rules()).await;
    house.until("both WANs up", |told| told["wans"][1]["reach"] == "up").await;
    // The write is on its way when the router goes down.
    house.emulator.inject(Fault::Slow(40.0, Duration::from_millis(800)));
    house.override_with("to=lte&for_s=20").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    house.emulator.inject(Fault::Reboot { down: Duration::from_millis(1500) });
    let told = house
        .until("the rule as ordered", |told| {
            let steer = switch(told, "steer");
            steer["enabled"] == true && steer["in_doubt"] == false && steer["pending"] == false
        })
        .await;
    assert_eq!(house.switched(CALLS), [true], "{told:#}");
    house.override_with("to=auto").await;
    house.until("the rule at rest", |told| switch(told, "steer")["enabled"] == false).await;
    assert_eq!(house.switched(CALLS), [true, false]);
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_applies_late_is_not_left_steering() {
    let mut house = House::start(vec![(0, 1.0)], rules()).await;
    house.until("both WANs up", |told| told["wans"][1]["reach"] == "up").await;
    // Longer than a request is waited for: it is carried out after it was given up.
    house.emulator.inject(Fault::Hang(Duration::from_millis(3600)));
    house.override_with("to=lte&for_s=60").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    house.override_with("to=auto").await;
    house
        .until("no doubt any more", |told| {
            let steer = switch(told, "steer");
            steer["enabled"] == false && steer["in_doubt"] == false && steer["pending"] == false
        })
        .await;
    assert_ne!(house.switched(CALLS).last(), Some(&true));
    house.end().await;
    let left = house.switched(CALLS);
    assert_ne!(left.last(), Some(&true), "{left:?}");
}
