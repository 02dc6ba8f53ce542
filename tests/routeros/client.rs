//! Every operation of the client, and how each refusal is reported.

use std::net::IpAddr;

use wanctl::router::{
    Inspect as _, MarkedConnections, PingFrom, Pinged, Pinger as _, QueueRef, RouterError,
    Shaper as _, SwitchMenu, Switches as _, routeros::RouterOs,
};
use wanctl_core::{Direction, units::BitRate};
use wanctl_lab::{
    plant::PlantReading,
    routeros::{EmulatorConfig, Fault, Policy, Quirks, RequestEffect, User},
};

use super::bench::{Bench, defaults, queue, rule, switch, tree};

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn kind<T: std::fmt::Debug>(answer: Result<T, RouterError>) -> &'static str {
    answer.unwrap_err().fault.kind()
}

#[tokio::test]
async fn all_queues_are_read_in_one_call_with_their_counters() {
    let bench = Bench::start(defaults()).await;
    let reading = PlantReading {
        bytes: 272_603_902_153,
        packets: 7,
        dropped: 99,
        backlog_bytes: 1500,
        backlog_packets: 1,
    };
    bench.files.put("dl", reading);
    let client = bench.client();
    let read = client.read_queues(&[tree("dl"), tree("ul"), tree("none")]).await.unwrap();
    let [Ok(dl), Ok(ul), Err(none)] = read.rows.as_slice() else { panic!("{read:?}") };
    assert_eq!(none.to_string(), "not found: queue tree `none` (there are: dl, ul)");
    assert_eq!(dl.reading.bytes, 272_603_902_153);
    assert_eq!((dl.reading.backlog_bytes, dl.reading.backlog_packets), (1500, 1));
    assert_eq!(dl.reading.dropped, 0, "a CAKE queue of RouterOS counts no drops");
    assert_eq!(ul.reading.limit, mbps(100.0));
    assert_eq!(bench.emulator.log().len(), 1);
}

