//! The RemediationRequests behind leases: found by their names, which begin with digits of the fingerprint, because a
//! lease's name does not hold enough of it to select by.
//!
//! Of a long list only metadata is asked for; whole requests, which can be large, only if they are few.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures_util::{StreamExt as _, stream};
use gwlock_engine::protocol::key::{FINGERPRINT_PREFIX_LEN, GATEWAY_PREFIX, INTERACTIVE_PREFIX};
use gwlock_engine::remediation::list::{Selection, list};
use gwlock_engine::remediation::request::{GROUP, PLURAL, VERSION};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::ask::{self, Trouble};
use super::{AT_ONCE, Place, Unread, Wanted, Why, note};
use crate::context::Cluster;
use crate::gateway::dedup;

/// How many digits of a fingerprint a request's name holds.
const DIGITS: usize = 12;

/// So many are read as a whole.
const READ_WHOLE: usize = 32;

/// In more namespaces than this one list of all is cheaper.
const FEW_NAMESPACES: usize = 8;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Request {
    pub(in crate::commands) name: String,
    pub(in crate::commands) namespace: String,
    pub(in crate::commands) created: Option<Timestamp>,
    /// `None` where there are too many to read each.
    pub(in crate::commands) details: Option<Details>,
}

/// What a whole request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Details {
    pub(in crate::commands) phase: String,
    pub(in crate::commands) target: String,
    pub(in crate::commands) count: Option<i32>,
    pub(in crate::commands) last_seen: Option<Timestamp>,
    pub(in crate::commands) ended: Option<Timestamp>,
    fingerprint: String,
}

/// What is known of the requests behind one lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Requests<'a> {
    /// Nothing was asked, or this lease is about no fingerprint.
    Unasked,
    Unread(Why),
    /// The newest first.
    Known(Vec<&'a Request>),
}

/// Requests by the namespaces of leases.
#[derive(Debug, Default)]
pub(in crate::commands) struct Found {
    controller_namespace: Option<String>,
    by_digits: HashMap<(String, String), Vec<Request>>,
    unread: HashMap<String, Why>,
    was_asked: bool,
    pub(super) troubles: Vec<Unread>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(default)]
    namespace: String,
    creation_timestamp: Option<Timestamp>,
}

/// What a lease's name says of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named<'a> {
    /// 16 digits of the fingerprint.
    Digits(&'a str),
    /// The request itself.
    Request(&'a str),
}

impl<'a> Named<'a> {
    fn by(lease: &'a str) -> Option<Self> {
        if let Some(name) = lease.strip_prefix(INTERACTIVE_PREFIX) {
            return Some(Self::Request(name));
        }
        let digits = lease.strip_prefix(GATEWAY_PREFIX)?;
        (digits.len() == FINGERPRINT_PREFIX_LEN && digits.is_ascii())
            .then_some(Self::Digits(digits))
    }

    /// The digits that the request's name begins with.
    fn digits(self) -> Option<&'a str> {
        match self {
            Self::Digits(digits) => digits.get(..DIGITS),
            Self::Request(name) => digits_of(name),
        }
    }

    fn fits(self, request: &Request) -> bool {
        match self {
            Self::Request(name) => request.name == name,
            Self::Digits(digits) => request
                .details
                .as_ref()
                .is_none_or(|details| details.fingerprint.starts_with(digits)),
        }
    }
}

impl Found {
    pub(super) fn of(&self, namespace: &str, lease: &str) -> Requests<'_> {
        let Some(named) = Named::by(lease).filter(|_| self.was_asked) else {
            return Requests::Unasked;
        };
        let namespace = self.controller_namespace.as_deref().unwrap_or(namespace);
        if let Some(why) = self.unread.get(namespace) {
            return Requests::Unread(*why);
        }
        let key = (
            namespace.to_owned(),
            named.digits().unwrap_or_default().to_owned(),
        );
        let candidates = self.by_digits.get(&key).map_or(&[][..], Vec::as_slice);
        let mut known: Vec<&Request> = candidates
            .iter()
            .filter(|request| named.fits(request))
            .collect();
        known.sort_by(|a, b| (b.created, &b.name).cmp(&(a.created, &a.name)));
        Requests::Known(known)
    }

    fn add(&mut self, request: Request) {
        if let Some(digits) = digits_of(&request.name).map(str::to_owned) {
            self.add_under(&digits, request);
        }
    }

    fn add_under(&mut self, digits: &str, request: Request) {
        let key = (request.namespace.clone(), digits.to_owned());
        self.by_digits.entry(key).or_default().push(request);
    }
}

