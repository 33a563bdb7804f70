//! The way to the API server, step by step, for when it does not answer: configuration, name, port.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::context::Cluster;
use crate::doctor::check::{Check, Outcome, Step, Subject};
use crate::doctor::redact;

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// The address without what may be secret in it.
pub(super) fn url(cluster: &Cluster) -> String {
    let url = cluster.config.cluster_url.to_string();
    redact::text(url.trim_end_matches('/')).into_owned()
}

/// That there is a configuration, and what it names.
pub(super) fn kubeconfig(cluster: &Cluster, controller: &str) -> Check {
    let (url, namespace) = (url(cluster), &cluster.namespace);
    let message = format!("{url}, leases in {namespace}, requests in {controller}");
    Check::ok(Subject::Connection, "kubeconfig", message).with(json!({
        "server": url, "namespace": namespace, "controllerNamespace": controller,
        "viaProxy": cluster.config.proxy_url.is_some(),
    }))
}

/// That there is none that can be used.
pub(super) fn no_kubeconfig(message: String) -> Check {
    Check::new(Subject::Connection, "kubeconfig", Outcome::Failure, message)
        .step(Step::Kubectl("config view --minify".to_owned()))
}

/// Whether the name is known and the port is open. Behind a proxy that is the proxy's business.
pub(super) async fn way(cluster: &Cluster) -> Vec<Check> {
    if cluster.config.proxy_url.is_some() {
        return Vec::new();
    }
    let uri = &cluster.config.cluster_url;
    let Some(host) = uri.host() else {
        return Vec::new();
    };
    let default = if uri.scheme_str() == Some("http") {
        80
    } else {
        443
    };
    let port = uri.port_u16().unwrap_or(default);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let (name, addresses) = resolve(bare, port).await;
    match addresses {
        Some(addresses) => vec![name, connect(&addresses, port).await],
        None => vec![name],
    }
}

async fn resolve(host: &str, port: u16) -> (Check, Option<Vec<SocketAddr>>) {
    let check = |outcome, message| Check::new(Subject::Connection, "name", outcome, message);
    let trouble = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(found)) => {
            let found: Vec<SocketAddr> = found.collect();
            let addresses: Vec<String> = found
                .iter()
                .map(|address| address.ip().to_string())
                .collect();
            let message = format!("{host} is {}", addresses.join(", "));
            return (
                check(Outcome::Ok, message).with(json!({"addresses": addresses})),
                Some(found),
            );
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {PATIENCE:?}"),
    };
    let check = check(
        Outcome::Failure,
        format!("{host} is not known to this machine's name server: {trouble}"),
    )
    .step(Step::Shell(format!("getent hosts {host}")))
    .step(Step::Kubectl("config view --minify".to_owned()));
    (check, None)
}

async fn connect(addresses: &[SocketAddr], port: u16) -> Check {
    let check = |outcome, message| Check::new(Subject::Connection, "port", outcome, message);
    let mut troubles = Vec::new();
    for address in addresses {
        let trouble = match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return check(Outcome::Ok, format!("{address} accepts connections")),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
                "connection refused".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {PATIENCE:?}"),
        };
        troubles.push(format!("{address}: {trouble}"));
    }
    check(
        Outcome::Failure,
        format!(
            "port {port} does not accept connections: {}",
            troubles.join("; ")
        ),
    )
    .step(Step::Kubectl("config view --minify".to_owned()))
}
