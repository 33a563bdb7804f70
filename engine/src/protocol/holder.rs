//! Who a lease names.
//!
//! Identities only; whether that holder is alive is not known here.

use std::fmt;

use rand::Rng;

const NONCE_LEN: usize = 16;

/// 64 random bits as 16 lower-case hex digits, new for every acquisition.
///
/// It is what makes "already mine" decidable after a lost answer, and what keeps two requests of one pod apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Nonce(String);

impl Nonce {
    /// Draws a nonce from a generator that is handed in.
    pub fn draw(rng: &mut impl Rng) -> Self {
        Self(format!("{:016x}", rng.next_u64()))
    }

    /// The hex digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Option<Self> {
        let fits =
            text.len() == NONCE_LEN && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }
}

/// A holder of this protocol: `<base>_<nonce>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HolderIdentity {
    base: String,
    nonce: Nonce,
}

impl HolderIdentity {
    /// Joins a base (a pod name, `user@host`, or what the user gave) and a nonce.
    #[must_use]
    pub fn new(base: impl Into<String>, nonce: Nonce) -> Self {
        Self {
            base: base.into(),
            nonce,
        }
    }

    /// Splits at the *last* underscore; `None` when no nonce stands behind it, as with the gateway's pod names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (base, nonce) = text.rsplit_once('_')?;
        Some(Self {
            base: base.to_owned(),
            nonce: Nonce::parse(nonce)?,
        })
    }

    /// What stands before the nonce.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The nonce of this one acquisition.
    #[must_use]
    pub fn nonce(&self) -> &Nonce {
        &self.nonce
    }

    /// Whether a record's `holderIdentity` is this very acquisition.
    #[must_use]
    pub fn is(&self, holder: Option<&str>) -> bool {
        holder
            .and_then(|text| text.strip_prefix(self.base.as_str()))
            .and_then(|rest| rest.strip_prefix('_'))
            == Some(self.nonce.as_str())
    }
}

impl fmt::Display for HolderIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.base, self.nonce.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_underscore_splits() {
        let holder = HolderIdentity::parse("user_a@host_0123456789abcdef").unwrap();
        assert_eq!(
            (holder.base(), holder.nonce().as_str()),
            ("user_a@host", "0123456789abcdef")
        );
        assert_eq!(holder.to_string(), "user_a@host_0123456789abcdef");
    }

    #[test]
    fn a_pod_name_is_no_identity_of_ours() {
        for text in [
            "gateway-7f9c-x2x",
            "gateway_7f9c",
            "gateway_0123456789ABCDEF",
            "0123456789abcdef",
        ] {
            assert_eq!(HolderIdentity::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_base_with_another_nonce_is_somebody_else() {
        let mine = HolderIdentity::parse("gateway-1_0123456789abcdef").unwrap();
        assert!(mine.is(Some("gateway-1_0123456789abcdef")));
        assert!(!mine.is(Some("gateway-1_0123456789abcdee")));
        assert!(!mine.is(Some("gateway-1")));
        assert!(!mine.is(None));
    }
}