/// Finds the requests behind these leases.
pub(super) async fn find(cluster: &Cluster, wanted: Wanted<'_>) -> Found {
    let mut found = Found {
        controller_namespace: wanted.controller_namespace.map(str::to_owned),
        was_asked: true,
        ..Found::default()
    };
    let named = |place: &&Place<'_>| Named::by(place.lease).is_some();
    let leases = wanted.leases.iter().filter(named);
    let digits: HashSet<&str> = leases
        .clone()
        .filter_map(|place| Named::by(place.lease)?.digits())
        .collect();
    if digits.is_empty() {
        return found;
    }
    let namespaces: BTreeSet<&str> = match wanted.controller_namespace {
        Some(namespace) => [namespace].into(),
        None => leases.map(|place| place.namespace).collect(),
    };
    if by_fingerprint(cluster, wanted, &namespaces, &mut found).await {
        return found;
    }
    let places: Vec<Option<&str>> = if namespaces.len() <= FEW_NAMESPACES {
        namespaces
            .iter()
            .map(|namespace| Some(*namespace))
            .collect()
    } else {
        vec![None]
    };
    for place in places {
        let within = place.map_or(String::new(), |namespace| {
            format!("namespaces/{namespace}/")
        });
        let path = format!("/apis/{GROUP}/{VERSION}/{within}{PLURAL}");
        let mut kept = Vec::new();
        let keep = |item: Item| {
            let metadata = item.metadata;
            if digits_of(&metadata.name).is_some_and(|own| digits.contains(own)) {
                kept.push(Request {
                    name: metadata.name,
                    namespace: metadata.namespace,
                    created: metadata.creation_timestamp,
                    details: None,
                });
            }
        };
        match ask::pages(cluster, &path, ask::METADATA, keep).await {
            Ok(()) => read_whole(cluster, kept, &mut found).await,
            Err(trouble) => {
                let of_place = namespaces
                    .iter()
                    .filter(|name| place.is_none_or(|place| place == **name));
                found
                    .unread
                    .extend(of_place.map(|name| ((*name).to_owned(), trouble.why)));
                note(&mut found.troubles, unread_request("list", place, trouble));
            }
        }
    }
    found
}

/// One key that is known as a whole can be selected by, which costs one short answer.
async fn by_fingerprint(
    cluster: &Cluster,
    wanted: Wanted<'_>,
    namespaces: &BTreeSet<&str>,
    found: &mut Found,
) -> bool {
    let ([fingerprint], [place]) = (wanted.fingerprints, wanted.leases) else {
        return false;
    };
    let Some(namespace) = namespaces
        .first()
        .filter(|_| fingerprint.lease_name().as_str() == place.lease)
    else {
        return false;
    };
    let selection = Selection {
        namespace: Some(namespace),
        fingerprint: Some(fingerprint),
        labels: None,
    };
    let patience = cluster
        .request_timeout
        .unwrap_or(super::super::inspect::DEFAULT_TIMEOUT);
    let listing = list(&cluster.client, selection, patience, |object| {
        Some(object.clone())
    });
    // Whatever goes wrong here, an older server for one, is told by the other way.
    let Ok(listing) = listing.await else {
        return false;
    };
    for object in &listing.items {
        if let Some(request) = whole(object) {
            found.add_under(&fingerprint.as_str()[..DIGITS], request);
        }
    }
    true
}

