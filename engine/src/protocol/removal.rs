//! Removing the lease of somebody else: deleting exactly the version that was judged.
//!
//! A state machine like [`super::release`]. Whether the version may be removed was decided before, by
//! [`super::expiry::judge`] or by a person; nothing else is ever deleted here.

use std::time::Duration;

use super::backoff::Backoff;
use super::clock::Moment;
use super::exchange::{Answer, Refusal, Reply, Request, Version};
use super::record::LeaseRecord;
use super::step;

/// What [`Removal::next`] says is to be done.
pub type Step = step::Step<Removed>;

/// How a removal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Removed {
    /// The version is gone. After a lost answer that counts as ours.
    Deleted,
    /// It is marked as deleted, and a finalizer keeps it.
    Kept,
    /// There was no lease of this name any more.
    AlreadyGone,
    /// Another version or another lease is there by now; nothing was deleted.
    Changed(Box<LeaseRecord>),
    /// The server will not do it.
    Refused(Refusal),
    /// No answer in time, and nothing was deleted.
    Unreachable(String),
    /// No answer in time; the lease may or may not be gone.
    Unknown(String),
}

/// One removal.
#[derive(Debug, Clone)]
pub struct Removal {
    version: Version,
    plan: Plan,
    awaiting: bool,
    backoff: Backoff,
    request_timeout: Duration,
    /// A DELETE was sent that has no answer.
    unclear: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Plan {
    Delete,
    Look,
    Done(Removed),
}

impl Removal {
    /// Removes this version, within `budget`.
    #[must_use]
    pub fn new(version: Version, now: Moment, budget: Duration, request_timeout: Duration) -> Self {
        Self {
            version,
            plan: Plan::Delete,
            awaiting: false,
            backoff: Backoff::new(now, budget),
            request_timeout,
            unclear: false,
        }
    }

    /// What to do at `now`. While an answer is awaited this must not be called.
    #[must_use]
    pub fn next(&mut self, now: Moment) -> Step {
        let request = match &self.plan {
            Plan::Done(removed) => return Step::Done(removed.clone()),
            _ if now < self.backoff.due() => {
                let until = self.backoff.due();
                return Step::Sleep { until };
            }
            Plan::Delete => Request::Delete(self.version.clone()),
            Plan::Look => Request::Get,
        };
        self.awaiting = true;
        Step::Send {
            request,
            timeout: self.request_timeout,
        }
    }

    /// Takes the answer to the request that [`Removal::next`] asked for.
    pub fn reply(&mut self, reply: Reply) {
        if !std::mem::take(&mut self.awaiting) {
            return;
        }
        let now = reply.arrived;
        match (&self.plan, reply.answer) {
            (Plan::Delete, Answer::Deleted) => self.end(Removed::Deleted),
            (Plan::Delete, Answer::Lease(record)) if record.deleting => self.end(Removed::Kept),
            (Plan::Delete, Answer::Lease(_)) => self.end(Removed::Deleted),
            (_, Answer::NotFound) if self.unclear => self.end(Removed::Deleted),
            (_, Answer::NotFound) => self.end(Removed::AlreadyGone),
            (Plan::Delete, Answer::Conflict) => self.plan = Plan::Look,
            (Plan::Look, Answer::Lease(record)) => self.on_read(now, record),
            (_, Answer::Refused(refusal)) if self.unclear => {
                self.end(Removed::Unknown(refusal.message));
            }
            (_, Answer::Refused(refusal)) => self.end(Removed::Refused(refusal)),
            (Plan::Delete, Answer::Unclear(message)) => {
                self.unclear = true;
                self.again(now, message, None);
            }
            (_, Answer::NotExecuted(why)) => self.again(now, why.message, why.retry_after),
            (_, Answer::Unclear(message)) => self.again(now, message, None),
            (_, other) => self.again(now, format!("unexpected answer {other:?}"), None),
        }
    }

    /// What stands there after a conflict. No version of an object comes again, so a DELETE without an answer cannot
    /// land any more once another version is there.
    fn on_read(&mut self, now: Moment, record: Box<LeaseRecord>) {
        if Version::from(&*record) == self.version {
            self.plan = Plan::Delete;
            return self.again(now, "a conflict with nobody".to_owned(), None);
        }
        let same_lease = record.uid == self.version.uid;
        self.end(match (self.unclear, same_lease) {
            (true, true) if record.deleting => Removed::Kept,
            (true, false) => Removed::Deleted,
            _ => Removed::Changed(record),
        });
    }

    fn end(&mut self, removed: Removed) {
        self.plan = Plan::Done(removed);
    }

