//! The rules, and who breaks them.

use super::paths::{Named, Outline, outline};

/// A crate of the workspace.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) name: &'static str,
    /// The directory of its sources.
    pub(crate) directory: &'static str,
    /// The other crates of the workspace that it may import.
    may_import: &'static [&'static str],
    /// Which of its modules each module may import besides itself, from the bottom to the top: what a
    /// module imports must stand above it in this table. Code for tests may import anything below
    /// `daemon`, but not in the core. Empty if every import is allowed.
    pub(crate) arrows: &'static [(&'static str, &'static [&'static str])],
}

pub(crate) const CRATES: [Crate; 3] = [
    Crate { name: "wanctl_core", directory: "crates/core/src", may_import: &[], arrows: CORE },
    Crate {
        name: "wanctl_lab",
        directory: "crates/lab/src",
        may_import: &["wanctl_core"],
        arrows: &[],
    },
    Crate {
        name: "wanctl",
        directory: "src",
        may_import: &["wanctl_core", "wanctl_lab"],
        arrows: PRODUCT,
    },
];

const CORE: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("direction", &[]),
    ("params", &["units"]),
    ("sample", &["units", "direction"]),
    ("estimate", &["units", "direction", "sample", "params"]),
    ("policy", &["units", "direction", "sample", "params", "estimate"]),
    ("pending", &["units", "params", "estimate", "policy"]),
    ("memory", &["units", "direction", "sample"]),
    ("cycle", &["units", "direction", "sample", "estimate", "policy"]),
    (
        "wan",
        &[
            "units",
            "direction",
            "sample",
            "params",
            "estimate",
            "policy",
            "pending",
            "cycle",
            "memory",
        ],
    ),
    ("steering", &["units", "direction", "sample", "params", "estimate", "policy", "cycle", "wan"]),
];

const PRODUCT: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("catalogue", &[]),
    ("digest", &[]),
    ("files", &[]),
    ("https", &[]),
    ("plot", &[]),
    // What probes or shapes declares its own settings; `config` reads them from the file.
    ("router", &["digest", "files", "https"]),
    ("probe", &["clock", "catalogue", "router"]),
    ("actuator", &["clock", "catalogue", "router"]),
    ("config", &["digest", "files", "router", "probe", "actuator"]),
    ("history", &["clock", "catalogue", "files"]),
    ("recording", &[]),
    ("telemetry", &["catalogue"]),
    ("status", &["actuator"]),
    ("http", &["clock", "catalogue", "config", "history", "status", "telemetry"]),
    (
        "daemon",
        &[
            "clock",
            "catalogue",
            "config",
            "probe",
            "router",
            "actuator",
            "history",
            "recording",
            "telemetry",
            "status",
            "http",
        ],
    ),
    (
        "cli",
        &[
            "https",
            "plot",
            "files",
            "clock",
            "catalogue",
            "config",
            "probe",
            "router",
            "actuator",
            "history",
            "recording",
            "telemetry",
            "status",
            "http",
            "daemon",
        ],
    ),
];

/// The only modules of the product that may import the lab, besides tests.
const LAB_USERS: [&[&str]; 2] = [&["cli", "lab"], &["probe", "simulated"]];

/// The folders of `router` that are kinds of it, and the only modules besides `router` itself, the
/// composition of a demo, and tests that may name one: who else does is not free of the kind.
const KINDS: [&str; 1] = ["routeros"];
const KIND_USERS: [&[&str]; 3] = [&["router"], &["config", "router"], &["cli", "lab"]];

