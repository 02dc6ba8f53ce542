//! How to reach a RouterOS: what the configuration says below `router`.

use std::{fmt, path::PathBuf, time::Duration};

/// How to reach a RouterOS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Base URL, scheme and authority only, without a trailing slash: `https://192.168.88.1`.
    pub url: String,
    /// Which transports are used.
    pub transport: TransportChoice,
    /// The user who reads and writes.
    pub credentials: Credentials,
    /// Another user who reads the counters: RouterOS serves different users in parallel.
    pub statistics: Option<Credentials>,
    /// Another user who sends pings.
    pub pings: Option<Credentials>,
    /// The transport over SSH.
    pub ssh: SshConfig,
    /// How the router's certificate is verified; unused for `http`.
    pub trust: TlsTrust,
    /// Deadline of one request.
    pub request_timeout: Duration,
}

impl Settings {
    /// Returns the settings of a router at `url` with all defaults.
    #[must_use]
    pub fn at(url: &str, credentials: Credentials) -> Self {
        let host = url.split("://").last().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self {
            url: url.to_owned(),
            transport: TransportChoice::Rest,
            ssh: SshConfig {
                host: host.to_owned(),
                port: 22,
                user: credentials.user.clone(),
                key_file: None,
                known_hosts_file: None,
            },
            credentials,
            statistics: None,
            pings: None,
            trust: TlsTrust::System,
            request_timeout: Duration::from_secs(3),
        }
    }

    /// Returns the user who reads and writes.
    #[must_use]
    pub fn main_user(&self) -> &str {
        match self.transport {
            TransportChoice::Rest | TransportChoice::Auto => &self.credentials.user,
            TransportChoice::Ssh => &self.ssh.user,
        }
    }

    pub(in crate::router) fn changed_keys(&self, new: &Self) -> Vec<&'static str> {
        let Self {
            url,
            transport,
            credentials: Credentials { user, password },
            statistics,
            pings,
            ssh,
            trust,
            request_timeout,
        } = self;
        let trust_key = if new.trust == TlsTrust::System { trust.key() } else { new.trust.key() };
        let differences = [
            ("url", *url != new.url),
            ("transport", *transport != new.transport),
            ("user", *user != new.credentials.user),
            ("password", *password != new.credentials.password),
            ("statistics", *statistics != new.statistics),
            ("pings", *pings != new.pings),
            ("ssh", *ssh != new.ssh),
            (trust_key, *trust != new.trust),
            ("request_timeout_ms", *request_timeout != new.request_timeout),
        ];
        differences.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }

    pub(in crate::router) fn reminders(&self) -> Vec<String> {
        let is_insecure = self.trust == TlsTrust::Insecure;
        let reminder = || "router.insecure is set: whoever answers there gets the password";
        is_insecure.then(|| reminder().to_owned()).into_iter().collect()
    }

    pub(in crate::router) fn described(&self) -> (String, Vec<String>) {
        let untried = (self.transport == TransportChoice::Auto).then(|| {
            "SSH, which is used while REST fails: set `router.transport: ssh` and check again"
                .to_owned()
        });
        (format!("{} as user `{}`", self.url, self.main_user()), untried.into_iter().collect())
    }
}

/// Which transports are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportChoice {
    /// REST only.
    Rest,
    /// SSH only.
    Ssh,
    /// REST, and SSH while REST fails.
    Auto,
}

/// When `auto` moves from REST to SSH and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransportFailoverParams {
    /// REST is left after at least this many failures in a row…
    pub failures: u32,
    /// …with at least this long between the first and the last.
    pub sustained: Duration,
    /// Time until the first check whether REST works again.
    pub first_check: Duration,
    /// Each failed check doubles the time to the next one, up to this.
    pub longest_backoff: Duration,
    /// REST is used again after this many good checks in a row.
    pub good_checks: u32,
}

impl Default for TransportFailoverParams {
    /// The web server pauses for some 2 s, which is not worth a change; an outage of 5 s is, since a
    /// cut may have to go out. There is no hurry back: SSH works.
    fn default() -> Self {
        Self {
            failures: 3,
            sustained: Duration::from_secs(5),
            first_check: Duration::from_secs(30),
            longest_backoff: Duration::from_mins(5),
            good_checks: 3,
        }
    }
}

/// A user of the router.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// RouterOS user.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

impl Credentials {
    /// Joins a user and a password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: Secret::new(password.to_owned()) }
    }
}

/// A password: usable, but neither printed nor serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the text itself; for the place that needs it, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The transport over SSH. It uses no passwords: RouterOS refuses them once a user has a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshConfig {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// RouterOS user.
    pub user: String,
    /// The private key; `None` for the SSH client's own choice.
    pub key_file: Option<PathBuf>,
    /// Known host keys; `None` for the SSH client's own file.
    pub known_hosts_file: Option<PathBuf>,
}

/// How the router's TLS certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsTrust {
    /// By the certificate authorities of this system.
    System,
    /// By the PEM certificates of this file.
    CaFile(PathBuf),
    /// By the SHA-256 fingerprint of the certificate itself.
    Fingerprint([u8; 32]),
    /// Not at all.
    Insecure,
}

impl TlsTrust {
    /// Returns the key that chooses this verification.
    const fn key(&self) -> &'static str {
        match self {
            Self::System | Self::CaFile(_) => "ca_file",
            Self::Fingerprint(_) => "fingerprint_sha256",
            Self::Insecure => "insecure",
        }
    }
}
