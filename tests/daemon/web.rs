//! `--web.config.file`: what is served to whom, over real TLS.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

use crate::support::{
    child::{Program, until, wanctl},
    exposition::{Format, Scrape},
    http::{self, HttpResponse},
    site::{Site, address},
};

/// `alice:open sesame`, as a client sends it.
const ALICE: &str = "Basic YWxpY2U6b3BlbiBzZXNhbWU=";
/// `alice:wrong`.
const MALLORY: &str = "Basic YWxpY2U6d3Jvbmc=";

/// Writes a certificate for this host that expires at the beginning of this year, and its key.
fn certify(site: &Site, expires: i32) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(expires, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    // The key first: while they do not go together, nothing is taken.
    site.write("key.pem", &key.serialize_pem());
    site.write("cert.pem", &certificate.pem());
}

/// Starts the demo with this web configuration.
fn demo(site: &Site, web: &str) -> Program {
    let web = site.write("web.yml", web);
    let mut command = wanctl();
    command.args(["demo", "--listen", "127.0.0.1:0", "--log-level", "debug", "--data-dir"]);
    command.arg(site.path("demo")).arg("--web.config.file").arg(web);
    Program::start(command)
}

/// Asks for `path` over TLS, trusting the certificate that lies at the site.
fn ask(
    site: &Site,
    address: SocketAddr,
    path: &str,
    authorization: &str,
) -> io::Result<HttpResponse> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(site.path("cert.pem")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut stream = StreamOwned::new(connection, stream);
    let request = http::request(address, path, Format::Text.accept());
    let head = request.trim_end();
    write!(stream, "{head}\r\nAuthorization: {authorization}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    http::parse(&answer).ok_or_else(|| io::Error::other(answer))
}

fn expiry(page: &str) -> f64 {
    let scrape = Scrape::parse(page, Format::Text).unwrap();
    scrape.value("wanctl_web_certificate_not_after_timestamp_seconds", &[])
}

#[test]
fn tls_and_a_password_keep_everybody_else_out_and_a_renewed_certificate_is_taken() {
    let site = Site::new();
    certify(&site, 2040);
    let hash = bcrypt::hash("open sesame", 4).unwrap();
    let mut demo = demo(
        &site,
        &format!(
            "tls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\n\
             http_server_config: {{headers: {{Strict-Transport-Security: max-age=60}}}}\n\
             basic_auth_users: {{alice: {hash}}}\n"
        ),
    );
    let line = demo.said("metrics");
    assert!(line.contains("https://"), "{line}");
    let address = address(&line);

    // In the clear there is nothing.
    let plain = http::get(address, "/metrics", "*/*");
    assert!(plain.is_err(), "{plain:?}");
    for (path, who) in [("/metrics", ""), ("/metrics", MALLORY), ("/", ""), ("/livez", "Bearer x")]
    {
        let answer = ask(&site, address, path, who).unwrap();
        assert_eq!(answer.status, 401, "{path}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "));
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=60"));
        assert!(!answer.body.contains("wanctl_"), "{}", answer.body);
    }
    let answer = ask(&site, address, "/metrics", ALICE).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some(Format::Text.content_type()));
    assert!((expiry(&answer.body) - 2_208_988_800.0).abs() < 0.5);
    let scrape = Scrape::parse(&answer.body, Format::Text).unwrap();
    assert_eq!(scrape.value("wanctl_web_unauthorized_requests_total", &[]), 4.0);
    assert_eq!(ask(&site, address, "/livez", ALICE).unwrap().status, 200);

    // One that is broken is not taken; the old one goes on.
    let good = fs::read_to_string(site.path("key.pem")).unwrap();
    site.write("key.pem", "oh no");
    demo.logged("the web configuration was not reloaded");
    let answer = ask(&site, address, "/metrics", ALICE).unwrap();
    let scrape = Scrape::parse(&answer.body, Format::Text).unwrap();
    assert_eq!(scrape.value("wanctl_web_config_last_reload_successful", &[]), 0.0);
    site.write("key.pem", &good);
    demo.logged("the web configuration was reloaded");

    certify(&site, 2041);
    until("the new certificate", || {
        let answer = ask(&site, address, "/metrics", ALICE).ok()?;
        ((expiry(&answer.body) - 2_240_611_200.0).abs() < 0.5).then_some(())
    });
    demo.terminate();
    let exit = demo.exit();
    exit.expect(0);
    assert!(!exit.stderr.contains(&hash) && !exit.stderr.contains("sesame"), "{}", exit.stderr);
}

#[test]
fn a_wrong_file_is_reported_with_its_line_and_nothing_starts() {
    let site = Site::new();
    let demo = demo(&site, "tls_server_config:\n  cert_file: gone.pem\n  key_file: gone.pem\n");
    let exit = demo.exit();
    exit.expect(78);
    for line in ["web.yml:2:14: ", "web.yml:3:13: "] {
        assert!(exit.stderr.contains(line), "{}", exit.stderr);
    }
}
