//! The configuration from outside: every mistake with its exact message, the shipped examples,
//! and what must hold for any text.
//!
//! Each file of `data/config` ends in the messages it must give, as comments: `# error: …` or
//! `# warning: …`, in their order. A new file is a new test.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    fs, io,
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use proptest::prelude::*;
use wanctl::{
    config::{Config, ConfigErrors, Environment, FileText, Mode, OnExit, Problem},
    probe::Bind,
    router::{
        Connection, QueueRef, SwitchMenu,
        routeros::{Settings, TlsTrust},
    },
};
use wanctl_core::{
    Direction, LawKind, ZoneFloors, ZoneParams,
    steering::{Preset, SteeringMode, SwitchKind},
    units::{BitRate, Delay},
};

const PASSWORD: &str = "correct horse battery staple";
const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// How the only router is reached.
fn settings(config: &Config) -> &Settings {
    let Connection::RouterOs(settings) = &config.routers[0].connection;
    settings
}

/// The smallest configuration that is right.
const SMALLEST: &str = "\
router:
  url: https://192.168.88.1
  user: wanctl
  password_file: router.password
wans:
  - name: cable
    reflectors: [1.1.1.1, 8.8.8.8, 9.9.9.9]
    download: {queue: WAN-DL, floor_mbps: 20, ceiling_mbps: 400}
    upload: {queue: WAN-UL, floor_mbps: 5, ceiling_mbps: 40}
";

fn parse(text: &str, name: &str) -> Result<(Config, Vec<Problem>), ConfigErrors> {
    let surroundings = Environment { file: &file, check_file: &present, variable: &variable };
    Config::parse(text, Path::new(name), &surroundings)
}

/// Of the files for `ssh`, those that are called `absent` are not there.
fn present(path: &Path) -> io::Result<()> {
    let is_absent = path.file_stem().is_some_and(|name| name == "absent");
    if is_absent { Err(io::ErrorKind::NotFound.into()) } else { Ok(()) }
}

/// The files that the texts may name; only the last part of the path counts.
fn file(path: &Path) -> io::Result<FileText> {
    let text = match path.file_name().and_then(|name| name.to_str()) {
        Some("router.password" | "exposed.password") => format!("{PASSWORD}\n"),
        Some("empty.password") => "\n".to_owned(),
        Some("router-ca.pem") => PEM.to_owned(),
        _ => return Err(io::ErrorKind::NotFound.into()),
    };
    Ok(FileText { text, is_exposed: path.ends_with("exposed.password") })
}

fn variable(name: &str) -> Option<String> {
    (name == "ROUTER_PASSWORD").then(|| PASSWORD.to_owned())
}

fn yaml_files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn messages(kind: &str, problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|problem| format!("# {kind}: {problem}")).collect()
}

/// The messages at the end of each file are what it must give; `UPDATE_EXPECT=1` rewrites them,
/// to be read through before they are committed.
#[test]
fn every_mistake_is_reported_with_its_place_and_what_to_do() {
    let files = yaml_files("tests/data/config");
    assert!(files.len() > 40, "the files of mistakes are missing");
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("# error: ") || line.starts_with("# warning: "))
            .collect();
        assert!(!expected.is_empty(), "{name} says no message that it must give");
        let reported = match parse(&text, name) {
            Ok((_, warnings)) => messages("warning", &warnings),
            Err(errors) => messages("error", errors.problems()),
        };
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let kept = text.lines().filter(|line| !expected.contains(line));
            let lines: Vec<&str> = kept.chain(reported.iter().map(String::as_str)).collect();
            fs::write(&path, lines.join("\n") + "\n").unwrap();
            continue;
        }
        assert_eq!(reported.join("\n"), expected.join("\n"), "the messages of {name}");
    }
}

#[test]
fn the_configuration_for_the_emulator_is_right_as_it_stands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/emulator.yaml");
    let (config, warnings) = Config::load(&path).unwrap();
    assert_eq!(config.wans.len(), 2);
    let [only] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(only.path.contains("password"), "{only}");
}

