//! A pod of a simulation, with all that it can be told to do, and the collection of what pods have logged.

use std::fs;

use gwlock_engine::protocol::key::Fingerprint;
use http::Method;
use serde_json::json;

use super::{Failed, Ground};

/// Not all histories are there.
const INCOMPLETE: i32 = 69;

/// One signal takes an expired lease over, and one waits for a lease in vain; meanwhile others label, orchestrate and delete.
const SCENARIO: &str = "
fingerprints: 2
at:
- {at: 500ms, fault: touch}
";

pub(super) fn member(ground: &Ground<'_>) -> Result<(), Failed> {
    let locks = &ground.locks;
    let lease = |name: &str| {
        let target = format!("{locks}:Deployment:{name}");
        Fingerprint::of(&target).lease_name().to_string()
    };
    for name in ["app-0", "app-1", "app-2"] {
        let labels = json!({"app": name});
        let containers = json!([{"name": "none", "image": "none"}]);
        let deployment = json!({"metadata": {"name": name}, "spec": {
            "replicas": 0, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        }});
        ground.make(
            &format!("/apis/apps/v1/namespaces/{locks}/deployments"),
            &deployment,
        );
    }
    ground.cluster.expired_lease(locks, &lease("app-0"));
    ground.hold(&lease("app-1"), 300);
    // Phase after phase, and a share of the requests fails.
    let steps =
        (0..16).map(|step| format!("- {{at: {}ms, fault: orchestrate}}\n", 3000 + step * 50));
    let ended = "- {at: 5s, fault: delete}\n";
    let others = format!("{SCENARIO}{}{ended}", steps.collect::<String>());
    // A second pod speaks the gateway's protocol, about something else.
    let plans = [
        ("gwlock", others.as_str(), "0 0\n0 1\n"),
        ("gateway", "fingerprints: 3\n", "0 2\n1 2\n"),
    ];
    let play = |(protocol, scenario, arrivals): (&str, &str, &str)| {
        let (plan, times) = (
            ground.path(protocol),
            ground.path(&format!("{protocol}.arrivals")),
        );
        fs::write(&plan, scenario).unwrap();
        fs::write(&times, arrivals).unwrap();
        let member = [
            "simulate",
            "--processes",
            "1",
            "--member",
            "0",
            "--run",
            protocol,
            "--job",
            "job",
        ];
        let plan = [
            "--scenario",
            &plan,
            "--arrival",
            &times,
            "--protocol",
            protocol,
        ];
        let place = ["--on", "cluster", "--yes", "--history", "-"];
        ground.gwlock(&[member.as_slice(), &plan, &place].concat(), 0)
    };
    let ends = std::thread::scope(|scope| {
        let playing = plans.map(|plan| scope.spawn(move || play(plan)));
        playing.map(|playing| playing.join().unwrap())
    });
    ends.into_iter().try_for_each(|end| end.map(drop))
}

/// There is a pod, and nothing that it has logged.
pub(super) fn collect(ground: &Ground<'_>) -> Result<(), Failed> {
    let containers = json!([{"name": "gwlock-simulate", "image": "gwlock"}]);
    let template = json!({"spec": {"containers": containers, "restartPolicy": "Never"}});
    let job = json!({"metadata": {"name": "played"}, "spec": {"template": template}});
    ground.make(
        &format!("/apis/batch/v1/namespaces/{}/jobs", ground.locks),
        &job,
    );
    let labels = json!({"batch.kubernetes.io/job-name": "played", "batch.kubernetes.io/job-completion-index": "0"});
    let pod = json!({"metadata": {"name": "played-0", "labels": labels}, "spec": {"containers": containers}});
    let pods = format!("/api/v1/namespaces/{}/pods", ground.locks);
    let mut pod = ground.make(&pods, &pod);
    pod["status"] = json!({"phase": "Succeeded"});
    let status = format!("{pods}/played-0/status");
    ground.cluster.call(Method::PUT, &status, Some(&pod));
    ground.gwlock(&["simulate", "collect", "--job", "played"], INCOMPLETE)?;
    Ok(())
}
