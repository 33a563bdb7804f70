//! The cluster to talk to: kubeconfig, flags and the pod's own account.

use std::path::Path;
use std::time::Duration;

use gwlock_engine::client::api_error::describe;
use gwlock_engine::client::transport;
use kube::Config;
use kube::client::AuthError;
use kube::config::{AuthInfo, KubeConfigOptions, Kubeconfig};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::Global;

use super::{DEFAULT_NAMESPACE, no_proxy, variable};

/// A cluster, its namespace for locks, and a client that has not sent anything yet.
#[derive(Clone)]
pub(crate) struct Cluster {
    pub(crate) client: kube::Client,
    pub(crate) namespace: String,
    /// `--namespace`, for commands that know the namespace from elsewhere.
    pub(crate) given_namespace: Option<String>,
    pub(crate) request_timeout: Option<Duration>,
    /// What the client was made from.
    pub(crate) config: Config,
}

impl Cluster {
    pub(super) async fn load(global: &Global) -> Result<Self, Failure> {
        let (mut config, context_namespace) = load(global).await?;
        apply(global, &mut config)?;
        let namespace = global
            .namespace
            .clone()
            .or_else(|| variable("POD_NAMESPACE"))
            .or(context_namespace)
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let client = transport::connect(config.clone()).map_err(|error| unusable(&error))?;
        Ok(Self {
            client,
            namespace,
            given_namespace: global.namespace.clone(),
            request_timeout: global.request_timeout.filter(|timeout| !timeout.is_zero()),
            config,
        })
    }

    /// The namespace of the RemediationRequests: `--controller-namespace`, `$KUBERNAUT_CONTROLLER_NAMESPACE`, or that
    /// of the leases.
    pub(crate) fn controller_namespace(&self, given: Option<&str>) -> String {
        self.given_controller_namespace(given)
            .unwrap_or_else(|| self.namespace.clone())
    }

    /// The same for leases of several namespaces: `None` where it is that of each lease.
    pub(crate) fn given_controller_namespace(&self, given: Option<&str>) -> Option<String> {
        let given = given.map(str::to_owned);
        given.or_else(|| variable("KUBERNAUT_CONTROLLER_NAMESPACE"))
    }
}

/// The configuration, and the namespace of its context if that sets one.
async fn load(global: &Global) -> Result<(Config, Option<String>), Failure> {
    let Some(kubeconfig) = read(global.kubeconfig.as_deref())? else {
        return Ok((without_kubeconfig(global)?, None));
    };
    let options = KubeConfigOptions {
        context: global.context.clone(),
        cluster: global.cluster.clone(),
        user: global.user.clone(),
    };
    let current = options
        .context
        .as_ref()
        .or(kubeconfig.current_context.as_ref());
    let context = kubeconfig
        .contexts
        .iter()
        .find(|named| Some(&named.name) == current)
        .and_then(|named| named.context.clone());
    let cluster = options
        .cluster
        .as_ref()
        .or(context.as_ref().map(|context| &context.cluster));
    let has_own_proxy = kubeconfig
        .clusters
        .iter()
        .filter(|named| Some(&named.name) == cluster)
        .any(|named| {
            named
                .cluster
                .as_ref()
                .is_some_and(|cluster| cluster.proxy_url.is_some())
        });
    let namespace = context
        .and_then(|context| context.namespace)
        .filter(|name| !name.is_empty());
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| {
            Failure::new(Exit::Config, error).kubectl("config get-contexts", "what there is")
        })?;
    if !has_own_proxy && no_proxy::applies(&config.cluster_url) {
        config.proxy_url = None;
    }
    Ok((config, namespace))
}

fn without_kubeconfig(global: &Global) -> Result<Config, Failure> {
    match &global.server {
        Some(server) => Ok(Config::new(url(server)?)),
        None => Config::incluster().map_err(|_| no_cluster()),
    }
}

/// `None` when there is no kubeconfig at all.
pub(super) fn read(given: Option<&Path>) -> Result<Option<Kubeconfig>, Failure> {
    let broken = |error: kube::config::KubeconfigError| {
        Failure::new(
            Exit::Config,
            anyhow::Error::new(error).context("cannot use the kubeconfig"),
        )
        .kubectl("config view", "what kubectl reads of it")
    };
    if let Some(path) = given {
        return Kubeconfig::read_from(path).map(Some).map_err(broken);
    }
    let named = variable("KUBECONFIG");
    let default = variable("HOME").map(|home| Path::new(&home).join(".kube/config"));
    if named.is_none() && !default.is_some_and(|path| path.exists()) {
        return Ok(None);
    }
    Kubeconfig::read().map(Some).map_err(broken)
}

fn no_cluster() -> Failure {
    Failure::says(
        Exit::Config,
        "no kubeconfig was found, and this is no pod of a cluster",
    )
    .hint("set KUBECONFIG or give --kubeconfig FILE")
    .run("lab", "an API server to try things on")
}

fn apply(global: &Global, config: &mut Config) -> Result<(), Failure> {
    if let Some(server) = &global.server {
        config.cluster_url = url(server)?;
    }
    config.accept_invalid_certs |= global.insecure_skip_tls_verify;
    if let Some(path) = &global.token_file {
        config.auth_info = AuthInfo {
            token_file: Some(path.clone()),
            ..AuthInfo::default()
        };
    }
    let auth = &mut config.auth_info;
    if let Some(user) = &global.as_user {
        auth.impersonate = Some(user.clone());
    }
    if !global.as_group.is_empty() {
        auth.impersonate_groups = Some(global.as_group.clone());
    }
    if let Some(uid) = &global.as_uid {
        auth.impersonate_uid = Some(uid.clone());
    }
    Ok(())
}

fn url(server: &str) -> Result<http::Uri, Failure> {
    server
        .parse()
        .ok()
        .filter(|uri: &http::Uri| uri.scheme().is_some() && uri.host().is_some())
        .ok_or_else(|| {
            Failure::says(
                Exit::Usage,
                format!("--server \"{server}\" is no URL: https://HOST:PORT is"),
            )
        })
}

/// Credentials or certificates that no client can be made from.
fn unusable(error: &kube::Error) -> Failure {
    if let kube::Error::Auth(AuthError::AuthExecRun { out, .. }) = error {
        let words = String::from_utf8_lossy(&out.stderr).trim().to_owned();
        let message = format!(
            "the credential plugin of the kubeconfig failed with {}: {words}",
            out.status
        );
        return Failure::says(Exit::Config, message.trim_end_matches(": "))
            .hint("log in as the plugin asks for, then try again");
    }
    Failure::says(
        Exit::Config,
        format!("the kubeconfig cannot be used: {}", describe(error)),
    )
    .kubectl("config view --minify", "what is used of the kubeconfig")
}
