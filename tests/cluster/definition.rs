//! Makes a real API server serve RemediationRequests.

use std::time::Duration;

use gwlock_testkit::REMEDIATION_REQUESTS;
use http::Request;
use kube::client::Body;
use serde_json::Value;

/// Defines them, as an administrator, unless another test has, and returns when they are served.
pub(crate) async fn serve_remediation_requests(client: &kube::Client) {
    let definition = Request::post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
        .header("content-type", "application/yaml")
        .body(Body::from(REMEDIATION_REQUESTS.as_bytes().to_vec()))
        .unwrap();
    let code = client.send(definition).await.unwrap().status();
    assert!(code == 201 || code == 409, "{code}");
    let list = || {
        Request::get("/apis/kubernaut.ai/v1alpha1/remediationrequests")
            .body(Vec::new())
            .unwrap()
    };
    while client.request::<Value>(list()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
