//! The names of one thing: target, fingerprint, lease, RemediationRequest. Pure; what of it exists is asked elsewhere.
//!
//! A target gives all the others. A lease name holds 16 of the 64 digits of a fingerprint and a RemediationRequest's 12,
//! so that from those the rest has to be looked up.

use gwlock_engine::protocol::key::{
    FINGERPRINT_PREFIX_LEN, Fingerprint, GATEWAY_PREFIX, LeaseName, Target,
};

use super::GatewayVersion;

/// How many digits of a fingerprint a RemediationRequest's name holds.
const REQUEST_DIGITS: usize = 12;

const REQUEST_KINDS: [&str; 4] = [
    "remediationrequest.kubernaut.ai/",
    "remediationrequests.kubernaut.ai/",
    "remediationrequest/",
    "rr/",
];
const LEASE_KINDS: [&str; 3] = [
    "lease.coordination.k8s.io/",
    "leases.coordination.k8s.io/",
    "lease/",
];

/// What is known of a thing by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// `[cluster:]namespace:Kind:name`.
    pub target: Option<Target>,
    /// All 64 digits.
    pub fingerprint: Option<Fingerprint>,
    /// As many digits of it as are known: 12 to 64.
    pub digits: String,
    /// The RemediationRequest that was named.
    pub request: Option<String>,
}

/// Why a text names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// No target, fingerprint, lease of the gateway or RemediationRequest looks like this.
    #[error(
        "\"{0}\" is no target (prod/Deployment/payment-api), fingerprint (16 to 64 hex digits), lease \
         (gw-lock-<16 hex digits>) or RemediationRequest (rr-<12 hex digits>-…)"
    )]
    Unknown(String),
    /// January's gateway puts the signal's name into the fingerprint.
    #[error("January's fingerprint of a target needs the name of the signal")]
    NoSignalName,
    /// Only a target can be one of another cluster.
    #[error("a cluster id goes with a target; \"{0}\" is none, or names its cluster already")]
    ClusterId(String),
}

/// What a fingerprint is made of beside the target.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// Whose rule.
    pub version: GatewayVersion,
    /// The cluster of the target.
    pub cluster_id: Option<&'a str>,
    /// The alert's name or the event's reason, which only January's rule uses.
    pub signal: Option<&'a str>,
}

impl Names {
    /// Reads a name by its shape.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn of(text: &str, rules: Rules<'_>) -> Result<Self, ResolveError> {
        if let Some(mut target) = Target::parse(text).filter(|_| kind_of(text).is_none()) {
            if let Some(cluster) = rules.cluster_id {
                if target.cluster.is_some() {
                    return Err(ResolveError::ClusterId(text.to_owned()));
                }
                target.cluster = Some(cluster.to_owned());
            }
            return Self::of_target(target, rules);
        }
        if rules.cluster_id.is_some() {
            return Err(ResolveError::ClusterId(text.to_owned()));
        }
        Self::of_name(text).ok_or_else(|| ResolveError::Unknown(text.to_owned()))
    }

    fn of_target(target: Target, rules: Rules<'_>) -> Result<Self, ResolveError> {
        let fingerprint = match rules.version {
            GatewayVersion::Current => target.fingerprint(),
            GatewayVersion::January => {
                let signal = rules.signal.ok_or(ResolveError::NoSignalName)?;
                Fingerprint::of(&format!("{signal}:{target}"))
            }
        };
        Ok(Self {
            target: Some(target),
            digits: fingerprint.as_str().to_owned(),
            fingerprint: Some(fingerprint),
            request: None,
        })
    }

    fn of_name(text: &str) -> Option<Self> {
        let name = text.rsplit('/').next()?;
        if let Some(rest) = name.strip_prefix("rr-") {
            let (digits, _) = rest.split_once('-')?;
            let fits = digits.len() == REQUEST_DIGITS && is_hex(digits);
            return fits.then(|| Self {
                target: None,
                fingerprint: None,
                digits: digits.to_owned(),
                request: Some(name.to_owned()),
            });
        }
        let is_lease = name.starts_with(GATEWAY_PREFIX);
        let digits = name.strip_prefix(GATEWAY_PREFIX).unwrap_or(name);
        let lengths = if is_lease {
            FINGERPRINT_PREFIX_LEN..=FINGERPRINT_PREFIX_LEN
        } else {
            FINGERPRINT_PREFIX_LEN..=64
        };
        let fits = lengths.contains(&digits.len());
        let digits = digits.to_ascii_lowercase();
        (fits && is_hex(&digits)).then(|| Self {
            target: None,
            fingerprint: Fingerprint::parse(&digits),
            digits,
            request: None,
        })
    }

    /// The gateway's lease, if enough digits are known.
    #[must_use]
    pub fn lease(&self) -> Option<LeaseName> {
        let digits = self.digits.get(..FINGERPRINT_PREFIX_LEN)?;
        LeaseName::new(&format!("{GATEWAY_PREFIX}{digits}")).ok()
    }

    /// What the names of its RemediationRequests begin with.
    #[must_use]
    pub fn request_prefix(&self) -> String {
        format!("rr-{}-", &self.digits[..REQUEST_DIGITS])
    }

    /// Whether a fingerprint can be the one that is meant.
    #[must_use]
    pub fn fits(&self, fingerprint: &str) -> bool {
        fingerprint.starts_with(&self.digits)
    }

    /// The same, now that the whole fingerprint is known.
    #[must_use]
    pub fn completed(mut self, fingerprint: Fingerprint) -> Self {
        fingerprint.as_str().clone_into(&mut self.digits);
        self.fingerprint = Some(fingerprint);
        self
    }
}

