//! Field by field: what of an alert or an event stands where in the signal, and under which fingerprint.

use GatewayVersion::{Current, January};
use serde_json::Value;

use super::*;
use crate::gateway::event::Event;
use crate::gateway::prometheus::Webhook;

const RECEIVED: &str = "2026-11-23T09:00:10Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn webhook(body: &Value) -> Webhook {
    Webhook::parse(body.to_string().into()).unwrap()
}

/// The first alert of a webhook.
fn draft(version: GatewayVersion, body: &Value) -> Result<Draft, String> {
    let webhook = webhook(body);
    Draft::of_alert(version, &webhook, &webhook.alerts[0], at(RECEIVED))
        .map_err(|error| error.to_string())
}

fn labelled(labels: &Value) -> Value {
    json!({"alerts": [{"labels": labels}]})
}

fn object(namespace: &str, kind: &str, name: &str) -> Object {
    Object {
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        api_version: None,
    }
}

fn spec(draft: Draft, object: Object) -> RemediationRequestSpec {
    draft.about(object, &Kinds::built_in()).spec
}

fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
    entries.iter().map(owned).collect()
}

#[test]
fn an_alert_becomes_a_signal() {
    let body = json!({
        "commonLabels": {"alertname": "HighMemoryUsage", "cluster": "prod-east", "team": "shared"},
        "commonAnnotations": {"runbook": "shared"},
        "alerts": [{
            "labels": {"alertname": "HighMemoryUsage", "severity": "Sev1", "team": "own", "pod": "payment-api-1"},
            "annotations": {"runbook": "own", "summary": "s"},
            "startsAt": "2026-11-23T08:00:00.5Z",
        }],
    });
    let payment_api = Object {
        api_version: Some("apps/v1".to_owned()),
        ..object("production", "Deployment", "payment-api")
    };
    let signal = draft(Current, &body)
        .unwrap()
        .about(payment_api, &Kinds::built_in());
    let expected = Signal::new(RemediationRequestSpec {
        signal_fingerprint: Fingerprint::of("prod-east:production:Deployment:payment-api"),
        signal_name: "HighMemoryUsage".to_owned(),
        severity: "Sev1".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: Some("prometheus".to_owned()),
        target_type: TargetType::Kubernetes,
        target_resource: TargetResource {
            api_version: Some("apps/v1".to_owned()),
            kind: "Deployment".to_owned(),
            name: "payment-api".to_owned(),
            namespace: Some("production".to_owned()),
        },
        cluster_id: Some("prod-east".to_owned()),
        firing_time: at("2026-11-23T08:00:00.5Z"),
        received_time: at(RECEIVED),
        signal_labels: map(&[
            ("alertname", "HighMemoryUsage"),
            ("cluster", "prod-east"),
            ("pod", "payment-api-1"),
            ("severity", "Sev1"),
            ("team", "shared"),
        ]),
        signal_annotations: map(&[("runbook", "shared"), ("summary", "s")]),
        provider_data: Some(
            r#"{"labels":{"alertname":"HighMemoryUsage","cluster":"prod-east","pod":"payment-api-1","severity":"Sev1","team":"shared"},"namespace":"production"}"#
                .to_owned(),
        ),
        original_payload: Some(body.to_string().into()),
    });
    assert_eq!(signal, expected);
}

