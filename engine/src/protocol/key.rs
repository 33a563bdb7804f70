//! What is locked, and which Lease that is.
//!
//! Only names and hashes; nothing here knows whether such a lease exists.

use std::fmt;

use sha2::{Digest, Sha256};

/// The prefix of the gateway's leases.
pub const GATEWAY_PREFIX: &str = "gw-lock-";

/// The prefix of the remediation orchestrator's leases.
pub const ORCHESTRATOR_PREFIX: &str = "ro-lock-";

/// The prefix of leases for interactive sessions. They have no expiry semantics.
pub const INTERACTIVE_PREFIX: &str = "kubernaut-interactive-";

/// How many characters of a fingerprint enter a lease name.
pub const FINGERPRINT_PREFIX_LEN: usize = 16;

const KNOWN_PREFIXES: [&str; 3] = [GATEWAY_PREFIX, ORCHESTRATOR_PREFIX, INTERACTIVE_PREFIX];
const RESOURCE_PREFIXES: [&str; 3] = [
    "lease.coordination.k8s.io/",
    "leases.coordination.k8s.io/",
    "lease/",
];

/// Why a text names no lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing was given.
    #[error("the key is empty")]
    Empty,
    /// The API server would refuse this name.
    #[error(
        "\"{name}\" is no lease name: a lowercase RFC 1123 subdomain has at most 253 characters, consists of lower \
         case letters, digits, '-' and '.', and starts and ends with a letter or digit"
    )]
    NotADnsName {
        /// The name as it would have been sent.
        name: String,
    },
    /// `--key-as fingerprint` with something else.
    #[error("\"{text}\" is no fingerprint: 16 to 64 hex digits are")]
    NotAFingerprint {
        /// The text as given.
        text: String,
    },
    /// `--key-as target` with something else.
    #[error(
        "\"{text}\" is no target: NAMESPACE/Kind/NAME, Kind/NAME or [CLUSTER:]NAMESPACE:Kind:NAME are"
    )]
    NotATarget {
        /// The text as given.
        text: String,
    },
    /// Cutting after 16 bytes would split a character, so no gateway could have made this lease.
    #[error("\"{text}\" cannot be cut to 16 bytes: a character would be split")]
    SplitCharacter {
        /// The text as given.
        text: String,
    },
}

/// How a text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyMode {
    /// By its shape: lease name, fingerprint, target, otherwise text.
    #[default]
    Auto,
    /// The name of a lease as it stands.
    Name,
    /// A fingerprint of 16 to 64 hex digits.
    Fingerprint,
    /// A target, whose fingerprint is the key.
    Target,
    /// Any text, hashed as a whole.
    Text,
    /// The gateway's own rule: the first 16 bytes, hashed only when shorter.
    Raw,
}

/// What a key was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOrigin {
    /// A lease name was given.
    Name,
    /// A fingerprint was given.
    Fingerprint,
    /// A target was given; the fingerprint is its sha256.
    Target {
        /// The target.
        target: Target,
        /// Its whole fingerprint.
        fingerprint: Fingerprint,
    },
    /// Any other text, hashed as a whole.
    Text,
    /// Cut or hashed as the gateway does it.
    Raw,
}

/// A key and the lease that stands for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The lease.
    pub lease: LeaseName,
    /// What it was made from.
    pub origin: KeyOrigin,
}

