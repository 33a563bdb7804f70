//! RemediationRequests: a custom kind, with its printer columns and its status.

use gwlock_testkit::REMEDIATION_REQUESTS;

use super::run::{Kubectl, same_on_both};

const REQUEST: &str = "apiVersion: kubernaut.ai/v1alpha1
kind: RemediationRequest
metadata:
  name: x
spec:
  signalFingerprint: 91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1
  signalName: HighCPU
  severity: critical
  signalType: alert
  targetType: kubernetes
  targetResource: {kind: Deployment, name: api, namespace: prod}
  firingTime: \"2026-11-23T09:00:00Z\"
  receivedTime: \"2026-11-23T09:00:01Z\"
";

/// The kind is shared by the scenarios on the real server, so that only one of them creates it.
fn define(kubectl: &Kubectl) {
    kubectl.prepare(&["create", "-f", "-"], REMEDIATION_REQUESTS);
    kubectl.until(&["get", "rr"], |said| said.code == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_shown_with_their_columns() {
    same_on_both(|kubectl| {
        define(kubectl);
        kubectl
            .run_with(&["create", "-f", "-"], REQUEST)
            .says("remediationrequest.kubernaut.ai/x created\n");
        kubectl.run(&["get", "rr"]).says(
            "NAME   PHASE   OUTCOME   ALERT     RCA TARGET   WORKFLOW   CONFIDENCE   AGE\nx                        \
             HighCPU AGE \n",
        );
        kubectl.run(&["get", "rr", "-o", "wide"]).is_done();
        kubectl.run(&["get", "rr", "x", "-o", "yaml"]).is_done();
        kubectl.run(&["describe", "rr", "x"]).is_done();
        let status = r#"{"status":{"overallPhase":"Pending","deduplication":{"occurrenceCount":2}}}"#;
        kubectl
            .run(&["patch", "rr", "x", "--subresource=status", "--type=merge", "-p", status])
            .says("remediationrequest.kubernaut.ai/x patched\n");
        kubectl.run(&["get", "rr"]).is_done();
        kubectl.run(&["get", "rr", "x", "--subresource=status"]).is_done();
        kubectl.run(&["get", "rr", "--field-selector", "spec.severity=critical", "-o", "name"]).is_done();
        kubectl.run(&["get", "rr", "--field-selector", "spec.severity=info", "-o", "name"]).says("");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_reported_in_the_servers_words() {
    same_on_both(|kubectl| {
        define(kubectl);
        for (right, wrong) in [
            ("91fce8", "nope"),
            ("critical", "\"\""),
            ("kubernetes", "moon"),
        ] {
            let faulty = REQUEST.replace(right, wrong);
            assert_eq!(kubectl.run_with(&["create", "-f", "-"], &faulty).code, 1);
        }
        kubectl.run_with(
            &["create", "-f", "-"],
            &REQUEST.replace("signalName", "signal"),
        );
        kubectl.run_with(&["apply", "-f", "-"], REQUEST).is_done();
        kubectl
            .run_with(&["apply", "-f", "-"], REQUEST)
            .says("remediationrequest.kubernaut.ai/x unchanged\n");
        kubectl.run_with(&["apply", "-f", "-"], &REQUEST.replace("critical", "info"));
        kubectl.run(&["delete", "rr", "x"]).is_done();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definition_itself_is_shown() {
    same_on_both(|kubectl| {
        define(kubectl);
        kubectl.run(&["api-resources", "--api-group=kubernaut.ai"]).is_done();
        let condition = "--for=condition=Established";
        kubectl
            .run(&["wait", condition, "--timeout=10s", "crd/remediationrequests.kubernaut.ai"])
            .says("customresourcedefinition.apiextensions.k8s.io/remediationrequests.kubernaut.ai condition met\n");
        kubectl.run(&["explain", "rr.spec.targetResource"]).is_done();
    })
    .await;
}
