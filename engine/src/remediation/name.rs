//! The name of a request to create: the same for everybody who has seen the same requests.
//!
//! Two creators then compete for one name, and the API server's CREATE decides between them, even when one of them was
//! frozen past its lease. The shape is the gateway's, whose own suffix is random. Nothing here knows whether a name is
//! free.

use crate::protocol::key::Fingerprint;

use super::dedup::age;
use super::request::RemediationRequest;

/// How many digits of the fingerprint enter a name.
const PREFIX_LEN: usize = 12;
/// How many digits of the hash enter a name.
const SUFFIX_LEN: usize = 8;

/// `rr-<12>-<8 hex>`: the first digits of the fingerprint, and of sha256(fingerprint + ":" + generation).
///
/// The generation is the uid of the request that the new one follows, or empty for the first one.
#[must_use]
pub fn request_name(fingerprint: &Fingerprint, generation: &str) -> String {
    let prefix = &fingerprint.as_str()[..PREFIX_LEN];
    let hash = Fingerprint::of(&format!("{fingerprint}:{generation}"));
    format!("rr-{prefix}-{}", &hash.as_str()[..SUFFIX_LEN])
}

/// The name to create after a LIST: it follows the newest request, in any phase and even if it is being deleted.
#[must_use]
pub fn name_after(fingerprint: &Fingerprint, listed: &[RemediationRequest]) -> String {
    let newest = listed.iter().max_by_key(|request| age(request));
    next_name(
        fingerprint,
        newest.map_or("", |request| request.uid.as_str()),
        listed,
    )
}

/// The name that follows a generation, passing over the names of listed requests: each of these becomes the generation
/// in turn.
///
/// uids are given after names, so that no chain of listed names closes to a ring; if one ever did, the name returned
/// would be a taken one, which the server refuses.
#[must_use]
pub fn next_name(
    fingerprint: &Fingerprint,
    generation: &str,
    listed: &[RemediationRequest],
) -> String {
    let mut name = request_name(fingerprint, generation);
    for _ in listed {
        let Some(taken) = listed.iter().find(|request| request.name == name) else {
            break;
        };
        name = request_name(fingerprint, &taken.uid);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: &str = "prod:Deployment:payment-api";
    const UID: &str = "00000000-0000-4000-8000-000000000001";

    fn request(name: &str, uid: &str, created: &str) -> RemediationRequest {
        RemediationRequest {
            name: name.to_owned(),
            namespace: "ns".to_owned(),
            uid: uid.to_owned(),
            resource_version: "1".to_owned(),
            created: created.parse().ok(),
            deleting: false,
            created_by: None,
            fingerprint: Fingerprint::of(TARGET).to_string(),
            status: None,
        }
    }

    /// The vectors that the protocol document publishes.
    #[test]
    fn names_are_those_of_the_published_vectors() {
        for (target, generation, name) in [
            (TARGET, "", "rr-91fce8d5c494-4500491e"),
            (TARGET, UID, "rr-91fce8d5c494-87f643c4"),
            (
                "demo-alert-storm:Deployment:api-gateway",
                "",
                "rr-3d13718bca91-8b0db7be",
            ),
            (":Node:worker-node-1", "", "rr-54010c454af1-b4905890"),
        ] {
            assert_eq!(request_name(&Fingerprint::of(target), generation), name);
        }
    }

    #[test]
    fn a_name_follows_the_newest_request() {
        let fingerprint = Fingerprint::of(TARGET);
        assert_eq!(
            name_after(&fingerprint, &[]),
            request_name(&fingerprint, "")
        );
        let listed = [
            request("rr-b", "u2", "2026-11-23T09:00:01Z"),
            request("rr-c", "u3", "2026-11-23T09:00:01Z"),
            request("rr-z", "u1", "2026-11-23T09:00:00Z"),
        ];
        assert_eq!(
            name_after(&fingerprint, &listed),
            request_name(&fingerprint, "u3")
        );
    }

    #[test]
    fn a_listed_name_is_passed_over() {
        let fingerprint = Fingerprint::of(TARGET);
        let taken = request_name(&fingerprint, "newest");
        let listed = [
            request(&taken, "older", "2026-11-23T09:00:00Z"),
            request("rr-x", "newest", "2026-11-23T09:00:01Z"),
        ];
        assert_eq!(
            name_after(&fingerprint, &listed),
            request_name(&fingerprint, "older")
        );
    }

    #[test]
    fn a_ring_of_names_ends() {
        let fingerprint = Fingerprint::of(TARGET);
        let ring = request_name(&fingerprint, "u1");
        let listed = [request(&ring, "u1", "2026-11-23T09:00:00Z")];
        assert_eq!(name_after(&fingerprint, &listed), ring);
    }
}