    fn again(&mut self, now: Moment, trouble: String, retry_after: Option<Duration>) {
        if !self.backoff.put_off(now, retry_after) {
            self.end(if self.unclear {
                Removed::Unknown(trouble)
            } else {
                Removed::Unreachable(trouble)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::exchange::{NotExecuted, Verb};
    use super::super::record::Claim;
    use super::*;

    const BUDGET: Duration = Duration::from_secs(10);
    const TIMEOUT: Duration = Duration::from_secs(3);

    fn version(uid: &str, resource_version: &str) -> Version {
        Version {
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
        }
    }

    fn record(uid: &str, resource_version: &str, deleting: bool) -> Box<LeaseRecord> {
        Box::new(LeaseRecord {
            uid: uid.to_owned(),
            resource_version: resource_version.to_owned(),
            created: None,
            deleting,
            stamp: None,
            claim: Claim::default(),
        })
    }

    fn lost() -> Answer {
        Answer::Unclear("lost".to_owned())
    }

    fn refused() -> Answer {
        Answer::Refused(refusal())
    }

    fn refusal() -> Refusal {
        Refusal {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: "no".to_owned(),
            verb: Verb::Delete,
        }
    }

    /// Plays answers a second after each request. What was sent, and the end.
    fn play(answers: &[Answer]) -> (Vec<Request>, Removed) {
        let mut now = Moment::default();
        let mut removal = Removal::new(version("u1", "7"), now, BUDGET, TIMEOUT);
        let (mut sent, mut answers) = (Vec::new(), answers.iter());
        loop {
            match removal.next(now) {
                Step::Sleep { until } => now = until,
                Step::Done(removed) => return (sent, removed),
                Step::Send { request, timeout } => {
                    assert_eq!(timeout, TIMEOUT);
                    sent.push(request);
                    now = now + Duration::from_secs(1);
                    let answer = answers.next().unwrap().clone();
                    removal.reply(Reply {
                        arrived: now,
                        date: None,
                        answer,
                    });
                }
            }
        }
    }

    fn delete() -> Request {
        Request::Delete(version("u1", "7"))
    }

    #[test]
    fn the_version_that_was_judged_is_deleted() {
        assert_eq!(play(&[Answer::Deleted]), (vec![delete()], Removed::Deleted));
        let live = Answer::Lease(record("u1", "7", false));
        assert_eq!(play(&[live]), (vec![delete()], Removed::Deleted));
    }

    #[test]
    fn a_finalizer_keeps_what_was_deleted() {
        let kept = Answer::Lease(record("u1", "8", true));
        assert_eq!(play(&[kept]), (vec![delete()], Removed::Kept));
    }

    #[test]
    fn another_version_is_left_alone_and_shown() {
        for now in [
            record("u1", "8", false),
            record("u1", "8", true),
            record("u2", "9", false),
        ] {
            let answers = [Answer::Conflict, Answer::Lease(now.clone())];
            assert_eq!(
                play(&answers),
                (vec![delete(), Request::Get], Removed::Changed(now))
            );
        }
    }

    #[test]
    fn what_is_gone_before_the_delete_is_gone_already() {
        assert_eq!(play(&[Answer::NotFound]).1, Removed::AlreadyGone);
        let answers = [Answer::Conflict, Answer::NotFound];
        assert_eq!(play(&answers).1, Removed::AlreadyGone);
    }

    #[test]
    fn a_lost_answer_is_read_back() {
        let again = vec![delete(), delete()];
        assert_eq!(play(&[lost(), Answer::NotFound]), (again, Removed::Deleted));
        let look = |found: Answer| play(&[lost(), Answer::Conflict, found]).1;
        let successor = record("u2", "9", false);
        assert_eq!(look(Answer::Lease(successor)), Removed::Deleted);
        assert_eq!(look(Answer::Lease(record("u1", "8", true))), Removed::Kept);
        let renewed = record("u1", "8", false);
        assert_eq!(
            look(Answer::Lease(renewed.clone())),
            Removed::Changed(renewed)
        );
    }

    #[test]
    fn without_any_answer_the_outcome_is_unknown() {
        let (sent, removed) = play(&vec![lost(); 10]);
        assert_eq!(removed, Removed::Unknown("lost".to_owned()));
        assert!(sent.iter().all(|request| *request == delete()));
        assert_eq!(
            play(&[lost(), refused()]).1,
            Removed::Unknown("no".to_owned())
        );
    }

    #[test]
    fn without_a_connection_nothing_was_deleted() {
        let busy = Answer::NotExecuted(NotExecuted {
            message: "busy".to_owned(),
            retry_after: None,
        });
        assert_eq!(
            play(&vec![busy.clone(); 10]).1,
            Removed::Unreachable("busy".to_owned())
        );
        assert_eq!(play(&[busy, Answer::Deleted]).1, Removed::Deleted);
    }

    #[test]
    fn a_refusal_ends_it() {
        assert_eq!(play(&[refused()]).1, Removed::Refused(refusal()));
    }
}
