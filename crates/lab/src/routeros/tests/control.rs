use std::time::Duration;

use serde_json::{Value, json};

use super::{EmulatorConfig, Rig, config, read};

fn controlled() -> EmulatorConfig {
    EmulatorConfig { control: true, ..config() }
}

async fn order(rig: &Rig, body: &str) -> (u16, Value) {
    let request = rig.client.post(format!("{}/emulator/fault", rig.base)).body(body.to_owned());
    read(request.send().await.unwrap()).await
}

#[tokio::test]
async fn faults_come_by_http_and_the_log_goes_by_it() {
    let rig = Rig::with(controlled()).await;
    rig.call("PATCH", "/rest/queue/tree/dl", r#"{"max-limit":"50M"}"#).await;
    rig.post("/rest/ip/firewall/mangle/enable", r#"{"numbers":"*1"}"#).await;
    let answer = order(&rig, r#"{"fault":"drift=dl,33M"}"#).await;
    assert_eq!(answer, (200, json!({"injected":"drift=dl,33000000"})));
    assert_eq!(rig.plant.limit_mbps("dl"), Some(33.0));

    let log = rig.client.get(format!("{}/emulator/log", rig.base)).send().await.unwrap();
    let (status, log) = read(log).await;
    assert_eq!((status, log.as_array().unwrap().len()), (200, 2));
    assert_eq!((&log[0]["user"], &log[0]["path"]), (&json!("ctl"), &json!("/rest/queue/tree/dl")));
    assert_eq!((&log[0]["method"], &log[0]["status"]), (&json!("PATCH"), &json!(200)));
    assert!(log[0]["at"].as_f64().unwrap() <= log[1]["at"].as_f64().unwrap());
    let limit = json!([{"kind":"limit","queue":"dl","from":100_000_000,"to":50_000_000}]);
    let rule = json!([{"kind":"rule","comment":"steer: calls","enabled":true}]);
    assert_eq!((&log[0]["effects"], &log[1]["effects"]), (&limit, &rule));
}

#[tokio::test]
async fn a_strange_fault_is_explained() {
    let rig = Rig::with(controlled()).await;
    for (body, said) in [
        (r#"{"fault":"explode=5s"}"#, "faults are hang=TIME"),
        (r#"{"fault":"drift=nobody,1M"}"#, "there is no queue `nobody`"),
        (r#"{"falt":"reset=5s"}"#, "the body must be like"),
        ("reset=5s", "the body must be like"),
    ] {
        let (status, answer) = order(&rig, body).await;
        assert_eq!(status, 400);
        assert!(answer["error"].as_str().unwrap().contains(said), "{body}: {answer}");
    }
    let other = rig.client.get(format!("{}/emulator/other", rig.base)).send().await.unwrap();
    assert_eq!(other.status(), 404);
}

#[tokio::test]
async fn without_being_asked_for_there_is_no_control() {
    let rig = Rig::new().await;
    let (status, _) = order(&rig, r#"{"fault":"reset=5s"}"#).await;
    assert_eq!(status, 404);
    assert_eq!(rig.get("/rest/system/identity").await, json!({"name":"MikroTik"}));
}

#[tokio::test]
async fn scheduled_faults_happen_in_their_order() {
    let faults = ["20ms:drift=dl,2M", "0s:drift=dl,1M"];
    let faults = faults.map(|fault| fault.parse().unwrap()).to_vec();
    let rig = Rig::with(EmulatorConfig { faults, ..config() }).await;
    while rig.plant.limit_mbps("dl") != Some(2.0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(rig.emulator.now().since_start() >= Duration::from_millis(20));
}
