//! The rules, and who breaks them.

use super::paths::{Named, Outline, outline};

/// Which modules of ours each module may import besides itself, from the bottom to the top: what
/// a module imports must stand above it in this table. Code for tests may import anything below
/// `daemon`, but not in the pure core.
pub(crate) const ARROWS: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("control", &["units"]),
    ("steering", &["units", "control"]),
    ("clock", &["units"]),
    ("catalogue", &[]),
    ("digest", &[]),
    ("files", &[]),
    ("tls", &[]),
    ("config", &["units", "control", "steering", "digest", "files"]),
    ("router", &["units", "control", "config", "digest", "files", "tls"]),
    // A router can send probes, and writes rates: what does either stands on `router`.
    ("probe", &["units", "control", "clock", "catalogue", "config", "router"]),
    ("actuator", &["units", "control", "steering", "clock", "catalogue", "config", "router"]),
    ("history", &["units", "control", "steering", "catalogue", "files"]),
    ("recording", &["units", "control"]),
    ("telemetry", &["units", "control", "steering", "catalogue"]),
    ("status", &["units", "control", "steering", "actuator"]),
    ("http", &["units", "clock", "catalogue", "config", "history", "status", "telemetry"]),
    (
        "daemon",
        &[
            "units",
            "control",
            "steering",
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
    // Links and a router in memory: beside the daemon, not above it.
    (
        "sim",
        &[
            "units",
            "files",
            "control",
            "steering",
            "clock",
            "catalogue",
            "config",
            "probe",
            "router",
            "actuator",
            "history",
            "telemetry",
            "status",
            "http",
        ],
    ),
    (
        "cli",
        &[
            "tls",
            "units",
            "files",
            "control",
            "steering",
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
            "sim",
        ],
    ),
];

/// The pure core, whose tests are pure as well.
const CORE: [&str; 3] = ["units", "control", "steering"];
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

/// A file below `src`.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path below `src`, such as `control/law.rs`.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Returns a line for every place that breaks a rule.
pub(crate) fn check(sources: &[Source]) -> Vec<String> {
    let files: Vec<File> = sources.iter().map(File::read).collect();
    let test_modules: Vec<Vec<String>> = files.iter().flat_map(File::test_modules).collect();
    files.iter().flat_map(|file| file.check(&test_modules)).collect()
}

struct File<'a> {
    source: &'a Source,
    /// The path of its module; `[]` for the crate itself and for programs.
    module: Vec<String>,
    outline: Outline,
}

impl<'a> File<'a> {
    fn read(source: &'a Source) -> Self {
        let stem = source.name.trim_end_matches(".rs");
        let module: Vec<String> = match stem {
            "lib" | "main" => Vec::new(),
            stem if stem.starts_with("bin/") => Vec::new(),
            stem => stem.split('/').map(str::to_owned).collect(),
        };
        let outline = outline(&source.text, &module);
        Self { source, module, outline }
    }

    fn test_modules(&self) -> impl Iterator<Item = Vec<String>> {
        let child = |name: &String| [&self.module[..], std::slice::from_ref(name)].concat();
        self.outline.test_modules.iter().map(child)
    }

    fn check(&self, test_modules: &[Vec<String>]) -> Vec<String> {
        let is_test = self.module.iter().any(|part| part == "tests")
            || test_modules.iter().any(|module| self.module.starts_with(module));
        let mut broken = self.check_form(is_test);
        for named in &self.outline.named {
            let rules = [Self::check_arrow, Self::check_core, Self::check_output];
            let told = rules.iter().find_map(|rule| rule(self, named, is_test || named.in_test));
            broken.extend(told.map(|told| self.place(named.line, &told)));
        }
        broken.dedup();
        broken
    }

    fn place(&self, line: usize, told: &str) -> String {
        format!("src/{}:{line}: {told}", self.source.name)
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

    /// Arrows run one way.
    fn check_arrow(&self, named: &Named, in_test: bool) -> Option<String> {
        let first = named.path.first()?;
        let imported = named.path.get(1)?.as_str();
        let Some(module) = self.module.first() else {
            let strays = first == "wanctl" && imported != "cli";
            return strays.then(|| format!("a program imports `cli` and nothing else: {imported}"));
        };
        if first != "crate" || imported == module {
            return None;
        }
        let Some((_, may_import)) = ARROWS.iter().find(|(known, _)| known == module) else {
            return Some(format!("`{module}` is not in the table of arrows (tests/architecture)"));
        };
        let relaxed = in_test && !CORE.contains(&module.as_str());
        let allowed = may_import.contains(&imported)
            || (relaxed && !["daemon", "cli"].contains(&imported))
            || !ARROWS.iter().any(|(known, _)| *known == imported);
        (!allowed).then(|| {
            let list = if may_import.is_empty() { "nothing".into() } else { may_import.join(", ") };
            format!("`{module}` must not import `{imported}`; it may import {list}")
        })
    }

    /// The core computes, and does nothing else.
    fn check_core(&self, named: &Named, _in_test: bool) -> Option<String> {
        let module = self.module.first().filter(|module| CORE.contains(&module.as_str()))?;
        let is_banned = |ban: &&&[&str]| {
            let begins = named.path.len() >= ban.len();
            begins && ban.iter().zip(&named.path).all(|(banned, word)| banned == word)
        };
        // A word alone may be a name of the core's own.
        let ban = BANNED_IN_CORE.iter().filter(|_| named.path.len() > 1).find(is_banned)?;
        Some(format!("the core must not use `{}` (in `{module}`)", ban.join("::")))
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
