//! `resolve`: every name leads to all others.

use serde_json::{Value, json};

use crate::fixture::{Gwlock, Run, Server};

#[cfg(feature = "sim")]
const FINGERPRINT: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";
const LEASE: &str = "gw-lock-91fce8d5c4949766";
#[cfg(feature = "sim")]
const REQUEST: &str = "rr-91fce8d5c494-0a1b2c3d";

/// In a lab, where one Deployment has a lease and a RemediationRequest.
#[cfg(feature = "sim")]
fn in_lab(arguments: &[&str]) -> Run {
    let program = env!("CARGO_BIN_EXE_gwlock");
    Gwlock::new(&[&["lab", "--", program, "resolve"], arguments].concat()).run()
}

fn offline(arguments: &[&str]) -> Run {
    Gwlock::new(&[&["resolve", "--offline"], arguments].concat()).run()
}

#[cfg(feature = "sim")]
#[test]
fn any_name_leads_to_all_others_and_to_what_the_cluster_has() {
    for thing in [
        "prod/Deployment/payment-api",
        FINGERPRINT,
        &FINGERPRINT[..20],
        LEASE,
        REQUEST,
    ] {
        let run = in_lab(&[thing, "-o", "json"]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{thing}");
        let printed = run.json();
        assert_eq!(printed["kind"], "Resolution");
        for (key, expected) in [
            ("target", "prod:Deployment:payment-api"),
            ("fingerprint", FINGERPRINT),
            ("lease", LEASE),
            ("remediationRequestPrefix", "rr-91fce8d5c494-"),
        ] {
            assert_eq!(printed[key], expected, "{thing}");
        }
        let cluster = &printed["cluster"];
        assert_eq!(cluster["controllerNamespace"], "kubernaut-system");
        assert_eq!(cluster["lease"]["state"], "held", "{thing}");
        let [request] = cluster["remediationRequests"]
            .as_array()
            .unwrap()
            .as_slice()
        else {
            panic!("{cluster}")
        };
        let told = |key: &str| request[key].clone();
        assert_eq!(told("name"), REQUEST);
        assert_eq!(told("phase"), "Processing");
        assert_eq!(told("occurrenceCount"), 3);
        assert_eq!(told("suppresses"), true);
    }
}

#[cfg(feature = "sim")]
#[test]
fn a_table_says_what_each_is_now() {
    let run = in_lab(&[LEASE]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(lines[1], "target        prod:Deployment:payment-api");
    assert_eq!(lines[2], format!("fingerprint   {FINGERPRINT}"));
    assert!(lines[3].ends_with("   held by gateway-7f9c-x2x"), "{run:?}");
    assert!(
        lines[4].contains("Processing, counted 3, last seen "),
        "{run:?}"
    );
    assert!(lines[4].ends_with(" ago; counts new signals"), "{run:?}");
}

#[cfg(feature = "sim")]
#[test]
fn what_is_not_there_is_said() {
    let run = in_lab(&["prod/Deployment/other"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("nobody holds it"), "{run:?}");
    assert!(
        run.stdout.contains("none in namespace kubernaut-system"),
        "{run:?}"
    );
    let run = in_lab(&["rr-0123456789ab-0a1b2c3d"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            1,
            "error: there is no RemediationRequest rr-0123456789ab-0a1b2c3d in namespace kubernaut-system\n\
             hint: gwlock dedup list --controller-namespace kubernaut-system   # the requests that there are\n"
        )
    );
}

#[cfg(feature = "sim")]
#[test]
fn a_request_that_is_gone_leads_to_those_that_came_after_it() {
    let run = in_lab(&["rr-91fce8d5c494-ffffffff"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (
            1,
            "error: there is no RemediationRequest rr-91fce8d5c494-ffffffff in namespace kubernaut-system\n\
             hint: gwlock dedup list --controller-namespace kubernaut-system   # the requests that there are\n"
        )
    );
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[1], "target        prod:Deployment:payment-api");
    assert!(
        lines[4].starts_with("request       rr-91fce8d5c494-0a1b2c3d "),
        "{run:?}"
    );
}

#[cfg(feature = "sim")]
#[test]
fn a_lease_whose_name_is_not_known_is_not_said_to_be_free() {
    let run = in_lab(&["rr-0123456789ab-0a1b2c3d"]);
    let lease = run.stdout.lines().nth(3).unwrap();
    let words: Vec<&str> = lease.splitn(3, char::is_whitespace).collect();
    assert_eq!(words[0], "lease", "{run:?}");
    assert!(
        lease.ends_with("not known: a lease's name has 16 digits of the fingerprint"),
        "{run:?}"
    );
}

#[test]
fn a_permission_that_is_missing_is_printed_as_a_rule() {
    let server = Server::start();
    server.serve_remediation_requests();
    let run = server.gwlock_as("viewer", &["resolve", LEASE]).run();
    assert_eq!((run.code, run.stdout.as_str()), (77, ""), "{run:?}");
    assert!(
        run.stderr.contains(
            "  - apiGroups: [\"kubernaut.ai\"]\n    resources: [\"remediationrequests\"]\n    verbs: [\"list\"]\n"
        ),
        "{run:?}"
    );
    assert!(
        run.stderr
            .ends_with("hint: --offline shows the names alone\n"),
        "{run:?}"
    );
}

#[test]
fn without_a_cluster_names_are_as_whole_as_they_can_be() {
    let run = offline(&["prod/Deployment/payment-api", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let printed = run.json();
    assert_eq!(
        (&printed["lease"], &printed["cluster"]),
        (&json!(LEASE), &Value::Null)
    );
    let printed = offline(&[LEASE, "-o", "json"]).json();
    assert_eq!(
        (
            &printed["fingerprint"],
            &printed["remediationRequestPrefix"]
        ),
        (&Value::Null, &json!("rr-91fce8d5c494-"))
    );
    let run = offline(&[
        ":Node:worker-node-1",
        "--cluster-id",
        "prod-east",
        "-o",
        "jsonpath={.lease}",
    ]);
    assert_eq!(run.stdout.trim_end(), "gw-lock-bbb02d0f29ca32a1");
    let january = ["prod:Pod:payment-api-789", "--gateway-version", "january"];
    let run = offline(&january);
    assert_eq!(run.code, 2, "{run:?}");
    let with_signal = ["--signal", "HighMemoryUsage", "-o", "jsonpath={.lease}"];
    let run = offline(&[&january[..], &with_signal[..]].concat());
    assert_eq!(run.stdout.trim_end(), "gw-lock-a5982f7182402b4a");
}

#[test]
fn what_names_nothing_is_bad_input() {
    let run = offline(&["payment-api"]);
    assert_eq!((run.code, run.stdout.as_str()), (65, ""), "{run:?}");
    assert!(
        run.stderr
            .starts_with("error: \"payment-api\" is no target"),
        "{run:?}"
    );
}