#[test]
fn an_event_becomes_a_signal() {
    let body = json!({
        "type": "Warning", "reason": "BackOff", "message": "back-off",
        "involvedObject": {"kind": "Pod", "namespace": "prod", "name": "payment-api-789", "apiVersion": "v1"},
        "firstTimestamp": "2026-11-23T08:50:00Z", "lastTimestamp": "2026-11-23T09:00:00Z", "count": 12,
        "source": {"component": "kubelet", "host": "worker-1"},
    });
    let event = Event::parse(body.to_string().into()).unwrap();
    let draft = Draft::of_event(Current, &event, at(RECEIVED));
    let expected = RemediationRequestSpec {
        signal_fingerprint: Fingerprint::of("prod:Pod:payment-api-789"),
        signal_name: "BackOff".to_owned(),
        severity: "Warning".to_owned(),
        signal_type: "alert".to_owned(),
        signal_source: Some("kubernetes-events".to_owned()),
        target_type: TargetType::Kubernetes,
        target_resource: TargetResource {
            api_version: Some("v1".to_owned()),
            kind: "Pod".to_owned(),
            name: "payment-api-789".to_owned(),
            namespace: Some("prod".to_owned()),
        },
        cluster_id: None,
        firing_time: at("2026-11-23T08:50:00Z"),
        received_time: at(RECEIVED),
        signal_labels: map(&[
            ("kubernaut.ai/event-source", "kubelet"),
            ("kubernaut.ai/event-type", "warning"),
            ("kubernaut.ai/resource-kind", "pod"),
        ]),
        signal_annotations: map(&[
            ("kubernaut.ai/event-count", "12"),
            ("kubernaut.ai/event-message", "back-off"),
            ("kubernaut.ai/first-timestamp", "2026-11-23T08:50:00Z"),
            ("kubernaut.ai/last-timestamp", "2026-11-23T09:00:00Z"),
            ("kubernaut.ai/source-host", "worker-1"),
        ]),
        provider_data: Some(
            r#"{"labels":{"kubernaut.ai/event-source":"kubelet","kubernaut.ai/event-type":"warning","kubernaut.ai/resource-kind":"pod"},"namespace":"prod"}"#
                .to_owned(),
        ),
        original_payload: Some(body.to_string().into()),
    };
    assert_eq!(spec(draft, Object::of_event(&event).unwrap()), expected);
}

#[test]
fn the_fingerprint_hashes_the_target_and_nothing_else() {
    let body = |cluster: &str, alertname: &str| {
        json!({
            "commonLabels": {"cluster": cluster},
            "alerts": [{"labels": {"alertname": alertname, "severity": alertname, "cluster": "never this one"}}],
        })
    };
    for (cluster, target, expected) in [
        (
            "",
            object("demo-alert-storm", "Deployment", "api-gateway"),
            "3d13718bca91da6897b9ef70aab9d4d52c72efe6fb574d1f9093d01cb085f473",
        ),
        (
            "",
            object("prod", "Deployment", "payment-api"),
            "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1",
        ),
        (
            "",
            object("", "Node", "worker-node-1"),
            "54010c454af195aadec824d25dba6fa52adfcc717f0b3f0430e4111acddfe728",
        ),
        (
            "prod-east",
            object("production", "Deployment", "payment-api"),
            "2c57c0354f1060b9eef059829c9be584505c4793cc442c060ae0c36158ee4a9b",
        ),
        (
            "prod-east",
            object("", "Node", "worker-node-1"),
            "bbb02d0f29ca32a1b2bff58f30355e96466cf41f9894cee98fe592f9d5862853",
        ),
    ] {
        for alertname in ["HighMemoryUsage", "Other"] {
            let draft = draft(Current, &body(cluster, alertname)).unwrap();
            let spec = spec(draft, target.clone());
            assert_eq!(spec.signal_fingerprint.as_str(), expected);
            assert_eq!(spec.cluster_id.as_deref().unwrap_or_default(), cluster);
        }
    }
}

#[test]
fn januarys_fingerprint_has_the_signals_name_and_no_cluster() {
    let body = json!({
        "commonLabels": {"cluster": "prod-east"},
        "alerts": [{"labels": {"alertname": "HighMemoryUsage"}}],
    });
    let spec = spec(
        draft(January, &body).unwrap(),
        object("prod", "Pod", "payment-api-789"),
    );
    assert_eq!(
        spec.signal_fingerprint.as_str(),
        "a5982f7182402b4aa705eeac2014b3bd2a18e94aa870933ef481bb83afa1582c"
    );
    assert_eq!(spec.cluster_id, None);
    assert_eq!(spec.signal_type, "prometheus-alert");

    let event = json!({"type": "Error", "reason": "Failed", "involvedObject": {"kind": "Pod", "name": "p"}});
    let event = Event::parse(event.to_string().into()).unwrap();
    let draft = Draft::of_event(January, &event, at(RECEIVED));
    assert_eq!(draft.key(&object("prod", "Pod", "p")), "Failed:prod:Pod:p");
    assert_eq!(draft.signal_type, "kubernetes-event");
}

