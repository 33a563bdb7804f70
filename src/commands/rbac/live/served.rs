//! Which resources a cluster serves, with their subresources. An authoriser does not know: where a wildcard is granted it
//! says yes to any word.

use std::collections::HashSet;

use kube::core::discovery::v2::{APIGroupDiscovery, APIGroupDiscoveryList};

use super::State;
use crate::exit::Exit;
use crate::rbac::requirement::Requirement;

/// The resources of a cluster.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// Group and resource, with its subresource.
    resources: HashSet<(String, String)>,
    /// Groups whose own server did not answer when they were last asked for.
    stale: HashSet<String>,
}

impl Served {
    /// Asks for all of them, in two requests.
    pub(super) async fn on(client: &kube::Client) -> Result<Self, kube::Error> {
        let core = client.list_core_api_versions_aggregated().await?;
        let others = client.list_api_groups_aggregated().await?;
        let mut served = Self::default();
        for list in [core, others] {
            served.add(list);
        }
        Ok(served)
    }

    fn add(&mut self, list: APIGroupDiscoveryList) {
        for group in list.items {
            self.add_group(group);
        }
    }

    fn add_group(&mut self, group: APIGroupDiscovery) {
        let name = group.metadata.unwrap_or_default().name.unwrap_or_default();
        for version in group.versions {
            if version.freshness.as_deref() == Some("Stale") {
                self.stale.insert(name.clone());
            }
            for resource in version.resources {
                let plural = resource.resource.unwrap_or_default();
                for part in resource.subresources {
                    let part = part.subresource.unwrap_or_default();
                    self.resources
                        .insert((name.clone(), format!("{plural}/{part}")));
                }
                self.resources.insert((name.clone(), plural));
            }
        }
    }

    /// Whether there is such a resource; if not, what is to be said instead of an authoriser's answer.
    pub(super) fn knows(&self, requirement: &Requirement) -> Result<(), State> {
        let group = requirement.group.to_string();
        let resource = (group, requirement.resource_path());
        if self.resources.contains(&resource) {
            return Ok(());
        }
        let (group, _) = resource;
        if self.stale.contains(&group) {
            let message = format!("the API server does not know now what the group {group} has");
            return Err(State::Failed {
                exit: Exit::Unreachable,
                message,
            });
        }
        Err(State::NotServed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rbac::profiles::gwlock;

    #[test]
    fn a_resource_is_known_with_its_subresources_and_a_group_that_did_not_answer_is_not_missing() {
        let list = |group: &str, freshness: &str| {
            serde_json::from_value(json!({"items": [{
                "metadata": {"name": group},
                "versions": [{"version": "v1", "freshness": freshness, "resources": [
                    {"resource": "leases", "scope": "Namespaced", "verbs": [],
                     "subresources": [{"subresource": "status", "verbs": []}]},
                ]}],
            }]}))
            .unwrap()
        };
        let mut served = Served::default();
        served.add(list("coordination.k8s.io", "Current"));
        served.add(list("kubernaut.ai", "Stale"));
        let profile = gwlock::profile("gwlock-readonly").unwrap();
        let knows = |words: &str| {
            let mut asked = profile.requirements.iter();
            served.knows(asked.find(|asked| asked.to_string() == words).unwrap())
        };
        assert_eq!(knows("get leases.coordination.k8s.io"), Ok(()));
        assert!(matches!(
            knows("list remediationrequests.kubernaut.ai"),
            Err(State::Failed { .. })
        ));
        let mut status = profile.requirements[0].clone();
        status.subresource = Some("status".into());
        assert_eq!(served.knows(&status), Ok(()));
        status.subresource = Some("scale".into());
        assert_eq!(served.knows(&status), Err(State::NotServed));
    }
}
