//! The reviews that kubectl sends as protobuf.
//!
//! Field numbers are those of `k8s.io/api`; only what a review asks is read.

use serde_json::{Value, json};

/// `runtime.Unknown`, behind the magic number.
#[derive(prost::Message)]
struct Unknown {
    #[prost(message, optional, tag = "1")]
    type_meta: Option<TypeMeta>,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(prost::Message)]
struct TypeMeta {
    #[prost(string, tag = "1")]
    api_version: String,
    #[prost(string, tag = "2")]
    kind: String,
}

/// Both access reviews: the one for oneself has no user.
#[derive(prost::Message)]
struct AccessReview {
    #[prost(message, optional, tag = "2")]
    spec: Option<AccessSpec>,
}

#[derive(prost::Message)]
struct AccessSpec {
    #[prost(message, optional, tag = "1")]
    resource: Option<ResourceAttributes>,
    #[prost(message, optional, tag = "2")]
    path: Option<PathAttributes>,
    #[prost(string, optional, tag = "3")]
    user: Option<String>,
    #[prost(string, repeated, tag = "4")]
    groups: Vec<String>,
}

#[derive(prost::Message)]
struct ResourceAttributes {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    verb: String,
    #[prost(string, tag = "3")]
    group: String,
    #[prost(string, tag = "4")]
    version: String,
    #[prost(string, tag = "5")]
    resource: String,
    #[prost(string, tag = "6")]
    subresource: String,
    #[prost(string, tag = "7")]
    name: String,
}

#[derive(prost::Message)]
struct PathAttributes {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(string, tag = "2")]
    verb: String,
}

#[derive(prost::Message)]
struct RulesReview {
    #[prost(message, optional, tag = "1")]
    metadata: Option<Empty>,
    #[prost(message, optional, tag = "2")]
    spec: Option<RulesSpec>,
}

#[derive(prost::Message)]
struct RulesSpec {
    #[prost(string, tag = "1")]
    namespace: String,
}

#[derive(prost::Message)]
struct Empty {}

/// Reads a review; `None` when the bytes are none that is known.
pub(super) fn decode(body: &[u8]) -> Option<Value> {
    use prost::Message;
    let unknown = Unknown::decode(body.strip_prefix(b"k8s\0")?).ok()?;
    let meta = unknown.type_meta?;
    let spec = match meta.kind.as_str() {
        "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let spec = AccessReview::decode(unknown.raw.as_slice()).ok()?.spec?;
            let mut value = json!({"user": spec.user, "groups": spec.groups});
            if let Some(own) = spec.resource {
                value["resourceAttributes"] = json!({
                    "namespace": own.namespace, "verb": own.verb, "group": own.group, "version": own.version,
                    "resource": own.resource, "subresource": own.subresource, "name": own.name,
                });
            }
            if let Some(own) = spec.path {
                value["nonResourceAttributes"] = json!({"path": own.path, "verb": own.verb});
            }
            value
        }
        "SelfSubjectRulesReview" => {
            let spec = RulesReview::decode(unknown.raw.as_slice()).ok()?.spec?;
            json!({"namespace": spec.namespace})
        }
        _ => json!({}),
    };
    Some(json!({"apiVersion": meta.api_version, "kind": meta.kind, "spec": spec}))
}
