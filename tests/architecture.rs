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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for krate in &rules::CRATES {
        collect(&root.join(krate.directory), &mut files);
    }
    let source = |file: &PathBuf| {
        let name = file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
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
    for krate in rules::CRATES.iter().filter(|krate| !krate.arrows.is_empty()) {
        let mut known: Vec<&str> = Vec::new();
        for (module, may_import) in krate.arrows {
            for imported in *may_import {
                assert!(known.contains(imported), "{module} imports {imported}, which comes later");
            }
            known.push(module);
        }
        let map = Path::new(env!("CARGO_MANIFEST_DIR")).join(krate.directory).join("lib.rs");
        let map = fs::read_to_string(map).unwrap();
        let declared = map.lines().filter_map(|line| {
            line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
        });
        for module in declared {
            assert!(known.contains(&module), "{module} is not in the table of arrows");
        }
    }
}

/// What the rules say about one made-up file.
fn violations(name: &str, text: &str) -> Vec<String> {
    rules::check(&[Source { name: name.to_owned(), text: text.to_owned() }])
}

#[test]
fn violations_are_found_and_placed() {
    for (name, text, message) in [
        (
            "crates/core/src/policy/zone.rs",
            "use crate::{units::Delay, wan};",
            "1: `policy` must not import `wan`",
        ),
        (
            "crates/core/src/policy/zone.rs",
            "\nfn f() { super::super::wan::Wan::new(); }",
            "2: `policy` must not import `wan`",
        ),
        ("crates/core/src/units.rs", "use wanctl::http::Web;", "1: `wanctl_core` must not import"),
        ("crates/core/src/units.rs", "use wanctl_lab::link::Link;", "1: `wanctl_core` must not"),
        ("crates/lab/src/link.rs", "use wanctl::clock::Clock;", "1: `wanctl_lab` must not import"),
        ("crates/lab/src/a/tests.rs", "use wanctl::clock::Clock;", "1: `wanctl_lab` must not"),
        ("src/status/view.rs", "use super::super::{\n  http,\n};", "2: `status` must not import"),
        ("src/probe.rs", "use super::daemon;", "1: `probe` must not import `daemon`"),
        (
            "src/probe.rs",
            "mod a { mod b { use super::super::super::http; } }",
            "must not import `http`",
        ),
        ("src/probe.rs", "fn f() -> crate::history::Event {}", "1: `probe` must not import"),
        ("src/daemon.rs", "use wanctl_lab::world::World;", "1: only `cli::lab`"),
        ("src/probe/icmp.rs", "use wanctl_lab::world::World;", "1: only `cli::lab`"),
        ("src/main.rs", "use wanctl::daemon::Daemon;", "1: a program imports"),
        ("src/novelty.rs", "use crate::files;", "1: `novelty` is not in the table"),
        (
            "crates/core/src/wan.rs",
            "use std::{time::{Duration, Instant}};",
            "1: the core must not use `std::time",
        ),
        (
            "crates/core/src/wan.rs",
            "use std::collections::HashMap;",
            "1: the core must not use `std::coll",
        ),
        (
            "crates/core/src/wan/a.rs",
            "fn f() { std::fs::read(p); }",
            "1: the core must not use `std::fs",
        ),
        (
            "crates/core/src/wan/a.rs",
            "#[cfg(test)] mod tests { use std::env; }",
            "must not use `std::env",
        ),
        ("crates/core/src/wan/a.rs", "use tokio::time;", "1: the core must not use `tokio"),
        ("crates/core/src/units.rs", "tracing::info!(\"x\");", "1: the core must not use `tracing"),
        ("src/actuator.rs", "use crate::router::routeros::RouterOs;", "1: only `router` and"),
        ("src/config/wan.rs", "use crate::router::routeros::KIND;", "1: only `router` and"),
        (
            "src/router/routeros/rest.rs",
            "use crate::config::Config;",
            "1: `router` must not import",
        ),
        ("src/router.rs", "use anyhow::Result;", "1: only `cli` uses `anyhow`"),
        ("src/http.rs", "fn f() { println!(\"x\"); }", "1: only `cli` prints"),
        ("src/http.rs", "fn f() { std::io::stdout(); }", "1: only `cli` prints"),
        ("src/router/mod.rs", "", "1: `mod.rs`"),
    ] {
        let found = violations(name, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(&format!("{name}:")), "{found:?}");
        assert!(found[0].contains(message), "{found:?} does not contain `{message}`");
    }
    assert_eq!(violations("src/probe.rs", &"\n".repeat(401)).len(), 1);
    assert_eq!(violations("src/probe/tests.rs", &"\n".repeat(601)).len(), 1);
}

#[test]
fn an_item_at_the_root_belongs_to_its_module() {
    let map = Source {
        name: "crates/core/src/lib.rs".into(),
        text: "mod wan;\npub use wan::{Decision, Wan};".into(),
    };
    let user = Source {
        name: "crates/core/src/estimate/load.rs".into(),
        text: "use crate::Decision;".into(),
    };
    let found = rules::check(&[map, user]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`estimate` must not import `wan`"), "{found:?}");
}

#[test]
fn what_is_allowed_is_let_pass() {
    for (name, text) in [
        ("crates/core/src/policy.rs", "use crate::{estimate::Load, units::{BitRate, Delay}};"),
        ("crates/core/src/policy/a.rs", "use super::super::units; use std::time::Duration;"),
        ("crates/core/src/policy/a/b.rs", "pub(in crate::policy) struct A; pub(super) struct B;"),
        (
            "crates/core/src/policy.rs",
            "// use crate::wan;\n/* crate::wan */ const A: &str = \"crate::wan\";",
        ),
        (
            "crates/core/src/policy.rs",
            "const A: &str = r#\"\"crate::wan\"\"#; const B: char = '\"';",
        ),
        ("crates/core/src/policy.rs", "fn f<'a>(x: &'a str) -> io::Kind { tokio(x) }"),
        ("crates/lab/src/link.rs", "use crate::{world, routeros}; use wanctl_core::Wan;"),
        ("src/router.rs", "#[cfg(test)]\nmod tests { use wanctl_lab::routeros::Emulator; }"),
        ("src/router/rest/tests.rs", "use wanctl_lab::routeros::Emulator;"),
        (
            "src/cli/lab/demo.rs",
            "use wanctl_lab::demo_wans; use anyhow::Result; fn f() { stdout(); }",
        ),
        ("src/probe/simulated.rs", "use wanctl_lab::world::World;"),
        ("src/main.rs", "fn main() { wanctl::cli::main() }"),
        ("src/config/router/routeros.rs", "use crate::router::routeros::Settings;"),
    ] {
        assert_eq!(violations(name, text), Vec::<String>::new(), "{name}: {text}");
    }
    let marked = [
        Source { name: "src/history.rs".into(), text: "#[cfg(test)]\nmod fixture;".into() },
        Source { name: "src/history/fixture.rs".into(), text: "use wanctl_lab::demo_wans;".into() },
    ];
    assert_eq!(rules::check(&marked), Vec::<String>::new());
    assert_eq!(violations("src/probe/tests.rs", &"\n".repeat(600)), Vec::<String>::new());
}
