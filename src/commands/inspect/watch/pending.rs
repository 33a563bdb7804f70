//! Which reads are needed: what has changed since it was read, and what is being read. Nothing is sent here, and no clock
//! is read.
//!
//! A read answers every change that was seen before it was sent. A change that is seen later asks for another read, so
//! the last read of a lease is always younger than its last change. Two reads of one lease are never under way at the same
//! time: which of them is younger could not be told.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use gwlock_engine::protocol::clock::Moment;

use super::Lease;

/// Leases that are read singly at the same time.
pub(super) const AT_ONCE: usize = 8;

/// So many changed leases are read singly, however few leases there are.
pub(super) const FEW: usize = 16;

/// A list costs a server as much as a read for each so many of its leases.
const LISTED_PER_READ: usize = 64;

/// Lists begin no sooner after one another.
const BETWEEN_LISTS: Duration = Duration::from_millis(100);

/// How leases are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Always singly: they are few, and whoever asks for leases by name may not be allowed to list.
    Name,
    /// Always by lists: a read by name does not tell whether a selector still selects it.
    List,
    /// By whichever is cheaper.
    Either,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Read this lease.
    Read(Lease),
    /// List all of them.
    List,
    /// Nothing before this moment.
    Wait(Moment),
    /// Nothing before something changes or a read has been answered.
    Nothing,
}

/// The changed leases and the reads under way.
#[derive(Debug)]
pub(super) struct Pending {
    by: By,
    /// In the order in which they changed first. Never more than are read singly.
    changed: VecDeque<Lease>,
    /// More have changed than are worth to be remembered by name.
    everything: bool,
    reading: HashSet<Lease>,
    listing: bool,
    next_list: Moment,
}

impl Pending {
    pub(super) fn new(by: By) -> Self {
        Self {
            by,
            changed: VecDeque::new(),
            everything: false,
            reading: HashSet::new(),
            listing: false,
            next_list: Moment::default(),
        }
    }

    /// A lease has changed, or may have expired. `known` is how many leases there are.
    pub(super) fn changed(&mut self, lease: Lease, known: usize) {
        if self.everything || self.changed.contains(&lease) {
            return;
        }
        let most = match self.by {
            By::Name => usize::MAX,
            By::List => 0,
            By::Either => FEW + known / LISTED_PER_READ,
        };
        if self.changed.len() < most {
            self.changed.push_back(lease);
        } else {
            self.changed.clear();
            self.everything = true;
        }
    }

    /// The next read, which counts as sent from here on.
    pub(super) fn next(&mut self, now: Moment) -> Next {
        if self.listing {
            return Next::Nothing;
        }
        if self.everything {
            if !self.reading.is_empty() {
                return Next::Nothing;
            }
            if now < self.next_list {
                return Next::Wait(self.next_list);
            }
            self.everything = false;
            self.listing = true;
            self.next_list = now + BETWEEN_LISTS;
            return Next::List;
        }
        let is_free = |lease: &Lease| !self.reading.contains(lease);
        match self.changed.iter().position(is_free) {
            Some(at) if self.reading.len() < AT_ONCE => {
                let lease = self.changed.remove(at).unwrap_or_default();
                self.reading.insert(lease.clone());
                Next::Read(lease)
            }
            _ => Next::Nothing,
        }
    }

    /// A single read has been answered.
    pub(super) fn read(&mut self, lease: &Lease) {
        self.reading.remove(lease);
    }

    /// A list has been answered.
    pub(super) fn listed(&mut self) {
        self.listing = false;
    }

    /// A single read was refused, and lists are not.
    pub(super) fn list_from_now_on(&mut self, refused: &Lease) {
        self.by = By::List;
        self.reading.remove(refused);
        self.changed.clear();
        self.everything = true;
    }

