//! One word, one thing: the names that `docs/glossary.md` replaced stay out of source, docs and configuration.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// Where the words are looked for.
const SCANNED: [&str; 13] = [
    "src",
    "crates",
    "tests",
    "benches",
    "fuzz/fuzz_targets",
    "docs",
    "dashboards",
    "alerts",
    "compose",
    "compose.yaml",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];
/// What others wrote, and the places that have to name the words.
const SKIPPED: [&str; 5] = [
    "tests/data/grafana",
    "tests/data/routeros",
    "tests/data/compose-spec.json",
    "tests/vocabulary.rs",
    "docs/images",
];

/// A name that is not used here, and the term to use instead.
struct Word {
    /// Matches words; identifiers are split at `_` and at capitals before.
    pattern: &'static str,
    instead: &'static str,
    /// What is meant otherwise and may stay.
    allowed: &'static str,
}

const fn word(pattern: &'static str, instead: &'static str) -> Word {
    Word { pattern, instead, allowed: "" }
}

const WORDS: &[Word] = &[
    word(r"roads?", "transport, probe method"),
    word(r"tell|tells|telling|told|teller", "report, log, publish, distinguish"),
    word(r"patience|patient", "timeout, flap damping"),
    word(r"blam(e|ed|es|ing)", "attribution, attributed to"),
    word(r"fickle(ness)?", "volatile, volatility"),
    word(r"believ\w*", "estimate, confirmed"),
    word(r"under ?way", "in flight"),
    word(r"survey\w*", "preflight check, findings"),
    Word { pattern: r"carriers?", instead: "default route", allowed: r"carrier[- ]grade" },
    word(r"refuges?|plight", "alternate"),
    word(r"suffer\w*|relaps\w*", "score, flap damping"),
    Word {
        pattern: r"homes?",
        instead: "default WAN, LAN",
        allowed: r#""home"|home\.arpa|--home-dir|ProtectHome|\w*HOME\w*|\bHome\b|/home\b|home (and|or|network|router)"#,
    },
    word(r"guests?|desks?|gates?", "connection, password queue, connection limit"),
    word(r"contests?|standby|sky|moods?", "benchmark, scenario, mode"),
    word(r"detours?|excus\w*|vain|futile", "path offset, ineffective"),
    word(r"suspect\w*", "possible, likely"),
    word(r"glid(e|es|ed|ing)|at ease", "idle decay"),
    Word { pattern: r"unseen|blind(ly)?", instead: "bypass, unknown", allowed: r"colou?r-blind" },
    word(r"eyes|(in the|went|is) dark", "delay signal"),
    word(r"houses?|households?|farewell|spectators?", "site, demo network, exit writes"),
    word(r"judg(e|es|ed|ing)", "assess, check, decide"),
    word(r"glances?|haste(ned)?|lessons?|liars?|obedien\w*|witness(es|ed)?", "a plain term"),
    word(r"pilots?|parcels?|shelf", "controller, packet"),
    Word {
        pattern: r"tenants?",
        instead: "user group",
        allowed: r"X-Scope-OrgID|THANOS-TENANT|(?s)tenants?( |-|_)?(id|header|label)?",
    },
    Word { pattern: r"achieved", instead: "delivery rate", allowed: r"achieved_rate" },
    Word { pattern: r"bloat(ed)?", instead: "standing queue", allowed: r"\w*_bloat_ms" },
    word(r"put(s|ting)? right|minimum stay", "reconcile, hold-down"),
    word(
        r"gets? through|got through|asks? for more|by way of|comfort",
        "delivery rate, shaper-limited",
    ),
    word(r"(new|take|takes|steered|moves?) calls|calls over", "latency-sensitive connections"),
];

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut left: Vec<PathBuf> = SCANNED.iter().map(|place| root.join(place)).collect();
    let mut files = Vec::new();
    while let Some(path) = left.pop() {
        let name = path.strip_prefix(root).unwrap();
        if SKIPPED.iter().any(|skipped| name.starts_with(skipped)) {
            continue;
        }
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The words, compiled.
struct Vocabulary {
    /// Finds a line that may have one, fast.
    any: Regex,
    words: Vec<(Regex, Option<Regex>, &'static str)>,
    /// Where the next part of an identifier in camel case begins.
    capital: Regex,
}

impl Vocabulary {
    fn new() -> Self {
        let compile = |word: &Word| {
            let pattern = Regex::new(&format!(r"(?i)\b({})\b", word.pattern)).unwrap();
            let allowed = (!word.allowed.is_empty()).then(|| Regex::new(word.allowed).unwrap());
            (pattern, allowed, word.instead)
        };
        let all: Vec<&str> = WORDS.iter().map(|word| word.pattern).collect();
        Self {
            any: Regex::new(&format!(r"(?i)({})", all.join("|"))).unwrap(),
            words: WORDS.iter().map(compile).collect(),
            capital: Regex::new("([a-z0-9])([A-Z])").unwrap(),
        }
    }

    /// Returns the words of `line` that are not used here, and what to use instead.
    fn strays(&self, line: &str) -> Vec<String> {
        if !self.any.is_match(line) {
            return Vec::new();
        }
        let found = self.words.iter().filter_map(|(pattern, allowed, instead)| {
            let rest = match allowed {
                Some(allowed) => allowed.replace_all(line, ""),
                None => line.into(),
            };
            let spaced = rest.replace('_', " ");
            let split = self.capital.replace_all(&spaced, "$1 $2");
            let stray = pattern.find(&split)?;
            Some(format!("`{}`; say {instead}", stray.as_str()))
        });
        found.collect()
    }
}

#[test]
fn only_terms_of_the_glossary_are_used() {
    let vocabulary = Vocabulary::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = files();
    assert!(files.len() > 300, "only {} files were found", files.len());
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(root).unwrap().display().to_string();
        found.extend(vocabulary.strays(&name).into_iter().map(|stray| format!("{name}: {stray}")));
        // A picture has no words.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (number, line) in (1..).zip(text.lines()) {
            let strays = vocabulary.strays(line).into_iter();
            found.extend(strays.map(|stray| format!("{name}:{number}: {stray}")));
        }
    }
    assert!(
        found.is_empty(),
        "{} words are not of the glossary:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn words_are_found_in_identifiers_and_in_sentences() {
    let vocabulary = Vocabulary::new();
    for line in [
        "/// Which road leads there.",
        "fn is_blamed(&self)",
        "struct RoadReport;",
        "The peer was told.",
        "const PATIENCE: Duration",
        "let x = Relapses::default();",
    ] {
        assert_eq!(vocabulary.strays(line).len(), 1, "{line}");
    }
    for line in ["a broadcast", "the gateway", "bufferbloat", "carrier-grade NAT", "storytelling"] {
        assert_eq!(vocabulary.strays(line), Vec::<String>::new(), "{line}");
    }
}
