//! There and back: a congested WAN, a dead one, the operator's word, a restart in between.

use std::time::Duration;

use wanctl_core::units::Timestamp;

use super::house::{ALL, CALLS, House, rules};

#[tokio::test(flavor = "multi_thread")]
async fn calls_leave_a_congested_wan_and_come_back() {
    // Far below the floor: the shaper can do nothing about it.
    let course = vec![(0, 1.0), (5, 0.12), (13, 1.0)];
    let mut house = House::start(course, rules()).await;
    house.until("the calls on lte", |told| told["sensitive"] == "lte").await;
    let told = house.until("the rule enabled", |told| told["switches"][0]["enabled"] == true).await;
    assert_eq!(told["carrier"], "cable", "congestion never fails over: {told:#}");
    assert_eq!(house.switched(CALLS), [true]);
    let carried = house.until("new calls carried", |_| house.world.calls_on(1) > 2).await;
    assert_eq!(carried["steer"]["blocker"], serde_json::Value::Null);
    house
        .until("the calls back", |told| {
            told["sensitive"] == "cable" && told["switches"][0]["enabled"] == false
        })
        .await;
    assert_eq!(house.switched(CALLS), [true, false]);
    assert_eq!(house.switched(ALL), [] as [bool; 0]);
    let there = "wanctl_steering_moves_total{from=\"cable\",to=\"lte\",reason=\"steer\"}";
    let back = "wanctl_steering_moves_total{from=\"lte\",to=\"cable\",reason=\"return\"}";
    assert_eq!((house.metric(there).await, house.metric(back).await), (Some(1.0), Some(1.0)));
    let states = "wanctl_steering_state_transitions_total{from=\"confirming\",to=\"steered\"}";
    assert_eq!(house.metric(states).await, Some(1.0));
    house.end().await;
    let events =
        house.history().events(Timestamp::from_micros(0), Timestamp::from_micros(i64::MAX));
    let steered: Vec<_> =
        events.unwrap().into_iter().filter(|event| event.kind == "steered").collect();
    assert_eq!(steered.len(), 2);
    assert_eq!(steered[0].payload["to"], "lte");
    assert!(steered[0].payload["wans"][0]["score"].as_u64() >= Some(55), "{:?}", steered[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_leaves_a_dead_wan_within_two_seconds_and_comes_back() {
    let course = vec![(0, 1.0), (6, 0.0), (12, 1.0)];
    let mut house = House::start(course, rules()).await;
    house.until("everything on lte", |told| told["carrier"] == "lte").await;
    // The buffers still answer for a moment.
    let took = house.world.now().saturating_sub(Duration::from_secs(6));
    assert!(took < Duration::from_millis(3500), "{took:?}");
    house.until("the rule enabled", |_| house.switched(ALL) == [true]).await;
    house.until("back", |told| told["carrier"] == "cable").await;
    house.until("the rule disabled", |_| house.switched(ALL) == [true, false]).await;
    let failover = "wanctl_wan_failovers_total{from=\"cable\",to=\"lte\",reason=\"silent\"}";
    assert_eq!(house.metric(failover).await, Some(1.0));
    house.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_word_holds_over_a_restart_and_ends_by_itself() {
    let mut house = House::start(vec![(0, 1.0)], rules()).await;
    house.until("both WANs up", |told| told["wans"][1]["reach"] == "up").await;
    let (status, text) = house.override_with("to=lte&for_s=14").await;
    assert_eq!(status, 200, "{text}");
    house.until("the rule enabled", |_| house.switched(CALLS) == [true]).await;
    // On the way out the rule is put to rest, and put back by the next run.
    house.restart("").await;
    assert_eq!(house.switched(CALLS), [true, false]);
    house.until("the rule enabled again", |_| house.switched(CALLS) == [true, false, true]).await;
    let told = house.until("told", |told| told["steer"]["reason"] == "manual").await;
    assert!(told["steer"]["timers"]["manual"].as_f64() < Some(14.0));
    house.until("the rule at rest", |_| house.switched(CALLS).len() == 4).await;
    let (status, text) = house.override_with("to=fibre").await;
    assert_eq!((status, &*text), (400, "there is no WAN `fibre`; there are cable, lte\n"));
    house.end().await;
}
