//! The reviews of `authorization.k8s.io` and `authentication.k8s.io`: questions that are answered
//! in the status of what was posted and never stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Attributes, Authenticator, Authorizer, RbacSource, UserInfo, rules};
use crate::{golang::time::format_time, validate::FieldError};

/// The audience of the API server: what `--service-account-issuer` is on most clusters.
const AUDIENCE: &str = "https://kubernetes.default.svc.cluster.local";

/// Who asks, and what the answer is taken from.
#[derive(Clone, Copy)]
pub struct ReviewContext<'a> {
    /// The user who asks, after impersonation.
    pub user: &'a UserInfo,
    /// Roles and bindings.
    pub source: &'a dyn RbacSource,
    /// The tokens that a TokenReview knows.
    pub tokens: &'a Authenticator,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a review is not answered.
#[derive(Debug, Clone, PartialEq)]
pub enum ReviewError {
    /// 400 with this message.
    BadRequest(String),
    /// 422 with these causes. The server names neither kind nor object in the message of these:
    /// `.authorization.k8s.io "" is invalid: …`.
    Invalid(Vec<FieldError>),
}

/// The answer (201) to a review of this kind, or `None` if the kind is no review.
///
/// `review` has been decoded; `namespace` is that of the request's path.
///
/// # Errors
/// A review that asks for nothing, or for something that cannot be asked together.
pub fn review(
    kind: &str,
    namespace: Option<&str>,
    review: &Value,
    context: ReviewContext<'_>,
) -> Option<Result<Value, ReviewError>> {
    let answer = match kind {
        "SelfSubjectAccessReview" => access_review(review, Some(context.user), context),
        "SubjectAccessReview" => access_review(review, None, context),
        "LocalSubjectAccessReview" => {
            local_access_review(review, namespace.unwrap_or_default(), context)
        }
        "SelfSubjectRulesReview" => rules_review(review, context),
        "SelfSubjectReview" => Ok(self_review(context)),
        "TokenReview" => token_review(review, context),
        _ => return None,
    };
    Some(answer)
}

fn access_review(
    review: &Value,
    user: Option<&UserInfo>,
    context: ReviewContext<'_>,
) -> Result<Value, ReviewError> {
    let errors = spec_errors(review, user.is_none());
    let errors = with_metadata_error(errors, review, &[]);
    if errors.is_empty() {
        Ok(answer(review, user, context))
    } else {
        Err(ReviewError::Invalid(errors))
    }
}

fn local_access_review(
    review: &Value,
    namespace: &str,
    context: ReviewContext<'_>,
) -> Result<Value, ReviewError> {
    let own = match text(&review["metadata"], "namespace") {
        "" => namespace,
        own => own,
    };
    if namespace != own {
        return Err(ReviewError::BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ));
    }
    let mut review = review.clone();
    review["metadata"]["namespace"] = json!(own);
    let review = &review;
    let mut errors = with_metadata_error(spec_errors(review, true), review, &["namespace"]);
    let resource = &review["spec"]["resourceAttributes"];
    if resource.is_object() && text(resource, "namespace") != own {
        errors.push(FieldError::invalid(
            "spec.resourceAttributes.namespace",
            text(resource, "namespace"),
            "must match metadata.namespace",
        ));
    }
    let path = &review["spec"]["nonResourceAttributes"];
    if path.is_object() {
        errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            path.clone(),
            "disallowed on this kind of request",
        ));
    }
    if !errors.is_empty() {
        return Err(ReviewError::Invalid(errors));
    }
    Ok(answer(review, None, context))
}

fn rules_review(review: &Value, context: ReviewContext<'_>) -> Result<Value, ReviewError> {
    let namespace = text(&review["spec"], "namespace");
    if namespace.is_empty() {
        return Err(ReviewError::BadRequest(
            "no namespace on request".to_owned(),
        ));
    }
    let (rules, errors) = rules::rules_for(context.source, context.user, namespace);
    let (mut resource_rules, mut url_rules) = (Vec::new(), Vec::new());
    for rule in &rules {
        if has_items(rule, "resources") {
            resource_rules.push(pick(
                rule,
                &["verbs", "apiGroups", "resources", "resourceNames"],
            ));
        }
        if has_items(rule, "nonResourceURLs") {
            url_rules.push(pick(rule, &["verbs", "nonResourceURLs"]));
        }
    }
    let mut status = json!({"resourceRules": resource_rules, "nonResourceRules": url_rules, "incomplete": false});
    if !errors.is_empty() {
        status["evaluationError"] = json!(rules::aggregate(&errors));
    }
    Ok(json!({
        "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
        "metadata": {}, "spec": {}, "status": status,
    }))
}

fn self_review(context: ReviewContext<'_>) -> Value {
    json!({
        "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
        "metadata": {"creationTimestamp": format_time(context.now)},
        "status": {"userInfo": context.user.to_value()},
    })
}

