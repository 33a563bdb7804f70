//! The rules of a run, one each: answers in, requests out.

use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use crate::protocol::exchange::NotExecuted;
use crate::remediation::name::{name_after, request_name};
use crate::remediation::request::RequestStatus;

const HOLDER: &str = "gateway-1_0123456789abcdef";
const CONSISTENT: Request = Request::List {
    not_older_than: None,
};
const TIMEOUT: Duration = Duration::from_secs(5);

fn at(millis: u64) -> Moment {
    Moment::from_origin(Duration::from_millis(millis))
}

fn wall() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn fingerprint() -> Fingerprint {
    Fingerprint::of("prod:Deployment:payment-api")
}

fn run() -> Run {
    run_that_has_seen(None)
}

fn run_that_has_seen(version: Option<&str>) -> Run {
    let settings = Settings {
        fingerprint: fingerprint(),
        budget: Duration::from_secs(15),
        request_timeout: TIMEOUT,
        grace: Duration::from_secs(1),
        seen: version.map(str::to_owned),
    };
    let time = ServerTime::guess(at(0), wall());
    Run::new(settings, at(0), time, StdRng::seed_from_u64(1))
}

/// One signal waits, and the lease is held for another 20 s.
fn held(now: u64) -> Situation {
    Situation {
        waiting: 1,
        held_until: Some(at(now + 20_000)),
    }
}

fn reply(run: &mut Run, now: u64, answer: Answer) {
    run.reply(Reply {
        arrived: at(now),
        date: Some(wall()),
        answer,
    });
}

fn unclear() -> Answer {
    Answer::Unclear("500".to_owned())
}

fn request(name: &str, phase: &str) -> RemediationRequest {
    RemediationRequest {
        name: name.to_owned(),
        namespace: "ns".to_owned(),
        uid: format!("uid of {name}"),
        resource_version: "1".to_owned(),
        created: Some(wall()),
        deleting: false,
        created_by: None,
        fingerprint: fingerprint().to_string(),
        status: Some(RequestStatus {
            phase: Some(phase.to_owned()),
            ..RequestStatus::default()
        }),
    }
}

/// The next request, whatever has to be waited for before it, and when it is sent.
fn sends(run: &mut Run, mut now: u64) -> (u64, Request) {
    loop {
        match run.next(at(now), held(now)) {
            Step::Send { request, .. } => return (now, request),
            Step::Wait { until } => {
                now = u64::try_from(until.since_origin().as_millis()).unwrap() + 1;
            }
            other => panic!("{other:?}"),
        }
    }
}

/// A run that holds the lease and is about to create, having listed these.
fn about_to_create(listed: &[RemediationRequest]) -> Run {
    let mut run = run();
    assert_eq!(sends(&mut run, 0), (0, CONSISTENT));
    reply(&mut run, 1, Answer::Listed(listed.to_vec()));
    assert!(matches!(run.next(at(1), held(1)), Step::Acquire { .. }));
    run.held(HOLDER.to_owned());
    assert_eq!(sends(&mut run, 2), (2, CONSISTENT));
    reply(&mut run, 3, Answer::Listed(listed.to_vec()));
    run
}

fn name_of(request: &Request) -> &str {
    match request {
        Request::Create { name, .. } | Request::Get { name } => name,
        other => panic!("{other:?}"),
    }
}

/// A run waits for the lease, looks, and finds these.
fn look(run: &mut Run, now: u64, listed: &[RemediationRequest]) -> Option<Decision> {
    let situation = Situation {
        waiting: 1,
        held_until: None,
    };
    let step = run.next(at(now), situation);
    assert!(
        matches!(
            step,
            Step::Send {
                request: Request::List { .. },
                ..
            }
        ),
        "{step:?}"
    );
    reply(run, now + 1, Answer::Listed(listed.to_vec()));
    let decision = run.take_decision();
    if listed.is_empty() {
        let step = run.next(at(now + 1), situation);
        assert!(matches!(step, Step::Acquire { .. }), "{step:?}");
    }
    decision
}

#[test]
fn an_acquisition_is_decided_on_once_however_often_is_looked_meanwhile() {
    let mut run = run();
    assert_eq!(look(&mut run, 0, &[]), Some(Decision::Acquire));
    assert_eq!(look(&mut run, 50, &[]), None);
    assert_eq!(look(&mut run, 100, &[]), None);
    let active = request("rr-1", "Executing");
    let counted = Decision::Suppressed {
        name: "rr-1".to_owned(),
        reason: Reason::Active,
    };
    assert_eq!(look(&mut run, 150, &[active]), Some(counted));
    // The count ends the acquisition. It comes too late, so there is to be another one.
    let (now, count) = sends(&mut run, 160);
    assert!(matches!(count, Request::Count(_)), "{count:?}");
    reply(&mut run, now, Answer::Changed("it is over".to_owned()));
    assert_eq!(look(&mut run, now + 1000, &[]), Some(Decision::Acquire));
}

