//! What the server says about itself: groups and resources, version, health, OpenAPI.
//!
//! Everything is read from the [`Registry`]; no objects, no authorization (which comes before) and
//! no wording of refusals (which comes after) belong here.

mod aggregated;
mod groups;
mod health;
mod openapi;
mod openapi_schema;
mod version;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::{object, registry::Registry};

/// An answer that is no object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) code: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl Document {
    fn json(value: &Value) -> Self {
        Self {
            code: 200,
            content_type: "application/json",
            body: object::to_json(value),
        }
    }

    fn text(code: u16, text: &str) -> Self {
        let body = Bytes::copy_from_slice(text.as_bytes());
        Self {
            code,
            content_type: "text/plain; charset=utf-8",
            body,
        }
    }
}

/// The answer to a GET of a path that is not one of objects, or `None` if it names a version that
/// its group has not.
///
/// `query` is the raw query string.
pub(crate) fn answer(
    registry: &Registry,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> Option<Document> {
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    match steps.as_slice() {
        [""] => Some(Document::json(&paths(registry))),
        ["api"] if aggregated::is_wanted(headers) => Some(aggregated::core(registry)),
        ["apis"] if aggregated::is_wanted(headers) => Some(aggregated::groups(registry)),
        ["api"] => Some(Document::json(&groups::core_versions(host(headers)))),
        ["apis"] => Some(Document::json(&groups::list(registry))),
        ["apis", group] => match groups::one(registry, group) {
            Some(group) => Some(Document::json(&group)),
            None => Some(not_found()),
        },
        ["api", version] => {
            groups::resources(registry, "", version).map(|list| Document::json(&list))
        }
        // A version that a group has not is refused by a status, a group that is not there is not.
        ["apis", group, _] if registry.group(group).is_none() => Some(not_found()),
        ["apis", group, version] => {
            groups::resources(registry, group, version).map(|list| Document::json(&list))
        }
        ["version"] => Some(Document::json(&version::version())),
        ["healthz" | "livez" | "readyz", rest @ ..] => Some(health::answer(steps[0], rest, query)),
        ["openapi", "v3"] => Some(Document::json(&openapi::index(registry))),
        ["openapi", "v3", "api", version] => {
            openapi::document(registry, "", version).or_else(|| Some(not_found()))
        }
        ["openapi", "v3", "apis", group, version] => {
            openapi::document(registry, group, version).or_else(|| Some(not_found()))
        }
        _ => Some(not_found()),
    }
}

/// What a path is answered with that no handler has: plain text.
pub(crate) fn not_found() -> Document {
    Document::text(404, "404 page not found\n")
}

/// The paths that the server answers, as its root lists them.
fn paths(registry: &Registry) -> Value {
    let mut paths = vec!["/api".to_owned(), "/apis".to_owned()];
    for (name, group) in registry.groups() {
        if !name.is_empty() {
            paths.push(format!("/apis/{name}"));
        }
        for version in &group.versions {
            paths.push(format!("/{}", groups::path(name, &version.version)));
        }
    }
    paths.extend(["/healthz", "/livez", "/openapi/v3", "/readyz", "/version"].map(str::to_owned));
    paths.sort();
    json!({ "paths": paths })
}

fn host(headers: &HeaderMap) -> &str {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Option<(u16, String)> {
        let document = answer(&Registry::built_in(), path, "", &HeaderMap::new())?;
        Some((
            document.code,
            String::from_utf8(document.body.to_vec()).unwrap(),
        ))
    }

    #[test]
    fn every_listed_path_is_answered() {
        let root: Value = serde_json::from_str(&get("/").unwrap().1).unwrap();
        let paths: Vec<&str> = root["paths"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert!(paths.contains(&"/apis/coordination.k8s.io/v1") && paths.contains(&"/api/v1"));
        for path in paths {
            assert_eq!(get(path).unwrap().0, 200, "{path}");
        }
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in [
            "/apis/nope.io",
            "/apis/nope.io/v1",
            "/metrics",
            "/openapi/v3/apis/nope.io/v1",
            "/openapi/v2",
        ] {
            assert_eq!(
                get(path),
                Some((404, "404 page not found\n".to_owned())),
                "{path}"
            );
        }
        for path in ["/api/v2", "/apis/coordination.k8s.io/v9"] {
            assert_eq!(get(path), None, "{path}");
        }
    }
}