fn token_review(review: &Value, context: ReviewContext<'_>) -> Result<Value, ReviewError> {
    let token = text(&review["spec"], "token");
    if token.is_empty() {
        return Err(ReviewError::BadRequest(
            "token is required for TokenReview in authentication".to_owned(),
        ));
    }
    let audiences = texts(&review["spec"]["audiences"]);
    let mut answer = review.clone();
    answer["status"] = match context.tokens.user(token) {
        // Like the tokens of a file, these are meant for the API server and nobody else.
        Some(_) if !audiences.is_empty() && !audiences.iter().any(|wanted| wanted == AUDIENCE) => {
            json!({"user": {}})
        }
        Some(user) => {
            json!({"authenticated": true, "user": user.to_value(), "audiences": [AUDIENCE]})
        }
        None => json!({"user": {}, "error": "invalid bearer token"}),
    };
    Ok(answer)
}

/// The review with its status filled in for `user`, or for whom its spec names.
fn answer(review: &Value, user: Option<&UserInfo>, context: ReviewContext<'_>) -> Value {
    let spec = &review["spec"];
    let named;
    let user = match user {
        Some(user) => user,
        None => {
            named = user_of(spec);
            &named
        }
    };
    let decision = Authorizer.authorize(context.source, user, &attributes_of(spec));
    let mut answer = review.clone();
    answer["status"] = json!({"allowed": decision.allowed});
    if !decision.reason.is_empty() {
        answer["status"]["reason"] = json!(decision.reason);
    }
    answer
}

fn user_of(spec: &Value) -> UserInfo {
    let extra = spec["extra"].as_object().into_iter().flatten();
    UserInfo {
        username: text(spec, "user").to_owned(),
        uid: text(spec, "uid").to_owned(),
        groups: texts(&spec["groups"]),
        extra: extra
            .map(|(key, values)| (key.clone(), texts(values)))
            .collect::<BTreeMap<_, _>>(),
    }
}

fn attributes_of(spec: &Value) -> Attributes {
    let resource = &spec["resourceAttributes"];
    if !resource.is_object() {
        let request = &spec["nonResourceAttributes"];
        return Attributes {
            verb: text(request, "verb").to_owned(),
            path: Some(text(request, "path").to_owned()),
            ..Attributes::default()
        };
    }
    let field = |name| text(resource, name).to_owned();
    Attributes {
        verb: field("verb"),
        group: field("group"),
        version: field("version"),
        resource: field("resource"),
        subresource: field("subresource"),
        namespace: field("namespace"),
        name: field("name"),
        path: None,
    }
}

