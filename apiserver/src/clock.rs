//! Where time and uids come from.

use std::fmt::Write as _;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// The server's wall clock: `Date` headers, creation and `managedFields` stamps.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The time of the tokio runtime, which tests and simulations can pause.
#[derive(Debug, Clone, Copy)]
pub struct TokioClock {
    origin: tokio::time::Instant,
    wall: Timestamp,
}

impl TokioClock {
    /// A clock that shows `wall` now.
    #[must_use]
    pub fn starting_at(wall: Timestamp) -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            wall,
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        self.wall
            + jiff::SignedDuration::try_from(self.origin.elapsed())
                .unwrap_or(jiff::SignedDuration::MAX)
    }
}

/// A seeded source of uids and of the suffixes that `generateName` appends.
#[derive(Debug)]
pub struct Uids(StdRng);

/// What `generateName` appends: no vowels and no digits that look like letters, as Kubernetes does it.
const SUFFIX_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

impl Uids {
    /// The same uids for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub(crate) fn uid(&mut self) -> String {
        let bits = (u128::from(self.0.next_u64()) << 64) | u128::from(self.0.next_u64());
        // The version and variant bits of a random UUID.
        let bits = bits & !(0xf << 76) | (0x4 << 76);
        let bits = bits & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        let mut uid = String::with_capacity(36);
        for (index, part) in [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .iter()
        .enumerate()
        {
            let separator = if index == 0 { "" } else { "-" };
            let _ = write!(uid, "{separator}{part}");
        }
        uid
    }

    pub(crate) fn suffix(&mut self) -> String {
        (0..5)
            .map(|_| char::from(SUFFIX_ALPHABET[self.0.random_range(0..SUFFIX_ALPHABET.len())]))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_uids_and_suffixes() {
        let draw = |seed| {
            let mut uids = Uids::seeded(seed);
            (uids.uid(), uids.uid(), uids.suffix())
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn a_uid_is_a_random_uuid_in_form() {
        let uid = Uids::seeded(1).uid();
        let form: String = uid
            .chars()
            .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
            .collect();
        assert_eq!(form, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
        assert_eq!(&uid[14..15], "4");
    }
}
