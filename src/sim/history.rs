//! What every client saw and did, in true time: the only thing that the checker is given.
//!
//! Data, and its form as JSON lines, which docs/simulation.md describes. Nothing is judged here.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

/// The form of the lines. A reader refuses any other.
pub(crate) const FORMAT: &str = "gwlock.dev/history/v1";

/// The first line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Header {
    pub(crate) format: String,
    /// What the history was made from; a recorded one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
    #[serde(default)]
    pub(crate) protocol: String,
    #[serde(default)]
    pub(crate) scenario: String,
    /// The command that makes the same history again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<String>,
    /// How long a signal may wait for its answer, in microseconds, while its pod can work. Absent: any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) longest_wait: Option<u64>,
}

/// A history.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct History {
    pub(crate) header: Header,
    /// In the order in which they happened.
    pub(crate) events: Vec<Event>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Microseconds of true time since the history began.
    pub(crate) at: u64,
    /// The pod that saw or did it; absent for what the world did.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) pod: String,
    /// How often this pod had been restarted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) incarnation: u32,
    #[serde(flatten)]
    pub(crate) what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "event",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(crate) enum What {
    /// A process began.
    Started,
    /// A process ended without any warning.
    Crashed,
    /// It stands still, or nothing reaches it.
    Stopped { why: String },
    /// It goes on.
    Resumed { why: String },
    /// Something else goes wrong, for whoever reads.
    Fault { what: String },
    /// A signal reached a pod.
    Signal { signal: u64, key: String },
    /// Its sender was answered.
    Answer {
        signal: u64,
        outcome: Outcome,
        /// The uid of the request that it was counted on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<String>,
        /// The number that it was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<i64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// A request was handed to the network.
    Call {
        call: u64,
        verb: String,
        /// Plural, with its subresource.
        resource: String,
        /// `namespace/name`; of a list or watch `namespace/`.
        object: String,
        /// The resourceVersion that a write depends on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requires: Option<String>,
        /// The holder that is written to a lease.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holder: Option<String>,
    },
    /// It was answered. A call without a reply may have been carried out, and may still be.
    Reply {
        call: u64,
        /// The HTTP status; absent where the connection ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// The resourceVersion of the object in the answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// A client believes from now on that it holds a lease.
    Held {
        /// `namespace/name` of the lease.
        key: String,
        /// What tells this hold from all others.
        term: String,
        /// The holder that stands in the lease.
        holder: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
        /// How long it relies on a write after having sent it, in microseconds of true time; absent for a client that
        /// relies on its lease until it releases it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid: Option<u64>,
    },
    /// It no longer believes so, or has nothing more to do under it.
    Ended {
        key: String,
        term: String,
        why: String,
    },
    /// A RemediationRequest has changed.
    Request {
        uid: String,
        name: String,
        key: String,
        phase: String,
        /// Whether it suppresses every signal of its key: no phase that ends it, and no deletionTimestamp.
        active: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<i64>,
        /// Its resourceVersion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        #[serde(default, skip_serializing_if = "is_false")]
        deleted: bool,
    },
    /// A lease was left when everybody had come to rest.
    Left {
        key: String,
        holder: String,
        expired: bool,
    },
    /// Everybody has come to rest.
    End,
}

/// What the sender of a signal was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Outcome {
    /// 201.
    Created,
    /// 202.
    Duplicate,
    /// It failed and was not counted.
    Failed,
    /// It failed, and may have been counted all the same.
    Unknown,
}

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("line {0} is not what a history has there: {1}")]
    Line(usize, serde_json::Error),
    #[error("it is no history of the format {FORMAT}")]
    Format,
    #[error("line {0} happens before the line above it")]
    Order(usize),
    #[error("it cannot be read")]
    Io(#[from] io::Error),
}

impl History {
    /// Writes a JSON object a line, the header first.
    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &self.header)?;
        writeln!(out)?;
        for event in &self.events {
            serde_json::to_writer(&mut *out, event)?;
            writeln!(out)?;
        }
        Ok(())
    }

    /// Reads what [`History::write`] writes. Empty lines are passed over.
    pub(crate) fn read(from: &mut dyn BufRead) -> Result<Self, ReadError> {
        let mut header: Option<Header> = None;
        let mut events: Vec<Event> = Vec::new();
        for (index, line) in from.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let number = index + 1;
            if header.is_none() {
                let read: Header = serde_json::from_str(&line).map_err(|_| ReadError::Format)?;
                if read.format != FORMAT {
                    return Err(ReadError::Format);
                }
                header = Some(read);
                continue;
            }
            let event: Event =
                serde_json::from_str(&line).map_err(|error| ReadError::Line(number, error))?;
            if events.last().is_some_and(|last| last.at > event.at) {
                return Err(ReadError::Order(number));
            }
            events.push(event);
        }
        let header = header.ok_or(ReadError::Format)?;
        Ok(Self { header, events })
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_read_as_it_was_written() {
        let header = Header {
            format: FORMAT.to_owned(),
            seed: Some(7),
            protocol: "gwlock".to_owned(),
            scenario: "storm".to_owned(),
            replay: None,
            longest_wait: Some(20_000_000),
        };
        let event = |at, what| Event {
            at,
            pod: "pod-1".to_owned(),
            incarnation: 2,
            what,
        };
        let events = vec![
            event(0, What::Started),
            event(
                5,
                What::Answer {
                    signal: 3,
                    outcome: Outcome::Created,
                    uid: Some("u".to_owned()),
                    count: Some(1),
                    why: None,
                },
            ),
            event(5, What::End),
        ];
        let history = History { header, events };
        let mut text = Vec::new();
        history.write(&mut text).unwrap();
        let lines = String::from_utf8(text).unwrap();
        assert_eq!(
            lines.lines().nth(2).unwrap(),
            r#"{"at":5,"pod":"pod-1","incarnation":2,"event":"answer","signal":3,"outcome":"created","uid":"u","count":1}"#
        );
        assert_eq!(History::read(&mut lines.as_bytes()).unwrap(), history);
        let swapped: Vec<&str> = lines.lines().collect();
        let swapped = [swapped[0], swapped[2], swapped[1]].join("\n");
        let error = History::read(&mut swapped.as_bytes()).unwrap_err();
        assert!(matches!(error, ReadError::Order(3)), "{error}");
        for text in ["", "{}", r#"{"format":"gwlock.dev/history/v2"}"#] {
            let error = History::read(&mut text.as_bytes()).unwrap_err();
            assert!(matches!(error, ReadError::Format), "{text}: {error}");
        }
    }
}
