//! The listener of the HTTP server. The daemon runs without it until its address exists.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::Web;

/// Time between two attempts to listen.
const RETRY: Duration = Duration::from_secs(1);

/// Where HTTP is served.
#[derive(Debug)]
pub enum Listening {
    /// The address is bound.
    Bound(TcpListener),
    /// The address cannot be bound yet.
    Awaited(SocketAddr),
}

/// Why nothing is served at the moment; shared by the server and health.
#[derive(Debug, Clone, Default)]
pub struct ListenError(Arc<Mutex<Option<String>>>);

impl Listening {
    /// Binds `address`, or leaves that for later if the address does not exist yet.
    ///
    /// # Errors
    /// If another process listens there, or permission is missing.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        use io::ErrorKind::{AddrInUse, PermissionDenied};
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Self::Bound(listener)),
            Err(error) if [AddrInUse, PermissionDenied].contains(&error.kind()) => Err(error),
            Err(error) => {
                warn!(%address, %error, "cannot listen yet: control starts without the HTTP server");
                Ok(Self::Awaited(address))
            }
        }
    }

    /// Returns the address.
    ///
    /// # Errors
    /// If the system does not know the address of the listener.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Bound(listener) => listener.local_addr(),
            Self::Awaited(address) => Ok(*address),
        }
    }

    /// Returns the listener once the address is bound and `web` can be used; `None` after `stop`.
    pub(super) async fn listener(
        self,
        web: &Web,
        listen_error: &ListenError,
        stop: &CancellationToken,
    ) -> Option<TcpListener> {
        let (address, mut bound) = match self {
            Self::Bound(listener) => (listener.local_addr(), Some(listener)),
            Self::Awaited(address) => (Ok(address), None),
        };
        let shown = address.as_ref().map_or_else(io::Error::to_string, SocketAddr::to_string);
        loop {
            let problem = if let Some(problem) = web.problem() {
                problem
            } else {
                let listener = match (bound.take(), &address) {
                    (Some(listener), _) => Ok(listener),
                    (None, Ok(address)) => TcpListener::bind(address).await,
                    (None, Err(error)) => Err(error.kind().into()),
                };
                match listener {
                    Ok(listener) => {
                        listen_error.set(None);
                        info!(url = %format!("{}://{shown}/", web.scheme()), "serving");
                        return Some(listener);
                    }
                    Err(error) => format!("cannot listen on {shown}, trying again: {error}"),
                }
            };
            listen_error.set(Some(problem));
            tokio::select! {
                () = stop.cancelled() => return None,
                () = sleep(RETRY) => {}
            }
        }
    }
}

impl ListenError {
    /// Returns why nothing is served, if that is so.
    #[must_use]
    pub fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, listen_error: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = listen_error;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_an_address_that_may_still_come_is_waited_for() {
        // TEST-NET-1 (RFC 5737) is no address of this host.
        let absent = Listening::bind("192.0.2.1:0".parse().unwrap()).await.unwrap();
        assert!(matches!(absent, Listening::Awaited(_)));
        let bound = Listening::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let error = Listening::bind(bound.address().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn what_is_waited_for_is_reported_and_served_once_it_is_there() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let (listen_error, stop) = (ListenError::default(), CancellationToken::new());
        let waiting = tokio::spawn({
            let (listen_error, stop) = (listen_error.clone(), stop.clone());
            async move {
                Listening::Awaited(address).listener(&Web::default(), &listen_error, &stop).await
            }
        });
        while listen_error.get().is_none() {
            tokio::task::yield_now().await;
        }
        assert!(listen_error.get().unwrap().contains(&address.to_string()));
        drop(taken);
        let listener = waiting.await.unwrap().unwrap();
        assert_eq!(listener.local_addr().unwrap(), address);
        assert_eq!(listen_error.get(), None);

        let again = Listening::Awaited(address);
        stop.cancel();
        assert!(again.listener(&Web::default(), &listen_error, &stop).await.is_none());
    }
}
