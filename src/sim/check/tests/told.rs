//! Histories in few words. Times are milliseconds.

use crate::sim::history::{Event, FORMAT, Header, Outcome, What};

pub(super) use crate::sim::history::History as Whole;

/// A history that is being told.
pub(super) struct History {
    events: Vec<Event>,
}

/// What one pod does at one moment.
pub(super) struct Teller;

/// The end of it: signals may wait for 25 s.
pub(super) fn told(history: History) -> Whole {
    Whole {
        header: Header {
            format: FORMAT.to_owned(),
            seed: Some(1),
            protocol: "gwlock".to_owned(),
            scenario: "told".to_owned(),
            replay: None,
            longest_wait: Some(25_000_000),
        },
        events: history.events,
    }
}

impl History {
    pub(super) fn new() -> Self {
        Self { events: Vec::new() }
    }

    /// At this moment this pod, `a+2` after two restarts, does this. The world has no name.
    pub(super) fn at(mut self, at: u64, pod: &str, what: impl FnOnce(Teller) -> What) -> Self {
        let (pod, restarts) = pod.split_once('+').unwrap_or((pod, "0"));
        self.events.push(Event {
            at: at * 1000,
            pod: pod.to_owned(),
            incarnation: restarts.parse().unwrap(),
            what: what(Teller),
        });
        self
    }

    pub(super) fn end(self, at: u64) -> Self {
        self.at(at, "", |_| What::End)
    }
}

impl Teller {
    pub(super) fn held(self, key: &str, term: &str, token: &str) -> What {
        What::Held {
            key: key.to_owned(),
            term: term.to_owned(),
            holder: term.to_owned(),
            token: (!token.is_empty()).then(|| token.to_owned()),
            valid: None,
        }
    }

    /// It relies on what it writes for so many milliseconds after it was sent.
    pub(super) fn held_for(self, key: &str, term: &str, token: &str, valid: u64) -> What {
        let What::Held {
            key,
            term,
            holder,
            token,
            ..
        } = self.held(key, term, token)
        else {
            unreachable!("it was made a moment ago")
        };
        What::Held {
            key,
            term,
            holder,
            token,
            valid: Some(valid * 1000),
        }
    }

    pub(super) fn ended(self, key: &str, term: &str) -> What {
        What::Ended {
            key: key.to_owned(),
            term: term.to_owned(),
            why: "finished".to_owned(),
        }
    }

    pub(super) fn crashed(self) -> What {
        What::Crashed
    }

    pub(super) fn stopped(self) -> What {
        let why = "paused".to_owned();
        What::Stopped { why }
    }

    pub(super) fn resumed(self) -> What {
        let why = "paused".to_owned();
        What::Resumed { why }
    }

    /// A request for a lease: `verb key`, `verb key version`; the term is who a write names.
    pub(super) fn call(self, call: u64, words: &str, term: &str) -> What {
        let mut words = words.split(' ').map(str::to_owned);
        What::Call {
            call,
            verb: words.next().unwrap(),
            resource: "leases".to_owned(),
            object: words.next().unwrap(),
            requires: words.next(),
            holder: (!term.is_empty()).then(|| term.to_owned()),
        }
    }

    /// A request for RemediationRequests.
    pub(super) fn ask(self, call: u64, verb: &str, name: &str) -> What {
        What::Call {
            call,
            verb: verb.to_owned(),
            resource: "remediationrequests".to_owned(),
            object: format!("ns/{name}"),
            requires: None,
            holder: None,
        }
    }

    /// 0 is a connection that ends.
    pub(super) fn reply(self, call: u64, status: u16, version: &str) -> What {
        What::Reply {
            call,
            status: (status != 0).then_some(status),
            version: (!version.is_empty()).then(|| version.to_owned()),
        }
    }

    pub(super) fn signal(self, signal: u64, key: &str) -> What {
        let key = key.to_owned();
        What::Signal { signal, key }
    }

    pub(super) fn created(self, signal: u64, uid: &str) -> What {
        self.answer(signal, Outcome::Created, uid, 1)
    }

    pub(super) fn duplicate(self, signal: u64, uid: &str, count: i64) -> What {
        self.answer(signal, Outcome::Duplicate, uid, count)
    }

    fn answer(self, signal: u64, outcome: Outcome, uid: &str, count: i64) -> What {
        What::Answer {
            signal,
            outcome,
            uid: Some(uid.to_owned()),
            count: Some(count),
            why: None,
        }
    }

    pub(super) fn failed(self, signal: u64, outcome: Outcome) -> What {
        What::Answer {
            signal,
            outcome,
            uid: None,
            count: None,
            why: None,
        }
    }

    /// A request of fingerprint `f`: `active`, `ended` or `deleted`, with its count; 0 is none.
    pub(super) fn request(self, uid: &str, state: &str, count: i64) -> What {
        let active = state == "active";
        What::Request {
            uid: uid.to_owned(),
            name: format!("rr-{uid}"),
            key: "f".to_owned(),
            phase: if active { "" } else { "Completed" }.to_owned(),
            active,
            count: (count > 0).then_some(count),
            version: None,
            deleted: state == "deleted",
        }
    }

    pub(super) fn left(self, key: &str, expired: bool) -> What {
        What::Left {
            key: key.to_owned(),
            holder: "somebody".to_owned(),
            expired,
        }
    }
}
