use std::sync::Arc;

use proptest::prelude::*;
use tokio::runtime;
use wanctl_core::units::BitRate;

use super::*;
use crate::{
    plant::{Plant, PlantReading},
    routeros::{EmulatorConfig, LatencyProfile, MangleSpec, Policy, QueueSpec, RequestEffect},
};

#[derive(Debug)]
struct NoPlant;

impl Plant for NoPlant {
    fn set_limit(&self, _: &str, _: BitRate) {}

    fn reading(&self, _: &str) -> PlantReading {
        PlantReading::default()
    }
}

fn emulator(version: &str) -> Emulator {
    let queue = |name: &str, mbps| QueueSpec {
        name: name.to_owned(),
        parent: "bridge".to_owned(),
        queue_type: "cake".to_owned(),
        max_limit: BitRate::from_mbps(mbps),
        bucket_size: "0.1".into(),
    };
    let rule = |comment: &str| MangleSpec {
        chain: "prerouting".to_owned(),
        action: "mark-routing".to_owned(),
        comment: comment.to_owned(),
        disabled: true,
        ..MangleSpec::default()
    };
    let reader = User { policies: vec![Policy::Read], ..User::full("reader", "secret") };
    let writer = User { policies: vec![Policy::Write], ..User::full("writer", "secret") };
    let config = EmulatorConfig {
        version: version.to_owned(),
        users: vec![User::full("ctl", "secret"), reader, writer],
        queues: vec![queue("dl", 100.0), queue("ul", 20.0)],
        mangle: vec![rule("steer: calls"), rule("steer: calls"), rule("steer: games")],
        latency: LatencyProfile::None,
        ..EmulatorConfig::default()
    };
    Emulator::new(config, Arc::new(NoPlant))
}

fn say(emulator: &Emulator, login: &str, command: &str) -> String {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(emulator.console(login, command))
}

/// What the controller sees of a router of version 7.20.
fn ctl(command: &str) -> String {
    say(&emulator("7.20.8 (stable)"), "ctl+cet512w", command)
}

