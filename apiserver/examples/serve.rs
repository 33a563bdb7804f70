//! Serves an embedded API server and prints how to use it with kubectl.
//!
//! ```console
//! $ cargo run -p gwlock-apiserver --example serve
//! export KUBECONFIG=/tmp/.tmpXXXXXX/kubeconfig
//! ```
//!
//! Besides `admin` there is a context `guest`, whose user may do what every authenticated user may.

use gwlock_apiserver::{
    ApiServer,
    access::UserInfo,
    serve::{Credentials, serve, write_kubeconfig},
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
    let serving = serve(server, port).await?;
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("kubeconfig");
    write_kubeconfig(
        &path,
        &serving.kubeconfig_of_all("embedded", &credentials, "default"),
    )?;
    println!("export KUBECONFIG={}", path.display());
    tokio::signal::ctrl_c().await?;
    serving.shut_down().await;
    Ok(())
}
