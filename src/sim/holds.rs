//! How processes tell of their holds: to the history of a simulation, or into a file that whoever runs them reads.

#[cfg(feature = "serve")]
mod file;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::remediation::trace::{Event as Traced, LeaseEvent, Observer};

use super::history::What;
use super::protocols::gateway::{Hold, HoldObserver};

#[cfg(feature = "serve")]
pub(crate) use file::{Told, of_file, since_boot, to_file};

/// Tells of the holds of a processor. Those of one run come one after the other.
///
/// `locks` is the namespace of the leases, `valid` for how long a write is relied on after it was sent.
pub(crate) fn observer(
    tell: impl Fn(What) + Send + Sync + 'static,
    locks: String,
    valid: Duration,
) -> Observer {
    let open: Mutex<BTreeMap<u64, String>> = Mutex::default();
    let valid = u64::try_from(valid.as_micros()).ok();
    std::sync::Arc::new(move |traced| {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        let key = || format!("{locks}/{}", traced.fingerprint.lease_name());
        let mut end = |why: &str| {
            if let Some(term) = open.remove(&traced.run) {
                tell(What::Ended {
                    key: key(),
                    term,
                    why: why.to_owned(),
                });
            }
        };
        match &traced.event {
            Traced::Lease(LeaseEvent::Acquired { token, holder, .. }) => {
                end("acquired again");
                open.insert(traced.run, holder.clone());
                tell(What::Held {
                    key: key(),
                    term: holder.clone(),
                    holder: holder.clone(),
                    token: Some(token.to_string()),
                    valid,
                });
            }
            Traced::Lease(LeaseEvent::Lost) => end("lost"),
            Traced::Finished { .. } => end("finished"),
            _ => {}
        }
    })
}

/// Tells of the holds of a gateway, which knows no nonce and no end of a lease of its own. `process` tells this process
/// from all others, also from an earlier one of the same pod.
pub(crate) fn gateway_observer(
    tell: impl Fn(What) + Send + Sync + 'static,
    locks: String,
    pod: String,
    process: String,
) -> HoldObserver {
    std::sync::Arc::new(move |lease, hold| {
        let key = format!("{locks}/{lease}");
        let term = |number: u64| format!("{process}.{number:016x}");
        tell(match hold {
            Hold::Began(number) => What::Held {
                key,
                term: term(number),
                holder: pod.clone(),
                token: None,
                valid: None,
            },
            Hold::Ended(number) => What::Ended {
                key,
                term: term(number),
                why: "finished".to_owned(),
            },
        });
    })
}