#[test]
fn errors_are_shown_one_per_line_and_nothing_else() {
    let errors = parse("rooter: {}\nwans: []\n", "wanctl.yaml").unwrap_err();
    assert_eq!(
        errors.to_string(),
        "wanctl.yaml:1:1: rooter: unknown key; did you mean `router`?\n\
         wanctl.yaml:2:1: wans: the list needs at least 1 item"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_one_plain_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("absent.yaml");
    let errors = Config::load(&path).unwrap_err();
    let expected =
        format!("{}: cannot read the file: No such file or directory (os error 2)", path.display());
    assert_eq!(errors.to_string(), expected);
}

#[test]
fn a_file_is_loaded_with_the_files_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wanctl.yaml");
    fs::write(&path, SMALLEST).unwrap();
    let password_file = directory.path().join("router.password");
    fs::write(&password_file, format!("{PASSWORD}\r\n")).unwrap();

    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).unwrap();
    let (config, warnings) = Config::load(&path).unwrap();
    assert_eq!(settings(&config).credentials.password.expose(), PASSWORD);
    assert_eq!(warnings, []);

    fs::set_permissions(&password_file, fs::Permissions::from_mode(0o640)).unwrap();
    let (_, warnings) = Config::load(&path).unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].message.contains("chmod 600"), "{warnings:?}");
}

#[test]
fn the_smallest_configuration_gets_the_documented_defaults() {
    let (config, warnings) = parse(SMALLEST, "/etc/wanctl/wanctl.yaml").unwrap();
    assert_eq!(warnings, []);

    let router = settings(&config);
    assert_eq!(router.url, "https://192.168.88.1");
    assert_eq!(router.trust, TlsTrust::System);
    assert_eq!(router.request_timeout, Duration::from_secs(3));
    assert_eq!(config.routers[0].stats_interval, Duration::from_millis(100));
    assert_eq!(config.control.interval, Duration::from_millis(50));
    assert_eq!(config.control.mode, Mode::Active);
    assert_eq!(config.control.on_exit, OnExit::Keep);
    assert_eq!(config.history.path.as_deref(), Some(Path::new("/var/lib/wanctl/history.db")));
    assert_eq!(config.history.raw, Duration::from_hours(24));
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:9102");

    let wan = &config.wans[0];
    assert_eq!(wan.probe.bind, Bind::Any);
    assert_eq!(wan.probe.interval, Duration::from_millis(50));
    assert_eq!(wan.probe.timeout, Duration::from_secs(1));
    assert_eq!(wan.queues.upload, Some(QueueRef::Tree("WAN-UL".to_owned())));
    let evidence = wan.params.evidence;
    assert_eq!((evidence.reflectors, evidence.stale_after), (12, Duration::from_secs(1)));
    assert_eq!(evidence.queue_threshold, Delay::from_micros(15_000));
    assert_eq!(wan.params.thresholds.soft_red, Delay::from_micros(45_000));
    assert_eq!(wan.params.thresholds.red, Delay::from_micros(80_000));
    let download = wan.params.directions[Direction::Download];
    assert_eq!(download.unwrap().law, LawKind::Adaptive);
    assert_eq!(download.unwrap().limits.floor, BitRate::from_mbps(20.0));
    assert_eq!(download.unwrap().limits.base, BitRate::from_mbps(200.0));
    assert_eq!(download.unwrap().limits.ceiling, BitRate::from_mbps(400.0));
}

#[test]
fn the_base_rate_is_half_the_ceiling_but_never_under_the_floor() {
    let text = SMALLEST.replace("floor_mbps: 20,", "floor_mbps: 300, law: fixed,");
    let (config, _) = parse(&text, "wanctl.yaml").unwrap();
    let limits = config.wans[0].params.directions.download.unwrap().limits;
    assert_eq!(limits.base, BitRate::from_mbps(300.0));
    let limits = config.wans[0].params.directions.upload.unwrap().limits;
    assert_eq!(limits.base, BitRate::from_mbps(20.0));
}

#[test]
fn what_is_derived_follows_the_keys() {
    let wan = |probe: &str| {
        let text = SMALLEST.replace("    download:", &format!("    probe: {probe}\n    download:"));
        let (config, _) = parse(&(text + "history: {enabled: false}\n"), "wanctl.yaml").unwrap();
        assert_eq!(config.history.path, None);
        config.wans.into_iter().next().unwrap()
    };
    let ms = Duration::from_millis;
    // Four rounds of three reflectors, or one and a half when idle.
    for (probe, stale_after) in [
        ("{interval_ms: 200, idle_interval_ms: 200}", ms(2400)),
        ("{interval_ms: 200}", ms(3600)),
        ("{interval_ms: 200, active: 2}", ms(2400)),
    ] {
        assert_eq!(wan(probe).params.evidence.stale_after, stale_after, "{probe}");
    }
    for (probe, interval, idle) in [
        ("{}", ms(50), ms(200)),
        ("{budget_pps: 2}", ms(500), ms(2000)),
        ("{method: router_ping}", ms(200), ms(800)),
        ("{method: tcp_connect, budget_pps: 50}", ms(100), ms(400)),
    ] {
        let probe_config = wan(probe).probe;
        assert_eq!(
            (probe_config.interval, probe_config.idle_interval),
            (interval, idle),
            "{probe}"
        );
    }
}

