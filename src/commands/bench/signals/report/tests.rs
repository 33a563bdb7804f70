//! Reports of loads that are made up: what is printed, to the letter.

use std::time::Duration;

use super::super::block::Block;
use super::super::checks;
use super::super::exact::{Exactness, Wrong};
use super::super::mix::Load;
use super::super::scrape::Requests;
use super::super::tally::{Answer, Failed, Tally, Times};
use super::*;

/// A second at 100/s of which each fifth signal created; all of them took so long.
fn measured(protocol: Protocol, millis: u64, per_signal: u64) -> Measured {
    let mut tally = Tally::with_limit(Duration::from_millis(50));
    for signal in 0..100 {
        let intended = Duration::from_millis(10 * signal);
        let times = Times {
            intended,
            sent: intended,
            answered: intended + Duration::from_millis(millis),
        };
        let answer = match signal % 5 {
            0 => Answer::Created,
            _ => Answer::Duplicate,
        };
        tally.sent(0);
        tally.ended(0, true, times, answer);
    }
    let requests = [
        (("list".to_owned(), "remediationrequests".to_owned()), 100),
        (
            ("create".to_owned(), "leases".to_owned()),
            100 * (per_signal - 1),
        ),
    ];
    Measured {
        block: Block {
            protocol,
            load: Load {
                rate: 100.0,
                duration: Duration::from_secs(1),
                warm_up: Duration::ZERO,
                duplicates: 0.8,
                working_set: 10,
            },
            replicas: 3,
            limit: Duration::from_millis(50),
            gives_up: false,
        },
        tally,
        requests: Requests(requests.into()),
        exactness: Exactness {
            expected: 20,
            created: 20,
            answered: 100,
            counted: 100,
            ..Exactness::default()
        },
        metrics: String::new(),
    }
}

fn failing(mut measured: Measured) -> Measured {
    let failed = Answer::Failed(Failed {
        kind: "503".to_owned(),
        message: "too many requests are in flight".to_owned(),
    });
    let moment = Duration::from_millis(990);
    let times = Times {
        intended: moment,
        sent: moment,
        answered: moment + Duration::from_millis(1),
    };
    measured.tally.ended(0, true, times, failed);
    measured
}

fn report(measured: Measured, checks_of: fn(&Measured) -> Vec<Check>) -> Report {
    Report {
        checks: checks_of(&measured),
        items: vec![Item::of(measured)],
        highest: Vec::new(),
    }
}

#[test]
fn one_load_is_told_in_full() {
    let load = failing(measured(Protocol::Gwlock, 20, 3));
    let report = report(load, checks::of_rate);
    assert!(!report.is_met());
    let expected = "\
PROTOCOL   WANTED/S   ACHIEVED/S   P50       P99       FAILED   COUNTS   API REQUESTS/S   LEASE OPS/S   REQUESTS/SIGNAL
gwlock     100        99           20.0 ms   20.0 ms   1        exact    297              198           2.97

ANSWER           SIGNALS   P50       P90       P95       P99       P99.9     MAX
all              101       20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms
created          20        20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms
duplicate        80        20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms
failed           1         1.00 ms   1.00 ms   1.00 ms   1.00 ms   1.00 ms   1.00 ms
(sent late by)   101       0.00 ms   0.00 ms   0.00 ms   0.00 ms   0.00 ms   0.00 ms

API REQUEST                COUNT   PER SECOND
create leases              200     198
list remediationrequests   100     99

FAILED            ANSWER   SIGNALS   THE FIRST ONE SAYS
gwlock at 100/s   503      1         too many requests are in flight

VERDICT   CHECK                                  MEASURED                              WANTED
missed    gwlock at 100/s: signals that failed   1                                     0
ok        gwlock at 100/s: counts                20 RemediationRequests, 100 counted   20 and 100
ok        gwlock at 100/s: p99                   20.0 ms                               at most 50.0 ms
ok        gwlock at 100/s: answered a second     99.0                                  at least 98.0
";
    assert_eq!(report.text(false), expected);
}

