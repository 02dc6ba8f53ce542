//! Routers that do not obey, one kind after the other.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;
use wanctl::router::{
    Finding, Inspect as _, PingFrom, Pinger as _, QueueRef, RouterError, Severity, Shaper as _,
    SwitchMenu, Switches as _,
    routeros::{Credentials, RouterOs, Settings},
};
use wanctl_core::units::BitRate;

use super::bench::{switch, tree};
use crate::support::hostile::{Hostile, HostileReply, Request, World, defaults, honest, row_of};

const TIMEOUT: Duration = Duration::from_millis(800);
/// More than this is never taken off a router for one answer: the 2 MiB that are read, and what the
/// buffers of both sides of a connection hold.
const MOST_TAKEN: u64 = 24 << 20;

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn queues() -> Vec<QueueRef> {
    vec![tree("dl"), tree("ul")]
}

fn client(router: &Hostile) -> RouterOs {
    let config = Settings {
        request_timeout: TIMEOUT,
        ..Settings::at(&router.url(), Credentials::new("ctl", "secret"))
    };
    RouterOs::new(&config, queues()).unwrap()
}

/// A router that answers every reading of the queue trees in this manner.
fn misreading(
    manner: impl Fn(&Request, &mut World) -> HostileReply + Send + Sync + 'static,
) -> Hostile {
    Hostile::start(defaults("dl", "ul"), move |request, world| {
        request.prints("/queue/tree").then(|| manner(request, world))
    })
}

/// A router that answers every write in this manner.
fn miswriting(
    manner: impl Fn(&Request, &mut World) -> HostileReply + Send + Sync + 'static,
) -> Hostile {
    Hostile::start(defaults("dl", "ul"), move |request, world| {
        request.is_write().then(|| manner(request, world))
    })
}

/// Reads from a router that answers with this, and returns the error, in time and in bounds.
async fn reading(reply: HostileReply) -> RouterError {
    let router = misreading(move |_, _| reply.clone());
    let started = Instant::now();
    let client = client(&router);
    let error = client.read_queues(&queues()).await.unwrap_err();
    assert!(started.elapsed() < TIMEOUT * 8, "{error}: {:?}", started.elapsed());
    assert!(router.sent() < MOST_TAKEN, "{error}: {} bytes were taken", router.sent());
    let reported = format!("{error} {}", client.remedy(&error.fault));
    assert!(
        reported.chars().count() < 1200 && !reported.chars().any(char::is_control),
        "{reported}"
    );
    error
}

fn body(status: u16, text: &str) -> HostileReply {
    HostileReply::Body(status, "Content-Type: text/html\r\n".to_owned(), text.as_bytes().to_vec())
}

fn rows(count: usize, row: &str) -> String {
    format!("[{}]", vec![row; count].join(","))
}

#[tokio::test]
async fn an_answer_without_end_or_measure_is_left_unread() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let endless = |framing: &str, again: &[u8]| {
        HostileReply::Endless(format!("{head}{framing}\r\n\r\n["), again.to_vec())
    };
    let row = br#"{".id":"*1","name":"dl","max-limit":"1"},"#.repeat(1000);
    let mut chunk = format!("{:x}\r\n", row.len()).into_bytes();
    chunk.extend_from_slice(&row);
    chunk.extend_from_slice(b"\r\n");
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n");
    for (what, reply) in [
        ("a length of 100 MB", endless("Content-Length: 100000000", &row)),
        ("no length at all", endless("Connection: close", &row)),
        ("chunks", HostileReply::Endless(chunked, chunk)),
        ("one text", endless("Connection: close", &[b'"'; 4096])),
        ("3 MB of spaces", HostileReply::Body(200, String::new(), vec![b' '; 3_000_000])),
        ("a refusal of 5 MB", HostileReply::Body(400, String::new(), vec![b'x'; 5_000_000])),
    ] {
        let error = reading(reply).await;
        assert_eq!(error.fault.kind(), "unparsable", "{what}: {error}");
        assert!(error.to_string().contains("larger than 2 MiB"), "{what}: {error}");
    }
    let headers =
        HostileReply::Endless("HTTP/1.1 200 OK\r\n".to_owned(), b"X-More: of it\r\n".to_vec());
    let kind = reading(headers).await.fault.kind();
    assert!(["reset", "connect"].contains(&kind), "{kind}");
}

