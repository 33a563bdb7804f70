//! The real control plane for tests: kube-apiserver, etcd and kubectl; a real Alertmanager; a proxy that counts and
//! fails; and a kubelet's logs.
//!
//! The programs are found in the user's cache, or built there from Go modules; the control plane's may stand in
//! `KUBEBUILDER_ASSETS` if that is the same minor version. A test that needs them fails where they cannot be had; `GWLOCK_CONTROL_PLANE=skip` is
//! the only way round, and says so:
//!
//! ```no_run
//! # async fn test() {
//! let Some(control_plane) = gwlock_testkit::control_plane() else { return };
//! let namespace = control_plane.namespace().await;
//! # }
//! ```
//!
//! Nothing here knows leases or remediation requests, but for the definition of the latter.

mod alertmanager;
mod assets;
mod authority;
mod control_plane;
mod kubelet;
mod process;
pub mod proxy;
mod users;

pub use alertmanager::Alertmanager;
pub use authority::{Authority, Leaf};
pub use control_plane::ControlPlane;
pub use kubelet::Kubelet;
pub use process::Process;
pub use users::User;

use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::OnceLock;

/// The CustomResourceDefinition of `remediationrequests.kubernaut.ai`, as YAML.
pub const REMEDIATION_REQUESTS: &str =
    include_str!("../../src/commands/lab/remediationrequest-crd.yaml");

static SHARED: OnceLock<ControlPlane> = OnceLock::new();

/// The control plane that all tests of this process share; each makes a namespace of its own.
///
/// `None` only where `GWLOCK_CONTROL_PLANE=skip` is set.
///
/// # Panics
/// When it cannot be had, with what to install.
#[must_use]
pub fn control_plane() -> Option<&'static ControlPlane> {
    if is_skipped() {
        return None;
    }
    Some(SHARED.get_or_init(start))
}

/// A control plane for one test alone, which may kill, stop and restart its parts.
///
/// # Panics
/// When it cannot be had, with what to install.
#[must_use]
pub fn private_control_plane() -> Option<ControlPlane> {
    (!is_skipped()).then(start)
}

/// Real kubectl, without a control plane.
///
/// `None` only where `GWLOCK_CONTROL_PLANE=skip` is set.
///
/// # Panics
/// When it cannot be had, with what to install.
#[must_use]
pub fn kubectl() -> Option<PathBuf> {
    if is_skipped() {
        return None;
    }
    let assets = assets::control_plane().unwrap_or_else(|error| panic!("no kubectl: {error:#}"));
    Some(assets.join("kubectl"))
}

/// An Alertmanager with this configuration.
///
/// `None` only where `GWLOCK_CONTROL_PLANE=skip` is set.
///
/// # Panics
/// When it cannot be had, with what to install, or does not take the configuration.
pub async fn alertmanager(configuration: &str) -> Option<Alertmanager> {
    if is_skipped() {
        return None;
    }
    let started = Alertmanager::start(configuration).await;
    Some(started.unwrap_or_else(|error| panic!("no Alertmanager: {error:#}")))
}

fn start() -> ControlPlane {
    ControlPlane::start().unwrap_or_else(|error| panic!("no control plane: {error:#}"))
}

/// Whether `GWLOCK_CONTROL_PLANE=skip` is set; if so it says on stderr which test is left out.
#[must_use]
pub fn is_skipped() -> bool {
    let skip = env::var_os("GWLOCK_CONTROL_PLANE").is_some_and(|value| value == "skip");
    if skip {
        // Past the print macros, whose output the test harness holds back.
        let test = std::thread::current();
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED {}: GWLOCK_CONTROL_PLANE=skip leaves out what needs the real control plane",
            test.name().unwrap_or_default()
        );
    }
    skip
}
