//! Starts a control plane to look at by hand, and keeps it until the input ends or Ctrl-C.
//!
//! Prints where it is, so that `kubectl --kubeconfig` finds it, and the two process ids.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result};
use gwlock_testkit::{User, private_control_plane};

fn main() -> Result<()> {
    let control_plane = private_control_plane().context("GWLOCK_CONTROL_PLANE=skip is set")?;
    let kubeconfig = control_plane.folder().join("admin.kubeconfig");
    let temporary = control_plane.kubeconfig(User::Admin, "default")?;
    std::fs::copy(temporary.path(), &kubeconfig)?;
    let mut out = std::io::stdout();
    writeln!(out, "export KUBECONFIG={}", kubeconfig.display())?;
    writeln!(out, "kubectl={}", control_plane.kubectl().display())?;
    writeln!(out, "etcd={}", control_plane.etcd().id())?;
    writeln!(out, "apiserver={}", control_plane.apiserver().id())?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
