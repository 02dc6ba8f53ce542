//! Reads how to reach a RouterOS, and which queues and switches it has.

mod keys;

pub(in crate::config) use keys::QueueKeys;
pub(super) use keys::{failover_key, steer_keys};

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    config::{
        document::Node,
        read::Table,
        report::Read,
        surroundings::{Environment, FileText},
        value,
    },
    router::routeros::{Credentials, Secret, Settings, SshConfig, TlsTrust, TransportChoice},
};

/// What a file of PEM certificates contains.
const PEM: &str = "-----BEGIN CERTIFICATE-----";
const PASSWORD_KEYS: [&str; 3] = ["password_file", "password_env", "password"];
const PLAIN_HTTP: &str =
    "http sends the password in clear text; use https, or set `allow_plain_http: true`";

/// A router's URL, and what follows from it.
struct Url {
    text: String,
    host: String,
    is_tls: bool,
    is_loopback: bool,
}

/// Reads the keys of this kind; relative paths start at `base`.
pub(super) fn read(
    table: &mut Table<'_>,
    base: &Path,
    surroundings: &Environment<'_>,
) -> Read<Settings> {
    let url = table.required("url", url);
    let allow_plain = table.or("allow_plain_http", value::flag, false);
    let transport = table.or(
        "transport",
        value::choice(&[
            ("rest", TransportChoice::Rest),
            ("ssh", TransportChoice::Ssh),
            ("auto", TransportChoice::Auto),
        ]),
        TransportChoice::Rest,
    );
    // Over SSH alone a key speaks for the user.
    let key_will_do = matches!(transport, Ok(TransportChoice::Ssh));
    let main = credentials(table, base, surroundings, key_will_do);
    let statistics =
        table.optional_table("statistics", |table| credentials(table, base, surroundings, false));
    let pings =
        table.optional_table("pings", |table| credentials(table, base, surroundings, false));
    let ssh = table.table("ssh", |table| ssh(table, base, surroundings));
    let trust = trust(table, base, surroundings);
    let request_timeout =
        table.or("request_timeout_ms", value::millis(500..=30_000), Duration::from_secs(3));

    if cfg!(not(feature = "ssh"))
        && matches!(transport, Ok(choice) if choice != TransportChoice::Rest)
    {
        table.fail("transport", "this wanctl was built without SSH; use `rest`");
    }
    if let Ok(Url { is_tls: false, is_loopback, .. }) = url {
        if !is_loopback && matches!(allow_plain, Ok(false)) {
            table.fail("url", PLAIN_HTTP);
        }
        if let Ok(Some(key)) = trust.as_ref().map(key_of) {
            table.fail(key, "http has no certificates; use https, or remove the key");
        }
    }
    let (url, credentials, ssh) = (url?, main?, ssh?);
    Ok(Settings {
        ssh: SshConfig {
            host: ssh.host.unwrap_or(url.host),
            port: ssh.port,
            user: ssh.user.unwrap_or_else(|| credentials.user.clone()),
            key_file: ssh.key_file,
            known_hosts_file: ssh.known_hosts_file,
        },
        url: url.text,
        transport: transport?,
        credentials,
        statistics: statistics?,
        pings: pings?,
        trust: trust?,
        request_timeout: request_timeout?,
    })
}

fn credentials(
    table: &mut Table<'_>,
    base: &Path,
    surroundings: &Environment<'_>,
    password_may_miss: bool,
) -> Read<Credentials> {
    let user = table.required("user", user);
    let password = password(table, base, surroundings, password_may_miss);
    Ok(Credentials { user: user?, password: password? })
}

/// The keys of `ssh:` before what they leave open is taken from the rest of `router:`.
struct Ssh {
    host: Option<String>,
    port: u16,
    user: Option<String>,
    key_file: Option<PathBuf>,
    known_hosts_file: Option<PathBuf>,
}

fn ssh(table: &mut Table<'_>, base: &Path, surroundings: &Environment<'_>) -> Read<Ssh> {
    let host = table.optional("host", value::line(255));
    let port = table.or("port", value::whole(1..=65535, "a port"), 22);
    let user = table.optional("user", user);
    let mut file = |key| {
        let Some(path) = table.optional(key, value::path)? else { return Ok(None) };
        let path = base.join(path);
        // `ssh` would wait for ever at a named pipe, and repeat the path in its complaints.
        let checked = (surroundings.check_file)(&path);
        checked.map_err(|error| table.fail(key, unreadable(&error)))?;
        Ok(Some(path))
    };
    let key_file = file("key_file");
    let known_hosts_file = file("known_hosts_file");
    Ok(Ssh {
        host: host?,
        port: u16::try_from(port?).unwrap_or(22),
        user: user?,
        key_file: key_file?,
        known_hosts_file: known_hosts_file?,
    })
}

/// Returns the key that chose this way of verification.
const fn key_of(trust: &TlsTrust) -> Option<&'static str> {
    match trust {
        TlsTrust::System => None,
        TlsTrust::CaFile(_) => Some("ca_file"),
        TlsTrust::Fingerprint(_) => Some("fingerprint_sha256"),
        TlsTrust::Insecure => Some("insecure"),
    }
}

