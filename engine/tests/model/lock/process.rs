//! A process' side: what it is at, and what it does with what it reads and is answered.

use super::measure::Measure;
use super::server::{Age, Answer, At, Call, DEADLINE, Message, Record, Who};

/// What a process is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    Idle,
    Acquiring,
    /// It holds the lease, by a write that was sent so long ago.
    Holding {
        since: Age,
        at: At,
    },
    Releasing,
}

/// A request that a process waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Waiting {
    pub(crate) message: Message,
    /// `None` as long as it has not landed.
    pub(crate) answer: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    pub(crate) phase: Phase,
    pub(crate) waiting: Option<Waiting>,
    /// How long it has seen the same spec of the same object; kept where there is no stamp.
    pub(crate) observed: Option<Age>,
}

/// What a process wants to send.
pub(crate) type Wish = Option<(Call, At)>;

impl Process {
    pub(crate) const NEW: Self = Self {
        phase: Phase::Idle,
        waiting: None,
        observed: None,
    };

    /// Whether it works on what the lease protects. A process that stands still is no exception: it stops by its clock,
    /// and that runs on.
    pub(crate) fn believes(&self, out: Option<Measure>) -> bool {
        match self.phase {
            Phase::Holding { since, .. } => since.0 <= DEADLINE || out == Some(Measure::Deadline),
            _ => false,
        }
    }

    /// Its deadline has passed: it may only clear up.
    pub(crate) fn is_over(&self, out: Option<Measure>) -> bool {
        matches!(self.phase, Phase::Holding { .. }) && !self.believes(out)
    }

    /// It gives everything up; what it has sent may land still.
    pub(crate) fn stop(&mut self) {
        *self = Self::NEW;
    }

    /// What a consistent read makes it do. `is_own`: the record names its acquisition; `is_expired`: by the rule.
    pub(crate) fn read(&mut self, record: Option<&Record>, is_own: bool, is_expired: bool) -> Wish {
        match (self.phase, record) {
            (Phase::Idle, _) => None,
            (Phase::Acquiring, None) => {
                self.observed = None;
                Some((Call::Post, At::Past))
            }
            // An earlier attempt landed, but too long ago.
            (Phase::Acquiring, Some(record)) if is_own && record.written.0 > DEADLINE => {
                Some((Call::Put, At::Present))
            }
            (Phase::Acquiring | Phase::Holding { .. }, Some(record)) if is_own => {
                self.hold(record.written, At::Present);
                None
            }
            (Phase::Acquiring, Some(_)) if is_expired => {
                self.observed = None;
                Some((Call::Put, At::Present))
            }
            (Phase::Acquiring, Some(record)) => {
                if !record.is_tracked {
                    self.observed.get_or_insert_default();
                }
                None
            }
            (Phase::Releasing, Some(_)) if is_own => Some((Call::Delete, At::Present)),
            // Lost, or released by what was not answered.
            (Phase::Holding { .. } | Phase::Releasing, _) => {
                self.stop();
                None
            }
        }
    }

    /// What an answer makes it do.
    pub(crate) fn answered(&mut self, message: Message, answer: Answer, out: Option<Measure>) {
        let since = if out == Some(Measure::ValidityFromSending) {
            Age::default()
        } else {
            message.sent
        };
        match (self.phase, answer) {
            (Phase::Acquiring, Answer::Done) => self.hold(since, message.at),
            (Phase::Holding { since: before, .. }, Answer::Done) => {
                self.hold(since.min(before), message.at);
            }
            (Phase::Releasing, Answer::Done | Answer::Missing) => self.stop(),
            // It looks what is there.
            (_, Answer::Conflict | Answer::Missing) | (Phase::Idle, _) => {}
        }
    }

    fn hold(&mut self, since: Age, at: At) {
        self.observed = None;
        self.phase = Phase::Holding { since, at };
    }

    pub(crate) fn tick(&mut self) {
        if let Phase::Holding { since, .. } = &mut self.phase {
            since.tick();
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.message.sent.tick();
        }
        if let Some(observed) = &mut self.observed {
            observed.tick();
        }
    }

    /// Every version that it knows.
    pub(crate) fn versions(&mut self) -> impl Iterator<Item = &mut At> {
        let own = match &mut self.phase {
            Phase::Holding { at, .. } => Some(at),
            Phase::Idle | Phase::Acquiring | Phase::Releasing => None,
        };
        own.into_iter()
            .chain(self.waiting.as_mut().map(|waiting| &mut waiting.message.at))
    }

    /// Without what makes no difference any more: by what is answered "no" nothing is held.
    pub(crate) fn reduce(&mut self) {
        if let Some(Waiting { message, answer }) = &mut self.waiting
            && let Some(answer) = answer
            && (message.call == Call::Delete || *answer != Answer::Done)
        {
            message.sent = Age::default();
            message.at = At::Past;
        }
    }

    pub(crate) fn sends(&mut self, call: Call, at: At, from: Who) {
        self.waiting = Some(Waiting {
            message: Message {
                call,
                from,
                at,
                sent: Age::default(),
            },
            answer: None,
        });
    }
}
