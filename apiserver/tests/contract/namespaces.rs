//! Namespaces, as far as what is in them depends on them.

use serde_json::json;

use super::expect::{INVALID, already_exists, invalid, not_found};
use super::server::{Server, names};

crate::contract!(
    a_new_namespace_is_active,
    an_existing_namespace_is_refused,
    names_are_dns_labels,
    the_namespaces_of_every_cluster_are_there,
    a_missing_namespace_is_not_found,
);

async fn a_new_namespace_is_active(server: &Server) {
    let path = format!("/api/v1/namespaces/{}", server.namespace);
    let namespace = server.get(&path).await.is(200);
    assert_eq!(namespace["status"], json!({"phase": "Active"}));
    assert_eq!(namespace["spec"], json!({"finalizers": ["kubernetes"]}));
    assert_eq!(
        namespace["metadata"]["labels"],
        json!({"kubernetes.io/metadata.name": server.namespace})
    );
}

async fn an_existing_namespace_is_refused(server: &Server) {
    let namespace = json!({"metadata": {"name": server.namespace}});
    let answer = server.post("/api/v1/namespaces", &namespace).await;
    answer.fails(&already_exists("namespaces", &server.namespace, ""));
}

async fn names_are_dns_labels(server: &Server) {
    let label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start \
                 and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                 '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    for (name, why) in [("A_b", label), ("a.b", "must not contain dots")] {
        let message = format!("Invalid value: \"{name}\": {why}");
        let namespace = json!({"metadata": {"name": name}});
        let answer = server.post("/api/v1/namespaces", &namespace).await;
        answer.fails(&invalid(
            "Namespace",
            name,
            &[(INVALID, "metadata.name", &message)],
        ));
    }
}

async fn the_namespaces_of_every_cluster_are_there(server: &Server) {
    let list = server.get("/api/v1/namespaces").await.is(200);
    let found = names(&list);
    for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
        assert!(found.contains(&name), "{found:?}");
    }
}

async fn a_missing_namespace_is_not_found(server: &Server) {
    let answer = server.get("/api/v1/namespaces/nope").await;
    answer.fails(&not_found("namespaces", "nope"));
}
