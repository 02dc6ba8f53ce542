//! Connections that the router is to forget, found by their mark.
//!
//! A connection keeps the way on which it began, whatever the rules say afterwards. One that the
//! router forgets is made anew by its next packet, on the way that is open by then. Rows are removed
//! by their ids only, so that nothing but what was found goes.

use super::{
    client::RouterOs,
    transport::{Menu, Row},
};
use crate::{
    config::MarkedConnections,
    router::{RouterError, RouterFault},
};

/// Tries in all: a connection that ends by itself in between is none of our business.
const TRIES: u32 = 3;

impl RouterOs {
    /// Makes the router forget the connections with this mark, at most 256 of a kind.
    ///
    /// # Errors
    /// Any [`RouterError`].
    pub async fn forget(&self, of: &MarkedConnections) -> Result<usize, RouterError> {
        let mut forgotten = self.forget_from(Menu::Connection, &of.mark).await?;
        if of.ipv6 {
            forgotten += self.forget_from(Menu::Connection6, &of.mark).await?;
        }
        Ok(forgotten)
    }

    async fn forget_from(&self, menu: Menu, mark: &str) -> Result<usize, RouterError> {
        let mut tries = 0;
        loop {
            let rows = self.control().find(menu, "connection-mark", mark).await?;
            let ids = rows.iter().map(Row::id).collect::<Result<Vec<_>, _>>();
            let ids = ids.map_err(|cause| self.booting(cause))?;
            if ids.is_empty() {
                return Ok(0);
            }
            tries += 1;
            match self.control().remove(menu, &ids).await {
                Ok(()) => return Ok(ids.len()),
                Err(RouterError { fault: RouterFault::NotFound(_), .. }) if tries < TRIES => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}
