//! `gwlock simulate` as a CI author calls it. What the scenarios show is tested in the simulator.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::Gwlock;

fn simulate(arguments: &[&str]) -> crate::fixture::Run {
    Gwlock::new(&[&["simulate"], arguments].concat()).run()
}

#[test]
fn a_storm_is_one_request_that_counts_every_signal() {
    let run = simulate(&["--pods", "3", "--signals", "20", "-o", "json"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    let report = run.json();
    let fields: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "apiVersion",
            "kind",
            "pods",
            "protocol",
            "remediationRequests",
            "requests",
            "results",
            "scenario",
            "seed",
            "seeds",
            "signals",
            "simulatedSeconds",
            "verdict",
            "violations"
        ]
    );
    assert_eq!(report["verdict"], "ok");
    assert_eq!(
        report["results"],
        json!({"created": 1, "duplicate": 19, "failed": 0, "unknown": 0})
    );
    let requests = report["remediationRequests"].as_array().unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0]["count"], 20);
}

#[test]
fn a_violation_is_told_with_its_events_and_the_command_that_shows_it_again() {
    let arguments = ["--protocol", "gateway", "--pods", "1", "-o", "json"];
    let run = simulate(&arguments);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let report = run.json();
    let violation = &report["violations"][0];
    assert_eq!(violation["rule"], "two-holders");
    assert_eq!(violation["events"].as_array().unwrap().len(), 2);
    let replay = violation["replay"].as_str().unwrap();
    assert_eq!(
        replay,
        "gwlock simulate --scenario storm --protocol gateway --pods 1 --seed 1"
    );
    let words: Vec<&str> = replay.split(' ').skip(2).chain(["-o", "json"]).collect();
    assert_eq!(simulate(&words).json(), report);
    let text = simulate(&arguments[..4]).stdout;
    let first_screen: Vec<&str> = text.lines().take(40).collect();
    let told = first_screen
        .iter()
        .any(|line| line.starts_with("two-holders: "));
    assert!(told, "{text}");
}

#[test]
fn a_history_that_was_written_is_judged_as_it_was_when_it_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let path = path.to_str().unwrap();
    let arguments = ["--protocol", "unlocked", "--history", path, "-o", "json"];
    let simulated = simulate(&arguments);
    let checked = simulate(&["check", path, "-o", "json"]);
    assert_eq!((simulated.code, checked.code), (1, 1));
    assert_eq!(checked.json()["violations"], simulated.json()["violations"]);

    let good = simulate(&["--history", path]);
    let checked = simulate(&["check", path]);
    assert_eq!((good.code, checked.code), (0, 0));
    // One line that says otherwise.
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replacen(r#""count":2}"#, r#""count":3}"#, 1)).unwrap();
    let damaged = simulate(&["check", path]);
    assert_eq!(damaged.code, 1);
    assert!(
        damaged.stdout.contains("number-twice"),
        "{}",
        damaged.stdout
    );
}

#[test]
fn a_range_of_seeds_is_one_report_however_many_run_at_once() {
    let sweep = |jobs: &str, format: &str| {
        let arguments = [
            "--protocol",
            "gateway",
            "--seeds",
            "1..6",
            "--jobs",
            jobs,
            "-o",
            format,
        ];
        simulate(&arguments)
    };
    let one = sweep("1", "json");
    assert_eq!((one.code, one.stdout), (1, sweep("4", "json").stdout));
    let report: Value = sweep("2", "json").json();
    assert_eq!((&report["seed"], &report["seeds"]), (&json!(1), &json!(6)));
    let xml = sweep("2", "junit").stdout;
    assert_eq!(xml.matches("<testcase ").count(), 6, "{xml}");
    assert!(xml.contains("tests=\"6\" failures=\"6\""), "{xml}");
}

#[test]
fn a_scenario_of_ones_own_is_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    let arrivals = folder.path().join("arrivals");
    fs::write(&path, "pods: 2\nat: [{at: 1s, fault: crash, for: 2s}]\n").unwrap();
    fs::write(&arrivals, "0\n0.5 1\n4 # after the crash\n").unwrap();
    let (path, arrivals) = (path.to_str().unwrap(), arrivals.to_str().unwrap());
    let scenario = [
        "--scenario",
        path,
        "--arrival",
        arrivals,
        "--fingerprints",
        "2",
    ];
    let run = simulate(&[&scenario[..], &["--timeline"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("3 signals"), "{}", run.stdout);
    let crashed = run
        .stdout
        .lines()
        .any(|line| line.trim().starts_with("pod-0") && line.contains('x'));
    assert!(crashed, "{}", run.stdout);

    fs::write(path, "pods: 2\ncrash: yes\n").unwrap();
    let wrong = simulate(&["--scenario", path]);
    assert_eq!(wrong.code, 65);
    assert!(wrong.stderr.contains("crash"), "{}", wrong.stderr);
}

#[test]
fn a_picture_is_drawn_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.svg");
    let arguments = [
        "--protocol",
        "gateway",
        "--pods",
        "1",
        "--signals",
        "20",
        "--svg",
    ];
    let run = simulate(&[&arguments[..], &[path.to_str().unwrap()]].concat());
    assert_eq!(run.code, 1);
    let picture = fs::read_to_string(path).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    assert!(picture.contains("stroke=\"red\"") && picture.contains(">pod-0</text>"));
}

#[test]
fn the_scenarios_are_listed_with_what_happens() {
    let run = simulate(&["--list-scenarios"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.stdout.lines().count(), 16);
    assert_eq!(simulate(&["--scenario", "list"]).stdout, run.stdout);
    assert!(run.stdout.contains("lost-answers"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (arguments, code) in [
        (&["--scenario", "nothing-like-it"][..], 2),
        (&["--seeds", "5..1"], 2),
        (&["--seeds", "1..2", "--history", "h"], 2),
        (&["--protocol", "raft"], 2),
        (&["--arrival", "soon"], 2),
        (&["--rounds", "2", "--signals", "3"], 2),
        (&["--rounds", "2", "-o", "junit"], 2),
        (&["--jobs", "2"], 2),
        (&["check", "/nonexistent"], 65),
        (&["--history", "/nonexistent/history"], 78),
    ] {
        assert_eq!(simulate(arguments).code, code, "{arguments:?}");
    }
}

#[test]
fn leases_alone_are_contended_for_as_before() {
    let run = simulate(&["--rounds", "2", "--pods", "3", "-o", "json"]);
    assert_eq!(run.code, 0);
    let report = run.json();
    assert_eq!(report["rounds"], 6);
    assert_eq!(report["protocol"], "gwlock");
    assert_eq!(
        simulate(&["--protocol", "gateway", "--handlers", "2"]).code,
        1
    );
}

#[test]
fn the_example_for_ci_fails_a_build_when_a_rule_is_broken() {
    let program = program();
    let folder = program.parent().unwrap().to_owned();
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/simulate.sh");
    let build = |protocol: &str| {
        let output = std::process::Command::new("sh")
            .arg(&script)
            .args([protocol, "2"])
            .env("PATH", format!("{}:/usr/bin:/bin", folder.display()))
            .output()
            .unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), stdout)
    };
    let (code, stdout) = build("gwlock");
    assert_eq!(
        (code, stdout.matches("verdict     ok").count()),
        (Some(0), 7)
    );
    let (code, stdout) = build("gateway");
    let reason = stdout
        .lines()
        .take(24)
        .any(|line| line.starts_with("replay: "));
    assert!(code == Some(1) && reason, "{stdout}");
}

/// Where the binary is that is tested.
fn program() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_BIN_EXE_gwlock"))
}
