//! Which process a `holderIdentity` can mean. Whether that process lives is not known here.

use gwlock_engine::protocol::holder::HolderIdentity;
use gwlock_engine::protocol::key::{
    GATEWAY_PREFIX, INTERACTIVE_PREFIX, LeaseName, ORCHESTRATOR_PREFIX,
};

/// Whose lease it is by its name, which decides what its fields mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `gw-lock-`: a gateway's, about a fingerprint.
    Gateway,
    /// `ro-lock-`: the remediation orchestrator's, about a target.
    Orchestrator,
    /// `kubernaut-interactive-`: an interactive session, which does not expire.
    Interactive,
    /// Anybody's: what its fields mean is not known.
    Foreign,
}

impl Family {
    /// By the name of a lease.
    #[must_use]
    pub fn of(name: &str) -> Self {
        if name.starts_with(GATEWAY_PREFIX) {
            Self::Gateway
        } else if name.starts_with(ORCHESTRATOR_PREFIX) {
            Self::Orchestrator
        } else if name.starts_with(INTERACTIVE_PREFIX) {
            Self::Interactive
        } else {
            Self::Foreign
        }
    }

    /// Whether it is a lock that excludes others until it expires.
    #[must_use]
    pub fn is_lock(self) -> bool {
        matches!(self, Self::Gateway | Self::Orchestrator)
    }
}

/// What a `holderIdentity` tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation<'a> {
    /// A name alone, as a gateway writes its pod's: all requests of that pod, and every pod that ever has that name,
    /// are the same holder.
    PodLevel {
        /// The name.
        name: &'a str,
    },
    /// A base and the nonce of one acquisition.
    Acquisition {
        /// A pod, `user@host` or a chosen name.
        base: &'a str,
        /// Its 16 hex digits.
        nonce: &'a str,
    },
}

impl<'a> Generation<'a> {
    /// Reads an identity; `None` for an empty one, which names nobody.
    #[must_use]
    pub fn of(holder: &'a str) -> Option<Self> {
        if holder.is_empty() {
            return None;
        }
        let is_ours = HolderIdentity::parse(holder).is_some();
        let parts = holder.rsplit_once('_').filter(|_| is_ours);
        Some(match parts {
            Some((base, nonce)) => Self::Acquisition { base, nonce },
            None => Self::PodLevel { name: holder },
        })
    }

    /// What stands before the nonce, or all of it.
    #[must_use]
    pub fn base(self) -> &'a str {
        match self {
            Self::PodLevel { name } => name,
            Self::Acquisition { base, .. } => base,
        }
    }

    /// The nonce, if there is one.
    #[must_use]
    pub fn nonce(self) -> Option<&'a str> {
        match self {
            Self::PodLevel { .. } => None,
            Self::Acquisition { nonce, .. } => Some(nonce),
        }
    }

    /// The pod that it can be: a base such as `user@host` is none's name.
    #[must_use]
    pub fn pod(self) -> Option<&'a str> {
        Some(self.base()).filter(|base| LeaseName::new(base).is_ok())
    }

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::PodLevel { .. } => "pod-level",
            Self::Acquisition { .. } => "acquisition",
        }
    }

    /// Whether this is the holder that somebody means by a text: the whole identity, or its base.
    #[must_use]
    pub fn is_meant_by(self, text: &str) -> bool {
        match self {
            Self::PodLevel { name } => name == text,
            Self::Acquisition { base, nonce } => {
                base == text
                    || text
                        .strip_prefix(base)
                        .and_then(|rest| rest.strip_prefix('_'))
                        == Some(nonce)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_tells_one_acquisition_from_all_of_a_pod() {
        let ours = Generation::of("gateway-1_0123456789abcdef").unwrap();
        assert_eq!(
            (ours.base(), ours.nonce(), ours.pod(), ours.word()),
            (
                "gateway-1",
                Some("0123456789abcdef"),
                Some("gateway-1"),
                "acquisition"
            )
        );
        let gateways = Generation::of("gateway-1").unwrap();
        assert_eq!(
            (gateways.base(), gateways.nonce(), gateways.word()),
            ("gateway-1", None, "pod-level")
        );
        assert_eq!(Generation::of(""), None);
    }

    #[test]
    fn not_every_base_is_a_pods_name() {
        for holder in [
            "ops@laptop_0123456789abcdef",
            "Nightly Backup",
            "a/b",
            "../x",
        ] {
            assert_eq!(Generation::of(holder).unwrap().pod(), None, "{holder}");
        }
    }

    #[test]
    fn a_holder_is_meant_by_its_base_and_by_all_of_it() {
        let ours = Generation::of("gateway-1_0123456789abcdef").unwrap();
        for (text, expected) in [
            ("gateway-1", true),
            ("gateway-1_0123456789abcdef", true),
            ("gateway-1_0123456789abcdee", false),
            ("gateway", false),
            ("gateway-10123456789abcdef", false),
        ] {
            assert_eq!(ours.is_meant_by(text), expected, "{text}");
        }
    }

    #[test]
    fn families_go_by_the_name() {
        for (name, family) in [
            ("gw-lock-1", Family::Gateway),
            ("ro-lock-1", Family::Orchestrator),
            ("kubernaut-interactive-rr-1", Family::Interactive),
            ("cert-manager-controller", Family::Foreign),
        ] {
            assert_eq!(Family::of(name), family);
        }
    }
}
