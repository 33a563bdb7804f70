//! The server's side: the record, and what a request does to it when it lands.

use super::measure::Measure;

/// A lease lasts so many ticks.
const DURATION: u8 = 2;
/// A holder works for so many ticks after it sent what it holds by.
pub(crate) const DEADLINE: u8 = 1;
/// The server executes a request no later than so many ticks after it was sent: `?timeout=`.
pub(crate) const LATEST: u8 = 2;
/// How far a clock is behind that is not the server's.
pub(crate) const BEHIND: u8 = 2;

/// Ticks since something happened; the oldest age stands for all above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Age(pub(crate) u8);

impl Age {
    const OLDEST: u8 = DURATION + 1;

    pub(crate) fn after(self, ticks: u8) -> Self {
        Self((self.0 + ticks).min(Self::OLDEST))
    }

    pub(crate) fn tick(&mut self) {
        *self = self.after(1);
    }

    pub(crate) fn is_expired(self) -> bool {
        self.0 > DURATION
    }
}

/// The version that somebody knows, against what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum At {
    /// The present one.
    Present,
    /// One that is not there any more, and will never be again.
    Past,
}

/// An acquisition, as a record names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Who {
    pub(crate) process: u8,
    /// The one that the process is at; its earlier ones are all the same to everybody.
    pub(crate) is_current: bool,
}

/// The lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) holder: Who,
    /// Since the spec's last write was sent, which is also its stamp and its renewTime.
    pub(crate) written: Age,
    /// The server has stamps of it.
    pub(crate) is_tracked: bool,
    /// Since the object was created; kept where it counts.
    pub(crate) created: Age,
    /// Since anything of it was written; kept where it counts.
    pub(crate) touched: Age,
    /// A PUT created it.
    pub(crate) came_back: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Call {
    Post,
    Put,
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Done,
    Conflict,
    Missing,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Message {
    pub(crate) call: Call,
    pub(crate) from: Who,
    /// The version that it is meant for.
    pub(crate) at: At,
    pub(crate) sent: Age,
}

/// Executes a request.
pub(crate) fn execute(
    record: &mut Option<Record>,
    message: &Message,
    out: Option<Measure>,
) -> Answer {
    let is_guarded = out != Some(Measure::Preconditions);
    match (message.call, &mut *record) {
        (Call::Post, Some(_)) => Answer::Conflict,
        (Call::Post, None) => create(record, message, false),
        (Call::Put, None) if out == Some(Measure::Uid) => create(record, message, true),
        (Call::Put, None) => Answer::Conflict,
        (Call::Delete, None) => Answer::Missing,
        (_, Some(_)) if is_guarded && message.at != At::Present => Answer::Conflict,
        (Call::Put, Some(record)) => {
            record.holder = message.from;
            record.written = message.sent;
            record.touched = Age::default();
            Answer::Done
        }
        (Call::Delete, Some(_)) => {
            *record = None;
            Answer::Done
        }
    }
}

fn create(record: &mut Option<Record>, message: &Message, came_back: bool) -> Answer {
    *record = Some(Record {
        holder: message.from,
        written: message.sent,
        is_tracked: true,
        created: Age::default(),
        touched: Age::default(),
        came_back,
    });
    Answer::Done
}
