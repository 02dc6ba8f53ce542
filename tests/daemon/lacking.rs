//! What is missing at the start, and may come later, does not keep control from starting.

use std::fs;

use crate::support::{
    child::{Program, until, wanctl},
    http,
    router::Router,
    site::{DOWNLOAD, Site, Sketch, address},
};

/// Starts the daemon with `arguments` and waits for the rate that it writes.
fn controls(site: &Site, router: &Router, arguments: &[&str]) -> Program {
    let mut program = Program::start(site.command(arguments));
    until("a rate", || {
        assert!(!program.has_ended(), "{program:?}");
        router.limits(DOWNLOAD).last().copied()
    });
    program
}

#[test]
fn a_listen_address_that_does_not_exist_yet() {
    let router = Router::start();
    // TEST-NET-1 (RFC 5737) is no address of this host.
    let site = Site::with(&Sketch {
        listen: "192.0.2.1:0\", allow_remote: true, allow_steer: \"no".to_owned(),
        ..Sketch::of(router.url())
    });
    let text = fs::read_to_string(site.path("wanctl.yaml")).unwrap();
    site.write("wanctl.yaml", &text.replace(", allow_steer: \"no\"", ""));
    let mut program = controls(&site, &router, &[]);
    program.logged("cannot listen yet: control starts without the HTTP server");
    program.terminate();
    program.exit().expect(0);
}

#[test]
fn a_web_configuration_that_cannot_be_used_yet() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let web = site.path("web.yml");
    let mut program = controls(&site, &router, &["--web.config.file", web.to_str().unwrap()]);
    program.logged("web.yml: cannot read the file");
    program.logged("no HTTP server until the web configuration is valid; control continues");
    assert!(!program.stderr().contains("serving url="));
    site.write("web.yml", "# nobody is asked for a password\n");
    let address = address(&program.logged("serving url="));
    assert_eq!(http::get(address, "/livez", "*/*").unwrap().status, 200);
    program.terminate();
    program.exit().expect(0);
}

#[test]
fn a_recording_that_cannot_begin() {
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let mut program = controls(&site, &router, &["--record", "/nowhere/recording.jsonl"]);
    program.logged("no recording is written; control continues");
    program.terminate();
    program.exit().expect(0);
}

#[test]
fn a_directory_of_the_history() {
    let router = Router::start();
    let site = Site::with(&Sketch { history: "later/history.db", ..Sketch::of(router.url()) });
    // It would be made, but for what is in its place.
    site.write("later", "");
    let mut program = controls(&site, &router, &[]);
    program.logged("history is not written, control goes on");
    fs::remove_file(site.path("later")).unwrap();
    program.logged("history is written again");
    program.terminate();
    program.exit().expect(0);
}

#[test]
fn the_certificate_authorities_of_the_system() {
    let none = [("SSL_CERT_FILE", "/nonexistent"), ("SSL_CERT_DIR", "/nonexistent")];
    let site = Site::new();
    let mut demo = wanctl();
    demo.args(["demo", "--listen", "127.0.0.1:0", "--duration", "3s", "--data-dir"]);
    demo.arg(site.path("data")).envs(none);
    Program::finish(demo).expect(0);
    // Plain HTTP and a pinned certificate need no authority.
    let router = Router::start();
    let site = Site::with(&Sketch::of(router.url()));
    let mut command = site.command(&[]);
    command.envs(none);
    let mut program = Program::start(command);
    let address = address(&program.logged("serving url="));
    until("a rate", || router.limits(DOWNLOAD).last().copied());
    let mut status = wanctl();
    status.args(["status", "--url", &format!("http://{address}")]).envs(none);
    Program::finish(status).expect(0);
    program.terminate();
    program.exit().expect(0);
    // Only HTTPS without either does, and it says so while it goes on.
    let site = Site::with(&Sketch::of("https://127.0.0.1:9".to_owned()));
    let mut command = site.command(&[]);
    command.envs(none);
    let mut program = Program::start(command);
    let reported = program.logged("the router's certificate cannot be verified");
    assert!(reported.contains("install ca-certificates"), "{reported}");
    program.logged("serving url=");
    program.terminate();
    program.exit().expect(0);
}