/// The crate that computes and does nothing else.
const PURE: &str = "wanctl_core";
/// What the core must not name: whatever waits, reads a clock, or has an order of its own.
const BANNED_IN_CORE: &[&[&str]] = &[
    &["anyhow"],
    &["reqwest"],
    &["rusqlite"],
    &["std", "collections", "HashMap"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "io"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["tokio"],
    &["tracing"],
];
/// Whoever calls these prints; each with the token that makes it a call.
const PRINTERS: [(&str, &str); 4] =
    [("print", "!"), ("println", "!"), ("dbg", "!"), ("stdout", "(")];
/// How many lines a file may have, and how many if it holds nothing but tests.
const LONGEST: usize = 400;
const LONGEST_TEST: usize = 600;

/// A source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path, such as `crates/core/src/policy/zone.rs`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns a line for every place that breaks a rule.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let files: Vec<File> = sources.iter().filter_map(File::read).collect();
    let exports: Vec<Export> = files.iter().flat_map(File::exports).collect();
    let test_modules: Vec<_> = files.iter().flat_map(File::test_modules).collect();
    files.iter().flat_map(|file| file.check(&exports, &test_modules)).collect()
}

/// An item that a crate exports at its root: the crate, the item and the module that declares it.
type Export = (&'static str, String, String);

struct File<'a> {
    source: &'a Source,
    krate: &'static Crate,
    /// The path of its module; `[]` for the crate itself and for programs.
    module: Vec<String>,
    outline: Outline,
}

