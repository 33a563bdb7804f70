//! Who may ask a test's control plane, and the files and configurations that say so to a client.
//!
//! Tokens are fixed words: the server listens on loopback, for the length of a test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// A user that the control plane knows by token.
///
/// All but the administrator have no rights until a test binds a role to their name, in a namespace of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// May do everything: a member of `system:masters`.
    Admin,
    /// For the rights of a gateway.
    Gateway,
    /// For the rights of somebody who looks only.
    Viewer,
    /// For the rights of somebody who repairs.
    Operator,
    /// Nobody binds a role to this one.
    Stranger,
}

impl User {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Gateway,
        Self::Viewer,
        Self::Operator,
        Self::Stranger,
    ];

    /// The name in bindings, which is the uid as well.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Gateway => "gateway",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Stranger => "stranger",
        }
    }

    /// The groups beside `system:authenticated`.
    #[must_use]
    pub fn groups(self) -> &'static [&'static str] {
        match self {
            Self::Admin => &["system:masters"],
            Self::Gateway | Self::Viewer | Self::Operator | Self::Stranger => &[],
        }
    }

    /// The bearer token.
    #[must_use]
    pub fn token(self) -> String {
        format!("{}-token", self.name())
    }
}

/// The text of kube-apiserver's `--token-auth-file`.
pub(crate) fn token_file() -> String {
    let line = |user: User| {
        let groups = match user.groups() {
            [] => String::new(),
            groups => format!(",\"{}\"", groups.join(",")),
        };
        format!(
            "{},{name},{name}{groups}\n",
            user.token(),
            name = user.name()
        )
    };
    User::ALL.into_iter().map(line).collect()
}

/// A kubeconfig with everything inside it, so that it outlives the control plane's folder.
pub(crate) fn kubeconfig(url: &str, ca_pem: &str, user: User, namespace: &str) -> String {
    let (name, token, ca) = (user.name(), user.token(), STANDARD.encode(ca_pem));
    format!(
        "apiVersion: v1
kind: Config
current-context: test
clusters:
- name: test
  cluster:
    server: {url}
    certificate-authority-data: {ca}
users:
- name: {name}
  user:
    token: {token}
contexts:
- name: test
  context:
    cluster: test
    user: {name}
    namespace: {namespace}
"
    )
}

/// A configuration for kube that repeats no request by itself.
pub(crate) fn config(url: &str, ca_pem: &str, user: User, namespace: &str) -> Config {
    let url = url
        .parse()
        .unwrap_or_else(|error| panic!("{url} is no address: {error}"));
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes())
        .unwrap_or_else(|error| panic!("the authority is no certificate: {error}"));
    let mut config = Config::new(url);
    namespace.clone_into(&mut config.default_namespace);
    config.root_cert = Some(vec![ca.to_vec()]);
    config.auth_info.token = Some(user.token().into());
    config.default_retry = false;
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_administrator_is_in_a_group() {
        assert_eq!(
            token_file(),
            "admin-token,admin,admin,\"system:masters\"\n\
             gateway-token,gateway,gateway\n\
             viewer-token,viewer,viewer\n\
             operator-token,operator,operator\n\
             stranger-token,stranger,stranger\n"
        );
    }

    #[test]
    fn a_kubeconfig_is_read_back_by_kube() {
        let text = kubeconfig("https://127.0.0.1:1", "PEM", User::Viewer, "here");
        let read = kube::config::Kubeconfig::from_yaml(&text).unwrap();
        let cluster = read.clusters[0].cluster.clone().unwrap();
        assert_eq!(cluster.server.as_deref(), Some("https://127.0.0.1:1"));
        assert_eq!(cluster.certificate_authority_data.as_deref(), Some("UEVN"));
        let context = read.contexts[0].context.clone().unwrap();
        assert_eq!(context.namespace.as_deref(), Some("here"));
        assert_eq!(context.user.as_deref(), Some("viewer"));
    }
}
