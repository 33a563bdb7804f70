//! One lease that is to be removed: what was seen of it, what that means, and what came of it. Nothing is printed here.

use std::sync::Arc;
use std::time::Duration;

use gwlock_engine::client::SystemClock;
use gwlock_engine::client::lease_api::LeaseApi;
use gwlock_engine::client::list::Listed;
use gwlock_engine::client::removal::{LookError, Remover, Seen};
use gwlock_engine::protocol::expiry::{Evidence, Rule, Verdict};
use gwlock_engine::protocol::key::LeaseName;
use gwlock_engine::protocol::record::LeaseRecord;
use gwlock_engine::protocol::removal::Removed;
use serde_json::{Value, json};

use super::super::gather::Gathered;
use super::super::inspect::behind::PodView;
use super::Arguments;
use crate::context::Cluster;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::flags::DryRun;
use crate::output::age::age;
use crate::output::escape::escape_line;

/// How long one request may take; a removal may take three times as long.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of a lease that are kept of it, in an annotation and in a line of the audit log.
const LONGEST_BEFORE: usize = 4096;
/// The most characters of a holder in a lease that was too long.
const LONGEST_HOLDER: usize = 256;

/// One lease.
pub(super) struct Case {
    pub(super) name: LeaseName,
    pub(super) event_written: Option<bool>,
    namespace: String,
    remover: Remover,
    judged: Judged,
    pod: Pod,
    outcome: Option<Removed>,
    dry_run: DryRun,
}

/// What is known of the holder's pod. It decides nothing.
#[derive(Default)]
struct Pod {
    words: Option<String>,
    value: Value,
}

enum Judged {
    Gone,
    Removable(Seen),
    Refused(Seen, Refused),
}

/// Why nothing is deleted, and whether `--even-if-live` would change that.
struct Refused {
    why: String,
    can_be_forced: bool,
}

/// A lease that was deleted.
pub(super) struct Deleted<'a> {
    pub(super) name: &'a LeaseName,
    pub(super) namespace: &'a str,
    pub(super) record: &'a LeaseRecord,
    pub(super) was_live: bool,
    pub(super) evidence: String,
    pub(super) before: Value,
}

impl Case {
    /// Reads and judges a lease.
    pub(super) async fn look(
        name: LeaseName,
        arguments: &Arguments,
        cluster: &Cluster,
    ) -> Result<Self, Failure> {
        let namespace = cluster.namespace.clone();
        let mut api = LeaseApi::new(cluster.client.clone(), &namespace, name.clone());
        if arguments.dry_run.mode == DryRun::Server {
            api = api.dry_run();
        }
        let timeout = cluster.request_timeout.unwrap_or(REQUEST_TIMEOUT);
        let remover = Remover::new(
            api,
            Arc::new(SystemClock),
            timeout,
            timeout.saturating_mul(3),
        );
        let mut pod = Pod::default();
        let judged = match remover.look().await {
            Ok(None) => Judged::Gone,
            Ok(Some(seen)) => {
                pod = Pod::behind(&name, &seen, cluster).await;
                match refusal(&seen, arguments) {
                    None => Judged::Removable(seen),
                    Some(refused) => Judged::Refused(seen, refused),
                }
            }
            Err(LookError::Refused(refusal)) => {
                return Err(Failure::refused(&refusal, Some(&namespace)));
            }
            Err(LookError::Unreachable(message)) => return Err(Failure::unreachable(&message)),
        };
        Ok(Self {
            name,
            event_written: None,
            namespace,
            remover,
            judged,
            pod,
            outcome: None,
            dry_run: arguments.dry_run.mode,
        })
    }

    pub(super) fn is_removable(&self) -> bool {
        matches!(self.judged, Judged::Removable(_))
    }

    /// Deletes it if it may be deleted.
    pub(super) async fn remove(&mut self, dry_run: DryRun) {
        if let (Judged::Removable(seen), false) = (&self.judged, dry_run == DryRun::Client) {
            self.outcome = Some(self.remover.remove(seen).await);
        }
    }

    fn seen(&self) -> Option<&Seen> {
        match &self.judged {
            Judged::Gone => None,
            Judged::Removable(seen) | Judged::Refused(seen, _) => Some(seen),
        }
    }