fn url(node: &Node) -> Result<Url, String> {
    const FORM: &str =
        "expected http:// or https://, a host and perhaps a :port, with nothing after them";
    let text = value::text(node)?;
    let is_tls = text.starts_with("https://");
    if !is_tls && !text.starts_with("http://") {
        return Err(FORM.to_owned());
    }
    // The URL is not quoted in any message: it may hold a password.
    let url = reqwest::Url::parse(&text).map_err(|error| format!("{FORM}: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain credentials; use `user` and `password_file`".to_owned());
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(FORM.to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    // The parser mends what it reads, 192.168.881 for example to 192.168.3.113.
    if !text.to_ascii_lowercase().contains(host) {
        return Err(format!("the host is read as {host}; write it like that"));
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let host = bare.to_owned();
    Ok(Url { text: url.origin().ascii_serialization(), host, is_tls, is_loopback })
}

fn user(node: &Node) -> Result<String, String> {
    let user = value::line(64)(node)?;
    // RFC 7617 section 2: basic authentication ends the user at the first colon.
    if user.contains(':') { Err("must not contain a colon".to_owned()) } else { Ok(user) }
}

fn password(
    table: &mut Table<'_>,
    base: &Path,
    surroundings: &Environment<'_>,
    may_miss: bool,
) -> Read<Secret> {
    let [file_key, variable_key, inline_key] = PASSWORD_KEYS;
    let file = table.optional(file_key, value::path);
    let variable = table.optional(variable_key, value::line(256));
    let inline = table.optional(inline_key, value::text);
    let (key, password) = match (file?, variable?, inline?) {
        (Some(path), None, None) => {
            (file_key, password_of_file(table, file_key, &base.join(path), surroundings)?)
        }
        (None, Some(name), None) => {
            // Its name is not quoted: it may be the password itself, in the wrong place.
            let text = (surroundings.variable)(&name).ok_or_else(|| {
                table.fail(variable_key, "the environment variable of this name is not set")
            })?;
            (variable_key, text)
        }
        (None, None, Some(text)) => {
            table.warn(
                inline_key,
                "the password is part of the configuration; store it in a `password_file`",
            );
            (inline_key, text)
        }
        (None, None, None) if may_miss => return Ok(Secret::new(String::new())),
        (None, None, None) => return Err(table.miss(&PASSWORD_KEYS)),
        _ => {
            let message = "only one of `password_file`, `password_env`, `password` may be given";
            return Err(table.fail_here(message));
        }
    };
    if password.is_empty() {
        return Err(table.fail(key, "the password is empty; set one for the router's user"));
    }
    Ok(Secret::new(password))
}

fn password_of_file(
    table: &Table<'_>,
    key: &'static str,
    path: &Path,
    surroundings: &Environment<'_>,
) -> Read<String> {
    let shown = path.display();
    let FileText { text, is_exposed } =
        (surroundings.file)(path).map_err(|error| table.fail(key, unreadable(&error)))?;
    if is_exposed {
        let advice = format!("other users can read {shown}; run `chmod 600 {shown}`");
        table.warn(key, advice);
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The value is not repeated: it may be a password in the wrong place. Its line is reported.
fn unreadable(error: &io::Error) -> String {
    format!("cannot read the file that is named here: {error}")
}

fn trust(table: &mut Table<'_>, base: &Path, surroundings: &Environment<'_>) -> Read<TlsTrust> {
    let ca_file = table.optional("ca_file", value::path);
    let fingerprint = table.optional("fingerprint_sha256", fingerprint);
    let insecure = table.or("insecure", value::flag, false);
    match (ca_file?, fingerprint?, insecure?) {
        (None, None, false) => Ok(TlsTrust::System),
        (Some(path), None, false) => {
            let path = base.join(path);
            match check_ca_file(&path, surroundings) {
                Ok(()) => Ok(TlsTrust::CaFile(path)),
                Err(message) => Err(table.fail("ca_file", message)),
            }
        }
        (None, Some(fingerprint), false) => Ok(TlsTrust::Fingerprint(fingerprint)),
        (None, None, true) => {
            table.warn(
                "insecure",
                "the router is not verified, so any host at this address gets the password; \
                 `fingerprint_sha256` verifies it without a certificate authority",
            );
            Ok(TlsTrust::Insecure)
        }
        _ => Err(table.fail_here(
            "only one of `ca_file`, `fingerprint_sha256`, `insecure: true` may be given",
        )),
    }
}

fn check_ca_file(path: &Path, surroundings: &Environment<'_>) -> Result<(), String> {
    let shown = path.display();
    let file = (surroundings.file)(path).map_err(|error| unreadable(&error))?;
    if file.text.contains(PEM) {
        Ok(())
    } else {
        Err(format!("{shown} contains no PEM certificate (no `{PEM}`)"))
    }
}

fn fingerprint(node: &Node) -> Result<[u8; 32], String> {
    let expected = "expected 64 hexadecimal digits, with or without colons";
    let digits: Option<Vec<u32>> =
        value::text(node)?.chars().filter(|c| *c != ':').map(|c| c.to_digit(16)).collect();
    let digits = digits.ok_or_else(|| expected.to_owned())?;
    if digits.len() != 64 {
        return Err(format!("{expected}, got {} digits", digits.len()));
    }
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok())
        .collect();
    bytes.try_into().map_err(|_| expected.to_owned())
}
