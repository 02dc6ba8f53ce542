//! `wanctl check`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    child::{Program, wanctl},
    daemon::assert_secret,
    site::{PASSWORD, Site, Sketch},
};

fn check(config: &Path) -> Command {
    let mut command = wanctl();
    command.args(["check", "--offline", "--config"]).arg(config);
    command
}

#[test]
fn every_shipped_example_is_right_and_reported() {
    let examples = examples();
    assert_eq!(examples.len(), 6, "{examples:?}");
    let site = Site::new();
    site.write("router.password", PASSWORD);
    site.write("router-ca.pem", "-----BEGIN CERTIFICATE-----\n");
    for example in examples {
        let name = example.file_name().unwrap().to_str().unwrap();
        let copy = site.write(name, &fs::read_to_string(&example).unwrap());
        let mut command = check(&copy);
        command.env("ROUTER_PASSWORD", PASSWORD);
        let exit = Program::finish(command);
        assert!(matches!(exit.code(), Some(0 | 2)), "{name}: {exit:#?}");
        assert_secret(&exit.stdout);
        assert_eq!(exit.stderr, "", "{name}");
        let lines: Vec<&str> = exit.stdout.lines().collect();
        let reported = format!("ok       configuration: {}: no errors", copy.display());
        assert!(lines.iter().any(|line| line.starts_with(&reported)), "{exit:#?}");
        for word in [" download: queue tree ", " upload: queue tree ", "floor ", "--offline"] {
            assert!(
                lines.iter().any(|line| line.contains(word)),
                "{name}: `{word}` is missing: {exit:#?}"
            );
        }
    }
}

#[test]
fn a_wrong_file_is_reported_whole_and_never_its_password() {
    let site = Site::with(&Sketch::of("https://192.0.2.1".to_owned()));
    let path = site.path("wanctl.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let text = text
        .replace("password_file: router.password", &format!("passwort: {PASSWORD}"))
        .replace("ceiling_mbps: 100", "ceiling_mbps: 5")
        .replace("127.0.0.2,", "127.0.0.1,");
    site.write("wanctl.yaml", &text);
    let exit = Program::finish(check(&path));
    exit.expect(78);
    assert_secret(&exit.stderr);
    assert_eq!(exit.stdout, "");
    let start = format!("{}:", path.display());
    assert!(exit.stderr.lines().all(|line| line.starts_with(&start)), "{exit:#?}");
    assert!(exit.stderr.lines().count() >= 3, "{exit:#?}");
}

/// The shipped example configurations.
fn examples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
