use serde_json::json;
use wanctl_core::units::BitRate;

use super::{EmulatorConfig, Rig, config, queue};
use crate::routeros::{CounterReset, FastTrack, Quirks, RequestEffect, SimpleQueueSpec};

fn simple(name: &str, target: &str) -> SimpleQueueSpec {
    SimpleQueueSpec {
        name: name.into(),
        target: target.into(),
        queue_type: "cake-dl".into(),
        from_target: BitRate::from_mbps(20.0),
        to_target: BitRate::from_mbps(100.0),
    }
}

fn with_simple_queues() -> EmulatorConfig {
    EmulatorConfig {
        simple_queues: vec![simple("lan", "192.0.2.0/24"), simple("wan", "ether1")],
        wan_interfaces: vec!["ether1".into()],
        ..config()
    }
}

#[tokio::test]
async fn a_simple_queue_shapes_both_directions() {
    let rig = Rig::with(with_simple_queues()).await;
    let limits = |rig: &Rig| ["lan/upload", "lan/download"].map(|side| rig.plant.limit_mbps(side));
    assert_eq!(limits(&rig), [20.0, 100.0].map(Some));
    let body = r#"{"max-limit":"10M/50M"}"#;
    let (_, row) = rig.call("PATCH", "/rest/queue/simple/lan", body).await;
    assert_eq!(row["max-limit"], "10000000/50000000");
    assert_eq!(limits(&rig), [10.0, 50.0].map(Some));
    let limit = |queue: &str, from, to| RequestEffect::Limit {
        queue: queue.to_owned(),
        from: BitRate::from_mbps(from),
        to: BitRate::from_mbps(to),
    };
    let written = [limit("lan/upload", 20.0, 10.0), limit("lan/download", 100.0, 50.0)];
    assert_eq!(rig.last_call().effects, written);
    rig.post("/rest/queue/simple/disable", r#"{"numbers":"lan"}"#).await;
    assert_eq!(limits(&rig), [0.0, 0.0].map(Some));
}

#[tokio::test]
async fn an_interface_to_the_internet_turns_the_perspective_round() {
    let rig = Rig::with(with_simple_queues()).await;
    // What comes from the internet is the download, although it stands first.
    assert_eq!(rig.plant.limit_mbps("wan/download"), Some(20.0));
    assert_eq!(rig.plant.limit_mbps("wan/upload"), Some(100.0));
    for name in ["lan", "wan"] {
        rig.plant.show(&format!("{name}/upload"), 1000);
        rig.plant.show(&format!("{name}/download"), 9000);
    }
    let rows = rig.get("/rest/queue/simple").await;
    assert_eq!((&rows[0]["bytes"], &rows[1]["bytes"]), (&json!("1000/9000"), &json!("9000/1000")));
    assert_eq!((&rows[0]["total-bytes"], &rows[0]["packets"]), (&json!("10000"), &json!("1/9")));
    assert_eq!(
        (&rows[0]["queued-bytes"], &rows[0]["dropped"]),
        (&json!("3000/3000"), &json!("0/0"))
    );
    rig.post("/rest/queue/simple/reset-counters", r#"{"numbers":"lan"}"#).await;
    assert_eq!(rig.get("/rest/queue/simple/lan").await["bytes"], "0/0");
}

#[tokio::test]
async fn fasttrack_takes_traffic_past_simple_queues_and_global_trees() {
    let mut config = EmulatorConfig { fasttrack: FastTrack::Enabled, ..with_simple_queues() };
    config
        .queues
        .push(super::QueueSpec { parent: "global".into(), ..queue("top", "default", 9.0) });
    config.queues.push(super::QueueSpec { parent: "top".into(), ..queue("leaf", "default", 3.0) });
    let rig = Rig::with(config).await;
    rig.plant.show("leaf", 5000);
    rig.plant.show("dl", 5000);
    let bytes = |rows: serde_json::Value| {
        let rows = rows.as_array().unwrap().clone();
        rows.iter().map(|row| row["bytes"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let names = ["dl", "leaf", "lan/upload"];
    let limits = |rig: &Rig| names.map(|name| rig.plant.limit_mbps(name));
    assert_eq!(limits(&rig), [100.0, 0.0, 0.0].map(Some));
    assert_eq!(bytes(rig.get("/rest/queue/tree").await), ["5000", "0", "0", "0"]);
    let rule = rig.get("/rest/ip/firewall/filter").await;
    assert_eq!(rule[0]["action"], "fasttrack-connection");

    let rules = rig.get("/rest/ip/firewall/mangle?dynamic=true").await;
    assert_eq!(rules.as_array().unwrap().len(), 3);
    let dummy = rules[0][".id"].as_str().unwrap();
    let (status, refusal) =
        rig.call("PATCH", &format!("/rest/ip/firewall/mangle/{dummy}"), r#"{"comment":"x"}"#).await;
    assert_eq!(
        (status, &refusal["detail"]),
        (400, &json!("failure: can not change dynamic entry"))
    );

    rig.post("/rest/ip/firewall/filter/disable", r#"{"numbers":"*1"}"#).await;
    assert_eq!(limits(&rig), [100.0, 3.0, 20.0].map(Some));
    rig.plant.show("leaf", 5700);
    assert_eq!(bytes(rig.get("/rest/queue/tree").await), ["0", "0", "0", "700"]);
    let rules = rig.get("/rest/ip/firewall/mangle?dynamic=true").await;
    assert_eq!(rules, json!([]));
}

#[tokio::test]
async fn counters_start_again_as_the_quirks_say() {
    use CounterReset::{Never, OnEverySet, OnQueueChange};
    // What is left after a new limit, and after a new type.
    for (counter_reset, limit, queue_type) in
        [(Never, "9000", "9000"), (OnQueueChange, "9000", "0"), (OnEverySet, "0", "0")]
    {
        let quirks = Quirks { counter_reset, ..Quirks::default() };
        let rig = Rig::with(EmulatorConfig { quirks, ..config() }).await;
        rig.plant.show("dl", 9000);
        for (body, bytes) in
            [(r#"{"max-limit":"1M"}"#, limit), (r#"{"queue":"default"}"#, queue_type)]
        {
            let (_, row) = rig.call("PATCH", "/rest/queue/tree/dl", body).await;
            assert_eq!(row["bytes"], bytes, "{counter_reset:?} {body}");
        }
    }
}
