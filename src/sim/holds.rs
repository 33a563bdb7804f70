//! How processes tell of their holds: to the history of a simulation, or into a file that whoever runs them reads.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::remediation::trace::{Event as Traced, LeaseEvent, Observer};
use rustix::time::{ClockId, clock_gettime};

use super::history::{Event, What};
use super::protocols::gateway::{Hold, HoldObserver};

/// What is told of holds.
pub(crate) type Told = What;

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

/// Writes what is told into a file, a line each at once, so that a killed process leaves it behind. `at` is in
/// microseconds of the machine's clock since it was started, which all processes of a machine share.
pub(crate) fn to_file(path: &Path, pod: &str) -> io::Result<impl Fn(What) + Send + Sync + 'static> {
    let file = Mutex::new(File::create(path)?);
    let pod = pod.to_owned();
    Ok(move |what| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let event = Event {
            at: since_boot(),
            pod: pod.clone(),
            incarnation: 0,
            what,
        };
        let mut line = serde_json::to_vec(&event).unwrap_or_default();
        line.push(b'\n');
        if let Err(error) = file.write_all(&line) {
            tracing::error!(%error, "a hold cannot be told of");
        }
    })
}

/// What [`to_file`] wrote. The last line of a killed process may be cut short.
pub(crate) fn of_file(path: &Path) -> io::Result<Vec<Event>> {
    let lines = BufReader::new(File::open(path)?).lines();
    let mut events = Vec::new();
    for line in lines {
        match serde_json::from_str(&line?) {
            Ok(event) => events.push(event),
            Err(_) => break,
        }
    }
    Ok(events)
}

/// Microseconds since the machine was started, the time included for which it was suspended.
pub(crate) fn since_boot() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    u64::try_from(micros).unwrap_or(0)
}
