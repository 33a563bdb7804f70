//! `doctor --bundle`: an archive for a ticket, from what was read for the report and some more. What leaves the cluster
//! is decided by `doctor::redact` alone.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::future::join_all;
use gwlock_engine::client::{list, transport};
use serde_json::{Value, json};
use tar::{Builder, Header};
use tokio::join;

use super::ask::Asker;
use super::facts::{Facts, FirstAnswer, Place, requests_path};
use super::report::Report;
use super::{Arguments, DEFAULT_TIMEOUT};
use crate::doctor::check::{Read, Trouble};
use crate::doctor::redact;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::shell_word;
use crate::output::{self, API_VERSION};

/// The folder that everything is in.
const FOLDER: &str = "gwlock-doctor";

/// Where a gateway has its metrics.
const METRICS: &str = ":9090/proxy/metrics";

const README: &str = "\
This is what `gwlock doctor --bundle` read of a cluster, for a ticket.

report.txt, report.json   the checks, with a fix for each thing that is wrong
versions.json             gwlock, the API server, and where was looked
leases.json               Leases of the lock namespace, with the server's stamps
remediationrequests.json  RemediationRequests of the controller namespace
events-NAMESPACE.json     Events of both namespaces
pods.json                 the gateways' pods
namespace.json, definition.json, rbac.json
metrics-POD.txt           what a gateway counts
unread.json               what could not be read, and why

REDACTED stands for what was taken out: values of variables, words of command lines, volumes, labels and annotations that
are not Kubernetes', Kubernaut's or gwlock's own, the senders' labels, annotations, provider data and payloads, whatever of
a request's status does not decide, fields whose names say that they are secret, and credentials in text. No Secret,
ConfigMap or credential of the kubeconfig was read into it.
";

/// What became of it.
pub(super) struct Written {
    pub(super) is_on_stdout: bool,
    path: String,
    files: usize,
    unread: usize,
}

impl Written {
    pub(super) fn words(&self) -> String {
        let place = if self.is_on_stdout {
            "stdout"
        } else {
            &self.path
        };
        let unread = match self.unread {
            0 => String::new(),
            1 => "; 1 thing could not be read, see unread.json".to_owned(),
            count => format!("; {count} things could not be read, see unread.json"),
        };
        format!("wrote {} files to {place}{unread}", self.files)
    }
}

/// Files by their names.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<u8>>);

/// That the archive can be written, before anything is read.
pub(super) fn check(arguments: &Arguments) -> Result<(), Failure> {
    let Some(path) = arguments
        .bundle
        .as_deref()
        .filter(|path| *path != Path::new("-"))
    else {
        return Ok(());
    };
    if !arguments.force && fs::symlink_metadata(path).is_ok() {
        return Err(exists(path));
    }
    let folder = folder(path);
    if folder.is_dir() {
        return Ok(());
    }
    let message = format!(
        "cannot write {}: {} is no folder",
        path.display(),
        folder.display()
    );
    let folder = shell_word(&folder.display().to_string());
    Err(Failure::says(Exit::Usage, message).hint(format!("mkdir -p {folder}")))
}

