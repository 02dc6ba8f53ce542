//! A real Prometheus and a real Alertmanager, with the configuration that the demo stack has.

use std::{
    collections::BTreeSet,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::tool::tool;
use crate::support::{
    child::{Program, wanctl},
    http,
    site::{Site, address},
};

/// Seconds between two points of a query over time, unless something else is asked for.
pub(crate) const STEP: u32 = 5;

/// Starts the demo in `site` and returns where it serves.
pub(crate) fn demo(site: &Site) -> (Program, SocketAddr) {
    let mut command = wanctl();
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(site.path("demo"));
    let mut demo = Program::start(command);
    let address = address(&demo.said("metrics"));
    (demo, address)
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A port that was free just now: these programs do not say which one they were given.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The Prometheus of the distribution.
#[derive(Debug)]
pub(crate) struct Prometheus {
    pub(crate) program: Program,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts one that scrapes `target` every second; `how` is more about the job, and `flags` about
    /// the server.
    pub(crate) fn scraping(site: &Site, target: SocketAddr, how: &str, flags: &[&str]) -> Self {
        let config = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: wanctl\n  \
             static_configs: [{{targets: ['{target}']}}]\n{how}"
        );
        Self::start(&site.write("prometheus.yaml", &config), flags)
    }

    /// Starts one with the configuration file `config`, its data in a directory beside it.
    pub(crate) fn start(config: &Path, flags: &[&str]) -> Self {
        let address = free();
        let mut command = tool("prometheus", "prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", config.with_extension("tsdb").display()));
        command.arg(format!("--web.listen-address={address}")).args(flags);
        let mut program = Program::start(command);
        program.logged("Server is ready to receive web requests");
        Self { program, address }
    }

    /// Starts one with the configuration and the rules of the demo stack. They are changed in three
    /// things: where the others listen, that it scrapes and evaluates every second, and how fast time passes:
    /// with a `speedup` of 20 a rule that waits for a minute waits for three seconds.
    pub(crate) fn of_the_stack(
        site: &Site,
        name: &str,
        target: SocketAddr,
        alertmanager: &Alertmanager,
        speedup: u32,
    ) -> Self {
        let rules = site.path(&format!("{name}/alerts"));
        fs::create_dir_all(&rules).unwrap();
        for file in fs::read_dir(repository("alerts")).unwrap().map(|entry| entry.unwrap().path()) {
            let text = fs::read_to_string(&file).unwrap();
            fs::write(rules.join(file.file_name().unwrap()), sped_up(&text, speedup)).unwrap();
        }
        let config = fs::read_to_string(repository("compose/prometheus.yaml")).unwrap();
        let config = replaced(&config, "wanctl:9102", &target.to_string());
        let config = replaced(&config, "alertmanager:9093", &alertmanager.address.to_string());
        let config = replaced(&config, "_interval: 5s", "_interval: 1s");
        Self::start(&site.write(&format!("{name}/prometheus.yaml"), &config), &[])
    }

    pub(crate) fn ask(&self, path: &str) -> Value {
        self.try_ask(path).unwrap_or_else(|reported| panic!("{path}: {reported}"))
    }

    /// The answer to a request, or what is wrong with it.
    fn try_ask(&self, path: &str) -> Result<Value, String> {
        let answer = http::get(self.address, path, "application/json").unwrap();
        if answer.status != 200 {
            return Err(answer.body);
        }
        Ok(serde_json::from_str(&answer.body).unwrap())
    }

    /// The series that `query` yields now, or over the time from `since` until now in steps of
    /// so many seconds.
    pub(crate) fn series(
        &self,
        query: &str,
        since: Option<f64>,
        step: u32,
    ) -> Result<Vec<Value>, String> {
        let query = encoded(query);
        let path = match since {
            None => format!("/api/v1/query?query={query}"),
            Some(since) => {
                let now = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0;
                format!("/api/v1/query_range?query={query}&start={since}&end={now}&step={step}")
            }
        };
        let answer = self.try_ask(&path)?;
        Ok(answer["data"]["result"].as_array().unwrap().clone())
    }

    /// Evaluates `query` and returns each series' label `by` and value.
    pub(crate) fn query(&self, query: &str, by: &str) -> Vec<(String, f64)> {
        Self::values(&self.series(query, None, STEP).unwrap(), by)
    }

    /// The same of a moment, in seconds since the epoch.
    pub(crate) fn query_at(&self, query: &str, by: &str, at: &str) -> Vec<(String, f64)> {
        let answer = self.ask(&format!("/api/v1/query?query={}&time={at}", encoded(query)));
        Self::values(answer["data"]["result"].as_array().unwrap(), by)
    }

    fn values(series: &[Value], by: &str) -> Vec<(String, f64)> {
        let read = |one: &Value| {
            let label = one["metric"][by].as_str().unwrap_or_default().to_owned();
            (label, one["value"][1].as_str().unwrap().parse().unwrap())
        };
        series.iter().map(read).collect()
    }
}

