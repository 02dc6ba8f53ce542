//! There and back: a congested WAN, a dead one, the operator's word, a restart in between.

use std::time::Duration;

use wanctl_core::units::Timestamp;

use super::testbed::{ALL, STEER_RULE, Testbed, rules};

#[tokio::test(flavor = "multi_thread")]
async fn sensitive_connections_leave_a_congested_wan_and_return() {
    // Far below the floor: the shaper can do nothing about it.
    let course = vec![(0, 1.0), (5, 0.12), (13, 1.0)];
    let mut testbed = Testbed::start(course, rules()).await;
    testbed.until("the calls on lte", |reported| reported["sensitive"] == "lte").await;
    let reported = testbed
        .until("the rule enabled", |reported| reported["switches"][0]["enabled"] == true)
        .await;
    assert_eq!(reported["default_route"], "cable", "congestion never fails over: {reported:#}");
    assert_eq!(testbed.switched(STEER_RULE), [true]);
    let carried =
        testbed.until("new connections carried", |_| testbed.world.connections_on(1) > 2).await;
    assert_eq!(carried["steer"]["blocker"], serde_json::Value::Null);
    testbed
        .until("the calls back", |reported| {
            reported["sensitive"] == "cable" && reported["switches"][0]["enabled"] == false
        })
        .await;
    assert_eq!(testbed.switched(STEER_RULE), [true, false]);
    assert_eq!(testbed.switched(ALL), [] as [bool; 0]);
    let there = "wanctl_steering_moves_total{from=\"cable\",to=\"lte\",reason=\"steer\"}";
    let back = "wanctl_steering_moves_total{from=\"lte\",to=\"cable\",reason=\"return\"}";
    assert_eq!((testbed.metric(there).await, testbed.metric(back).await), (Some(1.0), Some(1.0)));
    let states = "wanctl_steering_state_transitions_total{from=\"confirming\",to=\"steered\"}";
    assert_eq!(testbed.metric(states).await, Some(1.0));
    testbed.end().await;
    let events =
        testbed.history().events(Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX));
    let steered: Vec<_> =
        events.unwrap().into_iter().filter(|event| event.kind == "steered").collect();
    assert_eq!(steered.len(), 2);
    assert_eq!(steered[0].payload["to"], "lte");
    assert!(steered[0].payload["wans"][0]["score"].as_u64() >= Some(55), "{:?}", steered[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_leaves_a_dead_wan_within_two_seconds_and_comes_back() {
    let course = vec![(0, 1.0), (6, 0.0), (12, 1.0)];
    let mut testbed = Testbed::start(course, rules()).await;
    testbed.until("everything on lte", |reported| reported["default_route"] == "lte").await;
    // The buffers still answer for a moment.
    let took = testbed.world.now().saturating_sub(Duration::from_secs(6));
    assert!(took < Duration::from_millis(3500), "{took:?}");
    testbed.until("the rule enabled", |_| testbed.switched(ALL) == [true]).await;
    testbed.until("back", |reported| reported["default_route"] == "cable").await;
    testbed.until("the rule disabled", |_| testbed.switched(ALL) == [true, false]).await;
    let failover = "wanctl_wan_failovers_total{from=\"cable\",to=\"lte\",reason=\"no_replies\"}";
    assert_eq!(testbed.metric(failover).await, Some(1.0));
    testbed.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_survives_a_restart_and_expires() {
    let mut testbed = Testbed::start(vec![(0, 1.0)], rules()).await;
    testbed.until("both WANs up", |reported| reported["wans"][1]["reach"] == "up").await;
    let (status, text) = testbed.override_with("to=lte&for_s=14").await;
    assert_eq!(status, 200, "{text}");
    testbed.until("the rule enabled", |_| testbed.switched(STEER_RULE) == [true]).await;
    // On the way out the rule is put to rest, and put back by the next run.
    testbed.restart("").await;
    assert_eq!(testbed.switched(STEER_RULE), [true, false]);
    testbed
        .until("the rule enabled again", |_| testbed.switched(STEER_RULE) == [true, false, true])
        .await;
    let reported =
        testbed.until("reported", |reported| reported["steer"]["reason"] == "override").await;
    assert!(reported["steer"]["timers"]["override"].as_f64() < Some(14.0));
    testbed.until("the rule at rest", |_| testbed.switched(STEER_RULE).len() == 4).await;
    let (status, text) = testbed.override_with("to=fibre").await;
    assert_eq!((status, &*text), (400, "there is no WAN `fibre`; there are cable, lte\n"));
    testbed.end().await;
}
