//! `gwlock serve` as a child on loopback, for commands that need replicas.
//!
//! What is sent to it, and when it is killed or stopped, is the business of the command.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use super::THIS_PROGRAM;
use crate::exit::Exit;

/// A replica that serves nothing after this long does not work.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many lines of what it says are kept.
const KEPT: usize = 50;
/// Any free port of this machine.
const ANYWHERE: &str = "127.0.0.1:0";

/// How a replica is started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Launch {
    /// What tells its holders from those of others.
    pub(crate) identity: String,
    /// Flags of `gwlock serve` beside those for identity, addresses and authentication.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
}

/// A replica, killed when it is dropped, and when this process ends in any way.
#[derive(Debug)]
pub(crate) struct Replica {
    child: Child,
    pub(crate) identity: String,
    /// Where signals are sent to: `http://127.0.0.1:PORT`, as the other one.
    pub(crate) signals: String,
    pub(crate) metrics: String,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Replica {
    /// Starts one, and waits until it serves. Everybody on this machine may send to it.
    pub(crate) async fn start(launch: Launch) -> Result<Self, StartError> {
        let mut command = Command::new(THIS_PROGRAM);
        command
            .args(["serve", "--auth", "none", "--bind-address", ANYWHERE])
            .args(["--health-probe-bind-address", "0"])
            .args(["--metrics-bind-address", ANYWHERE])
            .args(["--shutdown-delay", "0s", "--identity", &launch.identity])
            .args(["--end-with", &std::process::id().to_string()])
            .args(&launch.arguments)
            .env_remove("POD_NAMESPACE")
            .env_remove("KUBERNAUT_CONTROLLER_NAMESPACE")
            .envs(launch.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C is for who started it, who ends it in his own time.
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let stderr = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe);
        let stderr = stderr.map_err(io::Error::from)?;
        let mut lines = BufReader::new(stderr).lines();
        let identity = launch.identity;
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let serving = serving(&mut lines, &said);
        let Ok(serving) = timeout(PATIENCE, serving).await else {
            return Err(StartError::Silent(identity));
        };
        let Some([signals, metrics]) = serving else {
            return Err(ended(&mut child, &identity, &said).await);
        };
        tokio::spawn(listen(lines, said.clone()));
        Ok(Self {
            child,
            identity,
            signals,
            metrics,
            said,
        })
    }

    /// Kills it as a node that loses its power does, and waits until it is dead.
    pub(crate) async fn kill(mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().await;
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets it stand still, as a frozen node does. It may take a moment.
    pub(crate) fn stop(&self) {
        self.send(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.send(Signal::CONT);
    }

    /// Ends it as a cluster does, and waits for it so long at most.
    pub(crate) async fn end(mut self, patience: Duration) {
        self.send(Signal::TERM);
        // Dropping it kills it.
        let _ = timeout(patience, self.child.wait()).await;
    }

    /// The last lines that it has said, for whoever wants to know why something failed.
    pub(crate) fn said(&self) -> Vec<String> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.iter().cloned().collect()
    }

    fn send(&self, signal: Signal) {
        let Some(pid) = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?))
        else {
            return;
        };
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
    }
}

/// Why there is no replica.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("a replica cannot be started")]
    Spawn(#[from] io::Error),
    #[error("replica {0} serves nothing after {PATIENCE:?}")]
    Silent(String),
    #[error("replica {identity} ended before it served:\n{said}")]
    Ended {
        identity: String,
        /// Its exit code, unless it was killed.
        code: Option<u8>,
        /// Its last words.
        said: String,
    },
}

impl StartError {
    /// How a command ends that needed the replica: as the replica did, where it has said that.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Ended { code, .. } => code.and_then(Exit::of).unwrap_or(Exit::Unreachable),
            Self::Spawn(_) => Exit::Config,
            Self::Silent(_) => Exit::Unreachable,
        }
    }
}

type Said = Mutex<VecDeque<String>>;

fn keep(said: &Said, line: String) {
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    if said.len() == KEPT {
        said.pop_front();
    }
    said.push_back(line);
}

/// The addresses that it tells when it serves; none if it ends before.
async fn serving(lines: &mut Lines<BufReader<ChildStderr>>, said: &Said) -> Option<[String; 2]> {
    let mut found: [Option<String>; 2] = Default::default();
    while let Ok(Some(line)) = lines.next_line().await {
        for (place, what) in found.iter_mut().zip(["signals", "metrics"]) {
            if let Some(address) = line.strip_prefix(&format!("serving {what} on ")) {
                *place = Some(address.to_owned());
            }
        }
        keep(said, line);
        if let [Some(signals), Some(metrics)] = &found {
            return Some([signals.clone(), metrics.clone()]);
        }
    }
    None
}

/// A replica whose stderr nobody reads would stand still.
async fn listen(mut lines: Lines<BufReader<ChildStderr>>, said: Arc<Said>) {
    while let Ok(Some(line)) = lines.next_line().await {
        tracing::debug!("{line}");
        keep(&said, line);
    }
}

/// Why it has ended, with its own words and exit code.
async fn ended(child: &mut Child, identity: &str, said: &Said) -> StartError {
    let code = child.wait().await.ok().and_then(|status| status.code());
    let said = said.lock().unwrap_or_else(PoisonError::into_inner);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    StartError::Ended {
        identity: identity.to_owned(),
        code: code.and_then(|code| u8::try_from(code).ok()),
        said: said.join("\n"),
    }
}
