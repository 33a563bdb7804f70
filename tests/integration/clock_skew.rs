//! Clocks that are wrong: this machine's by ten minutes against the server's, either way, and the holder's by an hour.
//! Expiry is judged by the server's alone. That no clock goes into a report is shown next to `Report`.

use serde_json::{Value, json};

use crate::fixture::Server;

/// How far the server is ahead of this machine, in seconds.
const MACHINE: [i64; 2] = [600, -600];

const HELD: [&str; 2] = ["gw-lock-0000000000000001", "gw-lock-0000000000000002"];
const EXPIRED: [&str; 2] = ["gw-lock-0000000000000003", "gw-lock-0000000000000004"];

/// Leases of 300 s, written 5 s and 400 s ago by holders whose clocks are an hour behind and ahead of the server's.
fn world(ahead: i64) -> Server {
    let server = Server::start_ahead(ahead);
    for (names, ago) in [(HELD, 5), (EXPIRED, 400)] {
        for (name, skew) in names.into_iter().zip([-3600, 3600]) {
            let written = server.micro_time(ago - skew);
            let spec = json!({
                "holderIdentity": "gateway-1_0123456789abcdef", "leaseDurationSeconds": 300,
                "acquireTime": written, "renewTime": written,
            });
            server.lease(name, ago, &spec);
        }
    }
    server
}

#[test]
fn inspect_judges_expiry_and_tells_which_clock_is_off() {
    for ahead in MACHINE {
        let server = world(ahead);
        let run = server.gwlock(&["inspect", "-o", "json"]).run();
        let list = run.json();
        let told: Vec<(&Value, i64)> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let skew = item["evidence"]["clockSkewSeconds"].as_i64().unwrap();
                // The stamp is made a moment after the time was taken.
                (&item["state"], (skew + 1800).div_euclid(3600))
            })
            .collect();
        let (held, expired) = (json!("held"), json!("expired"));
        assert_eq!(
            told,
            [(&held, -1), (&held, 1), (&expired, -1), (&expired, 1)],
            "{ahead}"
        );
        // What an answer proves is less than it is by no more than the answer took.
        let off = list["machineClockSkewSeconds"].as_i64().unwrap();
        assert_eq!(off.signum(), -ahead.signum());
        assert!((540..=600).contains(&off.abs()), "{off}");
        let direction = if ahead > 0 { "behind" } else { "ahead of" };
        assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
        assert!(
            run.stderr.starts_with("warning: this machine's clock is ")
                && run.stderr.contains(&format!(
                    " {direction} the server's; nothing here is judged by it"
                )),
            "{run:?}"
        );
        let stale = server.gwlock(&["inspect", "--stale", "-o", "name"]).run();
        let names = stale
            .stdout
            .lines()
            .map(|line| line.rsplit('/').next().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), EXPIRED);
    }
}

#[test]
fn acquire_waits_for_a_live_holder_and_takes_over_from_one_that_has_expired() {
    for ahead in MACHINE {
        let server = world(ahead);
        for name in HELD {
            let run = server.gwlock(&["acquire", name, "--wait", "0"]).run();
            assert_eq!(run.code, 75, "{ahead}: {run:?}");
        }
        for name in EXPIRED {
            let run = server.gwlock(&["acquire", name, "--wait", "0"]).run();
            assert_eq!(run.code, 0, "{ahead}: {run:?}");
        }
        // What it wrote is the server's time, not this machine's.
        let list = server.gwlock(&["inspect", "-o", "json"]).run().json();
        for item in &list["items"].as_array().unwrap()[2..] {
            let skew = item["evidence"]["clockSkewSeconds"].as_i64().unwrap();
            assert!((-60..=2).contains(&skew), "{ahead}: {item}");
        }
    }
}

#[test]
fn force_expire_removes_what_has_expired_and_nothing_else() {
    for ahead in MACHINE {
        let server = world(ahead);
        let all = [HELD, EXPIRED].concat();
        let run = server
            .gwlock(&[&["force-expire", "--yes", "-o", "name"], &all[..]].concat())
            .run();
        assert_eq!(
            (run.code, server.leases()),
            (1, HELD.map(str::to_owned).to_vec()),
            "{ahead}: {run:?}"
        );
    }
}

#[test]
fn gc_deletes_what_has_expired_and_nothing_else() {
    for ahead in MACHINE {
        let server = world(ahead);
        let run = server.gwlock(&["gc"]).run();
        assert_eq!(
            (run.code, server.leases()),
            (0, HELD.map(str::to_owned).to_vec()),
            "{ahead}: {run:?}"
        );
    }
}
