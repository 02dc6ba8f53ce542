//! `wanctl demo` and `wanctl emulate-router`: what a newcomer tries first.

use std::time::{Duration, Instant};

use crate::support::{
    child::{Program, wanctl},
    exposition::{Format, Scrape},
    http,
    site::address,
};

#[test]
fn the_demo_ends_by_itself_with_a_summary_and_was_scrapable() {
    let site = tempfile::TempDir::new().unwrap();
    let started = Instant::now();
    let mut command = wanctl();
    command.args(["demo", "--duration", "3s", "--listen", "127.0.0.1:0", "--data-dir"]);
    let mut demo = Program::start({
        command.arg(site.path());
        command
    });
    let address = address(&demo.said("metrics"));
    for format in [Format::Text, Format::OpenMetrics] {
        let page = http::get(address, "/metrics", format.accept()).unwrap();
        let scrape = Scrape::parse(&page.body, format).unwrap();
        for wan in ["cable", "lte"] {
            scrape.value("wanctl_cycle_duration_seconds_count", &[("wan", wan)]);
        }
    }
    let exit = demo.exit();
    exit.expect(0);
    assert!(started.elapsed() >= Duration::from_secs(3), "{exit:#?}");
    for wan in ["cable: ", "lte: "] {
        let summary = exit.stdout.lines().find(|line| line.starts_with(wan)).unwrap_or_default();
        assert!(summary.contains(" cycles, ") && summary.contains("p95"), "{exit:#?}");
    }
    assert_eq!(exit.stderr, "", "a demo without trouble logs nothing");
    assert!(site.path().join("history.db").exists());
}

#[test]
fn the_emulated_router_answers_until_it_is_asked_to_end() {
    let mut command = wanctl();
    command.args(["emulate-router", "--listen", "127.0.0.1:0"]);
    let mut router = Program::start(command);
    let address = address(&router.said("RouterOS emulator at"));
    router.said("Ctrl-C ends the emulator");
    let stranger = http::get(address, "/rest/system/resource", "*/*").unwrap();
    assert_eq!(stranger.status, 401, "{stranger:?}");
    router.terminate();
    router.exit().expect(0);
}