#[tokio::test]
async fn an_answer_within_the_measure_is_bounded_in_what_it_becomes() {
    for (what, text, words) in [
        ("many rows", rows(30_000, "{}"), "more than 20000 rows"),
        ("a deep value", format!("[{{\"name\":{}", "[".repeat(1_000_000)), "recursion"),
        ("a deep list", "[".repeat(1_000_000), ""),
    ] {
        let error = reading(body(200, &text)).await;
        assert_eq!(error.fault.kind(), "unparsable", "{what}: {error}");
        assert!(error.to_string().contains(words), "{what}: {error}");
    }
    // A compressed answer was not asked for, and is not unpacked.
    let gzip = HostileReply::Body(
        200,
        "Content-Encoding: gzip\r\n".to_owned(),
        b"\x1f\x8b\x08\0\0".to_vec(),
    );
    assert_eq!(reading(gzip).await.fault.kind(), "unparsable");
}

#[tokio::test]
async fn a_slow_or_broken_answer_ends_in_time() {
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    let drip =
        HostileReply::Drip(head(1_000_000), vec![b' '; 1_000_000], Duration::from_millis(20));
    assert_eq!(reading(drip).await.fault.kind(), "timeout");
    let slow_head =
        HostileReply::Drip(String::new(), head(2).into_bytes(), Duration::from_millis(200));
    assert_eq!(reading(slow_head).await.fault.kind(), "timeout");
    for (what, reply) in [
        ("a length that is too long", HostileReply::Raw(format!("{}[]", head(5000)).into_bytes())),
        ("a reset in the middle", HostileReply::Reset(format!("{}[{{", head(5000)).into_bytes())),
        ("no answer", HostileReply::Raw(Vec::new())),
        ("no HTTP", HostileReply::Raw(b"SSH-2.0-ROSSSH\r\n".to_vec())),
    ] {
        let error = reading(reply).await;
        assert!(["reset", "connect"].contains(&error.fault.kind()), "{what}: {error}");
    }
}

