//! Creating a request: one name until it is known what became of it.

use jiff::Timestamp;

use crate::protocol::clock::Moment;

use super::super::dedup::decide;
use super::super::exchange::Answer;
use super::super::name::next_name;
use super::super::outcome::{Because, Failure};
use super::super::request::RemediationRequest;
use super::{Plan, Run};

/// So many names in a row are taken only by somebody who guesses them.
const MOST_DERIVATIONS: u32 = 16;

/// A CREATE without an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenCreate {
    name: String,
    /// From when on it cannot land any more.
    until: Moment,
}

impl Run {
    pub(super) fn on_created(
        &mut self,
        name: String,
        sent: Moment,
        answer: Answer,
        arrived: Moment,
    ) {
        match answer {
            Answer::Request(request) => {
                self.open_create = None;
                self.count_own(request);
            }
            Answer::AlreadyExists => self.plan = Plan::Inspect { name },
            Answer::Unclear(_) => {
                let is_first = self.open_create.is_none();
                let term = self.settings.request_timeout + self.settings.grace;
                let until = sent + term;
                // A process that is told so late stood still, and perhaps before the request had left.
                let until = if arrived > until {
                    arrived + term
                } else {
                    until
                };
                self.open_create = Some(OpenCreate {
                    name: name.clone(),
                    until,
                });
                let again = Plan::Create { name };
                if is_first {
                    self.plan = again;
                } else {
                    self.retry(again, &answer, arrived);
                }
            }
            Answer::Refused(refusal) => self.refuse(refusal),
            other => self.retry(Plan::Create { name }, &other, arrived),
        }
    }

    /// A request has the name that was to be created.
    pub(super) fn on_inspected(
        &mut self,
        name: String,
        answer: Answer,
        date: Option<Timestamp>,
        arrived: Moment,
    ) {
        match answer {
            Answer::Request(request) => {
                // While the name is taken no other CREATE for it lands, ours that was not answered included.
                self.open_create = None;
                self.on_taken(request, date, arrived);
            }
            // It was deleted in between.
            Answer::NotFound => self.after_conflict(Plan::List, arrived),
            Answer::Refused(refusal) => self.refuse(refusal),
            other => self.retry(Plan::Inspect { name }, &other, arrived),
        }
    }

    fn on_taken(
        &mut self,
        request: Box<RemediationRequest>,
        date: Option<Timestamp>,
        arrived: Moment,
    ) {
        let is_own = request.created_by.is_some() && request.created_by == self.holder;
        if is_own && !request.deleting {
            return self.count_own(request);
        }
        let now = date.unwrap_or_else(|| self.time.now(arrived));
        let is_same = request.fingerprint == self.settings.fingerprint.as_str();
        let alone = std::slice::from_ref(&*request);
        if is_same && let Some(suppression) = decide(alone, now) {
            let reason = suppression.reason;
            return self.count_on(*request, reason);
        }
        self.derivations += 1;
        if self.derivations > MOST_DERIVATIONS {
            self.end(Err(Failure::NoFreeName));
            return;
        }
        let name = next_name(&self.settings.fingerprint, &request.uid, &self.listed);
        self.create(name);
    }

    fn count_own(&mut self, request: Box<RemediationRequest>) {
        self.created = Some(request.uid.clone());
        self.plan = Plan::Count {
            request,
            because: Because::Created,
        };
    }

    /// The name of a CREATE without an answer that may still land: no other may be tried beside it.
    pub(super) fn name_that_may_land(&self, now: Moment) -> Option<String> {
        let open = self.open_create.as_ref()?;
        (now < open.until).then(|| open.name.clone())
    }

    /// A failure, unless a CREATE without an answer makes it unknown what has happened.
    pub(super) fn unless_open(&self, failure: Failure) -> Failure {
        match &self.open_create {
            Some(open) => Failure::Unknown(format!("whether {} was created; {failure}", open.name)),
            None => failure,
        }
    }
}
