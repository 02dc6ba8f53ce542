//! A scraper among the others, on a connection of its own each time.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::client::Client;

/// Time between two scrapes.
const APART: Duration = Duration::from_millis(200);

/// How honest scrapes fared.
#[derive(Debug, Default)]
pub(crate) struct Honest {
    /// How long each took, in ms, whatever came of it.
    pub(crate) took: Vec<f64>,
    /// How many got no whole page.
    pub(crate) failed: u32,
}

/// Scrapes until it is ended.
#[derive(Debug)]
pub(crate) struct Watcher {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Honest>,
}

/// Begins to scrape.
pub(crate) fn watch(address: SocketAddr) -> Watcher {
    let over = Arc::<AtomicBool>::default();
    let reported = Arc::clone(&over);
    let thread = thread::spawn(move || {
        let mut honest = Honest::default();
        while !reported.load(Relaxed) {
            let begun = Instant::now();
            let page = Client::connect(address).and_then(|mut client| client.get("/metrics"));
            honest.failed += u32::from(page.is_err());
            honest.took.push(begun.elapsed().as_secs_f64() * 1e3);
            thread::sleep(APART);
        }
        honest
    });
    Watcher { over, thread }
}

impl Watcher {
    /// Ends the scraping.
    pub(crate) fn end(self) -> Honest {
        self.over.store(true, Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
