//! Counting: decided again after a clear refusal, never after an unclear answer.

use crate::protocol::clock::Moment;

use super::super::exchange::Answer;
use super::super::outcome::{Because, Counted, Failure};
use super::{Plan, Run};

impl Run {
    pub(super) fn on_counted(&mut self, counted: Counted, answer: Answer, arrived: Moment) {
        let request = counted.count.request();
        match answer {
            Answer::Request(_) => {
                self.end(Ok(counted));
            }
            Answer::Unclear(_) => self.plan = Plan::Settle(counted),
            Answer::Refused(refusal) => self.refuse(refusal),
            Answer::NotExecuted(_) => {
                let (request, because) = (Box::new(request.clone()), counted.because);
                self.retry(Plan::Count { request, because }, &answer, arrived);
            }
            _ => {
                let then = match counted.because {
                    Because::Created => Plan::Reread {
                        name: request.name.clone(),
                    },
                    Because::Suppressed(_) => Plan::List,
                };
                self.after_conflict(then, arrived);
            }
        }
    }

    /// The request that this run created is counted on whatever its phase is by now: it was made for these signals.
    pub(super) fn on_reread(&mut self, name: String, answer: Answer, arrived: Moment) {
        match answer {
            Answer::Request(request)
                if self.created.as_ref() == Some(&request.uid) && !request.deleting =>
            {
                let because = Because::Created;
                self.plan = Plan::Count { request, because };
            }
            Answer::Request(_) | Answer::NotFound => self.plan = Plan::List,
            Answer::Refused(refusal) => self.refuse(refusal),
            other => self.retry(Plan::Reread { name }, &other, arrived),
        }
    }

    pub(super) fn on_settled(&mut self, counted: Counted, answer: Answer, arrived: Moment) {
        match answer {
            Answer::Request(request) if counted.count.is_without_effect(&request) => {
                self.plan = Plan::Resend(counted);
            }
            Answer::Request(_) | Answer::NotFound | Answer::Refused(_) => {
                self.end_unknown(&counted);
            }
            other => self.retry(Plan::Settle(counted), &other, arrived),
        }
    }

    /// Only one of the two can have taken effect, so a success tells everything and anything else nothing.
    pub(super) fn on_resent(&mut self, counted: Counted, answer: &Answer, arrived: Moment) {
        match answer {
            Answer::Request(_) => {
                self.end(Ok(counted));
            }
            Answer::NotExecuted(_) => self.retry(Plan::Resend(counted), answer, arrived),
            _ => self.end_unknown(&counted),
        }
    }

    fn end_unknown(&mut self, counted: &Counted) {
        let name = &counted.count.request().name;
        let trouble = self.trouble.take().unwrap_or_default();
        let message = format!("whether signals were counted on {name}: {trouble}");
        self.end(Err(Failure::Unknown(message)));
    }
}
