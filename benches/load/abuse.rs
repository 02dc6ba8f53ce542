//! Peers that nobody wants.

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::client::Client;

/// What most requests here ask for.
const ASK: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Lets this process have `wanted` open descriptors.
pub(crate) fn allow_descriptors(wanted: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let maximum = maximum.map(|maximum| maximum.max(wanted));
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    }
    Ok(())
}

/// Four scrapers with kept connections, fifty scrapes a second each. Adds to `done` what came of it.
pub(crate) fn scrapes(
    address: SocketAddr,
    lasts: Duration,
    done: &Arc<AtomicU32>,
) -> io::Result<()> {
    let done = Arc::clone(done);
    let scraper = move || -> io::Result<()> {
        let mut client = Client::connect(address)?;
        let started = Instant::now();
        for number in 0_u32.. {
            let due = started + Duration::from_millis(20) * number;
            if due >= started + lasts {
                break;
            }
            // A server that cannot keep up is asked less often, not for longer.
            if started.elapsed() >= lasts {
                break;
            }
            thread::sleep(due.saturating_duration_since(Instant::now()));
            client.get("/metrics")?;
            done.fetch_add(1, Relaxed);
        }
        Ok(())
    };
    let scrapers: Vec<_> = (0..4).map(|_| thread::spawn(scraper.clone())).collect();
    for each in scrapers {
        each.join().unwrap_or_else(|_| Err(io::Error::other("a scraper panicked")))?;
    }
    Ok(())
}

/// Heads of requests that never end, a byte a second; who is thrown out comes back.
pub(crate) fn trickles(address: SocketAddr, count: usize, lasts: Duration) -> io::Result<()> {
    let mut peers = connect(address, count)?;
    let started = Instant::now();
    for peer in &mut peers {
        let _ = peer.write_all(b"GET / HTTP/1.1\r\nX: ");
    }
    while started.elapsed() < lasts {
        for peer in &mut peers {
            if peer.write_all(b"x").is_err() {
                *peer = TcpStream::connect(address)?;
            }
        }
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Connections that are opened and forgotten, as by a peer whose power was cut.
pub(crate) fn silent(address: SocketAddr, count: usize, lasts: Duration) -> io::Result<()> {
    let peers = connect(address, count)?;
    thread::sleep(lasts);
    drop(peers);
    Ok(())
}

/// Connections that each ask once and stay.
pub(crate) fn many(address: SocketAddr, count: usize, lasts: Duration) -> io::Result<()> {
    let started = Instant::now();
    let mut peers = Vec::with_capacity(count);
    for _ in 0..count {
        let mut peer = TcpStream::connect(address)?;
        let _ = peer.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
        peers.push(peer);
    }
    thread::sleep(lasts.saturating_sub(started.elapsed()));
    Ok(())
}

/// Requests of a megabyte, in their heads and in their bodies, ten a second.
pub(crate) fn verbose(address: SocketAddr, lasts: Duration) -> io::Result<()> {
    let filler = vec![b'x'; 1 << 20];
    let started = Instant::now();
    while started.elapsed() < lasts {
        for start in
            [&b"GET / HTTP/1.1\r\nX: "[..], b"POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n"]
        {
            let mut peer = TcpStream::connect(address)?;
            // It is refused before it has been read: the rest meets a closed connection.
            let _ = peer.write_all(start).and_then(|()| peer.write_all(&filler));
        }
        thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// Clients that ask for page after page and read none.
pub(crate) fn deaf(address: SocketAddr, count: usize, lasts: Duration) -> io::Result<()> {
    let mut peers = connect(address, count)?;
    let started = Instant::now();
    for peer in &peers {
        peer.set_nonblocking(true)?;
    }
    while started.elapsed() < lasts {
        for peer in &mut peers {
            let _ = peer.write(ASK);
        }
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}

/// Pages that listen to events; most are turned away.
pub(crate) fn listeners(address: SocketAddr, count: usize, lasts: Duration) -> io::Result<()> {
    let mut peers = connect(address, count)?;
    for peer in &mut peers {
        let _ = peer.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    thread::sleep(lasts);
    Ok(())
}

fn connect(address: SocketAddr, count: usize) -> io::Result<Vec<TcpStream>> {
    (0..count).map(|_| TcpStream::connect(address)).collect()
}
