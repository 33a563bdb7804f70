//! The kubeconfig of a served service.

use std::{io, io::Write as _, path::Path};

use base64::Engine as _;
use serde::Serialize;

use super::{Credentials, Identity, ServeOptions};

#[derive(Serialize)]
struct Kubeconfig<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'static str,
    kind: &'static str,
    clusters: [Named<'a, Cluster<'a>>; 1],
    contexts: Vec<Named<'a, Context<'a>>>,
    #[serde(rename = "current-context")]
    current_context: &'a str,
    users: Vec<Named<'a, User<'a>>>,
}

/// An entry of one of the lists: its name, and itself under the singular of the list's name.
#[derive(Serialize)]
struct Named<'a, T> {
    name: &'a str,
    #[serde(flatten)]
    entry: T,
}

#[derive(Serialize)]
struct Cluster<'a> {
    cluster: ClusterEntry<'a>,
}

#[derive(Serialize)]
struct ClusterEntry<'a> {
    #[serde(rename = "certificate-authority-data")]
    certificate_authority_data: String,
    server: &'a str,
}

#[derive(Serialize)]
struct Context<'a> {
    context: ContextEntry<'a>,
}

#[derive(Serialize)]
struct ContextEntry<'a> {
    cluster: &'a str,
    namespace: &'a str,
    user: &'a str,
}

#[derive(Serialize)]
struct User<'a> {
    user: UserEntry<'a>,
}

#[derive(Serialize)]
struct UserEntry<'a> {
    token: &'a str,
}

/// The kubeconfig as JSON, which every reader of YAML takes and which needs no care with quotes.
pub(super) fn text(
    url: &str,
    ca_pem: &str,
    credentials: &Credentials,
    options: &ServeOptions,
) -> String {
    let cluster = options.cluster.as_str();
    let identities = credentials.identities();
    let kubeconfig = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [Named {
            name: cluster,
            entry: Cluster {
                cluster: ClusterEntry {
                    certificate_authority_data: base64::engine::general_purpose::STANDARD
                        .encode(ca_pem),
                    server: url,
                },
            },
        }],
        contexts: identities
            .iter()
            .map(|identity| context(identity, options))
            .collect(),
        current_context: identities
            .first()
            .map_or("", |identity| identity.name.as_str()),
        users: identities
            .iter()
            .map(|identity| Named {
                name: &identity.name,
                entry: User {
                    user: UserEntry {
                        token: identity.token(),
                    },
                },
            })
            .collect(),
    };
    // Strings alone are written, so this cannot fail.
    serde_json::to_string_pretty(&kubeconfig).unwrap_or_default() + "\n"
}

/// Replaces the file as a whole. The new one is made with mode 0600 before anything is in it.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

fn context<'a>(identity: &'a Identity, options: &'a ServeOptions) -> Named<'a, Context<'a>> {
    Named {
        name: &identity.name,
        entry: Context {
            context: ContextEntry {
                cluster: &options.cluster,
                namespace: &options.namespace,
                user: &identity.name,
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::access::UserInfo;

    #[test]
    fn every_identity_has_a_context() {
        let users = [
            ("admin", UserInfo::new("a", &[])),
            ("guest", UserInfo::new("g", &[])),
        ];
        let credentials = Credentials::generate(users);
        let options = ServeOptions {
            port: 0,
            cluster: "lab".to_owned(),
            namespace: "sys".to_owned(),
        };
        let text = text("https://127.0.0.1:1", "PEM", &credentials, &options);
        let context = |name: &str| json!({"name": name, "context": {"cluster": "lab", "namespace": "sys", "user": name}});
        let user = |name: &str| json!({"name": name, "user": {"token": credentials.token(name)}});
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "admin",
                "clusters": [{"name": "lab", "cluster": {
                    "certificate-authority-data": "UEVN", "server": "https://127.0.0.1:1",
                }}],
                "contexts": [context("admin"), context("guest")],
                "users": [user("admin"), user("guest")],
            })
        );
    }
}
