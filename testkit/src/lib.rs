//! The real control plane for tests: kube-apiserver, etcd and kubectl.
//!
//! Found in `KUBEBUILDER_ASSETS` if that is the same minor version, else in the user's cache, else built there from Go
//! modules. A test that needs it fails where it cannot be had; `GWLOCK_CONTROL_PLANE=skip` is the only way round, and
//! says so.

mod assets;
mod control_plane;
mod process;

pub use control_plane::{ControlPlane, User};
pub use process::Process;

use std::env;
use std::io::Write as _;
use std::sync::OnceLock;

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

fn start() -> ControlPlane {
    ControlPlane::start().unwrap_or_else(|error| panic!("no control plane: {error:#}"))
}

fn is_skipped() -> bool {
    let skip = env::var_os("GWLOCK_CONTROL_PLANE").is_some_and(|value| value == "skip");
    if skip {
        // Tests print to stderr so that the words are seen even though their stdout is captured.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: GWLOCK_CONTROL_PLANE=skip leaves out what needs the real control plane"
        );
    }
    skip
}
