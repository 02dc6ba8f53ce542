use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Emulator, EmulatorConfig, Rig, TestPlant, User, ask, config, limited, read};
use crate::routeros::{
    BarePost, FlashWrites, Policy, Quirks, RateUnit, RefusedChange, UnknownCommand,
};

async fn with(quirks: Quirks) -> Rig {
    Rig::with(EmulatorConfig { quirks, ..config() }).await
}

#[tokio::test]
async fn a_refused_change_can_leave_what_was_good() {
    let body = r#"{"max-limit":"50M","prioritee":"1"}"#;
    for (refused_change, limit) in
        [(RefusedChange::LeavesNothing, 100.0), (RefusedChange::LeavesWhatWasGood, 50.0)]
    {
        let rig = with(Quirks { refused_change, ..Quirks::default() }).await;
        let (status, answer) = rig.call("PATCH", "/rest/queue/tree/dl", body).await;
        let detail = json!("unknown parameter prioritee");
        assert_eq!((status, &answer["detail"]), (400, &detail), "{refused_change:?}");
        assert_eq!(rig.plant.limit_mbps("dl"), Some(limit));
        assert_eq!(rig.last_call().effects.is_empty(), limit > 50.0);
    }
}

#[tokio::test]
async fn answers_differ_between_versions() {
    let rig = with(Quirks {
        plus_is_space: true,
        unasked_id: true,
        singletons_as_lists: true,
        cake_drops: true,
        interface_drops: true,
        bare_post: BarePost::Refused,
        unknown_command: UnknownCommand::NotAcceptable,
        ..Quirks::default()
    })
    .await;
    rig.plant.show("dl", 8000);
    for (path, expected) in [
        (
            "/rest/ip/firewall/mangle?comment=steer:+games&.proplist=comment",
            json!([{".id":"*2","comment":"steer: games"}]),
        ),
        ("/rest/system/identity", json!([{"name":"MikroTik"}])),
        ("/rest/queue/tree?name=dl&.proplist=dropped", json!([{".id":"*1000000","dropped":"7"}])),
        (
            "/rest/interface?name=bridge1&.proplist=tx-queue-drop",
            json!([{".id":"*4","tx-queue-drop":"7"}]),
        ),
    ] {
        assert_eq!(rig.get(path).await, expected, "{path}");
    }
    let (status, answer) = rig.call("GET", "/rest/nonexistent", "").await;
    assert_eq!((status, &answer["message"]), (406, &json!("Not Acceptable")));
    let (status, answer) = rig.call("POST", "/rest/queue/tree", "{}").await;
    assert_eq!((status, &answer["detail"]), (406, &json!("no such command")));
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_bits_or_bytes() {
    for (rate_unit, expected) in [(RateUnit::Bits, "4000000"), (RateUnit::Bytes, "500000")] {
        let quirks = Quirks { rate_unit, ..Quirks::default() };
        let plant = Arc::new(TestPlant::default());
        let emulator = Emulator::new(EmulatorConfig { quirks, ..config() }, plant.clone());
        ask(&emulator, "GET", "/rest/queue/tree/dl", "").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        plant.show("dl", 1_000_000);
        let row = ask(&emulator, "GET", "/rest/queue/tree/dl", "").await;
        assert_eq!(row["rate"], expected, "{rate_unit:?}");
    }
}

#[tokio::test]
async fn every_change_costs_a_sector_unless_they_are_coalesced() {
    for (flash, sectors) in
        [(FlashWrites::EachSet, "3"), (FlashWrites::Coalesced(Duration::from_mins(1)), "1")]
    {
        let rig = with(Quirks { flash, ..Quirks::default() }).await;
        for _ in 0..3 {
            // The same limit again costs as much.
            rig.call("PATCH", "/rest/queue/tree/dl", r#"{"max-limit":"50M"}"#).await;
        }
        let resource = rig.get("/rest/system/resource").await;
        assert_eq!(resource["write-sect-since-reboot"], sectors, "{flash:?}");
    }
}

#[tokio::test]
async fn some_versions_want_the_policy_web_too() {
    use Policy::{Api, Read, RestApi};
    for (needs_web_policy, expected) in [(false, 200), (true, 500)] {
        let quirks = Quirks { needs_web_policy, ..Quirks::default() };
        let users = vec![User::full("ctl", "secret"), limited("reader", &[Api, RestApi, Read])];
        let rig = Rig::with(EmulatorConfig { users, quirks, ..config() }).await;
        let answer = rig.send_as("reader", "GET", "/rest/queue/tree", "").await;
        assert_eq!(read(answer).await.0, expected);
        assert_eq!(rig.call("GET", "/rest/queue/tree", "").await.0, 200);
    }
}

#[tokio::test]
async fn one_users_requests_can_overtake_each_other() {
    let rig = with(Quirks { user_order: false, ..Quirks::default() }).await;
    let slow = r#"{"address":"192.0.2.1","count":"2","interval":"60ms"}"#;
    let ping = rig.call("POST", "/rest/ping", slow);
    let later = async {
        tokio::time::sleep(Duration::from_millis(15)).await;
        rig.get("/rest/queue/tree").await;
    };
    tokio::join!(ping, later);
    let order: Vec<String> = rig.emulator.log().into_iter().map(|call| call.path).collect();
    assert_eq!(order, ["/rest/queue/tree", "/rest/ping"]);
}
