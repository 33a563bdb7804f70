//! The checker is checked: with one safety measure taken away it has to find something, and the right thing.

use super::chaos::Setting;
use super::weakness::Weakness;
use super::world::run;

/// Finds a violation of this kind within that many runs.
fn finds(weakness: Weakness, setting: Setting, runs: u64, kind: &str) {
    let is_found = |seed: &u64| {
        let violation = run(*seed, setting, weakness, false).violation;
        violation.is_some_and(|violation| violation.contains(kind))
    };
    let found = (0..runs).find(is_found);
    assert!(
        found.is_some(),
        "{weakness:?} went unnoticed in {runs} runs"
    );
}

const TWO: &str = "believes to hold a lease that names";

#[test]
fn validity_from_the_answer_makes_two_holders() {
    finds(Weakness::ValidityFromAnswer, Setting::Alone, 3000, TWO);
}

#[test]
fn no_deadline_makes_two_holders() {
    finds(Weakness::NoDeadline, Setting::Alone, 1000, TWO);
}

#[test]
fn a_put_without_uid_brings_a_released_lease_back() {
    finds(
        Weakness::PutWithoutUid,
        Setting::Alone,
        3000,
        "brought its released lease back",
    );
}

#[test]
fn a_put_without_version_makes_two_holders() {
    finds(Weakness::PutWithoutVersion, Setting::Alone, 1000, TWO);
}

#[test]
fn a_blind_delete_makes_two_holders() {
    finds(Weakness::BlindDelete, Setting::Alone, 1000, TWO);
}

#[test]
fn one_identity_for_two_handlers_makes_two_holders() {
    finds(Weakness::NoNonce, Setting::Alone, 100, "two holders");
}

#[test]
fn no_margin_makes_two_holders_when_servers_disagree() {
    finds(Weakness::NoMargin, Setting::ServersApart, 3000, TWO);
}

#[test]
fn creation_timestamp_as_a_stamp_makes_two_holders() {
    finds(Weakness::StampFromCreation, Setting::Alone, 3000, TWO);
}

#[test]
fn any_entry_as_a_stamp_keeps_the_lease_of_the_dead() {
    finds(
        Weakness::AnyStamp,
        Setting::Alone,
        1000,
        "the lease of the dead stayed",
    );
}

#[test]
fn a_takeover_without_a_check_makes_two_holders_when_a_date_lies() {
    finds(Weakness::NoUndo, Setting::LyingDates, 1000, "two holders");
}

#[test]
fn the_local_time_lets_gateways_in() {
    finds(Weakness::LocalTime, Setting::WithGateways, 1000, TWO);
}

#[test]
fn one_look_that_finds_nothing_is_not_the_end_of_a_post() {
    finds(
        Weakness::NotFoundIsNo,
        Setting::Alone,
        3000,
        "landed after it had ended",
    );
}