async fn read_whole(cluster: &Cluster, kept: Vec<Request>, found: &mut Found) {
    if kept.len() > READ_WHOLE {
        kept.into_iter().for_each(|request| found.add(request));
        return;
    }
    let mut answers = stream::iter(kept)
        .map(|request| async move {
            let path = format!(
                "/apis/{GROUP}/{VERSION}/namespaces/{}/{PLURAL}/{}",
                request.namespace, request.name
            );
            let answer = ask::get::<Value>(cluster, &path).await;
            (request, answer)
        })
        .buffer_unordered(AT_ONCE);
    while let Some((request, answer)) = answers.next().await {
        match answer {
            Ok(Some(object)) => found.add(whole(&object).unwrap_or(request)),
            Ok(None) => {}
            Err(trouble) => {
                let namespace = request.namespace.clone();
                found.add(request);
                note(
                    &mut found.troubles,
                    unread_request("get", Some(&namespace), trouble),
                );
            }
        }
    }
}

fn unread_request(verb: &'static str, namespace: Option<&str>, trouble: Trouble) -> Unread {
    Unread {
        resource: PLURAL,
        why: trouble.why,
        group: GROUP,
        verb,
        namespace: namespace.map(str::to_owned),
        message: trouble.message,
    }
}

fn whole(object: &Value) -> Option<Request> {
    let dedup::Listed { request, facts } = dedup::Listed::read(object)?;
    let deduplication = request.deduplication().unwrap_or_default();
    Some(Request {
        details: Some(Details {
            phase: request.phase().to_owned(),
            target: facts.target.to_string(),
            count: deduplication.count,
            last_seen: deduplication.last_seen,
            ended: facts.ended,
            fingerprint: request.fingerprint.clone(),
        }),
        name: request.name,
        namespace: request.namespace,
        created: request.created,
    })
}

/// The digits of a request's name: `rr-<12>-…`.
fn digits_of(name: &str) -> Option<&str> {
    let (digits, _) = name.strip_prefix("rr-")?.split_once('-')?;
    (digits.len() == DIGITS).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leases_name_leads_to_what_its_request_is_called() {
        for (lease, expected) in [
            ("gw-lock-91fce8d5c4949766", Some("91fce8d5c494")),
            (
                "kubernaut-interactive-rr-91fce8d5c494-0a1b2c3d",
                Some("91fce8d5c494"),
            ),
            ("kubernaut-interactive-x", None),
            ("gw-lock-1", None),
            ("ro-lock-e7eda236b9ebe6f2", None),
        ] {
            let digits = Named::by(lease).and_then(Named::digits);
            assert_eq!(digits, expected, "{lease}");
        }
    }

    #[test]
    fn a_request_of_another_fingerprint_with_the_same_beginning_is_left_out() {
        let request = |name: &str, fingerprint: Option<&str>| Request {
            name: name.to_owned(),
            namespace: "ns".to_owned(),
            created: None,
            details: fingerprint.map(|fingerprint| Details {
                phase: String::new(),
                target: String::new(),
                count: None,
                last_seen: None,
                ended: None,
                fingerprint: fingerprint.to_owned(),
            }),
        };
        let mut found = Found {
            was_asked: true,
            ..Found::default()
        };
        found.add(request("rr-91fce8d5c494-a", Some("91fce8d5c4949766aa")));
        found.add(request("rr-91fce8d5c494-b", Some("91fce8d5c4940000aa")));
        found.add(request("rr-91fce8d5c494-c", None));
        found.add(request("rr-000000000000-d", None));
        let Requests::Known(known) = found.of("ns", "gw-lock-91fce8d5c4949766") else {
            panic!("known");
        };
        let names: Vec<&str> = known.iter().map(|request| request.name.as_str()).collect();
        assert_eq!(names, ["rr-91fce8d5c494-c", "rr-91fce8d5c494-a"]);
        let Requests::Known(known) = found.of("ns", "kubernaut-interactive-rr-91fce8d5c494-b")
        else {
            panic!("known");
        };
        assert_eq!(known.len(), 1);
        assert_eq!(found.of("ns", "ro-lock-1"), Requests::Unasked);
    }
}
