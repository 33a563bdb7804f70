//! Histories of several pods, each by its own clock, as one. How they are found is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;

use super::history::{Event, FORMAT, Header, History, What};
use super::order::by_version;

/// What one pod has recorded.
#[derive(Debug)]
pub(crate) struct Part {
    /// The pod or the file that it comes from, for whoever reads.
    pub(crate) from: String,
    pub(crate) history: History,
}

/// What stands on the cluster when everybody has come to rest.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Every RemediationRequest, as [`What::Request`].
    pub(crate) requests: Vec<What>,
    /// Every lease, as [`What::Left`].
    pub(crate) leases: Vec<What>,
}

/// One history, and what it lacks.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) history: History,
    pub(crate) gaps: Vec<Gap>,
}

/// What a joined history lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Gap {
    /// A pod was not there when the others began, and took no part.
    NeverCame(u32),
    /// A pod was there, and its history is not.
    NoHistory(u32),
    /// A history stops before its end.
    NoEnd(String),
}

/// Why histories are not those of one run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JoinError {
    #[error("there is no history to judge")]
    Nothing,
    #[error("{0} and {1} are of different runs: {2}")]
    Runs(String, String, &'static str),
    #[error("{0} does not say when it began, so that it cannot be put beside others")]
    Clock(String),
    #[error("{0} and {1} are the same history")]
    Twice(String, String),
}

impl Gap {
    /// Whether everything that happened is known all the same.
    pub(crate) fn is_harmless(&self) -> bool {
        matches!(self, Self::NeverCame(_))
    }

    /// What is left out of a verdict because of it.
    fn pod(&self) -> Option<String> {
        match self {
            Self::NeverCame(_) => None,
            Self::NoHistory(number) => Some(format!("member {number}")),
            Self::NoEnd(from) => Some(from.clone()),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverCame(number) => {
                write!(
                    f,
                    "member {number} did not come in time: the others began without it"
                )
            }
            Self::NoHistory(number) => {
                write!(f, "member {number} took part, but its history is not there")
            }
            Self::NoEnd(from) => write!(f, "the history of {from} stops before its end"),
        }
    }
}

/// Puts the parts of one run on one clock, in one order.
///
/// Without `standing` what the pods saw last counts as what stands in the end.
pub(crate) fn join(parts: Vec<Part>, standing: Option<Standing>) -> Result<Joined, JoinError> {
    let mut parts = parts;
    parts.sort_by_key(|part| part.history.header.began);
    are_of_one_run(&parts)?;
    let gaps = gaps(&parts);
    let header = header(&parts, &gaps)?;
    let mut numbers = Numbers::default();
    let mut incarnations: BTreeMap<String, u32> = BTreeMap::new();
    let mut events: Vec<Event> = Vec::new();
    for (number, part) in parts.into_iter().enumerate() {
        let own = part.history.header.began;
        let shift = own
            .zip(header.began)
            .map_or(0, |(own, first)| micros(first, own));
        numbers.part = number;
        let seen = incarnations.clone();
        for mut event in of_part(part) {
            event.at += shift;
            // A pod that began anew with another log goes on counting.
            event.incarnation += seen.get(&event.pod).copied().unwrap_or(0);
            let next = incarnations.entry(event.pod.clone()).or_default();
            *next = (*next).max(event.incarnation + 1);
            events.push(numbers.renumbered(event));
        }
    }
    // Stable, so that a pod's own order stays.
    events.sort_by_key(|event| event.at);
    let end = events.last().map_or(0, |event| event.at);
    let world = |what| Event {
        at: end,
        pod: String::new(),
        incarnation: 0,
        what,
    };
    let Standing { requests, leases } =
        standing.map_or_else(Standing::default, |standing| concerned(standing, &events));
    events.extend(requests.into_iter().map(world));
    let mut events = by_version(events);
    events.extend(leases.into_iter().map(world));
    if gaps.iter().all(Gap::is_harmless) {
        events.push(world(What::End));
    }
    Ok(Joined {
        history: History { header, events },
        gaps,
    })
}

