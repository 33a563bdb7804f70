//! `gwlock lab`: an API server to try things on. What is on it is the business of `fixtures` and `drills`.

mod drills;
mod fixtures;
mod roles;

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::UserInfo;
use gwlock_apiserver::serve::{Credentials, ServeOptions, serve};
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;

use crate::context::interrupted;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use drills::{Drill, Stage};

/// Serve an API server on loopback, with leases and workloads to try things on
///
/// Real kubectl works against it. Without COMMAND it serves until Ctrl-C and prints the `export KUBECONFIG=…` line to
/// use in another terminal; with COMMAND it runs that with KUBECONFIG set and ends with it.
///
/// With --drill it has a situation to find one's way out of instead, as docs/runbook.md describes them: it says on stderr
/// what has happened, and which section is about it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gwlock lab
  gwlock lab -- gwlock inspect -A --prefix all
  gwlock lab -- gwlock send --direct --alertname A --namespace prod --pod checkout-6b5d4c-k8s2p
  gwlock lab --drill stuck-lock -- bash
  gwlock lab -- bash")]
pub(crate) struct Arguments {
    /// Port on 127.0.0.1 [default: one that is free]
    #[arg(
        long,
        default_value_t = 0,
        hide_default_value = true,
        value_name = "PORT"
    )]
    port: u16,
    /// Where to write the kubeconfig [default: a temporary file, removed at the end]
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    /// Set up a situation of the runbook
    #[arg(long, value_enum, value_name = "NAME")]
    drill: Option<Drill>,
    /// List the drills, and serve nothing
    #[arg(long, conflicts_with_all = ["drill", "port", "write_kubeconfig", "command"])]
    list_drills: bool,
    /// A command to run against it
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

pub(crate) async fn execute(arguments: &Arguments) -> Result<Exit, Failure> {
    if arguments.list_drills {
        output::data(&drills::list())?;
        return Ok(Exit::Done);
    }
    let credentials = Credentials::generate(users(arguments.drill));
    let clock = Arc::new(fixtures::LabClock::default());
    let server = ApiServer::builder()
        .clock(clock.clone())
        .authentication(credentials.authentication())
        .build();
    let stage = Stage {
        server: server.clone(),
        token: credentials.token(ADMIN).unwrap_or_default().to_owned(),
        clock,
    };
    // Who is at work in a drill ends with the lab.
    let mut at_work = JoinSet::new();
    fill(arguments.drill, &stage, &mut at_work)
        .await
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    let options = ServeOptions {
        port: arguments.port,
        cluster: "gwlock-lab".to_owned(),
        namespace: fixtures::NAMESPACE.to_owned(),
    };
    let serving = serve(server, &credentials, &options)
        .await
        .map_err(|error| {
            Failure::new(Exit::Config, error).again("--port 0", "takes a port that is free")
        })?;
    let written = write(arguments, serving.kubeconfig()).map_err(|error| {
        Failure::new(
            Exit::Config,
            anyhow::Error::new(error).context("cannot write the kubeconfig"),
        )
    })?;
    let path = match &written {
        Written::Kept(path) => path.clone(),
        Written::Temporary(file) => file.path().to_owned(),
    };
    if let Some(drill) = arguments.drill {
        output::note(&drill.told());
    }
    if !arguments.command.is_empty() {
        return run(&arguments.command, &path).await;
    }
    output::note(&format!(
        "serving on {} until Ctrl-C; in another terminal:",
        serving.url()
    ));
    output::data(&format!("export KUBECONFIG={}", path.display()))?;
    if arguments.drill.is_none() {
        output::note("then try: gwlock inspect -o wide; kubectl get lease; kubectl get rr");
    }
    Ok(Exit::Signal(interrupted().await))
}

/// Who may do everything.
const ADMIN: &str = "admin";

/// The users of the kubeconfig, the current one first.
fn users(drill: Option<Drill>) -> Vec<(&'static str, UserInfo)> {
    let mut users = vec![
        (ADMIN, UserInfo::new("admin", &["system:masters"])),
        ("viewer", UserInfo::new("viewer", &[])),
    ];
    if let Some(drill) = drill {
        let gateway = (roles::GATEWAY, drills::gateway());
        users.insert(if drill.is_as_gateway() { 0 } else { 2 }, gateway);
    }
    users
}

async fn fill(
    drill: Option<Drill>,
    stage: &Stage,
    at_work: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let lab = stage.lab();
    fixtures::create_base(&lab).await?;
    match drill {
        None => fixtures::create(&lab).await,
        Some(drill) => drill.set_up(stage, at_work).await,
    }
}

enum Written {
    Kept(PathBuf),
    Temporary(tempfile::NamedTempFile),
}

fn write(arguments: &Arguments, kubeconfig: &str) -> std::io::Result<Written> {
    // Files of this kind are made readable for their owner alone.
    let folder = arguments
        .write_kubeconfig
        .as_ref()
        .and_then(|path| path.parent())
        .filter(|path| !path.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix("gwlock-lab-").suffix(".kubeconfig");
    let mut file = match folder {
        Some(folder) => builder.tempfile_in(folder)?,
        None => builder.tempfile()?,
    };
    file.write_all(kubeconfig.as_bytes())?;
    match &arguments.write_kubeconfig {
        None => Ok(Written::Temporary(file)),
        Some(path) => {
            file.persist(path).map_err(|error| error.error)?;
            fs::canonicalize(path).map(Written::Kept)
        }
    }
}

async fn run(command: &[OsString], kubeconfig: &std::path::Path) -> Result<Exit, Failure> {
    let mut child = Command::new(&command[0])
        .args(&command[1..])
        .env("KUBECONFIG", kubeconfig)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| {
            let exit = if error.kind() == std::io::ErrorKind::NotFound {
                Exit::NotFound
            } else {
                Exit::NotExecutable
            };
            let message = format!("cannot run {}", command[0].to_string_lossy());
            Failure::new(exit, anyhow::Error::new(error).context(message))
        })?;
    // A terminal sends its signals to the command as well, so only its end matters.
    let _ignored = [signal(SignalKind::interrupt()), signal(SignalKind::quit())];
    let status = child
        .wait()
        .await
        .map_err(|error| Failure::new(Exit::Bug, error))?;
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Child(u8::try_from(code).unwrap_or(u8::MAX)),
        (None, number) => Exit::Signal(
            number
                .and_then(|number| u8::try_from(number).ok())
                .unwrap_or(0),
        ),
    })
}
