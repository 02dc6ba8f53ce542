//! What a reload may change at once, key by key.

use std::path::Path;

use wanctl_core::units::BitRate;

use super::*;
use crate::{
    config::{Environment, FileText},
    router::Connection,
};

const RUNNING: &str = "\
router: {url: 'https://192.168.88.1', user: wanctl, password_file: a, ssh: {host: r}}
wans:
  - name: cable
    source: 192.0.2.1
    reflectors: [1.1.1.1, 8.8.8.8, 9.9.9.9]
    download: {queue: A, floor_mbps: 10, base_mbps: 50, ceiling_mbps: 100}
    upload: {queue: B, floor_mbps: 1, base_mbps: 5, ceiling_mbps: 10}
  - name: lte
    source: 192.0.2.2
    reflectors: [1.0.0.1, 8.8.4.4, 149.112.112.112]
    download: {queue: C, floor_mbps: 10, base_mbps: 50, ceiling_mbps: 100}
    upload: {queue: D, floor_mbps: 1, base_mbps: 5, ceiling_mbps: 10}
control: {interval_ms: 50}
history: {raw_hours: 24, path: history.db}
http: {listen: '127.0.0.1:9102'}
";

/// Reads a configuration whose password is the name of its file.
fn parse(text: &str) -> Config {
    let file = |path: &Path| {
        let text = path.file_name().unwrap().to_string_lossy().into_owned();
        Ok(FileText { text, is_exposed: false })
    };
    let surroundings = Environment { file: &file, check_file: &|_| Ok(()), variable: &|_| None };
    Config::parse(text, Path::new("wanctl.yaml"), &surroundings)
        .unwrap_or_else(|errors| panic!("{errors}\n{text}"))
        .0
}

/// Replaces `from` by `to` in the running configuration and returns what comes of it.
fn change(from: &str, to: &str) -> (Config, Vec<(String, Class)>) {
    assert!(RUNNING.contains(from), "{from}");
    let (adopted, changes) = parse(RUNNING).adopt(parse(&RUNNING.replacen(from, to, 1)));
    (adopted, changes.into_iter().map(|change| (change.key, change.class)).collect())
}

#[test]
fn each_key_has_its_class_and_is_named() {
    for (from, to, key, class) in [
        ("192.168.88.1", "192.168.88.2", "router.url", Class::Restart),
        ("user: wanctl", "user: other", "router.user", Class::Restart),
        ("password_file: a", "password_file: b", "router.password", Class::Restart),
        ("ssh:", "transport: auto, ssh:", "router.transport", Class::Restart),
        ("ssh:", "insecure: true, ssh:", "router.insecure", Class::Restart),
        ("ssh:", "request_timeout_ms: 900, ssh:", "router.request_timeout_ms", Class::Restart),
        ("ssh:", "stats_interval_ms: 200, ssh:", "router.stats_interval_ms", Class::Live),
        ("ssh:", "raise_interval_ms: 900, ssh:", "router.raise_interval_ms", Class::Live),
        ("ssh:", "raises_per_minute: 9, ssh:", "router.raises_per_minute", Class::Live),
        ("source: 192.0.2.1", "interface: wan1", "wans[0].source", Class::Restart),
        ("[1.1.1.1, ", "[1.0.0.2, ", "wans[0].reflectors", Class::Restart),
        ("queue: A", "queue: X", "wans[0].download.queue", Class::Restart),
        ("queue: D", "queue: X", "wans[1].upload.queue", Class::Restart),
        ("    source", "    metered: true\n    source", "wans[0].metered", Class::Restart),
        ("floor_mbps: 10,", "floor_mbps: 9,", "wans[0].download.floor_mbps", Class::Live),
        ("base_mbps: 5,", "base_mbps: 4,", "wans[0].upload.base_mbps", Class::Live),
        ("ceiling_mbps: 100", "ceiling_mbps: 90", "wans[0].download.ceiling_mbps", Class::Live),
        ("{queue: B,", "{law: fixed, queue: B,", "wans[0].upload.law", Class::Live),
        ("{queue: B,", "{law: zone, queue: B,", "wans[0].upload.law", Class::Live),
        ("    source", "    delay: {red_ms: 99}\n    source", "wans[0].delay.red_ms", Class::Live),
        ("interval_ms: 50", "interval_ms: 100", "control.interval_ms", Class::Live),
        ("{interval_ms", "{mode: observe, interval_ms", "control.mode", Class::Live),
        ("{interval_ms", "{on_exit: base, interval_ms", "control.on_exit", Class::Live),
        ("raw_hours: 24", "raw_hours: 48", "history.raw_hours", Class::Live),
        ("raw_hours", "seconds_days: 4, raw_hours", "history.seconds_days", Class::Live),
        ("raw_hours", "minutes_days: 4, raw_hours", "history.minutes_days", Class::Live),
        ("raw_hours", "five_minutes_days: 4, raw_hours", "history.five_minutes_days", Class::Live),
        ("raw_hours", "hours_days: 4, raw_hours", "history.hours_days", Class::Live),
        ("raw_hours", "events_days: 4, raw_hours", "history.events_days", Class::Live),
        ("raw_hours", "max_megabytes: 64, raw_hours", "history.max_megabytes", Class::Live),
        ("history.db", "other.db", "history.path", Class::Restart),
        ("{raw_hours", "{enabled: false, raw_hours", "history.enabled", Class::Restart),
        (
            "control:",
            "steering: {wans: [{name: cable}, {name: lte}]}\ncontrol:",
            "steering",
            Class::Restart,
        ),
        ("9102", "9103", "http.listen", Class::Restart),
        ("{listen", "{allow_reload: true, listen", "http.allow_reload", Class::Live),
        ("{listen", "{allow_steer: true, listen", "http.allow_steer", Class::Live),
    ] {
        // What `ssh` takes over from the rest of `router` may change along with it.
        let changed: Vec<_> =
            change(from, to).1.into_iter().filter(|(key, _)| key != "router.ssh").collect();
        assert_eq!(changed, [(key.to_owned(), class)], "{from} -> {to}");
    }
}

