//! The referee: judges a history. Pure, and shares no code with the players.

use serde::Serialize;

use super::history::{History, Term};

/// A rule that was broken, and the terms that show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Violation {
    pub(crate) rule: &'static str,
    pub(crate) message: String,
    pub(crate) terms: Vec<Term>,
}

/// Every violation of a history.
pub(crate) fn check(history: &History) -> Vec<Violation> {
    let mut violations = two_holders(&history.terms);
    violations.extend(tokens_grow(&history.terms));
    violations.extend(history.leases_left.iter().map(|name| Violation {
        rule: "released-at-the-end",
        message: format!("{name} was left behind after every handler had ended"),
        terms: Vec::new(),
    }));
    violations
}

/// Two terms of one key may not overlap.
fn two_holders(terms: &[Term]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (index, first) in terms.iter().enumerate() {
        for second in terms[index + 1..]
            .iter()
            .take_while(|second| second.from < first.to)
        {
            if second.key == first.key {
                violations.push(Violation {
                    rule: "never-two-holders",
                    message: format!(
                        "{} was held by {}/{} until {:.3}s, and by {}/{} from {:.3}s",
                        first.key,
                        first.pod,
                        first.handler,
                        first.to.as_secs_f64(),
                        second.pod,
                        second.handler,
                        second.from.as_secs_f64()
                    ),
                    terms: vec![first.clone(), second.clone()],
                });
            }
        }
    }
    violations
}

/// Of two terms of one key the later one has the greater token.
fn tokens_grow(terms: &[Term]) -> Vec<Violation> {
    let mut last: std::collections::HashMap<&str, &Term> = std::collections::HashMap::new();
    let mut violations = Vec::new();
    for term in terms.iter().filter(|term| term.token.is_some()) {
        if let Some(before) = last.insert(&term.key, term)
            && number(before) >= number(term)
        {
            violations.push(Violation {
                rule: "tokens-grow",
                message: format!(
                    "{}: token {:?} came after {:?}",
                    term.key, term.token, before.token
                ),
                terms: vec![before.clone(), term.clone()],
            });
        }
    }
    violations
}

fn number(term: &Term) -> u128 {
    term.token
        .as_deref()
        .and_then(|token| token.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn term(pod: &str, key: &str, from: u64, to: u64, token: &str) -> Term {
        let ms = Duration::from_millis;
        Term {
            pod: pod.to_owned(),
            handler: 0,
            key: key.to_owned(),
            asked: ms(0),
            from: ms(from),
            to: ms(to),
            released: ms(to + 1),
            token: Some(token.to_owned()),
        }
    }

    fn rules(terms: Vec<Term>) -> Vec<&'static str> {
        check(&History {
            terms,
            ..History::default()
        })
        .iter()
        .map(|violation| violation.rule)
        .collect()
    }

    #[test]
    fn terms_that_only_touch_are_no_violation() {
        assert_eq!(
            rules(vec![
                term("a", "x", 0, 10, "1"),
                term("b", "x", 10, 20, "2")
            ]),
            [""; 0]
        );
        assert_eq!(
            rules(vec![term("a", "x", 0, 10, "1"), term("b", "y", 5, 20, "2")]),
            [""; 0]
        );
    }

    #[test]
    fn an_overlap_is_two_holders() {
        assert_eq!(
            rules(vec![term("a", "x", 0, 10, "1"), term("b", "x", 9, 20, "2")]),
            ["never-two-holders"]
        );
    }

    #[test]
    fn a_token_that_does_not_grow_is_found() {
        assert_eq!(
            rules(vec![
                term("a", "x", 0, 10, "9"),
                term("b", "x", 10, 20, "10")
            ]),
            [""; 0]
        );
        assert_eq!(
            rules(vec![
                term("a", "x", 0, 10, "10"),
                term("b", "x", 10, 20, "9")
            ]),
            ["tokens-grow"]
        );
    }

    #[test]
    fn a_lease_that_stays_behind_is_found() {
        let history = History {
            leases_left: vec!["gw-lock-1".to_owned()],
            ..History::default()
        };
        assert_eq!(check(&history)[0].rule, "released-at-the-end");
    }
}