fn exists(path: &Path) -> Failure {
    Failure::says(Exit::Usage, format!("{} is there already", path.display()))
        .again("--force", "replaces it")
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Reads what is not read yet and writes the archive.
pub(super) async fn write(
    path: &Path,
    arguments: &Arguments,
    asker: &Asker,
    place: Place<'_>,
    first: &FirstAnswer,
    facts: &Facts,
    report: &Report,
) -> Result<Written, Failure> {
    let mut files = Files::default();
    files.text("README.txt", README);
    // Messages quote what others wrote.
    files.text("report.txt", &redact::text(&report.plain()));
    let mut value = report.value();
    redact::texts(&mut value);
    files.json("report.json", &value);
    files.json("versions.json", &versions(place, first));
    files.object("namespace.json", &facts.namespace);
    files.object("definition.json", &facts.definition);
    files.list("pods.json", &facts.pods);
    if let Ok(rbac) = &facts.rbac {
        let redacted = |objects: &[Value]| objects.iter().map(redact::object).collect::<Vec<_>>();
        files.json("rbac.json", &json!({
            "roles": redacted(&rbac.roles), "roleBindings": redacted(&rbac.role_bindings),
            "clusterRoles": redacted(&rbac.cluster_roles), "clusterRoleBindings": redacted(&rbac.cluster_role_bindings),
        }));
    }
    let mut namespaces = vec![place.lock, place.controller];
    namespaces.dedup();
    let events = namespaces.iter().map(|namespace| async move {
        let path = format!("/api/v1/namespaces/{namespace}/events");
        (
            format!("events-{namespace}.json"),
            asker.list(&path, "").await,
        )
    });
    let (leases, requests) = (
        list::collection_path(Some(place.lock)),
        requests_path(place.controller),
    );
    let (leases, requests, events, (metrics, trouble)) = join!(
        asker.list(&leases, ""),
        asker.list(&requests, ""),
        join_all(events),
        metrics(arguments, asker, facts),
    );
    files.list("leases.json", &leases);
    files.list("remediationrequests.json", &requests);
    for (name, read) in &events {
        files.list(name, read);
    }
    for (name, text) in metrics {
        files.text(&name, &redact::text(&text));
    }
    let mut unread: Vec<Value> = asker
        .unread()
        .iter()
        .map(|unread| json!({"path": unread.what, "reason": redact::text(unread.trouble.words())}))
        .collect();
    unread.extend(trouble);
    let count = unread.len();
    files.json(
        "unread.json",
        &json!({"apiVersion": API_VERSION, "kind": "Unread", "items": unread}),
    );
    let is_on_stdout = path == Path::new("-");
    if is_on_stdout {
        output::stream(|out| files.archive(out))?;
    } else {
        save(path, arguments.force, &files)?;
    }
    Ok(Written {
        is_on_stdout,
        path: path.display().to_string(),
        files: files.0.len(),
        unread: count,
    })
}

fn versions(place: Place<'_>, first: &FirstAnswer) -> Value {
    json!({
        "gwlock": env!("CARGO_PKG_VERSION"),
        "server": first.version.as_ref().ok(),
        "namespace": place.lock, "controllerNamespace": place.controller,
        "gatewaySelector": place.selector, "gatewayNamespace": place.gateways,
    })
}

/// The metrics of each gateway, and what could not be asked over the API server.
async fn metrics(
    arguments: &Arguments,
    asker: &Asker,
    facts: &Facts,
) -> (Vec<(String, String)>, Option<Value>) {
    if let Some(uri) = &arguments.metrics_url {
        return match direct(uri, asker).await {
            Ok(text) => (vec![("metrics-url.txt".to_owned(), text)], None),
            Err(trouble) => {
                let url = uri.to_string();
                let item =
                    json!({"path": redact::text(&url), "reason": redact::text(trouble.words())});
                (Vec::new(), Some(item))
            }
        };
    }
    let gateways = facts.gateways().unwrap_or_default();
    let reads = gateways.into_iter().map(|gateway| async move {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}{METRICS}",
            gateway.namespace, gateway.name
        );
        let text = asker.get_text(&path).await.ok()?;
        Some((
            format!("metrics-{}-{}.txt", gateway.namespace, gateway.name),
            text,
        ))
    });
    (join_all(reads).await.into_iter().flatten().collect(), None)
}

/// From an address of the user's, with no credentials.
async fn direct(uri: &http::Uri, asker: &Asker) -> Read<String> {
    let unusable = |error: String| Trouble::NotAsked(error);
    let Some(path) = uri.path_and_query().filter(|_| uri.host().is_some()) else {
        return Err(unusable(
            "this is no URL: http://HOST:PORT/metrics is".to_owned(),
        ));
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let base = http::Uri::from_parts(parts).map_err(|error| unusable(error.to_string()))?;
    let mut config = kube::Config::new(base);
    config.connect_timeout = Some(DEFAULT_TIMEOUT);
    let client = transport::connect(config).map_err(|error| unusable(error.to_string()))?;
    Asker::new(client, asker.timeout())
        .get_text(path.as_str())
        .await
}

/// Under a name of its own first, so that nobody sees half of it. Its owner alone may read it.
fn save(path: &Path, force: bool, files: &Files) -> Result<(), Failure> {
    let failed = |error: io::Error| {
        let context = anyhow::Error::new(error).context(format!("cannot write {}", path.display()));
        Failure::new(Exit::Unreachable, context)
            .run("doctor --bundle - > FILE", "writes it where you choose")
    };
    let written = tempfile::NamedTempFile::new_in(folder(path)).and_then(|mut file| {
        files.archive(file.as_file_mut())?;
        file.as_file().sync_all()?;
        Ok(file)
    });
    let file = written.map_err(failed)?;
    if force {
        return file
            .persist(path)
            .map(drop)
            .map_err(|error| failed(error.error));
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path)),
        Err(error) => Err(failed(error.error)),
    }
}

impl Files {
    fn text(&mut self, name: &str, text: &str) {
        self.0.insert(name.to_owned(), text.as_bytes().to_vec());
    }

    fn json(&mut self, name: &str, value: &Value) {
        self.text(name, &format!("{value:#}\n"));
    }

    fn object(&mut self, name: &str, read: &Read<Value>) {
        if let Ok(object) = read {
            self.json(name, &redact::object(object));
        }
    }

    fn list(&mut self, name: &str, read: &Read<Vec<Value>>) {
        if let Ok(objects) = read {
            let items: Vec<Value> = objects.iter().map(redact::object).collect();
            self.json(
                name,
                &json!({"apiVersion": "v1", "kind": "List", "items": items}),
            );
        }
    }

    /// The same files make the same bytes: no times, no users, sorted by name.
    fn archive(&self, out: impl Write) -> io::Result<()> {
        let mut archive = Builder::new(GzEncoder::new(out, Compression::default()));
        for (name, content) in &self.0 {
            let mut header = Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            header.set_mtime(0);
            archive.append_data(&mut header, format!("{FOLDER}/{name}"), content.as_slice())?;
        }
        archive.into_inner()?.finish()?.flush()
    }
}
