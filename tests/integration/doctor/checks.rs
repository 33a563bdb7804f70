//! The healthy report as a whole, and each check once it is broken.

use gwlock_apiserver::faults::{Action, Fault};
use serde_json::{Value, json};

use super::*;

#[test]
fn a_healthy_cluster_has_nothing_but_good_lines() {
    let server = healthy();
    let run = doctor(&server, &[]);
    assert_eq!(
        lines(&run),
        [
            "ok kubeconfig SERVER, leases in kubernaut-system, requests in kubernaut-system",
            "ok api-server Kubernetes v1.36.3+embedded at SERVER answers in N ms",
            "ok answers every question was answered",
            "ok lease-api leases of coordination.k8s.io/v1 are served",
            "ok lock-namespace leases are looked for in kubernaut-system",
            "ok machine-clock this machine's clock agrees with the server's",
            "ok holder-clocks the clocks of all holders agree with the server's",
            "ok may-look admin may look at leases and requests",
            "ok may-act admin may acquire and remove leases",
            "ok gateway-permissions system:serviceaccount:kubernaut-system:gateway may lock, make and count requests",
            "ok lease-creators nobody but gateways, administrators and the cluster may create leases in kubernaut-system",
            "ok definition remediationrequests of kubernaut.ai/v1alpha1 are served, namespaced, with a status",
            "ok selectable-fingerprint requests can be selected by spec.signalFingerprint",
            "ok gateway-pods 2 pods ready",
            "ok gateway-identity POD_NAME and POD_NAMESPACE of every pod come from the downward API",
            "ok gateway-lock-namespace every gateway locks in kubernaut-system and makes requests in kubernaut-system",
            "ok stale-leases no lease in kubernaut-system has expired",
            "ok malformed-leases every lease in kubernaut-system is one that gateways can judge",
            "ok long-held-leases no lease is held for more than N s",
            "ok lease-count 1 lease of gateways in kubernaut-system",
            "ok active-requests 1 active key in kubernaut-system, each with one request",
            "ok request-findings 1 request in kubernaut-system, and nothing is wrong with them",
        ]
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(
        run.stdout.lines().last(),
        Some("22 ok, 0 warnings, 0 failures, 0 skipped")
    );
    let subjects: Vec<&str> = run
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    assert_eq!(
        subjects[..7],
        [
            "connection",
            "clock",
            "permissions",
            "definition",
            "gateway",
            "leases",
            "requests"
        ]
    );
    // Nothing was written.
    for verb in ["update", "patch", "delete"] {
        assert_eq!(server.count(verb), 0, "{verb}");
    }
}

#[test]
fn a_check_is_printed_as_json_with_its_fix_and_what_it_rests_on() {
    let server = healthy();
    server.lease(
        "gw-lock-0000000000000001",
        100,
        &Server::held_by("gateway-gone", 100),
    );
    let printed = doctor(&server, &["-o", "json"]).json();
    let top: Vec<&String> = printed.as_object().unwrap().keys().collect();
    assert_eq!(
        top,
        [
            "apiVersion",
            "checks",
            "gwlockVersion",
            "kind",
            "lookedAt",
            "summary",
            "verdict"
        ]
    );
    assert_eq!(
        (
            &printed["apiVersion"],
            &printed["kind"],
            &printed["verdict"]
        ),
        (
            &json!("gwlock.dev/v1alpha1"),
            &json!("DoctorReport"),
            &json!("warning")
        )
    );
    assert_eq!(
        printed["lookedAt"],
        json!({
            "namespace": NAMESPACE, "controllerNamespace": NAMESPACE, "gatewaySelector": "app=gateway",
            "gatewayNamespace": null,
        })
    );
    // The lease has no request either.
    assert_eq!(
        printed["summary"],
        json!({"ok": 20, "warning": 2, "failure": 0, "skipped": 0})
    );
    let mut stale = check(&server, "stale-leases");
    let ago = stale["evidence"]["worst"][0]["expiredSecondsAgo"]
        .take()
        .as_u64()
        .unwrap();
    stale["message"] = json!(settled(stale["message"].as_str().unwrap()));
    assert!((68..128).contains(&ago), "{ago}");
    assert_eq!(
        stale,
        json!({
            "check": "stale-leases", "subject": "leases", "result": "warning",
            "message": "1 lease expired and not released, so that the holder crashed or could not delete: \
                        gw-lock-0000000000000001 of gateway-gone, N s ago",
            "fix": "gwlock inspect gw-lock-0000000000000001 -n kubernaut-system\n\
                    gwlock force-expire gw-lock-0000000000000001 -n kubernaut-system",
            "evidence": {"expired": 1, "worst": [
                {"name": "gw-lock-0000000000000001", "holder": "gateway-gone", "expiredSecondsAgo": null},
            ]},
        })
    );
}

#[test]
fn warnings_fail_where_that_is_asked_for() {
    let server = healthy();
    assert_eq!(doctor(&server, &["--fail-on", "warning"]).code, 0);
    server.lease(
        "gw-lock-0000000000000001",
        100,
        &Server::held_by("gateway-gone", 100),
    );
    assert_eq!(doctor(&server, &[]).code, 0);
    let run = doctor(&server, &["--fail-on", "warning", "-o", "name"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (1, "stale-leases\nrequest-findings\n")
    );
}

#[test]
fn every_format_has_the_same_checks() {
    let server = healthy();
    let path = "jsonpath={range .checks[*]}{.check} {end}";
    let names = doctor(&server, &["-o", path]).stdout;
    assert_eq!(names.split_whitespace().count(), 22);
    let yaml: Value = serde_yaml::from_str(&doctor(&server, &["-o", "yaml"]).stdout).unwrap();
    assert_eq!(yaml["checks"].as_array().map(Vec::len), Some(22));
    assert_eq!(doctor(&server, &["-o", "name"]).stdout, "");
}

#[test]
fn leases_that_are_stale_malformed_held_for_long_or_too_many_are_told() {
    let server = healthy();
    for number in 1..=2 {
        server.lease(
            &format!("gw-lock-000000000000000{number}"),
            40 + number,
            &Server::held_by("gateway-gone", 40),
        );
    }
    assert_eq!(
        line(&server, "stale-leases", &[]),
        (
            0,
            "warning stale-leases 2 leases expired and not released, so that the holder crashed or could not delete: \
             gw-lock-0000000000000002 of gateway-gone, N s ago, gw-lock-0000000000000001 of gateway-gone, N s ago"
                .to_owned()
        )
    );
    let fix = check(&server, "stale-leases")["fix"].clone();
    assert_eq!(
        fix,
        "gwlock inspect -n kubernaut-system --prefix gw-lock --prefix ro-lock --stale -o wide\ngwlock gc -n kubernaut-system"
    );

    server.lease(
        "gw-lock-0000000000000003",
        0,
        &json!({"holderIdentity": "x", "leaseDurationSeconds": 30}),
    );
    assert_eq!(
        line(&server, "malformed-leases", &[]),
        (
            1,
            "failure malformed-leases gw-lock-0000000000000003 has no renewTime; a gateway waits for these for ever, and \
             their signals fail"
                .to_owned()
        )
    );

    let mut long = Server::held_by("gateway-a", 100);
    long["leaseDurationSeconds"] = json!(3600);
    server.lease("gw-lock-0000000000000004", 100, &long);
    assert_eq!(
        line(&server, "long-held-leases", &[]).1,
        "warning long-held-leases 1 lease held for longer than a signal takes, so that the holder is stuck or a person has \
         it: gw-lock-0000000000000004 by gateway-a for N s"
    );

    for number in 0..96 {
        server.lease(
            &format!("gw-lock-1{number:015}"),
            0,
            &Server::held_by("gateway-a", 0),
        );
    }
    assert_eq!(
        line(&server, "lease-count", &[]).1,
        "warning lease-count 101 leases for 1 active key: more than 100, which is what they need at most; they are not \
         released, or somebody makes them"
    );
}

#[test]
fn a_lease_that_a_finalizer_keeps_comes_with_what_lets_it_go() {
    let server = healthy();
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases");
    let lease = json!({
        "metadata": {"name": "gw-lock-0000000000000001", "finalizers": ["a.b/c"]}, "spec": Server::held_by("x", 0),
    });
    server.post(&path, &lease);
    server.delete("gw-lock-0000000000000001");
    assert_eq!(
        check(&server, "malformed-leases")["fix"],
        "gwlock inspect gw-lock-0000000000000001 -n kubernaut-system\n\
         kubectl patch leases.coordination.k8s.io gw-lock-0000000000000001 -n kubernaut-system --type=merge -p \
         '{\"metadata\":{\"finalizers\":null}}'"
    );
}

#[test]
fn clocks_that_are_off_are_told_apart_by_whose_they_are() {
    let server = healthy();
    server.lease(
        "gw-lock-0000000000000001",
        0,
        &Server::held_by("gateway-b", 60),
    );
    assert_eq!(
        line(&server, "holder-clocks", &[]),
        (
            1,
            "failure holder-clocks 1 lease written by a clock that is off: gateway-b by -60 s in gw-lock-0000000000000001; \
             gateways judge by their own clocks, and these are off by a whole lease: one takes over what another holds, or \
             nobody takes over what is left"
                .to_owned()
        )
    );
    let server = healthy();
    server.set_back(600);
    let (code, said) = line(&server, "machine-clock", &[]);
    assert_eq!(
        (code, said.as_str()),
        (
            0,
            "warning machine-clock this machine's clock is at least N s ahead of the server's: gwlock does not judge by it, \
             but `date` and other programs here do"
        )
    );
    // By the server's clock nothing has expired meanwhile.
    assert_eq!(
        line(&server, "stale-leases", &[]).1,
        "ok stale-leases no lease in kubernaut-system has expired"
    );
}

#[test]
fn requests_that_are_active_twice_or_wrong_are_told() {
    let server = healthy();
    request(&server, "rr-91fce8d5c494-ffffffff", TARGET, 5, true);
    assert_eq!(
        line(&server, "active-requests", &[]),
        (
            1,
            "failure active-requests several requests are active of 1 key: prod:Deployment:payment-api; the lock was passed \
             by, and one alert is remediated more than once"
                .to_owned()
        )
    );
    request(
        &server,
        "rr-000000000000-ffffffff",
        "prod:Pod:a",
        600,
        false,
    );
    assert_eq!(
        line(&server, "request-findings", &[]).1,
        "warning request-findings requests are inconsistent: 1 not-counted"
    );
    let fix =
        "gwlock dedup check -n kubernaut-system --controller-namespace kubernaut-system -o wide";
    assert_eq!(check(&server, "request-findings")["fix"], fix);
}

#[test]
fn a_definition_that_is_missing_or_old_is_a_failure() {
    let server = Server::start();
    assert_eq!(
        line(&server, "definition", &[]),
        (
            1,
            "failure definition the cluster has no remediationrequests.kubernaut.ai: no signal can become a request; \
             install Kubernaut's definitions"
                .to_owned()
        )
    );
    let mut definition: Value = serde_yaml::from_str(gwlock_testkit::REMEDIATION_REQUESTS).unwrap();
    definition["spec"]["versions"][0]
        .as_object_mut()
        .unwrap()
        .remove("selectableFields");
    server.post(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        &definition,
    );
    let (code, said) = line(&server, "selectable-fingerprint", &[]);
    assert_eq!(code, 1);
    let begin = "failure selectable-fingerprint requests cannot be selected by spec.signalFingerprint, and each signal would \
                 list all of them: ";
    assert!(said.starts_with(begin), "{said}");
    // The fix is one that works.
    let fix = check(&server, "selectable-fingerprint")["fix"]
        .as_str()
        .unwrap()
        .to_owned();
    let patch = fix.split('\'').nth(1).unwrap();
    let path =
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/remediationrequests.kubernaut.ai";
    server.patch_json(path, patch);
    assert_eq!(
        line(&server, "selectable-fingerprint", &[]).1,
        "ok selectable-fingerprint requests can be selected by spec.signalFingerprint"
    );
}

#[test]
fn gateways_that_do_not_lock_or_lock_elsewhere_are_failures() {
    let server = healthy();
    gateway(
        &server,
        NAMESPACE,
        "gateway-c",
        &json!([field("POD_NAMESPACE", "metadata.namespace")]),
    );
    assert_eq!(
        line(&server, "gateway-identity", &[]),
        (
            1,
            "failure gateway-identity POD_NAME is not set in kubernaut-system/gateway-c: the lock is silently off there, and \
             each pod makes requests of its own"
                .to_owned()
        )
    );
    let server = healthy();
    server.post(
        "/api/v1/namespaces",
        &json!({"metadata": {"name": "staging"}}),
    );
    gateway(&server, "staging", "gateway-z", &downward());
    // Somebody else's, who has the label too.
    let other = json!([{"name": "gateway", "image": "spring/cloud-gateway"}]);
    pod(&server, "staging", "shop", &other, true);
    assert_eq!(
        line(&server, "gateway-lock-namespace", &["--gateway-selector", "app in (gateway)"]),
        (
            1,
            "failure gateway-lock-namespace gateways lock in different namespaces and do not exclude each other: \
             kubernaut-system/gateway-a, kubernaut-system/gateway-b in kubernaut-system; staging/gateway-z in staging"
                .to_owned()
        )
    );
    assert_eq!(
        line(&server, "gateway-pods", &["--gateway-namespace", NAMESPACE]).1,
        "ok gateway-pods 2 pods ready"
    );
}

#[test]
fn gateways_that_are_missing_or_not_ready_are_warnings() {
    let server = healthy();
    assert_eq!(
        line(&server, "gateway-pods", &["--gateway-selector", "app=other"]),
        (
            0,
            "warning gateway-pods no gateway runs: there are no pods with app=other in all namespaces; --gateway-selector \
             and --gateway-namespace look elsewhere"
                .to_owned()
        )
    );
    let containers = json!([{"name": "gateway", "image": "gateway", "env": downward()}]);
    pod(&server, NAMESPACE, "gateway-c", &containers, false);
    assert_eq!(
        line(&server, "gateway-pods", &[]),
        (
            0,
            "warning gateway-pods 1 of 3 pods not ready: kubernaut-system/gateway-c (Running)"
                .to_owned()
        )
    );
}

#[test]
fn a_namespace_that_does_not_exist_is_a_failure() {
    let server = healthy();
    let (code, said) = line(&server, "lock-namespace", &["-n", "nope"]);
    assert_eq!(
        (code, said.as_str()),
        (
            1,
            "failure lock-namespace there is no namespace nope: is the gateway's another one?"
        )
    );
}

#[test]
fn a_question_that_is_not_answered_fails_and_hides_no_other() {
    let server = healthy();
    server.inject(
        Fault::new(Action::Refuse {
            status: 503,
            retry_after: None,
        })
        .verb("list")
        .resource("leases"),
    );
    let run = doctor(&server, &[]);
    let said = lines(&run);
    assert_eq!(run.code, 1);
    let of = |check: &str| {
        let is_its = |line: &&String| line.split(' ').nth(1) == Some(check);
        said.iter().find(is_its).unwrap().as_str()
    };
    assert!(
        of("answers").starts_with(
            "failure answers 1 question without an answer, such as \
             /apis/coordination.k8s.io/v1/namespaces/kubernaut-system/leases: "
        ),
        "{said:?}"
    );
    for check in [
        "holder-clocks",
        "stale-leases",
        "malformed-leases",
        "long-held-leases",
        "lease-count",
    ] {
        assert!(of(check).starts_with("skipped "), "{said:?}");
    }
    for check in ["active-requests", "gateway-pods", "definition", "may-look"] {
        assert!(of(check).starts_with("ok "), "{said:?}");
    }
}