/// The Alertmanager of the distribution, with the configuration of the demo stack.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    _program: Program,
    address: SocketAddr,
}

impl Alertmanager {
    pub(crate) fn start(site: &Site) -> Self {
        let address = free();
        let mut command = tool("prometheus-alertmanager", "prometheus-alertmanager");
        let config = repository("compose/alertmanager.yaml");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.path={}", site.path("alertmanager").display()));
        command.arg(format!("--web.listen-address={address}"));
        command.arg("--cluster.listen-address=");
        let mut program = Program::start(command);
        program.logged("Listening on");
        Self { _program: program, address }
    }

    /// The names of the alerts that it knows to be firing.
    pub(crate) fn firing(&self) -> BTreeSet<String> {
        let answer = http::get(self.address, "/api/v2/alerts", "application/json").unwrap();
        let alerts: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        let name = |alert: &Value| alert["labels"]["alertname"].as_str().unwrap().to_owned();
        alerts.iter().map(name).collect()
    }
}

/// Replaces what must be there.
pub(crate) fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no `{from}` in {text}");
    text.replace(from, to)
}

/// Encodes every byte for a URL.
pub(crate) fn encoded(text: &str) -> String {
    let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    encoded.concat()
}

/// Shortens the windows and the waiting times of rules.
fn sped_up(rules: &str, speedup: u32) -> String {
    let mut lines = Vec::new();
    for line in rules.lines() {
        let shortened = match line.split_once("for: ") {
            Some((indent, time)) if indent.trim().is_empty() => {
                format!("{indent}for: {}", shorter(time, speedup))
            }
            _ => {
                let mut parts = line.split('[');
                let first = parts.next().unwrap_or_default().to_owned();
                parts.fold(first, |line, part| match part.split_once(']') {
                    Some((window, rest)) if seconds(window).is_some() => {
                        format!("{line}[{}]{rest}", shorter(window, speedup))
                    }
                    _ => format!("{line}[{part}"),
                })
            }
        };
        lines.push(shortened);
    }
    lines.join("\n")
}

/// A rate needs two samples, which are a second apart.
fn shorter(time: &str, speedup: u32) -> String {
    format!("{}s", (seconds(time).unwrap() / speedup).max(3))
}

fn seconds(time: &str) -> Option<u32> {
    let (number, unit) = time.split_at_checked(time.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    Some(number.parse::<u32>().ok()? * unit)
}

#[test]
fn speedup_shortens_windows_and_waits_and_nothing_else() {
    let rules = "  expr: rate(a[5m]) > b{c=~\"[0-9]\"}[1h]\n  for: 10m\n  summary: for: 10m";
    let sped_up = sped_up(rules, 20);
    let expected = "  expr: rate(a[15s]) > b{c=~\"[0-9]\"}[180s]\n  for: 30s\n  summary: for: 10m";
    assert_eq!(sped_up, expected);
}
