//! A map that forgets: what is no longer good when it is looked for, and the oldest when it is full.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Cache<K, V> {
    capacity: usize,
    entries: HashMap<K, (Instant, V)>,
    /// The keys in the order in which they came in; each once.
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V> Cache<K, V> {
    /// Nothing yet, and never more than `capacity` entries.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The value of a key, if it is still good; a new one, made `now`, otherwise.
    pub(super) fn get_or_insert(
        &mut self,
        key: K,
        now: Instant,
        is_good: impl Fn(Instant, &V) -> bool,
        new: impl FnOnce() -> V,
    ) -> &V {
        if !self.entries.contains_key(&key) {
            self.make_room();
            self.order.push_back(key.clone());
        }
        match self.entries.entry(key) {
            Entry::Vacant(entry) => &entry.insert((now, new())).1,
            Entry::Occupied(entry) => {
                let known = entry.into_mut();
                if !is_good(known.0, &known.1) {
                    *known = (now, new());
                }
                &known.1
            }
        }
    }

    fn make_room(&mut self) {
        if self.order.len() >= self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LASTS: Duration = Duration::from_secs(30);

    struct Counting {
        cache: Cache<&'static str, u32>,
        made: u32,
        start: Instant,
    }

    impl Counting {
        fn new(capacity: usize) -> Self {
            Self {
                cache: Cache::new(capacity),
                made: 0,
                start: Instant::now(),
            }
        }

        fn get(&mut self, key: &'static str, after: u64) -> u32 {
            let now = self.start + Duration::from_secs(after);
            let is_good = |since, _: &u32| now.duration_since(since) < LASTS;
            let made = &mut self.made;
            *self.cache.get_or_insert(key, now, is_good, || {
                *made += 1;
                *made
            })
        }
    }

    #[tokio::test]
    async fn a_value_is_made_anew_when_it_is_no_longer_good() {
        let mut counting = Counting::new(10);
        let seen = [0, 29, 30, 59, 60].map(|after| counting.get("a", after));
        assert_eq!(seen, [1, 1, 2, 2, 3]);
    }

    #[tokio::test]
    async fn the_oldest_goes_when_it_is_full() {
        let mut counting = Counting::new(2);
        let seen = ["a", "b", "a", "c", "b", "a"].map(|key| counting.get(key, 0));
        assert_eq!(seen, [1, 2, 1, 3, 2, 4]);
        assert_eq!(counting.cache.entries.len(), 2);
        assert_eq!(counting.cache.order.len(), 2);
    }
}