#[tokio::test]
async fn another_web_server_is_distinguished_from_a_router() {
    let moved = |status| {
        let head = "Location: https://192.0.2.7:8443/rest/queue/tree/print\r\n".to_owned();
        HostileReply::Body(status, head, Vec::new())
    };
    for (reply, words) in [
        (moved(301), "answers 301 and sends to https://192.0.2.7:8443/"),
        (moved(302), "answers 302 and sends to https://192.0.2.7:8443/"),
        (moved(308), "answers 308"),
        (body(404, "<html><title>404 Not Found - nginx</title>"), "titled `404 Not Found - nginx`"),
        (body(200, "<!doctype html><title>Log in</title>"), "200 with a web page titled `Log in`"),
        (HostileReply::Json(404, json!({"message": "no Route matched"})), "no Route matched"),
        (body(502, "<h1>Bad Gateway</h1>"), "502 with a web page"),
    ] {
        let error = reading(reply).await;
        assert_eq!(error.fault.kind(), "not_routeros", "{error}");
        assert!(error.to_string().contains("this is no RouterOS 7 REST API"), "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
    let empty = reading(HostileReply::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())).await;
    assert!(empty.to_string().contains("the answer is empty"), "{empty}");
    let refused = json!({"error": 400, "message": "Bad Request", "detail": "failure: in use"});
    let refused = reading(HostileReply::Json(200, refused)).await;
    assert_eq!((refused.fault.kind(), refused.to_string().contains("in use")), ("rejected", true));
}

#[tokio::test]
async fn a_storm_of_401_is_reported_and_passes() {
    static STORM: AtomicBool = AtomicBool::new(true);
    let router = Hostile::start(defaults("dl", "ul"), |_, _| {
        let unauthorized = json!({"error": 401, "message": "Unauthorized"});
        STORM.load(Ordering::Relaxed).then_some(HostileReply::Json(401, unauthorized))
    });
    let client = client(&router);
    for _ in 0..50 {
        let error = client.read_queues(&queues()).await.unwrap_err();
        assert_eq!(error.fault.kind(), "unauthorized");
        assert!(error.fault.may_pass());
    }
    STORM.store(false, Ordering::Relaxed);
    assert_eq!(client.set_limit(&tree("dl"), mbps(5.0)).await.unwrap(), mbps(5.0));
}

#[tokio::test]
async fn an_id_that_is_none_never_becomes_a_path() {
    for id in [
        "../../system/reboot",
        "*1/../../../system/reboot",
        "",
        "*",
        "1",
        "*1?x",
        "*1 HTTP/1.1\r\nX: y",
    ] {
        let router = misreading(move |_, world| {
            world.get_mut("/queue/tree").unwrap()[0][".id"] = json!(id);
            HostileReply::Json(200, world["/queue/tree"].clone())
        });
        let error = client(&router).set_limit(&tree("dl"), mbps(5.0)).await.unwrap_err();
        assert!(error.to_string().contains("no id like *1A"), "{id}: {error}");
        let found = client(&router).describe_queue(&tree("dl")).await.unwrap();
        assert!(found.is_fatal() && found.text.contains("no id like *1A"), "{id}: {found:?}");
        let strange = |request: &Request| !request.path.ends_with("/print");
        assert!(!router.requests().iter().any(strange), "{id}: {:?}", router.requests());
    }
    // The same for the rows of switches.
    let mut world = defaults("dl", "ul");
    let rule =
        json!({".id": "*1/../2", "comment": "steer", "action": "mark-routing", "disabled": "true"});
    world.insert("/ip/firewall/mangle".to_owned(), json!([rule]));
    let router = Hostile::start(world, |_, _| None);
    let switched = client(&router).enable_switch(&switch(SwitchMenu::Mangle, "steer"), true).await;
    assert!(switched.unwrap_err().to_string().contains("no id like *1A"));
    assert!(router.requests().iter().all(|request| !request.is_write()));
}

#[tokio::test]
async fn words_of_the_router_are_cut_and_escaped_wherever_they_come_out() {
    let nasty = format!("x\r\nlevel=error forged\u{1b}[2J\u{202e}\u{9b}{}", "A".repeat(900_000));
    let is_clean = |text: &str| {
        let invisible = |sign: char| sign.is_control() || "\u{202e}\u{200b}".contains(sign);
        text.chars().count() < 1200 && !text.chars().any(invisible)
    };
    let detail = json!({"error": 400, "message": "Bad Request", "detail": nasty});
    let error = reading(HostileReply::Json(400, detail)).await;
    assert!(is_clean(&error.to_string()) && error.to_string().contains(r"x\r\nlevel"), "{error}");

    let mut world = defaults("dl", "ul");
    world.insert("/system/identity".to_owned(), json!({"name": nasty.get(..9000)}));
    world.insert(
        "/system/resource".to_owned(),
        json!({"version": nasty.get(..9000), "board-name": nasty.get(..9000)}),
    );
    let others: Vec<_> = (0..3000)
        .map(|at| json!({".id": format!("*{at:X}"), "name": format!("q{at}\u{1b}{}", "n".repeat(300)), "max-limit": "1"}))
        .collect();
    world.insert("/queue/tree".to_owned(), json!(others));
    let router = Hostile::start(world, |_, _| None);
    let client = client(&router);
    let facts = client.facts().await.unwrap();
    assert!([&facts.identity, &facts.board, &facts.version].iter().all(|text| is_clean(text)));
    for row in client.read_queues(&queues()).await.unwrap().rows {
        let reported = row.unwrap_err().to_string();
        assert!(is_clean(&reported) && reported.contains(r"q0\u{1b}"), "{reported}");
    }
    for finding in client.findings().await.unwrap() {
        assert!(is_clean(&finding.text), "{finding:?}");
    }
}

#[tokio::test]
async fn two_queues_of_a_name_are_none_and_the_others_go_on() {
    let mut world = defaults("dl", "ul");
    let again = world["/queue/tree"][0].clone();
    world.get_mut("/queue/tree").unwrap().as_array_mut().unwrap().push(again);
    world.get_mut("/queue/tree").unwrap()[2][".id"] = json!("*1000007");
    let router = Hostile::start(world, |_, _| None);
    let client = client(&router);
    let read = client.read_queues(&queues()).await.unwrap().rows;
    let reported = read[0].as_ref().unwrap_err().to_string();
    assert!(
        reported.starts_with("ambiguous") && reported.contains("*1000000 and *1000007"),
        "{reported}"
    );
    assert!(read[1].is_ok());
    let refused = client.set_limit(&tree("dl"), mbps(5.0)).await.unwrap_err();
    assert_eq!(refused.fault.kind(), "ambiguous");
    assert!(router.requests().iter().all(|request| !request.is_write()));
    assert!(client.findings().await.unwrap().iter().any(Finding::is_fatal));
}

#[tokio::test]
async fn what_is_confirmed_is_what_the_router_shows_and_not_what_was_asked() {
    fn row(request: &Request, world: &mut World) -> serde_json::Value {
        let (menu, id) = request.path.rsplit_once('/').unwrap();
        row_of(world, menu, id).unwrap().clone()
    }
    type Manner = fn(&Request, &mut World) -> HostileReply;
    let keeps: Manner = |request, world| HostileReply::Json(200, row(request, world));
    let halves: Manner = |request, world| {
        let asked: u64 = request.body["max-limit"].as_str().unwrap().parse().unwrap();
        let request =
            Request { body: json!({"max-limit": (asked / 2).to_string()}), ..request.clone() };
        honest(&request, world)
    };
    let as_list: Manner = |request, world| {
        honest(request, world);
        HostileReply::Json(200, json!([row(request, world)]))
    };
    let silent: Manner = |request, world| {
        honest(request, world);
        HostileReply::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())
    };
    let lazy: Manner = |_, _| HostileReply::Json(200, json!([]));
    let typed: Manner = |request, world| {
        honest(request, world);
        HostileReply::Json(
            200,
            json!({".id": "*1000000", "max-limit": 30_000_000.0, "disabled": false}),
        )
    };
    for (what, manner, confirmed) in [
        ("keeps", keeps, 100.0),
        ("halves", halves, 15.0),
        ("answers with a list", as_list, 30.0),
        ("answers with nothing", silent, 30.0),
        ("does and says nothing", lazy, 100.0),
        ("answers with numbers", typed, 30.0),
    ] {
        let router = miswriting(manner);
        let client = client(&router);
        client.read_queues(&queues()).await.unwrap();
        let limit = client.set_limit(&tree("dl"), mbps(30.0)).await.unwrap();
        assert_eq!(limit, mbps(confirmed), "{what}");
    }
    for (what, manner, kind) in [
        (
            "another row",
            (|_, world: &mut World| HostileReply::Json(200, world["/queue/tree"][1].clone()))
                as Manner,
            "unparsable",
        ),
        ("a web page", |_, _| body(200, "<html>"), "not_routeros"),
        (
            "an error with status 200",
            |_, _| {
                HostileReply::Json(
                    200,
                    json!({"error": 400, "message": "Bad Request", "detail": "failure: locked"}),
                )
            },
            "rejected",
        ),
    ] {
        let router = miswriting(manner);
        let error = client(&router).set_limit(&tree("dl"), mbps(30.0)).await.unwrap_err();
        assert_eq!(error.fault.kind(), kind, "{what}: {error}");
    }
}

