//! The server's side: the requests of one fingerprint, and what lands.

/// More requests than this are not followed.
pub(crate) const SLOTS: usize = 4;

/// What a request is called: after the uid of the one before it, and by which attempt if that is part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) after: Option<u8>,
    pub(crate) attempt: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Life {
    Active,
    Ended,
    Deleted,
}

/// A RemediationRequest. Its place among the others is its uid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Request {
    pub(crate) name: Name,
    pub(crate) life: Life,
    /// `None` before the first count.
    pub(crate) count: Option<u8>,
    /// Signals that were answered with a count of this request.
    pub(crate) answered: u8,
    /// Signals that may have been counted on it without an answer, or are about to.
    pub(crate) open: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Create(Name),
    /// One more than what was read.
    Count {
        uid: u8,
        old: Option<u8>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Created {
        uid: u8,
    },
    Exists,
    Counted,
    /// The test in the patch did not hold.
    Changed,
}

/// All requests, in the order of their creation.
pub(crate) type Requests = [Option<Request>; SLOTS];

/// Executes what has arrived. `None` if there are too many requests to follow.
pub(crate) fn execute(
    requests: &mut Requests,
    message: Message,
    is_tested: bool,
    is_named: bool,
) -> Option<Answer> {
    match message {
        Message::Create(name) if is_named && named(requests, name).is_some() => {
            Some(Answer::Exists)
        }
        Message::Create(name) => {
            let free = requests.iter().position(Option::is_none)?;
            requests[free] = Some(Request {
                name,
                life: Life::Active,
                count: None,
                answered: 0,
                open: 0,
            });
            Some(Answer::Created { uid: uid(free) })
        }
        Message::Count { uid, old } => {
            let request = requests[usize::from(uid)].as_mut()?;
            let is_as_read = request.life == Life::Active && request.count == old;
            if is_tested && !is_as_read || request.life == Life::Deleted {
                return Some(Answer::Changed);
            }
            request.count = Some(old.unwrap_or(0) + 1);
            Some(Answer::Counted)
        }
    }
}

/// The request of this name, unless it was deleted.
pub(crate) fn named(requests: &Requests, name: Name) -> Option<u8> {
    let is_it = |request: &Request| request.name == name && request.life != Life::Deleted;
    requests
        .iter()
        .position(|request| request.as_ref().is_some_and(is_it))
        .map(uid)
}

/// The oldest active one.
pub(crate) fn active(requests: &Requests) -> Option<(u8, Option<u8>)> {
    let is_active = |request: &Request| request.life == Life::Active;
    let place = requests
        .iter()
        .position(|request| request.as_ref().is_some_and(is_active))?;
    Some((uid(place), requests[place]?.count))
}

/// What the next request is called: after the newest, and on from there while that name is taken.
pub(crate) fn next_name(requests: &Requests) -> Name {
    let is_there = |request: &Request| request.life != Life::Deleted;
    let newest = requests
        .iter()
        .rposition(|request| request.as_ref().is_some_and(is_there));
    let mut name = Name {
        after: newest.map(uid),
        attempt: 0,
    };
    while let Some(taken) = named(requests, name) {
        name.after = Some(taken);
    }
    name
}

fn uid(place: usize) -> u8 {
    u8::try_from(place).unwrap_or(u8::MAX)
}
