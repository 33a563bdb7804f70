//! Starts the real control plane, prints how to use it, and ends it at the end of its input.

#![expect(clippy::disallowed_macros, reason = "an example talks to its terminal")]

use std::io::Read as _;

use gwlock_testkit::{User, private_control_plane};

fn main() -> anyhow::Result<()> {
    let Some(control_plane) = private_control_plane() else {
        return Ok(());
    };
    let kubeconfig = control_plane.kubeconfig(User::Admin, "default")?;
    println!("export KUBECONFIG={}", kubeconfig.path().display());
    println!(
        "# kubectl of the same version: {}",
        control_plane.kubectl().display()
    );
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
