//! A process' side: one signal at a time.

use super::server::{Answer, Life, Message, Name, Requests, active, named, next_name};
use super::world::Measure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    Idle,
    /// It lists next.
    Deciding,
    /// It waits for the answer to a CREATE, or has none and repeats it.
    Creating(Name),
    /// Somebody has that name: it reads it next.
    Taken(Name),
    /// It waits for the answer to a count, or has none and reads.
    Counting {
        uid: u8,
        old: Option<u8>,
        is_second: bool,
    },
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Send(Message),
    /// Nothing is sent; the next step is another one.
    Think,
    /// The signal is answered with a count.
    Answer,
    /// The signal is answered 500, because nobody knows.
    Unknown,
}

impl Phase {
    /// What it does without waiting for an answer.
    pub(crate) fn go_on(self, requests: &Requests, out: Option<Measure>) -> (Self, Step) {
        match self {
            Self::Idle => (self, Step::Think),
            Self::Deciding => match active(requests) {
                Some((uid, old)) => Self::count(uid, old),
                None => Self::create(next_name(requests)),
            },
            Self::Creating(name) if out == Some(Measure::SameNameWhileUnknown) => {
                Self::create(Name {
                    attempt: name.attempt + 1,
                    ..name
                })
            }
            Self::Creating(name) => Self::create(name),
            Self::Taken(name) => {
                let found =
                    named(requests, name).and_then(|uid| Some((uid, requests[usize::from(uid)]?)));
                match found {
                    Some((uid, request)) if request.life == Life::Active => {
                        Self::count(uid, request.count)
                    }
                    Some((uid, _)) => Self::create(Name {
                        after: Some(uid),
                        ..name
                    }),
                    // Deleted meanwhile.
                    None => (Self::Deciding, Step::Think),
                }
            }
            Self::Counting { .. } if out == Some(Measure::OneDecision) => {
                (Self::Deciding, Step::Think)
            }
            Self::Counting {
                uid,
                old,
                is_second,
            } => {
                let is_unchanged = requests[usize::from(uid)]
                    .is_some_and(|request| request.life == Life::Active && request.count == old);
                if is_unchanged && !is_second {
                    let again = Self::Counting {
                        uid,
                        old,
                        is_second: true,
                    };
                    (again, Step::Send(Message::Count { uid, old }))
                } else {
                    (self, Step::Unknown)
                }
            }
        }
    }

    /// What it does with an answer.
    pub(crate) fn answered(self, answer: Answer) -> (Self, Step) {
        match (self, answer) {
            (Self::Creating(_), Answer::Created { uid }) => Self::count(uid, None),
            (Self::Creating(name), Answer::Exists) => (Self::Taken(name), Step::Think),
            (Self::Counting { .. }, Answer::Counted) => (self, Step::Answer),
            // Clearly refused, but the first one may have been counted.
            (
                Self::Counting {
                    is_second: true, ..
                },
                _,
            ) => (self, Step::Unknown),
            _ => (Self::Deciding, Step::Think),
        }
    }

    fn create(name: Name) -> (Self, Step) {
        (Self::Creating(name), Step::Send(Message::Create(name)))
    }

    fn count(uid: u8, old: Option<u8>) -> (Self, Step) {
        let phase = Self::Counting {
            uid,
            old,
            is_second: false,
        };
        (phase, Step::Send(Message::Count { uid, old }))
    }
}