fn are_of_one_run(parts: &[Part]) -> Result<(), JoinError> {
    let Some((first, others)) = parts.split_first() else {
        return Err(JoinError::Nothing);
    };
    let own = &first.history.header;
    for (at, other) in others.iter().enumerate() {
        let header = &other.history.header;
        let (one, two) = (first.from.clone(), other.from.clone());
        let run = |header: &Header| header.member.as_ref().map(|member| member.run.clone());
        let differs = [
            ("their seeds differ", own.seed != header.seed),
            ("their scenarios differ", own.scenario != header.scenario),
            ("their protocols differ", own.protocol != header.protocol),
            ("their runs differ", run(own) != run(header)),
        ];
        if let Some((what, _)) = differs.into_iter().find(|(_, differs)| *differs) {
            return Err(JoinError::Runs(one, two, what));
        }
        for part in [first, other] {
            if part.history.header.began.is_none() {
                return Err(JoinError::Clock(part.from.clone()));
            }
        }
        if let Some(same) = parts[..=at]
            .iter()
            .find(|before| before.history == other.history)
        {
            return Err(JoinError::Twice(same.from.clone(), two));
        }
    }
    Ok(())
}

fn gaps(parts: &[Part]) -> Vec<Gap> {
    let members = || {
        parts
            .iter()
            .filter_map(|part| part.history.header.member.as_ref())
    };
    // Who came late for another one's place has not played its part.
    let played = members().filter(|member| member.present.contains(&member.number));
    let there: BTreeSet<u32> = played.map(|member| member.number).collect();
    let present: BTreeSet<u32> = members()
        .flat_map(|member| member.present.clone())
        .collect();
    let of = members().map(|member| member.of).max().unwrap_or(0);
    let absent = (0..of).filter_map(|number| {
        if !present.contains(&number) {
            Some(Gap::NeverCame(number))
        } else if !there.contains(&number) {
            Some(Gap::NoHistory(number))
        } else {
            None
        }
    });
    let is_cut = |part: &&Part| {
        !part
            .history
            .events
            .iter()
            .any(|event| event.what == What::End)
    };
    let cut = parts
        .iter()
        .filter(is_cut)
        .map(|part| Gap::NoEnd(part.from.clone()));
    absent.chain(cut).collect()
}

fn header(parts: &[Part], gaps: &[Gap]) -> Result<Header, JoinError> {
    let headers = || parts.iter().map(|part| &part.history.header);
    let first = headers().next().ok_or(JoinError::Nothing)?;
    let mut uncertain: Vec<u64> = headers().map(|header| header.uncertainty).collect();
    uncertain.sort_unstable();
    Ok(Header {
        format: FORMAT.to_owned(),
        longest_wait: headers().filter_map(|header| header.longest_wait).max(),
        began: headers().filter_map(|header| header.began).min(),
        // The two that are known least are off each other by both.
        uncertainty: uncertain.iter().rev().take(2).sum(),
        member: None,
        incomplete: gaps.iter().filter_map(Gap::pod).collect(),
        ..first.clone()
    })
}

/// What one pod has told, but for what only the whole has. Where it stops before its end, so has the pod.
fn of_part(part: Part) -> Vec<Event> {
    let events = part.history.events;
    let pod = events
        .iter()
        .map(|event| event.pod.clone())
        .find(|pod| !pod.is_empty());
    let pod = pod.unwrap_or(part.from);
    let has_ended = events.iter().any(|event| event.what == What::End);
    let mut living: BTreeMap<(String, u32), u64> = BTreeMap::new();
    let end = events.iter().map(|event| event.at).max().unwrap_or(0);
    let mut told = Vec::with_capacity(events.len());
    for mut event in events {
        if event.pod.is_empty() {
            match event.what {
                What::End | What::Left { .. } => continue,
                // Anybody may have seen it.
                What::Request { .. } => {}
                _ => event.pod.clone_from(&pod),
            }
        } else if event.what == What::Crashed {
            living.remove(&(event.pod.clone(), event.incarnation));
        } else {
            living.insert((event.pod.clone(), event.incarnation), end);
        }
        told.push(event);
    }
    if !has_ended {
        told.extend(living.into_iter().map(|((pod, incarnation), at)| Event {
            at,
            pod,
            incarnation,
            what: What::Crashed,
        }));
    }
    told
}

