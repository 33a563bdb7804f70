//! What can happen to a request, and to which requests it happens.

use std::time::Duration;

use http::{Method, StatusCode};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection closes; the server never sees the request.
    LoseRequest,
    /// The server handles the request; the connection closes without an answer.
    LoseAnswer,
    /// The server sees the request this much later, if the client still waits.
    DelayRequest(Duration),
    /// The server sees the request at once; its answer comes this much later.
    DelayAnswer(Duration),
    /// The server sees the request only when the client has given up and closed its connection.
    ForwardAfterTheClientGaveUp,
    /// The server never sees the request; this status answers, in the words of an API server.
    Refuse {
        /// The HTTP status.
        status: StatusCode,
        /// Seconds for the `Retry-After` header.
        retry_after: Option<u32>,
    },
}

impl Fault {
    /// Answers this status instead of the server, without `Retry-After`.
    #[must_use]
    pub fn refuse(status: StatusCode) -> Self {
        Self::Refuse {
            status,
            retry_after: None,
        }
    }
}

/// A fault and the requests that it hits: all of them, unless it is narrowed down.
#[derive(Debug, Clone)]
#[must_use]
pub struct Rule {
    fault: Fault,
    method: Option<Method>,
    path_contains: Option<String>,
    skip: usize,
    times: usize,
}

impl Rule {
    /// A fault for every request.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            method: None,
            path_contains: None,
            skip: 0,
            times: usize::MAX,
        }
    }

    /// Only requests with this method.
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only requests whose path or query contains this.
    pub fn path_contains(mut self, text: &str) -> Self {
        self.path_contains = Some(text.to_owned());
        self
    }

    /// Lets this many matching requests through first.
    pub fn skip(mut self, requests: usize) -> Self {
        self.skip = requests;
        self
    }

    /// Hits this many requests, then no more.
    pub fn times(mut self, requests: usize) -> Self {
        self.times = requests;
        self
    }

    /// Hits only the nth matching request; the first is 1.
    pub fn nth(self, n: usize) -> Self {
        self.skip(n.saturating_sub(1)).times(1)
    }

    fn matches(&self, method: &Method, target: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self
                .path_contains
                .as_ref()
                .is_none_or(|text| target.contains(text))
    }

    /// Counts a request that matches; the fault if it is this one's turn.
    fn hit(&mut self, method: &Method, target: &str) -> Option<Fault> {
        if !self.matches(method, target) || self.times == 0 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.fault)
    }
}

/// The fault of the first rule that hits. Rules before it have counted the request, those after it have not.
pub(super) fn decide(rules: &mut [Rule], method: &Method, target: &str) -> Option<Fault> {
    rules.iter_mut().find_map(|rule| rule.hit(method, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/a/leases?fieldManager=x";

    fn hits(rule: Rule, requests: &[(Method, &str)]) -> Vec<bool> {
        let mut rules = [rule];
        requests
            .iter()
            .map(|(method, target)| decide(&mut rules, method, target).is_some())
            .collect()
    }

    #[test]
    fn a_bare_rule_hits_everything() {
        let rule = Rule::new(Fault::LoseAnswer);
        assert_eq!(
            hits(rule, &[(Method::GET, "/readyz"), (Method::POST, LEASES)]),
            [true, true]
        );
    }

    #[test]
    fn a_rule_hits_the_nth_request_that_matches() {
        let rule = Rule::new(Fault::LoseAnswer)
            .method(Method::POST)
            .path_contains("/leases")
            .nth(2);
        let requests = [
            (Method::POST, LEASES),
            (Method::GET, LEASES),
            (Method::POST, "/readyz"),
            (Method::POST, LEASES),
            (Method::POST, LEASES),
        ];
        assert_eq!(hits(rule, &requests), [false, false, false, true, false]);
    }

    #[test]
    fn the_first_rule_that_hits_decides() {
        let mut rules = [
            Rule::new(Fault::LoseRequest).skip(1).times(1),
            Rule::new(Fault::LoseAnswer),
        ];
        let decided: Vec<_> = (0..3)
            .map(|_| decide(&mut rules, &Method::GET, "/"))
            .collect();
        assert_eq!(
            decided,
            [
                Some(Fault::LoseAnswer),
                Some(Fault::LoseRequest),
                Some(Fault::LoseAnswer)
            ]
        );
    }
}
