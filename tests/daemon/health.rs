//! `/health`, `/livez`, `/readyz` and `wanctl status`: what they report of a demo, and that the
//! document has the shape that is promised.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::{Value, json};

use crate::support::{
    child::{Program, until, wanctl},
    http,
    router::Router,
    schema::violations,
    site::{Site, Sketch, WAN, address},
};

fn demo() -> (Program, SocketAddr) {
    let mut command = wanctl();
    command.args(["demo", "--duration", "60s", "--listen", "127.0.0.1:0"]);
    let mut demo = Program::start(command);
    let address = address(&demo.said("metrics"));
    (demo, address)
}

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/health.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn health(address: SocketAddr) -> Value {
    serde_json::from_str(&http::get(address, "/health", "*/*").unwrap().body).unwrap()
}

fn status(address: SocketAddr, arguments: &[&str]) -> crate::support::child::Exit {
    let mut command = wanctl();
    command.args(["status", "--url", &format!("http://{address}")]).args(arguments);
    Program::finish(command)
}

#[test]
fn health_keeps_the_shape_of_its_schema_with_everything_in_use() {
    let (_demo, address) = demo();
    let schema = schema();
    assert_eq!(violations(&schema, &health(address)), [""; 0], "as early as it can be asked");
    let reported = until("a ready demo", || {
        let reported = health(address);
        assert_eq!(violations(&schema, &reported), [""; 0]);
        (reported["ready"] == true
            && reported["parts"]["history"]["values"]["rows_written"] != 0
            && reported["routers"][0]["values"]["version"].is_string())
        .then_some(reported)
    });
    assert_eq!(reported["not_ready_reasons"], json!([]));
    let wan = &reported["wans"][0];
    assert_eq!(wan["name"], "cable");
    assert!(wan["control"]["values"]["cycles"].as_u64().unwrap() > 0, "{wan}");
    assert!(wan["measurement"]["values"]["rtt_ms"].as_f64().unwrap() > 1.0, "{wan}");
    assert_eq!(reported["parts"]["steering"]["values"]["default_route"], "cable");
    assert_eq!(reported["routers"][0]["kind"], "routeros");
    assert_eq!(wan["router"], "router");

    let mut broken = reported.clone();
    broken["routers"][0]["status"] = json!("great");
    broken["wans"][0]["control"]["values"]["cycles"] = json!(-1);
    broken["news"] = json!(true);
    assert_eq!(violations(&schema, &broken).len(), 3, "the check itself works");
}

#[test]
fn health_says_what_readiness_waits_for_and_readyz_says_the_same() {
    let site = Site::with(&Sketch::of("http://127.99.0.1:9".to_owned()));
    let Some(daemon) = site.run(&[]) else { return };
    let reported = daemon.complains("router", |reason| reason.contains("cannot connect"));
    let answer = daemon.get("/readyz");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains(&reported), "{answer:?}");
    let health = daemon.health();
    assert_eq!(violations(&schema(), &health), [""; 0]);
    assert_eq!(health["parts"]["steering"]["status"], "off", "{health}");
    assert_eq!(health["wans"][0]["name"], WAN);
    assert_eq!(daemon.get("/livez").status, 200, "an outage is no reason for a restart");

    let exit = status(daemon.address, &[]);
    assert!(exit.expect(0).stdout.contains("router: "), "{exit:#?}");
    let exit = status(daemon.address, &["--require", "ready"]);
    assert!(exit.expect(3).complaint().starts_with("not ready: "), "{exit:#?}");
    let exit = status(daemon.address, &["--require", "ok"]);
    assert_eq!(exit.expect(3).complaint(), "the daemon is degraded");
    daemon.stop().expect(0);
}

#[test]
fn the_status_is_shown_once_in_text_or_json_and_again_and_again() {
    let (_demo, address) = demo();
    until("a decision", || {
        let exit = status(address, &["--require", "ready"]);
        (exit.code() == Some(0) && exit.stdout.contains("last decisions")).then_some(())
    });
    let exit = status(address, &[]);
    let text = &exit.expect(0).stdout;
    for words in ["cable", "lte", "Mbit/s [", "steering", "router   ok", "history  ok", "clock"] {
        assert!(text.contains(words), "`{words}` is missing: {text}");
    }
    assert!(!text.contains('\x1b'), "colours are for terminals");
    let exit = status(address, &["--format", "json"]);
    let reported: Value = serde_json::from_str(&exit.expect(0).stdout).unwrap();
    assert_eq!(violations(&schema(), &reported["health"]), [""; 0]);

    let mut command = wanctl();
    command.args(["status", "--watch", "--every", "100ms", "--format", "json", "--url"]);
    command.arg(format!("http://{address}"));
    let watch = Program::start(command);
    until("three looks", || (watch.stdout().lines().count() > 3).then_some(()));
    watch.terminate();
    let exit = watch.exit();
    for line in exit.expect(0).stdout.lines() {
        let _: Value = serde_json::from_str(line).unwrap();
    }
}

#[test]
fn a_daemon_that_is_not_there_is_reported_with_what_to_do() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let exit = status(free, &[]);
    let reported = exit.expect(1).complaint();
    assert!(reported.contains("Connection refused") && reported.contains("--url"), "{reported}");

    let mut command = wanctl();
    command.args(["status", "--url", "nowhere"]);
    let exit = Program::finish(command);
    assert!(exit.expect(1).complaint().contains("`nowhere` is not a URL"), "{exit:#?}");

    let router = Router::start();
    let mut command = wanctl();
    command.args(["status", "--url", &router.url()]);
    let exit = Program::finish(command);
    assert!(exit.expect(1).complaint().contains("is not that of wanctl"), "{exit:#?}");
}
