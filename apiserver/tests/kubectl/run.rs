//! kubectl, its answers, and the comparison of two servers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::UserInfo;
use gwlock_apiserver::serve::{Credentials, ServeOptions, Serving, serve};
use gwlock_testkit::{User, control_plane};
use tempfile::{NamedTempFile, TempDir};

use super::mask::mask;

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// kubectl for one server, with a home of its own: its cache goes by address, and ports are used again.
pub(crate) struct Kubectl {
    program: PathBuf,
    kubeconfig: NamedTempFile,
    namespace: String,
    home: TempDir,
    said: Mutex<Vec<Said>>,
}

/// What one command said, with everything masked that differs between any two runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a scenario on both servers, in namespaces of the same name, and compares command by command.
pub(crate) async fn same_on_both(scenario: impl Fn(&Kubectl)) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
    let namespace = format!("kubectl-{number}");
    let said = |kubeconfig: NamedTempFile| {
        let kubectl = Kubectl {
            program: control_plane.kubectl(),
            kubeconfig,
            namespace: namespace.clone(),
            home: tempfile::tempdir().unwrap(),
            said: Mutex::default(),
        };
        kubectl.run(&["create", "namespace", &namespace]).is_done();
        scenario(&kubectl);
        kubectl.said.into_inner().unwrap()
    };
    let real = said(control_plane.kubeconfig(User::Admin, &namespace).unwrap());
    let (serving, kubeconfig) = serve_embedded(&namespace).await;
    let embedded = said(kubeconfig);
    serving.shut_down().await;
    let differences: Vec<_> = real
        .iter()
        .zip(&embedded)
        .filter(|(real, embedded)| real != embedded)
        .map(|(real, embedded)| format!("real: {real:#?}\nembedded: {embedded:#?}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    assert_eq!(real.len(), embedded.len());
}

async fn serve_embedded(namespace: &str) -> (Serving, NamedTempFile) {
    let mut admin = UserInfo::new(User::Admin.name(), User::Admin.groups());
    User::Admin.name().clone_into(&mut admin.uid);
    let credentials = Credentials::generate([(User::Admin.name(), admin)]);
    let server = ApiServer::builder()
        .authentication(credentials.authentication())
        .build();
    let options = ServeOptions {
        namespace: namespace.to_owned(),
        ..ServeOptions::default()
    };
    let serving = serve(server, &credentials, &options).await.unwrap();
    let file = NamedTempFile::new().unwrap();
    serving.write_kubeconfig(file.path()).unwrap();
    (serving, file)
}

impl Kubectl {
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where its commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Runs a command, which is compared with the other server's.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(arguments, "")
    }

    /// Runs a command with this on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let said = self.ask(arguments, input);
        self.said.lock().unwrap().push(said.clone());
        said
    }

    /// Runs a command until it says what it should, for what a real server does a little later. That one answer is
    /// compared.
    pub(crate) fn until(&self, arguments: &[&str], condition: impl Fn(&Said) -> bool) -> Said {
        let start = std::time::Instant::now();
        loop {
            let said = self.ask(arguments, "");
            if condition(&said) {
                self.said.lock().unwrap().push(said.clone());
                return said;
            }
            assert!(start.elapsed().as_secs() < 30, "{said:?}");
        }
    }

    /// Runs a command that is not compared: another scenario may have done the same on this server.
    pub(crate) fn prepare(&self, arguments: &[&str], input: &str) {
        self.ask(arguments, input);
    }

    /// Starts a command that goes on until it is killed.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn ask(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        Said {
            command: arguments.join(" "),
            code: output.status.code().unwrap(),
            out: mask(&String::from_utf8(output.stdout).unwrap()),
            err: mask(&String::from_utf8(output.stderr).unwrap()),
        }
    }

    /// With nothing of the user's own: no preferences, no proxy. The path is for `kubectl diff`.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .arg("--kubeconfig")
            .arg(self.kubeconfig.path())
            .args(arguments);
        command
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn is_done(&self) {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{self:?}");
    }

    /// It went well and said this.
    #[track_caller]
    pub(crate) fn says(&self, out: &str) {
        assert_eq!(
            (self.code, self.out.as_str(), self.err.as_str()),
            (0, out, ""),
            "{self:?}"
        );
    }

    /// It failed with code 1 and said this on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, err: &str) {
        assert_eq!((self.code, self.err.as_str()), (1, err), "{self:?}");
    }
}

/// A lease as YAML.
pub(crate) fn lease(name: &str, holder: &str) -> String {
    format!(
        "apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: {name}
spec:
  holderIdentity: {holder}
  leaseDurationSeconds: 30
"
    )
}
