//! `kubectl create` and `apply`.

use super::run::{lease, same_on_both};

const CREATED: &str = "lease.coordination.k8s.io/x created\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_created_once() {
    same_on_both(|kubectl| {
        kubectl.run_with(&["create", "-f", "-"], &lease("x", "me")).says(CREATED);
        kubectl.run_with(&["create", "-f", "-"], &lease("x", "me")).fails(
            "Error from server (AlreadyExists): error when creating \"STDIN\": leases.coordination.k8s.io \"x\" already \
             exists\n",
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dry_runs_create_nothing() {
    same_on_both(|kubectl| {
        kubectl
            .run_with(
                &["create", "--dry-run=server", "-f", "-"],
                &lease("x", "me"),
            )
            .says("lease.coordination.k8s.io/x created (server dry run)\n");
        kubectl
            .run_with(&["apply", "--dry-run=server", "-f", "-"], &lease("x", "me"))
            .says("lease.coordination.k8s.io/x created (server dry run)\n");
        assert_eq!(kubectl.run(&["get", "lease", "x"]).code, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_reported_in_the_servers_words() {
    same_on_both(|kubectl| {
        kubectl.run_with(&["create", "-f", "-"], &lease("Bad", "me"));
        kubectl.run_with(&["apply", "-f", "-"], &lease("x", "me").replace("30", "0"));
        kubectl.run_with(&["apply", "-f", "-"], &lease("x", "me").replace("30", "soon"));
        let unknown = lease("x", "me").replace("leaseDurationSeconds", "leaseDuration");
        kubectl.run_with(&["apply", "-f", "-"], &unknown).fails(
            "Error from server (BadRequest): error when creating \"STDIN\": Lease in version \"v1\" cannot be handled \
             as a Lease: strict decoding error: unknown field \"spec.leaseDuration\"\n",
        );
        kubectl.run_with(&["apply", "--validate=warn", "-f", "-"], &unknown);
        kubectl.run_with(&["apply", "-n", "nope", "-f", "-"], &lease("x", "me"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_applied_lease_is_created_unchanged_or_configured() {
    same_on_both(|kubectl| {
        let apply = ["apply", "-f", "-"];
        kubectl.run_with(&apply, &lease("x", "me")).says(CREATED);
        kubectl
            .run_with(&apply, &lease("x", "me"))
            .says("lease.coordination.k8s.io/x unchanged\n");
        kubectl
            .run_with(&apply, &lease("x", "you"))
            .says("lease.coordination.k8s.io/x configured\n");
        // What an earlier application set and this one does not is taken out.
        let shorter = lease("x", "you").replace("  leaseDurationSeconds: 30\n", "");
        kubectl
            .run_with(&apply, &shorter)
            .says("lease.coordination.k8s.io/x configured\n");
        kubectl.run(&["get", "lease", "x", "-o", "yaml"]).is_done();
        kubectl
            .run(&["get", "lease", "x", "-o", "jsonpath={.spec}"])
            .says("{\"holderIdentity\":\"you\"}");
        kubectl
            .run(&["apply", "view-last-applied", "lease", "x"])
            .is_done();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_replaced() {
    same_on_both(|kubectl| {
        kubectl
            .run_with(&["create", "-f", "-"], &lease("x", "me"))
            .is_done();
        kubectl
            .run_with(&["replace", "-f", "-"], &lease("x", "you"))
            .says("lease.coordination.k8s.io/x replaced\n");
        kubectl
            .run(&["get", "lease", "x", "-o", "jsonpath={.spec.holderIdentity}"])
            .says("you");
    })
    .await;
}
