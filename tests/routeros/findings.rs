//! The findings about a router that is not set up as it should be.

use wanctl::router::{
    Finding, Inspect as _, QueueRef, QueueTarget, Shaper as _, routeros::RouterOs,
};
use wanctl_core::{Direction, units::BitRate};
use wanctl_lab::routeros::{EmulatorConfig, FastTrack, QueueSpec, Quirks, SimpleQueueSpec};

use super::bench::{Bench, defaults, queue, tree};

async fn findings(config: EmulatorConfig, queues: Vec<QueueRef>) -> Vec<(bool, String)> {
    let bench = Bench::start(config).await;
    let client = RouterOs::new(&bench.config("ctl", "secret"), queues).unwrap();
    let findings = client.findings().await.unwrap();
    findings.into_iter().map(|finding| (finding.is_fatal(), finding.text.to_string())).collect()
}

fn says(findings: &[(bool, String)], fatal: bool, words: &str) -> bool {
    findings.iter().any(|(is_fatal, text)| *is_fatal == fatal && text.contains(words))
}

#[tokio::test]
async fn a_missing_queue_is_fatal_and_the_ones_there_are_named() {
    let reported = findings(defaults(), vec![tree("dl"), tree("upload")]).await;
    assert!(
        says(&reported, true, "not found: queue tree `upload` (there are: dl, ul)"),
        "{reported:?}"
    );
}

#[tokio::test]
async fn an_old_version_is_reported_with_its_reason() {
    for (version, words) in [("7.19.4 (stable)", "CVE-2025-10948"), ("7.12.1", "older than 7.16")] {
        let config = EmulatorConfig { version: version.into(), ..defaults() };
        assert!(says(&findings(config, vec![tree("dl")]).await, false, words), "{version}");
    }
    let reported = findings(defaults(), vec![tree("dl")]).await;
    assert!(!says(&reported, false, "RouterOS 7.20.8"), "{reported:?}");
}

#[tokio::test]
async fn a_queue_that_is_not_cake_is_reported() {
    let plain = QueueSpec { queue_type: "default-small".into(), ..queue("dl") };
    let reported =
        findings(EmulatorConfig { queues: vec![plain], ..defaults() }, vec![tree("dl")]).await;
    assert!(says(&reported, false, "`default-small`, which is not CAKE"), "{reported:?}");
}

#[tokio::test]
async fn a_large_bucket_is_reported() {
    let reported = findings(defaults(), vec![tree("dl")]).await;
    assert!(says(&reported, false, "bucket-size 0.1"), "{reported:?}");
}

/// The router of the recipe that is copied most: one simple queue on the WAN interface.
fn with_simple_queue(target: &str, wan: &[&str]) -> EmulatorConfig {
    EmulatorConfig {
        queues: Vec::new(),
        wan_interfaces: wan.iter().map(|name| (*name).to_owned()).collect(),
        simple_queues: vec![SimpleQueueSpec {
            name: "queue1".to_owned(),
            target: target.to_owned(),
            queue_type: "cake".to_owned(),
            from_target: BitRate::from_mbps(256.0),
            to_target: BitRate::from_mbps(24.0),
        }],
        ..defaults()
    }
}

fn both(target: Option<QueueTarget>) -> Vec<QueueRef> {
    let of = |direction| QueueRef::Simple { name: "queue1".to_owned(), direction, target };
    vec![of(Direction::Download), of(Direction::Upload)]
}

#[tokio::test]
async fn the_target_of_a_simple_queue_decides_which_value_is_the_download() {
    for (target, wan, limits) in
        [("ether1", &["ether1"][..], [256.0, 24.0]), ("bridge", &["ether1"], [24.0, 256.0])]
    {
        let bench = Bench::start(with_simple_queue(target, wan)).await;
        let queues = both(None);
        let client = RouterOs::new(&bench.config("ctl", "secret"), queues.clone()).unwrap();
        let findings = client.findings().await.unwrap();
        assert!(!findings.iter().any(Finding::is_fatal), "{findings:?}");
        let read = client.read_queues(&queues).await.unwrap().rows;
        let shown = read.iter().map(|row| row.as_ref().unwrap().reading.limit.mbps());
        assert!(shown.eq(limits), "{target}: {read:?}");
        let confirmed = client.set_limit(&queues[0], BitRate::from_mbps(99.0)).await.unwrap();
        assert_eq!(confirmed, BitRate::from_mbps(99.0));
        let read = client.read_queues(&queues).await.unwrap().rows;
        let other = read[1].as_ref().unwrap().reading.limit;
        assert_eq!(other, BitRate::from_mbps(limits[1]), "{target}");
    }
}

