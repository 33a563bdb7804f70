//! Where gwlock runs: the only reader of environment, kubeconfig and terminal.

mod connection;
mod no_proxy;
mod signals;

use std::env;
use std::future::Future;

use crate::cli::Global;
use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use connection::Cluster;
pub(crate) use signals::interrupted;

/// Where the gateway's leases are when nothing else is said.
const DEFAULT_NAMESPACE: &str = "kubernaut-system";

/// What a command knows of its surroundings.
#[derive(Debug)]
pub(crate) struct Context {
    global: Global,
}

impl Context {
    pub(crate) fn new(global: Global) -> Self {
        Self { global }
    }

    /// Runs a command that talks to servers.
    pub(crate) fn block_on(
        &self,
        command: impl Future<Output = Result<Exit, Failure>>,
    ) -> Result<Exit, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Exit::Bug, error))?;
        runtime.block_on(command)
    }

    /// The cluster that the flags and the kubeconfig name, not yet contacted.
    pub(crate) async fn cluster(&self) -> Result<Cluster, Failure> {
        Cluster::load(&self.global).await
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

/// A variable of the environment that is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
