//! `gwlock simulate job` and `gwlock simulate collect` without a cluster. Pods are played in `tests/cluster/simulate_job`.

use std::fs;

use serde_json::{Value, json};

use crate::fixture::{Gwlock, Run, Server};

fn gwlock(arguments: &[&str]) -> Run {
    Gwlock::new(arguments).run()
}

fn job(flags: &[&str]) -> Run {
    gwlock(&[&["simulate", "job"], flags].concat())
}

/// The documents of a stream of YAML.
fn documents(yaml: &str) -> Vec<Value> {
    yaml.split("\n---\n")
        .map(|document| serde_yaml::from_str(document).unwrap())
        .collect()
}

/// The arguments of the Job's container.
fn arguments(yaml: &str) -> Vec<String> {
    let documents = documents(yaml);
    let job = documents.last().unwrap();
    assert_eq!(job["kind"], "Job");
    let arguments = &job["spec"]["template"]["spec"]["containers"][0]["args"];
    serde_json::from_value(arguments.clone()).unwrap()
}

#[test]
fn a_job_has_a_pod_for_each_member_and_all_that_they_need() {
    let run = job(&[
        "--pods",
        "4",
        "--fingerprints",
        "2",
        "--scenario",
        "storm",
        "--seed",
        "9",
    ]);
    assert_eq!(run.code, 0);
    let documents = documents(&run.stdout);
    let kinds: Vec<&str> = documents
        .iter()
        .map(|own| own["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "Namespace",
            "ServiceAccount",
            "Role",
            "RoleBinding",
            "Deployment",
            "Deployment",
            "Job"
        ]
    );
    let spec = &documents.last().unwrap()["spec"];
    assert_eq!(
        [
            &spec["completions"],
            &spec["parallelism"],
            &spec["backoffLimitPerIndex"]
        ],
        [&json!(4), &json!(4), &json!(0)]
    );
    assert_eq!(spec["completionMode"], "Indexed");
    assert_eq!(spec["ttlSecondsAfterFinished"], Value::Null);
    assert_eq!(spec["template"]["spec"]["restartPolicy"], "Never");
    let arguments = arguments(&run.stdout).join(" ");
    assert_eq!(
        arguments,
        "simulate --processes 4 --member $(MEMBER) --run $(RUN) --job gwlock-simulate --meet-within 300s \
         --scenario storm --seed 9 --fingerprints 2 --on cluster --yes --history -"
    );
    // The command that makes it again is told, and does.
    let again = run
        .stderr
        .lines()
        .find(|line| line.contains("apply"))
        .unwrap();
    let (again, _) = again.split_once(" | ").unwrap();
    let words: Vec<&str> = again.split_whitespace().skip(1).collect();
    assert_eq!(gwlock(&words).stdout, run.stdout);
    for next in [
        "kubectl -n gwlock-simulation wait --for=condition=complete",
        "gwlock simulate collect --job gwlock-simulate -n gwlock-simulation",
        " | kubectl delete -f -",
    ] {
        assert!(run.stderr.contains(next), "{next}: {}", run.stderr);
    }
}

