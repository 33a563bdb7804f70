//! `kubectl auth`, and what those see who may not.

use super::run::{Kubectl, same_on_both};

fn allow(kubectl: &Kubectl) {
    kubectl
        .run(&[
            "create",
            "role",
            "lock",
            "--verb=get,create",
            "--resource=leases.coordination.k8s.io",
        ])
        .says("role.rbac.authorization.k8s.io/lock created\n");
    kubectl
        .run(&[
            "create",
            "rolebinding",
            "lock",
            "--role=lock",
            "--user=gateway",
        ])
        .says("rolebinding.rbac.authorization.k8s.io/lock created\n");
    kubectl.until(
        &["auth", "can-i", "get", "leases", "--as=gateway"],
        |said| said.code == 0,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_asked_for() {
    same_on_both(|kubectl| {
        kubectl
            .run(&["auth", "can-i", "delete", "leases"])
            .says("yes\n");
        let refused = kubectl.run(&["auth", "can-i", "get", "leases", "--as=gateway"]);
        assert_eq!((refused.code, refused.out.as_str()), (1, "no\n"));
        allow(kubectl);
        kubectl
            .run(&["auth", "can-i", "get", "leases", "--as=gateway"])
            .says("yes\n");
        kubectl
            .run(&["auth", "can-i", "get", "leases/x", "--as=gateway"])
            .says("yes\n");
        assert_eq!(
            kubectl
                .run(&["auth", "can-i", "delete", "leases", "--as=gateway"])
                .code,
            1
        );
        assert_eq!(
            kubectl
                .run(&["auth", "can-i", "get", "leases", "--as=gateway", "-A"])
                .code,
            1
        );
        kubectl.run(&["auth", "can-i", "get", "/readyz", "--as=gateway"]);
        kubectl.run(&["auth", "can-i", "get", "nothings", "--as=gateway"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_listed() {
    same_on_both(|kubectl| {
        allow(kubectl);
        let listed = kubectl.run(&["auth", "can-i", "--list", "--as=gateway"]);
        listed.is_done();
        assert!(
            listed.out.contains("leases.coordination.k8s.io"),
            "{}",
            listed.out
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_told_who_one_is() {
    same_on_both(|kubectl| {
        kubectl.run(&["auth", "whoami"]).is_done();
        kubectl
            .run(&["auth", "whoami", "--as=gateway", "--as-group=a"])
            .is_done();
        kubectl.run(&["auth", "whoami", "-o", "yaml"]).is_done();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_reported_in_the_servers_words() {
    same_on_both(|kubectl| {
        for arguments in [
            &["get", "lease", "x", "--as=gateway"][..],
            &["get", "lease", "--as=gateway"],
            &["delete", "lease", "x", "--as=gateway"],
            &["get", "ns", "--as=gateway"],
        ] {
            assert_eq!(kubectl.run(arguments).code, 1);
        }
        kubectl
            .run(&["get", "lease", "--token=nobody"])
            .fails("error: You must be logged in to the server (Unauthorized)\n");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_bindings_are_shown() {
    same_on_both(|kubectl| {
        allow(kubectl);
        kubectl.run(&["get", "role,rolebinding"]);
        kubectl.run(&["get", "rolebinding", "-o", "wide"]).is_done();
        kubectl.run(&["describe", "role", "lock"]).is_done();
        kubectl.run(&["describe", "rolebinding", "lock"]).is_done();
        kubectl
            .run(&["get", "role", "lock", "-o", "yaml"])
            .is_done();
    })
    .await;
}
