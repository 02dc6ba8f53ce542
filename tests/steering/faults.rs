//! What goes wrong on the router, each reported in one line, and nothing left where it should not be.

use std::time::Duration;

use wanctl_lab::routeros::{EmulatorConfig, Fault, RoutingRuleSpec};

use super::testbed::{ALL, STEER_RULE, Testbed, rules, steer_rule, switch};

/// Starts a site on a router of these rules and returns what health says about steering.
async fn complaint(router: EmulatorConfig, rule: &str) -> String {
    let mut testbed = Testbed::start(vec![(0, 1.0)], router).await;
    let reported = testbed
        .until("a refusal", |reported| {
            reported["switches"].is_array()
                && reported["switches"].as_array().is_some_and(|all| !all.is_empty())
                && switch(reported, rule)["refused"] == true
        })
        .await;
    // Steering goes on with what it has.
    assert_ne!(reported["steer"]["reason"], "off");
    let (status, said) = testbed.override_with("to=lte").await;
    if rule == "steer_rule" {
        assert_eq!(status, 400, "{said}");
        assert!(said.contains("no usable rule for lte"), "{said}");
    } else {
        assert_eq!(status, 200, "{said}");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let comment = if rule == "steer_rule" { STEER_RULE } else { ALL };
    assert_eq!(testbed.switched(comment), [] as [bool; 0]);
    let health: serde_json::Value = serde_json::from_str(&testbed.get("/health").await).unwrap();
    let reason = health["parts"]["steering"]["reasons"][0].as_str().unwrap().to_owned();
    assert!(!reason.contains('\n'));
    testbed.end().await;
    reason
}

fn with_rules(mangle: Vec<wanctl_lab::routeros::MangleSpec>) -> EmulatorConfig {
    let routing = rules().mangle.pop();
    EmulatorConfig { mangle: mangle.into_iter().chain(routing).collect(), ..rules() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_cannot_be_used_is_reported_in_one_line_and_never_touched() {
    let table = |action: &str, table: &str| EmulatorConfig {
        routing_rules: vec![RoutingRuleSpec {
            action: action.to_owned(),
            table: table.to_owned(),
            comment: ALL.to_owned(),
            disabled: true,
        }],
        ..rules()
    };
    let twice =
        vec![steer_rule(STEER_RULE, "mark-connection"), steer_rule(STEER_RULE, "mark-connection")];
    let cases = [
        (with_rules(vec![steer_rule("another", "mark-connection")]), "steer_rule", "not found"),
        (with_rules(twice), "steer_rule", "ambiguous: 2 rules"),
        (
            with_rules(vec![steer_rule(STEER_RULE, "accept")]),
            "steer_rule",
            "`accept`, which marks nothing",
        ),
        (table("drop", "to-lte"), "failover_rule", "`drop`, which looks nothing up"),
        (table("lookup", "nowhere"), "failover_rule", "`nowhere`, which is not there"),
    ];
    for (router, rule, words) in cases {
        let reported = complaint(router, rule).await;
        assert!(reported.contains(words), "{words}: {reported}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_reboots_in_the_middle_of_a_switch_ends_up_as_it_should() {
    let mut testbed = Testbed::start(vec![(0, 1.0)], rules()).await;
    testbed.until("both WANs up", |reported| reported["wans"][1]["reach"] == "up").await;
    // The write is on its way when the router goes down.
    testbed.emulator.inject(Fault::Slow(40.0, Duration::from_millis(800)));
    testbed.override_with("to=lte&for_s=20").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    testbed.emulator.inject(Fault::Reboot { down: Duration::from_millis(1500) });
    let reported = testbed
        .until("the rule as ordered", |reported| {
            let steer = switch(reported, "steer_rule");
            steer["enabled"] == true && steer["in_doubt"] == false && steer["pending"] == false
        })
        .await;
    assert_eq!(testbed.switched(STEER_RULE), [true], "{reported:#}");
    testbed.override_with("to=auto").await;
    testbed
        .until("the rule at rest", |reported| switch(reported, "steer_rule")["enabled"] == false)
        .await;
    assert_eq!(testbed.switched(STEER_RULE), [true, false]);
    testbed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_applies_late_is_not_left_steering() {
    let mut testbed = Testbed::start(vec![(0, 1.0)], rules()).await;
    testbed.until("both WANs up", |reported| reported["wans"][1]["reach"] == "up").await;
    // Longer than a request is waited for: it is carried out after it was given up.
    testbed.emulator.inject(Fault::Hang(Duration::from_millis(3600)));
    testbed.override_with("to=lte&for_s=60").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    testbed.override_with("to=auto").await;
    testbed
        .until("no doubt any more", |reported| {
            let steer = switch(reported, "steer_rule");
            steer["enabled"] == false && steer["in_doubt"] == false && steer["pending"] == false
        })
        .await;
    assert_ne!(testbed.switched(STEER_RULE).last(), Some(&true));
    testbed.end().await;
    let left = testbed.switched(STEER_RULE);
    assert_ne!(left.last(), Some(&true), "{left:?}");
}
