//! A certificate authority and one server certificate, made anew for every run.
//!
//! The authority signs and never serves: TLS clients refuse a server that shows a CA certificate.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};

/// What the server shows and what its clients trust.
pub(super) struct Certificates {
    /// Certificate of the authority.
    pub(super) ca_pem: String,
    /// Certificate of the server, for `127.0.0.1` and `localhost`.
    pub(super) server_der: Vec<u8>,
    /// Private key of the server, PKCS #8.
    pub(super) server_key_der: Vec<u8>,
}

pub(super) fn generate() -> Result<Certificates, rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = params("embedded-ca", &[])?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let ca_certificate = ca.self_signed(&ca_key)?;
    let server_key = KeyPair::generate()?;
    let mut server = params("kube-apiserver", &["127.0.0.1", "localhost"])?;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let server_certificate = server.signed_by(&server_key, &Issuer::from_params(&ca, &ca_key))?;
    Ok(Certificates {
        ca_pem: ca_certificate.pem(),
        server_der: server_certificate.der().to_vec(),
        server_key_der: server_key.serialize_der(),
    })
}

fn params(name: &str, alternatives: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let alternatives: Vec<String> = alternatives.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(alternatives)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