/// What stands in the end of that which the events are about. A request that is not there any more was deleted.
fn concerned(standing: Standing, events: &[Event]) -> Standing {
    let (mut keys, mut locks) = (BTreeSet::new(), BTreeSet::new());
    let mut last: BTreeMap<&str, (Option<u128>, &What)> = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Signal { key, .. } => {
                keys.insert(key.as_str());
            }
            What::Held { key, .. } => {
                locks.insert(key.as_str());
            }
            What::Call {
                resource, object, ..
            } if resource == "leases" => {
                locks.insert(object.as_str());
            }
            What::Request { uid, version, .. } => {
                let version = version.as_ref().and_then(|version| version.parse().ok());
                let known = last.entry(uid).or_insert((version, &event.what));
                if known.0 <= version {
                    *known = (version, &event.what);
                }
            }
            _ => {}
        }
    }
    let is_there = |uid: &str| {
        let mut there = standing.requests.iter();
        there.any(|request| matches!(request, What::Request { uid: own, .. } if own == uid))
    };
    let gone = last.iter().filter(|(uid, _)| !is_there(uid));
    let gone: Vec<What> = gone.filter_map(|(_, (_, what))| deleted(what)).collect();
    let requests = standing.requests.into_iter().filter(
        |request| matches!(request, What::Request { key, .. } if keys.contains(key.as_str())),
    );
    let requests = requests.chain(gone).collect();
    let leases = standing
        .leases
        .into_iter()
        .filter(|lease| matches!(lease, What::Left { key, .. } if locks.contains(key.as_str())));
    Standing {
        requests,
        leases: leases.collect(),
    }
}

/// A request that was seen last like this, and is gone; `None` if that it was deleted has been told.
fn deleted(last: &What) -> Option<What> {
    let mut gone = last.clone();
    let What::Request {
        active,
        deleted,
        version,
        ..
    } = &mut gone
    else {
        return None;
    };
    if *deleted {
        return None;
    }
    // Nobody knows which version that was; it is the last of all.
    (*active, *deleted, *version) = (false, true, None);
    Some(gone)
}

/// The leases that histories are about.
pub(crate) fn locks(parts: &[Part]) -> BTreeSet<String> {
    let events = parts.iter().flat_map(|part| &part.history.events);
    let lock = |event: &Event| match &event.what {
        What::Held { key, .. } => Some(key.clone()),
        What::Call {
            resource, object, ..
        } if resource == "leases" => Some(object.clone()),
        _ => None,
    };
    events.filter_map(lock).collect()
}

fn micros(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_micros()).unwrap_or(0)
}

/// The numbers of signals and calls and the names of holds, which each part has counted for itself.
#[derive(Debug, Default)]
struct Numbers {
    part: usize,
    signals: BTreeMap<(usize, u64), u64>,
    calls: BTreeMap<(usize, u64), u64>,
}

impl Numbers {
    fn renumbered(&mut self, mut event: Event) -> Event {
        let part = self.part;
        let renumber = |known: &mut BTreeMap<(usize, u64), u64>, own: &mut u64| {
            let next = known.len() as u64 + 1;
            *own = *known.entry((part, *own)).or_insert(next);
        };
        match &mut event.what {
            What::Signal { signal, .. } | What::Answer { signal, .. } => {
                renumber(&mut self.signals, signal);
            }
            What::Call { call, .. } | What::Reply { call, .. } => renumber(&mut self.calls, call),
            What::Held { term, .. } | What::Ended { term, .. } => *term = format!("{part}:{term}"),
            _ => {}
        }
        event
    }
}

#[cfg(test)]
mod tests;
