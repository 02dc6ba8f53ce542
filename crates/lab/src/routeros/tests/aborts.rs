use std::time::Duration;

use reqwest::{Client, StatusCode};

use super::{EmulatorConfig, Rig, config};
use crate::routeros::Quirks;

const PING: &str = r#"{"address":"192.0.2.1","count":"2","interval":"30ms"}"#;

/// Starts a request on a connection of its own and breaks it off.
async fn abort(rig: &Rig) {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}/rest/ping", rig.base)).basic_auth("mon", Some("secret"));
    let request = request.header("Content-Type", "application/json").body(PING);
    let request = tokio::spawn(request.send());
    let turn = &rig.emulator.0.turns[1];
    while turn.try_lock().is_ok() {
        tokio::task::yield_now().await;
    }
    request.abort();
    drop(client);
    // The server has noticed as soon as the request is over, at the latest.
    drop(turn.lock().await);
}

/// Sends a complete request on a new connection, and returns the status; 0 for a reset.
async fn complete(rig: &Rig) -> u16 {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/rest/system/identity", rig.base));
    let outcome = request.basic_auth("ctl", Some("secret")).send().await;
    outcome.as_ref().map_or(0, |response| response.status().as_u16())
}

#[tokio::test]
async fn aborts_with_requests_between_them_damage_the_server_for_everybody() {
    let rig = Rig::new().await;
    // A bystander with a connection of their own.
    rig.get("/rest/queue/tree").await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        abort(&rig).await;
        statuses.push(complete(&rig).await);
    }
    // The credentials were as good the third time.
    assert_eq!(statuses, [200, 200, 401]);
    // For more than a second every request fails, on old connections and new ones.
    let bystander = || async {
        let request = rig.request("ctl", "GET", "/rest/queue/tree").send();
        request.await.is_ok()
    };
    while bystander().await {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(complete(&rig).await, 0);
    assert!(!bystander().await);
    // The router itself never refused anybody.
    let refused = StatusCode::UNAUTHORIZED.as_u16();
    assert!(rig.emulator.log().iter().all(|call| call.status != refused));
}

#[tokio::test]
async fn aborts_alone_are_harmless_and_so_is_a_router_without_the_hazard() {
    let rig = Rig::new().await;
    for _ in 0..4 {
        abort(&rig).await;
    }
    assert_eq!(complete(&rig).await, 200);
    let quirks = Quirks { abort_hazard: false, ..Quirks::default() };
    let rig = Rig::with(EmulatorConfig { quirks, ..config() }).await;
    for _ in 0..4 {
        abort(&rig).await;
        assert_eq!(complete(&rig).await, 200);
    }
}
