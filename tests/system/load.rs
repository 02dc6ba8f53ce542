//! The quick version of `cargo bench --bench load`: peers that are many, slow, silent and verbose,
//! all at once, for some seconds.

use std::{
    fs,
    io::{self, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use super::monitor::demo;
use crate::support::{
    exposition::{Format, Scrape},
    http,
    site::Site,
};

const LASTS: Duration = Duration::from_secs(8);
/// Connections that say nothing, many times what is let in.
const SILENT: usize = 2_000;

/// A scrape; one that is taken for a silent peer, before it has said anything, fails.
fn scrape(address: SocketAddr) -> io::Result<Scrape> {
    let page = http::get(address, "/metrics", Format::Text.accept())?;
    assert_eq!(page.status, 200);
    Ok(Scrape::parse(&page.body, Format::Text).unwrap())
}

/// Resident memory in MB.
fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1000.0
}

#[test]
fn whoever_comes_the_loops_turn_memory_is_bounded_and_a_scrape_is_answered() {
    let site = Site::new();
    let (demo, address) = demo(&site);
    let cycles = |scrape: &Scrape| {
        scrape.value("wanctl_cycle_duration_seconds_count", &[("wan", "cable")])
            + scrape.value("wanctl_cycle_ticks_skipped_total", &[("wan", "cable")])
    };
    let (before, quiet) = (cycles(&scrape(address).unwrap()), resident(demo.id()));
    let started = Instant::now();
    let abusers = [silent, trickle, verbose].map(|abuse| thread::spawn(move || abuse(address)));
    let (mut scrapes, mut failed, mut slowest, mut highest) = (0, 0, Duration::ZERO, quiet);
    while started.elapsed() < LASTS {
        let asked = Instant::now();
        failed += u32::from(scrape(address).is_err());
        slowest = slowest.max(asked.elapsed());
        highest = highest.max(resident(demo.id()));
        scrapes += 1;
        thread::sleep(Duration::from_millis(50));
    }
    for each in abusers {
        each.join().unwrap();
    }
    let after = scrape(address).unwrap();
    let rate = (cycles(&after) - before) / started.elapsed().as_secs_f64();
    assert!((rate - 20.0).abs() < 2.0, "{rate} ticks a second");
    assert!(failed * 5 <= scrapes, "{failed} of {scrapes} scrapes failed");
    assert!(scrapes > 5 && slowest < Duration::from_secs(5), "{scrapes}, {slowest:?}");
    assert!(highest < quiet + 40.0, "{quiet} MB before, {highest} MB in between");
    assert_eq!(http::get(address, "/livez", "*/*").unwrap().status, 200);
    demo.terminate();
    demo.exit().expect(0);
}

/// Connections that are opened and forgotten.
fn silent(address: SocketAddr) {
    let started = Instant::now();
    let mut peers = Vec::new();
    while started.elapsed() < LASTS {
        if peers.len() < SILENT {
            peers.push(TcpStream::connect(address).unwrap());
        } else {
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A hundred heads that trickle in.
fn trickle(address: SocketAddr) {
    let started = Instant::now();
    let mut peers: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    while started.elapsed() < LASTS {
        for peer in &mut peers {
            if peer.write_all(b"G").is_err() {
                *peer = TcpStream::connect(address).unwrap();
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// Heads and bodies of a megabyte, one after another.
fn verbose(address: SocketAddr) {
    let (started, filler) = (Instant::now(), vec![b'x'; 1 << 20]);
    while started.elapsed() < LASTS {
        for start in
            [&b"GET / HTTP/1.1\r\nX: "[..], b"POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n"]
        {
            let mut peer = TcpStream::connect(address).unwrap();
            // It is refused before it has been read.
            let _ = peer.write_all(start).and_then(|()| peer.write_all(&filler));
        }
    }
}
