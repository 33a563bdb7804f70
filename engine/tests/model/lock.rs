//! The lock: one Lease, three processes.
//!
//! Time goes in ticks and has no end: only ages are kept, and what is older than any rule looks at is just old. In the
//! same way a version is the present one, an older one of the same object, or one of an object that is gone. So there are
//! finitely many states, however long it goes on.
//!
//! A stamp is taken when the server begins with a request; the model takes the moment at which it was sent, the earliest
//! there can be, because the earlier the stamp the earlier a lease expires.

mod measure;
mod process;
mod server;
mod world;

use super::search::{exhaust, find};
use measure::Measure;
use world::{Lock, Other};

#[test]
fn there_are_never_two_holders() {
    let seen = exhaust(Lock::whole(Other::Labels));
    assert!(seen > 10_000, "{seen} states are too few");
}

#[test]
fn no_gateway_beside_takes_a_live_lease() {
    let seen = exhaust(Lock::whole(Other::Gateway));
    assert!(seen > 10_000, "{seen} states are too few");
}

#[test]
fn without_the_nonce_there_are_two_holders() {
    find(
        Lock::without(Measure::Nonce, Other::Nobody),
        world::ONE_HOLDER,
    );
}

#[test]
fn without_the_uid_a_late_renewal_brings_a_released_lease_back() {
    find(Lock::without(Measure::Uid, Other::Nobody), world::NO_RETURN);
}

#[test]
fn without_preconditions_there_are_two_holders() {
    find(
        Lock::without(Measure::Preconditions, Other::Nobody),
        world::ONE_HOLDER,
    );
}

#[test]
fn without_the_deadline_there_are_two_holders() {
    find(
        Lock::without(Measure::Deadline, Other::Nobody),
        world::ONE_HOLDER,
    );
}

#[test]
fn with_validity_from_the_answer_there_are_two_holders() {
    find(
        Lock::without(Measure::ValidityFromSending, Other::Nobody),
        world::ONE_HOLDER,
    );
}

#[test]
fn with_creation_as_the_stamp_there_are_two_holders() {
    find(
        Lock::without(Measure::NoStampNoRule, Other::Labels),
        world::ONE_HOLDER,
    );
}

#[test]
fn with_any_stamp_as_the_specs_the_lease_of_the_dead_stays() {
    find(
        Lock::without(Measure::StampOfTheSpec, Other::Labels),
        world::EXPIRY_IN_TIME,
    );
}

#[test]
fn with_local_time_in_renew_time_a_gateway_takes_a_live_lease() {
    find(
        Lock::without(Measure::ServerTime, Other::Gateway),
        world::ONE_HOLDER,
    );
}
