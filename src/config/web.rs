//! The web configuration file: TLS, users and response headers of the HTTP server, in the format of
//! the Prometheus exporters (`--web.config.file`).

mod tls;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::ServerConfig;

use wanctl_core::units::Timestamp;

use super::{
    ConfigErrors, Problem,
    document::{self, Node, SyntaxError},
    read::{self, Table},
    report::{Problems, Read, Report},
    value,
};
use crate::files::read_text_bounded;

/// The headers that may be configured.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

/// A web configuration file with the files that it names.
#[derive(Debug, Clone, Default)]
pub struct WebConfig {
    /// TLS, if configured.
    pub tls: Option<WebTls>,
    /// The users; everybody has access if empty.
    pub users: Users,
    /// Names and values of headers of every response.
    pub headers: Vec<(String, String)>,
    /// The file itself and every file that it names.
    pub files: Vec<PathBuf>,
}

/// TLS of the server.
#[derive(Debug, Clone)]
pub struct WebTls {
    /// The configuration of a connection.
    pub server: Arc<ServerConfig>,
    /// When the certificate, or an earlier one in its chain, expires.
    pub not_after: Timestamp,
}

impl WebConfig {
    /// Reads the file at `path` and those that it names, relative to its directory, with warnings
    /// about keys without effect.
    ///
    /// # Errors
    /// All mistakes at once, each with its line; a mistake of another file has the line that names
    /// it.
    pub fn load(path: &Path) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let file = path.display().to_string();
        let alone = |place, message| {
            let file = file.clone();
            ConfigErrors::new(vec![Problem { file, place, path: String::new(), message }])
        };
        let text = read_text_bounded(path)
            .map_err(|error| alone(None, format!("cannot read the file: {error}")))?;
        let node = document::parse(&text)
            .map_err(|SyntaxError { place, message }| alone(place, message))?;
        let base = path.parent().map(PathBuf::from).unwrap_or_default();
        let report = Report::default();
        let read = read::root(&node, &report, |table| read(table, &base));
        let Problems { errors, warnings } = report.into_problems(&file, &text);
        match read {
            Ok(mut web) if errors.is_empty() => {
                web.files.push(path.to_owned());
                Ok((web, warnings))
            }
            _ => Err(ConfigErrors::new(errors)),
        }
    }
}

fn read(table: &mut Table<'_>, base: &Path) -> Read<WebConfig> {
    let mut files = Vec::new();
    let tls = table.optional_table("tls_server_config", |table| tls::read(table, base, &mut files));
    let users = table.optional("basic_auth_users", Users::read);
    let headers = table.optional_table("http_server_config", headers);
    Ok(WebConfig {
        tls: tls?,
        users: users?.unwrap_or_default(),
        headers: headers?.unwrap_or_default(),
        files,
    })
}

fn headers(table: &mut Table<'_>) -> Read<Vec<(String, String)>> {
    if table.or("http2", value::flag, false)? {
        table.warn("http2", "has no effect: HTTP/1.1 is served");
    }
    let headers = table.optional_table("headers", |table| {
        // All are read before the first error ends it.
        let values = HEADERS.map(|name| (name, table.optional(name, header)));
        let given = values.into_iter().filter_map(|(name, value)| {
            Some(value.transpose()?.map(|value| (name.to_owned(), value)))
        });
        given.collect::<Read<Vec<_>>>()
    });
    Ok(headers?.unwrap_or_default())
}

/// Reads the value of a header.
fn header(node: &Node) -> Result<String, String> {
    let text = value::line(4096)(node)?;
    if text.is_ascii() { Ok(text) } else { Err("must be plain ASCII".to_owned()) }
}

/// Users with the bcrypt hashes of their passwords; `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, String>);

impl Users {
    /// Reads a table of names and hashes.
    fn read(node: &Node) -> Result<Self, String> {
        let Node::Table(entries) = node else {
            return Err(format!("expected a table of users, got {}", node.kind()));
        };
        let mut users = BTreeMap::new();
        for (name, hash) in entries {
            if name.is_empty() || name.contains(':') {
                return Err("the name of a user must not be empty or contain a colon".to_owned());
            }
            let hash = match hash {
                Node::Text(hash) if hash.parse::<bcrypt::HashParts>().is_ok() => hash.clone(),
                _ => {
                    // Neither is repeated: they may have been swapped.
                    return Err(format!(
                        "the password of user number {} must be a bcrypt hash, as \
                         `htpasswd -nBC 10 NAME` prints it",
                        users.len() + 1
                    ));
                }
            };
            if users.insert(name.clone(), hash).is_some() {
                return Err(format!("the user `{name}` is listed twice"));
            }
        }
        if users.is_empty() {
            return Err("has no user, so no client would have access; add a user, or leave it \
                        out for access without a password"
                .into());
        }
        Ok(Self(users))
    }

    /// Returns whether there are none: no password is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether `password` is that of the user `name`, in tens of milliseconds. An unknown name
    /// takes as long as a known one, so that names cannot be found out.
    #[must_use]
    pub fn verify(&self, name: &str, password: &[u8]) -> bool {
        let hash = self.0.get(name);
        let Some(any) = hash.or_else(|| self.0.values().next()) else { return false };
        bcrypt::verify(password, any).unwrap_or(false) && hash.is_some()
    }

    /// Returns the hash of the user's password, if there is such a user.
    #[must_use]
    pub fn hash(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