#[test]
fn a_wan_that_names_no_reflectors_gets_well_known_ones_of_its_families() {
    let text = SMALLEST.replace("    reflectors: [1.1.1.1, 8.8.8.8, 9.9.9.9]\n", "");
    let (config, warnings) = parse(&text, "wanctl.yaml").unwrap();
    assert_eq!(warnings, []);
    let probe = &config.wans[0].probe;
    let v6 = probe.reflectors.iter().filter(|address| address.is_ipv6()).count();
    assert_eq!((probe.reflectors.len() - v6, v6, probe.builtin_spares), (12, 12, 0));
    assert_eq!(usize::from(config.wans[0].params.evidence.reflectors), probe.reflectors.len());
    assert_eq!(probe.active, 6);
}

#[test]
fn every_key_reaches_the_configuration() {
    let text = "\
router:
  url: http://127.0.0.1:8080/
  user: wanctl
  password_env: ROUTER_PASSWORD
  request_timeout_ms: 500
  stats_interval_ms: 5000
control: {interval_ms: 20, mode: observe, on_exit: base}
history: {path: history.db, raw_hours: 1}
http: {listen: '[::]:80', allow_remote: true}
wans:
  - name: lte
    interface: wwan0
    reflectors: [1.1.1.1, 8.8.8.8, '2001:4860:4860::8888']
    probe: {interval_ms: 1000, timeout_ms: 5000}
    delay: {yellow_ms: 0.5, soft_red_ms: 1.5, red_ms: 2000}
    download: {queue: a, floor_mbps: 0.5, base_mbps: 0.5, ceiling_mbps: 100000, law: fixed}
    upload: {queue: b, floor_mbps: 1, base_mbps: 8, ceiling_mbps: 8, law: adaptive}
  - name: dsl
    source: 192.0.2.2
    reflectors: [9.9.9.9, 1.0.0.1, 8.8.4.4]
    download: {queue: c, floor_mbps: 1, ceiling_mbps: 8}
    upload: {queue: d, floor_mbps: 1, ceiling_mbps: 8}
";
    let (config, warnings) = parse(text, "conf/wanctl.yaml").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(settings(&config).url, "http://127.0.0.1:8080");
    assert_eq!(settings(&config).credentials.password.expose(), PASSWORD);
    assert_eq!(settings(&config).request_timeout, Duration::from_millis(500));
    assert_eq!(config.routers[0].stats_interval, Duration::from_secs(5));
    assert_eq!(config.control.interval, Duration::from_millis(20));
    assert_eq!((config.control.mode, config.control.on_exit), (Mode::Observe, OnExit::Base));
    assert_eq!(config.history.path.as_deref(), Some(Path::new("conf/history.db")));
    assert_eq!(config.history.raw, Duration::from_hours(1));
    assert_eq!(config.http.listen.to_string(), "[::]:80");

    let lte = &config.wans[0];
    assert_eq!(lte.probe.bind, Bind::Interface("wwan0".to_owned()));
    assert_eq!(lte.probe.reflectors[2], "2001:4860:4860::8888".parse::<IpAddr>().unwrap());
    assert_eq!(lte.probe.interval, Duration::from_secs(1));
    assert_eq!(lte.probe.timeout, Duration::from_secs(5));
    assert_eq!(lte.params.evidence.queue_threshold, Delay::from_micros(500));
    assert_eq!(lte.params.thresholds.red, Delay::from_micros(2_000_000));
    assert_eq!(lte.params.directions.download.unwrap().law, LawKind::Fixed);
    assert_eq!(lte.params.directions.download.unwrap().limits.base, BitRate::from_bps(500_000));
    assert_eq!(lte.params.directions.upload.unwrap().limits.base, BitRate::from_mbps(8.0));
    assert_eq!(config.wans[1].probe.bind, Bind::Source("192.0.2.2".parse().unwrap()));
}

