//! Rehearsals: the decision of a run, from the same reads, with nothing stored.

use gwlock_apiserver::faults::{Action, Fault};
use gwlock_engine::client::AcquireError;
use gwlock_engine::remediation::Failure;
use gwlock_engine::remediation::dedup::Reason;
use gwlock_engine::remediation::processor::{Check, Rehearsal};
use serde_json::json;

use super::world::{FIRST, REQUESTS, World, signal};

fn created(name: &str) -> Rehearsal {
    Rehearsal::Create {
        name: name.to_owned(),
        namespace: REQUESTS.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn only_reads_are_sent_unless_writes_are_to_be_checked() {
    for (check, requests) in [
        (
            Check::Reads,
            vec![
                "list remediationrequests 200",
                "list remediationrequests 200",
            ],
        ),
        (
            Check::Writes,
            vec![
                "list remediationrequests 200",
                "create leases 201",
                "list remediationrequests 200",
                "create remediationrequests 201",
            ],
        ),
    ] {
        let world = World::new().await;
        let processor = world.pod("gateway-1").build();
        let rehearsed = processor.rehearse(&signal(), check).await;
        assert_eq!(rehearsed, Ok(created(FIRST)));
        processor.settled().await;
        assert_eq!(world.log(), requests, "{check:?}");
        // Whatever was checked is still free.
        let processed = processor.process(signal()).await.unwrap();
        assert_eq!((processed.name.as_str(), processed.count), (FIRST, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_suppresses_would_be_counted_on() {
    for (check, requests) in [
        (Check::Reads, vec!["list remediationrequests 200"]),
        (
            Check::Writes,
            vec![
                "list remediationrequests 200",
                "patch remediationrequests/status 200",
            ],
        ),
    ] {
        let world = World::new().await;
        let reviewed = json!({
            "overallPhase": "Completed", "completionStatus": {"outcome": "ManualReviewRequired"},
            "deduplication": {"occurrenceCount": 3},
        });
        world.request("rr-x", reviewed).await;
        let before = world.object("rr-x").await;
        world.forget();
        let processor = world.pod("gateway-1").build();
        let Ok(Rehearsal::Count { count, reason }) = processor.rehearse(&signal(), check).await
        else {
            panic!("it is not counted");
        };
        assert_eq!(world.log(), requests, "{check:?}");
        assert_eq!(
            (count.request().name.as_str(), count.after(), reason),
            ("rr-x", 4, Reason::ManualReview)
        );
        assert_eq!(world.object("rr-x").await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_holds_is_not_waited_for() {
    let world = World::new().await;
    world.lease_of_a_crashed_gateway().await;
    let processor = world.pod("gateway-1").build();
    assert_eq!(
        processor.rehearse(&signal(), Check::Reads).await,
        Ok(created(FIRST))
    );
    let checked = processor.rehearse(&signal(), Check::Writes).await;
    assert!(
        matches!(
            checked,
            Err(Failure::Lease(AcquireError::Busy { holder: Some(_) }))
        ),
        "{checked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_is_tried_again_as_in_a_run() {
    let world = World::new().await;
    let busy = Action::Refuse {
        status: 503,
        retry_after: None,
    };
    world
        .server
        .faults()
        .inject(Fault::new(busy).verb("list").times(1));
    let processor = world.pod("gateway-1").build();
    let rehearsed = processor.rehearse(&signal(), Check::Reads).await;
    assert_eq!(rehearsed, Ok(created(FIRST)));
}
