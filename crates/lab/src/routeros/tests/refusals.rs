use serde_json::{Value, json};

use super::{Rig, read};

fn refusal(status: u16, message: &str, detail: &str) -> Value {
    if detail.is_empty() {
        json!({"error": status, "message": message})
    } else {
        json!({"error": status, "message": message, "detail": detail})
    }
}

#[tokio::test]
async fn mistakes_are_answered_in_the_routers_own_words() {
    let rig = Rig::new().await;
    let queue = "/rest/queue/tree/*1000000";
    let id = "missing or invalid resource identifier";
    for (method, path, body, detail) in [
        ("GET", "/rest/nonexistent", "", "no such command or directory (nonexistent)"),
        ("GET", "/rest/queue/tre/x", "", "no such command or directory (tre)"),
        ("GET", "/rest/system/routerboard", "", "no such command or directory (routerboard)"),
        ("POST", "/rest/queue/tree/frobnicate", "{}", "no such command or directory (frobnicate)"),
        ("PUT", "/rest/interface", "{}", "no such command or directory (add)"),
        ("GET", "/rest/queue/tree/%2A1000000", "", "no such command prefix"),
        ("PATCH", "/rest/queue/tree/%2a1000000", r#"{"max-limit":"1M"}"#, "no such command prefix"),
        ("GET", "/rest/ip/firewall/mangle/steer", "", "no such command prefix"),
        ("PATCH", "/rest/system/identity", r#"{"name":"x"}"#, id),
        ("PATCH", "/rest/queue/tree", r#"{"max-limit":"1M"}"#, id),
        ("DELETE", "/rest/queue/tree", "", id),
        ("PATCH", queue, r#"{"max-limt":"1M"}"#, "unknown parameter max-limt"),
        ("PATCH", queue, r#"{"bytes":"0"}"#, "unknown parameter bytes"),
        ("PATCH", queue, r#"{"max-limit":"fast"}"#, "invalid value for argument max-limit"),
        ("PATCH", queue, r#"{"max-limit":"1.5M"}"#, "invalid value for argument max-limit"),
        ("PATCH", queue, r#"{"max-limit":null}"#, "invalid value for argument max-limit"),
        ("PATCH", queue, r#"{"disabled":"maybe"}"#, "invalid value for argument disabled"),
        ("PATCH", queue, r#"{"burst-time":"x"}"#, "invalid time value for argument burst-time"),
        ("PATCH", queue, r#"{"priority":"9"}"#, "value of priority out of range (1..8)"),
        ("PATCH", queue, r#"{"queue":"nope"}"#, "input does not match any value of queue"),
        ("PATCH", queue, r#"{"parent":"nope"}"#, "input does not match any value of parent"),
        ("PATCH", queue, r#"{"parent":"dl"}"#, "input does not match any value of parent"),
        ("PATCH", queue, r#"{"name":"ul"}"#, "failure: already have such entry"),
        ("PATCH", queue, r#"{"max-limit":1e8}"#, "Failed to parse json"),
        ("PATCH", queue, r#"{"max-limit":"#, "Failed to parse json"),
        ("PATCH", queue, r#"["max-limit"]"#, "Failed to parse json"),
        ("PUT", "/rest/queue/tree", r#"{"name":"x"}"#, "missing =parent="),
        ("POST", "/rest/queue/tree/set", r#"{"max-limit":"1M"}"#, "missing =.id="),
        ("POST", "/rest/queue/tree/set", r#"{".id":"*1FFFFFF","max-limit":"1M"}"#, "no such item"),
        ("POST", "/rest/queue/tree/enable", r#"{"numbers":"*9"}"#, "no such item"),
        ("POST", "/rest/queue/tree/print", r#"{"prop":"name"}"#, "unknown parameter prop"),
        ("POST", "/rest/ping", "{}", "missing =address="),
        ("POST", "/rest/ping", r#"{"address":"here"}"#, "invalid value for argument address"),
    ] {
        let answer = rig.call(method, path, body).await;
        assert_eq!(answer, (400, refusal(400, "Bad Request", detail)), "{method} {path} {body}");
    }
    assert_eq!(rig.plant.limit_mbps("dl"), Some(100.0));
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let rig = Rig::new().await;
    for (method, path) in [
        ("GET", "/rest/queue/tree/*FFFF"),
        ("GET", "/rest/queue/tree/nobody"),
        ("PATCH", "/rest/queue/tree/*FFFF"),
        ("DELETE", "/rest/ip/firewall/mangle/*FFFF"),
    ] {
        assert_eq!(
            rig.call(method, path, "").await,
            (404, refusal(404, "Not Found", "")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json_and_be_small() {
    let rig = Rig::new().await;
    let url = "/rest/queue/tree/*1000000";
    let request = rig.request("ctl", "PATCH", url).body(r#"{"max-limit":"1M"}"#);
    let answer = read(request.send().await.unwrap()).await;
    assert_eq!(answer, (415, refusal(415, "Unsupported Media Type", "")));
    let request = rig.request("ctl", "PATCH", url).header("Content-Type", "application/json");
    let response = request.body(vec![b' '; 65 * 1024]).send().await.unwrap();
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn some_verbs_are_not_offered() {
    let rig = Rig::new().await;
    for (method, expected) in [("HEAD", 501), ("OPTIONS", 503)] {
        let response = rig.send_as("ctl", method, "/rest/queue/tree", "").await;
        assert_eq!(response.status(), expected, "{method}");
    }
    assert_eq!(rig.send_as("ctl", "GET", "/", "").await.status(), 200);
}
