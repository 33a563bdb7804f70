//! `dedup list`: what is shown of which requests.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{LEASE, TARGET, ago, collection, counted, request, request_in, server};
use crate::fixture::{NAMESPACE, Run, Server};

const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

/// Two requests of one key, one of them active; one that backs off, and one that waits for a person.
fn world(now: Timestamp) -> Server {
    let server = server();
    request(
        &server,
        "rr-91fce8d5c494-00000001",
        TARGET,
        7205,
        &counted(now, "Completed", 3605, 4),
    );
    request(
        &server,
        "rr-91fce8d5c494-00000002",
        TARGET,
        1205,
        &counted(now, "Executing", 665, 12),
    );
    let mut failed = counted(now, "Failed", 3605, 2);
    failed["routingStatus"] = json!({"nextAllowedExecution": ago(now, -1255)});
    request(&server, "rr-backs-off", "prod:Pod:a", 3665, &failed);
    let mut reviewed = counted(now, "Completed", 3605, 1);
    reviewed["completionStatus"] = json!({"outcome": "ManualReviewRequired"});
    request(&server, "rr-reviewed", ":Node:worker-1", 90_000, &reviewed);
    server
}

fn list(server: &Server, flags: &[&str]) -> Run {
    server.gwlock(&[&["dedup", "list"], flags].concat()).run()
}

