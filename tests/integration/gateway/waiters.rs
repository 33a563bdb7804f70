//! Waiters that find the RemediationRequest of their signal together: the gateway's write the status each on their own,
//! and some of them give up. Every signal was answered 202.

use kube::api::PostParams;
use serde_json::json;

use super::fleet::{Fleet, alert};

const WAITERS: usize = 8;
/// client-go's default for conflicts, which the gateway uses.
const TRIES: usize = 4;

async fn fleet_with_one_request() -> (Fleet, String) {
    let fleet = Fleet::new(2).await;
    fleet.cluster.create("shop/Pod/pod-0", None).await;
    let (_, created) = fleet.webhook(0, &[alert("A", "pod-0")]).await;
    let name = created["remediationRequestName"].as_str().unwrap();
    let name = name.to_owned();
    (fleet, name)
}

/// GET and PUT of the whole status, over again on a conflict. All waiters go in step, as they do when one release wakes
/// them.
async fn count_as_the_gateway_does(fleet: &Fleet, name: &str) {
    let requests = fleet.api();
    let mut waiting = WAITERS;
    for _ in 0..TRIES {
        let mut read = Vec::new();
        for _ in 0..waiting {
            read.push(requests.get(name).await.unwrap());
        }
        for mut request in read {
            let count = &mut request.data["status"]["deduplication"]["occurrenceCount"];
            *count = json!(count.as_i64().unwrap() + 1);
            let written = requests
                .replace_status(name, &PostParams::default(), &request)
                .await;
            waiting -= usize::from(written.is_ok());
        }
    }
    assert_eq!(waiting, WAITERS - TRIES, "they only log it");
}

#[tokio::test]
async fn waiters_that_write_on_their_own_lose_counts_and_ours_do_not() {
    let (fleet, name) = fleet_with_one_request().await;
    count_as_the_gateway_does(&fleet, &name).await;
    let counted = i64::try_from(1 + TRIES).unwrap();
    assert_eq!(fleet.counts().await, [counted], "the gateway's defect");

    let (fleet, _) = fleet_with_one_request().await;
    let storm = fleet.storm(vec![alert("A", "pod-0"); WAITERS]).await;
    assert_eq!(storm, [202; WAITERS]);
    let counted = i64::try_from(1 + WAITERS).unwrap();
    assert_eq!(fleet.counts().await, [counted]);
}