#[test]
fn a_create_has_no_more_time_than_the_lease_has_left() {
    let mut run = about_to_create(&[]);
    let situation = Situation {
        waiting: 1,
        held_until: Some(at(1204)),
    };
    let name = request_name(&fingerprint(), "");
    let Step::Send { request, timeout } = run.next(at(4), situation) else {
        panic!("a request")
    };
    assert_eq!(name_of(&request), name);
    assert_eq!(timeout, Duration::from_millis(1200));
}

#[test]
fn a_create_is_not_sent_at_the_end_of_the_lease_or_after_it() {
    for held_until in [None, Some(at(2)), Some(at(90))] {
        let mut run = about_to_create(&[]);
        let situation = Situation {
            waiting: 1,
            held_until,
        };
        let step = run.next(at(4), situation);
        assert_eq!(step, Step::Done(Err(Failure::LeaseLost)), "{held_until:?}");
    }
}

#[test]
fn while_a_create_may_land_no_other_name_is_tried() {
    let mut run = about_to_create(&[]);
    let (now, first) = sends(&mut run, 4);
    assert_eq!(name_of(&first), request_name(&fingerprint(), ""));
    reply(&mut run, now, unclear());
    // It is repeated; somebody has the name, who is gone at the next look, and another one has come and ended.
    let (now, again) = sends(&mut run, now);
    assert_eq!(name_of(&again), name_of(&first));
    reply(&mut run, now, Answer::AlreadyExists);
    let (now, look) = sends(&mut run, now);
    assert_eq!(name_of(&look), name_of(&first));
    reply(&mut run, now, Answer::NotFound);
    let (now, list) = sends(&mut run, now);
    assert_eq!(list, CONSISTENT);
    let listed = vec![request("rr-other", "Completed")];
    reply(&mut run, now, Answer::Listed(listed.clone()));
    let (now, third) = sends(&mut run, now);
    assert_eq!(name_of(&third), name_of(&first));
    // Once none of them can land any more, the name follows what is there.
    reply(&mut run, now, Answer::AlreadyExists);
    let (now, _) = sends(&mut run, now);
    reply(&mut run, now, Answer::NotFound);
    let (_, list) = sends(&mut run, 7000);
    assert_eq!(list, CONSISTENT);
    reply(&mut run, 7000, Answer::Listed(listed.clone()));
    let (_, last) = sends(&mut run, 7001);
    assert_eq!(name_of(&last), name_after(&fingerprint(), &listed));
}

#[test]
fn a_create_that_was_told_of_late_may_land_for_longer() {
    let mut run = about_to_create(&[]);
    let (_, first) = sends(&mut run, 4);
    // The process stood still, and perhaps before the request had left.
    reply(&mut run, 8000, unclear());
    let (now, again) = sends(&mut run, 8000);
    assert_eq!(name_of(&again), name_of(&first));
    reply(&mut run, now, Answer::AlreadyExists);
    let (now, _) = sends(&mut run, now);
    reply(&mut run, now, Answer::NotFound);
    let (_, list) = sends(&mut run, 13_000);
    assert_eq!(list, CONSISTENT);
    let listed = vec![request("rr-other", "Completed")];
    reply(&mut run, 13_000, Answer::Listed(listed));
    let (_, third) = sends(&mut run, 13_001);
    assert_eq!(name_of(&third), name_of(&first));
}

#[test]
fn a_refusal_after_an_unclear_create_leaves_its_outcome_unknown() {
    let mut run = about_to_create(&[]);
    let (now, first) = sends(&mut run, 4);
    reply(&mut run, now, unclear());
    let (now, _) = sends(&mut run, now);
    let refusal = Refusal {
        code: 403,
        reason: "Forbidden".to_owned(),
        message: "no".to_owned(),
        rule: first.rule(),
    };
    reply(&mut run, now, Answer::Refused(refusal));
    let name = name_of(&first);
    let unknown = Failure::Unknown(format!("whether {name} was created; no"));
    assert_eq!(run.next(at(now), held(now)), Step::Done(Err(unknown)));
}

#[test]
fn a_count_whose_outcome_is_open_at_the_deadline_is_unknown() {
    let mut run = run();
    let (now, _) = sends(&mut run, 0);
    let listed = vec![request("rr-1", "Executing")];
    reply(&mut run, now, Answer::Listed(listed));
    let (now, count) = sends(&mut run, now);
    assert!(matches!(count, Request::Count(_)));
    reply(&mut run, now, unclear());
    let unknown = Failure::Unknown("500".to_owned());
    assert_eq!(run.next(at(15_000), held(15_000)), Step::Done(Err(unknown)));
}

#[test]
fn a_count_that_is_repeated_is_the_same_even_if_more_signals_have_come() {
    let mut run = run();
    let (now, _) = sends(&mut run, 0);
    let before = request("rr-1", "Executing");
    reply(&mut run, now, Answer::Listed(vec![before.clone()]));
    let (now, count) = sends(&mut run, now);
    reply(&mut run, now, unclear());
    let (now, look) = sends(&mut run, now);
    assert_eq!(name_of(&look), "rr-1");
    reply(&mut run, now, Answer::Request(Box::new(before)));
    let more = Situation {
        waiting: 7,
        held_until: None,
    };
    let Step::Send { request, .. } = run.next(at(now), more) else {
        panic!("a request")
    };
    assert_eq!(request, count);
    // And once only.
    reply(&mut run, now, unclear());
    let Step::Done(Err(Failure::Unknown(_))) = run.next(at(now), more) else {
        panic!("unknown")
    };
}

