//! Whether two processes use one name: gateways whose `POD_NAME` is the same take each other's leases for their own.
//!
//! Said only where the leases prove it, and only of leases that have not expired: one name may have been another process'
//! before. That a name holds many leases, or that pods of one name exist in two namespaces, proves nothing.

use std::collections::{HashMap, HashSet};

use gwlock_engine::client::list::Listed;
use gwlock_engine::protocol::expiry::{Reading, Verdict, judge};
use gwlock_engine::protocol::record::LeaseRecord;
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use jiff::Timestamp;

use super::acquisition::skew;
use super::holder::{Family, Generation};

/// Two writes of one clock differ by no more than this, in seconds: each stamp is cut to the second, and taken some
/// time after the writing.
const ONE_CLOCK: i64 = 10;

/// Why one name is that of two processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shared {
    /// It holds gateway leases in several namespaces, and a gateway locks in one.
    TwoNamespaces,
    /// What it wrote was written by two clocks, this many seconds apart; or its clock was set meanwhile.
    TwoClocks {
        /// How far apart.
        seconds: i64,
    },
}

/// The pod-level names among the holders of gateway leases that are proven to be those of several processes. `date` is
/// that of the answer which showed the leases.
#[must_use]
pub fn shared_names(leases: &[Listed], date: Option<Timestamp>) -> HashMap<&str, Shared> {
    let mut seen: HashMap<&str, Seen<'_>> = HashMap::new();
    for listed in leases {
        let holder = listed.record.holder().unwrap_or_default();
        let Some(Generation::PodLevel { name }) = Generation::of(holder) else {
            continue;
        };
        if Family::of(&listed.name) != Family::Gateway || !is_held(&listed.record, date) {
            continue;
        }
        let seen = seen.entry(name).or_default();
        if !seen.namespaces.contains(listed.namespace.as_str()) {
            seen.namespaces.insert(&listed.namespace);
        }
        if let Some(skew) = skew(&listed.record) {
            let (least, most) = seen.skews.unwrap_or((skew, skew));
            seen.skews = Some((least.min(skew), most.max(skew)));
        }
    }
    let shared = seen.into_iter().filter_map(|(name, seen)| {
        let apart = seen.skews.map_or(0, |(least, most)| most - least);
        if seen.namespaces.len() > 1 {
            Some((name, Shared::TwoNamespaces))
        } else if apart > ONE_CLOCK {
            Some((name, Shared::TwoClocks { seconds: apart }))
        } else {
            None
        }
    });
    shared.collect()
}

fn is_held(record: &LeaseRecord, date: Option<Timestamp>) -> bool {
    let verdict = judge(&Reading::first(record, date), DEFAULT_MARGIN);
    matches!(verdict, Verdict::Held { .. })
}

/// What was seen of one name.
#[derive(Default)]
struct Seen<'a> {
    namespaces: HashSet<&'a str>,
    skews: Option<(i64, i64)>,
}

#[cfg(test)]
mod tests {
    use gwlock_engine::protocol::record::Claim;

    use super::*;

    fn listed(namespace: &str, name: &str, holder: &str, skew: i64) -> Listed {
        Listed {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            record: LeaseRecord {
                uid: "u".to_owned(),
                resource_version: "1".to_owned(),
                created: None,
                deleting: false,
                stamp: Timestamp::from_second(1000).ok(),
                claim: Claim {
                    holder: Some(holder.to_owned()),
                    renew_time: Timestamp::from_second(1000 + skew).ok(),
                    ..Claim::default()
                },
            },
        }
    }

    fn shared(leases: &[Listed]) -> Vec<(&str, Shared)> {
        let date = Timestamp::from_second(1010).ok();
        shared_names(leases, date).into_iter().collect()
    }

    #[test]
    fn one_process_holds_many_leases_by_one_clock() {
        let leases = [
            listed("a", "gw-lock-1", "gateway-0", 3600),
            listed("a", "gw-lock-2", "gateway-0", 3605),
            listed("a", "gw-lock-3", "gateway-1", 0),
        ];
        assert_eq!(shared(&leases), []);
    }

    #[test]
    fn a_gateway_locks_in_one_namespace_and_has_one_clock() {
        let leases = [
            listed("a", "gw-lock-1", "gateway-0", 0),
            listed("b", "gw-lock-2", "gateway-0", 0),
        ];
        assert_eq!(shared(&leases), [("gateway-0", Shared::TwoNamespaces)]);
        let leases = [
            listed("a", "gw-lock-1", "gateway-0", 0),
            listed("a", "gw-lock-2", "gateway-0", 3600),
        ];
        assert_eq!(
            shared(&leases),
            [("gateway-0", Shared::TwoClocks { seconds: 3600 })]
        );
        // One that has expired may be that of an earlier process.
        let date = Timestamp::from_second(2000).ok();
        assert!(shared_names(&leases, date).is_empty());
    }

    #[test]
    fn other_leases_and_other_identities_prove_nothing() {
        let leases = [
            listed("a", "ro-lock-1", "gateway-0", 0),
            listed("b", "gw-lock-2", "gateway-0", 0),
            listed("a", "gw-lock-3", "ops@host_0123456789abcdef", 0),
            listed("b", "gw-lock-4", "ops@host_0123456789abcdef", 0),
            listed("a", "leader", "x", 0),
            listed("b", "leader", "x", 0),
        ];
        assert_eq!(shared(&leases), []);
    }
}
