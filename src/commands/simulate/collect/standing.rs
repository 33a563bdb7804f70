//! What stands on the cluster when a simulation is over: its RemediationRequests, and the leases that were left.

use std::collections::BTreeSet;
use std::time::Duration;

use gwlock_engine::client::list;
use gwlock_engine::protocol::expiry::{Evidence, Reading, Verdict, judge};
use gwlock_engine::protocol::timing::DEFAULT_MARGIN;
use gwlock_engine::remediation::list::Selection;
use tokio::time::{Instant, sleep};

use crate::commands::inspect::DEFAULT_TIMEOUT;
use crate::commands::requests;
use crate::context::Cluster;
use crate::failure::Failure;
use crate::output;
use crate::sim::history::What;
use crate::sim::join::{Part, Standing, locks};
use crate::sim::request;

/// How much longer is waited for a lease that was left than it lasts.
const REST: Duration = Duration::from_secs(10);

/// Reads it, when the leases that these histories are about have had the time to expire.
pub(super) async fn read(cluster: &Cluster, parts: &[Part]) -> Result<Standing, Failure> {
    let namespace = Some(cluster.namespace.as_str());
    let locks = locks(parts);
    let leases = leases(cluster, &locks).await?;
    let selection = Selection {
        namespace,
        ..Selection::default()
    };
    let listing = requests::list(cluster, selection, |object| Some(request(object, false))).await?;
    Ok(Standing {
        requests: listing.items,
        leases,
    })
}

async fn leases(cluster: &Cluster, locks: &BTreeSet<String>) -> Result<Vec<What>, Failure> {
    let namespace = Some(cluster.namespace.as_str());
    let timeout = cluster.request_timeout.unwrap_or(DEFAULT_TIMEOUT);
    let mut until = None;
    loop {
        let listing = list::list(&cluster.client, namespace, None, timeout, |_| true).await;
        let listing = listing.map_err(|error| Failure::unlisted(&error, namespace))?;
        let (mut told, mut rest) = (Vec::new(), Duration::ZERO);
        for listed in listing.items {
            let key = format!("{}/{}", listed.namespace, listed.name);
            if !locks.contains(&key) {
                continue;
            }
            let verdict = judge(
                &Reading::first(&listed.record, listing.date),
                DEFAULT_MARGIN,
            );
            if let Verdict::Held { evidence, .. } = &verdict {
                rest = rest.max(remaining(evidence));
            }
            told.push(What::Left {
                key,
                holder: listed.record.holder().unwrap_or_default().to_owned(),
                expired: !matches!(verdict, Verdict::Held { .. }),
            });
        }
        let rested = Instant::now() + rest;
        // One that is longer held than it could have been then is renewed by somebody.
        if rest.is_zero() || rested > *until.get_or_insert(rested + REST) {
            return Ok(told);
        }
        output::note(&format!(
            "waiting {} s for leases that were left to expire",
            rest.as_secs()
        ));
        sleep(rest).await;
    }
}

/// Until a look can find it expired: whole seconds on both sides.
fn remaining(evidence: &Evidence) -> Duration {
    evidence.remaining() + Duration::from_secs(1)
}