#[test]
fn steering_changes_at_once_but_for_its_wans_and_switches() {
    let steering = |wans: &str, more: &str| {
        let table = format!("steering:\n  wans: [{{name: cable}}, {wans}]\n  {more}\ncontrol:");
        parse(&RUNNING.replacen("control:", &table, 1))
    };
    let lte = "{name: lte, steer: {rule: a}}";
    let running = steering(lte, "mode: observe");
    for (wans, more, key, class) in [
        (lte, "mode: active", "steering.mode", Class::Live),
        (lte, "mode: off", "steering.mode", Class::Restart),
        (lte, "preset: v17", "steering.steer", Class::Live),
        (lte, "steer: {hold_down_s: 9}", "steering.steer", Class::Live),
        (lte, "failover: {failback_s: 9}", "steering.failover", Class::Live),
        (lte, "on_exit: keep", "steering.on_exit", Class::Live),
        ("{name: lte, steer: {rule: b}}", "", "steering.wans", Class::Restart),
        ("{name: lte, steer: {rule: a}, forget_mark: m}", "", "steering.wans", Class::Restart),
    ] {
        let (adopted, changes) = running.adopt(steering(wans, more));
        let reported: Vec<_> = changes.iter().map(|change| (&*change.key, change.class)).collect();
        assert_eq!(reported, [(key, class)], "{wans} {more}");
        let switches = &adopted.steering.unwrap().switches;
        assert_eq!(switches[0].at.comment, "a", "the rows stay");
    }
    // The limits of a WAN are reported once, and steering uses them at once.
    let text = RUNNING.replacen("ceiling_mbps: 100", "ceiling_mbps: 90", 1);
    let text = text.replacen(
        "control:",
        "steering:\n  wans: [{name: cable}, {name: lte, steer: {rule: a}}]\ncontrol:",
        1,
    );
    let (adopted, changes) = running.adopt(parse(&text));
    let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["wans[0].download.ceiling_mbps"]);
    let limits = adopted.steering.unwrap().params.wans[0].limits;
    assert_eq!(limits.download.unwrap().ceiling, BitRate::from_mbps(90.0));
}

#[test]
fn the_schedule_of_the_probes_stays_until_a_restart_and_so_does_what_follows_from_it() {
    let timing = "    probe: {interval_ms: 100, timeout_ms: 500}\n    source";
    let (adopted, changes) = change("    source", timing);
    assert!(changes.iter().all(|(_, class)| *class == Class::Restart), "{changes:?}");
    assert_eq!(changes.len(), 3, "the idle interval follows");
    assert_eq!(adopted.wans[0].params, parse(RUNNING).wans[0].params);
    let (adopted, changes) = change("[1.1.1.1, ", "[1.1.1.1, 1.0.0.2, ");
    let keys: Vec<&str> = changes.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["wans[0].reflectors", "wans[0].probe.active"]);
    assert_eq!(adopted.wans[0].params.evidence.reflectors, 6, "three, and three in reserve");
}

