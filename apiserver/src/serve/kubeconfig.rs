//! The kubeconfig of a served service.

use std::{io, io::Write as _, path::Path};

use base64::Engine as _;
use serde::Serialize;

/// A cluster and the namespace in it that commands are meant for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) url: &'a str,
    pub(super) ca_pem: &'a str,
    pub(super) cluster: &'a str,
    pub(super) namespace: &'a str,
}

/// A user and the name of his context.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) context: &'a str,
    pub(super) user: &'a str,
    pub(super) token: &'a str,
}

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

/// The kubeconfig, in JSON, which every reader of YAML takes and which needs no care with quotes.
/// The first entry is the current one.
pub(super) fn text(place: Place<'_>, entries: &[Entry<'_>]) -> String {
    let certificate_authority_data = base64::engine::general_purpose::STANDARD.encode(place.ca_pem);
    let cluster = ClusterEntry {
        certificate_authority_data,
        server: place.url,
    };
    let kubeconfig = Kubeconfig {
        api_version: "v1",
        kind: "Config",
        clusters: [Named {
            name: place.cluster,
            entry: Cluster { cluster },
        }],
        contexts: entries
            .iter()
            .map(|entry| {
                let context = ContextEntry {
                    cluster: place.cluster,
                    namespace: place.namespace,
                    user: entry.user,
                };
                Named {
                    name: entry.context,
                    entry: Context { context },
                }
            })
            .collect(),
        current_context: entries.first().map_or("", |entry| entry.context),
        users: entries
            .iter()
            .map(|entry| Named {
                name: entry.user,
                entry: User {
                    user: UserEntry { token: entry.token },
                },
            })
            .collect(),
    };
    // Strings alone are written, so this cannot fail.
    serde_json::to_string_pretty(&kubeconfig).unwrap_or_default() + "\n"
}

/// Writes a kubeconfig to a file that its owner alone can read (mode 0600). The file is replaced as
/// a whole, so a reader never sees half of it.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config() -> String {
        let place = Place {
            url: "https://127.0.0.1:1",
            ca_pem: "PEM",
            cluster: "lab",
            namespace: "sys",
        };
        let admin = Entry {
            context: "one",
            user: "admin",
            token: "a",
        };
        text(
            place,
            &[
                admin,
                Entry {
                    context: "two",
                    user: "guest",
                    token: "b",
                },
            ],
        )
    }

    #[test]
    fn every_entry_has_a_context_and_a_user() {
        let context = |name: &str, user: &str| json!({"name": name, "context": {"cluster": "lab", "namespace": "sys", "user": user}});
        assert_eq!(
            serde_json::from_str::<Value>(&config()).unwrap(),
            json!({
                "apiVersion": "v1", "kind": "Config", "current-context": "one",
                "clusters": [{"name": "lab", "cluster": {
                    "certificate-authority-data": "UEVN", "server": "https://127.0.0.1:1",
                }}],
                "contexts": [context("one", "admin"), context("two", "guest")],
                "users": [
                    {"name": "admin", "user": {"token": "a"}}, {"name": "guest", "user": {"token": "b"}},
                ],
            })
        );
    }

    #[test]
    fn the_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config");
        std::fs::write(&path, "old").unwrap();
        write(&path, &config()).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), config());
    }
}
