//! Whether a cluster serves RemediationRequests as signals need them.

use gwlock_engine::protocol::key::Fingerprint;
use http::Request;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

/// Whether signals can be processed on a cluster at all; nothing is made.
///
/// `elsewhere` is a command of gwlock that works without that, and `why` what it does.
pub(crate) async fn check(
    client: &kube::Client,
    namespace: &str,
    elsewhere: String,
    why: &'static str,
) -> Result<(), Failure> {
    let fingerprint = Fingerprint::of(namespace);
    let list = Request::get(format!(
        "/apis/kubernaut.ai/v1alpha1/namespaces/{namespace}/remediationrequests\
         ?fieldSelector=spec.signalFingerprint%3D{fingerprint}&limit=1"
    ));
    let list = list.body(Vec::new());
    let list = list.map_err(|error| Failure::new(Exit::Bug, error))?;
    match client.request::<Value>(list).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Err(Failure::says(
            Exit::Config,
            "this cluster has no RemediationRequests",
        )
        .run(elsewhere, why)),
        Err(kube::Error::Api(status)) if status.code == 400 => Err(Failure::says(
            Exit::Config,
            format!(
                "RemediationRequests cannot be selected by fingerprint: {}",
                status.message
            ),
        )
        .hint("this needs Kubernetes 1.31 or later, and Kubernaut's CustomResourceDefinition of today")),
        Err(error) => Err(Failure::api(&error)),
        Ok(_) => Ok(()),
    }
}
