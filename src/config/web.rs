//! The web configuration file: TLS, passwords and headers of the HTTP server, in the convention of
//! the Prometheus exporters (`--web.config.file`), so that what people have for those fits.
//!
//! A file that was read is right as a whole: its certificates are loaded and go together.

mod tls;
mod users;
mod validity;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::ServerConfig;

pub use users::Users;

use wanctl_core::units::Timestamp;

use super::{
    ConfigErrors, Problem,
    document::{Node, SyntaxError},
    read::Table,
    report::{Problems, Read, Report},
    value,
};
use crate::config::{document, read};
use crate::files::read_text_bounded;

/// The headers that may be added to every answer.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

/// A web configuration file with all that it names.
#[derive(Debug, Clone, Default)]
pub struct WebConfig {
    /// How connections are secured; in the clear if `None`.
    pub tls: Option<WebTls>,
    /// Who may ask; everybody if empty.
    pub users: Users,
    /// What is added to every answer: header names and values.
    pub headers: Vec<(String, String)>,
    /// The file itself and every file that it names.
    pub files: Vec<PathBuf>,
}

/// How connections are secured.
#[derive(Debug, Clone)]
pub struct WebTls {
    /// What a connection is opened with.
    pub server: Arc<ServerConfig>,
    /// When the certificate, or an earlier one in its chain, expires.
    pub not_after: Timestamp,
}

impl WebConfig {
    /// Reads the file at `path` and those that it names, relative to its directory, with warnings
    /// about what is allowed but has no effect.
    ///
    /// # Errors
    /// All mistakes of the file at once, each with its line; those of the files that it names
    /// too, at the line where they are named.
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
        let given: Vec<Read<Option<(String, String)>>> = HEADERS
            .into_iter()
            .map(|name| {
                let value = table.optional(name, header)?;
                Ok(value.map(|value| (name.to_owned(), value)))
            })
            .collect();
        given.into_iter().filter_map(Result::transpose).collect::<Read<Vec<_>>>()
    });
    Ok(headers?.unwrap_or_default())
}

/// Reads the value of a header.
fn header(node: &Node) -> Result<String, String> {
    let text = value::line(4096)(node)?;
    if text.is_ascii() { Ok(text) } else { Err("must be plain ASCII".to_owned()) }
}

#[cfg(test)]
mod tests;
