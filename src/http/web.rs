//! TLS, passwords and response headers by the web configuration file. Changed files are taken over
//! without a restart, unless they are wrong.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::{either::Either, sync::CancellationToken};
use tracing::{error, info};

use super::{auth::Authenticator, connections::Connection};
use crate::{
    catalogue::{Catalogue, Figure, Spec},
    config::{ConfigErrors, Problem, WebConfig},
};

/// Time between two looks for changed files.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// A connection with or without TLS.
pub(super) type Stream<S> = Either<S, Box<TlsStream<S>>>;

/// The web configuration in force; nothing without a file.
#[derive(Debug, Clone, Default)]
pub struct Web(Option<Arc<Shared>>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    files: Mutex<Files>,
    authenticator: Arc<Authenticator>,
}

#[derive(Debug)]
struct Files {
    /// `None` until the files could be used for the first time.
    config: Option<Arc<WebConfig>>,
    stamps: Vec<Stamp>,
    /// What was wrong with the files when they were last read, in lines; empty if nothing.
    errors: String,
}

/// Modification time and size of a file.
type Stamp = Option<(SystemTime, u64)>;

impl Web {
    /// Reads the file at `path`, with warnings about keys without effect.
    ///
    /// # Errors
    /// All mistakes of the file at once.
    pub fn open(path: &Path) -> Result<(Self, Vec<Problem>), ConfigErrors> {
        let (config, warnings) = WebConfig::load(path)?;
        let stamps = stamps(&config);
        let files = Files { config: Some(Arc::new(config)), stamps, errors: String::new() };
        Ok((Self::new(path, files), warnings))
    }

    /// Stands for the file at `path`, which could not be used because of `errors`. Nothing is
    /// served until it can be.
    #[must_use]
    pub fn awaited(path: &Path, errors: &ConfigErrors) -> Self {
        let files = Files { config: None, stamps: Vec::new(), errors: errors.to_string() };
        Self::new(path, files)
    }

    fn new(path: &Path, files: Files) -> Self {
        let files = Mutex::new(files);
        Self(Some(Arc::new(Shared { path: path.to_owned(), files, authenticator: Arc::default() })))
    }

    fn config(&self) -> Option<Arc<WebConfig>> {
        self.0.as_ref()?.files().config.clone()
    }

    /// Returns why nothing can be served yet, if so.
    pub(super) fn problem(&self) -> Option<String> {
        let shared = self.0.as_ref().filter(|shared| shared.files().config.is_none())?;
        let file = shared.path.display();
        Some(format!("the web configuration {file} cannot be used yet: the log says why"))
    }

    /// Returns the scheme of the server's URL: `https` with TLS.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.config().is_some_and(|config| config.tls.is_some()) { "https" } else { "http" }
    }

    /// Declares the metrics.
    pub fn declare(&self, c: &mut Catalogue) {
        let Some(shared) = self.0.clone() else { return };
        c.chapter("Web configuration");
        let when = "with --web.config.file";
        let refused = Spec::new(
            "wanctl_web_unauthorized_requests_total",
            "Requests refused without a valid user and password",
        );
        c.adopt(refused.when(when), shared.authenticator.unauthorized.clone());
        let good = Figure::gauge(
            "wanctl_web_config_last_reload_successful",
            "1 if the web configuration and its files could be read after their last change",
        );
        let expiry = Figure::gauge(
            "wanctl_web_certificate_not_after_timestamp_seconds",
            "Unix time at which the server's certificate or one of its chain expires",
        );
        c.figures([good.when(when), expiry.when("with TLS")], move || {
            let files = shared.files();
            let tls = files.config.as_ref().and_then(|config| config.tls.as_ref());
            [
                Some(f64::from(u8::from(files.errors.is_empty()))),
                tls.map(|tls| tls.not_after.seconds()),
            ]
        });
    }

    /// Takes over changed files until `stop`.
    pub async fn watch(self, stop: CancellationToken) {
        let Some(shared) = self.0 else { return };
        let watch = async {
            loop {
                sleep(CHECK_INTERVAL).await;
                let shared = Arc::clone(&shared);
                // The disk may be slow.
                let _ = tokio::task::spawn_blocking(move || shared.reload_if_changed()).await;
            }
        };
        stop.run_until_cancelled(watch).await;
    }

    /// Adds authentication and the configured headers to `routes`.
    pub(super) fn protect(&self, routes: Router) -> Router {
        if self.0.is_none() {
            return routes;
        }
        routes.layer(middleware::from_fn_with_state(self.clone(), protect))
    }

    /// Completes the TLS handshake, if TLS is configured.
    ///
    /// # Errors
    /// If the client does not speak TLS, or shows no valid certificate although it must.
    pub(super) async fn handshake<S>(&self, stream: S) -> io::Result<Stream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let server =
            self.config().and_then(|config| Some(Arc::clone(&config.tls.as_ref()?.server)));
        let Some(server) = server else { return Ok(Either::Left(stream)) };
        Ok(Either::Right(Box::new(TlsAcceptor::from(server).accept(stream).await?)))
    }
}

async fn protect(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (Some(shared), Some(config)) = (&web.0, web.config()) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let connection = request.extensions().get::<Arc<Connection>>().cloned();
    let headers = request.headers();
    let refusal = shared.authenticator.refuse(&config.users, headers, connection.as_ref()).await;
    let mut response = match refusal {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    for (name, value) in &config.headers {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again if one has changed or was wrong; the same errors are logged once.
    fn reload_if_changed(&self) {
        let (config, before, was_good) = {
            let files = self.files();
            (files.config.clone(), files.stamps.clone(), files.errors.is_empty())
        };
        if was_good && config.as_ref().is_some_and(|config| stamps(config) == before) {
            return;
        }
        let loaded = WebConfig::load(&self.path);
        let mut files = self.files();
        match loaded {
            Ok((new, _)) => {
                info!(file = %self.path.display(), "the web configuration was reloaded");
                let stamps = stamps(&new);
                *files = Files { config: Some(Arc::new(new)), stamps, errors: String::new() };
            }
            Err(errors) => {
                let errors = errors.to_string();
                if files.errors == errors {
                    return;
                }
                for line in errors.lines() {
                    error!("{line}");
                }
                if config.is_some() {
                    error!(
                        "the web configuration was not reloaded: the previous one stays in \
                         force"
                    );
                } else {
                    error!("the web configuration was not read: no HTTP server until it is valid");
                }
                files.errors = errors;
            }
        }
    }
}

fn stamps(config: &WebConfig) -> Vec<Stamp> {
    let stamp = |file: &PathBuf| {
        let metadata = fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    config.files.iter().map(stamp).collect()
}
