//! The demo stack: what its compose file and its Dockerfile promise. The specification's schema is
//! held against the compose file by the system tests.

use std::fs;

use serde_yaml::Value;

use super::names::repository;

fn read(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

fn compose() -> Value {
    let mut stack: Value = serde_yaml::from_str(&read("compose.yaml")).unwrap();
    stack.apply_merge().unwrap();
    stack
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_sequence().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// An image that can be pulled has a version for people and a digest for the machine.
fn is_pinned(image: &str) -> bool {
    let Some((named, digest)) = image.split_once("@sha256:") else { return false };
    let tag = named.rsplit_once(':').map_or("", |(_, tag)| tag);
    !tag.is_empty()
        && tag != "latest"
        && digest.len() == 64
        && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn every_service_is_locked_in_and_watched() {
    let stack = compose();
    let services = stack["services"].as_mapping().unwrap();
    assert_eq!(services.len(), 4);
    for (name, service) in services {
        let name = name.as_str().unwrap();
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(texts(&service["cap_drop"]), ["ALL"], "{name}");
        assert_eq!(texts(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for never in ["cap_add", "privileged", "network_mode", "pid", "secrets", "env_file"] {
            assert!(service.get(never).is_none(), "{name} has {never}");
        }
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} is open to others: {port}");
        }
        for volume in texts(&service["volumes"]) {
            let is_named = !volume.starts_with(['.', '/']);
            assert!(is_named || volume.ends_with(":ro"), "{name} may write to {volume}");
            let (source, _) = volume.split_once(':').unwrap();
            let exists = if is_named {
                stack["volumes"].get(source).is_some()
            } else {
                repository(source).exists()
            };
            assert!(exists, "{name}: there is no {source}");
        }
        assert!(service["healthcheck"]["test"][0] == "CMD", "{name} is not watched");
        for limit in ["mem_limit", "pids_limit"] {
            assert!(service.get(limit).is_some(), "{name} has no {limit}");
        }
        let image = service["image"].as_str().unwrap();
        assert!(service.get("build").is_some() || is_pinned(image), "{name}: {image}");
    }
}

#[test]
fn nobody_needs_a_password_and_nobody_can_change_anything() {
    let stack = compose();
    let grafana = &stack["services"]["grafana"]["environment"];
    for (setting, value) in [
        ("GF_AUTH_ANONYMOUS_ENABLED", "true"),
        ("GF_AUTH_ANONYMOUS_ORG_ROLE", "Viewer"),
        ("GF_AUTH_DISABLE_LOGIN_FORM", "true"),
        ("GF_AUTH_BASIC_ENABLED", "false"),
    ] {
        assert_eq!(grafana[setting], value, "{setting}");
    }
    let text = read("compose.yaml").to_lowercase();
    for word in ["password:", "token:", "api_key"] {
        assert!(!text.contains(word), "compose.yaml has a secret: {word}");
    }
}

#[test]
fn grafana_finds_what_it_is_given() {
    let stack = compose();
    let volumes = texts(&stack["services"]["grafana"]["volumes"]).join(" ");
    let provider = read("dashboards/provisioning/dashboards/wanctl.yaml");
    let provider: Value = serde_yaml::from_str(&provider).unwrap();
    let path = provider["providers"][0]["options"]["path"].as_str().unwrap();
    assert!(volumes.contains(&format!("./dashboards:{path}:ro")), "{volumes}");
    let dashboard = &stack["services"]["grafana"]["environment"];
    let dashboard = dashboard["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"].as_str().unwrap();
    assert!(
        repository("dashboards")
            .join(dashboard.strip_prefix(path).unwrap().trim_matches('/'))
            .exists()
    );
    let source = read("dashboards/provisioning/datasources/prometheus.yaml");
    let source: Value = serde_yaml::from_str(&source).unwrap();
    let source = &source["datasources"][0];
    assert_eq!(source["url"], "http://prometheus:9090");
    let scrape: Value = serde_yaml::from_str(&read("compose/prometheus.yaml")).unwrap();
    assert_eq!(source["jsonData"]["timeInterval"], scrape["global"]["scrape_interval"]);
}

#[test]
fn the_image_is_small_unprivileged_and_reproducible() {
    let text = read("Dockerfile");
    let joined = text.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().filter(|line| !line.starts_with('#')).collect();
    let froms: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("FROM ")).collect();
    assert!(froms.len() > 1, "one stage would ship the compiler");
    for from in &froms {
        let image = from.split(' ').find(|word| !word.starts_with("--")).unwrap();
        assert!(is_pinned(image), "{image}");
    }
    assert!(froms[0].starts_with("--platform=$BUILDPLATFORM "), "an emulated compiler takes hours");
    assert!(froms.last().unwrap().contains("distroless"), "{froms:?}");
    let last = |word: &str| lines.iter().rfind(|line| line.starts_with(word)).unwrap().to_string();
    assert_eq!(last("USER "), "USER 65532:65532");
    assert!(last("ENTRYPOINT ").contains("[\"/usr/local/bin/wanctl\"]"));
    assert!(joined.contains("cargo build --profile dist --locked"));
    assert!(joined.contains("--mount=type=cache"), "dependencies are not kept");
    for platform in ["amd64", "arm64"] {
        assert!(joined.contains(&format!("{platform}) rust=")), "not for {platform}");
    }
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.split('"').nth(1).unwrap();
    assert!(froms[0].contains(&format!("rust:{version}-")), "another compiler than {version}");
}
