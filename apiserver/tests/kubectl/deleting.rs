//! `kubectl delete`, and waiting for what is deleted.

use super::run::{Kubectl, lease, same_on_both};

fn create(kubectl: &Kubectl, name: &str) {
    kubectl
        .run_with(&["create", "-f", "-"], &lease(name, "me"))
        .is_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_deleted_and_gone() {
    same_on_both(|kubectl| {
        create(kubectl, "x");
        kubectl
            .run(&["delete", "lease", "x", "--dry-run=server"])
            .is_done();
        kubectl
            .run(&["delete", "lease", "x", "--dry-run=client"])
            .is_done();
        kubectl.run(&["delete", "lease", "x"]).is_done();
        kubectl
            .run(&["delete", "lease", "x"])
            .fails("Error from server (NotFound): leases.coordination.k8s.io \"x\" not found\n");
        kubectl
            .run(&["delete", "lease", "x", "--ignore-not-found"])
            .says("");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_deleted_at_once() {
    same_on_both(|kubectl| {
        for name in ["a", "b", "c"] {
            create(kubectl, name);
        }
        kubectl
            .run(&["label", "lease", "a", "b", "team=blue"])
            .is_done();
        kubectl
            .run(&["delete", "lease", "-l", "team=blue"])
            .is_done();
        kubectl
            .run(&["get", "lease", "-o", "name"])
            .says("lease.coordination.k8s.io/c\n");
        kubectl.run(&["delete", "lease", "--all"]).is_done();
        kubectl.run(&["get", "lease", "-o", "name"]).says("");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalizer_is_waited_for() {
    same_on_both(|kubectl| {
        create(kubectl, "x");
        let keep = r#"{"metadata":{"finalizers":["example.com/keep"]}}"#;
        kubectl.run(&["patch", "lease", "x", "-p", keep]).is_done();
        kubectl
            .run(&["delete", "lease", "x", "--wait=false"])
            .is_done();
        kubectl
            .run(&["wait", "--for=delete", "lease", "x", "--timeout=1s"])
            .fails("error: timed out waiting for the condition on leases/x\n");
        let release = r#"{"metadata":{"finalizers":null}}"#;
        kubectl
            .run(&["patch", "lease", "x", "-p", release])
            .is_done();
        kubectl
            .run(&["wait", "--for=delete", "lease", "x", "--timeout=5s"])
            .is_done();
    })
    .await;
}
