//! `wanctl status --watch` on a real terminal of 80 columns and 24 rows.

use std::{
    io::{Read as _, Write as _},
    process::Stdio,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use super::{monitor::demo, tool::tool};
use crate::support::site::Site;

const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn a_watched_status_fits_and_leaves_the_terminal_as_it_was() {
    let site = Site::new();
    let (_demo, address) = demo(&site);
    let watch = format!(
        "stty cols 80 rows 24; exec {} status --watch --every 200ms --url http://{address}",
        env!("CARGO_BIN_EXE_wanctl")
    );
    // `script` gives the program a terminal and passes on what is typed.
    let mut script = tool("script", "bsdutils")
        .args(["--quiet", "--return", "--command", &watch, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keys = script.stdin.take().unwrap();
    let mut output = script.stdout.take().unwrap();
    let (sender, shown) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(read @ 1..) = output.read(&mut part) {
            let _ = sender.send(part[..read].to_vec());
        }
    });
    let (began, mut bytes) = (Instant::now(), Vec::new());
    let pages = |bytes: &[u8]| String::from_utf8_lossy(bytes).matches("\x1b[H").count();
    while pages(&bytes) < 10 {
        let left = DEADLINE.checked_sub(began.elapsed()).expect("ten pages in time");
        bytes.extend(shown.recv_timeout(left).expect("another page"));
    }
    keys.write_all(b"\x03").unwrap();
    let status = script.wait().unwrap();
    reader.join().unwrap();
    bytes.extend(shown.try_iter().flatten());
    let text = String::from_utf8(bytes).unwrap();
    assert!(status.success(), "Ctrl-C is the usual end: {status}");
    let (before, after) = text.split_once(ENTER).expect("a screen of its own");
    assert_eq!(before.trim(), "");
    let (pages, end) = after.split_once(LEAVE).expect("the shell's screen again");
    assert_eq!(end.replace("^C", "").trim(), "");
    let whole: Vec<&str> =
        pages.split("\x1b[H").skip(1).filter(|page| page.contains("\x1b[J")).collect();
    assert!(whole.len() >= 10);
    for page in whole {
        let lines: Vec<String> = page.split("\r\n").map(without_codes).collect();
        assert!(lines.len() <= 24, "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        for wan in ["cable ", "lte "] {
            assert!(lines.iter().any(|line| line.starts_with(wan)), "{lines:#?}");
        }
    }
}

/// What a terminal shows of a line.
fn without_codes(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    let shown = parts.map(|part| part.trim_start_matches(|c: char| !c.is_ascii_alphabetic()));
    shown.fold(first, |line, part| line + part.get(1..).unwrap_or_default())
}
