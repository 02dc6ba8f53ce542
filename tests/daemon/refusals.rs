//! What `wanctl run` cannot run with ends it at once, with a code and a line of its own.

use std::net::TcpListener;

use crate::support::{
    child::{Program, wanctl},
    site::{Site, Sketch},
};

fn sketch() -> Sketch {
    Sketch::of("http://127.0.0.1:9".to_owned())
}

#[test]
fn a_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let site = Site::with(&Sketch { listen: listen.clone(), ..sketch() });
    let Some(exit) = site.run_to_end(&[]) else { return };
    exit.expect(1);
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:#?}");
    assert!(exit.complaint().contains(&format!("cannot listen on {listen}")), "{exit:#?}");
    assert!(!site.path("history.db").exists(), "it began a history before it could serve");
}

#[test]
fn a_configuration_that_is_wrong() {
    let site = Site::with(&sketch());
    let path = site.path("wanctl.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("floor_mbps: 10", "flor_mbps: 10").replace("keep", "burn");
    site.write("wanctl.yaml", &text);
    let exit = Program::finish(site.command(&[]));
    exit.expect(78);
    let place = |line: usize, what: &str| {
        let start = format!("{}:{line}:", path.display());
        exit.stderr.lines().any(|reported| reported.starts_with(&start) && reported.contains(what))
    };
    assert!(place(10, "did you mean `floor_mbps`?"), "{exit:#?}");
    assert!(place(12, "burn"), "{exit:#?}");
}

#[test]
fn a_configuration_that_is_not_there() {
    let site = Site::new();
    let exit = Program::finish(site.command(&[]));
    exit.expect(78);
    assert!(exit.complaint().contains("wanctl.yaml: cannot read the file"), "{exit:#?}");
}

#[test]
fn arguments_that_do_not_exist() {
    for arguments in [&["run"][..], &["run", "--confg", "x"], &["fly"], &[]] {
        let mut command = wanctl();
        command.args(arguments);
        let exit = Program::finish(command);
        exit.expect(2);
        assert!(exit.stderr.contains("Usage:"), "{exit:#?}");
    }
}
