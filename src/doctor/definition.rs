//! The definition of RemediationRequests: what the protocol and a gateway need of it.

use gwlock_engine::remediation::request::{FINGERPRINT_FIELD, GROUP, PLURAL, VERSION};
use serde_json::{Value, json};

use super::check::{Check, Outcome, Read, Step, Subject};

/// The name of the definition.
pub(crate) const NAME: &str = "remediationrequests.kubernaut.ai";

/// How to look at it.
fn show() -> Step {
    Step::Kubectl(format!("get customresourcedefinitions {NAME} -o yaml"))
}

/// Whether the definition is there and is the one that gateways write by.
pub(crate) fn definition(read: &Read<Value>) -> Check {
    let check = |outcome, message| Check::new(Subject::Definition, "definition", outcome, message);
    let definition = match read {
        Ok(definition) => definition,
        Err(trouble) if trouble.is_not_found() => {
            let message = format!(
                "the cluster has no {NAME}: no signal can become a request; install Kubernaut's definitions"
            );
            return check(Outcome::Failure, message).step(Step::Kubectl(
                "get customresourcedefinitions -o name".to_owned(),
            ));
        }
        Err(trouble) => return Check::skipped(Subject::Definition, "definition", trouble),
    };
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = versions
        .iter()
        .filter_map(|version| version["name"].as_str())
        .collect();
    let evidence = json!({"scope": spec["scope"], "versions": names});
    let mut wrong = Vec::new();
    if spec["scope"] != "Namespaced" {
        wrong.push(format!(
            "its scope is {}, not Namespaced",
            text(&spec["scope"])
        ));
    }
    match versions.iter().find(|version| version["name"] == VERSION) {
        None => wrong.push(format!(
            "it has no version {VERSION}, only {}",
            names.join(", ")
        )),
        Some(version) if version["served"] != true => {
            wrong.push(format!("its version {VERSION} is not served"));
        }
        Some(version) if !version["subresources"]["status"].is_object() => {
            wrong.push("it has no status subresource, so that no signal can be counted".to_owned());
        }
        Some(_) => {}
    }
    let conditions = definition["status"]["conditions"].as_array();
    let is_established = conditions.is_none_or(|conditions| {
        conditions
            .iter()
            .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    });
    if !is_established {
        wrong.push("the server has not established it".to_owned());
    }
    if !wrong.is_empty() {
        let message = format!("{NAME}: {}", wrong.join("; "));
        return check(Outcome::Failure, message).with(evidence).step(show());
    }
    let message = format!("{PLURAL} of {GROUP}/{VERSION} are served, namespaced, with a status");
    check(Outcome::Ok, message).with(evidence)
}

