//! Builds the roads that the configuration chooses.

use std::sync::Arc;

use super::{
    auto::{AutoRoad, Junction},
    failover::Patience,
    rest::RestRoad,
    road::Road,
    ssh::SshRoad,
};
use crate::config::{Credentials, RouterConfig, TransportChoice};

/// One road for each purpose; without users of their own, the same.
#[derive(Debug)]
pub(super) struct Roads {
    pub(super) control: Arc<dyn Road>,
    pub(super) pings: Arc<dyn Road>,
    pub(super) statistics: Arc<dyn Road>,
}

impl Roads {
    /// Builds the roads.
    ///
    /// Over SSH there is one connection and one user: the users for statistics and pings are for
    /// REST, where they keep out of the way of the writes.
    ///
    /// # Errors
    /// A sentence if the configured certificates or the name of the SSH host cannot be used.
    pub(super) fn build(config: &RouterConfig, patience: Patience) -> Result<Self, String> {
        let rest = |credentials: &Credentials| -> Result<Arc<dyn Road>, String> {
            Ok(Arc::new(RestRoad::new(config, credentials)?))
        };
        match config.transport {
            TransportChoice::Rest => Self::each(config, &rest(&config.credentials)?, rest),
            TransportChoice::Ssh => {
                let ssh: Arc<dyn Road> = Arc::new(SshRoad::new(config)?);
                Ok(Self { control: Arc::clone(&ssh), pings: Arc::clone(&ssh), statistics: ssh })
            }
            TransportChoice::Auto => {
                let ssh: Arc<dyn Road> = Arc::new(SshRoad::new(config)?);
                let first = rest(&config.credentials)?;
                let junction = Junction::new(Arc::clone(&first), patience);
                let both = |rest: Arc<dyn Road>| -> Arc<dyn Road> {
                    Arc::new(AutoRoad::new(rest, Arc::clone(&ssh), Arc::clone(&junction)))
                };
                Self::each(config, &both(first), |credentials| rest(credentials).map(&both))
            }
        }
    }

    fn each(
        config: &RouterConfig,
        control: &Arc<dyn Road>,
        of: impl Fn(&Credentials) -> Result<Arc<dyn Road>, String>,
    ) -> Result<Self, String> {
        let own = |credentials: &Option<Credentials>| match credentials {
            Some(credentials) => of(credentials),
            None => Ok(Arc::clone(control)),
        };
        Ok(Self {
            control: Arc::clone(control),
            pings: own(&config.pings)?,
            statistics: own(&config.statistics)?,
        })
    }
}
