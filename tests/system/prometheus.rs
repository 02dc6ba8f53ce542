//! A real Prometheus, and its own judgement of our page.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use super::{
    monitor::{Prometheus, demo},
    tool::tool,
};
use crate::support::{
    child::{Program, until, wanctl},
    exposition::{Format, Scrape},
    http,
    site::{Site, address},
};

#[test]
fn it_scrapes_every_loop_of_the_demo() {
    let site = Site::new();
    let (demo, target) = demo(&site);
    let prometheus = Prometheus::scraping(&site, target, "", &[]);
    until("a scrape", || {
        (prometheus.query("up == 1", "job") == [("wanctl".into(), 1.0)]).then_some(())
    });
    let targets = prometheus.ask("/api/v1/targets");
    assert_eq!(targets["data"]["activeTargets"][0]["lastError"], "", "{targets}");

    until("seven scrapes", || {
        (!prometheus.query("count_over_time(up[10s]) > 6", "job").is_empty()).then_some(())
    });
    // A busy machine drops ticks, which are counted: together they are 20 a second.
    let ticks = "rate(wanctl_cycle_duration_seconds_count[5s]) \
                 + rate(wanctl_cycle_ticks_skipped_total[5s])";
    let rates = prometheus.query(ticks, "wan");
    assert_eq!(rates.len(), 2, "{rates:?}");
    for (wan, rate) in &rates {
        assert!(["cable", "lte"].contains(&wan.as_str()), "{rates:?}");
        assert!((rate - 20.0).abs() < 2.0, "{wan} has {rate} ticks a second");
    }
    for (wan, rate) in prometheus.query("rate(wanctl_cycle_duration_seconds_count[5s])", "wan") {
        assert!(rate > 10.0, "{wan} has {rate} cycles a second");
    }
    for (query, at_least) in [
        (r#"count({__name__=~"wanctl_.+"})"#, 100.0),
        ("sum(rate(wanctl_reflector_probes_total[5s]))", 30.0),
        ("sum(wanctl_controller_state)", 4.0),
        ("histogram_quantile(0.9, sum by (le) (rate(wanctl_rtt_seconds_bucket[5s])))", 0.01),
        ("wanctl_router_up", 1.0),
        ("wanctl_build_info", 1.0),
        ("process_cpu_seconds_total{job=\"wanctl\"}", 0.0),
    ] {
        let reported = prometheus.query(query, "");
        assert!(reported.len() == 1 && reported[0].1 >= at_least, "{query}: {reported:?}");
    }
    let page = http::get(target, "/metrics", Format::OpenMetrics.accept()).unwrap();
    let ours = Scrape::parse(&page.body, Format::OpenMetrics).unwrap().names();
    until("all families of the page", || {
        let known = prometheus.ask("/api/v1/label/__name__/values");
        let known: Vec<&str> = known["data"].as_array()?.iter().filter_map(Value::as_str).collect();
        ours.iter().all(|name| known.iter().any(|known| known.starts_with(name))).then_some(())
    });
    assert!(!prometheus.program.stderr().contains("level=error"), "{prometheus:#?}");
    demo.terminate();
    demo.exit().expect(0);
}

#[test]
fn it_scrapes_native_histograms_over_tls_with_a_password() {
    let site = Site::new();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let hash = bcrypt::hash("open sesame", 4).unwrap();
    site.write("key.pem", &key.serialize_pem());
    let authority = site.write("cert.pem", &certificate.pem());
    let web = site.write(
        "web.yml",
        &format!(
            "tls_server_config: {{cert_file: cert.pem, key_file: key.pem, min_version: TLS13}}\n\
             http_server_config: {{headers: {{X-Frame-Options: deny}}}}\n\
             basic_auth_users: {{scraper: {hash}}}\n"
        ),
    );
    let mut linter = tool("promtool", "prometheus");
    linter.args(["check", "web-config"]).arg(&web);
    Program::finish(linter).expect(0);

    let mut command = wanctl();
    command.args(["demo", "--listen", "127.0.0.1:0", "--data-dir"]).arg(site.path("demo"));
    let mut demo = Program::start({
        command.arg("--web.config.file").arg(web);
        command
    });
    let target = address(&demo.said("metrics"));
    let how = format!(
        "  scheme: https\n  basic_auth: {{username: scraper, password: open sesame}}\n  \
         tls_config: {{ca_file: '{}', server_name: localhost}}\n",
        authority.display()
    );
    let native = ["--enable-feature=native-histograms"];
    let prometheus = Prometheus::scraping(&site, target, &how, &native);
    until("native histograms of both loops", || {
        let counts = prometheus.query("histogram_count(wanctl_cycle_duration_seconds)", "wan");
        (counts.len() == 2 && counts.iter().all(|(_, count)| *count > 100.0)).then_some(())
    });
    let median = "histogram_quantile(0.5, rate(wanctl_rtt_seconds[5s]))";
    let medians = until("two scrapes of it", || {
        let medians = prometheus.query(median, "wan");
        (medians.len() == 2).then_some(medians)
    });
    assert!(medians.iter().all(|(_, rtt)| (0.005..2.0).contains(rtt)), "{medians:?}");
    let lag = "time() - wanctl_cycle_last_completed_timestamp_seconds";
    assert!(prometheus.query(lag, "wan").iter().all(|(_, age)| *age < 5.0));
    demo.terminate();
    demo.exit().expect(0);
}

#[test]
fn their_own_reader_of_openmetrics_accepts_the_page() {
    let site = Site::new();
    let (mut demo, target) = demo(&site);
    demo.said("  3 s  ");
    let page = http::get(target, "/metrics", Format::OpenMetrics.accept()).unwrap();
    assert_eq!(page.header("content-type"), Some(Format::OpenMetrics.content_type()));
    let page = site.write("page.txt", &page.body);
    let read = "import sys\n\
                from prometheus_client.openmetrics.parser import text_fd_to_metric_families\n\
                families = list(text_fd_to_metric_families(open(sys.argv[1])))\n\
                print(len(families), sum(len(family.samples) for family in families))\n";
    // The system's own, for which the package is.
    let mut reader = Command::new("/usr/bin/python3");
    let reader = Program::finish({
        reader.args(["-I", "-c", read]).arg(page);
        reader
    });
    reader.expect(0);
    let counts: Vec<usize> =
        reader.stdout.split_whitespace().map(|count| count.parse().unwrap()).collect();
    assert!(counts[0] > 80 && counts[1] > 1000, "{counts:?}");
}

#[test]
fn its_linter_has_nothing_to_say_about_the_page() {
    let site = Site::new();
    let (mut demo, target) = demo(&site);
    // By then every part has something to export.
    demo.said("  3 s  ");
    let page = http::get(target, "/metrics", Format::Text.accept()).unwrap();
    assert_eq!(page.header("content-type"), Some(Format::Text.content_type()));
    let mut command = tool("promtool", "prometheus");
    command.args(["check", "metrics"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut linter = command.spawn().unwrap();
    linter.stdin.take().unwrap().write_all(page.body.as_bytes()).unwrap();
    let verdict = linter.wait_with_output().unwrap();
    let said = [verdict.stdout, verdict.stderr].map(|text| String::from_utf8(text).unwrap());
    assert_eq!(said.concat(), "");
    assert_eq!(verdict.status.code(), Some(0));
}
