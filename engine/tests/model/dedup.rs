//! Signals of one fingerprint: at most one active request, and every answer counted once.
//!
//! There is no lease in this model. A holder that stood still past its lease is somebody without one, so what has to hold
//! then has to hold with nobody having one; the lease only makes it cheap.

mod process;
mod server;
mod world;

use super::search::{exhaust, find};
use world::{Measure, Signals};

#[test]
fn there_are_never_two_active_requests_and_every_answer_is_counted_once() {
    let seen = exhaust(Signals::whole());
    assert!(seen > 10_000, "{seen} states are too few");
}

#[test]
fn without_the_deterministic_name_there_are_two_active_requests() {
    find(
        Signals::without(Measure::DeterministicName),
        world::ONE_ACTIVE,
    );
}

#[test]
fn with_another_name_while_the_first_is_unknown_there_are_two_active_requests() {
    find(
        Signals::without(Measure::SameNameWhileUnknown),
        world::ONE_ACTIVE,
    );
}

#[test]
fn without_the_test_in_the_patch_a_count_is_lost() {
    find(
        Signals::without(Measure::TestInThePatch),
        world::EXACT_COUNT,
    );
}

#[test]
fn with_a_second_decision_after_an_ambiguous_patch_a_signal_is_counted_twice() {
    find(Signals::without(Measure::OneDecision), world::EXACT_COUNT);
}

/// The case that stays open, and that the protocol names.
#[test]
fn a_create_on_its_way_while_requests_are_deleted_can_make_a_second_active_one() {
    find(Signals::with_deletions(), world::ONE_ACTIVE);
}
