//! The three machines behind one face, so that a case can drive any of them.

mod acquiring;
mod holding;
mod releasing;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Reply, Request};
use jiff::Timestamp;

use super::answer::Words;
use super::notation::parse_time;

/// What a machine does next, in the words of the cases.
pub(crate) struct Move {
    pub(crate) text: String,
    /// The request that awaits an answer now.
    pub(crate) request: Option<Request>,
    /// When the machine wants to be asked again.
    pub(crate) due: Option<Moment>,
    pub(crate) over: bool,
}

impl Move {
    fn send(text: String, request: Request) -> Self {
        Self {
            text,
            request: Some(request),
            due: None,
            over: false,
        }
    }

    fn pause(text: String, due: Moment) -> Self {
        Self {
            text,
            request: None,
            due: Some(due),
            over: false,
        }
    }

    fn end(text: String) -> Self {
        Self {
            text,
            request: None,
            due: None,
            over: true,
        }
    }
}

pub(crate) trait Machine {
    fn next(&mut self, now: Moment) -> Move;
    fn reply(&mut self, reply: Reply);
    /// Something other than an answer: `cancel`, `watch DELETED`, …
    fn event(&mut self, now: Moment, event: &str);
}

/// Builds the machine of a case from its line of settings; also tells the server's clock at 0 s.
pub(crate) fn build(line: &str) -> (Box<dyn Machine>, Timestamp) {
    let (name, settings) = line.split_once(' ').unwrap_or((line, ""));
    let mut words = Words::of(settings);
    let server = words.time("server", parse_time("09:00:00"));
    let machine: Box<dyn Machine> = match name {
        "acquire" => Box::new(acquiring::Acquiring::of(&mut words, server)),
        "hold" => Box::new(holding::Holding::of(&mut words, server)),
        "release" => Box::new(releasing::Releasing::of(&mut words)),
        other => panic!("{other:?} is no machine"),
    };
    words.finish();
    (machine, server)
}