#[tokio::test]
async fn a_simple_queue_that_contradicts_the_configuration_is_never_written() {
    use QueueTarget::{Lan, Wan};
    for (target, wan, said, words) in [
        ("ether1", &["ether1"][..], Some(Lan), "set simple_queue_target to `wan`"),
        ("bridge", &["ether1"], Some(Wan), "set simple_queue_target to `lan`"),
        ("ether1", &[], None, "is unknown on which side its target `ether1` is"),
    ] {
        let bench = Bench::start(with_simple_queue(target, wan)).await;
        let queues = both(said);
        let client = RouterOs::new(&bench.config("ctl", "secret"), queues.clone()).unwrap();
        let findings = client.findings().await.unwrap();
        let fatal: Vec<_> = findings.iter().filter(|finding| finding.is_fatal()).collect();
        assert_eq!(fatal.len(), 1, "{findings:?}");
        assert!(fatal[0].text.contains(words), "{fatal:?}");
        for queue in &queues {
            let refused = client.set_limit(queue, BitRate::from_mbps(9.0)).await.unwrap_err();
            assert_eq!(refused.fault.kind(), "unfit", "{refused}");
        }
        let read = client.read_queues(&queues).await.unwrap().rows;
        assert!(read.iter().all(|row| row.as_ref().is_err_and(|fault| fault.kind() == "unfit")));
        assert!(bench.emulator.log().iter().all(|call| call.effects.is_empty()));
    }
    // A direction that nothing contradicts is accepted.
    let bench = Bench::start(with_simple_queue("ether1", &[])).await;
    let queues = both(Some(Wan));
    let client = RouterOs::new(&bench.config("ctl", "secret"), queues.clone()).unwrap();
    client.set_limit(&queues[1], BitRate::from_mbps(9.0)).await.unwrap();
    assert!(!client.findings().await.unwrap().iter().any(Finding::is_fatal));
}

#[tokio::test]
async fn fasttrack_is_reported_for_the_queues_that_it_bypasses_and_no_others() {
    let under = |parent: &str| QueueSpec { parent: parent.into(), ..queue("dl") };
    let (on, off) = (FastTrack::Enabled, FastTrack::Disabled);
    for (parent, v4, v6, reported) in [
        ("ether1", on, on, &[][..]),
        ("global", on, off, &["IPv4"]),
        ("global", off, on, &["IPv6"]),
        ("global", on, on, &["IPv4", "IPv6"]),
        ("global", off, FastTrack::Absent, &[]),
    ] {
        let config = EmulatorConfig {
            queues: vec![under(parent)],
            fasttrack: v4,
            fasttrack6: v6,
            ..defaults()
        };
        let findings = findings(config, vec![tree("dl")]).await;
        let about: Vec<&String> = findings
            .iter()
            .map(|(_, text)| text)
            .filter(|text| text.contains("FastTrack"))
            .collect();
        assert_eq!(about.len(), reported.len(), "{parent} {v4:?} {v6:?}: {findings:?}");
        for (text, family) in about.iter().zip(reported) {
            assert!(text.contains(family) && text.contains("queue tree `dl`"), "{text}");
        }
    }
    let config = EmulatorConfig { fasttrack: on, ..with_simple_queue("ether1", &["ether1"]) };
    let reported = findings(config, both(None)).await;
    let about = reported.iter().filter(|(_, text)| text.contains("passes simple queues by"));
    assert_eq!(about.count(), 1, "once for both directions: {reported:?}");
}

#[tokio::test]
async fn a_name_that_was_typed_in_winbox_is_found() {
    for windows_1252 in [false, true] {
        let config = EmulatorConfig {
            queues: vec![queue("Kabel-Größe-DL")],
            quirks: Quirks { windows_1252, ..Quirks::default() },
            ..defaults()
        };
        let bench = Bench::start(config).await;
        let queues = vec![tree("Kabel-Größe-DL")];
        let client = RouterOs::new(&bench.config("ctl", "secret"), queues.clone()).unwrap();
        client.read_queues(&queues).await.unwrap().rows[0].as_ref().unwrap();
        let limit = BitRate::from_mbps(7.0);
        assert_eq!(client.set_limit(&queues[0], limit).await.unwrap(), limit);
        let findings = client.findings().await.unwrap();
        assert!(!findings.iter().any(Finding::is_fatal), "{findings:?}");
    }
}
