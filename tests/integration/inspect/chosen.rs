//! Which leases are shown, in which order and form, and when that is a failure.

use serde_json::json;

use crate::fixture::{Run, Server};

/// Held for 60 s, expired for 68 s, expired for 968 s and malformed, in the order of their names.
fn some() -> Server {
    let server = Server::start();
    let mut held = Server::held_by("gateway-1_0123456789abcdef", 60);
    held["leaseDurationSeconds"] = json!(3600);
    server.lease("gw-lock-000000000000000a", 60, &held);
    server.lease(
        "gw-lock-000000000000000b",
        100,
        &Server::held_by("gateway-1", 100),
    );
    server.lease(
        "gw-lock-000000000000000c",
        1000,
        &Server::held_by("gateway-2", 1000),
    );
    server.lease(
        "gw-lock-000000000000000d",
        5,
        &json!({"holderIdentity": "gateway-3", "leaseDurationSeconds": 7200}),
    );
    server
}

/// The last digits of the names that are shown.
fn shown(server: &Server, flags: &[&str]) -> String {
    let run = server
        .gwlock(&[&["inspect", "-o", "name"], flags].concat())
        .run();
    assert_eq!(run.code, 0, "{run:?}");
    run.stdout
        .lines()
        .filter_map(|line| line.chars().last())
        .collect()
}

#[test]
fn filters_choose_by_state_holder_and_age_and_go_together() {
    let server = some();
    for (flags, expected) in [
        (&["--stale"][..], "bc"),
        (&["--holder", "gateway-1"], "ab"),
        (&["--holder", "gateway-1_0123456789abcdef"], "a"),
        (&["--holder", "gateway"], ""),
        (&["--older-than", "99s"], "bc"),
        (&["--older-than", "5m"], "c"),
        (&["--older-than", "99s", "--holder", "gateway-1"], "b"),
        (
            &[
                "gw-lock-000000000000000a",
                "gw-lock-000000000000000b",
                "--stale",
            ],
            "b",
        ),
    ] {
        assert_eq!(shown(&server, flags), expected, "{flags:?}");
    }
    let run = server.gwlock(&["inspect", "--holder", "nobody"]).run();
    assert_eq!(
        (run.code, run.stdout.as_str(), run.stderr.as_str()),
        (0, "", "No resources found that are like that, of 4\n")
    );
}

#[test]
fn rows_are_sorted_by_columns_and_paths() {
    let server = some();
    for (by, expected) in [
        ("expires", "cbad"),
        ("HOLDER", "bacd"),
        (".evidence.ageSeconds", "dabc"),
        ("{.ages.claimedSeconds}", "abcd"),
    ] {
        assert_eq!(shown(&server, &["--sort-by", by]), expected, "{by}");
    }
    let run = server.gwlock(&["inspect", "--sort-by", "colour"]).run();
    assert_eq!(run.code, 2);
    assert!(
        run.stderr
            .contains("neither a column such as AGE nor a path"),
        "{}",
        run.stderr
    );
}

#[test]
fn custom_columns_are_kubectls() {
    let server = some();
    let inspect = |flags: &[&str]| -> Run { server.gwlock(&[&["inspect"], flags].concat()).run() };
    let spec = "custom-columns=NAME:.name,HOLDER:{.holderBase},RENEWED:.nothing,P:.problems[*]";
    let run = inspect(&["-o", spec, "--holder", "gateway-3"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (
            0,
            "NAME                       HOLDER      RENEWED   P\n\
             gw-lock-000000000000000d   gateway-3   <none>    no renewTime: a gateway would wait for ever\n"
        )
    );
    let run = inspect(&["-o", "custom-columns=NAME:.name", "--no-headers", "--stale"]);
    assert_eq!(
        run.stdout,
        "gw-lock-000000000000000b\ngw-lock-000000000000000c\n"
    );
    let run = inspect(&["-o", "custom-columns=NAME"]);
    assert_eq!(run.code, 2, "{run:?}");
}

#[test]
fn what_to_fail_on_is_said_after_everything_was_shown() {
    let server = some();
    for (what, code, message) in [
        (
            "stale",
            1,
            "2 leases are stale: gw-lock-000000000000000b, gw-lock-000000000000000c",
        ),
        (
            "malformed",
            1,
            "1 lease is malformed: gw-lock-000000000000000d",
        ),
        (
            "any",
            1,
            "3 leases are stale or odd: gw-lock-000000000000000b, gw-lock-000000000000000c, gw-lock-000000000000000d",
        ),
    ] {
        let run = server.gwlock(&["inspect", "--fail-on", what]).run();
        assert_eq!((run.code, run.stdout.lines().count()), (code, 5), "{what}");
        let first = run.stderr.lines().next().unwrap();
        assert_eq!(first, format!("error: {message}"));
    }
    let fine = &[
        "inspect",
        "--holder",
        "gateway-1_0123456789abcdef",
        "--fail-on",
        "stale,malformed,any",
    ];
    assert_eq!(server.gwlock(fine).run().code, 0);
    let json = server
        .gwlock(&["inspect", "-o", "json", "--fail-on", "stale"])
        .run();
    assert_eq!(json.json()["items"].as_array().unwrap().len(), 4);
    assert_eq!(json.json_error()["code"], json!(1));
}

#[test]
fn a_lease_is_called_leaked_after_as_many_durations_as_are_said() {
    let server = some();
    let leaked = |flags: &[&str]| -> Vec<String> {
        let jsonpath = "jsonpath={range .items[*]}{.name}:{.findings[*].code}{\"\\n\"}{end}";
        let run = server
            .gwlock(&[&["inspect", "-o", jsonpath], flags].concat())
            .run();
        let lines = run
            .stdout
            .lines()
            .filter_map(|line| line.strip_suffix(":Leaked"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(leaked(&[]), ["gw-lock-000000000000000c"]);
    assert_eq!(
        leaked(&["--leaked-after", "3"]),
        ["gw-lock-000000000000000b", "gw-lock-000000000000000c"]
    );
}

#[test]
fn other_programs_leases_are_not_called_broken() {
    let server = Server::start();
    server.lease(
        "cert-manager-controller",
        5,
        &json!({"holderIdentity": "x"}),
    );
    server.lease(
        "my-lock-0123456789abcdef",
        5,
        &json!({"holderIdentity": "x"}),
    );
    let run = server
        .gwlock(&[
            "inspect",
            "--prefix",
            "all",
            "-o",
            "jsonpath={.items[*].findings[*].code}",
        ])
        .run();
    assert_eq!(run.stdout.trim_end(), "UnknownPrefix");
}
