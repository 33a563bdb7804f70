//! The defects of the gateway's lock, each shown on the gateway's way and shown to be absent on ours.
//!
//! A, B and C are pods, h1 and h2 handlers of one pod, times in seconds.

use gwlock_engine::protocol::acquire::NotHeld;
use gwlock_engine::protocol::record::Claim;
use gwlock_engine::protocol::release::Released;

use jiff::SignedDuration;

use super::lab::Lab;
use super::world::wall;

#[test]
fn two_handlers_of_one_pod() {
    let mut lab = Lab::default();
    let (mut h1, mut h2) = (lab.handler("a", 0), lab.handler("a", 0));
    h1.run(&mut lab);
    h2.run(&mut lab);
    assert_eq!(
        (h1.holds(), h2.holds()),
        (true, true),
        "the gateway's defect"
    );

    let mut lab = Lab::default();
    let (mut h1, mut h2) = (lab.ours("a", 0, 0), lab.ours("a", 0, 0));
    h1.run(&mut lab);
    h2.run(&mut lab);
    assert_eq!((h1.holds(&lab), h2.holds(&lab)), (true, false));
}

#[test]
fn an_expired_lease_of_the_same_pod() {
    let mut lab = Lab::default();
    lab.handler("a", 0).run(&mut lab);
    lab.at(31.0);
    let (mut a, mut b) = (lab.handler("a", 0), lab.handler("b", 0));
    a.run(&mut lab);
    b.run(&mut lab);
    assert_eq!((a.holds(), b.holds()), (true, true), "the gateway's defect");

    let mut lab = Lab::default();
    lab.ours("a", 0, 0).run(&mut lab);
    lab.at(33.0);
    let (mut a, mut b) = (lab.ours("a", 0, 0), lab.ours("b", 0, 0));
    a.run(&mut lab);
    b.run(&mut lab);
    assert_eq!((a.holds(&lab), b.holds(&lab)), (true, false));
}

#[test]
fn a_release_that_is_overtaken_by_a_takeover() {
    let mut lab = Lab::default();
    let mut a = lab.handler("a", 0);
    a.run(&mut lab);
    lab.at(29.9);
    a.begin_release();
    assert!(a.step(&mut lab), "it reads that the lease is its own");
    lab.at(30.1);
    let mut b = lab.handler("b", 0);
    b.run(&mut lab);
    a.run(&mut lab);
    let mut c = lab.handler("c", 0);
    c.run(&mut lab);
    assert_eq!((b.holds(), c.holds()), (true, true), "the gateway's defect");

    let mut lab = Lab::default();
    let mut a = lab.ours("a", 0, 0);
    a.run(&mut lab);
    a.begin_release(&lab);
    lab.at(33.0);
    let mut b = lab.ours("b", 0, 0);
    b.run(&mut lab);
    a.run(&mut lab);
    let mut c = lab.ours("c", 0, 0);
    c.run(&mut lab);
    assert!(matches!(a.released(), Some(Released::NotOurs(_))), "{a:?}");
    assert_eq!((b.holds(&lab), c.holds(&lab)), (true, false));
}

#[test]
fn the_first_handler_that_ends_frees_its_siblings() {
    let mut lab = Lab::default();
    let (mut h1, mut h2) = (lab.handler("a", 0), lab.handler("a", 0));
    h1.run(&mut lab);
    h2.run(&mut lab);
    h1.begin_release();
    h1.run(&mut lab);
    let mut b = lab.handler("b", 0);
    b.run(&mut lab);
    assert_eq!(
        (h2.holds(), b.holds()),
        (true, true),
        "the gateway's defect"
    );

    let mut lab = Lab::default();
    let (mut h1, mut h2) = (lab.ours("a", 0, 0), lab.ours("a", 35, 0));
    h1.run(&mut lab);
    h2.run(&mut lab);
    h1.begin_release(&lab);
    h1.run(&mut lab);
    let mut b = lab.ours("b", 0, 0);
    b.run(&mut lab);
    assert_eq!((h2.holds(&lab), b.holds(&lab)), (false, true));
}