    /// Forgets everything: reads under way have been dropped, and a list follows.
    pub(super) fn clear(&mut self) {
        *self = Self {
            next_list: self.next_list,
            ..Self::new(self.by)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(number: usize) -> Lease {
        ("ns".to_owned(), format!("gw-lock-{number}"))
    }

    fn ms(millis: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(millis))
    }

    #[test]
    fn a_read_answers_every_change_before_it_and_none_after_it() {
        let mut pending = Pending::new(By::Either);
        pending.changed(lease(1), 10);
        pending.changed(lease(1), 10);
        assert_eq!(pending.next(ms(0)), Next::Read(lease(1)));
        assert_eq!(pending.next(ms(0)), Next::Nothing);
        pending.changed(lease(1), 10);
        pending.changed(lease(1), 10);
        // Not beside the first one.
        assert_eq!(pending.next(ms(0)), Next::Nothing);
        pending.read(&lease(1));
        assert_eq!(pending.next(ms(0)), Next::Read(lease(1)));
        pending.read(&lease(1));
        assert_eq!(pending.next(ms(0)), Next::Nothing);
    }

    #[test]
    fn a_lease_that_is_being_read_does_not_hold_up_the_others() {
        let mut pending = Pending::new(By::Either);
        pending.changed(lease(1), 10);
        assert_eq!(pending.next(ms(0)), Next::Read(lease(1)));
        pending.changed(lease(1), 10);
        pending.changed(lease(2), 10);
        assert_eq!(pending.next(ms(0)), Next::Read(lease(2)));
        assert_eq!(pending.next(ms(0)), Next::Nothing);
    }

    #[test]
    fn only_so_many_are_read_at_once() {
        let mut pending = Pending::new(By::Name);
        (0..100).for_each(|number| pending.changed(lease(number), 100));
        for number in 0..AT_ONCE {
            assert_eq!(pending.next(ms(0)), Next::Read(lease(number)));
        }
        assert_eq!(pending.next(ms(0)), Next::Nothing);
        pending.read(&lease(3));
        assert_eq!(pending.next(ms(0)), Next::Read(lease(AT_ONCE)));
    }

    #[test]
    fn many_changes_are_answered_by_one_list_that_is_alone() {
        let mut pending = Pending::new(By::Either);
        pending.changed(lease(0), 0);
        assert_eq!(pending.next(ms(0)), Next::Read(lease(0)));
        (0..=FEW).for_each(|number| pending.changed(lease(number), 0));
        assert_eq!(pending.next(ms(1)), Next::Nothing);
        pending.read(&lease(0));
        assert_eq!(pending.next(ms(2)), Next::List);
        // What changes meanwhile is read afterwards.
        pending.changed(lease(5), 0);
        assert_eq!(pending.next(ms(3)), Next::Nothing);
        pending.listed();
        assert_eq!(pending.next(ms(4)), Next::Read(lease(5)));
    }

    #[test]
    fn lists_do_not_follow_one_another_at_once() {
        let mut pending = Pending::new(By::List);
        pending.changed(lease(1), 0);
        assert_eq!(pending.next(ms(1000)), Next::List);
        pending.changed(lease(1), 0);
        pending.listed();
        assert_eq!(pending.next(ms(1001)), Next::Wait(ms(1100)));
        assert_eq!(pending.next(ms(1100)), Next::List);
    }

    #[test]
    fn the_more_leases_there_are_the_more_are_read_singly() {
        let mut pending = Pending::new(By::Either);
        (0..FEW + 10).for_each(|number| pending.changed(lease(number), 640));
        assert_eq!(pending.next(ms(0)), Next::Read(lease(0)));
        let mut pending = Pending::new(By::Either);
        (0..=FEW + 10).for_each(|number| pending.changed(lease(number), 640));
        assert_eq!(pending.next(ms(0)), Next::List);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut pending = Pending::new(By::Either);
        (0..100_000).for_each(|number| pending.changed(lease(number), 640));
        assert_eq!(pending.changed.len(), 0);
        assert_eq!(pending.next(ms(0)), Next::List);
    }
}
