//! Builds the transports that the settings choose.

use std::sync::Arc;

use super::{
    Credentials, Settings, TransportChoice, TransportFailoverParams, rest::RestTransport,
    transport::RowTransport,
};
#[cfg(feature = "ssh")]
use super::{
    auto::{AutoTransport, TransportSelector},
    ssh::SshTransport,
};

/// A transport for each purpose; the same one for purposes without a user of their own.
#[derive(Debug)]
pub(super) struct Transports {
    pub(super) control: Arc<dyn RowTransport>,
    pub(super) pings: Arc<dyn RowTransport>,
    pub(super) statistics: Arc<dyn RowTransport>,
}

impl Transports {
    /// Builds the transports. SSH has one connection and one user; the users for statistics and pings
    /// are for REST, where their requests do not delay writes.
    ///
    /// # Errors
    /// A sentence if the configured certificates or the name of the SSH host cannot be used.
    pub(super) fn build(
        settings: &Settings,
        failover_params: TransportFailoverParams,
    ) -> Result<Self, String> {
        let rest = |credentials: &Credentials| -> Result<Arc<dyn RowTransport>, String> {
            Ok(Arc::new(RestTransport::new(settings, credentials)?))
        };
        match settings.transport {
            TransportChoice::Rest => Self::each(settings, &rest(&settings.credentials)?, rest),
            #[cfg(feature = "ssh")]
            TransportChoice::Ssh => {
                let ssh: Arc<dyn RowTransport> = Arc::new(SshTransport::new(settings)?);
                Ok(Self { control: Arc::clone(&ssh), pings: Arc::clone(&ssh), statistics: ssh })
            }
            #[cfg(not(feature = "ssh"))]
            TransportChoice::Ssh | TransportChoice::Auto => {
                let _ = failover_params;
                Err("this wanctl was built without SSH".to_owned())
            }
            #[cfg(feature = "ssh")]
            TransportChoice::Auto => {
                let ssh: Arc<dyn RowTransport> = Arc::new(SshTransport::new(settings)?);
                let first = rest(&settings.credentials)?;
                let selector = TransportSelector::new(Arc::clone(&first), failover_params);
                let both = |rest: Arc<dyn RowTransport>| -> Arc<dyn RowTransport> {
                    Arc::new(AutoTransport::new(rest, Arc::clone(&ssh), Arc::clone(&selector)))
                };
                Self::each(settings, &both(first), |credentials| rest(credentials).map(&both))
            }
        }
    }

    fn each(
        settings: &Settings,
        control: &Arc<dyn RowTransport>,
        of: impl Fn(&Credentials) -> Result<Arc<dyn RowTransport>, String>,
    ) -> Result<Self, String> {
        let own = |credentials: &Option<Credentials>| match credentials {
            Some(credentials) => of(credentials),
            None => Ok(Arc::clone(control)),
        };
        Ok(Self {
            control: Arc::clone(control),
            pings: own(&settings.pings)?,
            statistics: own(&settings.statistics)?,
        })
    }
}
