use reqwest::Certificate;
use serde_json::json;

use super::{Rig, config, read};
use crate::routeros::{CertificateShape, RouterCertificate};

const SHAPES: [CertificateShape; 4] = [
    CertificateShape::Modern,
    CertificateShape::Authority,
    CertificateShape::Nameless,
    CertificateShape::NamelessAuthority,
];

fn certificate(shape: CertificateShape) -> RouterCertificate {
    RouterCertificate::new(shape, &["127.0.0.1".to_owned()]).unwrap()
}

#[tokio::test]
async fn a_client_that_trusts_the_file_takes_only_a_modern_certificate() {
    for shape in SHAPES {
        let certificate = certificate(shape);
        let trusted = Certificate::from_pem(certificate.pem().as_bytes()).unwrap();
        let mut rig = Rig::secure(config(), certificate).await;
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([trusted]);
        rig.client = builder.build().unwrap();
        let outcome = rig.request("ctl", "GET", "/rest/system/identity").send().await;
        assert_eq!(outcome.is_ok(), shape == CertificateShape::Modern, "{shape:?}");
    }
}

#[tokio::test]
async fn a_location_is_as_secure_as_the_request() {
    let certificate = certificate(CertificateShape::Modern);
    let rig = Rig::secure(config(), certificate).await;
    let body = r#"{"name":"iot","parent":"global"}"#;
    let response = rig.send_as("ctl", "PUT", "/rest/queue/tree", body).await;
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(read(response).await.0, 201);
    assert_eq!(location, format!("{}/rest/queue/tree/*1000002", rig.base));
    assert!(rig.base.starts_with("https://"));
}

#[test]
fn every_certificate_is_another() {
    let first = certificate(CertificateShape::Modern).fingerprint();
    assert_ne!(first, certificate(CertificateShape::Modern).fingerprint());
}

#[tokio::test]
async fn a_peer_that_never_shakes_hands_keeps_nobody_waiting() {
    let rig = Rig::secure(config(), certificate(CertificateShape::Modern)).await;
    let address = rig.base.strip_prefix("https://").unwrap();
    let _mute = tokio::net::TcpStream::connect(address).await.unwrap();
    assert_eq!(rig.get("/rest/system/identity").await, json!({"name":"MikroTik"}));
}