#[test]
fn the_law_of_states_has_the_defaults_of_v1_7_and_takes_its_settings() {
    let text = SMALLEST.replace("floor_mbps", "law: zone, floor_mbps");
    let (config, _) = parse(&text, "wanctl.yaml").unwrap();
    let LawKind::Zone(upload) = config.wans[0].params.directions.upload.unwrap().law else {
        panic!()
    };
    let floor = BitRate::from_mbps(5.0);
    assert_eq!(
        upload,
        ZoneParams {
            floors: ZoneFloors { green: floor, yellow: floor, soft_red: None, red: floor },
            factor_down: 0.90,
            factor_down_yellow: 0.94,
            step_up: BitRate::from_mbps(16.0),
            green_required: Duration::from_millis(250),
        }
    );

    let settings = "law: zone, zone: {floor_green_mbps: 200, floor_yellow_mbps: 100, \
                    factor_down: 0.97, step_up_mbps_per_s: 200, green_required_ms: 500}, floor";
    let text = SMALLEST.replace("floor_mbps: 20", &format!("{settings}_mbps: 20"));
    let (config, _) = parse(&text, "wanctl.yaml").unwrap();
    let LawKind::Zone(download) = config.wans[0].params.directions.download.unwrap().law else {
        panic!()
    };
    assert_eq!(
        download,
        ZoneParams {
            floors: ZoneFloors {
                green: BitRate::from_mbps(200.0),
                yellow: BitRate::from_mbps(100.0),
                soft_red: Some(BitRate::from_mbps(100.0)),
                red: BitRate::from_mbps(20.0),
            },
            factor_down: 0.97,
            factor_down_yellow: 0.97, // no harder than RED
            step_up: BitRate::from_mbps(200.0),
            green_required: Duration::from_millis(500),
        }
    );
}

#[test]
fn each_kind_of_trust_in_the_router_is_read() {
    let digits = "0f".repeat(32);
    let colons = "0F:".repeat(31) + "0F";
    let pinned = TlsTrust::Fingerprint([0x0f; 32]);
    for (key, trust) in [
        ("ca_file: router-ca.pem".to_owned(), TlsTrust::CaFile("conf/router-ca.pem".into())),
        (format!("fingerprint_sha256: {digits}"), pinned.clone()),
        (format!("fingerprint_sha256: {colons}"), pinned),
        ("insecure: true".to_owned(), TlsTrust::Insecure),
        ("insecure: false".to_owned(), TlsTrust::System),
    ] {
        let text = SMALLEST.replace("  user:", &format!("  {key}\n  user:"));
        let (config, _) = parse(&text, "conf/wanctl.yaml").unwrap();
        assert_eq!(settings(&config).trust, trust, "{key}");
    }
}

#[test]
fn every_shipped_example_is_right_but_for_the_files_it_names() {
    let files = yaml_files("docs/examples");
    assert!(files.len() >= 5, "examples are missing");
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let (config, warnings) = parse(&text, path.to_str().unwrap()).unwrap();
        assert_eq!(warnings, [], "{}", path.display());
        assert!(config.wans.iter().all(|wan| wan.probe.reflectors.len() >= 5));
    }
}

#[test]
fn steering_is_read_with_its_rules_in_the_order_of_preference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/steering.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let (config, _) = parse(&text, "steering.yaml").unwrap();
    let steering = config.steering.unwrap();
    assert_eq!(steering.params.mode, SteeringMode::Observe);
    let names: Vec<&str> = steering.params.wans.iter().map(|wan| wan.name.as_str()).collect();
    assert_eq!(names, ["cable", "dsl", "lte"]);
    // The WANs stand in the file in another order.
    assert_eq!(steering.params.wans[0].place, 2);
    assert!(config.wans[1].metered && steering.params.wans[2].metered);
    let kinds: Vec<_> =
        steering.switches.iter().map(|it| (it.at.switch.kind, it.at.menu)).collect();
    assert_eq!(
        kinds,
        [
            (SwitchKind::FailoverRoute, SwitchMenu::Route),
            (SwitchKind::SteerRule, SwitchMenu::Mangle),
            (SwitchKind::SteerRule6, SwitchMenu::Mangle6),
            (SwitchKind::FailoverRule, SwitchMenu::RoutingRule),
            (SwitchKind::SteerRule, SwitchMenu::Mangle),
            (SwitchKind::FailoverRule, SwitchMenu::RoutingRule),
        ]
    );
    // What the file says stands on top of the preset.
    assert_eq!(steering.params.steer.hold_down, Duration::from_secs(45));
    assert_eq!(steering.params.steer.threshold, Preset::Balanced.steer().threshold);

    let (without, _) = parse(SMALLEST, "wanctl.yaml").unwrap();
    assert!(without.steering.is_none(), "nothing is steered unless it is configured");
}

