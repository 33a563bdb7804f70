//! `kubectl patch`, `label`, `annotate` and `wait`.

use super::run::{Kubectl, lease, same_on_both};

const PATCHED: &str = "lease.coordination.k8s.io/x patched\n";

fn create(kubectl: &Kubectl) {
    kubectl
        .run_with(&["create", "-f", "-"], &lease("x", "me"))
        .is_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_of_every_type_are_applied() {
    same_on_both(|kubectl| {
        create(kubectl);
        let strategic = r#"{"spec":{"holderIdentity":"a"}}"#;
        kubectl.run(&["patch", "lease", "x", "-p", strategic]).says(PATCHED);
        kubectl
            .run(&["patch", "lease", "x", "-p", strategic])
            .says("lease.coordination.k8s.io/x patched (no change)\n");
        let merge = r#"{"spec":{"holderIdentity":"b","leaseDurationSeconds":null}}"#;
        kubectl.run(&["patch", "lease", "x", "--type=merge", "-p", merge]).says(PATCHED);
        let json = r#"[{"op":"test","path":"/spec/holderIdentity","value":"b"},
                       {"op":"replace","path":"/spec/holderIdentity","value":"c"}]"#;
        kubectl.run(&["patch", "lease", "x", "--type=json", "-p", json]).says(PATCHED);
        kubectl
            .run(&["patch", "lease", "x", "--type=json", "-p", json])
            .fails("The request is invalid: the server rejected our request due to an error in our request\n");
        kubectl.run(&["get", "lease", "x", "-o", "yaml"]).is_done();
        kubectl.run(&["patch", "lease", "y", "-p", strategic]);
        kubectl.run(&["patch", "lease", "x", "-p", r#"{"spec":{"leaseDurationSeconds":0}}"#]);
        kubectl.run(&["patch", "lease", "x", "-p", r#"{"metadata":{"resourceVersion":"1"}}"#]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_set_changed_and_removed() {
    same_on_both(|kubectl| {
        create(kubectl);
        let labelled = "lease.coordination.k8s.io/x labeled\n";
        kubectl.run(&["label", "lease", "x", "a=b"]).says(labelled);
        kubectl.run(&["label", "lease", "x", "a=b"]);
        kubectl.run(&["label", "lease", "x", "a=c"]);
        kubectl
            .run(&["label", "--overwrite", "lease", "x", "a=c"])
            .says(labelled);
        kubectl.run(&["label", "lease", "x", "a-"]);
        kubectl.run(&["label", "lease", "x", "a=b c"]);
        kubectl
            .run(&["annotate", "lease", "x", "why=because of it"])
            .is_done();
        kubectl
            .run(&[
                "get",
                "lease",
                "x",
                "-o",
                "jsonpath={.metadata.annotations}",
            ])
            .is_done();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_waited_for() {
    same_on_both(|kubectl| {
        create(kubectl);
        let wait = |holder: &str| {
            let condition = format!("--for=jsonpath={{.spec.holderIdentity}}={holder}");
            kubectl.run(&["wait", "lease", "x", "--timeout=1s", &condition])
        };
        wait("me").says("lease.coordination.k8s.io/x condition met\n");
        wait("you").fails("error: timed out waiting for the condition on leases/x\n");
    })
    .await;
}