#[test]
fn a_scenario_and_arrivals_of_ones_own_go_with_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let (scenario, arrivals) = (
        folder.path().join("own.yaml"),
        folder.path().join("arrivals"),
    );
    fs::write(&scenario, "pods: 2\nat: [{at: 70s, fault: crash}]\n").unwrap();
    fs::write(&arrivals, "0\n1\n").unwrap();
    let run = job(&[
        "--scenario",
        scenario.to_str().unwrap(),
        "--arrival",
        arrivals.to_str().unwrap(),
        "-n",
        "there",
        "--name",
        "mine",
        "--image",
        "registry.example.com/gwlock:1",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let documents = documents(&run.stdout);
    assert!(
        documents
            .iter()
            .all(|own| own["metadata"]["namespace"] == "there")
    );
    let files = documents
        .iter()
        .find(|own| own["kind"] == "ConfigMap")
        .unwrap();
    assert_eq!(
        files["data"],
        json!({"scenario.yaml": "pods: 2\nat: [{at: 70s, fault: crash}]\n", "arrivals": "0\n1\n"})
    );
    let pod = &documents.last().unwrap()["spec"]["template"]["spec"];
    assert_eq!(
        pod["containers"][0]["image"],
        "registry.example.com/gwlock:1"
    );
    assert_eq!(
        pod["containers"][0]["volumeMounts"][1]["mountPath"],
        "/etc/gwlock"
    );
    let arguments = arguments(&run.stdout).join(" ");
    assert!(
        arguments.contains("--scenario /etc/gwlock/scenario.yaml")
            && arguments.contains("--arrival /etc/gwlock/arrivals"),
        "{arguments}"
    );
    assert!(
        run.stderr.contains("takes 71 s with 2 pods"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_printed_role_is_what_a_pod_asks_and_no_more() {
    for flags in [
        &[][..],
        &["-n", "there"],
        &["--scenario", "everything", "--pods", "2"],
    ] {
        let printed = job(flags);
        let check = ["rbac", "check", "-f", "-", "--profile", "gwlock-simulate"];
        let checked = Gwlock::new(&check).stdin(&printed.stdout).run();
        assert_eq!(checked.code, 0, "{flags:?}: {checked:?}");
        assert!(
            checked.stdout.contains("no findings"),
            "{flags:?}: {checked:?}"
        );
        // A rule less is found.
        let less = printed
            .stdout
            .replacen("  - configmaps\n", "  - secrets\n", 1);
        let checked = Gwlock::new(&check).stdin(&less).run();
        assert_eq!(checked.code, 1, "{flags:?}: {checked:?}");
    }
}

#[test]
fn what_a_job_cannot_play_is_refused() {
    for (flags, code) in [
        (&["--protocol", "create-only"][..], 2),
        (&["--scenario", "nothing-like-it"], 2),
        (&["--name", "Not_a_name"], 2),
        (&["-n", "Not_a_name"], 2),
        (&["--arrival", "soon"], 2),
        (&["--pods", "0"], 2),
    ] {
        let run = job(flags);
        assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{flags:?}");
    }
    let member = ["simulate", "--member", "0"];
    assert_eq!(gwlock(&member).code, 2);
}

/// What a pod logs that took two signals: its header, and two lines of somebody else.
fn log(number: u32, began: &str, numbers: [u32; 2]) -> String {
    let pod = format!("pod-{number}");
    let header = json!({
        "format": "gwlock.dev/history/v1", "seed": 1, "began": began, "uncertainty": 2000,
        "member": {"run": "r", "number": number, "of": 2, "present": [0, 1]},
    });
    let header = header.to_string();
    // Its first field tells it from any other line.
    let (_, rest) = header
        .split_once(r#""format":"gwlock.dev/history/v1","#)
        .unwrap();
    let before = header
        .split(r#""format""#)
        .next()
        .unwrap()
        .trim_start_matches('{');
    let mut lines = vec![format!(
        r#"{{"format":"gwlock.dev/history/v1",{before}{rest}"#
    )];
    lines.push("waiting for the others".to_owned());
    let mut line = |at: u32, what: &str| lines.push(format!(r#"{{"at":{at},{what}}}"#));
    for (signal, count) in numbers.into_iter().enumerate() {
        let at = count * 1000;
        line(
            at,
            &format!(r#""pod":"{pod}","event":"signal","signal":{signal},"key":"f""#),
        );
        line(
            at + 1,
            &format!(
                r#""event":"request","uid":"u","name":"rr","key":"f","phase":"","active":true,"count":{count},"version":"{count}""#
            ),
        );
        line(
            at + 2,
            &format!(
                r#""pod":"{pod}","event":"answer","signal":{signal},"outcome":"duplicate","uid":"u","count":{count}"#
            ),
        );
    }
    line(9000, r#""event":"end""#);
    lines.push("done".to_owned());
    lines.join("\n") + "\n"
}

struct Logs {
    folder: tempfile::TempDir,
}

impl Logs {
    fn of(logs: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (number, log) in logs.iter().enumerate() {
            fs::write(folder.path().join(format!("{number}.log")), log).unwrap();
        }
        Self { folder }
    }

    fn collect(&self, files: usize, flags: &[&str]) -> Run {
        let names: Vec<String> = (0..files).map(|number| format!("{number}.log")).collect();
        let mut words = vec!["simulate", "collect"];
        words.extend(names.iter().map(String::as_str));
        words.extend(flags);
        Gwlock::new(&words).folder(self.folder.path()).run()
    }
}

#[test]
fn logs_are_joined_and_judged_wherever_they_were_kept() {
    let first = log(0, "2026-11-26T09:00:00Z", [1, 3]);
    let second = log(1, "2026-11-26T09:00:00.0005Z", [2, 4]);
    let logs = Logs::of(&[first.clone(), second.clone()]);
    let run = logs.collect(2, &["--history", "joined", "-o", "json"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let report = run.json();
    assert_eq!(report["results"]["duplicate"], 4);
    assert_eq!(report["remediationRequests"][0]["count"], 4);
    assert_eq!(
        (&report["uncertaintySeconds"], &report["incomplete"]),
        (&json!(0.004), &Value::Null)
    );
    assert_eq!(
        run.stderr,
        "4 other lines were passed over\n\
         the clocks of the pods are known to 4.0 ms: what is closer together has no order\n"
    );
    // What was joined is a history as any other.
    let joined = logs.folder.path().join("joined");
    let checked = gwlock(&["simulate", "check", joined.to_str().unwrap(), "-o", "json"]);
    assert_eq!((checked.code, checked.json()), (0, report));
    // One log may hold several.
    let run = Logs::of(&[format!("{first}{second}")]).collect(1, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);

    let wrong = log(1, "2026-11-26T09:00:00.0005Z", [3, 4]);
    let run = Logs::of(&[first, wrong]).collect(2, &[]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("number-twice"), "{}", run.stdout);
}

#[test]
fn a_history_that_is_not_there_or_stops_is_named_and_left_out_if_that_is_wanted() {
    let began = "2026-11-26T09:00:00Z";
    let cut = log(0, began, [1, 3]);
    let cut = &cut[..cut.len() - 40];
    for (logs, files, lack) in [
        (
            vec![log(0, began, [1, 3])],
            1,
            "member 1 took part, but its history is not there",
        ),
        (
            vec![cut.to_owned(), log(1, began, [2, 4])],
            2,
            "the history of 0.log stops before its end",
        ),
        (
            vec![log(0, began, [1, 3]), "nothing\n".to_owned()],
            2,
            "there is no history in 1.log",
        ),
        (
            vec![
                log(0, began, [1, 3]),
                log(1, began, [2, 4]).split_once('\n').unwrap().1.to_owned(),
            ],
            2,
            "the beginning of 1.log is gone, 7 events are left",
        ),
    ] {
        let logs = Logs::of(&logs);
        let run = logs.collect(files, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (65, ""), "{lack}");
        assert!(run.stderr.contains(lack), "{lack}: {}", run.stderr);
        let run = logs.collect(files, &["--partial"]);
        assert_eq!(run.code, 0, "{lack}: {}{}", run.stdout, run.stderr);
        let verdict = "verdict     ok, as far as is known without ";
        assert!(run.stdout.contains(verdict), "{lack}: {}", run.stdout);
        assert!(run.stderr.contains(lack), "{lack}: {}", run.stderr);
    }
}

#[test]
fn what_is_no_history_of_one_run_is_refused() {
    let first = log(0, "2026-11-26T09:00:00Z", [1, 3]);
    let other = log(1, "2026-11-26T09:00:00Z", [2, 4]);
    for (second, words) in [
        (
            other.replace(r#""seed":1"#, r#""seed":2"#),
            "of different runs: their seeds differ",
        ),
        (first.clone(), "0.log and 1.log are the same history"),
        (
            other.replace("duplicate", "doubled"),
            "line 5 is not what a history has there",
        ),
        (
            other.replace("history/v1", "history/v7"),
            "no history of the format",
        ),
    ] {
        let run = Logs::of(&[first.clone(), second]).collect(2, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (65, ""), "{words}");
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert_eq!(gwlock(&["simulate", "collect"]).code, 2);
    assert_eq!(gwlock(&["simulate", "collect", "/nonexistent"]).code, 65);
    assert_eq!(gwlock(&["simulate", "collect", "f", "--job", "j"]).code, 2);
}

#[test]
fn every_page_of_pods_is_read() {
    let server = Server::start();
    server.serve_remediation_requests();
    let job = json!({"metadata": {"name": "many"}, "spec": {"completions": 501}});
    server.post("/apis/batch/v1/namespaces/default/jobs", &job);
    for index in 0..501 {
        let labels = json!({
            "batch.kubernetes.io/job-name": "many",
            "batch.kubernetes.io/job-completion-index": index.to_string(),
        });
        let pod = json!({"metadata": {"name": format!("many-{index}"), "labels": labels}});
        server.post("/api/v1/namespaces/default/pods", &pod);
    }
    let collect = ["simulate", "collect", "--job", "many", "-n", "default"];
    let run = server.gwlock(&collect).run();
    assert_eq!((run.code, run.stdout.as_str()), (69, ""));
    assert!(
        run.stderr.contains("pod many-0 has not started"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("  and 481 more\n"), "{}", run.stderr);
}

#[test]
fn a_pod_that_is_ended_before_its_part_is_over_leaves_what_it_has_seen() {
    let server = Server::start();
    server.serve_remediation_requests();
    let labels = json!({"app": "app-0"});
    let containers = json!([{"name": "none", "image": "none"}]);
    let deployment = json!({"metadata": {"name": "app-0"}, "spec": {
        "replicas": 0, "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }});
    server.post("/apis/apps/v1/namespaces/default/deployments", &deployment);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("0.log");
    let member = [
        "simulate",
        "--processes",
        "1",
        "--member",
        "0",
        "--run",
        "uid",
        "--job",
        "job",
        "-n",
        "default",
    ];
    let plan = [
        "--arrival",
        "poisson:2",
        "--signals",
        "1000",
        "--on",
        "cluster",
        "--yes",
        "--history",
        "-",
    ];
    let mut member = server
        .gwlock(&[member.as_slice(), &plan].concat())
        .stdout(fs::File::create(&log).unwrap())
        .start();
    server.wait_for(|exchange| {
        exchange.verb == "create" && exchange.resource == "remediationrequests"
    });
    let pid = rustix::process::Pid::from_child(&member);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(member.wait().unwrap().code(), Some(143));
    let collect = |flags: &[&str]| {
        let words = [&["simulate", "collect", "0.log"], flags].concat();
        Gwlock::new(&words).folder(folder.path()).run()
    };
    let run = collect(&[]);
    assert_eq!(run.code, 65, "{run:?}");
    assert!(
        run.stderr
            .contains("the history of 0.log stops before its end"),
        "{run:?}"
    );
    let run = collect(&["--partial", "-o", "json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let report = run.json();
    assert_eq!(report["remediationRequests"].as_array().unwrap().len(), 1);
    assert_eq!(report["incomplete"], json!(["0.log"]));
    // What was held has been released.
    assert_eq!(server.leases(), [""; 0]);
}
