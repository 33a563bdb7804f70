//! Which protocol each pod speaks, as a word of the command line. What the protocols do is elsewhere.

use std::fmt;
use std::str::FromStr;

/// The protocols of a fleet: pod number i speaks the one at i modulo their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol(Vec<Speaks>);

/// What one pod speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// The engine's.
    Gwlock,
    /// The Kubernaut Gateway's, as it is, defects included.
    Gateway,
    /// The same with the release of January 2026.
    GatewayJanuary,
    /// The engine's, where no two processes share a lease: only the deterministic name is left.
    CreateOnly,
    /// The gateway's without a pod name, so without a lease.
    Unlocked,
}

const WORDS: [(&str, Speaks); 5] = [
    ("gwlock", Speaks::Gwlock),
    ("gateway", Speaks::Gateway),
    ("gateway-january", Speaks::GatewayJanuary),
    ("create-only", Speaks::CreateOnly),
    ("unlocked", Speaks::Unlocked),
];

impl Protocol {
    pub(crate) fn of_pod(&self, pod: u32) -> Speaks {
        self.0[pod as usize % self.0.len()]
    }

    /// What one pod speaks, as it is written.
    pub(crate) fn word(speaks: Speaks) -> &'static str {
        let known = WORDS.iter().find(|(_, known)| *known == speaks);
        known.map_or("", |(word, _)| word)
    }
}

impl Default for Protocol {
    fn default() -> Self {
        Self(vec![Speaks::Gwlock])
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |word: &str| {
            let known = WORDS.iter().find(|(known, _)| *known == word);
            known.map(|(_, speaks)| *speaks).ok_or_else(|| {
                format!(
                    "\"{word}\" is no protocol: gwlock, gateway, gateway-january, create-only, unlocked and \
                     mixed:gwlock,gateway are"
                )
            })
        };
        match text.split_once(':') {
            Some(("mixed", words)) => words
                .split(',')
                .map(one)
                .collect::<Result<_, _>>()
                .map(Self),
            _ if text == "mixed" => Ok(Self(vec![Speaks::Gwlock, Speaks::Gateway])),
            _ => Ok(Self(vec![one(text)?])),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|speaks| Self::word(*speaks)).collect();
        if words.len() > 1 {
            f.write_str("mixed:")?;
        }
        f.write_str(&words.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_read_and_written_with_the_same_words() {
        for word in [
            "gwlock",
            "gateway",
            "gateway-january",
            "create-only",
            "unlocked",
            "mixed:gwlock,gateway,gwlock",
        ] {
            assert_eq!(word.parse::<Protocol>().unwrap().to_string(), word);
        }
        let mixed = "mixed".parse::<Protocol>().unwrap();
        assert_eq!(mixed.to_string(), "mixed:gwlock,gateway");
        assert_eq!(
            [0, 1, 2].map(|pod| mixed.of_pod(pod)),
            [Speaks::Gwlock, Speaks::Gateway, Speaks::Gwlock]
        );
        for word in ["", "gw", "mixed:", "mixed:gwlock,", "gwlock,gateway"] {
            assert!(word.parse::<Protocol>().is_err(), "{word}");
        }
    }
}
