//! Who may send signals: whoever has a token that the API server knows, and may `create` the gateway's Service.
//!
//! Two requests for each token that was not seen lately: a TokenReview and a SubjectAccessReview. Only their answers are
//! kept, for a short time, and under a digest of the token.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gwlock_engine::client::api_error::{Denied, Refused, describe};
use http::{HeaderMap, header};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec,
};
use kube::Api;
use kube::api::PostParams;
use sha2::{Digest as _, Sha256};
use tokio::time::{Instant, timeout};

use super::problem::Problem;

/// The Service that a sender has to be allowed to `create`, as in the running gateway.
const SERVICE: &str = "gateway-service";
/// How long a yes counts. A right that is taken away is seen after this long.
const YES_FOR: Duration = Duration::from_secs(10);
/// How long a no counts. A right that was just granted is seen after this long.
const NO_FOR: Duration = Duration::from_secs(2);
/// How many tokens are remembered.
const CAPACITY: usize = 1000;
/// How long both reviews may take together.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the API server who a sender is and whether it may send.
pub struct Authenticator {
    client: kube::Client,
    namespace: String,
    known: Mutex<HashMap<[u8; 32], (Instant, Verdict)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Allowed,
    Unknown,
    Denied { user: String },
}

impl Authenticator {
    /// Senders need the right in this namespace, the gateway's own.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            known: Mutex::default(),
        }
    }

    /// 401 for who is not known, 403 for who may not, 500 where that cannot be found out.
    pub(super) async fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let token = bearer(headers)?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        let verdict = match self.remembered(&digest) {
            Some(verdict) => verdict,
            None => {
                let verdict = self.ask(token).await?;
                self.remember(digest, verdict.clone());
                verdict
            }
        };
        match verdict {
            Verdict::Allowed => Ok(()),
            Verdict::Unknown => Err(Problem::unauthenticated("the token is not valid")),
            Verdict::Denied { user } => Err(Problem::forbidden(format!(
                "{user} may not create services/{SERVICE} in namespace {}",
                self.namespace
            ))),
        }
    }

    async fn ask(&self, token: &str) -> Result<Verdict, Problem> {
        let failed = |message: String| {
            tracing::error!("a sender's token cannot be reviewed: {}", Refused(&message));
            Problem::internal().lacking(Denied::read(&message))
        };
        match timeout(PATIENCE, self.review(token)).await {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(error)) => Err(failed(describe(&error))),
            Err(_) => Err(failed(format!("no answer within {PATIENCE:?}"))),
        }
    }

    async fn review(&self, token: &str) -> Result<Verdict, kube::Error> {
        let review = TokenReview {
            spec: TokenReviewSpec {
                token: token.to_owned(),
                ..TokenReviewSpec::default()
            },
            ..TokenReview::default()
        };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let status = reviews
            .create(&PostParams::default(), &review)
            .await?
            .status;
        let status = status.unwrap_or_default();
        match status.user.filter(|_| status.authenticated == Some(true)) {
            Some(user) => self.access(user).await,
            None => Ok(Verdict::Unknown),
        }
    }

    async fn access(&self, user: UserInfo) -> Result<Verdict, kube::Error> {
        let name = user.username.clone().unwrap_or_default();
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: user.username,
                uid: user.uid,
                groups: user.groups,
                extra: user.extra,
                resource_attributes: Some(ResourceAttributes {
                    namespace: Some(self.namespace.clone()),
                    verb: Some("create".to_owned()),
                    resource: Some("services".to_owned()),
                    name: Some(SERVICE.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = reviews.create(&PostParams::default(), &review).await?;
        if answer.status.is_some_and(|status| status.allowed) {
            Ok(Verdict::Allowed)
        } else {
            Ok(Verdict::Denied { user: name })
        }
    }

    fn remembered(&self, digest: &[u8; 32]) -> Option<Verdict> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, verdict) = known.get(digest)?;
        (Instant::now() < *until).then(|| verdict.clone())
    }

    fn remember(&self, digest: [u8; 32], verdict: Verdict) {
        let now = Instant::now();
        let lasts = if verdict == Verdict::Allowed {
            YES_FOR
        } else {
            NO_FOR
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (until, _)| now < *until);
        }
        // Somebody tries one token after the other.
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(digest, (now + lasts, verdict));
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let value = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(|| Problem::unauthenticated("there is no Authorization header"))?;
    let text = value.to_str().unwrap_or_default();
    let token = text
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty());
    token.ok_or_else(|| Problem::unauthenticated("the Authorization header is no Bearer token"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_stands_behind_the_word_bearer() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers)
                .map(str::to_owned)
                .map_err(|problem| problem.status().as_u16())
        };
        assert_eq!(read("Bearer abc"), Ok("abc".to_owned()));
        assert_eq!(read("bearer abc"), Ok("abc".to_owned()));
        for value in ["abc", "Basic abc", "Bearer", "Bearer "] {
            assert_eq!(read(value), Err(401), "{value:?}");
        }
        assert_eq!(bearer(&HeaderMap::new()).unwrap_err().status(), 401);
    }
}
