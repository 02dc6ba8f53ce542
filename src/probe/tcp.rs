//! TCP connects where ICMP is filtered: the time from the SYN to its acceptance.
//!
//! A connection that is accepted is ended at once by a reset. One that is refused is no reply: a
//! firewall on the way, or on this host, refuses in the target's place, and a dead line would seem
//! alive. The other port is asked then. Middleboxes that answer in a server's place make the delay of the path beyond
//! them invisible, so this is the last choice.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use futures_util::future::BoxFuture;
use rustix::io::Errno;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use wanctl_core::{ProbeOutcome, ReflectorId, units::Delay};

use super::{Bind, ProbeConfig, ProbeResult, Prober, ReplyTimeout, route};

/// HTTPS, then DNS. DNS comes second because it is what providers like to answer themselves.
const PORTS: [u16; 2] = [443, 53];
/// When the kernel sends the SYN again, counted from the first one (RFC 6298).
const REPEATED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// Without an answer until then the other port is asked: before the second SYN.
const OTHER_PORT_AFTER: Duration = Duration::from_millis(950);
/// A connect is given up after this long: each keeps a file descriptor.
const LONGEST: Duration = Duration::from_secs(5);
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
    /// The least delay so far, in microseconds.
    least: AtomicU64,
}

impl TcpProber {
    /// Prepares probes as configured. A socket is opened for each of them.
    #[must_use]
    pub fn new(config: &ProbeConfig) -> Self {
        Self::on_ports(config, &PORTS)
    }

    fn on_ports(config: &ProbeConfig, ports: &[u16]) -> Self {
        let target = |address: &IpAddr| Target {
            address: *address,
            port: AtomicUsize::new(0),
            least: AtomicU64::new(u64::MAX),
        };
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
        // What fails here has not left this host; what fails later was answered from the network.
        match socket.connect(&address.into()) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Ok(ProbeOutcome::Lost);
            }
            Err(error) if !is_in_flight(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let stream = TcpStream::from_std(socket.into())?;
        let mut connected = pin!(stream.writable());
        let other_port = sent + OTHER_PORT_AFTER.min(longest);
        let soon = timeout_at(other_port, &mut connected).await.ok();
        let is_late = soon.is_none();
        let known = if let Some(known) = soon {
            Some(known)
        } else {
            timeout_at(sent + longest.min(LONGEST), connected).await.ok()
        };
        let rtt = sent.elapsed();
        if !matches!(known, Some(Ok(()))) || stream.take_error()?.is_some() {
            target.port.store(turn.wrapping_add(1), Relaxed);
            return Ok(ProbeOutcome::Lost);
        }
        if is_late {
            target.port.store(turn, Relaxed);
        }
        Ok(ProbeOutcome::Reply(Delay::from(target.since_last_syn(rtt))))
    }

    fn socket(&self, target: SocketAddr) -> io::Result<Socket> {
        let domain = Domain::for_address(target);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        self.bind.tie(&socket)?;
        // The end is a reset: nothing lingers, on either side.
        socket.set_linger(Some(Duration::ZERO))?;
        Ok(socket)
    }
}

impl Target {
    /// The delay of an answer that came `after` the first SYN. One that comes just after a
    /// repeated SYN is the answer to that.
    fn since_last_syn(&self, after: Duration) -> Duration {
        let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let typical = Duration::from_micros(self.least.load(Relaxed).saturating_mul(2));
        let repeated = REPEATED.into_iter().rev().find(|at| after >= *at);
        let since = after.saturating_sub(repeated.unwrap_or_default());
        if repeated.is_some() && since <= typical && self.least.load(Relaxed) != u64::MAX {
            return since;
        }
        self.least.fetch_min(micros(after), Relaxed);
        after
    }
}

/// Whether a connect goes on in the background.
fn is_in_flight(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::INPROGRESS | Errno::WOULDBLOCK))
}

impl Prober for TcpProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        _sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let Some(target) = self.targets.get(usize::from(reflector.0)) else {
                return ProbeOutcome::Unsent.into();
            };
            match self.connect(target, reply_timeout.longest).await {
                Ok(outcome) => outcome.into(),
                Err(error) => {
                    ProbeResult::unsent(route::explain(&self.bind, target.address, &error))
                }
            }
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
        prober.probe(ReflectorId(0), 1, ReplyTimeout::only(SECOND)).await.outcome
    }

    #[tokio::test]
    async fn only_an_accepted_connection_is_a_reply() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let source = Bind::Source(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for bind in [Bind::Any, source.clone()] {
            assert!(matches!(outcome(bind, port).await, ProbeOutcome::Reply(_)));
        }
        drop(listener);
        assert_eq!(outcome(source, port).await, ProbeOutcome::Lost, "anybody may have refused it");
    }

    #[tokio::test]
    async fn an_end_that_is_not_here_sends_nothing() {
        let interface = Bind::Interface("wanctl-none".to_owned());
        let source = Bind::Source(IpAddr::from([192, 0, 2, 9]));
        for bind in [interface, source] {
            assert_eq!(outcome(bind, 9).await, ProbeOutcome::Unsent);
        }
    }

    #[test]
    fn an_answer_to_a_repeated_syn_is_counted_from_that() {
        let target = Target {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: AtomicUsize::new(0),
            least: AtomicU64::new(u64::MAX),
        };
        let delay = |after| target.since_last_syn(Duration::from_millis(after)).as_millis();
        assert_eq!(delay(1015), 1015, "nothing is known of the path yet");
        assert_eq!(delay(20), 20);
        assert_eq!(delay(1015), 15);
        assert_eq!(delay(3040), 40);
        assert_eq!(delay(1300), 1300, "a queue");
    }
}
