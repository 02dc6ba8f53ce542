use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{Emulator, EmulatorConfig, Pinger, Rig, TestPlant, ask, config, keys};
use crate::routeros::Quirks;

fn assert_texts_only(value: &Value) {
    match value {
        Value::Array(rows) => rows.iter().for_each(assert_texts_only),
        Value::Object(object) => {
            assert!(object.values().all(Value::is_string), "not all texts: {object:?}");
        }
        other => panic!("neither rows nor a row: {other}"),
    }
}

#[tokio::test]
async fn every_value_is_a_text() {
    let rig = Rig::new().await;
    for path in [
        "/rest/queue/tree",
        "/rest/queue/simple",
        "/rest/queue/type",
        "/rest/ip/firewall/mangle",
        "/rest/interface",
        "/rest/system/resource",
        "/rest/system/identity",
        "/rest/queue/tree/*1000000",
        "/rest/queue/tree/dl",
        "/rest/interface/bridge1",
    ] {
        assert_texts_only(&rig.get(path).await);
    }
}

#[tokio::test]
async fn a_queue_has_the_keys_of_a_real_one() {
    let rig = Rig::new().await;
    let expected = [
        ".id",
        "bucket-size",
        "burst-limit",
        "burst-threshold",
        "burst-time",
        "bytes",
        "disabled",
        "dropped",
        "invalid",
        "limit-at",
        "max-limit",
        "name",
        "packet-mark",
        "packet-rate",
        "packets",
        "parent",
        "priority",
        "queue",
        "queued-bytes",
        "queued-packets",
        "rate",
    ];
    let queues = rig.get("/rest/queue/tree").await;
    assert_eq!(keys(&queues[0]), expected);
    assert_eq!(queues[0][".id"], "*1000000");
    assert_eq!(queues[1][".id"], "*1000001");
    assert_eq!(queues[0]["max-limit"], "100000000");
    assert_eq!(queues[0]["invalid"], "false");
    let commented = r#"{"comment":"ours"}"#;
    let (_, queue) = rig.call("PATCH", "/rest/queue/tree/*1000000", commented).await;
    assert_eq!(queue["comment"], "ours");
    let (_, queue) = rig.call("PATCH", "/rest/queue/tree/*1000000", r#"{"comment":""}"#).await;
    assert_eq!(queue.get("comment"), None);
}

#[tokio::test]
async fn a_rule_lacks_the_keys_that_were_never_written() {
    let rig = Rig::new().await;
    let rules = rig.get("/rest/ip/firewall/mangle").await;
    assert_eq!(rules[0]["disabled"], "true");
    assert_eq!(
        keys(&rules[1]),
        [
            ".id",
            "action",
            "bytes",
            "chain",
            "comment",
            "dynamic",
            "invalid",
            "packets",
            "passthrough"
        ]
    );
    let (_, rule) = rig.call("PATCH", "/rest/ip/firewall/mangle/*2", r#"{"disabled":false}"#).await;
    assert_eq!(rule["disabled"], "false");
    let found = rig.get("/rest/ip/firewall/mangle?disabled=false").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn cake_types_have_settings_and_no_statistics() {
    let rig = Rig::new().await;
    let types = rig.get("/rest/queue/type?kind=cake").await;
    assert_eq!(types[0]["name"], "cake-dl");
    assert_eq!(types[0]["cake-rtt"], "100ms");
    assert_eq!(types[0]["cake-nat"], "false");
    assert!(
        keys(&types[0])
            .iter()
            .all(|key| { key.starts_with("cake-") || [".id", "kind", "name"].contains(key) })
    );
    let built_in = rig.get("/rest/queue/type/pcq-upload-default").await;
    let expected =
        json!({".id":"*FFFFFFFA","default":"true","kind":"pcq","name":"pcq-upload-default"});
    assert_eq!(built_in, expected);
}

#[tokio::test]
async fn filters_match_exactly_and_lists_are_projected() {
    let rig = Rig::new().await;
    for (path, expected) in [
        ("/rest/queue/tree?name=dl&.proplist=name", json!([{"name":"dl"}])),
        ("/rest/queue/tree?name=d", json!([])),
        ("/rest/queue/tree?name=dl&disabled=true", json!([])),
        (
            "/rest/queue/tree?disabled=false&.proplist=.id",
            json!([{".id":"*1000000"},{".id":"*1000001"}]),
        ),
        ("/rest/queue/tree/*1000001?.proplist=.id,name", json!({".id":"*1000001","name":"ul"})),
        ("/rest/ip/firewall/mangle?comment=steer%3A%20games&.proplist=.id", json!([{".id":"*2"}])),
        // A plus sign is not a space.
        ("/rest/ip/firewall/mangle?comment=steer%3A+games", json!([])),
    ] {
        assert_eq!(rig.get(path).await, expected, "{path}");
    }
    for (body, expected) in [
        (r#"{".proplist":["name"]}"#, json!([{"name":"dl"},{"name":"ul"}])),
        (
            r#"{".proplist":".id,name",".query":["name=ul"]}"#,
            json!([{".id":"*1000001","name":"ul"}]),
        ),
        (
            r##"{".query":["name=ul","name=dl","#|"],".proplist":["name"]}"##,
            json!([{"name":"dl"},{"name":"ul"}]),
        ),
        (r#"{".query":["name=none"]}"#, json!([])),
        (r#"{"count-only":""}"#, json!({"ret":"2"})),
    ] {
        assert_eq!(rig.post("/rest/queue/tree/print", body).await, expected, "{body}");
    }
}

#[tokio::test]
async fn counters_come_from_the_plant_but_cake_drops_do_not() {
    let rig = Rig::new().await;
    rig.plant.show("dl", 1_000_000);
    rig.plant.show("ul", 50_000);
    let queues = rig.get("/rest/queue/tree").await;
    assert_eq!(queues[0]["bytes"], "1000000");
    assert_eq!(queues[0]["packets"], "1000");
    assert_eq!(queues[0]["queued-bytes"], "3000");
    assert_eq!(queues[0]["queued-packets"], "2");
    assert_eq!(queues[0]["dropped"], "0");
    assert_eq!(queues[1]["dropped"], "7");
    assert_eq!(rig.get("/rest/interface/bridge1").await["tx-byte"], "1050000");

    rig.post("/rest/queue/tree/reset-counters", r#"{"numbers":"dl"}"#).await;
    rig.plant.show("dl", 1_000_500);
    let queues = rig.get("/rest/queue/tree").await;
    assert_eq!((&queues[0]["bytes"], &queues[1]["bytes"]), (&json!("500"), &json!("50000")));
    rig.post("/rest/queue/tree/reset-counters-all", "{}").await;
    assert_eq!(rig.get("/rest/queue/tree").await[1]["bytes"], "0");
}

#[tokio::test]
async fn the_system_is_one_object() {
    let rig = Rig::new().await;
    let resource = rig.get("/rest/system/resource").await;
    assert_eq!(resource["version"], "7.20.8 (stable)");
    assert_eq!(resource["uptime"], "0s");
    assert_eq!(resource["write-sect-since-reboot"], "0");
    rig.post("/rest/system/identity/set", r#"{"name":"edge"}"#).await;
    assert_eq!(rig.get("/rest/system/identity").await, json!({"name":"edge"}));
    assert_eq!(rig.get("/rest/system/resource").await["write-sect-since-reboot"], "1");
    let printed = rig.post("/rest/system/identity/print", "{}").await;
    assert_eq!(printed, json!([{"name":"edge"}]));
}

#[tokio::test]
async fn a_ping_answers_for_each_probe_and_takes_its_time() {
    let rig = Rig::new().await;
    let body = r#"{"address":"192.0.2.1","count":"3","interval":"20ms"}"#;
    let probes = rig.post("/rest/ping", body).await;
    let expected = json!({
        "avg-rtt":"1ms453us","host":"192.0.2.1","max-rtt":"1ms453us","min-rtt":"1ms453us",
        "packet-loss":"0","received":"1","sent":"1","seq":"0","size":"56","time":"1ms453us",
        "ttl":"64"
    });
    assert_eq!(probes[0], expected);
    assert_eq!((&probes[2]["seq"], &probes[2]["received"]), (&json!("2"), &json!("3")));
    let took = rig.last_call().took;
    assert!(took >= Duration::from_millis(41) && took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_lost_probe_has_a_status_and_no_time() {
    let probes = AtomicU32::new(0);
    let pinger = Pinger::new(move |_| {
        let is_first = probes.fetch_add(1, Ordering::Relaxed) == 0;
        (!is_first).then_some(Duration::from_millis(2))
    });
    let rig = Rig::with(EmulatorConfig { pinger, ..config() }).await;
    let body = r#"{"address":"192.0.2.9","count":2,"interval":"10ms"}"#;
    let probes = rig.post("/rest/tool/ping", body).await;
    let lost = json!({
        "host":"192.0.2.9","packet-loss":"100","received":"0","sent":"1","seq":"0",
        "status":"timeout"
    });
    assert_eq!(probes[0], lost);
    assert_eq!((&probes[1]["time"], &probes[1]["packet-loss"]), (&json!("2ms"), &json!("50")));
}

#[tokio::test]
async fn connections_are_kept_or_closed_as_configured() {
    for (keep_alive, expected) in [(true, None), (false, Some("close"))] {
        let quirks = Quirks { keep_alive, ..Quirks::default() };
        let rig = Rig::with(EmulatorConfig { quirks, ..config() }).await;
        let response = rig.send_as("ctl", "GET", "/rest/system/identity", "").await;
        let header = response.headers().get("connection").map(|value| value.to_str().unwrap());
        assert_eq!(header, expected);
    }
}

#[tokio::test]
async fn scripts_answer_with_their_output_or_a_job() {
    let rig = Rig::new().await;
    for (body, ret) in [
        (r#"{"script":":put hello","as-string":""}"#, "hello"),
        (r#"{"script":":put hello","as-string":"false"}"#, "hello"),
        (r#"{"script":":put hello"}"#, "*B546"),
        (r#"{"script":":error \"no\"","as-string":""}"#, "no (:error; line 1)"),
        (
            r#"{"script":"/system/reboot","as-string":""}"#,
            "bad command name system (line 1 column 2)",
        ),
    ] {
        assert_eq!(rig.post("/rest/execute", body).await, json!({"ret": ret}), "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn watching_traffic_ends_only_when_it_is_reported_to() {
    let plant = Arc::new(TestPlant::default());
    let emulator = Emulator::new(config(), plant.clone());
    let path = "/rest/interface/monitor-traffic";
    let row = json!([{"name":"bridge1","rx-bits-per-second":"0","tx-bits-per-second":"0"}]);
    for once in ["", "true"] {
        let body = format!(r#"{{"interface":"bridge1","once":"{once}"}}"#);
        assert_eq!(ask(&emulator, "POST", path, &body).await, row);
    }
    plant.show("dl", 1_000_000);
    let rows = ask(&emulator, "POST", path, r#"{"interface":"bridge1","duration":"2s"}"#).await;
    let shown = |row: &Value| (row[".section"].clone(), row["tx-bits-per-second"].clone());
    let shown: Vec<_> = rows.as_array().unwrap().iter().map(shown).collect();
    let expected = [("0", "0"), ("1", "8000000"), ("2", "0")];
    assert_eq!(shown, expected.map(|(section, rate)| (json!(section), json!(rate))));
    let unknown = ask(&emulator, "POST", path, r#"{"interface":"x","once":""}"#).await;
    assert_eq!(unknown["detail"], "input does not match any value of interface");
    for endless in [r#"{"interface":"bridge1"}"#, r#"{"interface":"bridge1","once":"false"}"#] {
        assert_eq!(ask(&emulator, "POST", path, endless).await["detail"], "Session closed");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_known_of_watched_hosts_for_five_minutes() {
    let emulator = Emulator::new(config(), Arc::new(TestPlant::default()));
    let watched = ask(&emulator, "PUT", "/rest/tool/netwatch", r#"{"host":"192.0.2.1"}"#).await;
    assert_eq!((&watched["status"], &watched["interval"]), (&json!("unknown"), &json!("10s")));
    for (minutes, status) in [(4, "unknown"), (1, "up")] {
        tokio::time::sleep(Duration::from_mins(minutes)).await;
        assert_eq!(ask(&emulator, "GET", "/rest/tool/netwatch/*1", "").await["status"], status);
    }
}
