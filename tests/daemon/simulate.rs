//! `wanctl simulate`.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::child::{Exit, Program, wanctl};

fn simulate(arguments: &[&str]) -> Exit {
    let mut command = wanctl();
    command.arg("simulate").args(arguments);
    Program::finish(command)
}

fn rows(arguments: &[&str]) -> Vec<Value> {
    let exit = simulate(&[arguments, &["--format", "json"]].concat());
    exit.expect(0);
    assert_eq!(exit.stderr, "");
    serde_json::from_str(&exit.stdout).unwrap()
}

/// Ten seconds of 12 Mbit/s in mahimahi's format.
fn trace(directory: &TempDir, name: &str) -> String {
    let lines: Vec<String> = (0..=10_000).map(|ms| ms.to_string()).collect();
    let path = directory.path().join(name);
    fs::write(&path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn laws_meet_on_a_trace_and_are_reported_in_every_form() {
    let site = tempfile::tempdir().unwrap();
    let path = trace(&site, "lab.down");
    trace(&site, "lab.up");
    let picture = site.path().join("lab.svg");
    let plot = picture.to_str().unwrap();
    let reported = rows(&[
        "--trace",
        &path,
        "--law",
        "fixed",
        "--compare",
        "--duration",
        "12s",
        "--plot",
        plot,
    ]);
    assert!(reported.len() >= 2, "{reported:?}");
    assert_eq!(reported[0]["law"], "fixed");
    assert_eq!(reported[1]["law"], "adaptive");
    for row in &reported {
        assert_eq!(row["scenario"], "lab");
        assert!(row["added_delay_ms"]["p95"].is_number(), "{row}");
        // The upload was found, and is used.
        let used = row["utilisation_upload"].as_f64().unwrap();
        assert!((0.3..=1.0).contains(&used), "{row}");
        assert!(row["reaction_down_s"].is_null(), "{row}");
    }
    let svg = fs::read_to_string(&picture).unwrap();
    for law in ["adaptive", "fixed"] {
        assert!(svg.contains(&format!(">lab, seed 1: {law}</text>")), "{law} is not in the plot");
    }
    let arguments = ["--trace", &path, "--law", "fixed", "--duration", "8s"];
    let table = simulate(&arguments);
    table.expect(0);
    assert!(table.stdout.starts_with("scenario"), "{table:#?}");
    let csv = simulate(&[&arguments[..], &["--format", "csv"]].concat());
    assert_eq!(csv.stdout.lines().count(), 2, "{csv:#?}");
}

#[test]
fn equal_seeds_give_equal_figures_and_every_seed_a_row() {
    let arguments = ["--scenario", "lte", "--duration", "10s", "--seed", "7", "--seed", "8"];
    let reported = rows(&[&arguments[..], &["--buffer-ms", "50,300"]].concat());
    let names: Vec<_> = reported
        .iter()
        .map(|row| (row["scenario"].as_str().unwrap(), row["seed"].clone()))
        .collect();
    let expected = [("lte/50ms", 7), ("lte/300ms", 7), ("lte/50ms", 8), ("lte/300ms", 8)];
    assert_eq!(names, expected.map(|(name, seed)| (name, Value::from(seed))));
    assert_eq!(reported, rows(&[&arguments[..], &["--buffer-ms", "50,300"]].concat()));
    assert_ne!(reported[0]["added_delay_ms"], reported[2]["added_delay_ms"]);
}

#[test]
fn each_of_several_scenarios_has_a_picture_of_its_own() {
    let site = tempfile::tempdir().unwrap();
    let plot = site.path().join("laws.svg");
    let plot = plot.to_str().unwrap();
    let arguments = ["--scenario", "step", "--scenario", "lte", "--duration", "4s", "--plot", plot];
    simulate(&arguments).expect(0);
    for (file, title) in [("laws-step-1.svg", "step, seed 1"), ("laws-lte-1.svg", "lte, seed 1")] {
        let svg = fs::read_to_string(site.path().join(file)).unwrap();
        assert!(svg.contains(&format!(">{title}: adaptive</text>")), "{file}");
    }
    assert_eq!(fs::read_dir(site.path()).unwrap().count(), 2);
}

#[test]
fn a_configuration_gives_limits_and_law() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/emulator.yaml");
    let config = config.to_str().unwrap();
    let arguments = ["--scenario", "steady", "--duration", "10s", "--config", config];
    let reported = rows(&[&arguments[..], &["--wan", "lte"]].concat());
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0]["law"], "adaptive");
    // It is configured for a link that is far slower than this one.
    let used = reported[0]["utilisation_download"].as_f64().unwrap();
    assert!(used < 0.7, "{reported:?}");
    let exit = simulate(&arguments);
    exit.expect(2);
    assert!(exit.stderr.contains("choose one with --wan (cable, lte)"), "{exit:#?}");
    let exit = simulate(&[&arguments[..], &["--wan", "nowhere"]].concat());
    exit.expect(2);
    assert!(exit.stderr.contains("there is no WAN `nowhere`"), "{exit:#?}");
}

#[test]
fn mistakes_are_reported_with_what_was_meant() {
    let site = tempfile::tempdir().unwrap();
    let broken = site.path().join("broken.csv");
    fs::write(&broken, "seconds,mbit\n0,10\n1,fast\n").unwrap();
    let broken = broken.to_str().unwrap();
    for (arguments, code, reported) in [
        (["--law", "adaptve"], 2, "there is no law `adaptve`; did you mean `adaptive`?"),
        (["--scenario", "stp"], 2, "there is no scenario `stp`; did you mean `step`?"),
        (["--law", "x"], 2, "there is no law `x`; there are: adaptive"),
        (["--trace", "/nowhere"], 1, "cannot read the trace /nowhere: No such file"),
        (["--trace", broken], 1, "broken.csv:3: `fast` here; expected Mbit/s"),
        (["--ceiling", "fast"], 2, "`fast` is not 0.1 to 1000000 Mbit/s"),
    ] {
        let exit = simulate(&arguments);
        exit.expect(code);
        assert!(exit.stderr.contains(reported), "{arguments:?}: {exit:#?}");
        assert_eq!(exit.stdout, "");
    }
    let exit = simulate(&["--scenario", "step", "--base", "30", "--ceiling", "20"]);
    exit.expect(2);
    assert!(exit.stderr.contains("ascending order"), "{exit:#?}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let mut command = Command::new("sh");
    command.args(["-c", r#""$0" simulate --list | true; exit 0"#]).arg(wanctl().get_program());
    let exit = Program::finish({
        command.stdin(Stdio::null());
        command
    });
    exit.expect(0);
    assert_eq!(exit.stderr, "");
}