#[test]
fn a_lease_without_a_renew_time() {
    let nameless = Claim {
        holder: Some("x".to_owned()),
        lease_duration_seconds: Some(30),
        ..Claim::default()
    };

    let mut lab = Lab::default();
    lab.create(nameless.clone());
    lab.at(86_400.0);
    let mut gateway = lab.handler("a", 0);
    gateway.run_on(&mut lab);
    assert!(!gateway.holds(), "the gateway's defect");

    let mut lab = Lab::default();
    lab.create(nameless);
    let mut ours = lab.ours("a", 60, 0);
    ours.run_on(&mut lab);
    assert!(ours.holds(&lab));
    assert!((33.0..34.0).contains(&lab.now()), "{}", lab.now());
}

#[test]
fn what_a_takeover_leaves_behind() {
    let old = Claim {
        holder: Some("x".to_owned()),
        lease_duration_seconds: Some(300),
        acquire_time: Some(wall(std::time::Duration::ZERO)),
        renew_time: Some(wall(std::time::Duration::ZERO)),
        lease_transitions: None,
    };

    let mut lab = Lab::default();
    lab.create(old.clone());
    lab.at(303.0);
    lab.handler("a", 0).run(&mut lab);
    let claim = lab.record().expect("a lease").claim;
    let now = lab_time(&lab);
    let inherited = Claim {
        holder: Some("a".to_owned()),
        renew_time: Some(now),
        ..old.clone()
    };
    assert_eq!(claim, inherited, "the gateway's defect");

    let mut lab = Lab::default();
    lab.create(old);
    lab.at(303.0);
    lab.ours("a", 0, 0).run(&mut lab);
    let claim = lab.record().expect("a lease").claim;
    // The next microsecond: the POST before it had written this one.
    let later = now + SignedDuration::from_micros(1);
    let fresh = Claim {
        holder: claim.holder.clone(),
        lease_duration_seconds: Some(30),
        acquire_time: Some(later),
        renew_time: Some(later),
        lease_transitions: Some(1),
    };
    assert_eq!(claim, fresh);
}

#[test]
fn a_local_clock_that_is_ahead() {
    let mut lab = Lab::default();
    let (mut a, mut b) = (lab.handler("a", 0), lab.handler("b", 31));
    a.run(&mut lab);
    b.run(&mut lab);
    assert_eq!((a.holds(), b.holds()), (true, true), "the gateway's defect");

    let mut lab = Lab::default();
    let (mut a, mut b) = (lab.ours("a", 0, 0), lab.ours("b", 0, 31));
    a.run(&mut lab);
    b.run(&mut lab);
    assert_eq!((a.holds(&lab), b.holds(&lab)), (true, false));
}

#[test]
fn a_local_clock_that_is_behind() {
    let mut lab = Lab::default();
    lab.handler("a", 0).run(&mut lab);
    lab.at(50.0);
    let mut b = lab.handler("b", -31);
    b.run_on(&mut lab);
    assert!(
        !b.holds(),
        "the gateway's defect: the lease has been dead for 20 s"
    );

    let mut lab = Lab::default();
    lab.ours("a", 0, 0).run(&mut lab);
    lab.at(50.0);
    let mut b = lab.ours("b", 0, -31);
    b.run(&mut lab);
    assert!(b.holds(&lab));
}

#[test]
fn a_holder_with_a_slow_clock_is_not_taken_for_dead_by_a_gateway() {
    let mut lab = Lab::default();
    let (mut slow, mut other) = (lab.handler("a", -60), lab.handler("b", 0));
    slow.run(&mut lab);
    other.run(&mut lab);
    assert_eq!(
        (slow.holds(), other.holds()),
        (true, true),
        "the gateway's defect"
    );

    let mut lab = Lab::default();
    let mut slow = lab.ours("a", 0, -60);
    slow.run(&mut lab);
    let mut other = lab.handler("b", 0);
    other.run_on(&mut lab);
    assert_eq!((slow.holds(&lab), other.holds()), (true, false));
}

#[test]
fn a_holder_that_stood_still() {
    let mut lab = Lab::default();
    let mut a = lab.handler("a", 0);
    a.run(&mut lab);
    lab.at(31.0);
    let mut b = lab.handler("b", 0);
    b.run(&mut lab);
    a.run(&mut lab);
    assert_eq!((a.holds(), b.holds()), (true, true), "the gateway's defect");

    let mut lab = Lab::default();
    let mut a = lab.ours("a", 0, 0);
    a.run(&mut lab);
    lab.at(33.0);
    assert!(!a.holds(&lab), "it knows without a request");
    let mut b = lab.ours("b", 0, 0);
    b.run(&mut lab);
    a.run(&mut lab);
    assert_eq!((a.holds(&lab), b.holds(&lab)), (false, true));
}

