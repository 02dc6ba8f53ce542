//! The real program under scrapes: `wanctl demo` as a process of its own, with and without fifty
//! scrapes a second, in turns, so that a busy neighbour on the machine falls on both alike.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

#[path = "scrape/client.rs"]
mod client;
#[path = "scrape/demo.rs"]
mod demo;
mod support;

use std::{
    io, thread,
    time::{Duration, Instant},
};

use client::Client;
use demo::{Demo, Usage};
use support::{Spread, check, heading};

/// Until the probes, the history and the emulated router have found their stride.
const WARM_UP: Duration = Duration::from_secs(10);
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_secs(5);
/// Time between two scrapes: fifty a second.
const APART: Duration = Duration::from_millis(20);

fn main() -> io::Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    let demo = Demo::start()?;
    thread::sleep(WARM_UP);
    let resident_before = demo.resident_mib("VmRSS:")?;
    let mut latency = Latency::default();
    let (mut quiet, mut scraped) = (Usage::default(), Usage::default());
    for _ in 0..ROUNDS {
        quiet += demo.usage_during(|_| {
            thread::sleep(TURN);
            Ok(())
        })?;
        scraped += demo.usage_during(|demo| scrape(demo, &mut latency))?;
    }
    report(latency, &quiet, &scraped);
    let resident = resident_before.max(demo.resident_mib("VmRSS:")?);
    println!("resident memory: {resident_before:.1} MiB before, {resident:.1} MiB in the end");
    println!();
    check("CPU of the demo without scrapes", quiet.cpu_percent(), 3.0, "% of one core");
    check("resident memory", resident * 1.048_576, 30.0, "MB");
    Ok(())
}

/// How long scrapes took, in ms.
#[derive(Debug, Default)]
struct Latency {
    kept: Vec<f64>,
    fresh: Vec<f64>,
    page: usize,
}

/// Scrapes for one turn: four of five over two connections that stay open, the fifth over one of
/// its own.
fn scrape(demo: &Demo, latency: &mut Latency) -> io::Result<()> {
    let mut kept = [Client::connect(demo.address)?, Client::connect(demo.address)?];
    let started = Instant::now();
    let mut free_since = started;
    for number in 0_u32.. {
        let due = started + APART * number;
        if due >= started + TURN {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // An answer that kept the next request from leaving in time is at fault for its wait.
        let asked = if free_since > due { due } else { Instant::now() };
        let fresh = number % 5 == 4;
        let page = if fresh {
            Client::connect(demo.address)?.get("/metrics")?
        } else {
            kept[number as usize % 2].get("/metrics")?
        };
        free_since = Instant::now();
        let took = (free_since - asked).as_secs_f64() * 1e3;
        if fresh { &mut latency.fresh } else { &mut latency.kept }.push(took);
        latency.page = page.len();
    }
    Ok(())
}

fn report(latency: Latency, quiet: &Usage, scraped: &Usage) {
    heading(&format!("GET /metrics, {} kB", latency.page / 1000), "ms");
    let all = Spread::new([latency.kept.clone(), latency.fresh.clone()].concat());
    Spread::new(latency.kept).print("kept connection");
    Spread::new(latency.fresh).print("new connection");
    println!();
    println!("{:<34}{:>10}{:>14}", "the demo meanwhile", "quiet", "50 scrapes/s");
    let line = |what: &str, figure: fn(&Usage) -> f64| {
        println!("{what:<34}{:>10.3}{:>14.3}", figure(quiet), figure(scraped));
    };
    line("CPU, % of one core", Usage::cpu_percent);
    line("lateness of a cycle p50, ms", |usage| usage.lateness.quantile(0.5) * 1e3);
    line("lateness of a cycle p99, ms", |usage| usage.lateness.quantile(0.99) * 1e3);
    line("cycles over 5 ms late, %", |usage| usage.lateness.share_over(0.005) * 100.0);
    line("busy time of a cycle p50, µs", |usage| usage.busy.quantile(0.5) * 1e6);
    line("busy time of a cycle p99, µs", |usage| usage.busy.quantile(0.99) * 1e6);
    line("cycles", |usage| usage.lateness.count());
    println!();
    check("a scrape (p99)", all.quantile(0.99), 5.0, "ms");
    check("a cycle in the live process (p99)", quiet.busy.quantile(0.99) * 1e6, 100.0, "µs");
    let (before, during) = (quiet.lateness.quantile(0.99), scraped.lateness.quantile(0.99));
    // The bounds around a millisecond lie a factor of two and more apart: half as much again is
    // within what one slow cycle of a thousand moves.
    check("lateness under scrapes, ratio to quiet (p99)", during / before, 1.5, "times");
}
