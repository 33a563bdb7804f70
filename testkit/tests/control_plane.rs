//! The harness itself.

use gwlock_testkit::{User, control_plane};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;

#[tokio::test]
async fn the_control_plane_answers_and_each_test_has_a_namespace_of_its_own() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let (first, second) = (
        control_plane.namespace().await,
        control_plane.namespace().await,
    );
    assert_ne!(first, second);
    let client = kube::Client::try_from(control_plane.config(User::Admin, &first)).unwrap();
    let leases: Api<Lease> = Api::namespaced(client, &first);
    assert_eq!(
        leases.list(&Default::default()).await.unwrap().items.len(),
        0
    );
}

#[tokio::test]
async fn a_user_without_a_binding_may_nothing() {
    let Some(control_plane) = control_plane() else {
        return;
    };
    let namespace = control_plane.namespace().await;
    let client = kube::Client::try_from(control_plane.config(User::Gateway, &namespace)).unwrap();
    let leases: Api<Lease> = Api::namespaced(client, &namespace);
    let error = leases.list(&Default::default()).await.unwrap_err();
    assert!(
        matches!(&error, kube::Error::Api(status) if status.code == 403),
        "{error:?}"
    );
}
