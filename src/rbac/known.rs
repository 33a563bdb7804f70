//! The words of rules: which there are, and which one was probably meant by one that is none.

use super::builtin;
use super::profiles::Program;

/// The verbs of RBAC, in the order of their tables.
const VERBS: [&str; 14] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
];

/// What is written for a verb by those who think of HTTP or of files.
const OTHER_WORDS: [(&str, &str); 8] = [
    ("post", "create"),
    ("put", "update"),
    ("read", "get"),
    ("remove", "delete"),
    ("edit", "update"),
    ("write", "update"),
    ("modify", "update"),
    ("view", "get"),
];

/// The resources that are known: those of an API server and those that a program asks for.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    program: &'a Program,
}

impl<'a> Known<'a> {
    pub(crate) fn new(program: &'a Program) -> Self {
        Self { program }
    }

    fn all(&self) -> impl Iterator<Item = (&str, String)> {
        let built_in = builtin::resources().iter();
        let built_in = built_in.map(|known| (known.group, known.path.to_owned()));
        let asked = self.program.profile.requirements.iter();
        built_in.chain(asked.map(|asked| (asked.group.as_ref(), asked.resource_path())))
    }

    /// Whether there is such a resource in the group; `*` is any of them.
    pub(crate) fn is_in(&self, group: &str, path: &str) -> bool {
        self.all()
            .any(|(other, known)| (group == "*" || group == other) && known == path)
    }

    /// Whether there is such a resource in any group.
    pub(crate) fn is_anywhere(&self, path: &str) -> bool {
        self.is_in("*", path)
    }

    /// Whether all resources of the group are known.
    pub(crate) fn knows_all_of(&self, group: &str) -> bool {
        builtin::resources()
            .iter()
            .any(|known| known.group == group)
    }

    /// The resource that was probably meant by a path that is none in any of these groups.
    pub(crate) fn meant(&self, groups: &[&str], path: &str) -> Option<String> {
        let wrong = path.to_lowercase();
        let of_groups = self.all().filter(|(group, _)| {
            groups
                .iter()
                .any(|wanted| *wanted == "*" || wanted == group)
        });
        // A subresource is not a misspelt resource.
        let alike = of_groups.filter(|(_, known)| known.contains('/') == wrong.contains('/'));
        let near = alike.filter_map(|(_, known)| {
            let distance = strsim::osa_distance(&wrong, &known);
            // `pod` and `jobs` are close to many things; a longer word may have more letters wrong.
            let limit = match known.len() {
                0..=4 => 1,
                _ => 2,
            };
            (distance <= limit).then_some((distance, known))
        });
        near.min().map(|(_, known)| known)
    }
}

/// Whether it is a verb that an API server asks about by itself.
pub(crate) fn is_verb(verb: &str) -> bool {
    verb == "*" || VERBS.contains(&verb)
}

/// The verb that was probably meant by a word that is none.
pub(crate) fn meant_verb(word: &str) -> Option<&'static str> {
    let wrong = word.to_lowercase();
    if let Some((_, verb)) = OTHER_WORDS.iter().find(|(other, _)| *other == wrong) {
        return Some(verb);
    }
    let near = VERBS.iter().filter_map(|verb| {
        let distance = strsim::osa_distance(&wrong, verb);
        let limit = match verb.len() {
            0..=4 => 1,
            _ => 2,
        };
        (distance <= limit).then_some((distance, *verb))
    });
    near.min().map(|(_, verb)| verb)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::profiles::{self, GatewayVersion};

    #[test]
    fn misspelt_words_are_taken_for_what_they_resemble() {
        for (word, meant) in [
            ("creat", Some("create")),
            ("Get", Some("get")),
            ("lists", Some("list")),
            ("deletes", Some("delete")),
            ("post", Some("create")),
            ("frobnicate", None),
            ("mint", None),
        ] {
            assert_eq!(meant_verb(word), meant, "{word}");
        }
        let program = profiles::find("gateway", GatewayVersion::Current).unwrap();
        let known = Known::new(&program);
        for (group, word, meant) in [
            ("coordination.k8s.io", "lease", Some("leases")),
            ("coordination.k8s.io", "Lease", Some("leases")),
            ("coordination.k8s.io", "laeses", Some("leases")),
            (
                "kubernaut.ai",
                "remediationrequest",
                Some("remediationrequests"),
            ),
            (
                "kubernaut.ai",
                "remediationrequests/statuses",
                Some("remediationrequests/status"),
            ),
            ("", "pod", Some("pods")),
            ("coordination.k8s.io", "leases/x", None),
            ("", "widgets", None),
            ("example.com", "lease", None),
            ("*", "lease", Some("leases")),
        ] {
            assert_eq!(known.meant(&[group], word).as_deref(), meant, "{word}");
        }
    }
}
