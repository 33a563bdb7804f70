//! Where gwlock runs: the only reader of environment, kubeconfig and terminal.

mod connection;
mod credentials;
mod invocation;
mod no_proxy;
mod signals;

use std::cell::OnceCell;
use std::env;
use std::future::Future;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use kube::config::Kubeconfig;
use tokio::runtime::Runtime;

use crate::exit::Exit;
use crate::failure::{Failure, Reached};
use crate::flags::Global;

pub(crate) use connection::Cluster;
pub(crate) use invocation::{CalledAs, Invocation};
pub(crate) use signals::{TerminalSignal, interrupted, of_terminal};

/// Where the gateway's leases are when nothing else is said.
pub(crate) const DEFAULT_NAMESPACE: &str = "kubernaut-system";

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

    /// The name of this program as it was called, and the flags that choose the cluster, each behind a space: what a
    /// command has to begin and to end with to reach the same cluster.
    pub(crate) fn called(&self) -> (&'static str, String) {
        let program = Invocation::of_this_process().called_as().program();
        (program, self.global.cluster_flags())
    }

    /// The flags that choose the cluster, as arguments of a process.
    #[cfg(feature = "sim")]
    pub(crate) fn cluster_arguments(&self) -> Vec<String> {
        self.global.cluster_arguments()
    }

    /// `--namespace`, for a command that asks no cluster.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.global.namespace.as_deref()
    }

    /// The cluster that the flags and the kubeconfig name, not yet contacted.
    pub(crate) async fn cluster(&self) -> Result<Cluster, Failure> {
        self.cluster_of(&self.global).await
    }

    /// The same for a command whose `--namespace` is not that of the leases.
    pub(crate) async fn cluster_with_leases_in(
        &self,
        namespace: Option<&str>,
    ) -> Result<Cluster, Failure> {
        let namespace = namespace.map(str::to_owned);
        self.cluster_of(&Global {
            namespace,
            ..self.global.clone()
        })
        .await
    }

    async fn cluster_of(&self, global: &Global) -> Result<Cluster, Failure> {
        let cluster = Cluster::load(global).await?;
        tracing::info!(server = %cluster.config.cluster_url, namespace = cluster.namespace, "using cluster");
        self.reached.get_or_init(|| Reached {
            server: cluster.config.cluster_url.to_string(),
            expired: credentials::expired(&cluster.config.auth_info, Timestamp::now()),
        });
        Ok(cluster)
    }

    /// `--namespace`, for a command that talks to no cluster.
    pub(crate) fn given_namespace(&self) -> Option<&str> {
        self.global.namespace.as_deref()
    }

    /// `--request-timeout`, for requests to other servers.
    pub(crate) fn request_timeout(&self) -> Option<Duration> {
        self.global
            .request_timeout
            .filter(|timeout| !timeout.is_zero())
    }

    /// `--token-file`, for a command that talks to no API server.
    pub(crate) fn token_file(&self) -> Option<&Path> {
        self.global.token_file.as_deref().map(Path::new)
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

/// What is on stdin, up to so many bytes.
pub(crate) fn stdin_bytes(limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The next line on stdin.
pub(crate) fn stdin_line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

/// Whether somebody can be asked on stdin.
pub(crate) fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
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
