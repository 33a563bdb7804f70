//! `gwlock lab --drill`: how drills are named and told. What is done in them stands in docs/runbook.md, and is run from there.

use crate::fixture::{Gwlock, Run};

/// Runs `sh -c SCRIPT` in a drill.
fn in_drill(name: &str, script: &str) -> Run {
    let program = env!("CARGO_BIN_EXE_gwlock");
    Gwlock::new(&["lab", "--drill", name, "--", "sh", "-c", script])
        .env("gwlock", program)
        .run()
}

/// The names of all drills, as they are listed.
pub(crate) fn names() -> Vec<String> {
    let run = Gwlock::new(&["lab", "--list-drills"]).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let name = |line: &str| line.split_whitespace().next().unwrap().to_owned();
    run.stdout.lines().map(name).collect()
}

#[test]
fn drills_are_listed_with_a_line_about_each() {
    let run = Gwlock::new(&["lab", "--list-drills"]).run();
    assert_eq!(
        run.stdout,
        "lock-timeouts    Alerts are answered 500 with lock time-outs\n\
         stuck-lock       A lock is stuck after a crash\n\
         duplicate-rrs    There are two RemediationRequests of one alert\n\
         wrong-count      An occurrence count is wrong\n\
         forbidden        The gateway is forbidden to use leases\n\
         slow-api-server  The API server is slow under a storm\n\
         clock-skew       Clocks are wrong\n\
         pod-restart      A gateway's pod restarted while it held a lease\n\
         piled-up-leases  Leases pile up\n\
         lease-duration   A lease duration has to be chosen\n"
    );
}

#[test]
fn a_drill_that_does_not_exist_is_wrong_usage_and_all_are_named() {
    let run = Gwlock::new(&["lab", "--drill", "stuck"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    for name in names() {
        assert!(run.stderr.contains(&name), "{name}: {}", run.stderr);
    }
}

#[test]
fn a_drill_says_on_stderr_what_has_happened_and_where_to_read_on() {
    let run = in_drill("pod-restart", "echo mine; exit 3");
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (
            3,
            "mine\n",
            "drill pod-restart:\n\
             The gateway's pod gateway-7f9c-4kq ran out of memory four minutes ago and is up again. Since then alerts for\n\
             checkout are handled twice now and then.\n\
             -> docs/runbook.md, \"A gateway's pod restarted while it held a lease\"\n"
        )
    );
}

#[test]
fn a_drill_shows_its_own_situation_alone() {
    let run = in_drill("stuck-lock", "\"$gwlock\" inspect -A --prefix all -o name");
    assert_eq!(
        run.stdout,
        "lease.coordination.k8s.io/gw-lock-e47daa183e302858\nlease.coordination.k8s.io/gw-lock-ea66547cfed49a4f\n"
    );
}

#[test]
fn clocks_in_the_drill_are_as_wrong_as_they_are_said_to_be() {
    let skew = "{range .items[*]}{.holder} {.state} {.evidence.clockSkewSeconds}{\"\\n\"}{end}";
    let script = format!(
        "\"$gwlock\" inspect -o jsonpath='{skew}'; date +%s; \"$gwlock\" acquire now -o jsonpath='{{.acquiredAt}}'; echo; date +%s"
    );
    let run = in_drill("clock-skew", &script);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let [right, ahead, behind, before, server, after] = lines[..] else {
        panic!("{run:?}");
    };
    for (line, holder, hours) in [
        (right, "gateway-7f9c-x2x", 0),
        (ahead, "gateway-7f9c-8hr", 1),
        (behind, "gateway-7f9c-qm4", -1),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[..2], [holder, "held"], "{run:?}");
        // The holder reads its clock before the server does.
        let found: f64 = words[2].parse().unwrap();
        assert_eq!((found / 3600.0).round(), f64::from(hours), "{run:?}");
    }
    let seconds = |text: &str| text.parse::<i64>().unwrap();
    let server: jiff::Timestamp = server.parse().unwrap();
    let in_between = seconds(before) + 600..=seconds(after) + 600;
    assert!(in_between.contains(&server.as_second()), "{run:?}");
}

#[test]
fn a_holder_in_a_drill_renews_as_long_as_the_lab_runs() {
    // Ends only when the lease was written again.
    let script = "\"$gwlock\" inspect gw-lock-91fce8d5c4949766 --watch --no-headers | head -n 2";
    let run = in_drill("lock-timeouts", script);
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|row| row.split_whitespace().take(3).collect())
        .collect();
    let held = vec![
        "gw-lock-91fce8d5c4949766",
        "rollout-payment-api-x7k2q_6c1f09d2a4b7e835",
        "held",
    ];
    assert_eq!(rows, [held.clone(), held], "{run:?}");
}
