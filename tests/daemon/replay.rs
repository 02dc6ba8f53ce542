//! `--record` and `wanctl replay`: what the real program decided, decided again.

use std::{fs, path::Path};

use serde_json::Value;

use crate::support::{
    child::{Exit, Program, until, wanctl},
    router::Router,
    site::{Site, Sketch},
};

fn replay(recording: &Path, arguments: &[&str]) -> Exit {
    let mut command = wanctl();
    command.arg("replay").arg(recording).args(arguments);
    Program::finish(command)
}

#[test]
fn a_recorded_demo_is_decided_again_to_the_bit() {
    let site = Site::new();
    let recording = site.path("demo.jsonl");
    let mut demo = wanctl();
    demo.args(["demo", "--duration", "4s", "--listen", "127.0.0.1:0", "--data-dir"]);
    demo.arg(site.path("data")).arg("--record").arg(&recording);
    Program::finish(demo).expect(0);
    let exit = replay(&recording, &[]);
    exit.expect(0);
    assert_eq!(exit.stdout.lines().last(), Some("identical"), "{exit:#?}");
    for wan in ["cable: ", "lte: "] {
        assert!(exit.stdout.lines().any(|line| line.starts_with(wan)), "{exit:#?}");
    }

    // Other settings part from it, and say where and why.
    let lower = ["--wan", "cable", "--set", "download.base_mbps=100"];
    let lower = [&lower[..], &["--set", "download.floor_mbps=20", "--format", "json"]].concat();
    let exit = replay(&recording, &lower);
    let reported: Value = serde_json::from_str(&exit.expect(0).stdout).unwrap();
    let download = &reported["wans"][0]["download"];
    assert_eq!(reported["identical"], false, "{reported}");
    assert!(download["first"]["recorded"]["reason"].is_string(), "{reported}");
    assert_eq!(reported["wans"][0]["upload"]["differing"], 0, "{reported}");
    let exit = replay(&recording, &["--law", "fixed"]);
    assert!(exit.expect(0).stdout.contains("decisions differ"), "{exit:#?}");

    // A line in the middle that somebody has touched is named.
    let text = fs::read_to_string(&recording).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[6] = "{";
    let broken = site.write("broken.jsonl", &lines.join("\n"));
    let exit = replay(&broken, &[]);
    assert!(exit.expect(1).complaint().contains("broken.jsonl: line 7: not a line"), "{exit:#?}");
    // And a recording is never overwritten.
    let mut again = wanctl();
    again.args(["demo", "--listen", "127.0.0.1:0", "--record"]).arg(&recording);
    let exit = Program::finish(again);
    assert!(exit.expect(1).complaint().contains("never overwrites"), "{exit:#?}");
}

#[test]
fn a_run_that_was_reloaded_and_remembers_is_decided_again_to_the_bit() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    daemon.wait_until_ready();
    // A single reply teaches nothing that is worth remembering.
    until("ten cycles", || (daemon.cycles() > 10.0).then_some(()));
    daemon.stop().expect(0);
    let recording = site.path("run.jsonl");
    let mut daemon = site.run(&["--record", recording.to_str().unwrap()]).unwrap();
    daemon.program.logged("continuing from the stored state");
    daemon.wait_until_ready();
    let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    let text = text
        .replace("ceiling_mbps: 100", "ceiling_mbps: 43")
        .replace("yellow_ms: 500", "yellow_ms: 400");
    site.write("wanctl.yaml", &text);
    daemon.program.signal("HUP");
    daemon.program.logged("the configuration was reloaded");
    let seen = daemon.cycles();
    until("more cycles", || (daemon.cycles() > seen + 20.0).then_some(()));
    daemon.stop().expect(0);
    let written = fs::read_to_string(&recording).unwrap();
    for part in ["\"memory\"", "\"change\"", "\"end\""] {
        assert!(written.contains(part), "{part} is not recorded");
    }
    let exit = replay(&recording, &[]);
    assert_eq!(exit.expect(0).stdout.lines().last(), Some("identical"), "{exit:#?}");
    let config = site.path("wanctl.yaml");
    let exit = replay(&recording, &["--config", config.to_str().unwrap()]);
    assert!(exit.expect(0).stdout.contains("cable: "), "{exit:#?}");
}

#[test]
fn what_cannot_be_set_or_read_is_reported() {
    let site = Site::new();
    let nothing = replay(&site.path("none.jsonl"), &[]);
    assert!(nothing.expect(1).complaint().contains("none.jsonl"), "{nothing:#?}");
    for (setting, reported) in [
        ("download.celing_mbps=9", "known: download.floor_mbps"),
        ("download.ceiling_mbps=fast", "a number above 0"),
        ("download.law=zone9", "expected `adaptive` or `zone` or `fixed`"),
        ("9", "expected KEY=VALUE"),
    ] {
        let exit = replay(&site.path("none.jsonl"), &["--set", setting]);
        assert!(exit.expect(2).stderr.contains(reported), "{exit:#?}");
    }
}
