//! What must never happen, and how much of everything did.

use std::collections::{BTreeMap, BTreeSet};

use gwlock_engine::remediation::{Disposition, Failure, Processed};

use super::server::Server;

/// How a signal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing has been heard of it yet.
    Open,
    /// It was answered; it is counted exactly once.
    Answered,
    /// Its sender was told that it failed; it is not counted.
    Failed,
    /// Nobody knows: the outcome was unknown, or its process crashed, or its sender went away after the count was sent.
    Unknown,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) created: u64,
    pub(crate) duplicates: u64,
    pub(crate) together: u64,
    pub(crate) unknown: u64,
    pub(crate) failed: u64,
    pub(crate) crashed: u64,
    pub(crate) withdrawn: u64,
    pub(crate) taken: u64,
    pub(crate) changed: u64,
    pub(crate) repeated: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.created, other.created),
            (&mut self.duplicates, other.duplicates),
            (&mut self.together, other.together),
            (&mut self.unknown, other.unknown),
            (&mut self.failed, other.failed),
            (&mut self.crashed, other.crashed),
            (&mut self.withdrawn, other.withdrawn),
            (&mut self.taken, other.taken),
            (&mut self.changed, other.changed),
            (&mut self.repeated, other.repeated),
        ] {
            *own += other;
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Judge {
    pub(crate) counts: Counts,
    pub(crate) violation: Option<String>,
    fates: Vec<Fate>,
    /// Which occurrences were answered, by the uid of the request.
    answered: BTreeMap<String, BTreeSet<i32>>,
    creators: BTreeMap<String, usize>,
}

impl Judge {
    pub(crate) fn accuse(&mut self, violation: String) {
        self.violation.get_or_insert(violation);
    }

    /// A signal is sent; its number.
    pub(crate) fn sent(&mut self) -> usize {
        self.fates.push(Fate::Open);
        self.fates.len() - 1
    }

    pub(crate) fn fate(&self, signal: usize) -> Fate {
        self.fates[signal]
    }

    pub(crate) fn lost_sight_of(&mut self, signal: usize) {
        if self.fates[signal] == Fate::Open {
            self.fates[signal] = Fate::Unknown;
        }
    }

    /// Its sender went away before its count was sent.
    pub(crate) fn gone(&mut self, signal: usize) {
        self.fates[signal] = Fate::Failed;
    }

    pub(crate) fn answered(&mut self, signal: usize, result: &Result<Processed, Failure>) {
        if self.fates[signal] != Fate::Open {
            return;
        }
        self.fates[signal] = match result {
            Ok(processed) => {
                if !self
                    .answered
                    .entry(processed.uid.clone())
                    .or_default()
                    .insert(processed.count)
                {
                    let (count, name) = (processed.count, &processed.name);
                    self.accuse(format!("two answers with count {count} of {name}"));
                }
                if processed.disposition == Disposition::Created {
                    self.counts.created += 1;
                    let creators = self.creators.entry(processed.uid.clone()).or_default();
                    *creators += 1;
                    if *creators > 1 {
                        self.accuse(format!("{} was created twice", processed.name));
                    }
                } else {
                    self.counts.duplicates += 1;
                }
                Fate::Answered
            }
            Err(Failure::Unknown(_)) => {
                self.counts.unknown += 1;
                Fate::Unknown
            }
            Err(_) => {
                self.counts.failed += 1;
                Fate::Failed
            }
        };
    }

    pub(crate) fn look(&mut self, server: &Server) {
        let active = server.active();
        if active > 1 {
            self.accuse(format!("two active requests: {:#?}", server.requests()));
        }
    }

    /// Everything has come to rest.
    pub(crate) fn close(&mut self, server: &Server) {
        if self.fates.contains(&Fate::Open) {
            self.accuse("a signal is never answered".to_owned());
        }
        let mut counted = 0;
        for request in server.ever() {
            let count = request.count();
            counted += usize::try_from(count).expect("a count");
            let answered = self.answered.get(&request.uid);
            let highest = answered.and_then(BTreeSet::last).copied().unwrap_or(0);
            let answered = answered.map_or(0, BTreeSet::len);
            if highest > count || answered > usize::try_from(count).expect("a count") {
                let name = &request.name;
                self.accuse(format!(
                    "{name} has count {count} after {answered} answers up to {highest}"
                ));
            }
        }
        let of = |fate: Fate| self.fates.iter().filter(|own| **own == fate).count();
        let (answered, unknown) = (of(Fate::Answered), of(Fate::Unknown));
        if counted < answered || counted > answered + unknown {
            self.accuse(format!(
                "the counts add up to {counted}, but {answered} signals were answered and {unknown} more can have been counted"
            ));
        }
    }
}