/// The kind that a name such as `lease/gw-lock-…` begins with, which is no target of a kind of that name.
fn kind_of(text: &str) -> Option<&'static str> {
    let mut kinds = REQUEST_KINDS.iter().chain(&LEASE_KINDS);
    kinds.find(|kind| text.starts_with(**kind)).copied()
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "91fce8d5c4949766458bd4bd58859a4fb2e8470ef64ef438c22903744799a9b1";

    fn names(text: &str) -> Names {
        Names::of(text, Rules::default()).unwrap()
    }

    #[test]
    fn a_target_gives_all_names() {
        for text in ["prod/Deployment/payment-api", "prod:Deployment:payment-api"] {
            let names = names(text);
            assert_eq!(names.digits, DIGITS);
            assert_eq!(names.lease().unwrap().as_str(), "gw-lock-91fce8d5c4949766");
            assert_eq!(names.request_prefix(), "rr-91fce8d5c494-");
        }
    }

    #[test]
    fn a_cluster_goes_with_a_target_once() {
        let rules = Rules {
            cluster_id: Some("prod-east"),
            ..Rules::default()
        };
        let names = Names::of(":Node:worker-node-1", rules).unwrap();
        assert_eq!(names.lease().unwrap().as_str(), "gw-lock-bbb02d0f29ca32a1");
        for text in ["prod-east:prod:Pod:a", "gw-lock-91fce8d5c4949766"] {
            let refused = Names::of(text, rules);
            assert_eq!(refused, Err(ResolveError::ClusterId(text.to_owned())));
        }
    }

    #[test]
    fn januarys_fingerprint_has_the_signal_in_it() {
        let mut rules = Rules {
            version: GatewayVersion::January,
            ..Rules::default()
        };
        let target = "prod:Pod:payment-api-789";
        assert_eq!(Names::of(target, rules), Err(ResolveError::NoSignalName));
        rules.signal = Some("HighMemoryUsage");
        let names = Names::of(target, rules).unwrap();
        assert_eq!(names.lease().unwrap().as_str(), "gw-lock-a5982f7182402b4a");
    }

    #[test]
    fn other_names_hold_a_part_of_the_fingerprint() {
        for (text, digits, lease) in [
            (DIGITS, DIGITS, Some("gw-lock-91fce8d5c4949766")),
            (
                "gw-lock-91fce8d5c4949766",
                "91fce8d5c4949766",
                Some("gw-lock-91fce8d5c4949766"),
            ),
            (
                "lease/gw-lock-91fce8d5c4949766",
                "91fce8d5c4949766",
                Some("gw-lock-91fce8d5c4949766"),
            ),
            (
                "91FCE8D5C4949766",
                "91fce8d5c4949766",
                Some("gw-lock-91fce8d5c4949766"),
            ),
            ("rr-91fce8d5c494-0a1b2c3d", "91fce8d5c494", None),
            ("rr/rr-91fce8d5c494-0a1b2c3d", "91fce8d5c494", None),
        ] {
            let names = names(text);
            assert_eq!(names.digits, digits, "{text}");
            assert_eq!(
                names.lease().as_ref().map(LeaseName::as_str),
                lease,
                "{text}"
            );
            assert_eq!(names.request_prefix(), "rr-91fce8d5c494-");
        }
    }

    #[test]
    fn what_is_none_of_these_is_said() {
        for text in [
            "",
            "payment-api",
            "gw-lock-short",
            "rr-short-1",
            "ro-lock-91fce8d5c4949766",
            "91fce8",
        ] {
            let refused = Names::of(text, Rules::default());
            assert_eq!(refused, Err(ResolveError::Unknown(text.to_owned())));
        }
    }
}
