//! What a person is told about a router that is not set up as it should be.

use wanctl::{
    config::QueueRef,
    router::{Router as _, routeros::RouterOs},
    sim::routeros::{EmulatorConfig, QueueSpec},
};

use super::bench::{Bench, queue, tree, usual};

async fn findings(config: EmulatorConfig, queues: Vec<QueueRef>) -> Vec<(bool, String)> {
    let bench = Bench::start(config).await;
    let client = RouterOs::new(&bench.config("ctl", "secret"), queues).unwrap();
    let findings = client.survey().await.unwrap();
    findings.into_iter().map(|finding| (finding.is_fatal, finding.text.to_string())).collect()
}

fn says(findings: &[(bool, String)], fatal: bool, words: &str) -> bool {
    findings.iter().any(|(is_fatal, text)| *is_fatal == fatal && text.contains(words))
}

#[tokio::test]
async fn a_missing_queue_is_fatal_and_the_ones_there_are_named() {
    let told = findings(usual(), vec![tree("dl"), tree("upload")]).await;
    assert!(says(&told, true, "not found: queue tree `upload` (there are: dl, ul)"), "{told:?}");
}

#[tokio::test]
async fn an_old_version_is_told_with_its_reason() {
    for (version, words) in [("7.19.4 (stable)", "CVE-2025-10948"), ("7.12.1", "older than 7.16")] {
        let config = EmulatorConfig { version: version.into(), ..usual() };
        assert!(says(&findings(config, vec![tree("dl")]).await, false, words), "{version}");
    }
    let told = findings(usual(), vec![tree("dl")]).await;
    assert!(!says(&told, false, "RouterOS 7.20.8"), "{told:?}");
}

#[tokio::test]
async fn a_queue_that_is_not_cake_is_told() {
    let plain = QueueSpec { queue_type: "default-small".into(), ..queue("dl") };
    let told = findings(EmulatorConfig { queues: vec![plain], ..usual() }, vec![tree("dl")]).await;
    assert!(says(&told, false, "`default-small`, which is not CAKE"), "{told:?}");
}

#[tokio::test]
async fn a_large_bucket_is_told() {
    let told = findings(usual(), vec![tree("dl")]).await;
    assert!(says(&told, false, "bucket-size 0.1"), "{told:?}");
}
