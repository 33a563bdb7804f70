//! The rules of both versions, by table: labels in, questions and the target out.

use std::collections::BTreeMap;

use super::*;
use crate::gateway::kinds::Kind;

/// What was asked, `namespace/Kind/name` with the group where it matters, and what came of it.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    asked: Vec<String>,
    chosen: String,
}

fn labels(text: &str) -> BTreeMap<String, String> {
    text.split_whitespace()
        .map(|label| label.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn kinds() -> Kinds {
    let custom = |group: &str, name: &str, namespaced| Kind {
        group: group.to_owned(),
        version: "v1".to_owned(),
        name: name.to_owned(),
        plural: format!("{}s", name.to_lowercase()),
        singular: name.to_lowercase(),
        namespaced,
    };
    let mut kinds: Vec<Kind> = [
        "Pod",
        "Node",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "CronJob",
        "Job",
        "Service",
        "Secret",
        "Namespace",
        "HorizontalPodAutoscaler",
        "PersistentVolume",
        "PersistentVolumeClaim",
    ]
    .iter()
    .map(|name| Kind::clone(Kinds::built_in().get(name).unwrap()))
    .collect();
    kinds.push(custom("apps.openshift.io", "DeploymentConfig", true));
    kinds.push(custom("route.openshift.io", "Route", true));
    for name in ["Instance", "Endpoint", "Container"] {
        kinds.push(custom("example.com", name, true));
    }
    kinds.push(custom("serving.knative.dev", "Route", true));
    kinds.into_iter().collect()
}

/// Runs a selection in a cluster that has these objects.
fn select(version: GatewayVersion, given: &str, existing: &[&str]) -> Outcome {
    let mut selection = Selection::new(version, &kinds(), &labels(given));
    let mut asked = Vec::new();
    loop {
        match selection.next() {
            Step::Ask(Question {
                kind,
                namespace,
                name,
            }) => {
                let question = match kind.group.contains('.') {
                    true => format!("{namespace}/{}.{}/{name}", kind.name, kind.group),
                    false => format!("{namespace}/{}/{name}", kind.name),
                };
                selection.answer(existing.contains(&question.as_str()));
                asked.push(question);
            }
            Step::Chosen(
                Object {
                    kind,
                    name,
                    namespace,
                    ..
                },
                reason,
            ) => {
                let chosen = format!("{namespace}:{kind}:{name} {reason:?}");
                return Outcome { asked, chosen };
            }
            Step::Nothing => {
                return Outcome {
                    asked,
                    chosen: "nothing".to_owned(),
                };
            }
        }
    }
}

fn check(version: GatewayVersion, table: &[(&str, &[&str], &[&str], &str)]) {
    for (given, existing, asked, chosen) in table {
        let expected = Outcome {
            asked: asked.iter().map(|text| (*text).to_owned()).collect(),
            chosen: (*chosen).to_owned(),
        };
        assert_eq!(select(version, given, existing), expected, "{given}");
    }
}

#[test]
fn what_makes_others_comes_first_and_what_is_made_last() {
    let all = "namespace=prod pod=p node=n daemonset=ds statefulset=ss deployment=d cronjob=c \
               deploymentconfig=dc persistentvolumeclaim=v horizontalpodautoscaler=h";
    check(
        GatewayVersion::Current,
        &[
            (
                all,
                &[],
                &[
                    "prod/CronJob/c",
                    "prod/DaemonSet/ds",
                    "prod/Deployment/d",
                    "prod/DeploymentConfig.apps.openshift.io/dc",
                    "prod/StatefulSet/ss",
                    "prod/HorizontalPodAutoscaler/h",
                    "prod/PersistentVolumeClaim/v",
                    "prod/Pod/p",
                ],
                "prod:CronJob:c First",
            ),
            (
                all,
                &["prod/Deployment/d", "prod/StatefulSet/ss", "prod/Pod/p"],
                &["prod/CronJob/c", "prod/DaemonSet/ds", "prod/Deployment/d"],
                "prod:Deployment:d Exists",
            ),
            (
                "node=n persistentvolume=v",
                &[],
                &["/PersistentVolume/v", "/Node/n"],
                ":PersistentVolume:v First",
            ),
            (
                "namespace=prod pod=p",
                &[],
                &["prod/Pod/p"],
                "prod:Pod:p First",
            ),
        ],
    );
}

#[test]
fn labels_of_the_scrape_never_name_a_target() {
    check(
        GatewayVersion::Current,
        &[
            (
                "namespace=prod job=j service=s instance=i endpoint=e container=c",
                &[],
                &[],
                "nothing",
            ),
            (
                "namespace=prod service=s pod=p",
                &["prod/Pod/p"],
                &["prod/Pod/p"],
                "prod:Pod:p Exists",
            ),
            ("alertname=A severity=critical", &[], &[], "nothing"),
            ("", &[], &[], "nothing"),
        ],
    );
}

#[test]
fn a_value_that_is_no_name_is_no_candidate() {
    check(
        GatewayVersion::Current,
        &[
            (
                "namespace=prod deployment=Payment pod=p",
                &[],
                &["prod/Pod/p"],
                "prod:Pod:p First",
            ),
            ("namespace=prod deployment= pod=p_1", &[], &[], "nothing"),
            ("namespace=prod pod=../secrets", &[], &[], "nothing"),
        ],
    );
}

#[test]
fn the_exported_namespace_comes_first_and_default_last() {
    check(
        GatewayVersion::Current,
        &[
            (
                "namespace=monitoring exported_namespace=prod pod=p",
                &[],
                &["prod/Pod/p"],
                "prod:Pod:p First",
            ),
            (
                "namespace=monitoring exported_namespace= pod=p",
                &[],
                &["monitoring/Pod/p"],
                "monitoring:Pod:p First",
            ),
            (
                "namespace=monitoring exported_namespace=a.b pod=p",
                &[],
                &["monitoring/Pod/p"],
                "monitoring:Pod:p First",
            ),
            ("pod=p", &["default/Pod/p"], &[], "default:Pod:p First"),
            ("namespace=A pod=p", &[], &[], "default:Pod:p First"),
            ("node=n", &["/Node/n"], &["/Node/n"], ":Node:n Exists"),
            ("node=n", &[], &["/Node/n"], ":Node:n First"),
        ],
    );
}

#[test]
fn a_cluster_scoped_candidate_of_an_alert_with_a_namespace_counts_as_absent_and_keeps_the_namespace()
 {
    check(
        GatewayVersion::Current,
        &[
            (
                "namespace=monitoring node=n",
                &["/Node/n"],
                &[],
                "monitoring:Node:n First",
            ),
            (
                "namespace=prod node=n pod=p",
                &["/Node/n", "prod/Pod/p"],
                &["prod/Pod/p"],
                "prod:Pod:p Exists",
            ),
            (
                "namespace=prod node=n pod=p",
                &["/Node/n"],
                &["prod/Pod/p"],
                "prod:Node:n First",
            ),
            ("node=n pod=p", &["/Node/n"], &["/Node/n"], ":Node:n Exists"),
        ],
    );
}

#[test]
fn names_with_dots_count_where_there_are_no_others() {
    let node = "ip-10-0-0-1.ec2.internal";
    let given = format!("namespace=monitoring node={node}");
    let question = format!("/Node/{node}");
    check(
        GatewayVersion::Current,
        &[
            (
                &given,
                &[&question],
                &[&question],
                &format!(":Node:{node} Exists"),
            ),
            (&given, &[], &[&question], &format!(":Node:{node} First")),
            (
                &format!("{given} pod=p"),
                &[&question],
                &["monitoring/Pod/p"],
                "monitoring:Pod:p First",
            ),
            (
                "pod=a.b",
                &[],
                &["default/Pod/a.b"],
                "default:Pod:a.b First",
            ),
            ("namespace=prod pod=a..b", &[], &[], "nothing"),
        ],
    );
}

#[test]
fn a_kind_of_two_groups_exists_if_it_does_in_one() {
    check(
        GatewayVersion::Current,
        &[(
            "namespace=prod route=r",
            &["prod/Route.serving.knative.dev/r"],
            &[
                "prod/Route.route.openshift.io/r",
                "prod/Route.serving.knative.dev/r",
            ],
            "prod:Route:r Exists",
        )],
    );
    let mut selection = Selection::new(
        GatewayVersion::Current,
        &kinds(),
        &labels("namespace=prod route=r"),
    );
    selection.answer(false);
    selection.answer(true);
    let chosen = Object {
        kind: "Route".to_owned(),
        name: "r".to_owned(),
        namespace: "prod".to_owned(),
        api_version: Some("serving.knative.dev/v1".to_owned()),
    };
    assert_eq!(selection.next(), Step::Chosen(chosen, Reason::Exists));
}

#[test]
fn january_takes_the_first_label_of_its_list() {
    check(
        GatewayVersion::January,
        &[
            (
                "namespace=prod service=s node=n daemonset=ds statefulset=ss deployment=d pod=p",
                &[],
                &[],
                "prod:Pod:p Fixed",
            ),
            (
                "namespace=prod service=s node=n daemonset=ds statefulset=ss deployment=d",
                &[],
                &[],
                "prod:Deployment:d Fixed",
            ),
            (
                "namespace=prod service=s node=n daemonset=ds statefulset=ss",
                &[],
                &[],
                "prod:StatefulSet:ss Fixed",
            ),
            (
                "namespace=prod service=s node=n daemonset=ds",
                &[],
                &[],
                "prod:DaemonSet:ds Fixed",
            ),
            (
                "namespace=prod service=s node=n",
                &[],
                &[],
                "prod:Node:n Fixed",
            ),
            ("namespace=prod service=s", &[], &[], "prod:Service:s Fixed"),
            ("namespace=prod cronjob=c", &[], &[], "nothing"),
            ("namespace=prod pod= deployment=d", &[], &[], "nothing"),
            ("namespace=prod pod=A_b.c", &[], &[], "prod:Pod:A_b.c Fixed"),
        ],
    );
}

#[test]
fn january_prefers_the_namespace_label() {
    check(
        GatewayVersion::January,
        &[
            (
                "namespace=monitoring exported_namespace=prod pod=p",
                &[],
                &[],
                "monitoring:Pod:p Fixed",
            ),
            (
                "exported_namespace=prod pod=p",
                &[],
                &[],
                "prod:Pod:p Fixed",
            ),
            ("pod=p", &[], &[], "default:Pod:p Fixed"),
            ("node=n", &[], &[], "default:Node:n Fixed"),
        ],
    );
}
