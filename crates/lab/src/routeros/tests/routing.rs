use serde_json::json;

use super::{EmulatorConfig, Rig, config, keys};
use crate::routeros::{Fault, RequestEffect, RouteSpec};

fn route(gateway: &str, distance: u8, table: &str) -> RouteSpec {
    RouteSpec {
        destination: "0.0.0.0/0".into(),
        gateway: gateway.into(),
        distance,
        table: table.into(),
        comment: format!("to {gateway}"),
        disabled: false,
    }
}

fn dual_wan() -> EmulatorConfig {
    let routes = vec![
        route("192.0.2.1", 1, "main"),
        route("198.51.100.1", 2, "main"),
        route("198.51.100.1", 1, "to-wan2"),
    ];
    EmulatorConfig { routes, ..config() }
}

#[tokio::test]
async fn the_nearest_route_is_active_until_it_is_disabled() {
    let rig = Rig::with(dual_wan()).await;
    let active = |rows: serde_json::Value| {
        let rows = rows.as_array().unwrap().clone();
        rows.iter().map(|row| row.get("active").is_some()).collect::<Vec<_>>()
    };
    let rows = rig.get("/rest/ip/route").await;
    assert_eq!(rows[0][".id"], "*80000001");
    assert_eq!((rows[1].get("active"), &rows[1]["inactive"]), (None, &json!("true")));
    assert_eq!(active(rows), [true, false, true]);
    let (_, row) = rig.call("PATCH", "/rest/ip/route/*80000001", r#"{"disabled":"true"}"#).await;
    assert_eq!(keys(&row), [".id", "comment", "disabled", "dst-address", "gateway"]);
    assert_eq!(active(rig.get("/rest/ip/route").await), [false, true, true]);
    let (status, _) = rig.call("GET", "/rest/ip/route/default", "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_table_that_forwards_has_a_key_without_a_value() {
    let rig = Rig::with(dual_wan()).await;
    let tables = rig.get("/rest/routing/table").await;
    let main = json!({".id":"*0","dynamic":"true","fib":"","invalid":"false","name":"main"});
    assert_eq!((&tables[0], &tables[1]["name"]), (&main, &json!("to-wan2")));
    let (status, table) = rig.call("PUT", "/rest/routing/table", r#"{"name":"bare"}"#).await;
    assert_eq!((status, table.get("fib")), (201, None));
    let (_, table) = rig.call("PUT", "/rest/routing/table", r#"{"name":"f","fib":"yes"}"#).await;
    assert_eq!(table["fib"], "");
    let (status, _) = rig.call("DELETE", "/rest/routing/table/main", "").await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn marks_and_rules_lead_to_tables_that_exist() {
    let rig = Rig::with(dual_wan()).await;
    let mark = |table: &str| format!(r#"{{"new-routing-mark":"{table}"}}"#);
    let rule = "/rest/ip/firewall/mangle/*1";
    let (status, refusal) = rig.call("PATCH", rule, &mark("nowhere")).await;
    let detail = "input does not match any value of new-routing-mark";
    assert_eq!((status, &refusal["detail"]), (400, &json!(detail)));
    let (status, row) = rig.call("PATCH", rule, &mark("to-wan2")).await;
    assert_eq!((status, &row["new-routing-mark"]), (200, &json!("to-wan2")));

    for source in ["192.0.2.5", "192.0.2.6"] {
        let body = format!(r#"{{"src-address":"{source}","table":"to-wan2"}}"#);
        assert_eq!(rig.call("PUT", "/rest/routing/rule", &body).await.0, 201);
    }
    let rules = rig.get("/rest/routing/rule").await;
    assert_eq!((&rules[0][".nextid"], &rules[1][".nextid"]), (&json!("*2"), &json!("*FFFFFFFF")));
    assert_eq!((&rules[0]["action"], &rules[0]["inactive"]), (&json!("lookup"), &json!("false")));
    rig.call("PATCH", "/rest/routing/rule/*1", r#"{"disabled":"true"}"#).await;
    assert_eq!(rig.get("/rest/routing/rule/*1").await["inactive"], "true");
}

#[tokio::test]
async fn rules_move_and_a_destination_that_is_gone_is_the_end() {
    let rig = Rig::new().await;
    let body = r#"{"chain":"output","action":"accept"}"#;
    rig.call("PUT", "/rest/ip/firewall/mangle", body).await;
    let path = "/rest/ip/firewall/mangle/move";
    let moved = |id: &str| RequestEffect::Moved { menu: "ip/firewall/mangle", id: id.to_owned() };
    for (body, id, order) in [
        (r#"{"numbers":"*3","destination":"*1"}"#, "*3", ["*3", "*1", "*2"]),
        (r#"{".id":"*3","destination":"*FF"}"#, "*3", ["*1", "*2", "*3"]),
        (r#"{"numbers":"*1"}"#, "*1", ["*2", "*3", "*1"]),
    ] {
        assert_eq!(rig.post(path, body).await, json!([]), "{body}");
        assert_eq!(rig.last_call().effects, [moved(id)]);
        let rows = rig.get("/rest/ip/firewall/mangle").await;
        let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row[".id"].clone()).collect();
        assert_eq!(ids, order);
    }
    for (body, status, detail) in [
        (r#"{"numbers":"*FF","destination":"*1"}"#, 404, json!(null)),
        (
            r#"{"numbers":"*1","destination":"*1"}"#,
            400,
            json!("failure: can not move object before itself"),
        ),
        ("{}", 400, json!("missing =.id=")),
    ] {
        let (found, answer) = rig.call("POST", path, body).await;
        assert_eq!((found, &answer["detail"]), (status, &detail), "{body}");
    }
    let (status, _) = rig.call("POST", "/rest/queue/tree/move", r#"{"numbers":"dl"}"#).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn the_routers_own_rows_get_other_identifiers_with_every_boot() {
    let fasttrack = crate::routeros::FastTrack::Enabled;
    let mut rig = Rig::with(EmulatorConfig { fasttrack, ..config() }).await;
    let before = rig.get("/rest/ip/firewall/mangle").await;
    rig.emulator.inject(Fault::Reboot { down: std::time::Duration::ZERO });
    // The old connection went down with the router.
    rig.client = reqwest::Client::builder().no_proxy().build().unwrap();
    let after = rig.get("/rest/ip/firewall/mangle").await;
    assert_ne!(before[0][".id"], after[0][".id"]);
    // Those of people's rows stay.
    assert_eq!(before[3], after[3]);
}

#[tokio::test]
async fn the_router_reports_its_cores_and_its_users() {
    let rig = Rig::new().await;
    let cores = rig.get("/rest/system/resource/cpu").await;
    assert_eq!(cores.as_array().unwrap().len(), 4);
    assert_eq!(cores[3], json!({".id":"*3","cpu":"cpu3","disk":"0","irq":"0","load":"3"}));
    let users = rig.get("/rest/user?name=reader").await;
    assert_eq!((&users[0]["group"], users[0].get("password")), (&json!("reader"), None));
    let group = rig.get("/rest/user/group/reader").await;
    assert_eq!(group["policy"], "api,rest-api,read,!write,!test,!web");
    assert_eq!(rig.get("/rest/user/ctl").await["group"], "full");
    let (status, _) = rig.call("PATCH", "/rest/user/ctl", r#"{"group":"reader"}"#).await;
    assert_eq!(status, 400);
}
