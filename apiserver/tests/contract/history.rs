//! Versions that the server no longer remembers.
//!
//! Apart from the usual pairs: to make a real server forget, its store is compacted and it starts again, which other
//! cases must be spared.

use gwlock_testkit::{ControlPlane, User, private_control_plane};
use http::{Method, Request};
use serde_json::json;

use super::expect::failure;
use super::server::{Server, embedded, names, version};

#[tokio::test]
async fn the_embedded_server_forgets() {
    let api = embedded();
    let server = Server::over(kube::Client::new(api.clone(), "default")).await;
    let before = Before::prepare(&server).await;
    api.compact();
    before.check(&server).await;
}

#[tokio::test]
async fn the_real_server_forgets() {
    let Some(mut control_plane) = private_control_plane() else {
        return;
    };
    let mut server = Server::on(&control_plane).await;
    let before = Before::prepare(&server).await;
    compact(&control_plane, &before.newest).await;
    control_plane.restart_apiserver().unwrap();
    // The namespace stays, the connections do not.
    let namespace = server.namespace;
    server = Server::on(&control_plane).await;
    server.namespace = namespace;
    before.check(&server).await;
}

/// What was read before the server forgot.
struct Before {
    oldest: String,
    newest: String,
    page: String,
}

impl Before {
    async fn prepare(server: &Server) -> Self {
        let oldest = server.lease("a", json!({})).await;
        let page = server.lease("b", json!({})).await;
        let path = server.leases("?limit=1");
        let first = server.get(&path).await.is(200);
        server.remove("a").await;
        let newest = server.lease("c", json!({})).await;
        assert_ne!(version(&oldest), version(&page));
        Self {
            oldest: version(&oldest).to_owned(),
            newest: version(&newest).to_owned(),
            page: first["metadata"]["continue"].as_str().unwrap().to_owned(),
        }
    }

    async fn check(&self, server: &Server) {
        self.a_watch_says_so_and_ends(server).await;
        self.a_list_of_then_is_refused(server).await;
        self.a_page_of_then_is_refused_with_a_way_on(server).await;
        // What is there now can be read all the same.
        let list = server.get(&server.leases("")).await.is(200);
        assert_eq!(names(&list), ["b", "c"]);
    }

    async fn a_watch_says_so_and_ends(&self, server: &Server) {
        let path = server.leases(&format!("?watch=true&resourceVersion={}", self.oldest));
        let events = server.watch(&path).await.rest().await;
        assert_eq!(events.len(), 1, "{events:?}");
        let message = events[0]["object"]["message"].as_str().unwrap();
        let start = format!("too old resource version: {} (", self.oldest);
        assert!(
            message.starts_with(&start) && message.ends_with(')'),
            "{message}"
        );
        let status = failure(410, "Expired", message);
        assert_eq!(events[0], json!({"type": "ERROR", "object": status}));
    }

    async fn a_list_of_then_is_refused(&self, server: &Server) {
        let path = server.leases(&format!(
            "?resourceVersionMatch=Exact&resourceVersion={}",
            self.oldest
        ));
        let message = "The resourceVersion for the provided list is too old.";
        server
            .get(&path)
            .await
            .fails(&failure(410, "Expired", message));
    }

    async fn a_page_of_then_is_refused_with_a_way_on(&self, server: &Server) {
        let path = server.leases(&format!("?limit=1&continue={}", self.page));
        let answer = server.get(&path).await;
        let mut expected = failure(
            410,
            "Expired",
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results. Continuing with the provided token results in an inconsistent list - objects that were \
             created, modified, or deleted between the time the first chunk was returned and now may show up in the \
             list.",
        );
        let next = answer.body["metadata"]["continue"].as_str().unwrap();
        expected["metadata"] = json!({"continue": next});
        answer.fails(&expected);
        let path = server.leases(&format!("?limit=9&continue={next}"));
        assert_eq!(names(&server.get(&path).await.is(200)), ["b", "c"]);
    }
}

/// Through the JSON face of etcd's own API.
async fn compact(control_plane: &ControlPlane, version: &str) {
    let mut config = control_plane.config(User::Admin, "default");
    config.auth_info = kube::config::AuthInfo::default();
    config.cluster_url = control_plane.etcd_url().parse().unwrap();
    let body = json!({"revision": version, "physical": true}).to_string();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/v3/kv/compaction")
        .header("content-type", "application/json")
        .body(kube::client::Body::from(body.into_bytes()))
        .unwrap();
    let client = kube::Client::try_from(config).unwrap();
    let answer = client.send(request).await.unwrap();
    assert_eq!(answer.status(), 200);
}
