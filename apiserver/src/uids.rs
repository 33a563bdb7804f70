//! Uids and generated name suffixes, from one seeded generator, so that a run can be repeated.

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};

/// A source of uids and name suffixes that follow from a seed.
#[derive(Debug)]
pub struct Uids {
    random: StdRng,
}

/// The characters Kubernetes generates names from: no vowels, so no words; nothing easily confused.
const SUFFIX_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

impl Uids {
    /// The same uids and suffixes for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
        }
    }

    /// A source that the operating system seeds.
    ///
    /// # Panics
    /// If the operating system has no random numbers to give.
    #[must_use]
    pub fn unseeded() -> Self {
        let random =
            StdRng::try_from_rng(&mut SysRng).expect("the operating system gives random numbers");
        Self { random }
    }

    /// A uid that no other object has.
    pub(crate) fn uid(&mut self) -> String {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let bits: u128 = self.random.random();
        // Version 4, variant 1 of RFC 9562.
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let mut text = String::with_capacity(36);
        for digit in 0..32u32 {
            if matches!(digit, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(char::from(HEX[(bits >> (124 - 4 * digit) & 0xf) as usize]));
        }
        text
    }

    /// Five characters to append to `metadata.generateName`.
    pub(crate) fn name_suffix(&mut self) -> String {
        (0..5)
            .map(|_| {
                char::from(SUFFIX_ALPHABET[self.random.random_range(0..SUFFIX_ALPHABET.len())])
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_identities_in_the_form_of_version_4() {
        let (mut first, mut second) = (Uids::seeded(7), Uids::seeded(7));
        let uid = first.uid();
        assert_eq!(uid, second.uid());
        assert_eq!(first.name_suffix(), second.name_suffix());
        assert_ne!(uid, first.uid());
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&uid[14..15], "4");
        assert!(matches!(&uid[19..20], "8" | "9" | "a" | "b"), "{uid}");
    }
}
