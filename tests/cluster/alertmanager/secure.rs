//! The configuration and the role that `docs/signals.md` shows, against replicas with TLS that ask who sends.

use std::fs;
use std::path::{Path, PathBuf};

use gwlock_testkit::{Alertmanager, Authority, Leaf, alertmanager};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::serve::{Replica, World, until};
use super::{counted, create, firing, world};

const PAGE: &str = include_str!("../../../docs/signals.md");
const SENT: &str = "alertmanager_notification_requests_total{integration=\"webhook\"}";
const FAILED: &str = "alertmanager_notification_requests_failed_total{integration=\"webhook\"}";

/// The block of YAML that has this line, with these words in place of the page's.
fn block(line: &str, words: &[(&str, &str)]) -> String {
    let mut blocks = PAGE.split("```yaml\n").skip(1);
    let found = blocks.find_map(|rest| {
        let (block, _) = rest.split_once("```")?;
        block.lines().any(|read| read == line).then_some(block)
    });
    let mut block = found.unwrap_or_else(|| panic!("no {line}")).to_owned();
    for (word, own) in words {
        assert!(block.contains(word), "{word} in\n{block}");
        block = block.replace(word, own);
    }
    block
}

/// The files of replica and Alertmanager, and who signed what is in them.
struct Files {
    folder: TempDir,
    authority: Authority,
}

impl Files {
    fn new() -> Self {
        let own = Self {
            folder: tempfile::tempdir().unwrap(),
            authority: Authority::new().unwrap(),
        };
        fs::write(own.path("ca.crt"), own.authority.pem()).unwrap();
        own
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new certificate for the replica.
    fn certify(&self) -> Leaf {
        let leaf = self.authority.certify().unwrap();
        // Each file is replaced as a whole, as those of a secret are.
        for (name, text) in [("tls.crt", leaf.pem()), ("tls.key", leaf.key_pem())] {
            fs::write(self.path("new"), text).unwrap();
            fs::rename(self.path("new"), self.path(name)).unwrap();
        }
        leaf
    }

    fn replica(&self, world: &World) -> Replica {
        let [certificate, key] = ["tls.crt", "tls.key"].map(|name| text(&self.path(name)));
        let more = [
            "--tls-cert-file",
            &certificate,
            "--tls-private-key-file",
            &key,
        ];
        world.start("a", world.kubeconfig.path(), &more)
    }

    /// Alertmanager with the page's configuration, for this replica.
    async fn alertmanager(&self, replica: &Replica) -> Alertmanager {
        let configuration = block(
            "receivers:",
            &[
                (
                    "https://gateway-service.kubernaut-system.svc:8080",
                    &replica.url,
                ),
                (
                    "/var/run/secrets/kubernetes.io/serviceaccount/token",
                    &text(&self.path("token")),
                ),
                ("/etc/alertmanager/gateway", &text(self.folder.path())),
                ("group_wait: 10s", "group_wait: 0s"),
            ],
        );
        alertmanager(&configuration).await.unwrap()
    }

    /// The certificate that a replica shows to somebody who comes now.
    async fn shown(&self, replica: &Replica) -> CertificateDer<'static> {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap();
        roots.add(ca).unwrap();
        let ring = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address = replica.url.strip_prefix("https://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(std::sync::Arc::new(config));
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = connector.connect(name, stream).await.unwrap();
        let (_, session) = stream.get_ref();
        session.peer_certificates().unwrap()[0].clone()
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// A token of Alertmanager's service account in the file, without a right to send.
async fn introduce(world: &World, files: &Files) {
    let accounts = format!("/api/v1/namespaces/{}/serviceaccounts", world.namespace);
    create(world, &accounts, "metadata: {name: alertmanager}").await;
    let token = create(world, &format!("{accounts}/alertmanager/token"), "spec: {}").await;
    let token = token["status"]["token"].as_str().unwrap();
    fs::write(files.path("token"), token).unwrap();
}

/// The right to send, as the page gives it.
async fn allow(world: &World) {
    let namespace = &world.namespace;
    let words = [
        ("kubernaut-system", &**namespace),
        ("monitoring", namespace),
    ];
    let objects = block("kind: Role", &words);
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let (role, binding) = objects.split_once("---\n").unwrap();
    create(world, &format!("{rbac}/roles"), role).await;
    create(world, &format!("{rbac}/rolebindings"), binding).await;
}

async fn wait_for(alertmanager: &Alertmanager, series: &str, value: f64) {
    until(series, async || alertmanager.metric(series).await >= value).await;
    let is = alertmanager.metric(series).await;
    assert_eq!(is.to_bits(), value.to_bits(), "{series} {is}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_of_the_page_delivers_over_tls_with_a_token() {
    let Some((_, world)) = world().await else {
        return;
    };
    let files = Files::new();
    files.certify();
    introduce(&world, &files).await;
    allow(&world).await;
    let replica = files.replica(&world);
    let alertmanager = files.alertmanager(&replica).await;
    alertmanager.post(&json!([firing(&world, "api")])).await;
    wait_for(&alertmanager, SENT, 1.0).await;
    assert!(
        alertmanager.metric(FAILED).await < 1.0,
        "{}",
        alertmanager.log()
    );
    assert_eq!(counted(&world).await, [("api".to_owned(), 1)].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_role_of_the_page_nothing_is_taken() {
    let Some((_, world)) = world().await else {
        return;
    };
    let files = Files::new();
    files.certify();
    introduce(&world, &files).await;
    let replica = files.replica(&world);
    let alertmanager = files.alertmanager(&replica).await;
    alertmanager.post(&json!([firing(&world, "api")])).await;
    wait_for(&alertmanager, FAILED, 1.0).await;
    let namespace = &world.namespace;
    let told = format!(
        "system:serviceaccount:{namespace}:alertmanager may not create services/gateway-service in namespace {namespace}"
    );
    until(&told, async || alertmanager.log().contains(&told)).await;
    assert_eq!(counted(&world).await, [].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_is_replaced_is_shown_to_the_next_and_alerts_still_come() {
    let Some((_, world)) = world().await else {
        return;
    };
    let files = Files::new();
    let first = files.certify();
    introduce(&world, &files).await;
    allow(&world).await;
    let replica = files.replica(&world);
    let alertmanager = files.alertmanager(&replica).await;
    let send = async |container: &str| {
        let mut alert = firing(&world, "api");
        alert["labels"]["container"] = json!(container);
        alertmanager.post(&json!([alert])).await;
    };
    send("one").await;
    wait_for(&alertmanager, SENT, 1.0).await;
    assert_eq!(files.shown(&replica).await, *first.der());

    let second = files.certify();
    until("the new certificate", async || {
        files.shown(&replica).await == *second.der()
    })
    .await;
    send("two").await;
    wait_for(&alertmanager, SENT, 2.0).await;
    assert!(
        alertmanager.metric(FAILED).await < 1.0,
        "{}",
        alertmanager.log()
    );
    assert_eq!(counted(&world).await, [("api".to_owned(), 2)].into());
}
