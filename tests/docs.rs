//! What the documentation shows works: commands, configurations, metrics, links, the service unit.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::BTreeSet,
    env, fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;
use wanctl_core::{Param, Params};

/// The pages with their texts: README.md, CONTRIBUTING.md and everything under `docs`.
fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let mut directories = vec![root.join("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    let read = |path: PathBuf| fs::read_to_string(&path).map(|text| (path, text));
    paths.into_iter().map(read).collect::<Result<_, _>>().unwrap()
}

/// The blocks of code in `language`.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let bodies = text.split(&*fence).skip(1);
    bodies.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn every_command_line_is_understood() {
    let mut tried = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "sh") {
            let joined = block.replace("\\\n", " ");
            for line in joined.lines().map(str::trim) {
                let Some((program, arguments)) = command(line) else { continue };
                tried += 1;
                // The help comes after everything before it has been understood.
                let mut wanctl = Command::new(env!("CARGO_BIN_EXE_wanctl"));
                let help = wanctl.arg0(program).args(&arguments).arg("--help");
                let output = help.output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{}: `{line}`: {said}", path.display());
            }
        }
    }
    assert!(tried >= 20, "only {tried} command lines were found");
}

/// The program that a line of a shell starts, if it is one of ours, with its arguments.
fn command(line: &str) -> Option<(&'static str, Vec<String>)> {
    let line = line.split(" #").next().unwrap_or_default();
    let line = line.split(['|', '>', ';', '&']).next().unwrap_or_default();
    let mut words = line
        .split_ascii_whitespace()
        .skip_while(|word| *word == "sudo" || word.contains('=') && !word.starts_with('-'));
    let program = match words.next()?.rsplit('/').next()? {
        "wanctl" => "wanctl",
        "wanctl-history" => "wanctl-history",
        _ => return None,
    };
    let (mut arguments, mut quoted) = (Vec::<String>::new(), None);
    for word in words {
        match (&quoted, arguments.last_mut()) {
            (Some(_), Some(last)) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => arguments.push(word.to_owned()),
        }
        for letter in word.chars().filter(|letter| matches!(letter, '"' | '\'')) {
            quoted = if quoted == Some(letter) { None } else { quoted.or(Some(letter)) };
        }
    }
    let bare = |argument: String| argument.replace(['"', '\''], "");
    Some((program, arguments.into_iter().map(bare).collect()))
}

#[test]
fn every_whole_configuration_loads() {
    let site = TempDir::new().unwrap();
    let mut tried = 0;
    for (path, text) in pages() {
        for block in blocks(&text, "yaml") {
            let has = |key: &str| block.lines().any(|line| line == key);
            if !has("router:") || !has("wans:") {
                continue;
            }
            tried += 1;
            for name in ["router.password", "stats.password", "pings.password"] {
                fs::write(site.path().join(name), "secret\n").unwrap();
            }
            // Secrets are elsewhere here, and a fingerprint that is left out is the reader's own.
            let block = block.replace("/etc/wanctl/", "");
            let lines = block.lines().filter(|line| !line.contains('…'));
            let file = site.path().join("wanctl.yaml");
            fs::write(&file, lines.collect::<Vec<_>>().join("\n")).unwrap();
            let mut check = Command::new(env!("CARGO_BIN_EXE_wanctl"));
            check.args(["check", "--offline", "--config"]).arg(&file).env("ROUTER_PASSWORD", "x");
            let output = check.output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(matches!(output.status.code(), Some(0 | 2)), "{}: {said}", path.display());
        }
    }
    assert!(tried >= 1, "no configuration was found");
}

#[test]
fn every_metric_exists() {
    let pages = pages();
    let is_list = |path: &Path| path.ends_with("docs/metrics.md");
    let (_, list) = pages.iter().find(|(path, _)| is_list(path)).unwrap();
    let named = list.split("| `wanctl_").skip(1).filter_map(|rest| rest.split('`').next());
    let known: BTreeSet<&str> = named.collect();
    assert!(known.len() > 50, "{known:?}");
    for (path, text) in pages.iter().filter(|(path, _)| !is_list(path)) {
        // A quoted one is the key of a file, one after a colon is recorded; 1.7 had other names.
        let text = text.replace("\"wanctl_", "").replace(":wanctl_", "");
        let current: Vec<&str> = text.split("\n\n").filter(|part| !part.contains("1.7")).collect();
        for rest in current.join("\n\n").split("wanctl_").skip(1) {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
            // `wanctl_history` begins many; `wanctl_probe_…` and `wanctl_probe_.*` mean all of them.
            let is_prefix = name.ends_with('_') || after.starts_with('…') || after.starts_with('{');
            let bare = ["_bucket", "_count", "_sum", "_total", "_created"];
            let bare = bare.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
            let exists = known.contains(name)
                || known.contains(bare)
                || is_prefix && known.iter().any(|metric| metric.starts_with(name));
            assert!(exists, "{}: there is no metric wanctl_{name}", path.display());
        }
    }
}

/// `UPDATE_EXPECT=1` writes the table.
#[test]
fn every_number_of_the_law_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/control-law.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once("<!-- numbers").unwrap();
    let (marker, rest) = rest.split_once('\n').unwrap();
    let (_, after) = rest.split_once("<!-- end of numbers").unwrap();
    let rows = Params::default().list().into_iter().map(|param| {
        let Param { key, default, range, unit, about, .. } = param;
        let (least, most) = range.into_inner();
        format!("| `{key}` | {default} {unit} | {least} to {most} | {about} |\n")
            .replace("  |", " |")
    });
    let table: String = rows.collect();
    let head = "| key | default | range | what it is, and why |\n|---|---|---|---|\n";
    let expected =
        format!("{before}<!-- numbers{marker}\n\n{head}{table}\n<!-- end of numbers{after}");
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(text == expected, "UPDATE_EXPECT=1 rewrites the table");
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in pages() {
        let prose: String = text.split("```").step_by(2).collect();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.contains(char::is_whitespace) {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let place =
                if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(place.exists(), "{}: {target} leads nowhere", path.display());
            if !anchor.is_empty() && place.extension().is_some_and(|extension| extension == "md") {
                let found = anchors(&fs::read_to_string(&place).unwrap());
                assert!(
                    found.contains(anchor),
                    "{}: {target}: no such heading in {found:?}",
                    path.display()
                );
            }
        }
    }
}

/// The anchors that GitHub gives the headings of a page.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn the_service_unit_is_valid() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/install.md");
    let text = fs::read_to_string(page).unwrap();
    let unit = blocks(&text, "ini")[0];
    // What systemd 247 knows, by a keyword that came later.
    assert!(!unit.contains("notify-reload"), "systemd 253 and later only");
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else { return };
    assert!(version.status.success());
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("wanctl.service");
    // The program need not be installed where this is tried.
    fs::write(&file, unit.replace("/usr/local/bin/wanctl", env!("CARGO_BIN_EXE_wanctl"))).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let about_us: Vec<&str> = said.lines().filter(|line| line.contains("wanctl.service")).collect();
    assert!(output.status.success() && about_us.is_empty(), "{said}");
}