#[tokio::test]
async fn a_switch_is_not_taken_for_switched_because_nothing_was_said() {
    let mut world = defaults("dl", "ul");
    let rule =
        json!({".id": "*1", "comment": "steer", "action": "mark-routing", "disabled": "true"});
    world.insert("/ip/firewall/mangle".to_owned(), json!([rule]));
    for reply in [json!([]), json!({}), json!({".id": "*2", "disabled": "false"})] {
        let router = Hostile::start(world.clone(), move |request, _| {
            request.is_write().then(|| HostileReply::Json(200, reply.clone()))
        });
        let switched =
            client(&router).enable_switch(&switch(SwitchMenu::Mangle, "steer"), true).await;
        assert!(!switched.unwrap(), "it is still off");
    }
}

#[tokio::test]
async fn counters_that_jump_or_are_none_do_not_stop_the_reading() {
    for bytes in [
        json!("18446744073709551615"),
        json!("0"),
        json!("-5"),
        json!("99999999999999999999999"),
        json!(1e300),
        json!(null),
        json!("many"),
    ] {
        let shown = bytes.clone();
        let router = misreading(move |_, world| {
            world.get_mut("/queue/tree").unwrap()[0]["bytes"] = shown.clone();
            HostileReply::Json(200, world["/queue/tree"].clone())
        });
        let rows = client(&router).read_queues(&queues()).await.unwrap().rows;
        let row = rows[0].as_ref().unwrap_or_else(|fault| panic!("{bytes}: {fault}"));
        assert_eq!(row.reading.limit, mbps(100.0));
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn words_of_a_ping_are_cut_and_escaped() {
    let time = format!("\u{1b}[31m{}", "9".repeat(5000));
    let router = Hostile::start(defaults("dl", "ul"), move |request, _| {
        let reply = json!([{"time": time, "received": "1", "sent": "1"}]);
        (request.path == "/ping").then_some(HostileReply::Json(200, reply))
    });
    let answer = client(&router).ping([192, 0, 2, 1].into(), &PingFrom::default(), SECOND).await;
    let reported = answer.unwrap_err().to_string();
    assert!(reported.contains(r"\u{1b}[31m9") && reported.chars().count() < 500, "{reported}");
}

#[tokio::test]
async fn rules_that_may_not_be_read_are_not_taken_for_none() {
    let mut world = defaults("dl", "ul");
    world.get_mut("/queue/tree").unwrap()[0]["packet-mark"] = json!("down");
    let router = Hostile::start(world, |request, _| {
        let refused =
            json!({"detail": "not enough permissions (9)", "error": 403, "message": "Forbidden"});
        request.prints("/ip/firewall/filter").then_some(HostileReply::Json(403, refused))
    });
    let findings = client(&router).findings().await.unwrap();
    let of = |severity| findings.iter().filter(move |finding| finding.severity == severity);
    let unknown: Vec<_> = of(Severity::Unknown).collect();
    assert!(unknown[0].text.contains("not known whether FastTrack takes IPv4"), "{findings:?}");
    assert!(unknown.len() == 1 && unknown[0].subject.is_queue(&tree("dl")), "{findings:?}");
    assert!(!of(Severity::Warning).any(|finding| finding.text.contains("FastTrack")));
}
