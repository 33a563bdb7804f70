//! `/version`: which Kubernetes the answers are those of.

use std::env::consts;

use serde_json::{Value, json};

const MINOR: u32 = 36;

/// The release whose answers are given, marked as not being that release.
pub(super) const GIT_VERSION: &str = "v1.36.3+embedded";

pub(super) fn version() -> Value {
    json!({
        "major": "1",
        "minor": MINOR.to_string(),
        "emulationMajor": "1",
        "emulationMinor": MINOR.to_string(),
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": (MINOR - 1).to_string(),
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("{}/{}", consts::OS, consts::ARCH),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_names_the_release_and_that_it_is_embedded() {
        let version = version();
        assert!(
            GIT_VERSION.starts_with(&format!("v1.{MINOR}.")) && GIT_VERSION.ends_with("+embedded")
        );
        assert_eq!(
            (&version["major"], &version["minor"]),
            (&json!("1"), &json!("36"))
        );
    }
}
