//! Bad histories, and good ones that look like them.

use super::told::{History, Teller, Whole, told};
use crate::sim::check::Rule;
use crate::sim::history::Outcome;

type Case = (&'static str, Rule, Whole);

/// A history for each way to break a rule.
pub(super) fn cases() -> Vec<Case> {
    let h = History::new;
    let mut cases = Vec::new();
    let mut case = |name, rule, history| cases.push((name, rule, told(history)));

    // One of those two is a client that relies on its lease for 20 s, so that its claim has ended.
    let claimed = || {
        h().at(0, "a", |t| t.call(1, "create k", "a1"))
            .at(1, "a", |t| t.reply(1, 201, "5"))
            .at(1, "a", |t| t.held_for("k", "a1", "5", 20_000))
    };
    case(
        "a second process takes over from one that does not stop at its deadline",
        Rule::TwoHolders,
        claimed().at(30_000, "b", |t| t.held("k", "b1", "9")),
    );
    case(
        "the holder has not noticed when another one has it",
        Rule::TwoHolders,
        claimed()
            .at(20_500, "b", |t| t.held("k", "b1", "9"))
            .at(20_600, "a", |t| t.ended("k", "a1")),
    );
    case(
        "a process that was restarted holds a lease twice",
        Rule::TwoHolders,
        claimed()
            .at(20_500, "a+1", |t| t.held("k", "a2", "9"))
            .at(20_600, "a", |t| t.ended("k", "a1")),
    );
    case(
        "two requests of one process hold it at once",
        Rule::TwoHolders,
        claimed()
            .at(21_000, "a", |t| t.held("k", "a2", "9"))
            .at(22_000, "a", |t| t.ended("k", "a2"))
            .at(23_000, "a", |t| t.ended("k", "a1")),
    );
    case(
        "a third one overlaps the first, though not the second",
        Rule::TwoHolders,
        claimed()
            .at(21_000, "b", |t| t.held("k", "b1", "9"))
            .at(22_000, "b", |t| t.ended("k", "b1"))
            .at(23_000, "c", |t| t.held("k", "c1", "10")),
    );

    case(
        "a lease is held by another before its release is sent",
        Rule::ClaimsOverlap,
        claimed()
            .at(10, "a", |t| t.ended("k", "a1"))
            .at(11, "b", |t| t.held("k", "b1", "9")),
    );
    case(
        "a renewal prolongs a claim that another one overlaps",
        Rule::ClaimsOverlap,
        claimed()
            .at(10_000, "a", |t| t.call(2, "update k 5", "a1"))
            .at(10_001, "a", |t| t.reply(2, 200, "6"))
            .at(21_000, "a", |t| t.ended("k", "a1"))
            .at(25_000, "b", |t| t.held("k", "b1", "9")),
    );
    case(
        "the release of another lease does not end a claim",
        Rule::ClaimsOverlap,
        claimed()
            .at(10, "a", |t| t.ended("k", "a1"))
            .at(10, "a", |t| t.call(3, "delete other 5", ""))
            .at(11, "b", |t| t.held("k", "b1", "9")),
    );

    case(
        "two updates of one version succeed",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "update k 5", ""))
            .at(1, "b", |t| t.call(2, "update k 5", ""))
            .at(2, "a", |t| t.reply(1, 200, "6"))
            .at(3, "b", |t| t.reply(2, 200, "7")),
    );
    case(
        "two creates succeed and nobody deleted",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(1, "a", |t| t.reply(1, 201, "6"))
            .at(2, "b", |t| t.call(2, "create k", ""))
            .at(3, "b", |t| t.reply(2, 201, "7")),
    );
    case(
        "a delete that was refused makes no room for a create",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(1, "a", |t| t.reply(1, 201, "6"))
            .at(2, "a", |t| t.call(3, "delete k 4", ""))
            .at(3, "a", |t| t.reply(3, 409, ""))
            .at(4, "b", |t| t.call(2, "create k", ""))
            .at(5, "b", |t| t.reply(2, 201, "7")),
    );
    case(
        "a delete that was over before makes no room for a create",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(3, "delete k 4", ""))
            .at(1, "a", |t| t.reply(3, 200, ""))
            .at(2, "a", |t| t.call(1, "create k", ""))
            .at(3, "a", |t| t.reply(1, 201, "6"))
            .at(4, "b", |t| t.call(2, "create k", ""))
            .at(5, "b", |t| t.reply(2, 201, "7")),
    );
    case(
        "a read shows less than what had been answered",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "update k 5", ""))
            .at(1, "a", |t| t.reply(1, 200, "6"))
            .at(2, "b", |t| t.call(2, "get k", ""))
            .at(3, "b", |t| t.reply(2, 200, "5")),
    );
    case(
        "a read shows what had not been sent",
        Rule::Linearizable,
        h().at(0, "b", |t| t.call(2, "get k", ""))
            .at(1, "b", |t| t.reply(2, 200, "6"))
            .at(2, "a", |t| t.call(1, "update k 5", ""))
            .at(3, "a", |t| t.reply(1, 200, "6")),
    );
    case(
        "a read finds nothing where something was",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(1, "a", |t| t.reply(1, 201, "6"))
            .at(2, "b", |t| t.call(2, "get k", ""))
            .at(3, "b", |t| t.reply(2, 404, "")),
    );
    case(
        "a later write gets an earlier version",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "update k", ""))
            .at(1, "a", |t| t.reply(1, 200, "9"))
            .at(2, "b", |t| t.call(2, "update k", ""))
            .at(3, "b", |t| t.reply(2, 200, "8")),
    );
    case(
        "two writes get the same version",
        Rule::Linearizable,
        h().at(0, "a", |t| t.call(1, "update k", ""))
            .at(0, "b", |t| t.call(2, "update k", ""))
            .at(1, "a", |t| t.reply(1, 200, "9"))
            .at(1, "b", |t| t.reply(2, 200, "9")),
    );

    let one_after_the_other = |first: &'static str, second: &'static str| {
        h().at(0, "a", move |t| t.held("k", "a1", first))
            .at(1, "a", |t| t.ended("k", "a1"))
            .at(2, "b", move |t| t.held("k", "b1", second))
            .at(3, "b", |t| t.ended("k", "b1"))
    };
    case(
        "a token falls",
        Rule::TokensGrow,
        one_after_the_other("10", "9"),
    );
    case(
        "a token stays the same",
        Rule::TokensGrow,
        one_after_the_other("10", "10"),
    );

    case(
        "a second request is created",
        Rule::TwoActive,
        h().at(0, "", |t| t.request("u1", "active", 1))
            .at(1, "", |t| t.request("u2", "active", 0)),
    );
    case(
        "a request that had ended goes on",
        Rule::TwoActive,
        h().at(0, "", |t| t.request("u1", "active", 1))
            .at(1, "", |t| t.request("u1", "ended", 1))
            .at(2, "", |t| t.request("u2", "active", 1))
            .at(3, "", |t| t.request("u1", "active", 1)),
    );
    case(
        "a deletion before it was decided excuses nothing",
        Rule::TwoActive,
        h().at(0, "", |t| t.request("u0", "deleted", 1))
            .at(1, "a", |t| t.ask(1, "list", ""))
            .at(2, "a", |t| t.ask(2, "create", "rr-u2"))
            .at(3, "", |t| t.request("u1", "active", 1))
            .at(4, "", |t| t.request("u2", "active", 0)),
    );
    case(
        "a create lands after what its name derives from was deleted",
        Rule::TwoActiveAfterDeletion,
        h().at(1, "a", |t| t.ask(1, "list", ""))
            .at(2, "a", |t| t.ask(2, "create", "rr-u2"))
            .at(3, "", |t| t.request("u0", "deleted", 1))
            .at(4, "", |t| t.request("u1", "active", 1))
            .at(5, "", |t| t.request("u2", "active", 0)),
    );

    let counted = |count| {
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(0, "b", |t| t.signal(2, "f"))
            .at(1, "", |t| t.request("u1", "active", 1))
            .at(2, "a", |t| t.created(1, "u1"))
            .at(3, "", move |t| t.request("u1", "active", count))
    };
    case(
        "more are counted than were sent",
        Rule::CountTooHigh,
        counted(3).at(4, "b", |t| t.duplicate(2, "u1", 2)).end(100),
    );
    case(
        "a signal that failed is counted",
        Rule::CountTooHigh,
        counted(2)
            .at(4, "b", |t| t.failed(2, Outcome::Failed))
            .end(100),
    );
    case(
        "one signal without an answer is counted twice, once on each of two requests",
        Rule::CountTooHigh,
        counted(2)
            .at(4, "b", |t| t.failed(2, Outcome::Unknown))
            .at(5, "", |t| t.request("u1", "ended", 2))
            .at(6, "", |t| t.request("u2", "active", 1))
            .end(100),
    );
    case(
        "two signals are told the same number",
        Rule::NumberTwice,
        counted(2).at(4, "b", |t| t.duplicate(2, "u1", 1)),
    );
    case(
        "a number is told that was not written",
        Rule::AnsweredWithoutEffect,
        counted(1)
            .at(4, "b", |t| t.duplicate(2, "u1", 2))
            .at(5, "", |t| t.request("u1", "active", 2))
            .end(100),
    );
    case(
        "an answer names a request that never was",
        Rule::AnsweredWithoutEffect,
        counted(1).at(4, "b", |t| t.duplicate(2, "u9", 1)).end(100),
    );
    case(
        "an answer comes before the first count",
        Rule::AnsweredWithoutEffect,
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(1, "", |t| t.request("u1", "active", 0))
            .at(2, "a", |t| t.created(1, "u1"))
            .at(3, "", |t| t.request("u1", "active", 1))
            .end(100),
    );
    case(
        "a count falls back behind what was answered",
        Rule::CountTooLow,
        counted(2)
            .at(4, "b", |t| t.duplicate(2, "u1", 2))
            .at(5, "", |t| t.request("u1", "active", 1))
            .end(100),
    );

    case(
        "a lease is held when everybody rests",
        Rule::LeaseLeft,
        h().at(9, "", |t| t.left("k", false)).end(9),
    );
    case(
        "a signal is answered too late",
        Rule::WaitTooLong,
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(25_001, "a", |t| t.failed(1, Outcome::Failed)),
    );
    case(
        "a signal is answered too late, even without the time for which its pod stood still",
        Rule::WaitTooLong,
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(1_000, "a", Teller::stopped)
            .at(3_000, "a", Teller::resumed)
            .at(27_001, "a", |t| t.failed(1, Outcome::Failed)),
    );
    case(
        "a signal is never answered",
        Rule::WaitTooLong,
        h().at(0, "a", |t| t.signal(1, "f")).end(9),
    );
    case(
        "the crash of an earlier process does not excuse a later one",
        Rule::WaitTooLong,
        h().at(0, "a+1", |t| t.signal(1, "f"))
            .at(1, "a", Teller::crashed)
            .end(9),
    );

    cases
}

