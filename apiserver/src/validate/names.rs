//! Which format the names of a kind have.

use super::{FieldError, RBAC, formats};

/// What is wrong with `name` as the name of an object of this kind: errors of `metadata.name`.
///
/// Namespaces and services are DNS labels, RBAC kinds take whatever fits into a URL, and everything
/// else, custom resources included, is a DNS subdomain.
#[must_use]
pub fn name(group: &str, kind: &str, name: &str) -> Vec<FieldError> {
    if name.is_empty() {
        return vec![FieldError::required(
            "metadata.name",
            "name or generateName is required",
        )];
    }
    errors(group, kind, name)
        .into_iter()
        .map(|detail| FieldError::invalid("metadata.name", name, detail))
        .collect()
}

/// As [`name`], for a prefix to which the server appends a suffix.
pub(super) fn generate_name(group: &str, kind: &str, prefix: &str) -> Vec<FieldError> {
    // A dash at the end is fine, because something follows it.
    let masked = match prefix.strip_suffix('-') {
        Some(stem) if !stem.is_empty() => format!(
            "{}a",
            &stem[..stem.len() - stem.chars().last().map_or(0, char::len_utf8)]
        ),
        _ => prefix.to_owned(),
    };
    errors(group, kind, &masked)
        .into_iter()
        .map(|detail| FieldError::invalid("metadata.generateName", prefix, detail))
        .collect()
}

fn errors(group: &str, kind: &str, name: &str) -> Vec<String> {
    match (group, kind) {
        ("", "Namespace" | "Service") => formats::dns_label(name),
        (RBAC, _) => formats::path_segment(name),
        _ => formats::dns_subdomain(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_format() {
        assert!(name("coordination.k8s.io", "Lease", "gw-lock.a").is_empty());
        assert_eq!(
            name("", "Namespace", "a.b")[0].to_string(),
            r#"metadata.name: Invalid value: "a.b": must not contain dots"#
        );
        assert!(name(RBAC, "ClusterRole", "system:node").is_empty());
        assert_eq!(
            name(RBAC, "Role", "a/b")[0].to_string(),
            r#"metadata.name: Invalid value: "a/b": may not contain '/'"#
        );
        assert_eq!(
            name("coordination.k8s.io", "Lease", "")[0].to_string(),
            "metadata.name: Required value: name or generateName is required"
        );
    }

    #[test]
    fn a_prefix_may_end_with_a_dash() {
        assert!(generate_name("", "Pod", "web-").is_empty());
        assert_eq!(generate_name("", "Pod", "Web-").len(), 1);
    }
}
