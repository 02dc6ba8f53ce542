//! The live page in a real browser: on a phone, by keyboard, in both schemes, and without a stream
//! of events.

use std::{io::Write as _, net::TcpStream, thread, time::Duration};

use serde_json::json;

use super::{browser::Browser, monitor::demo};
use crate::support::site::Site;

/// Everything is there: both WANs, steering, the controller, and a chart with points.
const DRAWN: &str = "document.querySelectorAll('#wans .card').length === 2
    && document.querySelectorAll('#rest .card:not([hidden])').length === 2
    && document.querySelectorAll('.system tbody tr').length === 7
    && /Mbit/.test(document.querySelector('.traffic').innerText)
    && !/Connecting|lost/.test(document.getElementById('headline').innerText)";

/// The least contrast of any text with what is behind it, and that text (WCAG 2.2, 1.4.3).
const CONTRAST: &str = "(() => {
  const light = (c) => { const v = c / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const read = (text) => text.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = read(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let worst = [21, ''];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility()) continue;
    const [a, b] = [luminance(read(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, node.data];
  }
  return worst;
})()";

#[test]
fn the_page_fits_a_phone_reads_in_both_schemes_and_obeys_the_keyboard() {
    let site = Site::new();
    let (_demo, address) = demo(&site);
    let mut browser = Browser::start(360);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        browser.open(&format!("http://{address}/"));
        browser.until(DRAWN);
        assert_eq!(browser.evaluate("document.documentElement.scrollWidth"), 360, "{scheme}");
        let worst = browser.evaluate(CONTRAST);
        assert!(worst[0].as_f64().unwrap() >= 4.5, "{scheme}: {worst}");
    }
    let title = browser.evaluate("document.title");
    assert!(title.as_str().unwrap().ends_with("wanctl"), "{title}");

    // To the first chart by keyboard, and back through time.
    for _ in 0..20 {
        browser.press("Tab");
        if browser.evaluate("document.activeElement.tagName") == "CANVAS" {
            break;
        }
    }
    assert_eq!(browser.evaluate("document.activeElement.tagName"), "CANVAS");
    browser.press("ArrowLeft");
    browser.until("/s ago: ↓/.test(document.querySelector('.readout').innerText)");
    assert_eq!(browser.evaluate("document.activeElement.getAttribute('aria-valuenow')"), "-1");
    assert_eq!(browser.complaints, [json!(null); 0], "nothing is missing and no rule is broken");
}

#[test]
fn the_page_asks_when_no_seat_is_left_and_says_when_the_server_has_gone() {
    let site = Site::new();
    let (demo, address) = demo(&site);
    let seats: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut seat = TcpStream::connect(address).unwrap();
            seat.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            seat
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let mut browser = Browser::start(1280);
    browser.open(&format!("http://{address}/"));
    browser.until(DRAWN);
    let cycle = "document.querySelector('.system tbody tr:nth-child(6)').innerText";
    let before = browser.evaluate(cycle);
    browser.until(&format!("{cycle} !== {before}"));
    assert_eq!(browser.evaluate("document.body.classList.contains('lost')"), false);
    drop(seats);
    drop(demo);
    browser.until("/Connection lost, last data/.test(document.querySelector('h1').innerText)");
}
