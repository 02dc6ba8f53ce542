use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use super::{Emulator, Rig, TestPlant, config, direct, read};
use crate::routeros::service;

#[tokio::test]
async fn policies_are_refused_in_misleading_words() {
    let rig = Rig::new().await;
    let queue = "/rest/queue/tree/*1000000";
    let limit = r#"{"max-limit":"1M"}"#;
    let set = r#"{".id":"*1000000","max-limit":"1M"}"#;
    let by_id = r#"{".id":"*1000000"}"#;
    let (no_id, missing) = ("missing or invalid resource identifier", "not enough permissions (9)");
    let not_allowed = "std failure: not allowed (9)";
    for (user, method, path, body, status, detail) in [
        ("reader", "PATCH", queue, limit, 400, no_id),
        ("reader", "POST", "/rest/queue/tree/set", set, 400, no_id),
        ("reader", "POST", "/rest/queue/tree/disable", by_id, 500, missing),
        ("reader", "PUT", "/rest/queue/tree", r#"{"name":"x","parent":"global"}"#, 500, missing),
        ("reader", "DELETE", queue, "", 500, missing),
        ("reader", "POST", "/rest/ping", r#"{"address":"192.0.2.1","count":"1"}"#, 500, missing),
        ("writer", "GET", "/rest/queue/tree", "", 500, missing),
        ("writer", "POST", "/rest/queue/tree/print", "{}", 500, missing),
        ("half", "GET", "/rest/queue/tree", "", 500, not_allowed),
    ] {
        let (found, answer) = read(rig.send_as(user, method, path, body).await).await;
        assert_eq!((found, &answer["detail"]), (status, &json!(detail)), "{user} {method} {path}");
        assert_eq!(answer["error"], json!(status));
    }
    assert_eq!(rig.plant.limit_mbps("dl"), Some(100.0));
}

#[tokio::test]
async fn strangers_do_not_learn_why() {
    let rig = Rig::new().await;
    let url = format!("{}/rest/queue/tree", rig.base);
    let unauthorised = json!({"error":401,"message":"Unauthorized"});
    for request in [
        rig.client.get(&url),
        rig.client.get(&url).basic_auth("ctl", Some("wrong")),
        rig.client.get(&url).basic_auth("nobody", Some("secret")),
        rig.client.get(&url).bearer_auth("secret"),
        // May use the console, but not REST.
        rig.request("shell", "GET", "/rest/queue/tree"),
    ] {
        let response = request.send().await.unwrap();
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        assert_eq!(read(response).await, (401, unauthorised.clone()));
    }
}

const SLOW_PING: &str = r#"{"address":"192.0.2.1","count":"3","interval":"40ms"}"#;

#[tokio::test]
async fn one_users_requests_wait_for_each_other_and_others_do_not() {
    let rig = Rig::new().await;
    let ping = rig.send_as("ctl", "POST", "/rest/ping", SLOW_PING);
    let later = async {
        // The ping runs as soon as the lock of its user is held.
        while rig.emulator.0.turns[0].try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        let own = rig.send_as("ctl", "GET", "/rest/queue/tree", "");
        let other = rig.send_as("mon", "GET", "/rest/queue/tree", "");
        tokio::join!(own, other)
    };
    tokio::join!(ping, later);
    let log = rig.emulator.log();
    let order: Vec<(&str, &str)> = log.iter().map(|call| (&*call.user, &*call.path)).collect();
    let tree = "/rest/queue/tree";
    assert_eq!(order, [("mon", tree), ("ctl", "/rest/ping"), ("ctl", tree)]);
    assert!(log[2].took >= Duration::from_millis(20), "{:?}", log[2]);
}

#[tokio::test]
async fn an_abandoned_request_is_carried_out_all_the_same() {
    let rig = Rig::new().await;
    let impatient = rig
        .request("ctl", "POST", "/rest/ping")
        .header("Content-Type", "application/json")
        .body(SLOW_PING)
        .timeout(Duration::from_millis(20));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    rig.get("/rest/queue/tree").await;
    let log = rig.emulator.log();
    assert_eq!((&*log[0].path, log[0].status), ("/rest/ping", 200));
    assert!(log[0].took >= Duration::from_millis(80), "{:?}", log[0]);
}

#[tokio::test]
async fn too_many_requests_at_once_are_turned_away() {
    let rig = Rig::new().await;
    let body = r#"{"address":"192.0.2.1","count":"2","interval":"30ms"}"#;
    let requests = (0..12).map(|_| rig.send_as("ctl", "POST", "/rest/ping", body));
    let answers = join_all(requests).await;
    let refused = answers.iter().filter(|answer| answer.status() == 503).count();
    let served = answers.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!((served, refused), (8, 4));
}

#[tokio::test(start_paused = true)]
async fn a_command_without_an_end_is_closed_after_a_minute() {
    let emulator = Emulator::new(config(), Arc::new(TestPlant::default()));
    let endless = direct("POST", "/rest/ping", r#"{"address":"192.0.2.1"}"#);
    let endless = tokio::spawn(service::respond(emulator.clone(), endless));
    while emulator.0.turns[0].try_lock().is_ok() {
        tokio::task::yield_now().await;
    }
    let next = direct("GET", "/rest/queue/tree", "");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let next = service::respond(emulator.clone(), next).await;
    assert_eq!((endless.await.unwrap().status().as_u16(), next.status().as_u16()), (400, 200));
    assert_eq!(emulator.log()[1].took, Duration::from_secs(59));
    assert_eq!(emulator.log()[0].took, Duration::from_mins(1));
}
