use serde_json::{Value, json};

use super::*;

/// A status as the daemon tells it, of a WAN that suffers while its calls go elsewhere.
fn told() -> Value {
    let part = |status: &str, reasons: &[&str], values: Value| json!({"status": status, "reasons": reasons, "notes": [], "values": values});
    let direction = json!({
        "state": "red", "state_seconds": 3.2, "desired_mbps": 12.34, "achieved_mbps": 6.17,
        "why": "cut: its traffic makes a queue stand",
    });
    let decided = json!({
        "why": "steer: it suffers", "blocked_because": "a change was made lately",
        "timers": {"hold_down": 61.2},
    });
    json!({
        "health": {
            "schema_version": 2, "version": "1.2.3", "status": "degraded", "live": true,
            "ready": true, "waits_for": [], "mode": "observe", "uptime_seconds": 7322.0,
            "parts": {
                "router": part("ok", &[], json!({
                    "transport": "ssh", "last_success_age_seconds": 0.4, "identity": "edge",
                    "version": "7.20",
                })),
                "history": part("off", &[], json!(null)),
                "steering": part("ok", &[], json!(null)),
                "config": part("failing", &["it is wrong"], json!({
                    "sha256": "0123456789abcdef", "age_seconds": 7300.0,
                })),
                "clock": part("ok", &[], json!({"steps": 1})),
            },
            "wans": [{
                "name": "cable",
                "measurement": part("degraded", &["only 1 of 6 reflectors answer"], json!(null)),
                "control": part("ok", &[], json!(null)),
                "actuator": part("ok", &[], json!(null)),
            }],
        },
        "wans": [{
            "name": "cable", "reflectors_fresh": [1, 6], "rtt_ms": 120.0, "baseline_ms": 20.04,
            "delta_ms": 99.96, "jitter_ms": null, "download": direction, "upload": null,
            "notes": [{"time": 0.0, "direction": "download", "text": "cut: 20 to 12.3 Mbit/s"}],
        }],
        "steering": {
            "mode": "active", "state": "steered", "sensitive": "lte", "carrier": "cable",
            "score": 80, "threshold": 55, "steer": decided, "failover": decided,
        },
    })
}

fn status() -> Status {
    Status::parse(&told().to_string()).unwrap()
}

#[test]
fn everything_that_matters_is_on_the_page() {
    let page = draw(&status(), "http://x", false);
    let lines: Vec<&str> = page.lines().collect();
    for wanted in [
        "wanctl 1.2.3 at http://x: degraded, up 2 h 2 min, observing: nothing is written",
        " ! cable: only 1 of 6 reflectors answer",
        "!! config: it is wrong",
        "cable    added delay +100.0 ms (round trip 120.0 ms, baseline 20.0 ms, jitter -), 1 of 6 \
         reflectors",
        "  down   6.17 of  12.3 Mbit/s [##########..........] red 3 s        cut: its traffic makes a \
         queue stand",
        "steering steered: calls take lte, the rest takes cable; suffering 80 of 55",
        "  calls steer: it suffers; a change was made lately, 1 min to go",
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
    let coloured = draw(&status(), "http://x", true);
    assert!(coloured.contains("\x1b[1;31m"));
    let codes = ["\x1b[32m", "\x1b[33m", "\x1b[1;31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"];
    let plain = codes.iter().fold(coloured, |text, code| text.replace(code, ""));
    assert_eq!(plain, draw(&status(), "http://x", false));
}

#[test]
fn another_version_of_the_document_is_refused() {
    let mut told = told();
    told["health"]["schema_version"] = json!(3);
    let error = Status::parse(&told.to_string()).unwrap_err();
    assert!(error.to_string().contains("version 3"), "{error}");
}