impl Key {
    /// Reads a key by its shape.
    ///
    /// # Errors
    /// [`KeyError::Empty`] for no text; [`KeyError::NotADnsName`] for something that is meant as a lease name (it has
    /// a known prefix or `lease.coordination.k8s.io/`) but is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::parse_as(text, KeyMode::Auto)
    }

    /// Reads a key in one particular way.
    ///
    /// # Errors
    /// [`KeyError`] when the text does not fit the mode.
    pub fn parse_as(text: &str, mode: KeyMode) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        match mode {
            KeyMode::Auto => Self::by_shape(text),
            KeyMode::Name => Self::name(text.strip_prefix_any(&RESOURCE_PREFIXES).unwrap_or(text)),
            KeyMode::Fingerprint => {
                Self::fingerprint(text).ok_or_else(|| KeyError::NotAFingerprint {
                    text: text.to_owned(),
                })
            }
            KeyMode::Target => {
                Target::parse(text)
                    .map(Self::target)
                    .ok_or_else(|| KeyError::NotATarget {
                        text: text.to_owned(),
                    })
            }
            KeyMode::Text => Ok(Self::text(text)),
            KeyMode::Raw => Self::raw(text),
        }
    }

    fn by_shape(text: &str) -> Result<Self, KeyError> {
        if let Some(name) = text.strip_prefix_any(&RESOURCE_PREFIXES) {
            return Self::name(name);
        }
        if KNOWN_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) {
            return Self::name(text);
        }
        if let Some(key) = Self::fingerprint(text) {
            return Ok(key);
        }
        Ok(Target::parse(text).map_or_else(|| Self::text(text), Self::target))
    }

    fn name(name: &str) -> Result<Self, KeyError> {
        Ok(Self {
            lease: LeaseName::new(name)?,
            origin: KeyOrigin::Name,
        })
    }

    fn fingerprint(text: &str) -> Option<Self> {
        let fits = (FINGERPRINT_PREFIX_LEN..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Self {
            lease: LeaseName::gateway(&text[..FINGERPRINT_PREFIX_LEN].to_ascii_lowercase()),
            origin: KeyOrigin::Fingerprint,
        })
    }

    fn target(target: Target) -> Self {
        let fingerprint = target.fingerprint();
        Self {
            lease: fingerprint.lease_name(),
            origin: KeyOrigin::Target {
                target,
                fingerprint,
            },
        }
    }

    fn text(text: &str) -> Self {
        Self {
            lease: Fingerprint::of(text).lease_name(),
            origin: KeyOrigin::Text,
        }
    }

    fn raw(text: &str) -> Result<Self, KeyError> {
        let name = gateway_lease_name(text).ok_or_else(|| KeyError::SplitCharacter {
            text: text.to_owned(),
        })?;
        Ok(Self {
            lease: LeaseName::new(&name)?,
            origin: KeyOrigin::Raw,
        })
    }
}

/// The lease name that the gateway makes of a fingerprint: the first 16 bytes as they are, or the first 16 hex digits
/// of the sha256 when there are fewer. Nothing is validated or lower-cased, as there.
///
/// `None` when the cut would split a character.
#[must_use]
pub fn gateway_lease_name(fingerprint: &str) -> Option<String> {
    if fingerprint.len() < FINGERPRINT_PREFIX_LEN {
        return Some(Fingerprint::of(fingerprint).lease_name().to_string());
    }
    fingerprint
        .get(..FINGERPRINT_PREFIX_LEN)
        .map(|prefix| format!("{GATEWAY_PREFIX}{prefix}"))
}

/// A name that the API server takes for a Lease: a lowercase RFC 1123 subdomain of at most 253 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseName(String);

impl LeaseName {
    /// Checks a name as the API server does.
    ///
    /// # Errors
    /// [`KeyError::Empty`] and [`KeyError::NotADnsName`].
    pub fn new(name: &str) -> Result<Self, KeyError> {
        if name.is_empty() {
            return Err(KeyError::Empty);
        }
        if name.len() <= 253 && name.split('.').all(is_dns_label) {
            return Ok(Self(name.to_owned()));
        }
        Err(KeyError::NotADnsName {
            name: name.to_owned(),
        })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn gateway(prefix: &str) -> Self {
        Self(format!("{GATEWAY_PREFIX}{prefix}"))
    }
}

impl fmt::Display for LeaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The sha256 of a target, as 64 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Hashes a text as a whole.
    #[must_use]
    pub fn of(text: &str) -> Self {
        use std::fmt::Write as _;
        let digest = Sha256::digest(text.as_bytes());
        Self(
            digest
                .iter()
                .fold(String::with_capacity(64), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                }),
        )
    }

    /// Reads 64 lower-case hex digits, which is all that a RemediationRequest takes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The 64 hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The gateway's lease for it.
    #[must_use]
    pub fn lease_name(&self) -> LeaseName {
        LeaseName::gateway(&self.0[..FINGERPRINT_PREFIX_LEN])
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The object that a signal is about. Its text `[cluster:]namespace:Kind:name` is what a fingerprint hashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// The cluster, where several share one gateway.
    pub cluster: Option<String>,
    /// Empty for a cluster-scoped kind; its colon stays in the text.
    pub namespace: String,
    /// The kind, in its own spelling.
    pub kind: String,
    /// The object's name.
    pub name: String,
}

impl Target {
    /// Reads `NAMESPACE/Kind/NAME`, `Kind/NAME` or `[CLUSTER:]NAMESPACE:Kind:NAME`. A kind starts with a capital
    /// letter, which is how a target is told from any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let slashes: Vec<&str> = text.split('/').collect();
        let colons: Vec<&str> = text.split(':').collect();
        let (cluster, namespace, kind, name) = match (slashes.as_slice(), colons.as_slice()) {
            ([namespace, kind, name], [_]) if !namespace.is_empty() => {
                (None, *namespace, *kind, *name)
            }
            ([kind, name], [_]) => (None, "", *kind, *name),
            ([_], [namespace, kind, name]) => (None, *namespace, *kind, *name),
            ([_], [cluster, namespace, kind, name]) if !cluster.is_empty() => {
                (Some(*cluster), *namespace, *kind, *name)
            }
            _ => return None,
        };
        let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
            && kind.bytes().all(|b| b.is_ascii_alphanumeric());
        (is_kind && !name.is_empty()).then(|| Self {
            cluster: cluster.map(str::to_owned),
            namespace: namespace.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The sha256 of the target's text.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.to_string())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(cluster) = &self.cluster {
            write!(f, "{cluster}:")?;
        }
        write!(f, "{}:{}:{}", self.namespace, self.kind, self.name)
    }
}

