//! The real program under abuse: `wanctl demo` as a process of its own, and peers that are many,
//! slow, silent, verbose or deaf. What counts is that its control loops do not notice, that its
//! memory stays bounded, and that an honest scrape in their midst is answered.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

#[path = "load/abuse.rs"]
mod abuse;
#[path = "scrape/client.rs"]
mod client;
#[path = "scrape/demo.rs"]
mod demo;
#[path = "load/honest.rs"]
mod honest;
mod support;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use abuse::{deaf, listeners, many, scrapes, silent, trickles, verbose};
use demo::{Demo, Usage};
use honest::Honest;
use support::{Spread, check, heading};

/// Until the probes, the history and the emulated router have found their stride.
const WARM_UP: Duration = Duration::from_secs(10);
/// How long each kind of abuse lasts.
const TURN: Duration = Duration::from_secs(20);
/// How long the scrapes last.
const SCRAPES: Duration = Duration::from_mins(1);
/// Descriptors that ten thousand connections need.
const DESCRIPTORS: u64 = 12_000;

/// What was seen during one kind of abuse.
struct Scene {
    name: &'static str,
    usage: Usage,
    honest: Honest,
}

fn main() -> io::Result<()> {
    if !support::wanted() {
        return Ok(());
    }
    abuse::allow_descriptors(DESCRIPTORS)?;
    let demo = Demo::start()?;
    thread::sleep(WARM_UP);
    title();
    let quiet = scene(&demo, "nothing", |_| {
        thread::sleep(TURN);
        Ok(())
    })?;
    let done = Arc::<AtomicU32>::default();
    let scenes = [
        scene(&demo, "200 scrapes a second, a minute", |demo| {
            scrapes(demo.address, SCRAPES, &done)
        })?,
        scene(&demo, "500 heads that trickle in", |demo| trickles(demo.address, 500, TURN))?,
        scene(&demo, "1000 silent connections", |demo| silent(demo.address, 1000, TURN))?,
        scene(&demo, "10,000 connections", |demo| many(demo.address, 10_000, TURN))?,
        scene(&demo, "heads and bodies of 1 MB", |demo| verbose(demo.address, TURN))?,
        scene(&demo, "500 that read no answer", |demo| deaf(demo.address, 500, TURN))?,
        scene(&demo, "100 that listen to events", |demo| listeners(demo.address, 100, TURN))?,
    ];
    heading("an honest scrape meanwhile", "ms");
    for Scene { name, honest, .. } in [&quiet].into_iter().chain(&scenes) {
        Spread::new(honest.took.clone()).print(name);
        if honest.failed > 0 {
            println!("{:<34}{:>8} failed", "", honest.failed);
        }
    }
    println!();
    println!("scrapes that were done of 12,000: {}", done.load(Relaxed));
    let before = quiet.usage.lateness.quantile(0.99);
    for scene in &scenes {
        let ratio = scene.usage.lateness.quantile(0.99) / before;
        check(&format!("lateness p99 to quiet: {}", scene.name), ratio, 1.5, "times");
    }
    check("resident memory, peak", demo.resident_mib("VmHWM:")? * 1.048_576, 60.0, "MB");
    let failed: u32 = scenes.iter().map(|scene| scene.honest.failed).sum();
    check("honest scrapes that failed", f64::from(failed), 0.5, "");
    Ok(())
}

/// Watches the demo while it is abused.
fn scene(
    demo: &Demo,
    name: &'static str,
    abuse: impl FnOnce(&Demo) -> io::Result<()>,
) -> io::Result<Scene> {
    let watcher = honest::watch(demo.address);
    let usage = demo.usage_during(abuse)?;
    let resident = demo.resident_mib("VmHWM:")?;
    let scene = Scene { name, usage, honest: watcher.end() };
    let usage = &scene.usage;
    println!(
        "{name:<34}{:>10.2}{:>8.2}{:>8.2}{:>8.0}{:>8.1}{:>8.1}",
        usage.lateness.quantile(0.5) * 1e3,
        usage.lateness.quantile(0.99) * 1e3,
        usage.lateness.share_over(0.005) * 100.0,
        usage.lateness.count(),
        usage.cpu_percent(),
        resident * 1.048_576,
    );
    Ok(scene)
}

fn title() {
    println!(
        "{:<34}{:>10}{:>8}{:>8}{:>8}{:>8}{:>8}",
        "abuse", "late p50", "p99, ms", "> 5 ms %", "cycles", "CPU %", "peak MB"
    );
}