/// Whether requests can be selected by fingerprint. `asked` is what the server answers to such a list; the definition
/// says why it cannot.
pub(crate) fn selectable(read: &Read<Value>, asked: &Read<()>) -> Check {
    let name = "selectable-fingerprint";
    let check = |outcome, message| Check::new(Subject::Definition, name, outcome, message);
    let versions = read
        .as_ref()
        .ok()
        .and_then(|definition| definition["spec"]["versions"].as_array());
    let version =
        versions.and_then(|versions| versions.iter().find(|version| version["name"] == VERSION));
    let path = format!(".{FINGERPRINT_FIELD}");
    let is_declared = version.map(|version| {
        let fields = version["selectableFields"].as_array();
        fields.is_some_and(|fields| fields.iter().any(|field| field["jsonPath"] == path))
    });
    let evidence = json!({"declared": is_declared});
    match (asked, is_declared) {
        (Ok(()), _) => {
            let message = format!("requests can be selected by {FINGERPRINT_FIELD}");
            check(Outcome::Ok, message).with(evidence)
        }
        (Err(trouble), _) if !trouble.is_not_selectable() => {
            Check::skipped(Subject::Definition, name, trouble)
        }
        (Err(_), Some(true)) => {
            let message = format!(
                "{NAME} declares {FINGERPRINT_FIELD}, but the server cannot select by it: that needs Kubernetes 1.31"
            );
            check(Outcome::Failure, message)
                .with(evidence)
                .step(Step::Kubectl("version".to_owned()))
        }
        (Err(trouble), _) => {
            let message = format!(
                "requests cannot be selected by {FINGERPRINT_FIELD}, and each signal would list all of them: {}",
                trouble.words()
            );
            let at = versions.and_then(|versions| {
                versions
                    .iter()
                    .position(|version| version["name"] == VERSION)
            });
            let patch = json!([{
                "op": "add", "path": format!("/spec/versions/{}/selectableFields", at.unwrap_or_default()),
                "value": [{"jsonPath": path}],
            }]);
            check(Outcome::Failure, message)
                .with(evidence)
                .step(Step::Kubectl(format!(
                    "patch customresourcedefinitions {NAME} --type=json -p '{patch}'"
                )))
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("nothing")
}

#[cfg(test)]
mod tests {
    use super::super::check::Trouble;
    use super::*;

    fn crd() -> Value {
        json!({
            "spec": {
                "scope": "Namespaced",
                "versions": [{
                    "name": "v1alpha1", "served": true, "subresources": {"status": {}},
                    "selectableFields": [{"jsonPath": ".spec.signalFingerprint"}],
                }],
            },
            "status": {"conditions": [{"type": "Established", "status": "True"}]},
        })
    }

    #[test]
    fn a_definition_has_everything_that_a_gateway_needs() {
        assert_eq!(definition(&Ok(crd())).outcome, Outcome::Ok);
        for (pointer, value, words) in [
            (
                "/spec/scope",
                json!("Cluster"),
                "its scope is Cluster, not Namespaced",
            ),
            (
                "/spec/versions/0/name",
                json!("v1"),
                "it has no version v1alpha1, only v1",
            ),
            (
                "/spec/versions/0/served",
                json!(false),
                "its version v1alpha1 is not served",
            ),
            (
                "/spec/versions/0/subresources",
                json!({}),
                "it has no status subresource, so that no signal can be counted",
            ),
            (
                "/status/conditions/0/status",
                json!("False"),
                "the server has not established it",
            ),
        ] {
            let mut broken = crd();
            *broken.pointer_mut(pointer).unwrap() = value;
            let check = definition(&Ok(broken));
            assert_eq!(
                (check.outcome, check.message),
                (
                    Outcome::Failure,
                    format!("remediationrequests.kubernaut.ai: {words}")
                )
            );
        }
    }

    #[test]
    fn a_definition_that_is_missing_is_told_from_one_that_may_not_be_read() {
        let refused = |code| {
            Err(Trouble::Refused {
                code,
                message: "m".to_owned(),
            })
        };
        assert_eq!(definition(&refused(404)).outcome, Outcome::Failure);
        assert_eq!(definition(&refused(403)).outcome, Outcome::Skipped);
    }

    #[test]
    fn an_old_server_is_told_from_an_old_definition() {
        let refused = Err(Trouble::Refused {
            code: 400,
            message: "field label not supported".to_owned(),
        });
        assert_eq!(selectable(&Ok(crd()), &Ok(())).outcome, Outcome::Ok);
        let check = selectable(&Ok(crd()), &refused);
        assert!(
            check.message.ends_with("that needs Kubernetes 1.31"),
            "{}",
            check.message
        );
        let mut old = crd();
        old["spec"]["versions"][0]["selectableFields"] = Value::Null;
        let check = selectable(&Ok(old), &refused);
        assert_eq!(check.outcome, Outcome::Failure);
        assert_eq!(
            check.fix,
            [Step::Kubectl(
                "patch customresourcedefinitions remediationrequests.kubernaut.ai --type=json -p \
                 '[{\"op\":\"add\",\"path\":\"/spec/versions/0/selectableFields\",\"value\":[{\"jsonPath\":\".spec.signalFingerprint\"}]}]'"
                    .to_owned()
            )]
        );
        let silent = Err(Trouble::NoAnswer("no answer".to_owned()));
        assert_eq!(selectable(&Ok(crd()), &silent).outcome, Outcome::Skipped);
    }
}
