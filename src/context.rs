//! Where gwlock runs: the only reader of environment, kubeconfig and terminal.

mod connection;
mod credentials;
mod invocation;
mod no_proxy;
mod signals;

use std::cell::OnceCell;
use std::env;
use std::future::Future;
use std::io::{self, BufRead as _};
use std::time::Duration;

use jiff::Timestamp;
use kube::config::Kubeconfig;
use tokio::runtime::Runtime;

use crate::cli::Global;
use crate::exit::Exit;
use crate::failure::{Failure, Reached};

pub(crate) use connection::Cluster;
pub(crate) use invocation::{CalledAs, Invocation};
pub(crate) use signals::interrupted;

/// Where the gateway's leases are when nothing else is said.
const DEFAULT_NAMESPACE: &str = "kubernaut-system";

/// What a command knows of its surroundings.
#[derive(Debug)]
pub(crate) struct Context {
    global: Global,
    reached: OnceCell<Reached>,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self {
            global,
            reached: OnceCell::new(),
        }
    }

    /// Runs a command that talks to servers.
    pub(crate) fn block_on(
        &self,
        command: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        runtime()
            .map_err(|error| Failure::new(Exit::Bug, error))?
            .block_on(command)
            .map_err(|failure| failure.explained(self.reached.get()))
    }

    /// Runs a question whose answer is not worth waiting for very long.
    pub(crate) fn answer_within<T>(
        &self,
        patience: Duration,
        question: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        runtime()
            .ok()?
            .block_on(async { tokio::time::timeout(patience, question).await.ok()? })
    }

    /// The kubeconfig, if it can be read.
    pub(crate) fn kubeconfig(&self) -> Option<Kubeconfig> {
        connection::read(self.global.kubeconfig.as_deref()).ok()?
    }

    /// The cluster that the flags and the kubeconfig name, not yet contacted.
    pub(crate) async fn cluster(&self) -> Result<Cluster, Failure> {
        let cluster = Cluster::load(&self.global).await?;
        tracing::info!(server = %cluster.config.cluster_url, namespace = cluster.namespace, "using cluster");
        self.reached.get_or_init(|| Reached {
            server: cluster.config.cluster_url.to_string(),
            expired: credentials::expired(&cluster.config.auth_info, Timestamp::now()),
        });
        Ok(cluster)
    }

    /// Who acquires: `--identity`, the pod, or `user@host`.
    pub(crate) fn identity(given: Option<&str>) -> String {
        given
            .map(str::to_owned)
            .or_else(|| variable("POD_NAME"))
            .unwrap_or_else(|| {
                let user = variable("USER").or_else(|| variable("LOGNAME"));
                let user = user.unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
                format!(
                    "{user}@{}",
                    rustix::system::uname().nodename().to_string_lossy()
                )
            })
    }
}

/// The lines on stdin.
pub(crate) fn stdin_lines() -> io::Result<Vec<String>> {
    io::stdin().lock().lines().collect()
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

/// A variable of the environment that is set to something.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