#[test]
fn each_setting_of_the_law_zone_is_reported_by_its_own_key() {
    let zone = |settings: &str| {
        let law = format!("{{law: zone, zone: {{{settings}}}, queue: A,");
        parse(&RUNNING.replacen("{queue: A,", &law, 1))
    };
    for (settings, key) in [
        ("floor_green_mbps: 60", "floor_green_mbps"),
        ("factor_down: 0.5", "factor_down"),
        ("factor_down_yellow: 0.9", "factor_down_yellow"),
        ("step_up_mbps_per_s: 3", "step_up_mbps_per_s"),
        ("green_required_ms: 300", "green_required_ms"),
    ] {
        let (adopted, changes) = zone("").adopt(zone(settings));
        let keys: Vec<_> = changes.into_iter().map(|change| (change.key, change.class)).collect();
        assert_eq!(keys, [(format!("wans[0].download.zone.{key}"), Class::Live)], "{settings}");
        assert_eq!(adopted.wans[0].params, zone(settings).wans[0].params);
    }
}

#[test]
fn a_lower_first_threshold_is_what_reflectors_vote_by() {
    let delay = "    delay: {yellow_ms: 10}\n    source";
    let (adopted, _) = change("    source", delay);
    let params = &adopted.wans[0].params;
    assert_eq!(params.evidence.queue_threshold, params.thresholds.yellow);
    assert_ne!(params.evidence, parse(RUNNING).wans[0].params.evidence);
}

#[test]
fn what_waits_for_a_restart_keeps_its_old_value_and_the_rest_of_the_file_applies() {
    let text = RUNNING.replace("192.168.88.1", "192.168.88.2").replace("100}", "90}");
    let (adopted, changes) = parse(RUNNING).adopt(parse(&text));
    let Connection::RouterOs(settings) = &adopted.routers[0].connection;
    assert_eq!(settings.url, "https://192.168.88.1");
    let limits = adopted.wans[1].params.directions.download.unwrap().limits;
    assert_eq!(limits.ceiling, BitRate::from_mbps(90.0));
    let reported: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert!(reported.contains(&"`router.url` changed: takes effect after a restart".to_owned()));
    assert!(
        reported.contains(&"`wans[1].download.ceiling_mbps` changed".to_owned()),
        "{reported:?}"
    );
    // Until the restart it is reported again, and the hash is that of the newest file.
    let (again, changes) = adopted.adopt(parse(&text));
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(again.origin, parse(&text).origin);
}

#[test]
fn wans_are_matched_by_name_whatever_their_order() {
    let running = parse(RUNNING);
    let mut swapped = parse(&RUNNING.replace("ceiling_mbps: 10}", "ceiling_mbps: 9}"));
    swapped.wans.swap(0, 1);
    let (adopted, changes) = running.adopt(swapped);
    let names: Vec<&str> = adopted.wans.iter().map(|wan| wan.name.as_str()).collect();
    assert_eq!(names, ["cable", "lte"]);
    let keys: Vec<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["wans[1].upload.ceiling_mbps", "wans[0].upload.ceiling_mbps"]);
}

#[test]
fn a_wan_that_comes_or_goes_waits_for_a_restart() {
    let (adopted, changes) =
        parse(RUNNING).adopt(parse(&RUNNING.replace("name: lte", "name: dsl")));
    assert_eq!(adopted.wans[1].name, "lte");
    let reported: Vec<String> = changes.iter().map(ToString::to_string).collect();
    assert_eq!(
        reported,
        [
            "`wans[1]` (dsl) is new: takes effect after a restart",
            "`wans` no longer has lte: takes effect after a restart"
        ]
    );
}

#[test]
fn a_direction_that_comes_or_goes_waits_for_a_restart() {
    let upload_only = RUNNING
        .replacen(
            "    download: {queue: A, floor_mbps: 10, base_mbps: 50, ceiling_mbps: 100}\n",
            "",
            1,
        )
        .replacen("ceiling_mbps: 10}", "ceiling_mbps: 9}", 1);
    for (old, new) in [(RUNNING, upload_only.as_str()), (&upload_only, RUNNING)] {
        let running = parse(old);
        let (adopted, changes) = running.clone().adopt(parse(new));
        let reported: Vec<String> = changes.iter().map(ToString::to_string).collect();
        assert_eq!(
            reported,
            [
                "`wans[0].download` changed: takes effect after a restart",
                "`wans[0].upload.ceiling_mbps` changed"
            ]
        );
        assert_eq!(adopted.wans[0].queues, running.wans[0].queues);
        let download = |config: &Config| config.wans[0].params.directions.download;
        assert_eq!(download(&adopted), download(&running));
    }
}
