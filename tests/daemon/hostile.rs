//! `wanctl run` on a router that sends without end and words that forge: its memory stays bounded, its
//! log and its pages stay clean, and control goes on between the misdeeds.

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

use crate::support::{
    child::until,
    hostile::{Hostile, HostileReply, Request, defaults},
    site::{DOWNLOAD, Site, Sketch, UPLOAD},
};

/// Most memory that the daemon may ever have taken, in kB; without bounds it is more than ten times
/// as much.
const MOST_MEMORY_KB: u64 = 160_000;

fn peak_memory_kb(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_router_that_sends_without_end_costs_neither_memory_nor_control() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let router = Hostile::start(defaults(DOWNLOAD, UPLOAD), |request, _| {
        if !request.prints("/queue/tree") {
            return None;
        }
        // Every fourth reading has no end, every fourth is many rows, every fourth is a forged refusal.
        let words = format!("x\r\n2026 ERROR forged\u{1b}[2J\u{202e}{}", "A".repeat(1_900_000));
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[";
        match ASKED.fetch_add(1, Ordering::Relaxed) % 4 {
            1 => Some(HostileReply::Endless(head.to_owned(), b"{\"name\":\"x\"},".repeat(2000))),
            2 => Some(HostileReply::Json(
                200,
                json!(vec![json!({"name": "y", ".id": "*1"}); 19_000]),
            )),
            3 => Some(HostileReply::Json(
                400,
                json!({"error": 400, "message": "Bad", "detail": words}),
            )),
            _ => None,
        }
    });
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = site.run(&[]) else { return };
    let id = daemon.program.id();
    until("a dozen readings", || (ASKED.load(Ordering::Relaxed) > 12).then_some(()));
    until("a write to each queue", || {
        let written: Vec<String> = router
            .requests()
            .into_iter()
            .filter(Request::is_write)
            .map(|request| request.path)
            .collect();
        (written.iter().any(|path| path.ends_with("*1000000"))
            && written.iter().any(|path| path.ends_with("*1000001")))
        .then_some(())
    });
    let health = daemon.get("/health").body;
    assert!(health.len() < 64_000, "{} bytes", health.len());
    let peak = peak_memory_kb(id);
    assert!(peak < MOST_MEMORY_KB, "{peak} kB");
    let exit = daemon.stop();
    exit.expect(0);
    for text in [&health, &exit.stderr, &exit.stdout] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("2026 ERROR forged")), "{text}");
        assert!(text.lines().all(|line| line.len() < 8_000 || text == &health));
    }
}
