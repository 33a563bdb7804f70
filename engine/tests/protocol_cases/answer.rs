//! The answers of the cases: `< 201 uid=u1 rv=10`, `< 409 Conflict`, `< lost`, …

use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;
use gwlock_engine::protocol::exchange::{Answer, NotExecuted, Refusal, Reply, Request};
use gwlock_engine::protocol::record::{Claim, FieldsEntry, LeaseRecord, claim_stamp};
use jiff::{SignedDuration, Timestamp};

use super::notation::{parse_duration, parse_holder, parse_time};

/// What an answer may refer to.
pub(crate) struct Asked {
    pub(crate) request: Request,
    pub(crate) sent: Moment,
    /// The claims that were written so far, for `write=N`.
    pub(crate) written: Vec<Claim>,
    /// The server's clock at 0 s.
    pub(crate) server: Timestamp,
}

/// `name=value` words of a line; a word without `=` is its own value, a name may come again.
pub(crate) struct Words<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Words<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        Self(
            text.split_whitespace()
                .map(|word| word.split_once('=').unwrap_or((word, word)))
                .collect(),
        )
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn duration(&mut self, name: &str, default: Duration) -> Duration {
        self.take(name).map_or(default, parse_duration)
    }

    pub(crate) fn time(&mut self, name: &str, default: Timestamp) -> Timestamp {
        self.take(name).map_or(default, parse_time)
    }

    pub(crate) fn has(&mut self, name: &str) -> bool {
        self.take(name).is_some()
    }

    pub(crate) fn finish(&self) {
        assert!(
            self.0.is_empty(),
            "words that mean nothing here: {:?}",
            self.0
        );
    }
}

pub(crate) fn server_clock(server: Timestamp, at: Moment) -> Timestamp {
    let elapsed = SignedDuration::try_from(at.since_origin()).expect("a short while");
    Timestamp::from_second((server + elapsed).as_second()).expect("a time in range")
}

/// Reads an answer that arrives at `arrived`.
///
/// Its `Date` is the server's clock, cut to the second, unless `date=` says otherwise. An answer that does not fit what
/// was asked is an error of the story, which a changed machine can cause.
pub(crate) fn parse(text: &str, arrived: Moment, asked: &Asked) -> Result<Reply, String> {
    let (kind, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut words = Words::of(rest);
    let date = match words.take("date") {
        Some("none") => None,
        Some(time) => Some(parse_time(time)),
        None if kind == "lost" => None,
        None => Some(server_clock(asked.server, arrived)),
    };
    let answer = match kind {
        "200" if words.has("deleted") => Answer::Deleted,
        "200" | "201" => Answer::Lease(Box::new(record(&mut words, asked)?)),
        "404" => Answer::NotFound,
        "409" if words.has("AlreadyExists") => Answer::AlreadyExists,
        "409" if words.has("Conflict") => Answer::Conflict,
        "429" => Answer::NotExecuted(NotExecuted {
            message: "too many requests".to_owned(),
            retry_after: words.take("retry-after").map(parse_duration),
        }),
        "403" => Answer::Refused(Refusal {
            code: 403,
            reason: "Forbidden".to_owned(),
            message: format!("cannot {} leases", asked.request.verb().as_str()),
            verb: asked.request.verb(),
        }),
        "500" | "503" | "504" | "lost" => Answer::Unclear(kind.to_owned()),
        other => panic!("{other:?} is no answer"),
    };
    words.finish();
    Ok(Reply {
        arrived,
        date,
        answer,
    })
}

fn record(words: &mut Words<'_>, asked: &Asked) -> Result<LeaseRecord, String> {
    let (uid, wrote) = match &asked.request {
        Request::Create(claim) => (None, Some(claim.clone())),
        Request::Replace { version, claim } => (Some(version.uid.clone()), Some(claim.clone())),
        Request::Get | Request::Delete(_) => (None, None),
    };
    let write = match words.take("write") {
        Some(number) => {
            let index: usize = number.parse().expect("the number of a write");
            let write = asked.written.get(index - 1);
            Some(
                write
                    .cloned()
                    .ok_or_else(|| format!("write {number} was not sent"))?,
            )
        }
        None => None,
    };
    let by_us = wrote.is_some();
    let mut claim = write.or(wrote).unwrap_or_default();
    if let Some(holder) = words.take("holder") {
        claim.holder = parse_holder(holder);
    }
    if let Some(time) = words.take("renew") {
        claim.renew_time = Some(parse_time(time));
    }
    if let Some(time) = words.take("acquire") {
        claim.acquire_time = Some(parse_time(time));
    }
    if let Some(duration) = words.take("duration") {
        claim.lease_duration_seconds = i32::try_from(parse_duration(duration).as_secs()).ok();
    }
    if let Some(count) = words.take("transitions") {
        claim.lease_transitions = Some(count.parse().expect("a count"));
    }
    let mut entries = Vec::new();
    match words.take("stamp") {
        Some("none") => {}
        Some(time) => entries.push(entry(time, "spec")),
        None if by_us => entries.push(FieldsEntry {
            time: server_clock(asked.server, asked.sent),
            owns_renew_time: true,
            owns_holder: true,
        }),
        None => {}
    }
    while let Some(text) = words.take("entry") {
        let (time, owns) = text
            .split_once('/')
            .unwrap_or_else(|| panic!("entry={text}: TIME/FIELDS"));
        entries.push(entry(time, owns));
    }
    let uid = words.take("uid").map(str::to_owned).or(uid);
    Ok(LeaseRecord {
        uid: uid.ok_or("the uid is missing, which only the answer to a PUT may leave out")?,
        resource_version: words.take("rv").expect("rv=").to_owned(),
        created: words.take("created").map(parse_time),
        deleting: words.has("deleting"),
        stamp: claim_stamp(entries, claim.renew_time.is_some()),
        claim,
    })
}

/// What an entry of `managedFields` owns: `spec`, `holder`, `labels`.
fn entry(time: &str, owns: &str) -> FieldsEntry {
    FieldsEntry {
        time: parse_time(time),
        owns_renew_time: owns == "spec",
        owns_holder: matches!(owns, "spec" | "holder"),
    }
}