#[test]
fn commands_print_what_routeros_prints() {
    for (command, printed) in [
        (":put hello", "hello\r\n"),
        (r#":put "a; b\"\$\5F\_c"; :put OK-1"#, "a; b\"$_ c\r\nOK-1\r\n"),
        (":put \"gone: $x.\"", "gone: .\r\n"),
        (":put [/queue/tree/get [find name=\"dl\"] max-limit]", "100000000\r\n"),
        (":put [/queue tree get *1000001 name]", "ul\r\n"),
        (":put [:len [/queue/tree/find name=\"dl\"]]", "1\r\n"),
        (":put [:len [/queue/tree/find name=\"none\"]]", "0\r\n"),
        (":put [/queue/tree/find]", "*1000000;*1000001\r\n"),
        ("/queue/tree/print count-only where max-limit=20000000", "1\r\n"),
        (
            "/ip/firewall/mangle/print count-only where comment=\"steer: calls\" and disabled",
            "2\r\n",
        ),
        (":put [/ip/firewall/mangle/print count-only where !disabled]", "0\r\n"),
        (
            ":put [/queue/tree/print as-value proplist=name]",
            ".id=*1000000;name=dl;.id=*1000001;name=ul\r\n",
        ),
        (":put [:serialize to=json [/system/identity/get]]", "{\"name\":\"MikroTik\"}\r\n"),
        (
            ":foreach k,v in=[/system/identity/get] do={:put ($k . \"!\" . [:tostr $v])}; :error over; :put no",
            "name!MikroTik\r\nover\r\n",
        ),
        (
            ":put [/ping address=192.0.2.1 count=1 as-value]",
            "avg-rtt=00:00:00.010000;host=192.0.2.1;max-rtt=00:00:00.010000;min-rtt=00:00:00.010000;packet-loss=0;received=1;sent=1;seq=0;size=56;time=00:00:00.010000;ttl=64\r\n",
        ),
        // Successes of all kinds.
        ("/queue/tree/set [find name=\"dl\"] max-limit=50M", ""),
        ("/queue/tree/set [find name=\"none\"] max-limit=50M; :put OK", "OK\r\n"),
        ("/ip/firewall/mangle/enable [find comment=\"none\"]", ""),
        ("/ip/firewall/mangle/enable *3; :put [/ip/firewall/mangle/get *3 disabled]", "false\r\n"),
        (
            "/queue/tree/set *1000000 max-limit=7M; :put [/queue/tree/get dl max-limit]",
            "7000000\r\n",
        ),
    ] {
        assert_eq!(ctl(command), printed, "{command}");
    }
}

#[test]
fn errors_are_words_and_end_everything() {
    for (command, printed) in [
        ("ttt", "bad command name ttt (line 1 column 1)"),
        ("/ttt", "bad command name ttt (line 1 column 2)"),
        ("/queue/tre/print", "bad command name tre (line 1 column 8)"),
        (":put a; /queue/tree/prnt; :put b", "bad command name prnt (line 1 column 21)"),
        ("/queue/tree/set dl max-limt=1M", "expected end of command (line 1 column 20)"),
        ("/queue/tree", "expected command name (line 1 column 12)"),
        (":put \"open", "syntax error (line 1 column 11)"),
        ("/queue/tree/set *FFFF max-limit=1M; :put OK", "no such item"),
        ("/queue/tree/set none max-limit=1M; :put OK", "no such item"),
        ("/queue/tree/set dl max-limit=fast; :put OK", "invalid value for argument max-limit"),
        ("/queue/tree/set dl priority=9", "value of priority out of range (1..8)"),
        ("/queue/tree/set dl parent=none", "input does not match any value of parent"),
    ] {
        assert_eq!(ctl(command), format!("{printed}\r\n"), "{command}");
    }
    let emulator = emulator("7.23.1 (stable)");
    let reported = say(&emulator, "ctl", "/queue/tree/set dl max-limt=1M");
    assert_eq!(reported, "bad parameter max-limt (line 1 column 20)\r\n");
    let old = self::emulator("7.15.3 (stable)");
    let reported = say(&old, "ctl", ":put [:serialize to=json [/queue/tree/get dl]]");
    assert_eq!(reported, "bad command name serialize (line 1 column 8)\r\n");
}

#[test]
fn policies_hold_on_the_console_too() {
    let emulator = emulator("7.20.8 (stable)");
    for (user, command) in [
        ("reader", "/queue/tree/set dl max-limit=1M"),
        ("reader", "/ip/firewall/mangle/enable *1"),
        ("reader", ":put [/ping address=192.0.2.1 count=1 as-value]"),
        ("writer", ":put [/queue/tree/get dl]"),
        ("writer", "/queue/tree/print"),
    ] {
        let reported = say(&emulator, user, command);
        assert_eq!(reported, "not enough permissions (9)\r\n", "{user}: {command}");
    }
    assert_eq!(say(&emulator, "nobody", ":put hello"), "");
    assert!(emulator.log().iter().all(|call| call.effects.is_empty()));
}

#[test]
fn what_the_console_does_is_done_and_logged() {
    let emulator = emulator("7.20.8 (stable)");
    let command = "/queue/tree/set *1000000 max-limit=\"50000000\"; /ip/firewall/mangle/enable *3";
    assert_eq!(say(&emulator, "ctl+cet512w", command), "");
    let call = emulator.log().pop().unwrap();
    assert_eq!((&*call.user, &*call.method, &*call.path), ("ctl", "SSH", command));
    let limit = RequestEffect::Limit {
        queue: "dl".to_owned(),
        from: BitRate::from_mbps(100.0),
        to: BitRate::from_mbps(50.0),
    };
    let rule = RequestEffect::Rule { comment: "steer: games".to_owned(), enabled: true };
    assert_eq!(call.effects, [limit, rule]);
}

#[test]
fn lines_are_broken_at_the_width_of_the_terminal() {
    let long = "x".repeat(200);
    for (login, lengths) in [
        ("ctl", &[80, 80, 40][..]),
        ("ctl+cet", &[80, 80, 40]),
        ("ctl+cet100w", &[100, 100]),
        ("ctl+cet512w", &[200]),
    ] {
        let reported = say(&emulator("7.20.8"), login, &format!(":put {long}"));
        let reported: Vec<usize> = reported.lines().map(str::len).collect();
        assert_eq!(reported, lengths, "{login}");
    }
}

#[test]
fn people_see_letters_units_and_folded_lines() {
    let reported = ctl("/queue/tree/print detail where name=\"dl\"");
    let mut lines = reported.lines();
    assert_eq!(lines.next(), Some("Flags: X - disabled, D - dynamic, I - invalid"));
    assert!(lines.next().unwrap().starts_with(" 0    bucket-size=0.1 burst-limit=0"), "{reported}");
    assert!(reported.contains(" max-limit=100M "), "{reported}");
    assert!(reported.lines().all(|line| line.len() <= 80), "{reported}");
}

#[test]
fn json_is_typed_and_takes_texts_for_numbers_by_default() {
    let emulator = emulator("7.20.8 (stable)");
    say(&emulator, "ctl", "/queue/tree/set dl name=007");
    for (options, name) in [("", "7"), ("options=json.no-string-conversion ", "\"007\"")] {
        let command = format!(":put [:serialize to=json {options}[/queue/tree/get *1000000]]");
        let reported = say(&emulator, "ctl+cet4096w", &command);
        for part in [&format!("\"name\":{name},"), "\"disabled\":false", "\"max-limit\":100000000"]
        {
            assert!(reported.contains(part), "{part} in {reported}");
        }
        assert!(reported.contains("\"burst-time\":\"00:00:00\""), "{reported}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_command_line_brings_the_console_down(
        anything in "\\PC{0,60}",
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "/queue/tree/", "print", "get", "set", "[", "]", "find", "name=", "\"dl\"", ":put",
                ":foreach k,v in=", "do={", "}", "$k", "(", " . ", ")", ";", "where", "!", "*1000000",
                ":serialize to=json", "=", "\\", " ",
            ]),
            0..24,
        ),
    ) {
        let emulator = emulator("7.20.8 (stable)");
        for command in [anything, words.concat(), words.join(" ")] {
            let _ = say(&emulator, "ctl", &command);
        }
        let deep = "[".repeat(5000);
        let _ = say(&emulator, "ctl", &format!(":put {deep}"));
    }
}