fn spec_errors(review: &Value, needs_user: bool) -> Vec<FieldError> {
    let spec = &review["spec"];
    let mut errors = Vec::new();
    match (
        spec["resourceAttributes"].is_object(),
        spec["nonResourceAttributes"].is_object(),
    ) {
        (true, true) => errors.push(FieldError::invalid(
            "spec.nonResourceAttributes",
            spec["nonResourceAttributes"].clone(),
            "cannot be specified in combination with resourceAttributes",
        )),
        (false, false) => errors.push(FieldError::invalid(
            "spec.resourceAttributes",
            Value::Null,
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        _ => {}
    }
    if needs_user && text(spec, "user").is_empty() && !has_items(spec, "groups") {
        errors.push(FieldError::invalid(
            "spec.user",
            "",
            "at least one of user or group must be specified",
        ));
    }
    errors
}

/// Reviews have no metadata, except for the fields in `allowed` and what the server tracks.
fn with_metadata_error(
    mut errors: Vec<FieldError>,
    review: &Value,
    allowed: &[&str],
) -> Vec<FieldError> {
    let mut fields = review["metadata"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    if fields.any(|name| name != "managedFields" && !allowed.contains(&name)) {
        let detail = if allowed.is_empty() {
            "must be empty"
        } else {
            "must be empty except for namespace"
        };
        errors.push(FieldError::invalid(
            "metadata",
            review["metadata"].clone(),
            detail,
        ));
    }
    errors
}

/// The rule with these fields, the first of which is always there.
fn pick(rule: &Value, fields: &[&str]) -> Value {
    let mut picked = json!({ fields[0]: rule[fields[0]] });
    for field in &fields[1..] {
        if has_items(rule, field) {
            picked[*field] = rule[*field].clone();
        }
    }
    picked
}

fn has_items(object: &Value, field: &str) -> bool {
    object[field]
        .as_array()
        .is_some_and(|items| !items.is_empty())
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::fixtures::{Objects, user},
        *,
    };
    use crate::validate::summary;

    fn ask(kind: &str, namespace: Option<&str>, body: &Value) -> Result<Value, ReviewError> {
        let objects = Objects::default()
            .role(
                "a",
                "r",
                &json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]),
            )
            .role_binding("a", "b", ("Role", "r"), &user("alice"));
        let mut tokens = Authenticator::default();
        tokens.insert(
            "s3cret",
            UserInfo {
                uid: "7".to_owned(),
                ..UserInfo::new("bob", &["dev"])
            },
        );
        let context = ReviewContext {
            user: &UserInfo::new("alice", &["system:authenticated"]),
            source: &objects,
            tokens: &tokens,
            now: Timestamp::UNIX_EPOCH,
        };
        review(kind, namespace, body, context).unwrap()
    }

    fn refusal(kind: &str, namespace: Option<&str>, body: &Value) -> String {
        match ask(kind, namespace, body) {
            Err(ReviewError::Invalid(errors)) => summary(&errors),
            Err(ReviewError::BadRequest(message)) => message,
            Ok(answer) => panic!("answered {answer}"),
        }
    }

    fn pods(verb: &str) -> Value {
        json!({"namespace": "a", "verb": verb, "resource": "pods"})
    }

    #[test]
    fn a_self_review_answers_for_who_asks() {
        let body = json!({"kind": "SelfSubjectAccessReview", "metadata": {}, "spec": {"resourceAttributes": pods("get")}, "status": {"allowed": false}});
        let mut expected = body.clone();
        expected["status"] = json!({"allowed": true, "reason": r#"RBAC: allowed by RoleBinding "b/a" of Role "r" to User "alice""#});
        assert_eq!(ask("SelfSubjectAccessReview", None, &body), Ok(expected));
        let body = json!({"metadata": {}, "spec": {"resourceAttributes": pods("delete")}});
        assert_eq!(
            ask("SelfSubjectAccessReview", None, &body).unwrap()["status"],
            json!({"allowed": false})
        );
    }

    #[test]
    fn a_subject_review_answers_for_whom_it_names() {
        let body = |user: &str| json!({"metadata": {}, "spec": {"user": user, "resourceAttributes": pods("get")}});
        assert_eq!(
            ask("SubjectAccessReview", None, &body("bob")).unwrap()["status"],
            json!({"allowed": false})
        );
        assert_eq!(
            ask("SubjectAccessReview", None, &body("alice")).unwrap()["status"]["allowed"],
            json!(true)
        );
    }

    #[test]
    fn a_review_that_asks_nothing_is_invalid() {
        assert_eq!(
            refusal(
                "SubjectAccessReview",
                None,
                &json!({"metadata": {"name": "x"}, "spec": {}})
            ),
            "[spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be \
             specified, spec.user: Invalid value: \"\": at least one of user or group must be specified, metadata: Invalid \
             value: {\"name\":\"x\"}: must be empty]"
        );
        let both = json!({"metadata": {}, "spec": {"resourceAttributes": {}, "nonResourceAttributes": {"path": "/x"}}});
        assert_eq!(
            refusal("SelfSubjectAccessReview", None, &both),
            r#"spec.nonResourceAttributes: Invalid value: {"path":"/x"}: cannot be specified in combination with resourceAttributes"#
        );
    }

    #[test]
    fn a_local_review_stays_in_its_namespace() {
        let body = |namespace: &str| json!({"metadata": {"namespace": namespace}, "spec": {"user": "alice", "resourceAttributes": pods("get")}});
        assert_eq!(
            ask("LocalSubjectAccessReview", Some("a"), &body("a")).unwrap()["status"]["allowed"],
            json!(true)
        );
        assert_eq!(
            refusal("LocalSubjectAccessReview", Some("b"), &body("b")),
            r#"spec.resourceAttributes.namespace: Invalid value: "a": must match metadata.namespace"#
        );
    }

    #[test]
    fn rules_are_listed_for_one_namespace() {
        let body = |namespace: &str| json!({"spec": {"namespace": namespace}});
        assert_eq!(
            ask("SelfSubjectRulesReview", None, &body("a")).unwrap()["status"],
            json!({
                "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
                "nonResourceRules": [], "incomplete": false,
            })
        );
        assert_eq!(
            refusal("SelfSubjectRulesReview", None, &json!({"spec": {}})),
            "no namespace on request"
        );
    }

    #[test]
    fn users_are_shown_as_the_authenticator_knows_them() {
        assert_eq!(
            ask("SelfSubjectReview", None, &json!({})),
            Ok(json!({
                "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
                "metadata": {"creationTimestamp": "1970-01-01T00:00:00Z"},
                "status": {"userInfo": {"username": "alice", "groups": ["system:authenticated"]}},
            }))
        );
        let token = |token: &str| json!({"spec": {"token": token}});
        assert_eq!(
            ask("TokenReview", None, &token("s3cret")).unwrap()["status"],
            json!({
                "authenticated": true,
                "user": {"username": "bob", "uid": "7", "groups": ["dev", "system:authenticated"]},
                "audiences": ["https://kubernetes.default.svc.cluster.local"],
            })
        );
        assert_eq!(
            ask("TokenReview", None, &token("wrong")).unwrap()["status"],
            json!({"user": {}, "error": "invalid bearer token"})
        );
        assert_eq!(
            refusal("TokenReview", None, &token("")),
            "token is required for TokenReview in authentication"
        );
    }
}
