//! Answers of RouterOS 7.15 to 7.25 as others published them, and what may differ in the next one.

use std::{fs, net::IpAddr, path::Path};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Value, json};
use wanctl::router::{
    Finding, Inspect as _, PingFrom, Pinged, Pinger as _, QueueRef, QueueTarget, Shaper as _,
    SwitchMenu, Switches as _,
    routeros::{Credentials, RouterOs, Settings},
};
use wanctl_core::{Direction, units::BitRate};

use super::bench::{switch, tree};
use crate::support::hostile::{Hostile, World};

const VERSIONS: [&str; 5] = ["7.15", "7.19", "7.20", "7.23", "7.25"];

fn world(version: &str) -> World {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/routeros");
    let text = fs::read_to_string(file.join(format!("{version}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn lan_queue(direction: Direction, target: Option<QueueTarget>) -> QueueRef {
    QueueRef::Simple { name: "home".to_owned(), direction, target }
}

fn client(router: &Hostile, queues: Vec<QueueRef>) -> RouterOs {
    let config = Settings::at(&router.url(), Credentials::new("ctl", "secret"));
    RouterOs::new(&config, queues).unwrap()
}

#[tokio::test]
async fn every_version_is_read_written_checked_and_switched() {
    for version in VERSIONS {
        let router = Hostile::start(world(version), |_, _| None);
        // The empty target of 7.19 is nobody's: there the configuration has the say.
        let said = (version == "7.19").then_some(QueueTarget::Lan);
        let [down, up] =
            [Direction::Download, Direction::Upload].map(|direction| lan_queue(direction, said));
        let queues = vec![tree("dl"), tree("ul"), down.clone(), up.clone()];
        let client = client(&router, queues.clone());
        let facts = client.facts().await.unwrap();
        assert!(facts.version.starts_with(version), "{facts:?}");
        assert!(facts.uptime.is_some() && facts.cpu_percent == Some(7), "{facts:?}");
        let rows = client.read_queues(&queues).await.unwrap().rows;
        let limits: Vec<f64> =
            rows.iter().map(|row| row.as_ref().unwrap().reading.limit.mbps()).collect();
        assert_eq!(limits, [940.0, 38.0, 100.0, 20.0], "{version}");
        for queue in &queues {
            let limit = BitRate::from_mbps(17.0);
            assert_eq!(client.set_limit(queue, limit).await.unwrap(), limit, "{version} {queue}");
        }
        let findings = client.findings().await.unwrap();
        assert!(!findings.iter().any(Finding::is_fatal), "{version}: {findings:?}");
        for menu in [SwitchMenu::Mangle, SwitchMenu::RoutingRule] {
            let comment = if menu == SwitchMenu::Mangle { "steer" } else { "via main" };
            for on in [false, true] {
                assert_eq!(
                    client.enable_switch(&switch(menu, comment), on).await.unwrap(),
                    on,
                    "{version}"
                );
            }
        }
        let target: IpAddr = "192.0.2.53".parse().unwrap();
        let reply = client
            .ping(target, &PingFrom::default(), std::time::Duration::from_secs(1))
            .await
            .unwrap();
        assert_eq!(matches!(reply, Pinged::Reply(_)), version != "7.20", "{version}: {reply:?}");
    }
}

/// A change that the next version, or a strange one, may make to a property.
#[derive(Debug, Clone)]
enum Change {
    Drop,
    Rename,
    Become(Value),
}

fn change() -> impl Strategy<Value = Change> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,20}".prop_map(Value::String),
        Just(json!([1, "x", null])),
        Just(json!({"a": {"b": []}})),
    ];
    prop_oneof![Just(Change::Drop), Just(Change::Rename), value.prop_map(Change::Become)]
}

/// What control cannot do without: which queue it is, what may be set, whether it shapes.
const ESSENTIAL: [&str; 5] = [".id", "name", "max-limit", "disabled", "invalid"];

/// Changes one property of every row of every path but what control lives on.
fn changed(mut world: World, at: usize, change: &Change) -> World {
    for (path, rows) in &mut world {
        let essential: &[&str] = if path == "/queue/tree" { &ESSENTIAL } else { &[] };
        let rows = match rows {
            Value::Array(rows) => rows.iter_mut().collect(),
            row => vec![row],
        };
        for row in rows.into_iter().filter_map(Value::as_object_mut) {
            row.insert("of-a-later-version".to_owned(), json!({"new": [true]}));
            let free = row.keys().filter(|name| !essential.contains(&name.as_str()));
            let free: Vec<String> = free.cloned().collect();
            let name = &free[at % free.len()];
            let was = row.remove(name).unwrap();
            match change {
                Change::Drop => {}
                Change::Rename => drop(row.insert(format!("{name}-renamed"), was)),
                Change::Become(value) => drop(row.insert(name.clone(), value.clone())),
            }
        }
    }
    world
}

#[test]
fn no_property_but_the_essential_ones_stops_control() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(proptest::test_runner::Config::with_cases(40));
    let cases = (proptest::sample::select(&VERSIONS[..]), 0..40_usize, change());
    runner
        .run(&cases, |(version, at, change)| {
            let router = Hostile::start(changed(world(version), at, &change), |_, _| None);
            let queues = vec![tree("dl"), tree("ul")];
            let client = client(&router, queues.clone());
            runtime.block_on(async {
                let rows = client.read_queues(&queues).await.unwrap().rows;
                assert!(rows.iter().all(Result::is_ok), "{rows:?}");
                for queue in &queues {
                    let limit = BitRate::from_mbps(17.0);
                    assert_eq!(client.set_limit(queue, limit).await.unwrap(), limit);
                }
                let findings = client.findings().await.unwrap();
                assert!(!findings.iter().any(Finding::is_fatal), "{findings:?}");
                client.facts().await.unwrap();
                client.idle_queues().await.unwrap();
            });
            Ok(())
        })
        .unwrap();
}
