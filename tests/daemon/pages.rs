//! `GET /metrics/history` of a running demo.

use std::net::SocketAddr;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    child::{Program, until, wanctl},
    http::{self, HttpResponse},
    site::address,
};

fn demo(directory: &TempDir) -> (Program, SocketAddr) {
    let mut command = wanctl();
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(directory.path());
    let mut demo = Program::start(command);
    let address = address(&demo.said("metrics"));
    (demo, address)
}

fn get(address: SocketAddr, query: &str, accept: &str) -> HttpResponse {
    http::get(address, &format!("/metrics/history?{query}"), accept).unwrap()
}

fn json(answer: &HttpResponse) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

#[test]
fn it_reports_the_last_seconds_a_page_at_a_time_and_says_what_it_does_not_understand() {
    let directory = TempDir::new().unwrap();
    let (demo, address) = demo(&directory);
    let whole = until("three seconds of both WANs", || {
        let answer = get(address, "last=1m&resolution=1s&metrics=cycles,delta_p95", "*/*");
        let rows = (answer.status == 200).then(|| json(&answer))?;
        (rows["rows"][2]["wan"] == "cable" && rows["rows"][5]["wan"] == "lte").then_some(rows)
    });
    assert_eq!((&whole["resolution"], &whole["next"]), (&"1s".into(), &Value::Null));
    let row = &whole["rows"][0];
    assert_eq!((&row["wan"], &row["resolution"]), (&"cable".into(), &"1s".into()), "{row}");
    assert!(row["time"].as_str().unwrap().ends_with('Z') && row["cycles"].is_u64(), "{row}");

    // A fixed span, so that pages of it can be compared.
    let span = format!(
        "from={}&to={}&wan=cable&resolution=raw&metrics=rtt_mean",
        row["time"].as_str().unwrap(),
        whole["rows"][2]["time"].as_str().unwrap(),
    );
    let all = json(&get(address, &span, "application/json"));
    let rows = all["rows"].as_array().unwrap();
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = json(&get(address, &format!("{span}&limit=7{cursor}"), "*/*"));
        paged.extend(page["rows"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(&paged, rows);

    let csv = get(address, &format!("{span}&limit=7"), "text/csv");
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let lines: Vec<&str> = csv.body.lines().collect();
    assert_eq!((lines[0], lines.len()), ("time,wan,resolution,rtt_mean_us", 8));
    let link = csv.header("link").unwrap();
    assert!(link.ends_with("; rel=\"next\"") && link.contains("cursor="), "{link}");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    let second = http::get(address, next, "text/csv").unwrap();
    assert_eq!(second.status, 200, "{second:?}");
    // Without the `Z`, times of fewer decimals sort before those that go on.
    let time = |line: &str| line.split('Z').next().unwrap().to_owned();
    assert!(second.body.lines().nth(1).map(time) > Some(time(lines[7])), "{second:?}");

    for (query, parameter) in [
        ("last=soon", "last"),
        ("from=2026-01-01T00:00:00Z&to=yesterdayish", "to"),
        ("limit=0", "limit"),
        ("metrics=latency", "metrics"),
        ("resolution=10s", "resolution"),
        ("format=xml", "format"),
        ("cursor=1.2", "cursor"),
        ("when=now", "query"),
    ] {
        let answer = get(address, query, "*/*");
        let reported = json(&answer);
        assert_eq!((answer.status, &reported["parameter"]), (400, &parameter.into()), "{answer:?}");
        assert!(reported["error"].as_str().unwrap().starts_with(parameter), "{reported}");
    }
    let stranger = get(address, "wan=dsl", "*/*");
    assert_eq!(stranger.status, 400, "{stranger:?}");
    assert!(stranger.body.contains("it knows: cable, lte"), "{stranger:?}");
    demo.terminate();
    demo.exit().expect(0);
}
