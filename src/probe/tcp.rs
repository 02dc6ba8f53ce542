//! TCP connects where ICMP does not get through: the time from the SYN to whatever answers it.
//!
//! A connection that is accepted is ended at once by a reset, and one that is refused is an
//! answer as well. Middleboxes that answer in a server's place make the delay of the path beyond
//! them invisible, so this is the last choice.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use futures_util::future::BoxFuture;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::TcpSocket,
    time::{Instant, timeout},
};

use super::{Answer, Prober};
use crate::{
    config::{Bind, ProbeConfig},
    control::{ProbeOutcome, ReflectorId},
    units::Delay,
};

/// HTTPS, then DNS. DNS comes second because it is what providers like to answer themselves.
const PORTS: [u16; 2] = [443, 53];
/// The kernel sends a second SYN after 1 s, and its answer would be taken for that of the first.
const BEFORE_SECOND_SYN: Duration = Duration::from_millis(950);
/// Least time between two connects: each is three packets, and a server may think of an attack.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// Asks the reflectors of one WAN by TCP connects.
#[derive(Debug)]
pub struct TcpProber {
    targets: Vec<Target>,
    bind: Bind,
    ports: Vec<u16>,
}

#[derive(Debug)]
struct Target {
    address: IpAddr,
    /// Which of the ports is asked.
    port: AtomicUsize,
}

impl TcpProber {
    /// Prepares probes as configured. A socket is opened for each of them.
    #[must_use]
    pub fn new(config: &ProbeConfig) -> Self {
        Self::on_ports(config, &PORTS)
    }

    fn on_ports(config: &ProbeConfig, ports: &[u16]) -> Self {
        let target = |address: &IpAddr| Target { address: *address, port: AtomicUsize::new(0) };
        Self {
            targets: config.reflectors.iter().map(target).collect(),
            bind: config.bind.clone(),
            ports: ports.to_vec(),
        }
    }

    async fn connect(&self, target: &Target, longest: Duration) -> io::Result<ProbeOutcome> {
        let turn = target.port.load(Relaxed);
        let port = self.ports.get(turn % self.ports.len().max(1)).copied().unwrap_or_default();
        let address = SocketAddr::new(target.address, port);
        let socket = self.socket(address)?;
        let sent = Instant::now();
        let Ok(connected) = timeout(longest, socket.connect(address)).await else {
            target.port.store(turn.wrapping_add(1), Relaxed);
            return Ok(ProbeOutcome::Lost);
        };
        match connected {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(error),
        }
        Ok(ProbeOutcome::Reply(Delay::from(sent.elapsed())))
    }

    fn socket(&self, target: SocketAddr) -> io::Result<TcpSocket> {
        let domain = Domain::for_address(target);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        self.bind.tie(&socket)?;
        // The end is a reset: nothing lingers, on either side.
        socket.set_linger(Some(Duration::ZERO))?;
        Ok(TcpSocket::from_std_stream(socket.into()))
    }
}

impl Prober for TcpProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        _sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let Some(target) = self.targets.get(usize::from(reflector.0)) else {
                return ProbeOutcome::Unsent.into();
            };
            let longest = timeout.min(BEFORE_SECOND_SYN);
            self.connect(target, longest).await.unwrap_or(ProbeOutcome::Unsent).into()
        })
    }

    fn least_interval(&self) -> Duration {
        LEAST_INTERVAL
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::TcpListener;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn config(bind: Bind) -> ProbeConfig {
        ProbeConfig { bind, ..ProbeConfig::of(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) }
    }

    async fn outcome(bind: Bind, port: u16) -> ProbeOutcome {
        let prober = TcpProber::on_ports(&config(bind), &[port]);
        prober.probe(ReflectorId(0), 1, SECOND).await.outcome
    }

    #[tokio::test]
    async fn an_open_and_a_closed_port_both_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let source = Bind::Source(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for bind in [Bind::Any, source.clone()] {
            assert!(matches!(outcome(bind, port).await, ProbeOutcome::Reply(_)));
        }
        drop(listener);
        assert!(matches!(outcome(source, port).await, ProbeOutcome::Reply(_)));
    }

    #[tokio::test]
    async fn an_end_that_is_not_here_sends_nothing() {
        let interface = Bind::Interface("wanctl-none".to_owned());
        let source = Bind::Source(IpAddr::from([192, 0, 2, 9]));
        for bind in [interface, source] {
            assert_eq!(outcome(bind, 9).await, ProbeOutcome::Unsent);
        }
    }
}
