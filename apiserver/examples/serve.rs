//! Serves an embedded API server and prints how to use it with kubectl.
//!
//! ```console
//! $ cargo run -p gwlock-apiserver --example serve
//! export KUBECONFIG=/tmp/.tmpXXXXXX/kubeconfig
//! ```
//!
//! Besides `admin` there is a context `guest`, whose user may do what every authenticated user may.

#![expect(clippy::disallowed_macros, reason = "an example talks to its terminal")]

use gwlock_apiserver::{
    ApiServer,
    access::UserInfo,
    serve::{Credentials, ServeOptions, serve},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let users = [
        ("admin", UserInfo::new("admin", &["system:masters"])),
        ("guest", UserInfo::new("guest", &["guests"])),
    ];
    let credentials = Credentials::generate(users);
    let server = ApiServer::builder()
        .authentication(credentials.authentication())
        .build();
    let options = ServeOptions {
        port,
        ..ServeOptions::default()
    };
    let serving = serve(server, &credentials, &options).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("kubeconfig");
    serving.write_kubeconfig(&path)?;
    println!("export KUBECONFIG={}", path.display());
    tokio::signal::ctrl_c().await?;
    serving.shut_down().await;
    Ok(())
}
