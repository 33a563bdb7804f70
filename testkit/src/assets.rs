//! Where the programs come from: a folder that is given, the user's cache, or Go's module proxy.
//!
//! Nothing here starts them.

mod build;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use sha2::{Digest, Sha256};

/// The control plane's version that a given folder may have as well.
const MINOR: &str = "v1.36.";

/// kube-apiserver, etcd and kubectl.
const CONTROL_PLANE: Module = Module {
    name: "controlplane",
    version: "v1.36.3",
    programs: &["kube-apiserver", "etcd", "kubectl"],
    // etcd's program is named after its folder.
    renamed: &[("server", "etcd")],
    // Without them `/version` answers something that no client can parse.
    variables: &[
        ("k8s.io/component-base/version.gitVersion", "v1.36.3"),
        ("k8s.io/component-base/version.gitMajor", "1"),
        ("k8s.io/component-base/version.gitMinor", "36"),
    ],
    cost: "five to ten minutes, with a download of some hundred megabytes",
    instead: "set KUBEBUILDER_ASSETS to a folder that has them in version v1.36.x, ",
};

/// What sends webhooks.
const ALERTMANAGER: Module = Module {
    name: "alertmanager",
    version: "v0.28.1",
    programs: &["alertmanager"],
    renamed: &[],
    variables: &[("github.com/prometheus/common/version.Version", "0.28.1")],
    cost: "one to two minutes, with a download of about a hundred megabytes",
    instead: "",
};

/// A Go module of this package and the programs that `go install tool` makes of it.
#[derive(Debug)]
struct Module {
    /// Its folder, here and in the cache.
    name: &'static str,
    version: &'static str,
    programs: &'static [&'static str],
    /// What Go calls a program, and what it is called here.
    renamed: &'static [(&'static str, &'static str)],
    /// Variables that the linker sets.
    variables: &'static [(&'static str, &'static str)],
    /// How long it takes to build, for whoever waits for it.
    cost: &'static str,
    /// What else to do than to install Go.
    instead: &'static str,
}

/// The folder with kube-apiserver, etcd and kubectl, built if need be.
pub(crate) fn control_plane() -> Result<PathBuf> {
    let given = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
    match given.filter(|folder| fits(folder)) {
        Some(given) => Ok(given),
        None => CONTROL_PLANE.folder(),
    }
}

/// Alertmanager's program, built if need be.
pub(crate) fn alertmanager() -> Result<PathBuf> {
    Ok(ALERTMANAGER.folder()?.join("alertmanager"))
}

fn fits(folder: &Path) -> bool {
    let version = Command::new(folder.join("kube-apiserver"))
        .arg("--version")
        .output();
    CONTROL_PLANE.is_complete(folder)
        && version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(MINOR))
}

impl Module {
    /// The folder in the cache with all programs, built if need be.
    fn folder(&self) -> Result<PathBuf> {
        let cached = self.cache()?;
        if !self.is_complete(&cached) {
            build::build(self, &cached)?;
        }
        Ok(cached)
    }

    fn is_complete(&self, folder: &Path) -> bool {
        self.programs
            .iter()
            .all(|program| folder.join(program).is_file())
    }

    fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }

    /// One folder for each state of the Go module, so that a change there never meets old programs.
    fn cache(&self) -> Result<PathBuf> {
        let base = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let base = base
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .context("there is no home folder")?;
        let mut hash = Sha256::new();
        for file in ["go.mod", "go.sum"] {
            let path = self.source().join(file);
            hash.update(
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?,
            );
        }
        let digest = hash.finalize();
        let short: String = digest
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(base
            .join("gwlock")
            .join(self.name)
            .join(format!("{}-{short}", self.version)))
    }

    /// The programs in a sentence.
    fn sentence(&self) -> String {
        match self.programs {
            [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
            programs => programs.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_makes() {
        assert_eq!(CONTROL_PLANE.sentence(), "kube-apiserver, etcd and kubectl");
        assert_eq!(ALERTMANAGER.sentence(), "alertmanager");
    }

    #[test]
    fn a_folder_is_complete_with_the_last_program() {
        let folder = tempfile::tempdir().unwrap();
        for program in CONTROL_PLANE.programs {
            assert!(!CONTROL_PLANE.is_complete(folder.path()), "{program}");
            fs::write(folder.path().join(program), "").unwrap();
        }
        assert!(CONTROL_PLANE.is_complete(folder.path()));
    }

    #[test]
    fn modules_do_not_share_a_folder_of_the_cache() {
        let [first, second] = [CONTROL_PLANE, ALERTMANAGER].map(|module| module.cache().unwrap());
        assert_ne!(first.parent(), second.parent());
        for (path, version) in [(&first, "v1.36.3-"), (&second, "v0.28.1-")] {
            let name = path.file_name().unwrap().to_string_lossy();
            assert!(name.starts_with(version), "{name}");
        }
    }

    #[test]
    fn the_versions_are_those_of_the_modules() {
        for (module, line) in [
            (CONTROL_PLANE, "\tk8s.io/kubernetes v1.36.3 // indirect"),
            (
                ALERTMANAGER,
                "\tgithub.com/prometheus/alertmanager v0.28.1 // indirect",
            ),
        ] {
            let text = fs::read_to_string(module.source().join("go.mod")).unwrap();
            let version = module.version.trim_start_matches('v');
            assert!(line.contains(version));
            assert!(text.lines().any(|read| read == line), "{line}");
        }
    }
}
