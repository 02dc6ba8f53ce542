//! `--web.config.file`: TLS, passwords and headers for what is served.

use std::path::PathBuf;

use clap::Args;
use tracing::{error, warn};

use super::{EXIT_CONFIG, Failure};
use crate::http::Web;

#[derive(Debug, Args)]
pub(super) struct WebArgs {
    /// TLS, users and headers of the HTTP server, in the format of the Prometheus exporters.
    #[arg(long = "web.config.file", value_name = "FILE")]
    web_config_file: Option<PathBuf>,
}

impl WebArgs {
    /// Reads the file, if one is given.
    #[cfg_attr(not(feature = "lab"), expect(dead_code, reason = "the demo calls it"))]
    pub(super) fn open(&self) -> Result<Web, Failure> {
        let Some(path) = &self.web_config_file else { return Ok(Web::default()) };
        let (web, warnings) = Web::open(path)
            .map_err(|errors| Failure { code: EXIT_CONFIG, error: errors.into() })?;
        for warning in &warnings {
            warn!("{warning}");
        }
        Ok(web)
    }

    /// Reads the file, if one is given. If it cannot be used, the daemon runs without its HTTP
    /// server until it can: shaping does not depend on a certificate.
    pub(super) fn open_or_wait(&self) -> Web {
        let Some(path) = &self.web_config_file else { return Web::default() };
        match Web::open(path) {
            Ok((web, warnings)) => {
                for warning in &warnings {
                    warn!("{warning}");
                }
                web
            }
            Err(errors) => {
                for line in errors.to_string().lines() {
                    error!("{line}");
                }
                error!("no HTTP server until the web configuration is valid; control continues");
                Web::awaited(path, &errors)
            }
        }
    }
}
