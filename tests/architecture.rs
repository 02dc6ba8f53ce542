//! The arrows of the architecture, read from the sources: who imports whom, what the pure core
//! never touches, and how long a file may be.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

#[path = "architecture"]
mod architecture {
    pub(crate) mod paths;
    pub(crate) mod rules;
}

use std::{
    fs,
    path::{Path, PathBuf},
};

use architecture::rules::{self, Source};

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    let source = |file: &PathBuf| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        Source { name, text: fs::read_to_string(file).unwrap() }
    };
    files.iter().map(source).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
}

#[test]
fn the_sources_follow_the_rules() {
    let sources = sources();
    assert!(sources.len() > 50, "only {} files were found", sources.len());
    let broken = rules::check(&sources);
    assert!(broken.is_empty(), "{} rules are broken:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn the_table_of_arrows_has_no_circle_and_no_gap() {
    let mut known: Vec<&str> = Vec::new();
    for (module, may_import) in rules::ARROWS {
        for imported in *may_import {
            assert!(known.contains(imported), "{module} imports {imported}, which comes later");
        }
        known.push(module);
    }
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        assert!(known.contains(&module), "{module} is not in the table of arrows");
    }
}

/// What the rules say about one made-up file.
fn verdict(name: &str, text: &str) -> Vec<String> {
    rules::check(&[Source { name: name.to_owned(), text: text.to_owned() }])
}

#[test]
fn violations_are_found_and_placed() {
    for (name, text, place) in [
        ("control/law.rs", "use crate::router::Router;", "1: `control` must not import `router`"),
        ("control/law.rs", "\nuse crate::{units::Delay, clock};", "2: `control` must not import"),
        (
            "control/law.rs",
            "fn f() { super::super::clock::Clock::wall(); }",
            "1: `control` must not",
        ),
        (
            "status/view.rs",
            "use super::super::{\n  http,\n};",
            "2: `status` must not import `http`",
        ),
        ("probe.rs", "use super::daemon;", "1: `probe` must not import `daemon`"),
        (
            "probe.rs",
            "mod a { mod b { use super::super::super::http; } }",
            "must not import `http`",
        ),
        ("probe.rs", "fn f() -> crate::history::Event {}", "1: `probe` must not import `history`"),
        ("daemon.rs", "use crate::sim::world::World;", "1: `daemon` must not import `sim`"),
        ("main.rs", "use wanctl::daemon::Daemon;", "1: a program imports"),
        ("novelty.rs", "use crate::units::Delay;", "1: `novelty` is not in the table"),
        (
            "control.rs",
            "use std::{time::{Duration, Instant}};",
            "1: the core must not use `std::time",
        ),
        ("control.rs", "use std::collections::HashMap;", "1: the core must not use `std::coll"),
        ("control/a.rs", "fn f() { std::fs::read(p); }", "1: the core must not use `std::fs"),
        ("control/a.rs", "#[cfg(test)] mod tests { use std::env; }", "must not use `std::env"),
        ("control/a.rs", "use tokio::time;", "1: the core must not use `tokio"),
        ("units.rs", "tracing::info!(\"x\");", "1: the core must not use `tracing"),
        ("router.rs", "use anyhow::Result;", "1: only `cli` uses `anyhow`"),
        ("http.rs", "fn f() { println!(\"x\"); }", "1: only `cli` prints"),
        ("http.rs", "fn f() { std::io::stdout(); }", "1: only `cli` prints"),
        ("router/mod.rs", "", "1: `mod.rs`"),
    ] {
        let told = verdict(name, text);
        assert_eq!(told.len(), 1, "{text}: {told:?}");
        assert!(told[0].starts_with(&format!("src/{name}:")), "{told:?}");
        assert!(told[0].contains(place), "{told:?} does not say `{place}`");
    }
    assert_eq!(verdict("probe.rs", &"\n".repeat(401)).len(), 1);
    assert_eq!(verdict("probe/tests.rs", &"\n".repeat(601)).len(), 1);
}

#[test]
fn what_is_allowed_is_let_pass() {
    for (name, text) in [
        ("control/law.rs", "use crate::{control::Limits, units::{BitRate, Delay}};"),
        ("control/law.rs", "use super::super::units; use std::time::Duration;"),
        ("control/law/adaptive.rs", "pub(in crate::control) struct A; pub(super) struct B;"),
        (
            "control/law.rs",
            "// use crate::http;\n/* crate::http */ const A: &str = \"crate::http\";",
        ),
        ("control/law.rs", "const A: &str = r#\"\"crate::http\"\"#; const B: char = '\"';"),
        ("control/law.rs", "fn f<'a>(x: &'a str) -> io::Kind { tokio(x) }"),
        ("router.rs", "#[cfg(test)]\nmod tests { use crate::sim::routeros::Emulator; }"),
        ("router/rest/tests.rs", "use crate::sim::routeros::Emulator;"),
        ("cli/demo.rs", "use crate::sim::home; use anyhow::Result; fn f() { stdout(); }"),
        ("main.rs", "fn main() { wanctl::cli::main() }"),
    ] {
        assert_eq!(verdict(name, text), Vec::<String>::new(), "{name}: {text}");
    }
    let marked = [
        Source { name: "history.rs".into(), text: "#[cfg(test)]\nmod fixture;".into() },
        Source { name: "history/fixture.rs".into(), text: "use crate::sim::home;".into() },
    ];
    assert_eq!(rules::check(&marked), Vec::<String>::new());
    assert_eq!(verdict("probe/tests.rs", &"\n".repeat(600)), Vec::<String>::new());
}
