//! The gateway's requests for RemediationRequests: typed objects, read and written as a whole.

use gwlock_engine::remediation::Signal;
use gwlock_engine::remediation::request::{FINGERPRINT_FIELD, GROUP, KIND, PLURAL, VERSION};
use jiff::Timestamp;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use serde_json::{Value, json};

/// What the gateway's types know of a status. Its writes drop everything else.
const KNOWN: [&str; 9] = [
    "blockReason",
    "completionStatus",
    "deduplication",
    "failurePhase",
    "operatorAudit",
    "overallPhase",
    "routingStatus",
    "skipReason",
    "workflowSelection",
];

/// The RemediationRequests of one namespace.
#[derive(Clone)]
pub(super) struct Requests {
    api: Api<DynamicObject>,
    namespace: String,
}

impl Requests {
    pub(super) fn new(client: kube::Client, namespace: &str) -> Self {
        let resource = ApiResource {
            group: GROUP.to_owned(),
            version: VERSION.to_owned(),
            api_version: format!("{GROUP}/{VERSION}"),
            kind: KIND.to_owned(),
            plural: PLURAL.to_owned(),
        };
        Self {
            api: Api::namespaced_with(client, namespace, &resource),
            namespace: namespace.to_owned(),
        }
    }

    /// LIST by fingerprint; where the selector is refused, by the words of the refusal, LIST of everything.
    pub(super) async fn list(&self, signal: &Signal) -> Result<Vec<DynamicObject>, kube::Error> {
        let fingerprint = signal.fingerprint().as_str();
        let selected = ListParams::default().fields(&format!("{FINGERPRINT_FIELD}={fingerprint}"));
        match self.api.list(&selected).await {
            Err(kube::Error::Api(status)) if is_about_the_selector(&status.message) => {
                let all = self.api.list(&ListParams::default()).await?.items;
                let is_same = |request: &DynamicObject| {
                    request.data["spec"]["signalFingerprint"] == fingerprint
                };
                Ok(all.into_iter().filter(is_same).collect())
            }
            listed => Ok(listed?.items),
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<DynamicObject, kube::Error> {
        self.api.get(name).await
    }

    pub(super) async fn create(
        &self,
        signal: &Signal,
        name: &str,
        now: Timestamp,
    ) -> Result<(), kube::Error> {
        let object = signal.to_object(&self.namespace, name, now);
        let object = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
        match self.api.create(&PostParams::default(), &object).await {
            // The name is one of chance: who has it must be this signal's first attempt.
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(()),
            created => created.map(drop),
        }
    }

    /// PUT of the status of this object, as it was read but for the count.
    pub(super) async fn put_status(&self, request: &DynamicObject) -> Result<(), kube::Error> {
        let name = request.metadata.name.as_deref().unwrap_or_default();
        let options = PostParams::default();
        let written = self.api.replace_status(name, &options, request).await;
        written.map(drop)
    }
}

fn is_about_the_selector(message: &str) -> bool {
    message.contains("field label not supported") || message.contains("field selector")
}

/// Counts one occurrence in memory: one more, or the first one where nothing was counted.
pub(super) fn count_up(request: &mut DynamicObject, now: Timestamp) {
    let now = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let status = &mut request.data["status"];
    if let Value::Object(fields) = status {
        fields.retain(|field, _| KNOWN.contains(&field.as_str()));
    }
    let counted = &mut status["deduplication"];
    let (first, count) = match counted["occurrenceCount"].as_i64() {
        Some(count) => (counted["firstSeenAt"].clone(), count + 1),
        None => (json!(now), 1),
    };
    *counted = json!({"firstSeenAt": first, "lastSeenAt": now, "occurrenceCount": count});
}

/// When a request says that its signal occurred: first and last.
pub(super) fn seen(request: &DynamicObject) -> Option<(Timestamp, Timestamp)> {
    let counted = &request.data["status"]["deduplication"];
    let time = |field: &str| counted[field].as_str()?.parse().ok();
    Some((time("firstSeenAt")?, time("lastSeenAt")?))
}

/// How often a request says that its signal occurred.
pub(super) fn occurrences(request: &DynamicObject) -> i64 {
    let count = &request.data["status"]["deduplication"]["occurrenceCount"];
    count.as_i64().unwrap_or(0)
}
