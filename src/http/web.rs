//! TLS, passwords and headers of the server, by a web configuration file that may change while it
//! serves: a renewed certificate is taken without a restart, and a broken one is not taken.

mod guard;
mod known;
mod password_queue;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use axum::{Router, middleware};
use prometheus_client::metrics::counter::Counter;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};
use tracing::{error, info};

use self::{known::VerifiedCache, password_queue::PasswordQueue};
use crate::{
    catalogue::{Catalogue, Figure, Spec},
    config::{ConfigErrors, Problem, WebConfig, WebTls},
};

/// How often it is looked whether a file has changed.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A connection, secured or not.
pub(super) type Stream<S> = Either<S, Box<TlsStream<S>>>;

/// What the web configuration file asks for; without a file, nothing.
#[derive(Debug, Clone, Default)]
pub struct Web(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    /// None until the files could be read for the first time.
    inner: RwLock<Option<Arc<Inner>>>,
    is_good: AtomicBool,
    unauthorized: Counter,
    known: VerifiedCache,
    password_queue: PasswordQueue,
    /// What was wrong with the files when they were last read, in lines.
    complaint: Mutex<String>,
}

#[derive(Debug)]
struct Inner {
    config: WebConfig,
    /// The files as they were before they were read.
    stamps: Vec<Stamp>,
}

/// By what it is seen that a file has changed: when, and its size.
type Stamp = Option<(SystemTime, u64)>;

impl Web {
    /// Reads the file at `path`, with warnings about what has no effect.
    ///
    /// # Errors
    /// All mistakes of the file at once.
    pub fn open(path: &Path) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let (inner, warnings) = Inner::read(path)?;
        Ok((Self::with(path, Some(inner), String::new()), warnings))
    }

    /// Stands for the file at `path`, which could not be read because of `errors`. Nothing is
    /// served until it can be.
    #[must_use]
    pub fn awaited(path: &Path, errors: &ConfigErrors) -> Self {
        Self::with(path, None, errors.to_string())
    }

    fn with(path: &Path, inner: Option<Inner>, complaint: String) -> Self {
        Self(Some(Arc::new(Shared {
            path: path.to_owned(),
            is_good: AtomicBool::new(inner.is_some()),
            inner: RwLock::new(inner.map(Arc::new)),
            unauthorized: Counter::default(),
            known: VerifiedCache::default(),
            password_queue: PasswordQueue::new(),
            complaint: Mutex::new(complaint),
        })))
    }

    /// Returns why nothing may be served yet, if that is so.
    pub(super) fn problem(&self) -> Option<String> {
        let shared = self.0.as_ref().filter(|shared| shared.inner().is_none())?;
        let file = shared.path.display();
        Some(format!("the web configuration {file} cannot be used yet: the log says why"))
    }

    /// Returns how an address of the server begins: `https` if connections are secured.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        let tls = self
            .0
            .as_ref()
            .is_some_and(|shared| shared.inner().is_some_and(|inner| inner.config.tls.is_some()));
        if tls { "https" } else { "http" }
    }

    /// Declares the metrics of what there is.
    pub fn declare(&self, c: &mut Catalogue) {
        let Some(shared) = self.0.clone() else { return };
        c.chapter("Web configuration");
        let when = "with --web.config.file";
        let refused = Spec::new(
            "wanctl_web_unauthorized_requests_total",
            "Requests refused without a valid user and password",
        );
        c.adopt(refused.when(when), shared.unauthorized.clone());
        let good = Figure::gauge(
            "wanctl_web_config_last_reload_successful",
            "1 if the web configuration and its files could be read after their last change",
        );
        let expiry = Figure::gauge(
            "wanctl_web_certificate_not_after_timestamp_seconds",
            "Unix time at which the server's certificate or one of its chain expires",
        );
        c.figures([good.when(when), expiry.when("with TLS")], move || {
            let good = f64::from(u8::from(shared.is_good.load(Relaxed)));
            let inner = shared.inner();
            let tls = inner.as_ref().and_then(|inner| inner.config.tls.as_ref());
            let expiry = tls.map(|tls| tls.not_after.seconds());
            [Some(good), expiry]
        });
    }

    /// Takes changes of the files while they are served, until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        let Some(shared) = self.0 else { return };
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(CHECK_INTERVAL) => {}
            }
            let shared = Arc::clone(&shared);
            // The disk may be slow. If it panics, the next look is as good.
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tokio::task::spawn_blocking(move || shared.reload_if_changed()) => {}
            }
        }
    }

    /// Has every answer of `routes` carry the headers, and asks for a password first.
    pub(super) fn protect(&self, routes: Router) -> Router {
        match &self.0 {
            None => routes,
            Some(shared) => {
                let shared = Arc::clone(shared);
                routes.layer(middleware::from_fn_with_state(shared, guard::guard))
            }
        }
    }

    /// Shakes hands with who is at the other end of `stream`.
    ///
    /// # Errors
    /// If the other end does not speak TLS although it must, or shows no good certificate.
    pub(super) async fn greet<S>(&self, stream: S) -> io::Result<Stream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tls = self.0.as_ref().and_then(|shared| shared.inner()?.config.tls.clone());
        let Some(WebTls { server, .. }) = tls else { return Ok(Either::Left(stream)) };
        Ok(Either::Right(Box::new(TlsAcceptor::from(server).accept(stream).await?)))
    }
}

impl Shared {
    fn inner(&self) -> Option<Arc<Inner>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads everything anew if something has changed, or was wrong; what is wrong is told once.
    fn reload_if_changed(&self) {
        let inner = self.inner();
        let is_good = self.is_good.load(Relaxed);
        let is_unchanged = inner.is_some_and(|inner| {
            let now = inner.config.files.iter().map(|file| stamp(file));
            now.eq(inner.stamps.iter().copied())
        });
        if is_good && is_unchanged {
            return;
        }
        let mut complaint = self.complaint.lock().unwrap_or_else(PoisonError::into_inner);
        match Inner::read(&self.path) {
            Ok((new, _)) => {
                info!(file = %self.path.display(), "the web configuration was reloaded");
                *self.inner.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(new));
                self.is_good.store(true, Relaxed);
                complaint.clear();
            }
            Err(errors) => {
                self.is_good.store(false, Relaxed);
                let reported = errors.to_string();
                if *complaint != reported {
                    for line in reported.lines() {
                        error!("{line}");
                    }
                    if self.inner().is_some() {
                        error!(
                            "the web configuration was not reloaded: the previous one stays in \
                             force"
                        );
                    } else {
                        error!(
                            "the web configuration was not read: no HTTP server until it is valid"
                        );
                    }
                    *complaint = reported;
                }
            }
        }
    }
}

impl Inner {
    fn read(path: &Path) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let (config, warnings) = WebConfig::load(path)?;
        let stamps = stamps(&config);
        Ok((Self { config, stamps }, warnings))
    }
}

fn stamps(config: &WebConfig) -> Vec<Stamp> {
    config.files.iter().map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> Stamp {
    let about = fs::metadata(file).ok()?;
    Some((about.modified().ok()?, about.len()))
}
