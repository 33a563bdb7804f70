//! Users with random tokens.

use std::fmt;

use base64::Engine as _;
use rand::{TryRng as _, rngs::SysRng};

use crate::access::{Authentication, UserInfo};

/// 256 bits.
const TOKEN_BYTES: usize = 32;

/// A user under the name that the kubeconfig gives him.
#[derive(Clone)]
pub struct Identity {
    /// Name of the user and of his context in the kubeconfig.
    pub name: String,
    /// Who he is to the server.
    pub user: UserInfo,
    token: String,
}

/// The identities of one run.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    identities: Vec<Identity>,
}

impl Credentials {
    /// Gives every user a new random token. The first one is the kubeconfig's current user.
    ///
    /// # Panics
    /// If the operating system has no random numbers to give.
    #[must_use]
    pub fn generate<'a>(users: impl IntoIterator<Item = (&'a str, UserInfo)>) -> Self {
        let identities = users.into_iter().map(|(name, user)| Identity {
            name: name.to_owned(),
            user,
            token: token(),
        });
        Self {
            identities: identities.collect(),
        }
    }

    /// The identities in the order in which they were given.
    #[must_use]
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// The token of the identity of that name.
    #[must_use]
    pub fn token(&self, name: &str) -> Option<&str> {
        self.identities
            .iter()
            .find(|identity| identity.name == name)
            .map(Identity::token)
    }

    /// What lets these identities into the server.
    #[must_use]
    pub fn authentication(&self) -> Authentication {
        let identities = self.identities.iter();
        Authentication::Tokens(
            identities
                .map(|identity| (identity.token.clone(), identity.user.clone()))
                .collect(),
        )
    }
}

impl Identity {
    /// The bearer token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Debug for Identity {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.name)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::expect_used,
    reason = "there is no safe way on without random numbers"
)]
fn token() -> String {
    let mut bytes = [0; TOKEN_BYTES];
    SysRng
        .try_fill_bytes(&mut bytes)
        .expect("the operating system gives random numbers");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_identity_has_a_token_of_its_own_that_is_never_printed() {
        let users = || {
            [
                ("a", UserInfo::new("alice", &[])),
                ("b", UserInfo::new("bob", &[])),
            ]
        };
        let (first, second) = (
            Credentials::generate(users()),
            Credentials::generate(users()),
        );
        let tokens: std::collections::HashSet<&str> = [&first, &second]
            .into_iter()
            .flat_map(|run| run.identities().iter().map(Identity::token))
            .collect();
        assert_eq!(tokens.len(), 4);
        assert!(tokens.iter().all(|token| token.len() == 43));
        let printed = format!("{first:?}");
        assert!(tokens.iter().all(|token| !printed.contains(token)));
        let Authentication::Tokens(users) = first.authentication() else {
            panic!("identities have tokens")
        };
        assert_eq!(users[first.token("b").unwrap()].username, "bob");
    }
}
