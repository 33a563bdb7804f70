//! What has to hold for any bytes that a sender of signals sends. The fuzz targets and the tests call the same two
//! functions; a panic is a failure.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use gwlock::gateway::GatewayVersion::{self, Current, January};
use gwlock::gateway::event::Event;
use gwlock::gateway::kinds::Kinds;
use gwlock::gateway::normalize::Draft;
use gwlock::gateway::payload::{MAX_ALERTS, MAX_BODY};
use gwlock::gateway::prometheus::{Alert, Webhook};
use gwlock::gateway::target::{Object, Selection, Step};
use gwlock::gateway::{freshness, normalize};
use gwlock_engine::remediation::{RemediationRequestSpec, Signal};
use jiff::Timestamp;

/// etcd takes no larger object by default: 1.5 MiB. The rest is for metadata, which repeats the names of fields.
const LARGEST_OBJECT: usize = 1_200_000;

/// So many alerts of a webhook are looked at closely; each costs as much as the whole body.
const LOOKED_AT: usize = 8;

static KINDS: LazyLock<Kinds> = LazyLock::new(Kinds::built_in);

const VERSIONS: [GatewayVersion; 2] = [Current, January];

/// Bytes sent as a webhook. Whether they were one.
pub(crate) fn webhook(bytes: &[u8]) -> bool {
    let webhook = match Webhook::parse(bytes.to_vec()) {
        Ok(webhook) => webhook,
        Err(error) => {
            let large = bytes.len() > MAX_BODY;
            assert_eq!(error.status(), if large { 413 } else { 400 });
            is_readable(&error.to_string());
            return false;
        }
    };
    assert!((1..=MAX_ALERTS).contains(&webhook.alerts.len()));
    assert_eq!(
        webhook.firing().count() + webhook.resolved().count(),
        webhook.alerts.len()
    );
    for version in VERSIONS {
        for header in [None, Some("0"), std::str::from_utf8(bytes).ok()] {
            told(freshness::check_webhook(version, header, &webhook, now()));
        }
        for alert in webhook.alerts.iter().take(LOOKED_AT) {
            look_at(version, &webhook, alert);
        }
    }
    true
}

/// Bytes sent as an event. Whether they were one.
pub(crate) fn event(bytes: &[u8]) -> bool {
    let event = match Event::parse(bytes.to_vec()) {
        Ok(event) => event,
        Err(error) => {
            is_readable(&error.to_string());
            return false;
        }
    };
    assert_eq!(event.payload().as_bytes(), bytes);
    for version in VERSIONS {
        told(freshness::check_event(version, None, &event, now()));
        let Ok(object) =
            Object::of_event(&event).inspect_err(|error| is_readable(&error.to_string()))
        else {
            continue;
        };
        let draft = Draft::of_event(version, &event, now());
        fits(draft.about(object, &KINDS));
    }
    true
}

fn look_at(version: GatewayVersion, webhook: &Webhook, alert: &Alert) {
    told(freshness::check_alert(alert, now()));
    let alone = webhook.payload_of(alert).into_owned();
    let again = Webhook::parse(alone.into_bytes()).expect("an alert can be sent alone");
    assert_eq!(again.common_labels, webhook.common_labels);
    let [sent_alone] = again.alerts.as_slice() else {
        panic!("{again:?}");
    };
    let seen = |alert: &Alert| {
        let Alert {
            status,
            labels,
            annotations,
            starts_at,
            ..
        } = alert.clone();
        (status, labels, annotations, starts_at)
    };
    assert_eq!(seen(sent_alone), seen(alert));
    match Draft::of_alert(version, webhook, alert, now()) {
        Err(error) => is_readable(&error.to_string()),
        Ok(draft) => {
            for existing in [0, 1, usize::MAX] {
                if let Some(object) = target(version, &alert.labels, existing) {
                    fits(draft.clone().about(object, &KINDS));
                }
            }
        }
    }
}

/// The target, where so many of the candidates do not exist.
fn target(
    version: GatewayVersion,
    labels: &BTreeMap<String, String>,
    absent: usize,
) -> Option<Object> {
    let mut selection = Selection::new(version, &KINDS, labels);
    let mut asked = 0;
    loop {
        match selection.next() {
            Step::Ask(question) => {
                assert_eq!(question.kind.namespaced, !question.namespace.is_empty());
                for name in [&question.namespace, &question.name] {
                    assert!(
                        name.bytes()
                            .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
                    );
                }
                selection.answer(asked >= absent);
                asked += 1;
                assert!(
                    asked <= labels.len() * 2,
                    "there are at most two kinds for a label"
                );
            }
            Step::Chosen(object, _) => return Some(object),
            Step::Nothing => return None,
        }
    }
}

/// Every signal makes a RemediationRequest that the API server takes.
fn fits(signal: Signal) {
    let object = signal.to_object("kubernaut-system", "rr-0123456789ab-01234567", now());
    assert!(object.to_string().len() <= LARGEST_OBJECT);
    let spec: RemediationRequestSpec = signal.spec;
    let characters = |text: &str| text.chars().count();
    assert_eq!(spec.signal_fingerprint.as_str().len(), 64);
    assert!(
        (1..=253).contains(&characters(&spec.signal_name)),
        "{spec:?}"
    );
    assert!((1..=50).contains(&characters(&spec.severity)), "{spec:?}");
    assert!(!normalize::severity::audit(&spec.severity).is_empty());
    assert!(characters(spec.cluster_id.as_deref().unwrap_or_default()) <= 253);
    assert!(spec.signal_labels.values().all(|value| value.len() <= 63));
    assert!(
        spec.signal_annotations
            .values()
            .all(|value| value.len() <= 262_000)
    );
    assert!(!spec.target_resource.kind.is_empty() && !spec.target_resource.name.is_empty());
    assert_ne!(spec.target_resource.namespace.as_deref(), Some(""));
    let provider = spec.provider_data.expect("there always is some");
    let provider: serde_json::Value = serde_json::from_str(&provider).expect("it is JSON");
    assert!(provider["labels"].is_object() && provider["namespace"].is_string());
    for time in [spec.firing_time, spec.received_time] {
        assert_eq!(time.to_string().parse().ok(), Some(time));
        assert_eq!(time.strftime("%Y").to_string().len(), 4, "{time}");
    }
}

fn told<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        is_readable(&error.to_string());
    }
}

/// An error is one that can be logged, whatever was sent.
fn is_readable(text: &str) {
    assert!(!text.is_empty() && text.chars().count() < 1000, "{text}");
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_424_400).expect("2026-11-23")
}
