//! Real kubectl cannot tell the embedded server from a real one: every command of a transcript runs against both, and
//! output, errors and exit code have to be the same.
//!
//! A line of a transcript is the exit code and the arguments of kubectl. A `~` before the code repeats the command until
//! it ends with that code, for what a real server takes a moment to notice: rights that have just been granted, kinds
//! that have just been defined. In a manifest NAMESPACE stands for the namespace of the test. Ages, times, uids and versions are masked before the comparison.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gwlock_apiserver::ApiServer;
use gwlock_apiserver::access::UserInfo;
use gwlock_apiserver::serve::{Credentials, ServeOptions, Serving, serve};
use gwlock_testkit::{User, control_plane};
use regex::Regex;

const PATIENCE: Duration = Duration::from_secs(20);

/// What kubectl printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

/// kubectl with one server to talk to.
struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
    cache: tempfile::TempDir,
    manifests: tempfile::TempDir,
    masks: Vec<(Regex, &'static str)>,
}

impl Kubectl {
    fn new(program: PathBuf, kubeconfig: &Path, namespace: &str) -> Self {
        let mask = |pattern: &str, name| (Regex::new(pattern).unwrap(), name);
        Self {
            program,
            kubeconfig: kubeconfig.to_owned(),
            cache: tempfile::tempdir().unwrap(),
            manifests: manifests(namespace),
            masks: vec![
                mask(
                    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                    "UID",
                ),
                mask(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
                mask(
                    r#"(resourceVersion"?|Resource Version): *"?\d+"?"#,
                    "VERSION",
                ),
                mask(r"\b\d+[smh](\d+[smh])?\b", "AGE"),
                mask(r"(?m)^(---|\+\+\+|diff) .*$", "FILE"),
                mask(" +", " "),
            ],
        }
    }

    fn run(&self, arguments: &[String]) -> Outcome {
        let output = Command::new(&self.program)
            .args(arguments)
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", self.cache.path())
            .current_dir(self.manifests.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Outcome {
            code: output.status.code().unwrap_or(-1),
            stdout: self.masked(&output.stdout),
            stderr: self.masked(&output.stderr),
        }
    }

    fn run_until(&self, arguments: &[String], code: i32) -> Outcome {
        let began = Instant::now();
        loop {
            let outcome = self.run(arguments);
            if outcome.code == code || began.elapsed() > PATIENCE {
                return outcome;
            }
        }
    }

    fn masked(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text).into_owned();
        let text = self.masks.iter().fold(text, |text, (pattern, name)| {
            pattern.replace_all(&text, *name).into_owned()
        });
        text.trim_end().to_owned()
    }
}

/// The manifests of this folder, for a test's namespace.
fn manifests(namespace: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubectl")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let copy = folder.path().join(path.file_name().unwrap());
            std::fs::write(copy, text.replace("NAMESPACE", namespace)).unwrap();
        }
    }
    folder
}

/// One line of a transcript.
struct Step {
    patient: bool,
    code: i32,
    arguments: Vec<String>,
}

impl Step {
    fn parse(line: &str) -> Self {
        let (patient, line) = match line.strip_prefix('~') {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (code, arguments) = line.split_once(' ').unwrap();
        Self {
            patient,
            code: code.parse().unwrap(),
            arguments: words(arguments),
        }
    }

    fn run(&self, kubectl: &Kubectl) -> Outcome {
        if self.patient {
            kubectl.run_until(&self.arguments, self.code)
        } else {
            kubectl.run(&self.arguments)
        }
    }
}

/// Splits at blanks, but not between single quotes, which are dropped.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

async fn embedded(namespace: &str) -> (Serving, tempfile::NamedTempFile) {
    let admin = UserInfo {
        uid: "admin".to_owned(),
        ..UserInfo::new("admin", &["system:masters"])
    };
    let credentials = Credentials::generate([("admin", admin)]);
    let server = ApiServer::builder()
        .authentication(credentials.authentication())
        .build();
    let options = ServeOptions {
        namespace: namespace.to_owned(),
        ..ServeOptions::default()
    };
    let serving = serve(server, &credentials, &options).await.unwrap();
    let kubeconfig = tempfile::NamedTempFile::new().unwrap();
    serving.write_kubeconfig(kubeconfig.path()).unwrap();
    (serving, kubeconfig)
}

/// Runs a transcript against both servers, in one namespace of the same name.
async fn compare(transcript: &'static str) {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let (serving, kubeconfig) = embedded(&namespace).await;
    let ours = Kubectl::new(control_plane.kubectl(), kubeconfig.path(), &namespace);
    let real_config = control_plane.kubeconfig(User::Admin, &namespace).unwrap();
    let real = Kubectl::new(control_plane.kubectl(), real_config.path(), &namespace);
    let differences = tokio::task::spawn_blocking(move || {
        assert_eq!(
            ours.run(&words(&format!("create namespace {namespace}")))
                .code,
            0
        );
        let lines = transcript
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut differences = Vec::new();
        for line in lines {
            let step = Step::parse(line);
            let (ours, real) = (step.run(&ours), step.run(&real));
            if ours != real || real.code != step.code {
                differences.push(format!("{line}\n  embedded: {ours:#?}\n  real: {real:#?}"));
            }
        }
        differences
    });
    let differences = differences.await.unwrap();
    drop((serving, kubeconfig, real_config));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_look_the_same() {
    compare(include_str!("kubectl/leases.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_resources_look_the_same() {
    compare(include_str!("kubectl/custom.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn built_in_kinds_look_the_same() {
    compare(include_str!("kubectl/kinds.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_look_the_same() {
    compare(include_str!("kubectl/rights.txt")).await;
}
