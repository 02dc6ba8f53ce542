//! An emulated router behind real HTTP, on a port and in a runtime of its own.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};
use tokio_util::sync::CancellationToken;
use wanctl_core::units::BitRate;
use wanctl_lab::{
    plant::{Plant, PlantReading},
    routeros::{Emulator, EmulatorConfig, Fault, LatencyProfile, QueueSpec, RequestEffect, User},
};

use super::site::{DOWNLOAD, PASSWORD, UPLOAD, USER};

/// What the queues are limited to before anybody touches them.
pub(crate) const UNTOUCHED: BitRate = BitRate::from_bps(70_000_000);

/// A running router; it ends when dropped.
#[derive(Debug)]
pub(crate) struct Router {
    emulator: Emulator,
    address: SocketAddr,
    // Dropped last: it carries the server.
    _runtime: Runtime,
}

impl Router {
    /// Starts a router with both queues, which are always full.
    pub(crate) fn start() -> Self {
        Self::with_traffic(1.0)
    }

    /// Starts a router with both queues; `share` of their limits is used.
    pub(crate) fn with_traffic(share: f64) -> Self {
        Self::furnished(share, |config| config)
    }

    /// Starts a router that differs from the usual one as `furnish` says.
    pub(crate) fn furnished(
        share: f64,
        furnish: impl FnOnce(EmulatorConfig) -> EmulatorConfig,
    ) -> Self {
        let queue = |name: &str, parent: &str| QueueSpec {
            name: name.to_owned(),
            parent: parent.to_owned(),
            queue_type: "cake".to_owned(),
            max_limit: UNTOUCHED,
            bucket_size: "0.02".to_owned(),
        };
        let config = EmulatorConfig {
            users: vec![User::full(USER, PASSWORD)],
            queues: vec![queue(DOWNLOAD, "bridge"), queue(UPLOAD, "ether1")],
            latency: LatencyProfile::None,
            ..EmulatorConfig::default()
        };
        let config = furnish(config);
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (emulator, address) = runtime.block_on(async {
            let plant = Queues { share, busy: Mutex::default() };
            let emulator = Emulator::new(config, Arc::new(plant));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(emulator.clone().serve(listener, CancellationToken::new()));
            (emulator, address)
        });
        Self { emulator, address, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.emulator.inject(fault);
    }

    /// How many requests were answered.
    pub(crate) fn calls(&self) -> usize {
        self.emulator.log().len()
    }

    /// Everything that was ever changed on it.
    pub(crate) fn effects(&self) -> Vec<RequestEffect> {
        self.emulator.log().into_iter().flat_map(|call| call.effects).collect()
    }

    /// The limits that were written to `queue`, in their order.
    pub(crate) fn limits(&self, queue: &str) -> Vec<BitRate> {
        let limit = |effect| match effect {
            RequestEffect::Limit { queue: written, to, .. } if written == queue => Some(to),
            _ => None,
        };
        self.effects().into_iter().filter_map(limit).collect()
    }
}

/// Queues through which a share of their limits flows.
#[derive(Debug)]
struct Queues {
    share: f64,
    busy: Mutex<BTreeMap<String, BusyQueue>>,
}

#[derive(Debug)]
struct BusyQueue {
    limit: BitRate,
    since: Instant,
    bytes: f64,
}

impl Queues {
    fn bytes_now(&self, queue: &BusyQueue) -> f64 {
        let BusyQueue { limit, since, bytes } = queue;
        bytes + self.share * limit.bps() as f64 / 8.0 * since.elapsed().as_secs_f64()
    }
}

impl Plant for Queues {
    fn set_limit(&self, queue: &str, limit: BitRate) {
        let mut busy = self.busy.lock().unwrap();
        let bytes = busy.get(queue).map_or(0.0, |queue| self.bytes_now(queue));
        busy.insert(queue.to_owned(), BusyQueue { limit, since: Instant::now(), bytes });
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    fn reading(&self, queue: &str) -> PlantReading {
        let busy = self.busy.lock().unwrap();
        let bytes = busy.get(queue).map_or(0.0, |queue| self.bytes_now(queue)) as u64;
        // More comes than a full queue lets through.
        let backlog_packets = if self.share < 1.0 { 0 } else { 40 };
        let backlog_bytes = backlog_packets * 1500;
        let packets = bytes / 1500;
        PlantReading { bytes, packets, backlog_bytes, backlog_packets, ..PlantReading::default() }
    }
}