#[test]
fn every_key_is_documented() {
    let documentation =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md"))
            .unwrap();
    // A key like no other makes each table name the keys that it knows.
    let text = "\
router: {0: 0}
wans: [{0: 0, probe: {0: 0}, delay: {0: 0}, download: {0: 0, zone: {0: 0}}, upload: {0: 0}}]
control: {0: 0}
history: {0: 0}
http: {0: 0}
steering: {0: 0, wans: [{0: 0, steer: {0: 0}, failover: {0: 0}}, {}], steer: {0: 0, weights: {0: 0}, assessment: {0: 0}, flap: {0: 0}}, failover: {0: 0}}
0: 0
";
    let errors = parse(text, "wanctl.yaml").unwrap_err();
    let lists = errors.problems().iter().filter_map(|problem| {
        problem.message.strip_prefix("unknown key; known here: ").map(|keys| keys.split(", "))
    });
    let keys: Vec<&str> = lists.flatten().collect();
    assert!(keys.len() > 40, "{keys:?}");
    for key in keys {
        let (row, line) = (format!("| {key} |"), format!("\n{}: <", key.trim_matches('`')));
        let in_form = documentation.contains(&line) || key == "`wans`";
        assert!(documentation.contains(&row) || in_form, "{key} is not documented");
    }
}

#[test]
fn a_secret_is_shown_nowhere() {
    let inline = SMALLEST.replace("password_file: router.password", "password: hunter2");
    let (config, warnings) = parse(&inline, "wanctl.yaml").unwrap();
    assert_eq!(settings(&config).credentials.password.expose(), "hunter2");
    assert!(!format!("{config:#?}{warnings:?}").contains("hunter2"));

    for (right, wrong) in [
        ("user: wanctl", "user: 5"),
        ("password: hunter2", "password: [hunter2]"),
        ("password: hunter2", "password: {hunter2x: hunter2}"),
        ("password: hunter2", "password: !env hunter2"),
        ("password: hunter2", "pasword: hunter2"),
        ("password: hunter2", "password_env: hunter2"),
        ("password: hunter2", "password: hunter2\n  password_env: hunter2"),
        ("password: hunter2", "password: hunter2: hunter2"),
        ("wans:", "password:hunter2: 1\nwans:"),
        ("wans:", "http: {Password=hunter2: 1}\nwans:"),
        ("192.168.88.1", "wanctl:hunter2@192.168.88.1"),
        ("192.168.88.1", "wanctl:hunter2"),
        ("https://192", "ftp://wanctl:hunter2@192"),
    ] {
        let text = inline.replace(right, wrong);
        assert_ne!(text, inline);
        let errors = parse(&text, "wanctl.yaml").unwrap_err();
        assert!(!format!("{errors}{errors:?}").contains("hunter2"), "{wrong}: {errors}");
    }
}

#[test]
fn a_text_that_unfolds_without_end_is_refused() {
    let deep = "[".repeat(5_000);
    let keys = "? ".repeat(5_000);
    let bomb = (1..30).fold("a0: &a0 [x, x]\n".to_owned(), |text, level| {
        let below = level - 1;
        format!("{text}a{level}: &a{level} [*a{below}, *a{below}, *a{below}]\n")
    });
    for text in [deep, keys, bomb] {
        let errors = parse(&text, "wanctl.yaml").unwrap_err().to_string();
        assert!(errors.ends_with("limit exceeded"), "{errors}");
    }
}

