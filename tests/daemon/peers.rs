//! Peers that mean no good: what they are refused, and who is served nevertheless.

use std::{fs, thread, time::Duration};

use crate::support::{
    child::{Program, wanctl},
    daemon::Daemon,
    peers::{PasswordGuessers, basic, request, send},
    router::Router,
    site::{Site, Sketch, address},
};

fn daemon(site: &Site) -> Option<Daemon> {
    let path = site.path("wanctl.yaml");
    let text = fs::read_to_string(&path).unwrap();
    site.write(
        "wanctl.yaml",
        &text.replace("http: {", "http: {allow_reload: true, hosts: [gateway.example.org], "),
    );
    site.run(&[])
}

#[test]
fn a_page_whose_name_was_made_to_resolve_to_this_host_is_refused() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = daemon(&site) else { return };
    let address = daemon.address;
    let ask = |method: &str, path: &str, host: &str, headers: &str| {
        send(address, &request(method, path, host, headers)).unwrap().0
    };
    let evil = "Origin: http://evil.example:9102\r\n";
    for path in ["/", "/status", "/health", "/recent", "/metrics", "/metrics/history"] {
        assert_eq!(ask("GET", path, "evil.example:9102", evil), 421, "{path}");
        assert_eq!(ask("GET", path, "localhost\r\nHost: evil.example", ""), 400, "{path}");
    }
    assert_eq!(ask("POST", "/-/reload", "evil.example:9102", evil), 421);
    assert_eq!(ask("POST", "/-/reload", &address.to_string(), evil), 403);
    assert_eq!(ask("GET", "http://evil.example/status", "localhost", ""), 400);
    let own = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    for host in [own.trim(), "localhost:9102", "gateway.example.org:9102", &address.to_string()] {
        assert_eq!(ask("GET", "/status", host, ""), 200, "{host}");
    }
    assert_eq!(ask("GET", "/metrics", "wanctl:9102", ""), 200, "a scraper in the demo stack");
    daemon.stop().expect(0);
}

#[test]
fn orders_beyond_a_few_a_second_are_refused() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let Some(daemon) = daemon(&site) else { return };
    let order = request("POST", "/-/reload", "localhost", "");
    let begin = std::time::Instant::now();
    let (mut obeyed, mut refused) = (0, 0);
    while refused < 100 {
        match send(daemon.address, &order).unwrap().0 {
            200 => obeyed += 1,
            429 => refused += 1,
            status => panic!("{status}"),
        }
    }
    let most = 6 + begin.elapsed().as_millis() / 500;
    assert!(obeyed >= 5 && obeyed <= most, "{obeyed} of {most}");
    let reloads = daemon.scrape().value("wanctl_config_reloads_total", &[("result", "success")]);
    assert_eq!(reloads, obeyed as f64);
    daemon.stop().expect(0);
}

/// A demo with the password `right` of `prometheus`, at this bcrypt cost.
fn guarded(site: &Site, cost: u32) -> (Program, std::net::SocketAddr) {
    let hash = bcrypt::hash("right", cost).unwrap();
    site.write("web.yml", &format!("basic_auth_users: {{prometheus: {hash}}}\n"));
    let mut demo = wanctl();
    demo.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(site.path("data"));
    demo.arg("--web.config.file").arg(site.path("web.yml"));
    let mut demo = Program::start(demo);
    let address = address(&demo.said("live page"));
    (demo, address)
}

/// A flood from the address of those who are right: 25 guessers that connect anew each time, and
/// 180 that keep their connections, which is more than are let in.
#[test]
fn who_has_the_right_password_is_served_under_any_flood_of_wrong_ones() {
    for (number, keeps) in [(25, false), (180, true)] {
        let site = Site::new();
        let (demo, address) = guarded(&site, 8);
        let ask = |path: &str, password: &str| {
            send(address, &request("GET", path, "localhost", &basic("prometheus", password)))
        };
        let guessers = PasswordGuessers::start(address, "prometheus", number, keeps);
        thread::sleep(Duration::from_secs(2));
        // Nobody has been right so far.
        let (status, took) = ask("/metrics", "right").unwrap();
        assert_eq!(status, 200, "after {took:?}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        for _ in 0..10 {
            let (status, took) = ask("/metrics", "right").unwrap();
            assert_eq!(status, 200, "after {took:?}");
            assert!(took < Duration::from_secs(1), "{took:?} with {number}");
            thread::sleep(Duration::from_millis(100));
        }
        assert!(guessers.guesses() > number, "{}", guessers.guesses());
        drop(guessers);
        assert_eq!(ask("/livez", "wrong").unwrap().0, 401);
        demo.terminate();
        demo.exit().expect(0);
    }
}
