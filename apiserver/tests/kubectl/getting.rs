//! `kubectl get` and `describe`, in every format.

use super::run::{Kubectl, lease, same_on_both};

fn create(kubectl: &Kubectl) {
    for (name, holder) in [("a", "me"), ("b", "you")] {
        kubectl
            .run_with(&["create", "-f", "-"], &lease(name, holder))
            .is_done();
    }
    kubectl.run(&["label", "lease", "b", "team=blue"]).is_done();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_have_name_holder_and_age() {
    same_on_both(|kubectl| {
        create(kubectl);
        let table = "NAME   HOLDER   AGE\na      me AGE \nb      you AGE \n";
        kubectl.run(&["get", "leases"]).says(table);
        kubectl.run(&["get", "lease", "-o", "wide"]).says(table);
        kubectl
            .run(&["get", "leases.coordination.k8s.io", "a", "b"])
            .says(table);
        kubectl.run(&["get", "lease", "--chunk-size=1"]).says(table);
        kubectl.run(&["get", "lease", "--no-headers"]).is_done();
        kubectl.run(&["get", "lease", "--show-labels"]).is_done();
        kubectl.run(&["get", "lease", "-L", "team"]).is_done();
        kubectl.run(&["get", "lease", "--show-kind"]).is_done();
        kubectl
            .run(&["get", "lease", "--sort-by=.spec.holderIdentity"])
            .is_done();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_printed_whole() {
    same_on_both(|kubectl| {
        create(kubectl);
        for format in ["json", "yaml"] {
            kubectl.run(&["get", "lease", "a", "-o", format]).is_done();
            kubectl.run(&["get", "lease", "-o", format]).is_done();
            kubectl
                .run(&["get", "lease", "a", "--show-managed-fields", "-o", format])
                .is_done();
        }
        kubectl
            .run(&["get", "lease", "-o", "name"])
            .says("lease.coordination.k8s.io/a\nlease.coordination.k8s.io/b\n");
        kubectl
            .run(&["get", "lease", "a", "-o", "jsonpath={.spec.holderIdentity}"])
            .says("me");
        kubectl
            .run(&[
                "get",
                "lease",
                "-o",
                "custom-columns=N:.metadata.name,T:.spec.leaseTransitions",
            ])
            .says("N     T\na     <none>\nb     <none>\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn selections_are_made_by_the_server() {
    same_on_both(|kubectl| {
        create(kubectl);
        kubectl.run(&["get", "lease", "-l", "team=blue", "-o", "name"]).says("lease.coordination.k8s.io/b\n");
        kubectl.run(&["get", "lease", "-l", "team!=blue", "-o", "name"]).says("lease.coordination.k8s.io/a\n");
        kubectl
            .run(&["get", "lease", "--field-selector", "metadata.name=a", "-o", "name"])
            .says("lease.coordination.k8s.io/a\n");
        kubectl.run(&["get", "lease", "--field-selector", "spec.holderIdentity=me"]).fails(
            "Error from server (BadRequest): Unable to find \"coordination.k8s.io/v1, Resource=leases\" that match \
             label selector \"\", field selector \"spec.holderIdentity=me\": \"spec.holderIdentity\" is not a known \
             field selector: only \"metadata.name\", \"metadata.namespace\"\n",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_to_be() {
    same_on_both(|kubectl| {
        let missing = "Error from server (NotFound): leases.coordination.k8s.io \"x\" not found\n";
        kubectl.run(&["get", "lease", "x"]).fails(missing);
        kubectl
            .run(&["get", "lease", "x", "-o", "yaml"])
            .fails(missing);
        kubectl.run(&["describe", "lease", "x"]).fails(missing);
        kubectl
            .run(&["get", "lease", "x", "--ignore-not-found"])
            .says("");
        assert_eq!(kubectl.run(&["get", "lease"]).code, 0);
        kubectl
            .run(&["get", "nothings"])
            .fails("error: the server doesn't have a resource type \"nothings\"\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_has_all_fields() {
    same_on_both(|kubectl| {
        create(kubectl);
        let described = kubectl.run(&["describe", "lease", "a"]);
        described.is_done();
        assert!(
            described.out.contains("  Holder Identity:         me\n"),
            "{}",
            described.out
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_paths_are_printed_as_they_are() {
    same_on_both(|kubectl| {
        kubectl.run(&["get", "--raw", "/readyz"]).says("ok");
        kubectl.run(&["get", "--raw", "/nothing"]).fails(
            "Error from server (NotFound): the server could not find the requested resource\n",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_what_it_is() {
    same_on_both(|kubectl| {
        let version = kubectl.run(&["version"]);
        version.is_done();
        assert!(
            version.out.contains("Server Version: v1.36."),
            "{}",
            version.out
        );
        kubectl
            .run(&["api-resources", "--api-group=coordination.k8s.io"])
            .says(
                "NAME     SHORTNAMES   APIVERSION               NAMESPACED   KIND\n\
             leases                coordination.k8s.io/v1   true         Lease\n",
            );
        kubectl
            .run(&[
                "api-resources",
                "--api-group=coordination.k8s.io",
                "-o",
                "wide",
            ])
            .is_done();
    })
    .await;
}
