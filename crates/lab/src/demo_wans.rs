//! The WANs of the demo: a cable line and an LTE line whose capacities move.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::{
    link::{Buffer, LinkSpec, Shape, Supply},
    traffic::{GREEDY, Phase, Traffic},
    world::WorldQueues,
};

/// A simulated WAN and how wanctl would be configured for it.
#[derive(Debug, Clone)]
pub struct DemoWan {
    /// Its name.
    pub name: &'static str,
    /// The names of its queues on the router.
    pub queues: WorldQueues,
    /// The link.
    pub link: LinkSpec,
    /// Floor, base and ceiling in Mbit/s, download.
    pub download_mbps: [f64; 3],
    /// Floor, base and ceiling in Mbit/s, upload.
    pub upload_mbps: [f64; 3],
    /// Delays at which YELLOW, SOFT_RED and RED begin, in ms.
    pub delay_ms: [f64; 3],
}

/// Returns the WANs of the demo; equal seeds give equal links.
#[must_use]
pub fn demo_wans(seed: u64) -> Vec<DemoWan> {
    vec![cable(seed), lte(seed.wrapping_add(1))]
}

/// Returns the same with works in the street: soon the cable carries a tenth for a while, and
/// later nothing at all; its users then use the LTE line.
#[must_use]
pub fn troubled(seed: u64) -> Vec<DemoWan> {
    let mut wans = demo_wans(seed);
    let works = [(0, 1.0), (38, 0.12), (56, 1.0), (105, 0.0), (120, 1.0)];
    let works = works.map(|(from, left)| (Duration::from_secs(from), left)).to_vec();
    let users = wans.first().map(|cable| cable.link.traffic.clone());
    for (number, wan) in wans.iter_mut().enumerate() {
        if number == 0 {
            let shape = || Supply::Shape(Shape::CableWithWorks(works.clone()));
            wan.link.supply = PerDirection::build(|_| shape());
            // Small enough for probes to come through: congested is not dead.
            wan.link.buffer.upload = Buffer::Bytes(80_000);
        } else if let Some(users) = &users {
            wan.link.displaced = users.clone();
        }
    }
    wans
}

fn cable(seed: u64) -> DemoWan {
    DemoWan {
        name: "cable",
        queues: queues("cable"),
        link: LinkSpec {
            supply: PerDirection::build(|_| Supply::Shape(Shape::Cable)),
            base_rtt: Duration::from_millis(14),
            jitter: Duration::from_millis(2),
            loss: 0.001,
            buffer: buffers(6_000_000, 1_000_000),
            traffic: Traffic::new(vec![
                phase(6, mbps(3.0, 0.4)),
                phase(25, PerDirection { download: GREEDY, upload: BitRate::from_mbps(0.5) }),
                phase(6, mbps(8.0, 1.0)),
                phase(20, PerDirection { download: BitRate::from_mbps(6.0), upload: GREEDY }),
                phase(8, mbps(2.0, 0.3)),
                phase(25, PerDirection { download: GREEDY, upload: GREEDY }),
            ]),
            seed,
            ..LinkSpec::steady(mbps(250.0, 25.0))
        },
        download_mbps: [20.0, 120.0, 240.0],
        upload_mbps: [3.0, 12.0, 24.0],
        delay_ms: [15.0, 45.0, 80.0],
    }
}

fn lte(seed: u64) -> DemoWan {
    DemoWan {
        name: "lte",
        queues: queues("lte"),
        link: LinkSpec {
            supply: PerDirection::build(|_| Supply::Shape(Shape::Lte)),
            base_rtt: Duration::from_millis(38),
            jitter: Duration::from_millis(4),
            loss: 0.005,
            buffer: buffers(3_000_000, 1_000_000),
            traffic: Traffic::new(vec![
                phase(5, mbps(1.0, 0.2)),
                phase(40, PerDirection { download: GREEDY, upload: BitRate::from_mbps(0.5) }),
                phase(5, mbps(1.0, 0.2)),
                phase(20, PerDirection { download: BitRate::from_mbps(2.0), upload: GREEDY }),
            ]),
            seed,
            ..LinkSpec::steady(mbps(40.0, 15.0))
        },
        download_mbps: [2.0, 15.0, 60.0],
        upload_mbps: [1.0, 6.0, 25.0],
        delay_ms: [25.0, 60.0, 120.0],
    }
}

fn queues(wan: &str) -> WorldQueues {
    WorldQueues {
        download: format!("{wan}-download"),
        upload: format!("{wan}-upload"),
        gateway: format!("ether-{wan}"),
    }
}

fn buffers(download: u32, upload: u32) -> PerDirection<Buffer> {
    PerDirection { download: Buffer::Bytes(download), upload: Buffer::Bytes(upload) }
}

fn mbps(download: f64, upload: f64) -> PerDirection<BitRate> {
    PerDirection { download: BitRate::from_mbps(download), upload: BitRate::from_mbps(upload) }
}

fn phase(seconds: u64, demand: PerDirection<BitRate>) -> Phase {
    let PerDirection { download, upload } = demand;
    Phase { lasts: Duration::from_secs(seconds), download: download.into(), upload: upload.into() }
}
