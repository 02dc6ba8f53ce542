use serde_json::json;
use wanctl_core::units::BitRate;

use super::{Rig, read};
use crate::routeros::RequestEffect;

const DOWNLOAD: &str = "/rest/queue/tree/*1000000";

#[tokio::test]
async fn a_patch_answers_with_the_whole_row_and_reaches_the_plant() {
    let rig = Rig::new().await;
    assert_eq!(rig.plant.limit_mbps("dl"), Some(100.0));
    let (status, queue) = rig.call("PATCH", DOWNLOAD, r#"{"max-limit":"80000000"}"#).await;
    assert_eq!(
        (status, &queue["max-limit"], &queue["name"]),
        (200, &json!("80000000"), &json!("dl"))
    );
    assert_eq!(rig.plant.limit_mbps("dl"), Some(80.0));
    let record = rig.last_call();
    assert_eq!((&*record.user, &*record.method, &*record.path), ("ctl", "PATCH", DOWNLOAD));
    let written = RequestEffect::Limit {
        queue: "dl".into(),
        from: BitRate::from_mbps(100.0),
        to: BitRate::from_mbps(80.0),
    };
    assert_eq!((record.status, record.effects), (200, vec![written]));
}

#[tokio::test]
async fn what_is_written_is_normalised() {
    let rig = Rig::new().await;
    for (written, property, shown) in [
        (r#"{"max-limit":"10M"}"#, "max-limit", "10000000"),
        (r#"{"max-limit":"500k"}"#, "max-limit", "500000"),
        (r#"{"max-limit":12000000}"#, "max-limit", "12000000"),
        (r#"{"disabled":true}"#, "disabled", "true"),
        (r#"{"disabled":"no"}"#, "disabled", "false"),
        (r#"{"disabled":"yes"}"#, "disabled", "true"),
        (r#"{"burst-time":"90s"}"#, "burst-time", "1m30s"),
        (r#"{"bucket-size":0.05}"#, "bucket-size", "0.05"),
        (r#"{"priority":3}"#, "priority", "3"),
        (r#"{"queue":"cake-dl"}"#, "queue", "cake-dl"),
        (r#"{"parent":"ul"}"#, "parent", "ul"),
    ] {
        let (status, queue) = rig.call("PATCH", DOWNLOAD, written).await;
        assert_eq!((status, &queue[property]), (200, &json!(shown)), "{written}");
    }
    let simple = r#"{"name":"iot","target":"192.0.2.0/24","max-limit":"20M/50M"}"#;
    let (_, queue) = rig.call("PUT", "/rest/queue/simple", simple).await;
    assert_eq!(queue["max-limit"], "20000000/50000000");
    assert_eq!(queue["queue"], "default-small/default-small");
}

#[tokio::test]
async fn a_command_answers_with_an_empty_list() {
    let rig = Rig::new().await;
    for (path, body) in [
        ("/rest/queue/tree/set", r#"{".id":"*1000000","max-limit":"60M"}"#),
        ("/rest/queue/tree/set", r#"{"numbers":"dl","max-limit":"60M"}"#),
        ("/rest/queue/tree/set", r#"{".id":"*1000000,*1000001","priority":"2"}"#),
        ("/rest/queue/tree/disable", r#"{".id":"*1000001"}"#),
        ("/rest/queue/tree/enable", r#"{"numbers":"*1000001"}"#),
        ("/rest/queue/tree/enable", r#"{"numbers":"*1000001"}"#),
        ("/rest/ip/firewall/mangle/enable", r#"{".id":"*1"}"#),
        ("/rest/ip/firewall/mangle/disable", r#"{"numbers":"*2"}"#),
    ] {
        assert_eq!(rig.post(path, body).await, json!([]), "{path} {body}");
    }
    assert_eq!(rig.plant.limit_mbps("dl"), Some(60.0));
    let queues = rig.post("/rest/queue/tree/print", r#"{".proplist":["priority"]}"#).await;
    assert_eq!(queues, json!([{"priority":"2"},{"priority":"2"}]));
    let switched = RequestEffect::Rule { comment: "steer: games".into(), enabled: false };
    assert_eq!(rig.last_call().user, "ctl");
    assert!(rig.emulator.log().iter().any(|call| call.effects.contains(&switched)));
}

#[tokio::test]
async fn a_post_without_a_verb_does_nothing_and_says_nothing() {
    let rig = Rig::new().await;
    let body = r#"{".id":"*1000000","max-limit":"1M","nonsense":"1"}"#;
    assert_eq!(rig.post("/rest/queue/tree", body).await, json!([]));
    assert_eq!(rig.plant.limit_mbps("dl"), Some(100.0));
    assert_eq!(rig.last_call().effects, []);
}

#[tokio::test]
async fn a_queue_that_is_switched_off_or_gone_limits_nothing() {
    let rig = Rig::new().await;
    rig.post("/rest/queue/tree/disable", r#"{".id":"*1000000"}"#).await;
    assert_eq!(rig.plant.limit_mbps("dl"), Some(0.0));
    rig.post("/rest/queue/tree/enable", r#"{".id":"*1000000"}"#).await;
    assert_eq!(rig.plant.limit_mbps("dl"), Some(100.0));
    rig.call("PATCH", DOWNLOAD, r#"{"name":"down"}"#).await;
    assert_eq!(
        (rig.plant.limit_mbps("dl"), rig.plant.limit_mbps("down")),
        (Some(0.0), Some(100.0))
    );
    rig.call("DELETE", DOWNLOAD, "").await;
    assert_eq!(rig.plant.limit_mbps("down"), Some(0.0));
}

#[tokio::test]
async fn rows_are_added_with_a_location_and_removed_without_a_word() {
    let rig = Rig::new().await;
    let body = r#"{"name":"iot","parent":"global","max-limit":"5M"}"#;
    let response = rig.send_as("ctl", "PUT", "/rest/queue/tree", body).await;
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let (status, queue) = read(response).await;
    assert_eq!(
        (status, &queue[".id"], &queue["max-limit"]),
        (201, &json!("*1000002"), &json!("5000000"))
    );
    assert_eq!(location, format!("{}/rest/queue/tree/*1000002", rig.base));
    assert_eq!(rig.plant.limit_mbps("iot"), Some(5.0));

    let response = rig.send_as("ctl", "DELETE", "/rest/queue/tree/*1000002", "").await;
    assert_eq!(response.status(), 204);
    assert_eq!(response.bytes().await.unwrap().len(), 0);
    let (status, _) = rig.call("DELETE", "/rest/queue/tree/*1000002", "").await;
    assert_eq!(status, 404);
    // An identifier is never given a second time.
    let added = rig.post("/rest/queue/tree/add", r#"{"name":"iot","parent":"dl"}"#).await;
    assert_eq!(added, json!({"ret":"*1000003"}));
}

#[tokio::test]
async fn rules_keep_the_order_they_were_given() {
    let rig = Rig::new().await;
    let body = r#"{"chain":"output","action":"accept","comment":"first","place-before":"*1"}"#;
    let (status, rule) = rig.call("PUT", "/rest/ip/firewall/mangle", body).await;
    assert_eq!((status, &rule[".id"], rule.get("disabled")), (201, &json!("*3"), None));
    let rules = rig.get("/rest/ip/firewall/mangle?.proplist=.id").await;
    assert_eq!(rules, json!([{".id":"*3"},{".id":"*1"},{".id":"*2"}]));
}

#[tokio::test]
async fn another_queue_type_restarts_the_counters_and_a_limit_does_not() {
    let rig = Rig::new().await;
    rig.plant.show("dl", 9000);
    let (_, queue) = rig.call("PATCH", DOWNLOAD, r#"{"max-limit":"1M"}"#).await;
    assert_eq!(queue["bytes"], "9000");
    let (_, queue) = rig.call("PATCH", DOWNLOAD, r#"{"queue":"default"}"#).await;
    assert_eq!(queue["bytes"], "0");
}