    /// What has to be accounted for, if it was deleted.
    pub(super) fn deleted(&self) -> Option<Deleted<'_>> {
        if !matches!(self.outcome, Some(Removed::Deleted | Removed::Kept)) {
            return None;
        }
        let seen = self.seen()?;
        Some(Deleted {
            name: &self.name,
            namespace: &self.namespace,
            record: &seen.record,
            was_live: !seen.is_proven_stale(),
            evidence: evidence(seen),
            before: before(&seen.object),
        })
    }

    /// The lease, the evidence, and what will happen: for the person who is asked.
    pub(super) fn shown(&self) -> String {
        let title = format!("lease {} in {}", self.name, self.namespace);
        let Some(seen) = self.seen() else {
            return format!("{title}\n  is gone already: nothing is to be done");
        };
        let record = &seen.record;
        let what = match &self.judged {
            Judged::Refused(_, refused) if refused.can_be_forced => {
                "nothing: it is not proven stale".to_owned()
            }
            Judged::Refused(_, refused) => format!("nothing: {}", refused.why),
            _ if seen.is_proven_stale() => {
                "it is deleted if it is still this version; the next candidate creates it anew".to_owned()
            }
            _ => "it is deleted if it is still this version, ALTHOUGH ITS HOLDER MAY BE AT WORK: two may then work at once".to_owned(),
        };
        format!(
            "{title}\n  holder     {}\n{}  evidence   {}\n  version    uid {}, resourceVersion {}\n  what next  {}",
            escape_line(record.holder().unwrap_or("-")),
            self.pod.line(),
            evidence(seen),
            record.uid,
            record.resource_version,
            escape_line(&what)
        )
    }

    /// What was done, in the words behind the name; `None` if it failed.
    pub(super) fn done(&self) -> Option<&'static str> {
        match (&self.judged, &self.outcome) {
            (Judged::Gone, _) | (_, Some(Removed::AlreadyGone)) => Some("was gone already"),
            (Judged::Removable(_), None) => {
                Some("would be force-expired if it is still this version")
            }
            (_, Some(Removed::Deleted)) => Some("force-expired"),
            (_, Some(Removed::Kept)) if self.dry_run == DryRun::Server => {
                Some("marked as deleted, and kept by a finalizer")
            }
            _ => None,
        }
    }

    fn outcome(&self) -> &'static str {
        match (&self.judged, &self.outcome) {
            (Judged::Gone, _) | (_, Some(Removed::AlreadyGone)) => "AlreadyGone",
            (Judged::Refused(..), _) => "NotStale",
            (Judged::Removable(_), None) => "WouldForceExpire",
            (_, Some(Removed::Deleted)) => "ForceExpired",
            (_, Some(Removed::Kept)) => "KeptByFinalizer",
            (_, Some(Removed::Changed(_))) => "Changed",
            (_, Some(Removed::Refused(_))) => "Forbidden",
            (_, Some(Removed::Unreachable(_))) => "Unreachable",
            (_, Some(Removed::Unknown(_))) => "Unknown",
        }
    }

    pub(super) fn value(&self) -> Value {
        let seen = self.seen();
        json!({
            "name": self.name.as_str(), "namespace": self.namespace, "outcome": self.outcome(),
            "holder": seen.and_then(|seen| seen.record.holder()),
            "stale": seen.map(Seen::is_proven_stale), "evidence": seen.map(evidence),
            "before": seen.map(|seen| before(&seen.object)), "eventWritten": self.event_written,
            "pod": self.pod.value,
        })
    }

    /// Why it was not deleted, if that is a failure.
    pub(super) fn failure(self) -> Option<Failure> {
        let (name, namespace) = (&self.name, &self.namespace);
        let inspect = format!("inspect {name} -n {namespace}");
        if let Judged::Refused(_, refused) = &self.judged {
            let message = format!("{name} in {namespace} was left alone: {}", refused.why);
            let failure = Failure::says(Exit::No, message).run(inspect, "who holds it now");
            return Some(if refused.can_be_forced {
                failure.run(
                    format!("force-expire {name} -n {namespace} --even-if-live --reason 'how it is known'"),
                    "once its holder is known to have stopped",
                )
            } else {
                failure
            });
        }
        match self.outcome? {
            Removed::Deleted | Removed::AlreadyGone => None,
            Removed::Kept if self.dry_run == DryRun::Server => None,
            Removed::Kept => {
                let message = format!(
                    "{name} in {namespace} is marked as deleted, but a finalizer keeps it, and nobody can acquire it"
                );
                Some(Failure::says(Exit::No, message).kubectl(
                    format!(
                        "get lease {name} -n {namespace} -o jsonpath='{{.metadata.finalizers}}'"
                    ),
                    "whose finalizer it is",
                ))
            }
            Removed::Changed(record) => {
                let holder = record.holder().unwrap_or("nobody");
                let message = format!(
                    "{name} in {namespace} changed since it was shown, and nothing was deleted: it is held by {holder} now, uid {}, resourceVersion {}",
                    record.uid, record.resource_version
                );
                Some(Failure::says(Exit::No, message).run(inspect, "whether it is stale still"))
            }
            Removed::Refused(refusal) => Some(Failure::refused(&refusal, Some(namespace))),
            Removed::Unreachable(message) => Some(Failure::unreachable(&message)),
            Removed::Unknown(message) => {
                let message =
                    format!("nobody knows whether {name} in {namespace} was deleted: {message}");
                Some(Failure::says(Exit::Unknown, message).run(inspect, "whether it was"))
            }
        }
    }
}

