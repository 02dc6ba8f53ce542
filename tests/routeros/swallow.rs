//! A relay to a router that swallows requests while the router hangs: they are never answered, even
//! when the hang is over.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A running relay; it ends with the test's runtime.
pub(crate) struct RequestSink {
    pub(crate) url: String,
    swallows: Arc<AtomicBool>,
}

impl RequestSink {
    /// Starts a relay to the router at `url`.
    pub(crate) async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = format!("http://{}", listener.local_addr().unwrap());
        let router = url.trim_start_matches("http://").to_owned();
        let swallows = Arc::new(AtomicBool::new(false));
        let reported = Arc::clone(&swallows);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, router.clone(), Arc::clone(&reported)));
            }
        });
        Self { url: own, swallows }
    }

    pub(crate) fn swallow(&self, swallows: bool) {
        self.swallows.store(swallows, Ordering::SeqCst);
    }
}

async fn relay(mut client: TcpStream, router: String, swallows: Arc<AtomicBool>) {
    let Ok(mut router) = TcpStream::connect(router).await else { return };
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    let mut is_lost = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => match read {
                Ok(bytes) if bytes > 0 => {
                    is_lost |= swallows.load(Ordering::SeqCst);
                    if !is_lost && router.write_all(&up[..bytes]).await.is_err() {
                        return;
                    }
                }
                Ok(_) | Err(_) => return,
            },
            read = router.read(&mut down) => match read {
                Ok(bytes) if bytes > 0 => {
                    if client.write_all(&down[..bytes]).await.is_err() {
                        return;
                    }
                }
                Ok(_) | Err(_) => return,
            },
        }
    }
}