/// Good histories.
pub(super) fn good() -> Vec<(&'static str, Whole)> {
    let h = History::new;
    let mut cases = Vec::new();
    let mut case = |name, history| cases.push((name, told(history)));
    case(
        "one after the other, in the same moment",
        h().at(0, "a", |t| t.held("k", "a1", "1"))
            .at(5, "a", |t| t.ended("k", "a1"))
            .at(5, "b", |t| t.held("k", "b1", "2"))
            .at(6, "b", |t| t.ended("k", "b1")),
    );
    case(
        "two leases at once",
        h().at(0, "a", |t| t.held("k", "a1", "2"))
            .at(1, "a", |t| t.held("l", "a2", "1")),
    );
    case(
        "who has crashed holds nothing",
        h().at(0, "a", |t| t.held("k", "a1", "1"))
            .at(1, "a", Teller::crashed)
            .at(2, "a+1", |t| t.held("k", "a2", "2")),
    );
    case(
        "a claim has ended when another one begins",
        h().at(0, "a", |t| t.call(1, "create k", "a1"))
            .at(7, "a", |t| t.reply(1, 201, "1"))
            .at(7, "a", |t| t.held_for("k", "a1", "1", 20_000))
            .at(15_000, "a", |t| t.ended("k", "a1"))
            .at(20_000, "b", |t| t.held("k", "b1", "2")),
    );
    case(
        "a release that was sent ends a claim",
        h().at(0, "a", |t| t.held_for("k", "a1", "1", 20_000))
            .at(1, "a", |t| t.ended("k", "a1"))
            .at(1, "a", |t| t.call(1, "delete k 1", ""))
            .at(2, "b", |t| t.held("k", "b1", "2")),
    );
    case(
        "writes without an answer explain what is read",
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(1, "a", |t| t.reply(1, 201, "1"))
            .at(2, "a", |t| t.call(2, "delete k 1", ""))
            .at(3, "b", |t| t.call(3, "get k", ""))
            .at(4, "b", |t| t.reply(3, 404, ""))
            .at(5, "b", |t| t.call(4, "create k", ""))
            .at(6, "b", |t| t.reply(4, 201, "3"))
            .at(7, "a", |t| t.reply(2, 0, "")),
    );
    case(
        "others write too, and a version is older than what was read",
        h().at(0, "a", |t| t.call(1, "update k 1", ""))
            .at(1, "a", |t| t.reply(1, 200, "2"))
            .at(2, "a", |t| t.call(2, "update k 7", ""))
            .at(3, "a", |t| t.reply(2, 200, "9")),
    );
    case(
        "one request after the other",
        h().at(0, "", |t| t.request("u1", "active", 1))
            .at(1, "", |t| t.request("u1", "ended", 1))
            .at(2, "", |t| t.request("u2", "active", 1))
            .at(3, "", |t| t.request("u1", "deleted", 1)),
    );
    case(
        "counts between those that were answered and those that may have been counted",
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(0, "b", |t| t.signal(2, "f"))
            .at(0, "c", |t| t.signal(3, "f"))
            .at(1, "", |t| t.request("u1", "active", 2))
            .at(2, "a", |t| t.created(1, "u1"))
            .at(3, "b", |t| t.failed(2, Outcome::Unknown))
            .at(4, "c", Teller::crashed)
            .end(9),
    );
    case(
        "who stands still may take longer",
        h().at(0, "a", |t| t.signal(1, "f"))
            .at(1_000, "a", Teller::stopped)
            .at(61_000, "a", Teller::resumed)
            .at(70_000, "a", |t| t.failed(1, Outcome::Failed))
            .at(99_000, "", |t| t.left("k", true))
            .end(99_000),
    );
    cases
}