/// Text that looks enough like YAML to get past the first line.
fn yaml_like() -> impl Strategy<Value = String> {
    #[rustfmt::skip]
    const PIECES: [&str; 37] = [
        "\n", "\n  ", "\n    ", "- ", ": ", "router", "wans", "download", "{", "}", "[", "]", ", ",
        "&a ", "*a", "!t ", "'", "\"", "#", "|", ">-", "? ", "---\n", "...", "%YAML 1.1\n", "\t",
        "1.5e300", ".nan", "0x10", "~", "<<", "é", "\0", "\u{feff}", "99999999999999999999",
        "floor_mbps", "name",
    ];
    prop::collection::vec(prop::sample::select(&PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// The smallest configuration with some characters replaced.
fn mutated() -> impl Strategy<Value = String> {
    let edits = prop::collection::vec((0..SMALLEST.len(), any::<char>(), any::<bool>()), 1..6);
    edits.prop_map(|edits| {
        let mut text: Vec<char> = SMALLEST.chars().collect();
        for (at, with, removes) in edits {
            let at = at.min(text.len() - 1);
            if removes {
                text.remove(at);
            } else {
                text[at] = with;
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_fail_without_a_reason(
        text in prop_oneof![yaml_like(), mutated(), "\\PC*"]
    ) {
        if let Err(errors) = parse(&text, "wanctl.yaml") {
            prop_assert!(!errors.problems().is_empty());
            for line in errors.to_string().lines() {
                prop_assert!(line.starts_with("wanctl.yaml:"), "{line:?}");
            }
            for place in errors.problems().iter().filter_map(|problem| problem.place) {
                // The parser of the YAML counts the end of the text as a line of its own.
                let breaks = text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
                prop_assert!((1..=breaks + 2).contains(&place.line), "{place:?}");
            }
        }
    }

    #[test]
    fn limits_are_ordered_in_whatever_loads(
        floor in 0.0..200.0_f64, base in 0.0..200.0_f64, ceiling in 0.0..200.0_f64
    ) {
        let text = SMALLEST.replace(
            "floor_mbps: 20, ceiling_mbps: 400",
            &format!("floor_mbps: {floor}, base_mbps: {base}, ceiling_mbps: {ceiling}"),
        );
        if let Ok((config, _)) = parse(&text, "wanctl.yaml") {
            let limits = config.wans[0].params.directions.download.unwrap().limits;
            prop_assert!(BitRate::ZERO < limits.floor);
            prop_assert!(limits.floor <= limits.base && limits.base <= limits.ceiling);
        } else {
            let ordered = 1e-6 <= floor && floor <= base && base <= ceiling;
            prop_assert!(!ordered, "{floor} {base} {ceiling}");
        }
    }
}

/// Every key of the router's table, and what YAML makes of a password there.
#[test]
fn a_password_in_a_wrong_place_is_not_repeated() {
    const KEYS: &[&str] = &[
        "url",
        "allow_plain_http",
        "transport",
        "user",
        "password_file",
        "password_env",
        "password",
        "ca_file",
        "fingerprint_sha256",
        "insecure",
        "request_timeout_ms",
        "stats_interval_ms",
        "raise_interval_ms",
        "raises_per_minute",
        "statistics",
        "pings",
        "ssh",
        "ssh: {host",
        "ssh: {port",
        "ssh: {user",
        "ssh: {key_file",
        "ssh: {known_hosts_file",
        "statistics: {user",
        "statistics: {password_file",
        "pings: {password_env",
        "passwort",
    ];
    const VALUES: &[&str] =
        &["swordfish", "[swordfish]", "{swordfish: 1}", "!swordfish x", "7061737377"];
    let rest = &SMALLEST[SMALLEST.find("wans:").unwrap()..];
    let mut refused = 0;
    let mut see = |router: &str| {
        let (text, name) = (format!("router: {{{router}}}\n{rest}"), "absent.yaml");
        let reported = match parse(&text, name) {
            Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect(),
            Err(errors) => {
                refused += 1;
                errors.to_string()
            }
        };
        for secret in ["swordfish", "7061737377"] {
            assert!(!reported.contains(secret), "{router}: {reported}");
        }
    };
    for key in KEYS {
        for value in VALUES {
            let ends = if key.contains('{') { "}" } else { "" };
            see(&format!("{key}: {value}{ends}"));
        }
    }
    // No blank after the colon makes all of it the key.
    see("user: wanctl, password:swordfish");
    see("user: wanctl, swordfish");
    see("user: wanctl, url: 'https://wanctl:swordfish@192.168.88.1'");
    assert_eq!(refused, KEYS.len() * VALUES.len() + 3, "a smaller file is not enough for any");
}
