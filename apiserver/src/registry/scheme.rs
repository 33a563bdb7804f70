//! The Go types behind the kinds, as far as messages name them: which ones there are, and in which package.

use super::{Registry, Resource};

/// Versions of kinds that a real server still reads and no longer serves. No kinds stands for all of the group.
const OLDER: &[(&str, &str, &[&str])] = &[
    ("apps", "v1beta1", &["Deployment", "StatefulSet"]),
    ("apps", "v1beta2", &[]),
    ("authentication.k8s.io", "v1alpha1", &["SelfSubjectReview"]),
    ("authentication.k8s.io", "v1beta1", &[]),
    ("authorization.k8s.io", "v1beta1", &[]),
    ("batch", "v1beta1", &["CronJob"]),
    ("coordination.k8s.io", "v1beta1", &[]),
    ("events.k8s.io", "v1beta1", &[]),
    ("rbac.authorization.k8s.io", "v1alpha1", &[]),
    ("rbac.authorization.k8s.io", "v1beta1", &[]),
];

/// The internal Go type of a kind of the resource's group, be it of its objects or of its lists: `coordination.Lease`.
pub(crate) fn internal_type(resource: &Resource, kind: &str) -> String {
    if resource.custom().is_none() {
        return format!("{}.{kind}", package(&resource.group));
    }
    if kind == resource.list_kind {
        "unstructured.UnstructuredList".to_owned()
    } else {
        "unstructured.Unstructured".to_owned()
    }
}

/// The internal Go type of a built-in kind, in whatever version; `None` where the version has no such kind.
pub(crate) fn registered(api_version: &str, kind: &str) -> Option<String> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let single = kind.strip_suffix("List").unwrap_or(kind);
    let older = OLDER
        .iter()
        .find(|(own, older, _)| (*own, *older) == (group, version));
    let registry = Registry::built_in();
    let is_known = registry.version(group, "v1").is_some_and(|served| {
        let mut resources = served.resources.values();
        resources.any(|resource| resource.kind == single)
    });
    let is_registered = match older {
        Some((_, _, kinds)) => is_known && (kinds.is_empty() || kinds.contains(&single)),
        None => is_known && version == "v1",
    };
    is_registered.then(|| format!("{}.{kind}", package(group)))
}

/// Events of both groups are of one type.
fn package(group: &str) -> &str {
    match group {
        "" | "events.k8s.io" => "core",
        _ => group.split('.').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_has_one_type_in_all_versions() {
        for version in ["v1", "v1beta1"] {
            assert_eq!(
                registered(&format!("coordination.k8s.io/{version}"), "Lease"),
                Some("coordination.Lease".to_owned())
            );
        }
        for version in ["v1", "events.k8s.io/v1"] {
            assert_eq!(registered(version, "Event"), Some("core.Event".to_owned()));
        }
        assert_eq!(registered("v1", "PodList"), Some("core.PodList".to_owned()));
    }

    #[test]
    fn other_kinds_are_not_registered() {
        for (version, kind) in [
            ("v1", "Lease"),
            ("v2", "Pod"),
            ("batch/v1beta1", "Job"),
            ("nope.io/v1", "Pod"),
        ] {
            assert_eq!(registered(version, kind), None, "{version} {kind}");
        }
    }
}