fn is_dns_label(label: &str) -> bool {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = label.as_bytes();
    matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if edge(first) && edge(last))
        && bytes.iter().all(|&b| edge(b) || b == b'-')
}

trait StripPrefixAny {
    fn strip_prefix_any(&self, prefixes: &[&str]) -> Option<&str>;
}

impl StripPrefixAny for str {
    fn strip_prefix_any(&self, prefixes: &[&str]) -> Option<&str> {
        prefixes.iter().find_map(|prefix| self.strip_prefix(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(text: &str) -> String {
        Key::parse(text).unwrap().lease.to_string()
    }

    #[test]
    fn a_targets_fingerprint_names_the_gateways_lease() {
        for (target, expected) in [
            (
                "demo-alert-storm:Deployment:api-gateway",
                "gw-lock-3d13718bca91da68",
            ),
            ("prod:Deployment:payment-api", "gw-lock-91fce8d5c4949766"),
            (":Node:worker-node-1", "gw-lock-54010c454af195aa"),
            ("default:Unknown:unknown", "gw-lock-97ccafeaa7a177fc"),
            (
                "prod-east:production:Deployment:payment-api",
                "gw-lock-2c57c0354f1060b9",
            ),
            ("prod-east::Node:worker-node-1", "gw-lock-bbb02d0f29ca32a1"),
            (
                "HighMemoryUsage:prod:Pod:payment-api-789",
                "gw-lock-a5982f7182402b4a",
            ),
        ] {
            assert_eq!(lease(target), expected, "{target}");
        }
    }

    #[test]
    fn a_target_with_slashes_is_the_same_target() {
        assert_eq!(
            lease("prod/Deployment/payment-api"),
            "gw-lock-91fce8d5c4949766"
        );
        assert_eq!(lease("Node/worker-node-1"), "gw-lock-54010c454af195aa");
    }

    #[test]
    fn a_fingerprint_gives_its_first_sixteen_digits() {
        let whole = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";
        assert_eq!(lease(whole), "gw-lock-91fce8d5c4949766");
        assert_eq!(lease(&whole[..16]), "gw-lock-91fce8d5c4949766");
        assert_eq!(lease(&whole.to_uppercase()), "gw-lock-91fce8d5c4949766");
    }

    #[test]
    fn a_lease_name_stays_as_it_is() {
        assert_eq!(
            lease("gw-lock-91fce8d5c4949766"),
            "gw-lock-91fce8d5c4949766"
        );
        assert_eq!(lease("lease.coordination.k8s.io/my-lock"), "my-lock");
        assert_eq!(
            lease("ro-lock-e7eda236b9ebe6f2"),
            "ro-lock-e7eda236b9ebe6f2"
        );
    }

    #[test]
    fn two_long_texts_with_one_beginning_have_two_leases() {
        assert_ne!(
            lease("nightly-database-backup"),
            lease("nightly-database-migrate")
        );
        let raw = |text| Key::parse_as(text, KeyMode::Raw).unwrap().lease.to_string();
        assert_eq!(
            raw("nightly-database-backup"),
            raw("nightly-database-migrate")
        );
    }

    #[test]
    fn the_gateways_rule_hashes_only_what_is_shorter_than_sixteen_bytes() {
        assert_eq!(
            gateway_lease_name("short").unwrap(),
            "gw-lock-f9b0078b5df596d2"
        );
        assert_eq!(
            gateway_lease_name("1234567890123456").unwrap(),
            "gw-lock-1234567890123456"
        );
        assert_eq!(gateway_lease_name("123456789012345ü"), None);
    }

    #[test]
    fn what_no_server_would_take_is_refused_before_any_request() {
        assert_eq!(Key::parse(""), Err(KeyError::Empty));
        assert_eq!(
            Key::parse("gw-lock-AbC"),
            Err(KeyError::NotADnsName {
                name: "gw-lock-AbC".to_owned()
            })
        );
        assert_eq!(
            Key::parse_as("Prod/Deployment/x", KeyMode::Raw),
            Err(KeyError::NotADnsName {
                name: "gw-lock-Prod/Deployment/".to_owned()
            })
        );
        assert!(LeaseName::new(&"a".repeat(254)).is_err());
        assert!(LeaseName::new(&"a".repeat(253)).is_ok());
    }
}