impl<'a> File<'a> {
    fn read(source: &'a Source) -> Option<Self> {
        let (krate, name) = CRATES.iter().find_map(|krate| {
            let below = source.name.strip_prefix(krate.directory)?;
            Some((krate, below.strip_prefix('/')?))
        })?;
        let stem = name.trim_end_matches(".rs");
        let module: Vec<String> = match stem {
            "lib" | "main" => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let outline = outline(&source.text, &module);
        Some(Self { source, krate, module, outline })
    }

    fn exports(&self) -> Vec<Export> {
        if !self.source.name.ends_with("/lib.rs") {
            return Vec::new();
        }
        // At the root, the path of a `pub use` begins with a module of the crate.
        let named = self.outline.named.iter().filter_map(|named| match &named.path[..] {
            [module, .., item] if is_type(item) => {
                Some((self.krate.name, item.clone(), module.clone()))
            }
            _ => None,
        });
        named.collect()
    }

    fn test_modules(&self) -> impl Iterator<Item = (&'static str, Vec<String>)> {
        let child = |name: &String| [&self.module[..], std::slice::from_ref(name)].concat();
        self.outline.test_modules.iter().map(move |name| (self.krate.name, child(name)))
    }

    fn check(&self, exports: &[Export], test_modules: &[(&str, Vec<String>)]) -> Vec<String> {
        let is_below = |(krate, module): &(&str, Vec<String>)| {
            *krate == self.krate.name && self.module.starts_with(module)
        };
        let is_test =
            self.module.iter().any(|part| part == "tests") || test_modules.iter().any(is_below);
        let mut broken = self.check_form(is_test);
        for named in &self.outline.named {
            let relaxed = is_test || named.in_test;
            let flaw = self
                .check_crate(named, relaxed)
                .or_else(|| self.check_arrow(named, exports, relaxed))
                .or_else(|| self.check_kind(named, relaxed))
                .or_else(|| self.check_core(named))
                .or_else(|| self.check_output(named, relaxed));
            broken.extend(flaw.map(|flaw| self.place(named.line, &flaw)));
        }
        broken.dedup();
        broken
    }

    fn place(&self, line: usize, flaw: &str) -> String {
        format!("{}:{line}: {flaw}", self.source.name)
    }

    /// Crates import one way.
    fn check_crate(&self, named: &Named, in_test: bool) -> Option<String> {
        let imported = CRATES
            .iter()
            .find(|krate| Some(krate.name) == named.path.first().map(String::as_str))?;
        let ours = self.krate.name;
        if imported.name == ours {
            let strays = self.module.is_empty() && named.path.get(1).is_some_and(|it| it != "cli");
            return strays
                .then(|| format!("a program imports `cli` and nothing else: {}", named.path[1]));
        }
        if !self.krate.may_import.contains(&imported.name) {
            return Some(format!("`{ours}` must not import `{}`", imported.name));
        }
        let is_user = |user: &&[&str]| {
            self.module.iter().zip(*user).filter(|(a, b)| a == *b).count() == user.len()
        };
        let strays = imported.name == "wanctl_lab" && !in_test && !LAB_USERS.iter().any(is_user);
        strays
            .then(|| "only `cli::lab`, `probe::simulated` and tests import `wanctl_lab`".to_owned())
    }

    fn check_form(&self, is_test: bool) -> Vec<String> {
        let mut broken = Vec::new();
        let longest = if is_test { LONGEST_TEST } else { LONGEST };
        let lines = self.source.text.lines().count();
        if lines > longest {
            broken.push(self.place(longest + 1, &format!("{lines} lines; at most {longest}")));
        }
        if self.module.last().is_some_and(|last| last == "mod") {
            broken.push(self.place(1, "`mod.rs` is not used here; name the file like its module"));
        }
        broken
    }

    /// Modules import one way.
    fn check_arrow(&self, named: &Named, exports: &[Export], in_test: bool) -> Option<String> {
        let module = self.module.first().filter(|_| !self.krate.arrows.is_empty())?;
        if named.path.first()? != "crate" {
            return None;
        }
        let imported = named.path.get(1)?;
        let is_export = |export: &&Export| export.0 == self.krate.name && export.1 == *imported;
        let imported = exports.iter().find(is_export).map_or(imported, |export| &export.2).as_str();
        if imported == module {
            return None;
        }
        let arrows = self.krate.arrows;
        let Some((_, may_import)) = arrows.iter().find(|(known, _)| known == module) else {
            return Some(format!("`{module}` is not in the table of arrows (tests/architecture)"));
        };
        let relaxed = in_test && self.krate.name != PURE;
        let allowed = may_import.contains(&imported)
            || (relaxed && !["daemon", "cli"].contains(&imported))
            || !arrows.iter().any(|(known, _)| *known == imported);
        (!allowed).then(|| {
            let list = if may_import.is_empty() { "nothing".into() } else { may_import.join(", ") };
            format!("`{module}` must not import `{imported}`; it may import {list}")
        })
    }

    /// A kind of router is known to few.
    fn check_kind(&self, named: &Named, in_test: bool) -> Option<String> {
        let [root, router, kind, ..] = &named.path[..] else { return None };
        let is_kind = root == "crate" && router == "router" && KINDS.contains(&kind.as_str());
        let is_user = |user: &&[&str]| {
            self.module.iter().zip(*user).filter(|(a, b)| a == *b).count() == user.len()
        };
        let strays = is_kind && !in_test && !KIND_USERS.iter().any(is_user);
        strays.then(|| format!("only `router` and `config::router` may name the kind `{kind}`"))
    }

    /// The core computes, and does nothing else, in its tests as well.
    fn check_core(&self, named: &Named) -> Option<String> {
        if self.krate.name != PURE {
            return None;
        }
        let is_banned = |ban: &&&[&str]| {
            let begins = named.path.len() >= ban.len();
            begins && ban.iter().zip(&named.path).all(|(banned, word)| banned == word)
        };
        // A word alone may be a name of the core's own.
        let ban = BANNED_IN_CORE.iter().filter(|_| named.path.len() > 1).find(is_banned)?;
        Some(format!("the core must not use `{}`", ban.join("::")))
    }

    /// Only `cli` talks to a terminal, and only it has errors without a type.
    fn check_output(&self, named: &Named, in_test: bool) -> Option<String> {
        if in_test || self.module.first().is_none_or(|module| module == "cli") {
            return None;
        }
        let last = named.path.last()?.as_str();
        if named.path.first()? == "anyhow" && named.path.len() > 1 {
            return Some("only `cli` uses `anyhow`; give the error a type".to_owned());
        }
        PRINTERS
            .contains(&(last, &named.then))
            .then(|| "only `cli` prints; log it, or return it".to_owned())
    }
}

fn is_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}
