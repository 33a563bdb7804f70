//! Every lease is linearizable against a sequential specification: an object that is there or not, has a version, and is
//! written by creating it, by updating the version that one names, and by deleting it.
//!
//! The versions that the server gave out say in which order the writes took effect, so no order is searched for: it is
//! tested whether that one agrees with time and with what each write depended on. A call without an answer may have
//! taken effect at any time after it was sent.

use std::collections::BTreeMap;

use super::{Rule, Slack, Violation, number, seconds};
use crate::sim::history::{Event, Header, What};

struct Call<'a> {
    verb: &'a str,
    requires: Option<u128>,
    pod: &'a str,
    sent: u64,
    reply: Option<Reply>,
}

struct Reply {
    at: u64,
    index: usize,
    status: Option<u16>,
    version: Option<u128>,
}

impl Call<'_> {
    fn succeeded(&self) -> Option<&Reply> {
        self.reply
            .as_ref()
            .filter(|reply| matches!(reply.status, Some(200..300)))
    }

    /// Whether it certainly had no effect.
    fn was_refused(&self) -> bool {
        let status = self.reply.as_ref().and_then(|reply| reply.status);
        matches!(status, Some(400..500))
    }

    /// Since when it can have been without effect on what comes later.
    fn over(&self) -> u64 {
        match &self.reply {
            // Without a clear answer it can take effect at any time.
            Some(reply) if reply.status.is_some_and(|status| status < 500) => reply.at,
            _ => u64::MAX,
        }
    }
}

pub(super) fn check(header: &Header, events: &[&Event], violations: &mut Vec<Violation>) {
    let mut calls: BTreeMap<u64, (&str, Call<'_>)> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        match &event.what {
            What::Call {
                call,
                verb,
                resource,
                object,
                requires,
                ..
            } if resource == "leases" && verb != "watch" && verb != "list" => {
                let new = Call {
                    verb,
                    requires: number(requires.as_deref()),
                    pod: &event.pod,
                    sent: event.at,
                    reply: None,
                };
                calls.insert(*call, (object, new));
            }
            What::Reply {
                call,
                status,
                version,
            } => {
                if let Some((_, called)) = calls.get_mut(call) {
                    called.reply = Some(Reply {
                        at: event.at,
                        index,
                        status: *status,
                        version: number(version.as_deref()),
                    });
                }
            }
            _ => {}
        }
    }
    let mut by_key: BTreeMap<&str, Vec<Call<'_>>> = BTreeMap::new();
    for (key, call) in calls.into_values() {
        by_key.entry(key).or_default().push(call);
    }
    let known = Known {
        slack: Slack::of(header),
        all: header.incomplete.is_empty(),
    };
    for (key, calls) in by_key {
        if let Some((message, at)) = known.broken(key, &calls) {
            violations.push(Violation {
                rule: Rule::Linearizable,
                key: key.to_owned(),
                message,
                at,
            });
        }
    }
}

/// How much is known of what was done when.
#[derive(Clone, Copy)]
struct Known {
    slack: Slack,
    /// Whether everybody's calls are.
    all: bool,
}

/// A write that took effect.
struct Write<'a> {
    version: u128,
    call: &'a Call<'a>,
    reply: &'a Reply,
}

