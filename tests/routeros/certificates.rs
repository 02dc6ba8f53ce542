//! Which certificates of a router the client trusts.

use wanctl::{
    digest::hex,
    router::{
        Inspect as _,
        routeros::{Credentials, RouterOs, Settings, TlsTrust},
    },
};
use wanctl_lab::routeros::{CertificateShape, RouterCertificate};

use super::bench::{Bench, defaults};

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
async fn our_client_knows_every_certificate_by_its_fingerprint() {
    for shape in SHAPES {
        let certificate = certificate(shape);
        let fingerprint = certificate.fingerprint();
        let bench = Bench::secure(defaults(), certificate).await;
        let client = |trust| {
            let credentials = Credentials::new("ctl", "secret");
            let config = Settings { trust, ..Settings::at(&bench.url, credentials) };
            RouterOs::new(&config, Vec::new()).unwrap()
        };
        assert!(client(TlsTrust::Fingerprint(fingerprint)).facts().await.is_ok(), "{shape:?}");
        let stranger = client(TlsTrust::Fingerprint([0; 32]));
        let refusal = stranger.facts().await.unwrap_err();
        assert_eq!(refusal.fault.kind(), "untrusted", "{shape:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_named_by_its_fingerprint() {
    let ours = certificate(CertificateShape::Modern);
    let theirs = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(theirs.path(), certificate(CertificateShape::Modern).pem()).unwrap();
    let fingerprint = hex(&ours.fingerprint());
    let bench = Bench::secure(defaults(), ours).await;
    for trust in [TlsTrust::System, TlsTrust::CaFile(theirs.path().to_owned())] {
        let credentials = Credentials::new("ctl", "secret");
        let config = Settings { trust, ..Settings::at(&bench.url, credentials) };
        let refusal = RouterOs::new(&config, Vec::new()).unwrap().facts().await.unwrap_err();
        assert_eq!(refusal.fault.kind(), "untrusted", "{refusal}");
        assert!(refusal.to_string().contains(&fingerprint), "{refusal}");
    }
}