#[test]
fn a_count_that_was_refused_takes_in_who_has_come_since() {
    let mut run = run();
    let (now, _) = sends(&mut run, 0);
    reply(
        &mut run,
        now,
        Answer::Listed(vec![request("rr-1", "Executing")]),
    );
    let (now, _) = sends(&mut run, now);
    let busy = NotExecuted {
        message: "busy".to_owned(),
        retry_after: Some(Duration::from_secs(2)),
    };
    reply(&mut run, now, Answer::NotExecuted(busy));
    let more = Situation {
        waiting: 7,
        held_until: None,
    };
    let waits = Step::Wait { until: at(2000) };
    assert_eq!(run.next(at(now), more), waits);
    let Step::Send {
        request: Request::Count(count),
        ..
    } = run.next(at(2000), more)
    else {
        panic!("a count")
    };
    assert_eq!(count.added(), 7);
}

#[test]
fn nothing_is_written_in_the_last_moment_before_the_deadline() {
    let mut run = run();
    let (_, _) = sends(&mut run, 0);
    let listed = vec![request("rr-1", "Executing")];
    reply(&mut run, 14_950, Answer::Listed(listed));
    let late = Failure::DeadlineExceeded("the deadline has passed".to_owned());
    assert_eq!(run.next(at(14_950), held(14_950)), Step::Done(Err(late)));
}

#[test]
fn names_that_are_taken_again_and_again_end_the_run() {
    let mut run = about_to_create(&[]);
    let mut now = 4;
    for number in 0.. {
        let step = run.next(at(now), held(now));
        let Step::Send { request: sent, .. } = step else {
            assert_eq!(step, Step::Done(Err(Failure::NoFreeName)));
            assert_eq!(number, 34);
            return;
        };
        now += 1;
        let taken = match sent {
            Request::Create { .. } => Answer::AlreadyExists,
            Request::Get { name } => Answer::Request(Box::new(request(&name, "Failed"))),
            other => panic!("{other:?}"),
        };
        reply(&mut run, now, taken);
    }
}

/// What the server has in its cache, from the version that this process has seen.
fn cached() -> Request {
    Request::List {
        not_older_than: Some("7".to_owned()),
    }
}

#[test]
fn an_active_request_of_an_older_list_is_counted_on_because_the_count_tests_it() {
    let mut run = run_that_has_seen(Some("7"));
    assert_eq!(sends(&mut run, 0), (0, cached()));
    reply(
        &mut run,
        1,
        Answer::Listed(vec![request("rr-1", "Executing")]),
    );
    let (now, count) = sends(&mut run, 1);
    assert!(matches!(count, Request::Count(_)), "{count:?}");
    // It has ended since. That is how this process learns that the list was too old.
    reply(&mut run, now, Answer::Changed("tested".to_owned()));
    let (_, list) = sends(&mut run, now);
    assert_eq!(list, CONSISTENT);
}

#[test]
fn whatever_else_an_older_list_shows_is_looked_at_again() {
    let mut waits = request("rr-1", "Failed");
    let status = waits.status.as_mut().unwrap();
    status.outcome = Some("ManualReviewRequired".to_owned());
    let mut run = run_that_has_seen(Some("7"));
    assert_eq!(sends(&mut run, 0), (0, cached()));
    reply(&mut run, 1, Answer::Listed(vec![waits.clone()]));
    assert_eq!(sends(&mut run, 1), (1, CONSISTENT));
    reply(&mut run, 2, Answer::Listed(vec![waits]));
    let (_, count) = sends(&mut run, 2);
    assert!(matches!(count, Request::Count(_)), "{count:?}");
}

#[test]
fn under_the_lease_no_older_list_will_do() {
    let mut run = run_that_has_seen(Some("7"));
    assert_eq!(sends(&mut run, 0), (0, cached()));
    reply(&mut run, 1, Answer::Listed(Vec::new()));
    assert!(matches!(run.next(at(1), held(1)), Step::Acquire { .. }));
    // A look while somebody else has the lease.
    assert_eq!(sends(&mut run, 2), (2, cached()));
    reply(&mut run, 3, Answer::Listed(Vec::new()));
    assert!(matches!(run.next(at(3), held(3)), Step::Acquire { .. }));
    run.held(HOLDER.to_owned());
    assert_eq!(sends(&mut run, 4), (4, CONSISTENT));
}

#[test]
fn a_version_that_a_server_does_not_reach_is_not_asked_for_twice() {
    let mut run = run_that_has_seen(Some("7"));
    assert_eq!(sends(&mut run, 0), (0, cached()));
    reply(&mut run, 3000, unclear());
    let (_, list) = sends(&mut run, 3000);
    assert_eq!(list, CONSISTENT);
}
