//! What an API server brings itself: its roles for users, and the names of its resources.
//!
//! Both are those of one version. A test compares them with a real server's.

use std::sync::LazyLock;

use super::manifest::{self, Objects};

/// What the origin of a role is called that no file holds.
pub(crate) const FILE: &str = "<API server>";

const ROLES: &str = include_str!("builtin/roles.yaml");
const RESOURCES: &str = include_str!("builtin/resources.txt");

/// A resource, with its subresource if it is one: `pods/exec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: &'static str,
    pub(crate) path: &'static str,
    pub(crate) namespaced: bool,
}

static KNOWN: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let lines = RESOURCES.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut words = line.split(' ');
            let group = words.next()?;
            Some(Resource {
                group: if group == "-" { "" } else { group },
                path: words.next()?,
                namespaced: words.next()? == "namespaced",
            })
        })
        .collect()
});

/// Its resources.
pub(crate) fn resources() -> &'static [Resource] {
    &KNOWN
}

/// The roles that charts bind, and what binds them to everybody.
pub(crate) fn objects() -> Objects {
    // The text is part of this program, and a test reads it.
    manifest::read(FILE, ROLES.as_bytes()).unwrap_or_default()
}

/// The same as JSON.
pub(crate) fn values() -> Vec<serde_json::Value> {
    serde_saphyr::from_multiple(ROLES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_in_can_be_read() {
        let objects = manifest::read(FILE, ROLES.as_bytes()).unwrap();
        assert_eq!((objects.roles.len(), objects.bindings.len()), (9, 1));
        assert_eq!(resources().len(), RESOURCES.lines().count() - 2);
        let leases = resources()
            .iter()
            .find(|known| known.path == "leases")
            .unwrap();
        assert_eq!(
            (leases.group, leases.namespaced),
            ("coordination.k8s.io", true)
        );
    }
}
