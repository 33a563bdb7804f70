//! The gateway's defects, and the tests that show them: most by the gateway's own protocol, which fails, next to ours.
//! A test of this file finds every test that is named here.
//!
//! | Defect | What goes wrong | Tests |
//! |---|---|---|
//! | L1 | two handlers of a pod hold one lease, and both create | `two_handlers_of_one_pod`, `two_handlers_of_one_pod_make_two_requests_the_gateways_way_and_one_ours`, `a_lease_of_ones_own_is_held_again_by_a_gateway_and_busy_for_us` |
//! | L2 | an own expired lease counts as held | `an_expired_lease_of_the_same_pod` |
//! | L3 | a release deletes a lease that has been taken over meanwhile | `a_release_that_is_overtaken_by_a_takeover` |
//! | L4 | the first handler that ends frees its siblings | `the_first_handler_that_ends_frees_its_siblings` |
//! | L5 | without a renewTime a lease never expires | `a_lease_without_a_renew_time` |
//! | L6 | a takeover leaves fields of the holder before | `what_a_takeover_leaves_behind` |
//! | L7 | local clocks decide about expiry | `a_local_clock_that_is_ahead`, `a_local_clock_that_is_behind` |
//! | L8 | a holder that stood still creates after a takeover | `a_holder_that_stood_still`, `a_holder_that_stands_still_makes_a_second_request_the_gateways_way_and_not_ours` |
//! | L9 | a caller that goes away leaks the lease | `a_cancelled_caller_leaks_the_gateways_lease_and_not_ours` |
//! | L10 | who waits sleeps on when nobody waits for it any more | `a_wait_that_nobody_wants_any_more`, `who_has_gone_away_keeps_a_gateway_asleep_and_not_us` |
//! | L11 | the wait is shorter than an expiry | `a_holder_that_died_at_once` |
//! | L12 | waiters write the status without a lock | `waiters_that_find_a_request_together_lose_counts_the_gateways_way_and_not_ours` |
//! | L14 | without a pod name there is no lock | `without_a_pod_name_the_gateway_has_no_lock_and_we_have_one` |
//! | L15 | a container that restarts inherits the lease | `a_container_that_restarts_in_its_pod` |
//! | L16 | keys that are no names reach the server | `a_key_that_is_no_dns_name_never_reaches_the_server` |
//! | L18 | a takeover meets a lease that has just been deleted | `a_takeover_that_meets_a_deletion_is_refused_and_the_lease_is_created_anew` |
//! | D1 | the order of names decides which request counts | `an_ended_request_with_the_smaller_name_takes_the_gateways_counts_and_not_ours` |
//! | D3 | a request that ends or goes after the list is counted on | `a_request_that_ends_after_the_list_is_counted_on_by_the_gateway_and_followed_by_us`, `a_request_that_is_deleted_after_the_list_swallows_the_gateways_signal_and_not_ours` |
//! | D4 | a request that is being deleted suppresses | `a_request_that_is_being_deleted_suppresses_the_gateways_signals_and_not_ours` |
//! | D5 | a count that is not written is answered with success | `a_count_that_may_not_be_written_is_answered_by_the_gateway_and_failed_by_us`, `a_count_that_is_forbidden_fails_the_signal_and_names_the_rule`, `a_refused_count_fails_the_signal` |
//! | D6 | four tries, then the count is lost | `simultaneous_duplicates_lose_the_gateways_counts_and_not_ours`, `uncoalesced_duplicates_of_many_processes_are_all_counted` |
//! | D7 | creating and the first count are two writes | `a_first_count_that_fails_is_missing_for_good_in_the_gateways_and_not_in_ours`, `a_request_of_a_creator_that_crashed_before_its_count_is_counted_from_nothing` |
//! | D8 | what was counted and not answered is counted again | `an_answer_that_waits_for_the_release_is_sent_again_and_counted_twice_unlike_ours`, `a_count_without_an_answer_that_took_no_effect_is_sent_once_more`, `a_count_without_an_answer_that_seems_to_have_taken_effect_is_never_decided_again` |
//! | D9 | the whole status is written | `fields_that_a_gateway_does_not_know_are_dropped_by_it_and_kept_by_us`, `a_write_of_the_orchestrator_is_in_the_gateways_way_and_not_in_ours` |
//! | D11 | outcome and back-off have moved | `outcome_and_back_off_of_older_requests_suppress_our_signals_and_not_the_gateways` |
//! | D13 | back-off by the local clock | `a_local_clock_that_is_off_moves_the_gateways_back_off_and_not_ours`, `a_back_off_suppresses_by_the_servers_clock_until_it_is_over` |
//! | S1 | resolved alerts are taken for firing ones | `resolved_alerts_change_nothing`, `a_resolved_alert_is_no_signal`, `requests_are_counted_case_by_case_and_nothing_stays` |
//! | S2 | 207 hides alerts that failed | `a_batch_with_a_failure_that_may_pass_is_sent_again` |
//! | S3 | an owner that cannot be asked for drops the alert | `an_alert_whose_owner_cannot_be_asked_for_is_failed_and_sent_again`, `a_server_that_stumbles_is_asked_again`, `a_server_that_does_not_answer_leaves_the_owner_unknown` |
//! | S4 | overload is answered in a way that nobody repeats | `beyond_the_slots_the_answer_is_come_again` |
//! | S6 | an alert about nothing takes a lease and fails for ever | `an_alert_about_nothing_is_refused_with_its_field` |
//! | S7 | names with dots are refused | `names_with_dots_count_where_there_are_no_others` |
//! | S8 | cluster-scoped targets keep a namespace | `a_cluster_scoped_target_keeps_the_namespace_in_its_key_alone`, `a_cluster_scoped_candidate_of_an_alert_with_a_namespace_counts_as_absent_and_keeps_the_namespace` |
//! | S11 | modern events are refused | `an_event_with_a_series_has_its_times_and_its_component_elsewhere`, `an_event_may_be_five_minutes_old_and_two_ahead` |
//! | S12 | what is too long fails for ever | `what_is_too_long_or_empty_still_makes_a_request_that_the_server_takes`, `a_signal_that_the_server_does_not_take_spoils_no_other` |
//! | S15 | values are cut within a character | `what_is_too_long_for_a_request_is_cut_between_characters` |
//! | S16 | one alert in the future refuses a batch | `an_alert_in_the_future_is_refused_alone` |
//! | S17 | a name that looks like a status makes a failure pass for one that may go away | `a_refused_spec_is_sent_again_where_its_name_looks_like_a_status` |

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every test of the workspace and the line before it, which says that it is one.
fn tests() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "engine/src", "engine/tests"];
    let mut open: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut tests = BTreeMap::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for pair in lines.windows(2) {
                let name = pair[1].trim_start_matches("async ").strip_prefix("fn ");
                if let Some(name) = name.and_then(|rest| rest.split('(').next()) {
                    tests.insert(name.to_owned(), pair[0].to_owned());
                }
            }
        }
    }
    tests
}

#[test]
fn every_defect_that_concerns_us_has_tests_and_they_exist() {
    let tests = tests();
    let rows = include_str!("defects.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .filter(|row| !row.starts_with("Defect"));
    let mut shown = Vec::new();
    for row in rows {
        let (defect, rest) = row.split_once(" | ").unwrap();
        let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{defect}");
        for name in names {
            let before = tests.get(name).map_or("", String::as_str);
            let is_test = before == "#[test]" || before.starts_with("#[tokio::test");
            assert!(is_test, "{defect}: there is no test {name}");
        }
        shown.push(defect);
    }
    for defect in [
        "D1", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D11", "D13", "L10", "L12", "S1", "S2",
        "S3", "S4", "S6", "S7", "S8", "S11", "S12", "S15", "S16", "S17",
    ] {
        assert!(shown.contains(&defect), "{defect}");
    }
}