#[test]
fn a_signal_without_a_beginning_begins_when_it_comes_in() {
    let mut body = labelled(&json!({"alertname": "A"}));
    assert_eq!(draft(Current, &body).unwrap().firing_time, at(RECEIVED));
    body["alerts"][0]["startsAt"] = json!("0001-01-01T00:00:00Z");
    assert_eq!(draft(Current, &body).unwrap().firing_time, at(RECEIVED));
    let event = json!({
        "type": "Warning", "reason": "r", "involvedObject": {"kind": "Pod", "name": "p"},
        "lastTimestamp": "2026-11-23T09:00:00Z",
    });
    let event = Event::parse(event.to_string().into()).unwrap();
    let draft = Draft::of_event(Current, &event, at(RECEIVED));
    assert_eq!(draft.firing_time, at(RECEIVED));
}

#[test]
fn what_is_too_long_for_a_request_is_cut_between_characters() {
    let umlauts = "ü".repeat(200_000);
    let body = json!({"alerts": [{
        "labels": {"alertname": &umlauts[..400], "severity": &umlauts[..400], "exact": "x".repeat(63), "a": format!("x{}", &umlauts[..80])},
        "annotations": {"long": "y".repeat(240_000)},
    }]});
    let spec = spec(draft(Current, &body).unwrap(), object("n", "Pod", "p"));
    assert_eq!(spec.signal_name, "ü".repeat(126));
    assert_eq!(spec.severity, "ü".repeat(25));
    assert_eq!(
        spec.signal_labels,
        map(&[
            ("a", &format!("x{}", "ü".repeat(31))),
            ("alertname", &"ü".repeat(31)),
            ("exact", &"x".repeat(63)),
            ("severity", &"ü".repeat(31)),
        ])
    );
    assert_eq!(
        spec.signal_annotations,
        map(&[("long", &"y".repeat(240_000))])
    );
    let provider: Value = serde_json::from_str(&spec.provider_data.unwrap()).unwrap();
    assert_eq!(provider["labels"]["alertname"], umlauts[..400]);
    assert_eq!(
        cut_values(map(&[("a", &"z".repeat(262_001))]), LONGEST_ANNOTATION),
        map(&[("a", &"z".repeat(262_000))])
    );
}

#[test]
fn an_alert_without_a_name_is_refused_alone() {
    let body = json!({"commonLabels": {"alertname": "A"}, "alerts": [{"labels": {"pod": "p"}}]});
    assert_eq!(
        draft(Current, &body).unwrap_err(),
        "alerts[0].labels.alertname: missing"
    );
}

#[test]
fn a_cluster_that_does_not_fit_is_refused_instead_of_cut() {
    let body = |bytes: usize| json!({"commonLabels": {"cluster": "c".repeat(bytes)}, "alerts": [{"labels": {"alertname": "A"}}]});
    assert_eq!(
        draft(Current, &body(253)).unwrap().cluster,
        Some("c".repeat(253))
    );
    assert_eq!(
        draft(Current, &body(254)).unwrap_err(),
        "commonLabels.cluster: 254 bytes, at most 253 fit into a RemediationRequest"
    );
}

#[test]
fn a_cluster_scoped_target_keeps_the_namespace_in_its_key_alone() {
    let draft = draft(Current, &labelled(&json!({"alertname": "A"}))).unwrap();
    let node = object("monitoring", "Node", "worker-1");
    assert_eq!(draft.key(&node), "monitoring:Node:worker-1");
    assert_eq!(spec(draft, node).target_resource.namespace, None);
}

#[test]
fn an_events_object_has_a_name_that_objects_can_have() {
    let event = |kind: &str, namespace: &str, name: &str| {
        let body = json!({
            "type": "Warning", "reason": "r",
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
        });
        let event = Event::parse(body.to_string().into()).unwrap();
        Object::of_event(&event).map_err(|error| error.to_string())
    };
    assert_eq!(
        event("Node", "", "ip-10.internal"),
        Ok(object("", "Node", "ip-10.internal"))
    );
    for (kind, namespace, name, expected) in [
        (
            "a:b",
            "n",
            "p",
            "involvedObject.kind: \"a:b\" cannot be the name of a kind",
        ),
        (
            "Pod",
            "../n",
            "p",
            "involvedObject.namespace: \"../n\" cannot be the name of a namespace",
        ),
        (
            "Pod",
            "n",
            "a/b",
            "involvedObject.name: \"a/b\" cannot be the name of an object",
        ),
    ] {
        assert_eq!(event(kind, namespace, name).unwrap_err(), expected);
    }
}
