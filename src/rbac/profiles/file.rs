//! Profiles of one's own, from YAML.

use serde::Deserialize;

use super::{Allowed, Environment, Program};
use crate::rbac::requirement::{Need, Profile, Requirement, Scope};

/// A profile as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    name: String,
    #[serde(default)]
    known_as: Vec<String>,
    #[serde(default)]
    environment: Variables,
    requirements: Vec<Line>,
    #[serde(default)]
    allowed: Vec<Permission>,
    judged_groups: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Variables {
    holder: Option<String>,
    lock_namespace: Option<String>,
    lock_fallback: Option<String>,
    controller_namespace: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    group: String,
    resource: String,
    subresource: Option<String>,
    verbs: Vec<String>,
    name: Option<String>,
    scope: Where,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    why: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Where {
    Lock,
    Controller,
    Cluster,
    Namespace(String),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Permission {
    group: String,
    resource: String,
    verbs: Vec<String>,
}

/// Reads a profile.
///
/// # Errors
/// What is wrong, with line and column where they are known.
pub(crate) fn read(text: &str) -> Result<Program, String> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    if file.requirements.is_empty() {
        return Err("the profile has no requirements: everything would be sufficient".to_owned());
    }
    let mut requirements = Vec::new();
    for line in file.requirements {
        if line.verbs.is_empty() {
            return Err(format!("the requirement of {} has no verbs", line.resource));
        }
        // Both ways of writing a subresource are one.
        let (resource, subresource) = match line.resource.split_once('/') {
            Some((resource, part)) => (resource.to_owned(), Some(part.to_owned())),
            None => (line.resource, line.subresource),
        };
        for verb in line.verbs {
            requirements.push(Requirement {
                group: line.group.clone().into(),
                resource: resource.clone().into(),
                subresource: subresource.clone().map(Into::into),
                verb: verb.into(),
                name: line.name.clone().map(Into::into),
                scope: match &line.scope {
                    Where::Lock => Scope::LockNamespace,
                    Where::Controller => Scope::ControllerNamespace,
                    Where::Cluster => Scope::Cluster,
                    Where::Namespace(namespace) => Scope::Namespace(namespace.clone().into()),
                },
                need: if line.optional {
                    Need::Optional
                } else {
                    Need::Needed
                },
                why: line.why.clone().into(),
            });
        }
    }
    let known_as = if file.known_as.is_empty() {
        vec![file.name.clone()]
    } else {
        file.known_as
    };
    let allowed = file.allowed.into_iter().flat_map(|allowed| {
        let Permission {
            group,
            resource,
            verbs,
        } = allowed;
        verbs.into_iter().map(move |verb| Allowed::Permission {
            group: group.clone().into(),
            resource: resource.clone().into(),
            verb: verb.into(),
        })
    });
    Ok(Program {
        profile: Profile {
            name: file.name.into(),
            requirements,
        },
        known_as: known_as.into_iter().map(Into::into).collect(),
        environment: Environment {
            holder: file.environment.holder.map(Into::into),
            lock_namespace: file.environment.lock_namespace.map(Into::into),
            lock_fallback: file.environment.lock_fallback.map(Into::into),
            controller_namespace: file.environment.controller_namespace.map(Into::into),
        },
        allowed: allowed.collect(),
        judged: file
            .judged_groups
            .map(|groups| groups.into_iter().map(Into::into).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_says_what_a_program_asks() {
        let program = read(
            "name: backup\nrequirements:\n- group: coordination.k8s.io\n  resource: leases\n  verbs: [get, create]\n  \
             scope: lock\n- group: ''\n  resource: pods/exec\n  verbs: [create]\n  scope: {namespace: prod}\n  \
             optional: true\n",
        )
        .unwrap();
        let asked: Vec<(String, &Scope, Need)> = program
            .profile
            .requirements
            .iter()
            .map(|asked| (asked.to_string(), &asked.scope, asked.need))
            .collect();
        let prod = Scope::Namespace("prod".into());
        assert_eq!(
            asked,
            [
                (
                    "get leases.coordination.k8s.io".to_owned(),
                    &Scope::LockNamespace,
                    Need::Needed
                ),
                (
                    "create leases.coordination.k8s.io".to_owned(),
                    &Scope::LockNamespace,
                    Need::Needed
                ),
                ("create pods/exec".to_owned(), &prod, Need::Optional),
            ]
        );
        assert_eq!(program.known_as, ["backup"]);
    }

    #[test]
    fn what_is_no_profile_is_refused_with_its_place() {
        for (text, expected) in [
            ("name: x\nrequirements: []\n", "no requirements"),
            ("name: x\nrequirement: []\n", "line 2"),
            (
                "name: x\nrequirements:\n- {group: '', resource: pods, verbs: [], scope: cluster}\n",
                "the requirement of pods has no verbs",
            ),
            ("{{", "line 1"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
