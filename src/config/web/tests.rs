//! Web configuration files, right and wrong, with real certificates.

use std::fs;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::*;

/// A directory with a certificate that expires in 2040, and its key.
fn site() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2040, 2, 29);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::write(directory.path().join("cert.pem"), certificate.pem()).unwrap();
    fs::write(directory.path().join("key.pem"), key.serialize_pem()).unwrap();
    let other = KeyPair::generate().unwrap();
    fs::write(directory.path().join("other.pem"), other.serialize_pem()).unwrap();
    directory
}

fn load(site: &TempDir, text: &str) -> Result<(WebConfig, Vec<Problem>), ConfigErrors> {
    let path = site.path().join("web.yml");
    fs::write(&path, text).unwrap();
    WebConfig::load(&path)
}

/// The mistakes of `text`, without the directory.
fn mistakes(text: &str) -> String {
    let site = site();
    let reported = load(&site, text).unwrap_err().to_string();
    reported.replace(&format!("{}/", site.path().display()), "")
}

const TLS: &str = "tls_server_config: {cert_file: cert.pem, key_file: key.pem";

#[test]
fn a_whole_file_is_read_with_all_it_names() {
    let site = site();
    let hash = bcrypt::hash("right", 4).unwrap();
    let text = format!(
        "{TLS}, min_version: TLS13, client_auth_type: RequireAndVerifyClientCert, \
         client_ca_file: cert.pem}}\n\
         http_server_config: {{http2: true, headers: {{X-Frame-Options: deny}}}}\n\
         basic_auth_users: {{alice: {hash}}}\n"
    );
    let (web, warnings) = load(&site, &text).unwrap();
    // 2040-02-29T00:00:00Z
    assert!((web.tls.unwrap().not_after.seconds() - 2_214_086_400.0).abs() < 0.5);
    assert_eq!(web.headers, [("X-Frame-Options".to_owned(), "deny".to_owned())]);
    assert_eq!(web.files.len(), 4);
    assert!(web.users.verify("alice", b"right"));
    assert!(!web.users.verify("alice", b"wrong"));
    assert!(!web.users.verify("bob", b"right"));
    assert!(!format!("{:?}", web.users).contains(&hash));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn an_empty_file_asks_for_nothing() {
    let (web, warnings) = load(&site(), "# nothing\n").unwrap();
    assert!(web.tls.is_none() && web.users.is_empty() && web.headers.is_empty());
    assert_eq!(warnings, []);
}

#[test]
fn mistakes_are_reported_with_their_lines() {
    for (text, reported) in [
        (
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: other.pem\n",
            "web.yml:3:13: tls_server_config.key_file: does not match the certificate of \
             cert_file",
        ),
        (
            "tls_server_config:\n  cert_file: gone.pem\n  key_file: cert.pem\n",
            "web.yml:2:14: tls_server_config.cert_file: cannot read the file that is named here: \
             No such file",
        ),
        (
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: cert.pem\n",
            "web.yml:3:13: tls_server_config.key_file: cert.pem contains no PEM private key",
        ),
        (
            "tls_server_config: {cert_file: cert.pem}\n",
            "tls_server_config.key_file: required, but missing",
        ),
        (&format!("{TLS}, min_version: TLS10}}\n"), "TLS10 is insecure and not supported"),
        (&format!("{TLS}, client_auth_type: RequireAnyClientCert}}\n"), "accepts any certificate"),
        (
            &format!("{TLS}, client_auth_type: RequireAndVerifyClientCert}}\n"),
            "needs client_ca_file",
        ),
        (&format!("{TLS}, client_ca_file: cert.pem}}\n"), "clients need no certificate"),
        (&format!("{TLS}, min_version: TLS13, max_version: TLS12}}\n"), "is below min_version"),
        (
            "basic_auth_users:\n  alice: secret\n",
            "the password of user number 1 must be a bcrypt hash",
        ),
        ("basic_auth_users: {}\n", "has no user"),
        ("basic_auth_user: {}\n", "did you mean `basic_auth_users`?"),
        ("http_server_config: {headers: {X-Powered-By: us}}\n", "unknown key"),
        ("http_server_config: {headers: {X-Frame-Options: \"a\\nb\"}}\n", "control characters"),
        ("tls_server_config: [\n", "not valid YAML"),
    ] {
        let all = mistakes(text);
        assert!(all.contains(reported), "{text}\n{all}");
        assert!(!all.contains("secret"), "a password shows: {all}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let reported = WebConfig::load(Path::new("nowhere/web.yml")).unwrap_err().to_string();
    assert!(reported.starts_with("nowhere/web.yml: cannot read the file: "), "{reported}");
}

#[test]
fn what_is_no_certificate_has_no_date() {
    for der in [&[][..], &[0x30], &[0x30, 0x85, 1], &[0x30, 0x03, 0x30, 0x01, 0x02], &[0x04, 0]] {
        assert_eq!(tls::not_after(der), None);
    }
}
