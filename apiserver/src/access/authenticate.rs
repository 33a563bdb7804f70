//! Authentication by bearer token.

use std::collections::HashMap;

use http::{HeaderMap, header::AUTHORIZATION};

use super::UserInfo;

/// The credentials are not valid: the request is answered with 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Unauthorized")]
pub struct Unauthorized;

/// Who is let in.
#[derive(Debug, Clone, Default)]
pub enum Authentication {
    /// Everybody, as a member of `system:masters`.
    #[default]
    Open,
    /// Who shows one of these bearer tokens; RBAC decides what their users may do. Without a token a request is
    /// anonymous.
    Tokens(HashMap<String, UserInfo>),
}

/// A table of bearer tokens, as `--token-auth-file` gives to a server.
#[derive(Debug, Clone, Default)]
pub struct Authenticator {
    users: HashMap<String, UserInfo>,
}

impl Authenticator {
    /// Adds a token. Whoever shows it is this user, and a member of `system:authenticated`.
    pub fn insert(&mut self, token: impl Into<String>, user: UserInfo) {
        self.users.insert(token.into(), user.authenticated());
    }

    /// The user that a token belongs to.
    #[must_use]
    pub fn user(&self, token: &str) -> Option<&UserInfo> {
        self.users.get(token)
    }

    /// Who sends a request with these headers. Without a bearer token he is anonymous.
    ///
    /// # Errors
    /// A token that is not in the table.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<UserInfo, Unauthorized> {
        match bearer(headers) {
            None => Ok(UserInfo::anonymous()),
            Some(token) => self.user(token).cloned().ok_or(Unauthorized),
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut words = headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .trim()
        .splitn(3, ' ');
    let scheme = words.next()?;
    let token = words.next().filter(|token| !token.is_empty())?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticate(header: Option<&'static str>) -> Result<String, Unauthorized> {
        let mut authenticator = Authenticator::default();
        authenticator.insert("s3cret", UserInfo::new("alice", &["dev"]));
        let mut headers = HeaderMap::new();
        if let Some(header) = header {
            headers.insert(AUTHORIZATION, http::HeaderValue::from_static(header));
        }
        authenticator
            .authenticate(&headers)
            .map(|user| format!("{} {}", user.username, user.groups.join(",")))
    }

    #[test]
    fn a_token_names_its_user() {
        assert_eq!(
            authenticate(Some("Bearer s3cret")),
            Ok("alice dev,system:authenticated".to_owned())
        );
        assert_eq!(
            authenticate(Some("bearer s3cret")),
            Ok("alice dev,system:authenticated".to_owned())
        );
        assert_eq!(authenticate(Some("Bearer other")), Err(Unauthorized));
    }

    #[test]
    fn without_a_bearer_token_the_user_is_anonymous() {
        for header in [None, Some("Basic YTpi"), Some("Bearer"), Some("Bearer ")] {
            assert_eq!(
                authenticate(header),
                Ok("system:anonymous system:unauthenticated".to_owned()),
                "{header:?}"
            );
        }
    }
}
