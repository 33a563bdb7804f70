//! The file that says what `gwlock run` is doing.

use std::io::{self, Write as _};
use std::path::Path;

use gwlock_engine::client::LeaseGuard;
use gwlock_engine::protocol::key::LeaseName;
use jiff::Timestamp;
use rustix::process::Pid;
use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, API_VERSION};

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum State {
    /// Somebody else may hold the lease.
    Waiting,
    /// The command runs.
    Running,
    /// It is over.
    Ended,
}

/// The file, rewritten at each change so that no reader sees half of it.
#[derive(Debug)]
pub(super) struct Status<'a> {
    path: Option<&'a Path>,
    content: Content,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content {
    api_version: &'static str,
    kind: &'static str,
    state: State,
    lease: String,
    namespace: String,
    holder: Option<String>,
    fencing_token: Option<String>,
    /// Of the command.
    pid: Option<i32>,
    since: Timestamp,
    exit: Option<End>,
}

#[derive(Debug, Serialize)]
struct End {
    code: u8,
    reason: &'static str,
}

impl<'a> Status<'a> {
    /// Writes it for the first time; a file that cannot be written is refused before anything is done.
    pub(super) fn start(
        path: Option<&'a Path>,
        name: &LeaseName,
        namespace: &str,
    ) -> Result<Self, Failure> {
        let status = Self {
            path,
            content: Content {
                api_version: API_VERSION,
                kind: "RunStatus",
                state: State::Waiting,
                lease: name.to_string(),
                namespace: namespace.to_owned(),
                holder: None,
                fencing_token: None,
                pid: None,
                since: Timestamp::now(),
                exit: None,
            },
        };
        status.write().map_err(|error| {
            let path = path.unwrap_or(Path::new("")).display();
            let message = format!("cannot write the status file {path}");
            Failure::new(Exit::BadInput, anyhow::Error::new(error).context(message))
        })?;
        Ok(status)
    }

    pub(super) fn set(&mut self, state: State, change: impl FnOnce(&mut Content)) {
        self.content.state = state;
        self.content.since = Timestamp::now();
        change(&mut self.content);
        if let Err(error) = self.write() {
            // The command matters more than what is said of it.
            output::note(&format!("warning: cannot write the status file: {error}"));
        }
    }

    pub(super) fn end(&mut self, exit: Exit) {
        let end = End {
            code: exit.code(),
            reason: exit.reason(),
        };
        self.set(State::Ended, |content| content.exit = Some(end));
    }

    fn write(&self) -> io::Result<()> {
        let Some(path) = self.path else {
            return Ok(());
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{}", serde_json::to_string(&self.content)?)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Content {
    pub(super) fn runs(&mut self, guard: &LeaseGuard, pid: Pid) {
        self.holder = Some(guard.identity().to_string());
        self.fencing_token = Some(guard.fencing_token().as_str().to_owned());
        self.pid = Some(pid.as_raw_nonzero().get());
    }
}
