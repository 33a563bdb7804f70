//! Reviews: questions about access, answered by the same rules that requests are checked with.

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::server::Shared;
use crate::status::Status;

use super::{Attributes, Authentication, UserInfo, decide, protobuf, rbac, require};

/// A request that may be a review.
pub(crate) trait ReviewRequest {
    /// Its body as JSON.
    fn body(&self) -> Result<Value, Status>;
}

/// The body of a review, in JSON or protobuf.
pub(crate) fn body(headers: &HeaderMap, bytes: &Bytes) -> Result<Value, Status> {
    let protobuf = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/vnd.kubernetes.protobuf");
    if protobuf {
        return protobuf::decode(bytes)
            .ok_or_else(|| Status::bad_request("the protobuf body is no review"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| Status::bad_request(format!("error decoding the body: {error}")))
}

/// Answers a review; `None` when the path is none.
pub(crate) fn review(
    server: &Shared,
    user: &UserInfo,
    path: &str,
    request: &impl ReviewRequest,
) -> Result<Option<Value>, Status> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, namespace, plural) = match segments.as_slice() {
        [
            "apis",
            group @ ("authorization.k8s.io" | "authentication.k8s.io"),
            "v1",
            plural,
        ] => (*group, "", *plural),
        [
            "apis",
            group @ "authorization.k8s.io",
            "v1",
            "namespaces",
            namespace,
            plural,
        ] => (*group, *namespace, *plural),
        _ => return Ok(None),
    };
    let asked = Attributes {
        verb: "create".to_owned(),
        group: group.to_owned(),
        resource: plural.to_owned(),
        namespace: namespace.to_owned(),
        ..Attributes::default()
    };
    require(server, user, &asked)?;
    let mut value = request.body()?;
    value["apiVersion"] = json!(format!("{group}/v1"));
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    let (kind, status) = match plural {
        "selfsubjectaccessreviews" => (
            "SelfSubjectAccessReview",
            access(server, user, &value["spec"]),
        ),
        "subjectaccessreviews" | "localsubjectaccessreviews" => {
            let kind = if plural.starts_with("local") {
                "LocalSubjectAccessReview"
            } else {
                "SubjectAccessReview"
            };
            (
                kind,
                access(server, &subject(&value["spec"]), &value["spec"]),
            )
        }
        "selfsubjectrulesreviews" => (
            "SelfSubjectRulesReview",
            rules(server, user, &value["spec"]),
        ),
        "selfsubjectreviews" => ("SelfSubjectReview", json!({"userInfo": user_info(user)})),
        "tokenreviews" => ("TokenReview", token(server, &value["spec"])),
        _ => return Ok(None),
    };
    value["kind"] = json!(kind);
    value["status"] = status;
    Ok(Some(value))
}

fn access(server: &Shared, user: &UserInfo, spec: &Value) -> Value {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let own = &spec["resourceAttributes"];
    let asked = if own.is_object() {
        Attributes {
            verb: text(&own["verb"]),
            group: text(&own["group"]),
            resource: text(&own["resource"]),
            subresource: text(&own["subresource"]),
            namespace: text(&own["namespace"]),
            name: text(&own["name"]),
            path: None,
        }
    } else {
        let own = &spec["nonResourceAttributes"];
        Attributes {
            verb: text(&own["verb"]),
            path: Some(text(&own["path"])),
            ..Attributes::default()
        }
    };
    match decide(server, user, &asked) {
        Some(reason) if reason.is_empty() => json!({"allowed": true}),
        Some(reason) => json!({"allowed": true, "reason": reason}),
        None => json!({"allowed": false}),
    }
}

fn subject(spec: &Value) -> UserInfo {
    let username = spec["user"].as_str().unwrap_or_default().to_owned();
    let groups = spec["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|group| group.as_str().map(str::to_owned));
    UserInfo {
        uid: spec["uid"].as_str().unwrap_or_default().to_owned(),
        groups: groups.collect(),
        username,
    }
}

fn rules(server: &Shared, user: &UserInfo, spec: &Value) -> Value {
    let rules = rbac::rules_for(server, user, spec["namespace"].as_str().unwrap_or_default());
    let (paths, resources): (Vec<Value>, Vec<Value>) = rules
        .into_iter()
        .partition(|rule| rule["nonResourceURLs"].is_array());
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}

fn token(server: &Shared, spec: &Value) -> Value {
    let token = spec["token"].as_str().unwrap_or_default();
    let user = match &server.authentication {
        Authentication::Open => None,
        Authentication::Tokens(tokens) => tokens.get(token),
    };
    match user {
        Some(user) => {
            json!({"authenticated": true, "user": user_info(user), "audiences": ["https://localhost"]})
        }
        None => json!({"user": {}, "error": "[invalid bearer token, token lookup failed]"}),
    }
}

fn user_info(user: &UserInfo) -> Value {
    let mut info = json!({"username": user.username, "groups": user.groups});
    if !user.uid.is_empty() {
        info["uid"] = json!(user.uid);
    }
    info
}
