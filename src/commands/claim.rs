//! What the commands for one claim share: timing, handles, and their failures.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueHint};
use gwlock_engine::client::lock::{HandleError, LeaseLockBuilder};
use gwlock_engine::client::{LeaseHandle, LeaseLock};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::timing::Timing;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::key::{self, KeyAs};
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::duration;
use crate::output::API_VERSION;
use crate::output::escape::shell_word;

/// Which claim: one that was written down, or the one that a holder has on a key.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClaimArguments {
    /// Lease name, fingerprint, target (prod/Deployment/payment-api) or any text, which is hashed; - reads it from stdin
    #[arg(
        value_name = "KEY",
        add = key::completer(),
        required_unless_present = "handle_file",
        requires = "holder",
        conflicts_with = "handle_file"
    )]
    pub(crate) key: Option<String>,
    /// How KEY is read
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(crate) key_as: KeyAs,
    /// The holder identity that the claim was made with
    #[arg(long, value_name = "IDENTITY", conflicts_with = "handle_file")]
    pub(crate) holder: Option<String>,
    /// The file that `gwlock acquire --handle-file` wrote
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) handle_file: Option<PathBuf>,
}

/// How long a lease lasts.
#[derive(Debug, Clone, Args)]
pub(crate) struct TimingArguments {
    /// How long the lease lasts after each write; a gateway that takes over a gw-lock-* lease inherits it
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub(crate) lease_duration: Duration,
    /// How long after the last good renewal the holder stops [default: two thirds of the lease duration]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) renew_deadline: Option<Duration>,
    /// How long after a failed renewal the next one is tried [default: 2s, less for short leases]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) retry_period: Option<Duration>,
}

impl TimingArguments {
    pub(crate) fn timing(&self) -> Result<Timing, Failure> {
        let refuse = |error| {
            Failure::new(Exit::Config, error)
                .hint("--lease-duration 30s --renew-deadline 20s --retry-period 2s fit together")
        };
        let usual = Timing::with_duration(self.lease_duration).map_err(refuse)?;
        Timing::new(
            self.lease_duration,
            self.renew_deadline
                .unwrap_or_else(|| usual.renew_deadline()),
            self.retry_period.unwrap_or_else(|| usual.retry_period()),
        )
        .map_err(refuse)
    }
}

impl ClaimArguments {
    /// The claim. One from a file names its own namespace, which `-n` can only confirm.
    pub(crate) fn handle(&self, cluster: &Cluster) -> Result<LeaseHandle, Failure> {
        if let Some(path) = &self.handle_file {
            let handle = read_handle(path)?;
            return match &cluster.given_namespace {
                Some(given) if *given != handle.namespace => Err(Failure::says(
                    Exit::Config,
                    format!(
                        "--namespace {given} contradicts the handle file {}, whose lease is in {}",
                        path.display(),
                        handle.namespace
                    ),
                )
                .hint("leave --namespace out")),
                _ => Ok(handle),
            };
        }
        let lease = key::one(self.key.as_deref().unwrap_or_default(), self.key_as)?;
        Ok(LeaseHandle {
            lease: lease.to_string(),
            namespace: cluster.namespace.clone(),
            holder: self.holder.clone().unwrap_or_default(),
            fencing_token: String::new(),
            uid: String::new(),
            resource_version: String::new(),
            lease_duration_seconds: 0,
            acquired_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::UNIX_EPOCH,
            requests: 0,
        })
    }
}

/// A lock for a claim that another process made.
pub(crate) fn lock_of(
    cluster: &Cluster,
    handle: &LeaseHandle,
    timing: Timing,
) -> Result<LeaseLock, Failure> {
    let name =
        LeaseName::new(&handle.lease).map_err(|error| Failure::new(Exit::BadInput, error))?;
    Ok(builder(cluster, &handle.namespace, name, "", timing).build())
}

/// A lock as every command sets it up: on the cluster that was chosen, with the deadline of `--request-timeout`.
pub(crate) fn builder(
    cluster: &Cluster,
    namespace: &str,
    name: LeaseName,
    base: &str,
    timing: Timing,
) -> LeaseLockBuilder {
    let builder = LeaseLock::builder(cluster.client.clone(), namespace, name, base).timing(timing);
    match cluster.request_timeout {
        Some(timeout) => builder.request_timeout(timeout),
        None => builder,
    }
}

/// What `-o json` prints of a claim.
pub(crate) fn handle_value(handle: &LeaseHandle) -> Value {
    let mut value = json!(handle);
    value["apiVersion"] = json!(API_VERSION);
    value["kind"] = json!("LeaseHandle");
    value
}

/// Writes a claim so that nobody else can read it and no reader sees half of it.
pub(crate) fn write_handle(path: &Path, handle: &LeaseHandle) -> Result<(), Failure> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        writeln!(file, "{}", handle_value(handle))?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    });
    written.map_err(|error| {
        let message = format!("cannot write the handle file {}", path.display());
        let folder = shell_word(&folder.display().to_string());
        Failure::new(Exit::BadInput, anyhow::Error::new(error).context(message)).hint(format!(
            "ls -ld {folder}   # whether it is there, and who may write to it"
        ))
    })
}

fn read_handle(path: &Path) -> Result<LeaseHandle, Failure> {
    let refuse = |error: anyhow::Error| {
        Failure::new(
            Exit::BadInput,
            error.context(format!("cannot use the handle file {}", path.display())),
        )
        .run("acquire KEY --handle-file FILE", "writes one")
    };
    let text = fs::read_to_string(path).map_err(|error| refuse(error.into()))?;
    let value: Value = serde_json::from_str(&text).map_err(|error| refuse(error.into()))?;
    if value["kind"] != "LeaseHandle" || value["apiVersion"] != API_VERSION {
        return Err(refuse(anyhow::anyhow!(
            "it is no LeaseHandle of {API_VERSION}"
        )));
    }
    serde_json::from_value(value).map_err(|error| refuse(error.into()))
}

/// What became of a claim that could not be renewed or verified.
pub(crate) fn handle_failure(error: HandleError, handle: &LeaseHandle) -> Failure {
    match error {
        HandleError::Lost(loss) => Failure::says(
            Exit::No,
            format!("the claim on {} no longer stands: {loss}", handle.lease),
        )
        .run(inspect(handle), "who holds it now"),
        HandleError::Refused(refusal) => Failure::refused(&refusal, Some(&handle.namespace)),
        HandleError::Unreachable(message) => Failure::unreachable(&message),
        HandleError::NotAnIdentity(_) => {
            Failure::new(Exit::BadInput, error).run("inspect -o wide", "who holds which lease")
        }
    }
}

/// The command that shows the lease of a claim.
pub(crate) fn inspect(handle: &LeaseHandle) -> String {
    format!("inspect {} -n {}", handle.lease, handle.namespace)
}