impl Pod {
    async fn behind(name: &LeaseName, seen: &Seen, cluster: &Cluster) -> Self {
        let listed = Listed {
            namespace: cluster.namespace.clone(),
            name: name.to_string(),
            record: seen.record.clone(),
        };
        let gathered = Gathered::pod_of(cluster, &listed).await;
        let view = PodView::behind(&listed, &gathered);
        Self {
            words: view.sentence(&listed.namespace, seen.date),
            value: view.value(),
        }
    }

    fn line(&self) -> String {
        match &self.words {
            None => String::new(),
            Some(words) => format!("  pod        {}\n", escape_line(words)),
        }
    }
}

/// Why a lease must not be deleted.
fn refusal(seen: &Seen, arguments: &Arguments) -> Option<Refused> {
    let record = &seen.record;
    let never = |why: String| {
        Some(Refused {
            why,
            can_be_forced: false,
        })
    };
    if seen.verdict == Verdict::Deleting {
        return never("it is being deleted already, and a finalizer keeps it".to_owned());
    }
    let holder = record.claim.holder.as_deref().unwrap_or_default();
    let conditions = [
        ("holder", &arguments.if_holder, holder),
        ("uid", &arguments.if_uid, record.uid.as_str()),
        (
            "resourceVersion",
            &arguments.if_resource_version,
            record.resource_version.as_str(),
        ),
    ];
    for (what, wanted, found) in conditions {
        if let Some(wanted) = wanted.as_deref().filter(|wanted| *wanted != found) {
            return never(format!("its {what} is \"{found}\", not \"{wanted}\""));
        }
    }
    if seen.is_proven_stale() || arguments.even_if_live {
        return None;
    }
    let holder = record.holder().unwrap_or("nobody");
    Some(Refused {
        why: format!(
            "it is held by {holder} and not proven stale: {}",
            evidence(seen)
        ),
        can_be_forced: true,
    })
}

/// What the verdict rests on, in words.
pub(super) fn evidence(seen: &Seen) -> String {
    match seen.verdict {
        _ if !seen.expires => "an interactive session, which does not expire".to_owned(),
        Verdict::Free => "it names no holder".to_owned(),
        Verdict::Deleting => "it is being deleted".to_owned(),
        Verdict::Expired(evidence) | Verdict::Held { evidence, .. } => of_age(&evidence),
    }
}

fn of_age(evidence: &Evidence) -> String {
    let Rule::Server { stamp, date } = evidence.rule else {
        return "it has no server stamp, so that its expiry can only be observed".to_owned();
    };
    let (age_seconds, limit) = (evidence.age.as_secs(), evidence.limit.as_secs());
    let state = if evidence.age > evidence.limit {
        format!("expired {} ago", age(evidence.age - evidence.limit))
    } else {
        format!("expires in {}", age(evidence.remaining()))
    };
    format!(
        "{state} by the server's clock: written at {stamp}, read at {date}, {age_seconds}s old where {limit}s are allowed"
    )
}

/// The lease as it was, cut to a size that an annotation can take.
fn before(object: &Value) -> Value {
    let mut metadata = object["metadata"].clone();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
    }
    let whole = json!({"metadata": metadata, "spec": object["spec"]});
    if whole.to_string().len() <= LONGEST_BEFORE {
        return whole;
    }
    let holder = object["spec"]["holderIdentity"].as_str();
    let holder = holder.map(|holder| holder.chars().take(LONGEST_HOLDER).collect::<String>());
    let kept = |field: &str| metadata[field].clone();
    json!({
        "metadata": {"uid": kept("uid"), "resourceVersion": kept("resourceVersion")},
        "spec": {"holderIdentity": holder, "renewTime": object["spec"]["renewTime"]},
        "truncated": true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_lease_is_bounded() {
        let lease = |annotation: &str, holder: &str| {
            json!({
                "metadata": {
                    "uid": "u1", "resourceVersion": "7", "managedFields": [{}], "annotations": {"a": annotation}
                },
                "spec": {"holderIdentity": holder, "renewTime": "t"},
            })
        };
        assert_eq!(
            before(&lease("x", "pod")),
            json!({
                "metadata": {"uid": "u1", "resourceVersion": "7", "annotations": {"a": "x"}},
                "spec": {"holderIdentity": "pod", "renewTime": "t"},
            })
        );
        let long = before(&lease(&"x".repeat(LONGEST_BEFORE), &"\u{1}".repeat(9000)));
        assert_eq!(
            long,
            json!({
                "metadata": {"uid": "u1", "resourceVersion": "7"},
                "spec": {"holderIdentity": "\u{1}".repeat(LONGEST_HOLDER), "renewTime": "t"},
                "truncated": true,
            })
        );
    }
}
