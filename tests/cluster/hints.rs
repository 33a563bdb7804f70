//! Hints that call kubectl, run by the real one on a real control plane.

use std::process::Command;

use gwlock_testkit::{ControlPlane, User, control_plane};

struct World {
    control_plane: &'static ControlPlane,
    namespace: String,
}

impl World {
    /// Runs a line of a shell on which gwlock and kubectl are found: the exit code, stdout and stderr.
    fn shell(&self, line: &str) -> (Option<i32>, String, String) {
        let kubeconfig = self
            .control_plane
            .kubeconfig(User::Admin, &self.namespace)
            .unwrap();
        let tools = self.control_plane.kubectl();
        let program = std::path::Path::new(env!("CARGO_BIN_EXE_gwlock"));
        let mut path = std::env::var_os("PATH").unwrap_or_default();
        for folder in [tools.parent(), program.parent()].into_iter().flatten() {
            let mut longer = folder.as_os_str().to_owned();
            longer.push(":");
            longer.push(path);
            path = longer;
        }
        let output = Command::new("sh")
            .args(["-c", line])
            .env("PATH", path)
            .env("KUBECONFIG", kubeconfig.path())
            .env_remove("POD_NAMESPACE")
            .env_remove("KUBERNAUT_CONTROLLER_NAMESPACE")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// The commands of kubectl in the hints of a command that fails with this code.
    fn hints(&self, command: &str, code: i32) -> Vec<String> {
        let (ended, _, told) = self.shell(command);
        assert_eq!(ended, Some(code), "{command}: {told}");
        let hints = told.lines().filter_map(|line| line.strip_prefix("hint: "));
        let hints = hints.filter(|hint| hint.starts_with("kubectl "));
        hints
            .map(|hint| hint.split("   # ").next().unwrap().to_owned())
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hints_propose_kubectl_does() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let new = format!("{namespace}-new");
    let world = World {
        control_plane,
        namespace,
    };

    // A namespace that is missing is made, and the same command works.
    let acquire = format!("gwlock acquire x -n {new} --wait 0");
    assert_eq!(
        world.hints(&acquire, 1),
        [format!("kubectl create namespace {new}")]
    );
    let (code, _, told) = world.shell(&format!("kubectl create namespace {new}"));
    assert_eq!(code, Some(0), "{told}");
    let (code, _, told) = world.shell(&acquire);
    assert_eq!(code, Some(0), "{told}");

    // Settings that cannot be used are shown.
    for command in [
        "gwlock inspect --server https://127.0.0.1:1",
        "gwlock doctor --server https://127.0.0.1:1",
    ] {
        let hints = world.hints(command, 69);
        assert_eq!(
            hints,
            ["kubectl config view --minify --server https://127.0.0.1:1"]
        );
        let (code, shown, told) = world.shell(&hints[0]);
        assert_eq!(code, Some(0), "{told}");
        assert!(shown.contains("kind: Config"), "{shown}");
    }

    // Whose finalizer keeps a lease is asked for.
    let lease = "apiVersion: coordination.k8s.io/v1\nkind: Lease\nmetadata:\n  name: gw-lock-1\n  finalizers: [a.b/c]\nspec: {}";
    let (code, _, told) = world.shell(&format!("kubectl create -f - <<'EOF'\n{lease}\nEOF"));
    assert_eq!(code, Some(0), "{told}");
    let hints = world.hints("gwlock force-expire gw-lock-1 --yes", 1);
    let (code, shown, told) = world.shell(&hints[0]);
    assert_eq!(
        (code, shown.as_str()),
        (Some(0), "[\"a.b/c\"]"),
        "{hints:?}: {told}"
    );
    // The doctor knows what lets it go.
    let (_, printed, _) = world.shell("gwlock doctor -o json");
    let report: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let malformed = checks
        .iter()
        .find(|check| check["check"] == "malformed-leases")
        .unwrap();
    let fix = malformed["fix"].as_str().unwrap().lines().last().unwrap();
    let (code, _, told) = world.shell(fix);
    assert_eq!(code, Some(0), "{fix}: {told}");
    let (code, ..) = world.shell("gwlock inspect gw-lock-1");
    assert_eq!(code, Some(1), "it is gone");
}
