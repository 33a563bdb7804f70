//! What can be asked for, and what cannot.

use serde_json::json;

use super::arena::{Arena, LEASE, POD, REQUEST, TARGET, alert};
use super::fake::Fake;
use crate::fixture::{Gwlock, Run};

fn send(arguments: &[&str]) -> Run {
    Gwlock::new(&[&["send"], arguments].concat()).run()
}

fn first_line(run: &Run) -> &str {
    run.stderr.lines().next().unwrap_or_default()
}

#[test]
fn one_place_to_send_to_is_needed() {
    let run = send(&["--alertname", "A"]);
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            2,
            "",
            "error: one of --gateway URL and --direct is needed\n\
             hint: gwlock send --alertname A --gateway http://127.0.0.1:8080   # sends it to a gateway\n\
             hint: gwlock send --alertname A --direct   # does here what a gateway would do\n\
             hint: gwlock lab -- gwlock send --direct --alertname A --namespace prod --pod checkout-6b5d4c-k8s2p   \
             # on a cluster to try things on\n"
        )
    );
    let run = send(&[
        "--alertname",
        "A",
        "--direct",
        "--gateway",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn one_signal_is_needed() {
    let run = send(&["--gateway", "http://127.0.0.1:1"]);
    assert_eq!(
        (run.code, first_line(&run)),
        (2, "error: no signal is given")
    );
    for flags in [
        vec!["--alertname", "A", "--event", "B"],
        vec!["--alertname", "A", "-f", "-"],
        vec!["-f", "-", "--pod", "p"],
        vec!["-f", "-", "--severity", "x"],
        vec!["--event", "B", "--severity", "x", "--pod", "p"],
        vec!["--event", "B", "--status", "firing", "--pod", "p"],
        vec!["--event", "B", "--kind", "Pod", "--pod", "p"],
        vec!["--event", "B"],
        vec!["--alertname", "A", "--kind", "Pod"],
        vec!["--alertname", "A", "--label", "x"],
        vec!["--alertname", "A", "--starts-at", "yesterday"],
        vec!["--alertname", "A", "--repeat", "0"],
        vec!["--alertname", "A", "--concurrency", "0"],
        vec!["--alertname", "A", "--payload-as", "event"],
        vec!["--alertname", "A", "--yes"],
        vec!["--alertname", "A", "--scope", "all"],
        vec!["--alertname", "A", "--lease-namespace", "ns"],
        vec!["--alertname", "A", "--controller-namespace", "ns"],
        vec!["--alertname", "A", "--identity", "me"],
        vec!["--alertname", "A", "--signal-timeout", "1s"],
        vec!["-f", "-", "-n", "prod"],
    ] {
        let run = send(&[&["--gateway", "http://127.0.0.1:1"], flags.as_slice()].concat());
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (2, ""),
            "{flags:?}: {run:?}"
        );
    }
}

#[test]
fn flags_of_the_one_way_do_nothing_on_the_other_and_are_refused() {
    for flags in [
        vec!["--retry", "1"],
        vec!["--gateway-token-file", "f"],
        vec!["--gateway-ca-file", "f"],
        vec!["--gateway-insecure-skip-tls-verify"],
    ] {
        let run = send(&[&["--direct", "--alertname", "A"], flags.as_slice()].concat());
        let expected = format!(
            "error: {} goes with --gateway, which is not given\n\
             hint: gwlock send --direct --alertname A {} --help   # its flags and what they take\n",
            flags[0],
            flags.join(" ")
        );
        assert_eq!((run.code, run.stderr), (2, expected));
    }
}

#[test]
fn flags_become_a_webhook_as_alertmanager_sends_it() {
    let fake = Fake::creating();
    let run = send(&[
        "--gateway",
        &fake.url,
        "--alertname",
        "HighMemoryUsage",
        "--severity",
        "Sev1",
        "--namespace",
        "prod",
        "--pod",
        "p",
        "--label",
        "team=shop",
        "--label",
        "empty=",
        "--annotation",
        "summary=a=b",
        "--starts-at",
        "2026-11-23T09:00:00Z",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let [received] = fake.received().try_into().unwrap();
    assert_eq!(received.line, "POST /api/v1/signals/prometheus");
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_eq!(received.header("authorization"), None);
    assert_eq!(received.header("x-timestamp"), None);
    let labels = json!({
        "alertname": "HighMemoryUsage", "severity": "Sev1", "namespace": "prod", "pod": "p", "team": "shop", "empty": "",
    });
    assert_eq!(
        received.json(),
        json!({
            "version": "4", "groupKey": "{}:{alertname=\"HighMemoryUsage\"}", "truncatedAlerts": 0, "status": "firing",
            "receiver": "gwlock", "groupLabels": {"alertname": "HighMemoryUsage"}, "commonLabels": labels,
            "commonAnnotations": {"summary": "a=b"}, "externalURL": "",
            "alerts": [{
                "status": "firing", "labels": labels, "annotations": {"summary": "a=b"},
                "startsAt": "2026-11-23T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
                "fingerprint": "",
            }],
        })
    );
}

#[test]
fn flags_become_an_event_as_the_api_server_shows_it() {
    let fake = Fake::creating();
    let run = send(&[
        "--gateway",
        &fake.url,
        "--event",
        "BackOff",
        "--namespace",
        "prod",
        "--kind",
        "Deployment",
        "--name",
        "d",
        "--message",
        "m",
        "--event-type",
        "Error",
        "--starts-at",
        "2026-11-23T09:00:00Z",
        "--gateway-version",
        "january",
    ]);
    assert_eq!(run.code, 0, "{run:?}");
    let [received] = fake.received().try_into().unwrap();
    assert_eq!(received.line, "POST /api/v1/signals/kubernetes-event");
    let seconds: i64 = received.header("x-timestamp").unwrap().parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((now - 300..=now).contains(&seconds), "{seconds}");
    assert_eq!(
        received.json(),
        json!({
            "apiVersion": "v1", "kind": "Event", "type": "Error", "reason": "BackOff", "message": "m",
            "involvedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "prod", "name": "d"},
            "firstTimestamp": "2026-11-23T09:00:00Z", "lastTimestamp": "2026-11-23T09:00:00Z", "count": 1,
            "source": {"component": "gwlock"},
        })
    );
}

#[test]
fn a_template_is_sent_back_unchanged() {
    for (format, path) in [
        ("prometheus", "POST /api/v1/signals/prometheus"),
        ("event", "POST /api/v1/signals/kubernetes-event"),
    ] {
        let template = send(&["--template", format]);
        assert_eq!((template.code, template.stderr.as_str()), (0, ""));
        let fake = Fake::creating();
        let run = Gwlock::new(&["send", "--gateway", &fake.url, "-f", "-"])
            .stdin(&template.stdout)
            .run();
        assert_eq!(run.code, 0, "{format}: {run:?}");
        let [received] = fake.received().try_into().unwrap();
        assert_eq!(
            (received.line.as_str(), &received.body),
            (path, &template.stdout)
        );
    }
}

#[cfg(feature = "sim")]
#[test]
fn a_template_creates_a_request_in_the_lab_where_nobody_is_asked() {
    let program = env!("CARGO_BIN_EXE_gwlock");
    for format in ["prometheus", "event"] {
        let template = send(&["--template", format]);
        let arguments = ["lab", "--", program, "send", "--direct", "-f", "-"];
        let format_flag = ["-o", "jsonpath={.status} {.signal.target}"];
        let run = Gwlock::new(&[&arguments[..], &format_flag].concat())
            .stdin(&template.stdout)
            .run();
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (0, "created prod:Deployment:checkout", ""),
            "{format}"
        );
    }
}

#[test]
fn elsewhere_nothing_is_started_unless_somebody_says_so() {
    let arena = Arena::new();
    let before = arena.store();
    let flags = [&["send", "--direct"], alert(POD).as_slice()].concat();
    let run = arena.server.gwlock(&flags).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(
        lines[0].starts_with("error: --direct starts real remediations on https://127.0.0.1:"),
        "{run:?}"
    );
    assert_eq!(
        lines[1..],
        [
            format!(
                "hint: gwlock {} --yes   # sends without asking",
                flags.join(" ")
            ),
            format!(
                "hint: gwlock {} --dry-run=client   # shows what would be done",
                flags.join(" ")
            )
        ]
    );
    assert_eq!(arena.store(), before);
    let run = arena.server.gwlock(&[&flags[..], &["-y"]].concat()).run();
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(arena.counts(), [1]);
}

#[test]
fn a_row_says_what_came_of_a_signal() {
    let arena = Arena::new();
    let header = "COUNT   REMEDIATIONREQUEST         LEASE                      TARGET                        \
                  SEVERITY   AUDIT-SEVERITY   MESSAGE";
    let rest = format!("{REQUEST}   {LEASE}   {TARGET}   warning    high\n");
    let run = arena.direct(&alert(POD));
    assert_eq!(
        (run.code, run.stdout, run.stderr.as_str()),
        (
            0,
            format!("STATUS    {header}\ncreated   1       {rest}"),
            ""
        )
    );
    let run = arena.direct(&alert(POD));
    assert_eq!(
        (run.code, run.stdout, run.stderr.as_str()),
        (
            0,
            format!("STATUS      {header}\nduplicate   2       {rest}"),
            ""
        )
    );
}
