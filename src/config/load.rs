//! From a file to a `Config`.

use std::path::{Path, PathBuf};

use super::{
    Config, ConfigErrors, Environment, Origin, Problem,
    document::{self, SyntaxError},
    read::Table,
    report::{Problems, Read, Report},
    router::{self, Routers},
    service, steering,
    wan::QueueUses,
};
use crate::config::{read, wan};
use crate::{
    digest::{hex, sha256},
    files::read_text_bounded,
};

/// Most WANs of one daemon; each has probes and queues of its own to pay for.
const MAX_WANS: usize = 64;

impl Config {
    /// Loads the configuration from a file, with warnings about what is allowed but doubtful.
    ///
    /// Reads nothing but `path`, the password's and the certificates' files, and the environment
    /// variable that `password_env` names.
    ///
    /// # Errors
    /// All mistakes of the file at once; or the one that keeps it from being read at all.
    pub fn load(path: &Path) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let text = read_text_bounded(path).map_err(|error| {
            ConfigErrors::new(vec![Problem {
                file: path.display().to_string(),
                place: None,
                path: String::new(),
                message: format!("cannot read the file: {error}"),
            }])
        })?;
        Self::parse(&text, path, &Environment::REAL)
    }

    /// Parses the text of a configuration file, with warnings as `load` gives them.
    ///
    /// `file` is the name for messages, and relative paths in the text start at its directory.
    ///
    /// # Errors
    /// All mistakes of the text at once.
    pub fn parse(
        text: &str,
        file: &Path,
        surroundings: &Environment<'_>,
    ) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let shown = file.display().to_string();
        let node = document::parse(text).map_err(|SyntaxError { place, message }| {
            let (file, path) = (shown.clone(), String::new());
            ConfigErrors::new(vec![Problem { file, place, path, message }])
        })?;
        let base = file.parent().map(PathBuf::from).unwrap_or_default();
        let report = Report::default();
        let config = read::root(&node, &report, |table| read(table, &base, surroundings));
        let Problems { errors, warnings } = report.into_problems(&shown, text);
        match config {
            Ok(mut config) if errors.is_empty() => {
                let sha256 = hex(&sha256(text.as_bytes()));
                config.origin = Origin { file: shown, sha256 };
                Ok((config, warnings))
            }
            _ => Err(ConfigErrors::new(errors)),
        }
    }
}

fn read(table: &mut Table<'_>, base: &Path, surroundings: &Environment<'_>) -> Read<Config> {
    let routers = router::read(table, base, surroundings);
    let known = Routers(routers.as_deref().unwrap_or_default());
    let wans = wans(table, known);
    let control = table.table("control", service::control);
    let history = table.table("history", |table| service::history(table, base));
    let http = table.table("http", service::http);
    let steering = table.optional_table("steering", |table| {
        steering::read(table, wans.as_deref().unwrap_or_default(), known)
    });
    Ok(Config {
        origin: Origin::default(),
        routers: routers?,
        wans: wans?,
        control: control?,
        history: history?,
        http: http?,
        steering: steering?,
    })
}

fn wans(table: &mut Table<'_>, routers: Routers<'_>) -> Read<Vec<super::WanConfig>> {
    let items = table.list("wans", 1..=MAX_WANS)?;
    let several = items.len() > 1;
    let mut uses = QueueUses::default();
    let wans: Vec<_> = items
        .into_iter()
        .map(|item| item.table(|table| wan::read(table, several, routers, &mut uses)))
        .collect();
    wans.into_iter().collect()
}
