//! What must never be, by true time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use gwlock_engine::protocol::acquire::NotHeld;
use gwlock_engine::protocol::fence::FencingToken;
use gwlock_engine::protocol::release::Released;

use super::process::Truth;

/// How an acquisition of ours ended, as far as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing of it stands and nothing can land.
    Nothing,
    /// Its lease was deleted; only a late POST of it may make another.
    Released,
}

/// Counts over a run; the tests show that the interesting things happen at all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) requests: u64,
    pub(crate) held: u64,
    pub(crate) taken_over: u64,
    pub(crate) busy: u64,
    pub(crate) unknown: u64,
    pub(crate) lied: u64,
    pub(crate) cancelled: u64,
    pub(crate) lost: u64,
    pub(crate) released: u64,
}

/// Sees everything, and remembers the first thing that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    pub(crate) violation: Option<String>,
    pub(crate) counts: Counts,
    ended: HashMap<String, End>,
    /// Whose lease a gateway deleted, which looks before it deletes and then deletes whatever is there.
    robbed: HashSet<String>,
    last_token: Option<FencingToken>,
}

impl Judge {
    pub(crate) fn accuse(&mut self, violation: String) {
        self.violation.get_or_insert(violation);
    }

    /// `holders` of ours and `gateways` believe at this instant that they hold the lease. `standing` is who the record
    /// names, or `None` when the record does not have to be right at every instant. Two gateways are not our affair.
    pub(crate) fn look(
        &mut self,
        holders: &[&str],
        gateways: &[&str],
        standing: Option<Option<&str>>,
    ) {
        let [holders, gateways] = [holders, gateways].map(|names| {
            let names = names.iter().copied();
            names
                .filter(|name| !self.robbed.contains(*name))
                .collect::<Vec<_>>()
        });
        match (holders.as_slice(), gateways.as_slice()) {
            ([first, second, ..], _) | ([first], [second, ..]) => {
                self.accuse(format!("two holders: {first} and {second}"));
            }
            _ => {}
        }
        if let (Some(standing), [holder]) = (standing, holders.as_slice())
            && standing != Some(*holder)
        {
            self.accuse(format!(
                "{holder} believes to hold a lease that names {standing:?}"
            ));
        }
    }

    /// A gateway deleted this holder's lease, which nobody can prevent: until its next write the holder cannot know.
    pub(crate) fn robbed(&mut self, holder: &str) {
        self.robbed.insert(holder.to_owned());
    }

    pub(crate) fn held(&mut self, holder: &str, token: &FencingToken, transitions: Option<i32>) {
        self.counts.held += 1;
        self.counts.taken_over += u64::from(transitions.is_some());
        if self.last_token.as_ref().is_some_and(|last| last >= token) {
            self.accuse(format!(
                "the token {token} of {holder} is not greater than the one before it"
            ));
        }
        self.last_token = Some(token.clone());
    }

    pub(crate) fn not_held(&mut self, holder: &str, why: &NotHeld, stands: bool) {
        match why {
            NotHeld::Unknown(_) => {
                self.counts.unknown += 1;
                return;
            }
            NotHeld::Busy(_) => self.counts.busy += 1,
            NotHeld::ClockLied { .. } => self.counts.lied += 1,
            NotHeld::Cancelled => self.counts.cancelled += 1,
            NotHeld::Refused(_) | NotHeld::Unreachable(_) => {}
        }
        self.ended.insert(holder.to_owned(), End::Nothing);
        if stands {
            self.accuse(format!("{holder} says {why:?}, and its record stands"));
        }
    }

    pub(crate) fn released(&mut self, holder: &str, released: &Released, still_stands: bool) {
        self.counts.released += 1;
        match released {
            Released::Deleted | Released::AlreadyGone | Released::NotOurs(_) => {
                self.ended.insert(holder.to_owned(), End::Released);
                if still_stands {
                    self.accuse(format!("{holder} says {released:?}, and its record stands"));
                }
            }
            Released::Refused(_) | Released::Unreachable(_) | Released::Unknown(_) => {}
        }
    }

    /// A write that names this holder has been executed.
    pub(crate) fn wrote(&mut self, holder: &str, created_by_put: bool) {
        self.robbed.remove(holder);
        match self.ended.get(holder) {
            Some(End::Nothing) => {
                self.accuse(format!("a write of {holder} landed after it had ended"));
            }
            Some(End::Released) if created_by_put => {
                self.accuse(format!("a PUT of {holder} brought its released lease back"));
            }
            _ => {}
        }
    }

    /// An acquisition has ended after this long, standing still not counted, with so many requests.
    pub(crate) fn took(&mut self, holder: &str, took: Duration, limit: Duration, requests: u32) {
        if took > limit {
            self.accuse(format!(
                "{holder} took {took:?}, and {limit:?} would have been the end"
            ));
        }
        let most = 30 + took.as_secs() * 8;
        if u64::from(requests) > most {
            self.accuse(format!("{holder} sent {requests} requests in {took:?}"));
        }
    }

    /// Everybody has died at `since`; somebody new has the lease at `now`, or gave up.
    pub(crate) fn heir(&mut self, acquired: bool, since: Truth, now: Truth, at_most: Duration) {
        if !acquired || now - since > at_most {
            self.accuse(format!(
                "the lease of the dead stayed for {:?} (acquired: {acquired})",
                now - since
            ));
        }
    }
}

impl Counts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.requests += other.requests;
        self.held += other.held;
        self.taken_over += other.taken_over;
        self.busy += other.busy;
        self.unknown += other.unknown;
        self.lied += other.lied;
        self.cancelled += other.cancelled;
        self.lost += other.lost;
        self.released += other.released;
    }
}