#[test]
fn a_holder_that_works_for_long() {
    let mut lab = Lab::default();
    let mut a = lab.handler("a", 0);
    a.run(&mut lab);
    for second in 1..=31 {
        lab.at(f64::from(second));
        a.run(&mut lab);
    }
    let mut b = lab.handler("b", 0);
    b.run(&mut lab);
    assert_eq!((a.holds(), b.holds()), (true, true), "the gateway's defect");

    let mut lab = Lab::default();
    let mut a = lab.ours("a", 0, 0);
    a.run(&mut lab);
    for second in 1..=300 {
        lab.at(f64::from(second));
        a.run(&mut lab);
    }
    let mut b = lab.ours("b", 0, 0);
    b.run(&mut lab);
    assert_eq!((a.holds(&lab), b.holds(&lab)), (true, false));
}

#[test]
fn a_wait_that_nobody_wants_any_more() {
    let mut lab = Lab::default();
    lab.handler("a", 0).run(&mut lab);
    let mut gateway = lab.handler("b", 0);
    gateway.run_on(&mut lab);
    let (waited, defect) = (
        lab.now(),
        "the gateway's defect: nothing ends this wait before",
    );
    assert!((6.4..6.6).contains(&waited), "{defect} {waited}");

    let mut lab = Lab::default();
    lab.ours("a", 0, 0).run(&mut lab);
    let mut ours = lab.ours("b", 35, 0);
    ours.run(&mut lab);
    lab.at(1.0);
    ours.cancel(&lab);
    ours.run(&mut lab);
    assert_eq!(ours.not_held(), Some(&NotHeld::Cancelled));
}

#[test]
fn a_holder_that_died_at_once() {
    let mut lab = Lab::default();
    lab.handler("a", 0).run(&mut lab);
    let mut gateway = lab.handler("b", 0);
    gateway.run_on(&mut lab);
    assert!(
        !gateway.holds(),
        "the gateway's defect: it gives up after {} s, and the lease lasts 30",
        lab.now()
    );

    let mut lab = Lab::default();
    lab.ours("a", 0, 0).run(&mut lab);
    let mut ours = lab.ours("b", 35, 0);
    ours.run_on(&mut lab);
    assert!(ours.holds(&lab));
    assert!((33.0..34.0).contains(&lab.now()), "{}", lab.now());
}

#[test]
fn a_container_that_restarts_in_its_pod() {
    let mut lab = Lab::default();
    let mut before = lab.handler("a", 0);
    before.run(&mut lab);
    let mut after = lab.handler("a", 0);
    after.run(&mut lab);
    assert!(
        after.holds(),
        "the gateway's defect: it inherits what the dead process may still be doing"
    );

    let mut lab = Lab::default();
    let mut before = lab.ours("a", 0, 0);
    before.run(&mut lab);
    let mut after = lab.ours("a", 0, 0);
    after.run(&mut lab);
    assert!(
        matches!(after.not_held(), Some(NotHeld::Busy(Some(_)))),
        "{after:?}"
    );
}

#[test]
fn a_lease_that_is_deleted_during_a_takeover() {
    let mut lab = Lab::default();
    let mut a = lab.ours("a", 0, 0);
    a.run(&mut lab);
    lab.at(33.0);
    let mut b = lab.ours("b", 5, 0);
    assert!(
        b.step(&mut lab) && b.step(&mut lab),
        "POST, and GET of an expired lease"
    );
    a.begin_release(&lab);
    a.run(&mut lab);
    assert_eq!(lab.record(), None);
    b.run(&mut lab);
    assert!(b.holds(&lab));
    let record = lab.record().expect("a lease");
    assert_eq!(
        record.claim.lease_transitions, None,
        "made anew, not taken over"
    );
}

fn lab_time(lab: &Lab) -> jiff::Timestamp {
    wall(std::time::Duration::from_secs_f64(lab.now()))
}
