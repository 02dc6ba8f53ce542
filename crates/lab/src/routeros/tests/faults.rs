use std::time::{Duration, Instant};

use serde_json::json;
use wanctl_core::units::BitRate;

use super::{EmulatorConfig, Rig, config, read};
use crate::routeros::Fault;

const BRIEFLY: Duration = Duration::from_millis(40);
const DEADLINE: Duration = Duration::from_secs(5);

/// Asks for the queues until the answer is sound, and returns the statuses on the way; 0 stands
/// for a broken connection, 1 for another menu's data.
async fn statuses_until_sound(rig: &Rig) -> Vec<u16> {
    let mut statuses = Vec::new();
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        let status = match rig.request("ctl", "GET", "/rest/queue/tree").send().await {
            Err(_) => 0,
            Ok(response) => match read(response).await {
                (200, answer) if answer.get("board-name").is_some() => 1,
                (status, _) => status,
            },
        };
        if statuses.last() != Some(&status) {
            statuses.push(status);
        }
        if status == 200 {
            return statuses;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("not sound in time: {statuses:?}");
}

#[tokio::test]
async fn a_reboot_goes_through_silence_401_and_foreign_data() {
    let rig = Rig::new().await;
    rig.plant.show("dl", 5000);
    rig.call("PATCH", "/rest/queue/tree/dl", r#"{"max-limit":"70M"}"#).await;
    rig.emulator.inject(Fault::Reboot { down: BRIEFLY });
    assert_eq!(statuses_until_sound(&rig).await, [0, 401, 1, 200]);
    let queue = rig.get("/rest/queue/tree/*1000000").await;
    assert_eq!((&queue["bytes"], &queue["max-limit"]), (&json!("0"), &json!("70000000")));
    let resource = rig.get("/rest/system/resource").await;
    assert_eq!(resource["write-sect-since-reboot"], "0");
}

#[tokio::test]
async fn resets_cut_off_what_stands_and_what_comes() {
    let rig = Rig::new().await;
    rig.get("/rest/queue/tree").await;
    rig.emulator.inject(Fault::Reset(BRIEFLY));
    assert_eq!(statuses_until_sound(&rig).await, [0, 200]);
}

#[tokio::test]
async fn a_reset_under_a_request_does_not_undo_it() {
    let rig = Rig::new().await;
    rig.emulator.inject(Fault::Hang(BRIEFLY));
    let write = rig.request("ctl", "PATCH", "/rest/queue/tree/*1000000");
    let write = write.header("Content-Type", "application/json").body(r#"{"max-limit":"9M"}"#);
    let cut = async {
        while rig.emulator.0.turns[0].try_lock().is_ok() {
            tokio::task::yield_now().await;
        }
        rig.emulator.inject(Fault::Reset(Duration::ZERO));
    };
    let (outcome, ()) = tokio::join!(write.send(), cut);
    assert!(outcome.is_err());
    // Waits behind the write, as every later request of that user does.
    assert_eq!(rig.get("/rest/queue/tree/*1000000").await["max-limit"], "9000000");
}

#[tokio::test]
async fn a_401_storm_passes() {
    let rig = Rig::new().await;
    rig.emulator.inject(Fault::Unauthorised(BRIEFLY));
    assert_eq!(statuses_until_sound(&rig).await, [401, 200]);
}

#[tokio::test]
async fn hanging_and_slowness_take_time() {
    let rig = Rig::new().await;
    rig.emulator.inject(Fault::Hang(BRIEFLY));
    rig.get("/rest/queue/tree").await;
    let hung = rig.last_call().took;
    assert!(hung > BRIEFLY / 2, "{hung:?}");
    rig.emulator.inject(Fault::Slow(30.0, DEADLINE));
    rig.get("/rest/queue/tree").await;
    let slow = rig.last_call().took;
    assert!(slow >= Duration::from_millis(30), "{slow:?}");
}

#[tokio::test]
async fn others_change_limits_and_identifiers() {
    let rig = Rig::new().await;
    let (queue, limit) = ("dl".to_owned(), BitRate::from_mbps(33.0));
    rig.emulator.inject(Fault::Drift { queue: queue.clone(), limit });
    assert_eq!(rig.get("/rest/queue/tree/dl").await["max-limit"], "33000000");
    assert_eq!(rig.plant.limit_mbps("dl"), Some(33.0));
    rig.plant.show("dl", 800);
    rig.emulator.inject(Fault::Recreate { queue });
    let (status, _) = rig.call("GET", "/rest/queue/tree/*1000000", "").await;
    assert_eq!(status, 404);
    let row = rig.get("/rest/queue/tree/dl").await;
    assert_eq!((&row[".id"], &row["bytes"]), (&json!("*1000002"), &json!("0")));
    assert_eq!(rig.plant.limit_mbps("dl"), Some(33.0));
}

#[tokio::test]
async fn a_silent_router_has_written_what_it_did_not_answer() {
    let rig = Rig::new().await;
    rig.emulator.inject(Fault::Silence(DEADLINE));
    let write = rig.request("ctl", "PATCH", "/rest/queue/tree/dl").timeout(BRIEFLY);
    let write = write.header("Content-Type", "application/json").body(r#"{"max-limit":"9M"}"#);
    assert!(write.send().await.unwrap_err().is_timeout());
    assert_eq!(rig.plant.limit_mbps("dl"), Some(9.0));
    assert_eq!(rig.last_call().status, 200);
}

#[tokio::test]
async fn a_full_session_table_turns_new_connections_away_and_keeps_old_ones() {
    let rig = Rig::with(EmulatorConfig { max_sessions: 1, ..config() }).await;
    rig.get("/rest/queue/tree").await;
    let stranger = || async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/rest/queue/tree", rig.base);
        client.get(url).basic_auth("mon", Some("secret")).send().await.is_ok()
    };
    assert!(!stranger().await);
    // The first connection still serves.
    rig.get("/rest/queue/tree").await;

    let rig = Rig::new().await;
    rig.get("/rest/queue/tree").await;
    rig.emulator.inject(Fault::SessionsFull(DEADLINE));
    rig.get("/rest/queue/tree").await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{}/rest/queue/tree", rig.base));
    assert!(request.basic_auth("ctl", Some("secret")).send().await.is_err());
}