#[tokio::test]
async fn a_queue_that_the_traffic_goes_around_is_reported() {
    let config = EmulatorConfig { queues: vec![queue("dl"), queue("other")], ..defaults() };
    let bench = Bench::start(config).await;
    let client = bench.client();
    assert!(client.idle_queues().await.unwrap().is_empty(), "one look compares nothing");
    bench.files.put("other", PlantReading { bytes: 80_000_000, ..PlantReading::default() });
    let reported = client.idle_queues().await.unwrap();
    let [finding] = reported.as_slice() else { panic!("{reported:?}") };
    assert!(
        finding.text.contains("`dl` has moved no byte while its parent ether1"),
        "{reported:?}"
    );
    bench.files.put("dl", PlantReading { bytes: 1500, ..PlantReading::default() });
    bench.files.put("other", PlantReading { bytes: 160_000_000, ..PlantReading::default() });
    assert!(client.idle_queues().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_write_changes_one_limit_and_is_proven_by_the_answer() {
    let bench = Bench::start(defaults()).await;
    let client = bench.client();
    client.read_queues(&[tree("dl")]).await.unwrap();
    assert_eq!(client.set_limit(&tree("dl"), mbps(42.5)).await.unwrap(), mbps(42.5));
    let call = bench.emulator.log().pop().unwrap();
    assert_eq!((call.method.as_str(), call.status), ("PATCH", 200));
    let limit = RequestEffect::Limit { queue: "dl".into(), from: mbps(100.0), to: mbps(42.5) };
    assert_eq!(call.effects, [limit]);
}

#[tokio::test]
async fn a_queue_that_was_made_anew_is_found_under_its_new_id() {
    let bench = Bench::start(defaults()).await;
    let client = bench.client();
    client.read_queues(&[tree("dl")]).await.unwrap();
    bench.emulator.inject(Fault::Recreate { queue: "dl".into() });
    assert_eq!(client.set_limit(&tree("dl"), mbps(9.0)).await.unwrap(), mbps(9.0));
}

#[tokio::test]
async fn each_side_of_a_simple_queue_keeps_the_other() {
    let bench = Bench::start(defaults()).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let made = http
        .put(format!("{}/rest/queue/simple", bench.url))
        .basic_auth("ctl", Some("secret"))
        .json(
            &serde_json::json!({"name": "lan", "target": "192.168.88.0/24", "max-limit": "20M/100M"}),
        )
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let of = |direction| QueueRef::Simple { name: "lan".to_owned(), direction, target: None };
    let (upload, download) = (of(Direction::Upload), of(Direction::Download));
    let client = bench.client();
    client.set_limit(&upload, mbps(5.0)).await.unwrap();
    client.set_limit(&download, mbps(50.0)).await.unwrap();
    let read = client.read_queues(&[upload, download]).await.unwrap();
    let limits: Vec<BitRate> = read.rows.iter().flatten().map(|row| row.reading.limit).collect();
    assert_eq!(limits, [mbps(5.0), mbps(50.0)]);
}

#[tokio::test]
async fn facts_are_typed() {
    let bench = Bench::start(defaults()).await;
    let facts = bench.client().facts().await.unwrap();
    assert_eq!(facts.version, "7.20.8 (stable)");
    assert_eq!(facts.identity, "MikroTik");
    assert!(facts.cpu_percent.is_some_and(|percent| percent <= 100));
}

#[tokio::test]
async fn a_rule_is_switched_only_if_exactly_one_has_the_comment() {
    let mangle = vec![rule("steer", true), rule("twice", true), rule("twice", false)];
    let bench = Bench::start(EmulatorConfig { mangle, ..defaults() }).await;
    let client = bench.client();
    assert!(!client.switch_enabled(&switch(SwitchMenu::Mangle, "steer")).await.unwrap());
    assert!(client.enable_switch(&switch(SwitchMenu::Mangle, "steer"), true).await.unwrap());
    assert!(client.switch_enabled(&switch(SwitchMenu::Mangle, "steer")).await.unwrap());
    let writes =
        |bench: &Bench| bench.emulator.log().iter().filter(|c| c.method == "PATCH").count();
    let before = writes(&bench);
    assert!(client.enable_switch(&switch(SwitchMenu::Mangle, "steer"), true).await.unwrap());
    assert_eq!(writes(&bench), before, "what is so already is not written");
    assert!(!client.enable_switch(&switch(SwitchMenu::Mangle, "steer"), false).await.unwrap());
    assert_eq!(kind(client.switch_enabled(&switch(SwitchMenu::Mangle, "stee")).await), "not_found");
    assert_eq!(
        kind(client.enable_switch(&switch(SwitchMenu::Mangle, "twice"), true).await),
        "ambiguous"
    );
}

#[tokio::test]
async fn connections_are_forgotten_by_their_mark_and_no_more_than_a_bounded_number() {
    let bench = Bench::start(defaults()).await;
    let (client, http) = (bench.client(), reqwest::Client::new());
    let url = |menu: &str| format!("{}/rest/{menu}/firewall/connection", bench.url);
    let track = async |menu: &str, mark: &str, count: usize| {
        for _ in 0..count {
            let body = serde_json::json!({ "connection-mark": mark });
            let request = http.put(url(menu)).basic_auth("ctl", Some("secret")).json(&body);
            assert_eq!(request.send().await.unwrap().status(), 201);
        }
    };
    let left = async |menu: &str| {
        let request = http.get(url(menu)).basic_auth("ctl", Some("secret")).send().await.unwrap();
        request.json::<Vec<serde_json::Value>>().await.unwrap().len()
    };
    track("ip", "sensitive", 300).await;
    track("ip", "web", 2).await;
    track("ipv6", "sensitive", 1).await;
    let marked = |mark: &str, ipv6| MarkedConnections { mark: mark.to_owned(), ipv6 };
    assert_eq!(client.forget_connections(&marked("none", true)).await.unwrap(), 0);
    assert_eq!(client.forget_connections(&marked("sensitive", false)).await.unwrap(), 256);
    assert_eq!((left("ip").await, left("ipv6").await), (46, 1));
    assert_eq!(client.forget_connections(&marked("sensitive", true)).await.unwrap(), 45);
    assert_eq!((left("ip").await, left("ipv6").await), (2, 0));
}

#[tokio::test]
async fn the_router_pings_for_us() {
    let bench = Bench::start(defaults()).await;
    let target: IpAddr = "192.0.2.1".parse().unwrap();
    let rtt = bench
        .client()
        .ping(target, &PingFrom::default(), std::time::Duration::from_secs(1))
        .await
        .unwrap();
    assert!(matches!(rtt, Pinged::Reply(rtt) if rtt > wanctl_core::units::Delay::ZERO), "{rtt:?}");
}

#[tokio::test]
async fn what_a_user_lacks_is_reported_by_name() {
    let without = |policy: Policy| {
        let policies = Policy::ALL.into_iter().filter(|each| *each != policy).collect();
        User { name: "ctl".into(), password: "secret".into(), policies }
    };
    for (policy, expected) in [
        (Policy::Write, "policy"),
        (Policy::Read, "policy"),
        (Policy::Api, "policy"),
        (Policy::RestApi, "unauthorized"),
    ] {
        let bench =
            Bench::start(EmulatorConfig { users: vec![without(policy)], ..defaults() }).await;
        let answer = bench.client().set_limit(&tree("dl"), mbps(5.0)).await;
        assert_eq!(kind(answer), expected, "{policy:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_names_the_user_and_never_the_password() {
    let bench = Bench::start(defaults()).await;
    let client = RouterOs::new(&bench.config("ctl", "wr0ng-pass"), vec![tree("dl")]).unwrap();
    let error = client.read_queues(&[tree("dl")]).await.unwrap_err();
    assert_eq!(error.fault.kind(), "unauthorized");
    let reported = format!("{error} {error:?} {client:?}");
    assert!(reported.contains("ctl") && !reported.contains("wr0ng-pass"), "{reported}");
}

#[tokio::test]
async fn a_router_that_is_absent_hangs_or_breaks_off_is_distinguished() {
    let bench = Bench::start(defaults()).await;
    let mut config = bench.config("ctl", "secret");
    config.url = "http://127.0.0.1:9".to_owned();
    let nobody = RouterOs::new(&config, Vec::new()).unwrap();
    assert_eq!(kind(nobody.facts().await), "connect");
    let client = bench.client();
    bench.emulator.inject(Fault::Hang(std::time::Duration::from_secs(30)));
    assert_eq!(kind(client.read_queues(&[tree("dl")]).await), "timeout");
}

#[tokio::test]
async fn a_router_without_keep_alive_is_served_as_well() {
    let bench = Bench::start(EmulatorConfig {
        quirks: Quirks { keep_alive: false, ..Quirks::default() },
        ..defaults()
    })
    .await;
    let client = bench.client();
    for step in 1..=50_u32 {
        let rate = mbps(f64::from(step));
        assert_eq!(client.set_limit(&tree("dl"), rate).await.unwrap(), rate);
    }
}
