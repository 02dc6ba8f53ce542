use serde_json::{Value, json};

use super::*;

/// A status of the daemon: one WAN is congested, and connections are steered to another.
fn reported() -> Value {
    let part = |status: &str, reasons: &[&str], values: Value| json!({"status": status, "reasons": reasons, "notes": [], "values": values});
    let direction = json!({
        "state": "red", "state_seconds": 3.2, "desired_mbps": 12.34, "delivery_mbps": 6.17,
        "load": "high", "reason": "cut_queue", "phase": "cut", "writes": 3,
        "why": "cut: a standing queue is attributed to this direction",
    });
    let decided = json!({
        "reason": "steer", "actions": 1, "why": "steer: its score is above the threshold", "blocker_text": "a change was made lately",
        "timers": {"hold_down": 61.2},
    });
    json!({
        "health": {
            "schema_version": 2, "version": "1.2.3", "status": "degraded", "live": true,
            "ready": true, "not_ready_reasons": [], "mode": "observe", "uptime_seconds": 7322.0,
            "routers": [{
                "name": "router", "kind": "routeros", "status": "ok", "reasons": [], "notes": [], "values": {
                    "transport": "ssh", "last_success_age_seconds": 0.4, "identity": "edge",
                    "version": "7.20",
                },
            }],
            "parts": {
                "history": part("off", &[], json!(null)),
                "steering": part("ok", &[], json!(null)),
                "config": part("failing", &["it is wrong"], json!({
                    "sha256": "0123456789abcdef", "age_seconds": 7300.0,
                })),
                "clock": part("ok", &[], json!({"steps": 1, "unix_seconds": 0.0})),
                "http": part("ok", &[], json!({"listening": true})),
            },
            "wans": [{
                "name": "cable", "router": "router", "status": "degraded",
                "measurement": part("degraded", &["only 1 of 6 reflectors answer"], json!(null)),
                "control": part("ok", &[], json!(null)),
                "actuator": part("ok", &[], json!(null)),
            }],
        },
        "wans": [{
            "name": "cable", "running": true, "time": 0.0, "measurement": "reduced",
            "reflectors": [], "reflectors_fresh": [1, 6], "rtt_ms": 120.0, "baseline_ms": 20.04,
            "delta_ms": 99.96, "jitter_ms": null, "download": direction, "upload": null,
            "notes": [{"time": 0.0, "direction": "download", "code": "cut_queue",
                "text": "cut: 20 to 12.3 Mbit/s"}],
        }],
        "steering": {
            "mode": "active", "state": "steered", "state_seconds": 1.0, "wans": [],
            "switches": [], "changes": [], "sensitive": "lte", "default_route": "cable",
            "score": 80, "threshold": 55, "steer": decided, "failover": decided,
        },
    })
}

const PLAIN: Style<'_> = Style { url: "http://x", coloured: false };

fn status() -> Status {
    Status::parse(&reported().to_string()).unwrap()
}

#[test]
fn everything_that_matters_is_on_the_page() {
    let page = draw(&status(), PLAIN);
    let lines: Vec<&str> = page.lines().collect();
    for wanted in [
        "wanctl 1.2.3 at http://x: degraded, up 2 h 2 min, observe mode: nothing is written",
        " ! cable: only 1 of 6 reflectors answer",
        "!! config: it is wrong",
        "cable    +100.0 ms (round-trip time 120.0, baseline 20.0, jitter -), 1 of 6 reflectors",
        "  down   6.17 of  12.3 Mbit/s [##########..........] red 3 s        cut: a standing queue is \
         attributed to this direction",
        "steering steered: latency-sensitive on lte, default route on cable; score 80 of 55",
        "  latency-sensitive: steer: its score is above the threshold; a change was made lately, 1 min left",
        "router   ok        edge, RouterOS 7.20, by ssh, 0 s ago",
        "history  off",
        "config   failing   0123456789ab, in force for 2 h 1 min",
        "clock    ok        set once since the start",
    ] {
        assert!(lines.contains(&wanted), "`{wanted}` is not in\n{page}");
    }
    assert!(page.trim_end().ends_with("cable    down  cut: 20 to 12.3 Mbit/s"), "{page}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = draw(&status(), Style { coloured: true, ..PLAIN });
    assert!(coloured.contains("\x1b[1;31m"));
    let codes = ["\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"];
    let plain = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, draw(&status(), PLAIN));
}

#[test]
fn another_version_of_the_document_is_refused() {
    let mut reported = reported();
    reported["health"]["schema_version"] = json!(3);
    let error = Status::parse(&reported.to_string()).unwrap_err();
    assert!(error.to_string().contains("version 3"), "{error}");
}

/// A status of `count` WANs that are well, with as many decisions and notes as there ever are.
fn of(count: usize) -> Status {
    let mut reported = reported();
    let mut wan = reported["wans"][0].clone();
    wan["upload"] = wan["download"].clone();
    let note = wan["notes"][0].clone();
    wan["notes"] = json!(vec![note; 40]);
    reported["wans"] = json!(vec![wan; count]);
    let health = reported["health"]["wans"][0].clone();
    reported["health"]["wans"] = json!(vec![health; count]);
    reported["health"]["routers"][0]["notes"] = json!(["a reminder", "another reminder"]);
    Status::parse(&reported.to_string()).unwrap()
}

#[test]
fn no_screen_is_too_small() {
    for count in [0, 1, 2, 5, 12] {
        let status = of(count);
        for columns in [1, 2, 20, 40, 79, 80, 81, 132, 300] {
            for rows in (1..40).chain([60, 200]) {
                for coloured in [false, true] {
                    let size = Size { columns, rows };
                    let lines = fit(&status, Style { coloured, ..PLAIN }, size);
                    assert!(lines.len() <= rows, "{count} WANs, {size:?}: {lines:#?}");
                    let widest = lines.iter().map(|line| cut::width(line)).max().unwrap();
                    assert!(widest <= columns, "{count} WANs, {size:?}: {lines:#?}");
                }
            }
        }
    }
}

#[test]
fn a_usual_terminal_shows_every_wan_and_direction() {
    for (count, whole) in [(1, true), (2, true), (5, false)] {
        let lines = fit(&of(count), PLAIN, Size { columns: 80, rows: 24 });
        let begins = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        assert_eq!(begins("cable "), count, "{lines:#?}");
        assert_eq!(begins("  down ") == count, whole, "{lines:#?}");
        assert_eq!(begins("steering "), if whole { 2 } else { 1 }, "{lines:#?}");
        assert!(begins("last decisions") == 1 && !lines[0].is_empty(), "{lines:#?}");
    }
    let lines = fit(&of(12), PLAIN, Size { columns: 80, rows: 10 });
    assert_eq!(
        lines.last().unwrap(),
        "19 more lines: enlarge the window to see them",
        "{lines:#?}"
    );
}

#[test]
fn a_text_cannot_move_the_cursor() {
    let mut reported = reported();
    reported["health"]["routers"][0]["values"]["identity"] =
        json!("e\u{1b}[2Jd\nge\u{9b}1m\u{202e}");
    reported["steering"]["steer"]["timers"]["a\u{1b}[2Jb"] = json!(1.0);
    let page = draw(&Status::parse(&reported.to_string()).unwrap(), PLAIN);
    assert!(page.contains(r"e\u{1b}[2Jd\nge\u{9b}1m\u{202e}, RouterOS"), "{page}");
    assert!(!page.contains(['\u{1b}', '\u{202e}']), "{page}");
}
