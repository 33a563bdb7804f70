//! Whether somebody waited for a lease: how soon a lease that nobody wants is held again says nothing.

use std::collections::BTreeMap;

use super::{Gap, Process};

/// For what part of the time nobody may have waited.
const UNWANTED: f64 = 0.1;

/// The signals that waited, by the part of their fingerprint that names the lease.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    open: BTreeMap<u64, (String, Waiting)>,
    waited: BTreeMap<String, Vec<Waiting>>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    process: usize,
    from: u64,
    to: u64,
}

impl Wanted {
    pub(super) fn begin(&mut self, signal: u64, key: &str, process: usize, at: u64) {
        let waiting = Waiting {
            process,
            from: at,
            to: u64::MAX,
        };
        self.open.insert(signal, (key.to_owned(), waiting));
    }

    pub(super) fn end(&mut self, signal: u64, at: u64) {
        if let Some((key, waiting)) = self.open.remove(&signal) {
            let waited = self.waited.entry(key).or_default();
            waited.push(Waiting { to: at, ..waiting });
        }
    }

    /// Signals without an answer waited until the end of their process.
    pub(super) fn finish(&mut self, processes: &[Process]) {
        for (_, (key, waiting)) in std::mem::take(&mut self.open) {
            let to = processes[waiting.process].to;
            let waited = self.waited.entry(key).or_default();
            waited.push(Waiting { to, ..waiting });
        }
        for waited in self.waited.values_mut() {
            waited.sort_by_key(|waiting| waiting.from);
        }
    }

    /// Whether others waited for the lease when it could be taken: all the later half of the time, but for a tenth of it.
    pub(super) fn when_it_could_be_taken(&self, gap: &Gap) -> bool {
        let Some(waited) = self.of(&gap.key) else {
            return true;
        };
        let from = u64::midpoint(gap.from, gap.to);
        let mut until = from;
        let mut nobody = 0;
        let others = waited
            .iter()
            .filter(|waiting| waiting.process != gap.process);
        for waiting in others {
            if waiting.to <= until || waiting.from >= gap.to {
                continue;
            }
            nobody += waiting.from.saturating_sub(until);
            until = waiting.to;
        }
        nobody += gap.to.saturating_sub(until);
        nobody as f64 <= UNWANTED * (gap.to - from) as f64
    }

    /// Whether who has it next had been waiting.
    pub(super) fn by_the_next(&self, gap: &Gap) -> bool {
        self.of(&gap.key).is_some_and(|waited| {
            waited.iter().any(|waiting| {
                waiting.process == gap.process && waiting.from <= gap.from && waiting.to >= gap.to
            })
        })
    }

    /// The signals of a lease; none where it is about no signals.
    fn of(&self, lease: &str) -> Option<&Vec<Waiting>> {
        let (_, key) = lease.rsplit_once("gw-lock-")?;
        self.waited.get(key)
    }
}
