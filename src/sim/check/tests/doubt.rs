//! Histories that are bad as long as the clocks of their pods are known well enough.

use super::told::{History, Teller};
use crate::sim::check::Rule;

/// What the pods have done, the rule that it breaks, and how far times may be off each other before it breaks none.
type Case = (&'static str, Rule, u64, History);

pub(super) fn cases() -> Vec<Case> {
    let h = History::new;
    let mut cases = Vec::new();
    let mut case = |name, rule, doubt, history| cases.push((name, rule, doubt, history));

    case(
        "a hold begins 40 ms before the one of another pod ends",
        Rule::TwoHolders,
        40,
        h().at(0, "a", |t| t.held_for("k", "a1", "5", 100))
            .at(960, "b", |t| t.held("k", "b1", "6"))
            .at(1000, "a", |t| t.ended("k", "a1"))
            .at(9000, "b", |t| t.ended("k", "b1")),
    );
    case(
        "a hold that lasts 40 ms is within one that began as long before",
        Rule::TwoHolders,
        80,
        h().at(0, "a", |t| t.held_for("k", "a1", "5", 10))
            .at(40, "b", |t| t.held("k", "b1", "6"))
            .at(80, "b", |t| t.ended("k", "b1"))
            .at(9000, "a", |t| t.ended("k", "a1")),
    );
    case(
        "a lease is held 40 ms before another pod sends its release",
        Rule::ClaimsOverlap,
        40,
        h().at(0, "a", |t| t.call(1, "create k", "a1"))
            .at(1, "a", |t| t.reply(1, 201, "5"))
            .at(1, "a", |t| t.held_for("k", "a1", "5", 20_000))
            .at(500, "a", |t| t.ended("k", "a1"))
            .at(960, "b", |t| t.held("k", "b1", "9"))
            .at(1000, "a", |t| t.call(2, "delete k", "")),
    );
    case(
        "an update that was sent 40 ms after a newer one was answered has an older version",
        Rule::Linearizable,
        40,
        h().at(0, "a", |t| t.call(1, "update k", ""))
            .at(100, "a", |t| t.reply(1, 200, "9"))
            .at(140, "b", |t| t.call(2, "update k", ""))
            .at(150, "b", |t| t.reply(2, 200, "8")),
    );
    case(
        "a read that was sent 40 ms after a write was answered does not show it",
        Rule::Linearizable,
        40,
        h().at(0, "a", |t| t.call(1, "update k", ""))
            .at(100, "a", |t| t.reply(1, 200, "9"))
            .at(140, "b", |t| t.call(2, "get k", ""))
            .at(150, "b", |t| t.reply(2, 200, "8")),
    );
    case(
        "a version is read 40 ms before it is written",
        Rule::Linearizable,
        40,
        h().at(0, "b", |t| t.call(2, "get k", ""))
            .at(60, "b", |t| t.reply(2, 200, "9"))
            .at(100, "a", |t| t.call(1, "update k", ""))
            .at(110, "a", |t| t.reply(1, 200, "9")),
    );
    case(
        "a lease is created 40 ms before its deletion is sent",
        Rule::Linearizable,
        40,
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(10, "a", |t| t.reply(1, 201, "5"))
            .at(20, "b", |t| t.call(2, "create k", ""))
            .at(60, "b", |t| t.reply(2, 201, "8"))
            .at(100, "a", |t| t.call(3, "delete k", ""))
            .at(110, "a", |t| t.reply(3, 200, "")),
    );
    case(
        "a lease is not found 40 ms before its deletion is sent",
        Rule::Linearizable,
        40,
        h().at(0, "a", |t| t.call(1, "create k", ""))
            .at(5, "a", |t| t.reply(1, 201, "5"))
            .at(50, "b", |t| t.call(2, "get k", ""))
            .at(60, "b", |t| t.reply(2, 404, ""))
            .at(100, "a", |t| t.call(3, "delete k", ""))
            .at(110, "a", |t| t.reply(3, 200, "")),
    );
    case(
        "a hold that began 40 ms later has a smaller token",
        Rule::TokensGrow,
        40,
        h().at(0, "a", |t| t.held("k", "a1", "9"))
            .at(1, "a", |t| t.ended("k", "a1"))
            .at(40, "b", |t| t.held("k", "b1", "8"))
            .at(41, "b", |t| t.ended("k", "b1")),
    );
    case(
        "a token is smaller than one of a hold 40 ms before, though not than that of the hold between them",
        Rule::TokensGrow,
        40,
        h().at(0, "a", |t| t.held("k", "a1", "9"))
            .at(1, "a", |t| t.ended("k", "a1"))
            .at(40, "c", |t| t.held("k", "c1", "8"))
            .at(41, "c", |t| t.ended("k", "c1"))
            .at(42, "b", |t| t.held("k", "b1", "10"))
            .at(43, "b", |t| t.ended("k", "b1")),
    );
    case(
        "a number is told 40 ms before it stands in the request",
        Rule::AnsweredWithoutEffect,
        40,
        h().at(0, "", |t| t.request("u", "active", 1))
            .at(10, "a", |t| t.signal(1, "f"))
            .at(60, "a", |t| t.duplicate(1, "u", 2))
            .at(100, "", |t| t.request("u", "active", 2)),
    );
    case(
        "a number of a request is told 40 ms before the request is there",
        Rule::AnsweredWithoutEffect,
        40,
        h().at(10, "a", |t| t.signal(1, "f"))
            .at(60, "a", |t| t.created(1, "u"))
            .at(100, "", |t| t.request("u", "active", 1)),
    );
    cases
}

/// What breaks a rule only if everybody's requests are known.
pub(super) fn unseen() -> Vec<(&'static str, Rule, History)> {
    let h = History::new;
    vec![
        (
            "a lease is created that nobody has deleted",
            Rule::Linearizable,
            h().at(0, "a", |t| t.call(1, "create k", ""))
                .at(5, "a", |t| t.reply(1, 201, "5"))
                .at(20, "b", |t| t.call(2, "create k", ""))
                .at(60, "b", |t| t.reply(2, 201, "8")),
        ),
        (
            "a lease is not found that nobody has deleted",
            Rule::Linearizable,
            h().at(0, "a", |t| t.call(1, "create k", ""))
                .at(5, "a", |t| t.reply(1, 201, "5"))
                .at(50, "b", |t| t.call(2, "get k", ""))
                .at(60, "b", |t| t.reply(2, 404, "")),
        ),
        (
            "a request is created beside one that nobody has ended",
            Rule::TwoActive,
            h().at(0, "", |t| t.request("u", "active", 1))
                .at(100, "", |t| t.request("v", "active", 1)),
        ),
    ]
}

/// A request that was seen active before and after another one was created.
pub(super) fn active_all_the_time() -> History {
    let active = |uid: &'static str, count| move |t: Teller| t.request(uid, "active", count);
    History::new()
        .at(0, "", active("u", 1))
        .at(100, "", active("v", 1))
        .at(200, "", active("u", 2))
}