impl Known {
    fn broken(self, key: &str, calls: &[Call<'_>]) -> Option<(String, usize)> {
        let mut writes: Vec<Write<'_>> = Vec::new();
        for call in calls
            .iter()
            .filter(|call| !matches!(call.verb, "get" | "delete"))
        {
            if let Some(reply) = call.succeeded()
                && let Some(version) = reply.version
            {
                writes.push(Write {
                    version,
                    call,
                    reply,
                });
            }
        }
        writes.sort_by_key(|write| (write.version, write.reply.at));
        let deletes: Vec<&Call<'_>> = calls
            .iter()
            .filter(|call| call.verb == "delete" && !call.was_refused())
            .collect();
        let found = self
            .order(key, &writes)
            .into_iter()
            .chain(
                writes
                    .windows(2)
                    .filter_map(|pair| self.succession(key, &pair[0], &pair[1], &deletes)),
            )
            .chain(
                calls
                    .iter()
                    .filter(|call| call.verb == "get")
                    .filter_map(|get| self.read(key, get, &writes, &deletes)),
            );
        found.min_by_key(|(_, at)| *at)
    }

    /// A write with an older version was not sent after one with a newer version had been answered.
    fn order(self, key: &str, writes: &[Write<'_>]) -> Option<(String, usize)> {
        // Of the newer ones those that were answered first: of all, and of each pod.
        let mut first: Option<&Write<'_>> = None;
        let mut of_pods: BTreeMap<&str, &Write<'_>> = BTreeMap::new();
        for write in writes.iter().rev() {
            let sent = (write.call.pod, write.call.sent);
            let own = of_pods.get(write.call.pod).copied();
            let mut newer = own.into_iter().chain(first);
            if let Some(newer) = newer.find(|newer| self.slack.is_before(newer.answered(), sent)) {
                let message = format!(
                    "{key}: {} of {} was sent at {} and gave version {}, but version {} had been answered at {}",
                    write.call.verb,
                    write.call.pod,
                    seconds(write.call.sent),
                    write.version,
                    newer.version,
                    seconds(newer.reply.at)
                );
                return Some((message, write.reply.index.max(newer.reply.index)));
            }
            let is_first = |known: &&Write<'_>| known.reply.at <= write.reply.at;
            first = first.filter(is_first).or(Some(write));
            let own = own.filter(is_first).unwrap_or(write);
            of_pods.insert(write.call.pod, own);
        }
        None
    }

    /// What one write left is what the next one found.
    fn succession(
        self,
        key: &str,
        before: &Write<'_>,
        write: &Write<'_>,
        deletes: &[&Call<'_>],
    ) -> Option<(String, usize)> {
        let at = write.reply.index.max(before.reply.index);
        let (verb, pod) = (write.call.verb, write.call.pod);
        if before.version == write.version {
            let message = format!(
                "{key}: {} of {} and {verb} of {pod} were both given version {}",
                before.call.verb, before.call.pod, write.version
            );
            return Some((message, at));
        }
        if let Some(required) = write.call.requires
            && required < before.version
        {
            let message = format!(
                "{key}: {verb} of {pod} needed version {required} and gave {}, but {} of {} had made it {}",
                write.version, before.call.verb, before.call.pod, before.version
            );
            return Some((message, at));
        }
        if verb == "create" && !self.may_be_gone(before, write.answered(), deletes) {
            let message = format!(
                "{key}: create of {pod} succeeded with version {}, but {} of {} had made it {}, and nobody deleted it",
                write.version, before.call.verb, before.call.pod, before.version
            );
            return Some((message, at));
        }
        None
    }

    /// A read shows what stood there at some time between its beginning and its end.
    fn read(
        self,
        key: &str,
        get: &Call<'_>,
        writes: &[Write<'_>],
        deletes: &[&Call<'_>],
    ) -> Option<(String, usize)> {
        let reply = get.reply.as_ref()?;
        let (sent, answered) = ((get.pod, get.sent), (get.pod, reply.at));
        let known = writes
            .iter()
            .rfind(|write| self.slack.is_before(write.answered(), sent));
        match reply.status {
            Some(200) => {
                let version = reply.version?;
                if let Some(newer) = known.filter(|known| known.version > version) {
                    let message = format!(
                        "{key}: get of {} was sent at {} and read version {version}, but {} had been answered at {}",
                        get.pod,
                        seconds(get.sent),
                        newer.version,
                        seconds(newer.reply.at)
                    );
                    return Some((message, reply.index));
                }
                let write = writes.iter().find(|write| write.version == version)?;
                let was_sent = (write.call.pod, write.call.sent);
                self.slack.is_before(answered, was_sent).then(|| {
                    let message = format!(
                        "{key}: get of {} read version {version} at {}, before it was written",
                        get.pod,
                        seconds(reply.at)
                    );
                    (message, write.reply.index)
                })
            }
            Some(404) => {
                let known = known?;
                (!self.may_be_gone(known, answered, deletes)).then(|| {
                    let message = format!(
                        "{key}: get of {} found nothing at {}, but {} of {} had made version {}, and nobody deleted it",
                        get.pod,
                        seconds(reply.at),
                        known.call.verb,
                        known.call.pod,
                        known.version
                    );
                    (message, reply.index)
                })
            }
            _ => None,
        }
    }

    /// Whether what a write made may have been deleted by then.
    fn may_be_gone(self, write: &Write<'_>, by: (&str, u64), deletes: &[&Call<'_>]) -> bool {
        let was_sent = (write.call.pod, write.call.sent);
        let mut deletes = deletes.iter();
        !self.all
            || deletes.any(|delete| {
                let (sent, over) = ((delete.pod, delete.sent), (delete.pod, delete.over()));
                !self.slack.is_before(by, sent) && !self.slack.is_before(over, was_sent)
            })
    }
}

impl<'a> Write<'a> {
    /// Who was answered, and when.
    fn answered(&self) -> (&'a str, u64) {
        (self.call.pod, self.reply.at)
    }
}