fn names(server: &Server, flags: &[&str]) -> Vec<String> {
    let run = list(server, &[&["-o", "name"], flags].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{flags:?}");
    let short = |line: &str| {
        let name = line.strip_prefix("remediationrequest.kubernaut.ai/");
        name.unwrap().to_owned()
    };
    run.stdout.lines().map(short).collect()
}

#[test]
fn a_table_shows_what_each_request_counted_and_which_one_counts_next() {
    let server = world(Timestamp::now());
    let run = list(&server, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(
        run.stdout,
        "\
NAME                       ACTIVE   PHASE       COUNT   FIRST SEEN   LAST SEEN   SUPPRESSES        TARGET                        SIGNAL    AGE
rr-reviewed                -        Completed   1       61m          60m         ManualReview      :Node:worker-1                HighCPU   25h
rr-91fce8d5c494-00000002   *        Executing   12      61m          11m         Active            prod:Deployment:payment-api   HighCPU   20m
rr-91fce8d5c494-00000001   -        Completed   4       61m          60m         -                 prod:Deployment:payment-api   HighCPU   120m
rr-backs-off               -        Failed      2       61m          60m         BackOff for 20m   prod:Pod:a                    HighCPU   61m
"
    );
    let wide = list(&server, &["-o", "wide", "--no-headers", TARGET]);
    assert_eq!(
        wide.stdout,
        format!(
            "\
rr-91fce8d5c494-00000002   *        Executing   12      61m          11m         Active       prod:Deployment:payment-api   HighCPU   20m    -         warning    -            {FINGERPRINT}
rr-91fce8d5c494-00000001   -        Completed   4       61m          60m         -            prod:Deployment:payment-api   HighCPU   120m   -         warning    -            {FINGERPRINT}
"
        )
    );
}

#[test]
fn json_has_everything_by_key() {
    let now = Timestamp::now();
    let server = world(now);
    let run = list(&server, &["prod/Deployment/payment-api", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let printed = run.json();
    let created = |at: usize| printed["items"][0]["requests"][at]["createdAt"].clone();
    let request = |at: usize, name: &str, phase: &str, count: i32, last_seen: i64| {
        json!({
            "active": phase == "Executing", "createdAt": created(at), "createdBy": null, "deleting": false,
            "firstSeenAt": ago(now, 3660), "lastSeenAt": ago(now, last_seen), "name": name,
            "nextAllowedExecution": null, "occurrenceCount": count, "outcome": null, "phase": phase,
            "severity": "warning", "signal": "HighCPU", "suppresses": null, "target": TARGET,
        })
    };
    let mut active = request(0, "rr-91fce8d5c494-00000002", "Executing", 12, 665);
    active["suppresses"] = json!({"reason": "Active", "until": null});
    assert_eq!(
        printed,
        json!({
            "apiVersion": "gwlock.dev/v1alpha1",
            "kind": "DedupList",
            "items": [{
                "active": 1, "fingerprint": FINGERPRINT, "key": TARGET, "lease": LEASE, "namespace": NAMESPACE,
                "requests": [active, request(1, "rr-91fce8d5c494-00000001", "Completed", 4, 3605)],
            }],
        })
    );
    assert!(created(0).is_string() && created(1).is_string());
    let run = list(&server, &["rr-backs-off", "--key-as", "text"]);
    assert_eq!(run.code, 1, "a text is a key, and nobody's: {run:?}");
    let until = list(
        &server,
        &[
            "prod:Pod:a",
            "-o",
            "jsonpath={.items[0].requests[0].suppresses}",
        ],
    );
    assert_eq!(
        serde_json::from_str::<Value>(&until.stdout).unwrap(),
        json!({"reason": "BackOff", "until": ago(now, -1255)})
    );
}

#[test]
fn every_form_of_a_key_chooses_the_same_requests() {
    let server = world(Timestamp::now());
    let both = ["rr-91fce8d5c494-00000002", "rr-91fce8d5c494-00000001"];
    for key in [
        "prod/Deployment/payment-api",
        TARGET,
        FINGERPRINT,
        &FINGERPRINT[..20],
        LEASE,
        "lease.coordination.k8s.io/gw-lock-91fce8d5c4949766",
        "rr-91fce8d5c494-00000001",
        "remediationrequest.kubernaut.ai/rr-91fce8d5c494-00000002",
    ] {
        assert_eq!(names(&server, &[key]), both, "{key}");
    }
    assert_eq!(
        names(&server, &["prod/Pod/a", ":Node:worker-1"]),
        ["rr-reviewed", "rr-backs-off"]
    );
    let from_stdin = server.gwlock(&["dedup", "list", "-", "-o", "name"]);
    let run = from_stdin.stdin("prod/Pod/a\n\n").run();
    assert_eq!(run.stdout, "remediationrequest.kubernaut.ai/rr-backs-off\n");
}

#[test]
fn requests_can_be_chosen_by_label_and_by_being_at_work() {
    let server = world(Timestamp::now());
    assert_eq!(names(&server, &["--active"]), ["rr-91fce8d5c494-00000002"]);
    assert_eq!(
        names(&server, &["-l", "name in (rr-backs-off)"]),
        ["rr-backs-off"]
    );
    // What is not selected may be what suppresses.
    let status = counted(Timestamp::now(), "Pending", 605, 1);
    request(&server, "rr-younger", TARGET, 1000, &status);
    let run = list(&server, &["-l", "name=rr-younger", "-o", "json"]);
    let items = &run.json()["items"];
    assert_eq!((&items[0]["active"], &items[1]), (&json!(2), &Value::Null));
    let younger = &items[0]["requests"][0];
    assert_eq!(
        (&younger["name"], &younger["suppresses"]),
        (&json!("rr-younger"), &Value::Null)
    );
    let run = list(&server, &["-l", "name in ("]);
    assert_eq!((run.code, run.stdout.as_str()), (65, ""), "{run:?}");
}

#[test]
fn a_key_without_a_request_is_a_no() {
    let server = world(Timestamp::now());
    for (flags, message) in [
        (
            vec!["prod/Deployment/other"],
            "error: there is no RemediationRequest of prod/Deployment/other in namespace kubernaut-system\n\
             hint: gwlock dedup list --controller-namespace kubernaut-system   # the requests that there are\n",
        ),
        (
            vec!["rr-91fce8d5c494-99999999"],
            "error: there is no RemediationRequest of rr-91fce8d5c494-99999999 in namespace kubernaut-system\n\
             hint: gwlock dedup list --controller-namespace kubernaut-system   # the requests that there are\n",
        ),
        (
            vec!["prod/Pod/a", "--active"],
            "error: there is no active RemediationRequest of prod/Pod/a in namespace kubernaut-system\n\
             hint: gwlock dedup list --controller-namespace kubernaut-system   # the requests that there are\n",
        ),
        (
            vec!["prod/Pod/b", "-A"],
            "error: there is no RemediationRequest of prod/Pod/b in any namespace\n\
             hint: gwlock dedup list -A   # the requests that there are\n",
        ),
    ] {
        let run = list(&server, &flags);
        assert_eq!((run.code, run.stderr.as_str()), (1, message), "{flags:?}");
    }
}

#[test]
fn nothing_to_show_is_said_with_where_was_looked() {
    let server = server();
    let run = list(&server, &[]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "No resources found in kubernaut-system namespace.\n")
    );
    let run = list(&server, &["-A"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "No resources found\n")
    );
    let run = list(&server, &["-o", "json"]);
    assert_eq!(
        (run.code, run.json()),
        (
            0,
            json!({"apiVersion": "gwlock.dev/v1alpha1", "items": [], "kind": "DedupList"})
        )
    );
}

#[test]
fn requests_are_looked_for_in_the_controllers_namespace() {
    let now = Timestamp::now();
    let server = server();
    server.create(
        "/api/v1/namespaces",
        0,
        &json!({"metadata": {"name": "control"}}),
    );
    let status = counted(now, "Executing", 660, 1);
    request_in(&server, "control", "rr-there", TARGET, 700, &status);
    request(&server, "rr-here", TARGET, 700, &status);
    assert_eq!(names(&server, &[]), ["rr-here"]);
    assert_eq!(
        names(&server, &["--controller-namespace", "control"]),
        ["rr-there"]
    );
    assert_eq!(names(&server, &["-n", "control"]), ["rr-there"]);
    let run = server
        .gwlock(&["dedup", "list", "-o", "name"])
        .env("KUBERNAUT_CONTROLLER_NAMESPACE", "control")
        .run();
    assert_eq!(run.stdout, "remediationrequest.kubernaut.ai/rr-there\n");
    let run = list(&server, &["-A", "--no-headers"]);
    let first: Vec<&str> = run
        .stdout
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(first, ["control", NAMESPACE]);
}

#[test]
fn many_requests_come_in_pages_and_one_key_in_one() {
    let server = server();
    let object = request(&server, "rr-0", TARGET, 0, &Value::Null);
    for number in 1..=250 {
        let mut object = object.clone();
        object["metadata"] = json!({"name": format!("rr-{number}")});
        server.create(&collection(NAMESPACE), 0, &object);
    }
    assert_eq!(names(&server, &[]).len(), 251);
    assert_eq!(server.count_of("list", "remediationrequests"), 2);
    let run = list(&server, &["prod/Pod/other"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(server.count_of("list", "remediationrequests"), 3);
}
