//! What a report says of a lease, by itself and by what stands beside it.

use gwlock_engine::protocol::record::{Claim, LeaseRecord};

use super::*;

const NAME: &str = "gw-lock-91fce8d5c4949766";

fn listed(name: &str, claim: Claim) -> Listed {
    let record = LeaseRecord {
        uid: "u1".to_owned(),
        resource_version: "7".to_owned(),
        created: Timestamp::from_second(1000).ok(),
        deleting: false,
        stamp: Timestamp::from_second(1000).ok(),
        claim,
    };
    Listed {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
        record,
    }
}

fn held_by_gateway(renewed: i64) -> Claim {
    Claim {
        holder: Some("gateway-1".to_owned()),
        lease_duration_seconds: Some(30),
        renew_time: Timestamp::from_second(renewed).ok(),
        ..Claim::default()
    }
}

fn report(listed: &Listed, date: i64) -> Report<'_> {
    Report::of(listed, Timestamp::from_second(date).ok())
}

#[test]
fn a_report_says_by_which_evidence_a_lease_is_held() {
    assert_eq!(
        json!(report(&listed(NAME, held_by_gateway(1000)), 1010)),
        json!({
            "name": NAME, "namespace": "ns", "holder": "gateway-1", "state": "held", "stale": false,
            "staleReason": null, "generation": "pod-level", "holderBase": "gateway-1", "nonce": null,
            "ages": {"claimedSeconds": 10, "stampedSeconds": 10, "observedSeconds": null},
            "evidence": {"rule": "server", "ageSeconds": 10, "remainingSeconds": 22, "clockSkewSeconds": 0},
            "pod": null, "remediationRequests": null, "problems": [], "findings": [],
        })
    );
}

#[test]
fn expiry_and_a_wrong_clock_are_told_apart() {
    let listed = listed(NAME, held_by_gateway(940));
    let report = report(&listed, 1041);
    assert_eq!(
        report.cells(false, Detail::Joined),
        [
            NAME,
            "gateway-1",
            "expired",
            "41s",
            "9s ago",
            "41s",
            "101s",
            "server",
            "-60s",
            "pod-level",
            "-",
            "-",
            "-",
            "expired 9s ago by the server's clock",
            "the holder's clock is 60s behind the server's"
        ]
    );
    assert_eq!(
        report.cells(false, Detail::Joined).len(),
        Report::header(false, Detail::Joined).len()
    );
    assert_eq!(
        report.stale_reason().as_deref(),
        Some("expired 9s ago by the server's clock")
    );
}

#[test]
fn no_clock_but_the_servers_changes_what_is_judged() {
    // The holder's clock is off by an hour either way, and so is what it claims. This machine's clock goes in nowhere.
    for skew in [-3600, 0, 3600] {
        for (date, state, left) in [(1032, "held", 0), (1033, "expired", -1)] {
            let listed = listed(NAME, held_by_gateway(1000 + skew));
            let report = report(&listed, date);
            assert_eq!(
                (report.state, report.remaining_seconds(), report.is_stale()),
                (state, Some(left), state == "expired"),
                "{skew} {date}"
            );
            assert_eq!(report.ages.stamped_seconds, Some(date - 1000));
            assert_eq!(report.ages.claimed_seconds, Some(date - 1000 - skew));
            assert_eq!(report.clock_skew(), Some(skew));
        }
    }
}

#[test]
fn missing_fields_are_named_with_what_a_gateway_does_and_with_a_fix() {
    let claim = Claim {
        renew_time: None,
        ..held_by_gateway(1000)
    };
    let listed = listed(NAME, claim);
    let report = report(&listed, 1010);
    assert_eq!(
        json!(report)["findings"],
        json!([{
            "code": "NoRenewTime", "problem": "no renewTime: a gateway would wait for ever",
            "fix": format!("gwlock force-expire {NAME} -n ns   # once it has expired by the server's clock; the next holder writes every field"),
        }])
    );
    assert!(report.is_malformed());
}

#[test]
fn an_interactive_session_never_expires_by_the_locks_rule() {
    let claim = Claim {
        renew_time: None,
        ..held_by_gateway(1000)
    };
    let listed = listed("kubernaut-interactive-rr-1", claim);
    let report = report(&listed, 9000);
    assert_eq!(
        (report.state, report.stale, report.findings.len()),
        ("held", false, 0)
    );
    assert_eq!(report.evidence.rule, "none");
}

#[test]
fn keys_are_sorted_without_a_map() {
    let items = [listed(NAME, held_by_gateway(940))];
    let surroundings = Surroundings::default();
    let sheet = Sheet {
        items: &items,
        date: Timestamp::from_second(1010).ok(),
        surroundings: &surroundings,
    };
    assert_eq!(
        serde_json::to_string(&sheet).unwrap(),
        json!(sheet).to_string()
    );
}

#[test]
fn how_long_a_claim_was_seen_is_told_by_whoever_saw_it() {
    let listed = listed(NAME, held_by_gateway(1000));
    let report = report(&listed, 1010).observed_for(Duration::from_millis(5999));
    assert_eq!(json!(report)["ages"]["observedSeconds"], json!(5));
}
