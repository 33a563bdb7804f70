//! The questions: SelfSubjectAccessReview for whoever asks, SubjectAccessReview for a ServiceAccount. A question that is
//! refused, or gets no answer, is not answered with no.

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec, SubjectAccessReview,
    SubjectAccessReviewSpec, SubjectAccessReviewStatus,
};
use kube::Api;
use kube::api::PostParams;

use super::State;
use crate::exit::Exit;
use crate::gateway::objects::{LookupError, ask};
use crate::rbac::requirement::Requirement;

/// Asks for somebody.
pub(super) struct Reviewer<'a> {
    client: kube::Client,
    account: Option<&'a (String, String)>,
}

/// Who it is that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) user: String,
    pub(super) groups: Vec<String>,
}

/// A ServiceAccount as an API server knows it.
fn subject_of((namespace, name): &(String, String)) -> Subject {
    Subject {
        user: format!("system:serviceaccount:{namespace}:{name}"),
        groups: vec![
            "system:serviceaccounts".to_owned(),
            format!("system:serviceaccounts:{namespace}"),
            "system:authenticated".to_owned(),
        ],
    }
}

impl<'a> Reviewer<'a> {
    pub(super) fn new(client: &kube::Client, account: Option<&'a (String, String)>) -> Self {
        Self {
            client: client.clone(),
            account,
        }
    }

    /// Who it is; `None` if that cannot be found out.
    pub(super) async fn subject(&self) -> Option<Subject> {
        if let Some(account) = self.account {
            return Some(subject_of(account));
        }
        let reviews: Api<SelfSubjectReview> = Api::all(self.client.clone());
        let (parameters, review) = (PostParams::default(), SelfSubjectReview::default());
        let review = ask(|| reviews.create(&parameters, &review)).await.ok()?;
        let user = review.status?.user_info?;
        Some(Subject {
            user: user.username?,
            groups: user.groups.unwrap_or_default(),
        })
    }

    /// Asks about one requirement.
    pub(super) async fn ask(&self, requirement: &Requirement, namespace: Option<&str>) -> State {
        let text = |text: &str| Some(text.to_owned());
        let attributes = ResourceAttributes {
            group: text(&requirement.group),
            resource: text(&requirement.resource),
            subresource: requirement.subresource.as_deref().and_then(text),
            verb: text(&requirement.verb),
            name: requirement.name.as_deref().and_then(text),
            namespace: namespace.and_then(text),
            ..ResourceAttributes::default()
        };
        let answer = match self.account {
            None => self.ask_for_oneself(attributes).await,
            Some(account) => self.ask_for(subject_of(account), attributes).await,
        };
        match answer {
            Ok(status) => read(status.unwrap_or_default()),
            Err(error) => failed(error),
        }
    }

    async fn ask_for_oneself(
        &self,
        attributes: ResourceAttributes,
    ) -> Result<Option<SubjectAccessReviewStatus>, LookupError> {
        let reviews: Api<SelfSubjectAccessReview> = Api::all(self.client.clone());
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(attributes),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let parameters = PostParams::default();
        let answer = ask(|| reviews.create(&parameters, &review)).await?;
        Ok(answer.status)
    }

    async fn ask_for(
        &self,
        subject: Subject,
        attributes: ResourceAttributes,
    ) -> Result<Option<SubjectAccessReviewStatus>, LookupError> {
        let reviews: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(subject.user),
                groups: Some(subject.groups),
                resource_attributes: Some(attributes),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let parameters = PostParams::default();
        let answer = ask(|| reviews.create(&parameters, &review)).await?;
        Ok(answer.status)
    }
}

/// An authoriser that failed has not said no.
fn read(status: SubjectAccessReviewStatus) -> State {
    let reason = status.reason.unwrap_or_default();
    let error = status.evaluation_error.filter(|error| !error.is_empty());
    match error {
        _ if status.allowed => State::Allowed(reason),
        Some(error) if status.denied != Some(true) => State::Failed {
            exit: Exit::Unreachable,
            message: format!("the authoriser failed: {error}"),
        },
        _ => State::Denied(reason),
    }
}

fn failed(error: LookupError) -> State {
    match error {
        LookupError::Refused { code, message } => State::Failed {
            exit: if matches!(code, 401 | 403) {
                Exit::Forbidden
            } else {
                Exit::Unreachable
            },
            message,
        },
        LookupError::Unavailable { message } => State::Failed {
            exit: Exit::Unreachable,
            message,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(allowed: bool, denied: Option<bool>, error: &str) -> SubjectAccessReviewStatus {
        SubjectAccessReviewStatus {
            allowed,
            denied,
            reason: Some("r".to_owned()),
            evaluation_error: Some(error.to_owned()),
        }
    }

    #[test]
    fn an_authoriser_that_failed_has_not_said_no() {
        let reason = || "r".to_owned();
        for (answer, expected) in [
            (status(true, None, "webhook"), State::Allowed(reason())),
            (status(false, None, ""), State::Denied(reason())),
            (
                status(false, Some(true), "webhook"),
                State::Denied(reason()),
            ),
            (
                status(false, None, "webhook"),
                State::Failed {
                    exit: Exit::Unreachable,
                    message: "the authoriser failed: webhook".to_owned(),
                },
            ),
        ] {
            assert_eq!(read(answer), expected);
        }
    }

    #[test]
    fn a_refused_question_is_told_from_one_without_an_answer() {
        let exit = |error| match failed(error) {
            State::Failed { exit, .. } => exit,
            other => panic!("{other:?}"),
        };
        let refused = |code| LookupError::Refused {
            code,
            message: "m".to_owned(),
        };
        assert_eq!(exit(refused(403)), Exit::Forbidden);
        assert_eq!(exit(refused(401)), Exit::Forbidden);
        assert_eq!(exit(refused(400)), Exit::Unreachable);
        let message = "m".to_owned();
        assert_eq!(
            exit(LookupError::Unavailable { message }),
            Exit::Unreachable
        );
    }
}