#[test]
fn two_protocols_are_told_in_rows_and_by_the_medians_of_their_ratios() {
    let ours = [10, 20, 30].map(|millis| measured(Protocol::Gwlock, millis, 2));
    let theirs = [20, 20, 20].map(|millis| measured(Protocol::Gateway, millis, 8));
    let pairs = ours.into_iter().zip(theirs);
    let items = pairs.flat_map(|(ours, theirs)| [Item::of(ours), Item::of(theirs)]);
    let report = Report {
        items: items.collect(),
        ..Report::default()
    };
    let text = report.text(false);
    let ratios: Vec<&str> = text.lines().rev().take(2).collect();
    assert_eq!(
        ratios,
        [
            "100                   1.00       1.00   1.00   0.25",
            "GWLOCK / GATEWAY AT   ACHIEVED   P50    P99    REQUESTS/SIGNAL"
        ]
    );
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("gateway"))
            .count(),
        3
    );
    let value = report.value();
    assert_eq!(value["ratios"][0]["requestsPerSignal"], json!(0.25));
    assert_eq!(value["ratios"].as_array().map(Vec::len), Some(1));
}

#[test]
fn blocks_of_another_name_have_ratios_of_their_own() {
    let of = |name, protocol, millis| Item::named(name, measured(protocol, millis, 2));
    let report = Report {
        items: vec![
            of("uncontended", Protocol::Gwlock, 10),
            of("uncontended", Protocol::Gateway, 20),
            of("contended", Protocol::Gwlock, 40),
            of("contended", Protocol::Gateway, 20),
        ],
        ..Report::default()
    };
    let value = report.value();
    let ratios = value["ratios"].as_array().into_iter().flatten();
    let cases: Vec<&Value> = ratios.map(|ratio| &ratio["case"]).collect();
    assert_eq!(cases, ["uncontended", "contended"]);
    assert!(report.text(false).contains("\n100, contended "));
}

#[test]
fn the_highest_rates_are_told_with_their_ratio() {
    let highest = |protocol, rate| Highest { protocol, rate };
    let report = |other| {
        let highest = vec![
            highest(Protocol::Gwlock, Some(850.0)),
            highest(Protocol::Gateway, other),
        ];
        Report {
            checks: checks::of_search(&highest),
            highest,
            ..Report::default()
        }
    };
    let found = report(Some(200.0));
    assert_eq!(
        found.found().as_deref(),
        Some("PROTOCOL   HIGHEST RATE HELD\ngwlock     850/s\ngateway    200/s\nratio      4.25\n")
    );
    assert_eq!(found.value()["ratio"], json!(4.25));
    let nothing = report(None);
    assert_eq!(nothing.value()["ratio"], Value::Null);
    // What the other one does not hold is nobody's fault here.
    assert!(nothing.is_met());
}

#[test]
fn counts_that_are_wrong_are_told_with_the_first_one() {
    let mut load = measured(Protocol::Gwlock, 20, 3);
    load.exactness.counted = 97;
    load.exactness.wrong = [(Wrong::Lost, (2, "abc: 1 RemediationRequests".to_owned()))].into();
    let report = report(load, checks::of_load);
    assert!(!report.is_met());
    let text = report.text(false);
    assert!(text.contains("3 lost"), "{text}");
    let told =
        "2 fingerprints with fewer counted than answered, the first is abc: 1 RemediationRequests";
    assert!(text.contains(told), "{text}");
    assert_eq!(report.value()["items"][0]["counts"]["exact"], json!(false));
}

#[test]
fn plan_p5_is_met_by_a_small_rise_and_few_failures() {
    let baseline = measured(Protocol::Unlocked, 5, 4);
    for (millis, fails, expected) in [
        (24, false, [true, true, true]),
        (25, false, [false, true, true]),
        (24, true, [true, false, true]),
    ] {
        let mut load = measured(Protocol::Gwlock, millis, 6);
        if fails {
            load = failing(load);
        }
        let most = checks::UNCONTENDED_RISE;
        let checks = checks::of_rise(&baseline, &load, "uncontended", most);
        let met: Vec<bool> = checks.iter().map(|check| check.is_met).collect();
        assert_eq!(met, expected, "{checks:?}");
    }
}
