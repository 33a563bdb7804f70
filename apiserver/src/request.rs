//! What a request asks for, by its method, path and query.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Uri};

use crate::registry::{Registry, Resource};
use crate::status::Status;

/// The query parameters that the server knows, others are ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(query: Option<&str>) -> Self {
        let pairs = query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        });
        Self {
            pairs: pairs.collect(),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let mut values = self
            .pairs
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, value)| value.as_str());
        values.next().filter(|value| !value.is_empty())
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        matches!(self.get(key), Some("true" | "1"))
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.get("dryRun") == Some("All")
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, Status> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Status::bad_request(format!("Invalid value: \"{text}\": {key} must be a number"))
            })
        };
        self.get(key).map(parse).transpose()
    }

    /// `timeout=`, a Go duration.
    pub(crate) fn timeout(&self) -> Result<Option<Duration>, Status> {
        let Some(text) = self.get("timeout") else {
            return Ok(None);
        };
        go_duration(text).map(Some).ok_or_else(|| {
            Status::bad_request(format!(
                "invalid timeout specified in the request URL: time: invalid duration \"{text}\""
            ))
        })
    }
}

/// Where a path leads.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// Objects of a kind.
    Resource(Target),
    /// Anything else: discovery, health, version.
    Other(String),
}

/// An object, or a collection.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) resource: Arc<Resource>,
    pub(crate) namespace: String,
    /// `None` for a collection.
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl Route {
    pub(crate) fn of(uri: &Uri, registry: &Registry) -> Self {
        let path = uri.path();
        let segments: Vec<String> = path.trim_matches('/').split('/').map(decode).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let target = match segments.as_slice() {
            ["api", version, rest @ ..] => target(registry, "", version, rest),
            ["apis", group, version, rest @ ..] => target(registry, group, version, rest),
            _ => None,
        };
        target.map_or_else(|| Self::Other(path.to_owned()), Self::Resource)
    }
}

fn target(registry: &Registry, group: &str, version: &str, rest: &[&str]) -> Option<Target> {
    let in_namespace = match rest {
        ["namespaces", namespace, plural, rest @ ..] => Some((*namespace, *plural, rest)),
        _ => None,
    };
    if let Some((namespace, plural, rest)) = in_namespace
        && let Some(resource) = registry
            .find(group, version, plural)
            .filter(|resource| resource.namespaced)
    {
        return object(resource, namespace, rest);
    }
    let [plural, rest @ ..] = rest else {
        return None;
    };
    let resource = registry.find(group, version, plural)?;
    if resource.namespaced && !rest.is_empty() {
        return None;
    }
    object(resource, "", rest)
}

fn object(resource: Arc<Resource>, namespace: &str, rest: &[&str]) -> Option<Target> {
    let (name, subresource) = match rest {
        [] => (None, None),
        [name] => (Some(*name), None),
        [name, subresource] => (Some(*name), Some(*subresource)),
        _ => return None,
    };
    Some(Target {
        resource,
        namespace: namespace.to_owned(),
        name: name.map(str::to_owned),
        subresource: subresource.map(str::to_owned),
    })
}

/// The verb as RBAC and audit logs spell it.
pub(crate) fn verb(method: &Method, query: &Query, target: &Target) -> Option<&'static str> {
    let single = target.name.is_some();
    Some(match *method {
        Method::GET | Method::HEAD if query.is_true("watch") => "watch",
        Method::GET | Method::HEAD if single => "get",
        Method::GET | Method::HEAD => "list",
        Method::POST if !single || target.subresource.is_some() => "create",
        Method::PUT if single => "update",
        Method::PATCH if single => "patch",
        Method::DELETE if single => "delete",
        Method::DELETE => "deletecollection",
        _ => return None,
    })
}

/// A Go duration such as `1m30s`, `500ms` or `2s`.
fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .filter(|&end| end > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        total += number
            * match &rest[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty()).then(|| Duration::from_secs_f64(total))
}

/// Undoes percent-encoding; `+` is a space, as in forms.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = (rest.next(), rest.next());
                let value =
                    |digit: Option<u8>| digit.and_then(|digit| char::from(digit).to_digit(16));
                match (value(digits.0), value(digits.1)) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'))
                    }
                    _ => bytes.push(b'%'),
                }
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource_target(path: &str) -> Option<(String, String, Option<String>, Option<String>)> {
        match Route::of(&path.parse().unwrap(), &Registry::built_in()) {
            Route::Resource(target) => Some((
                target.resource.plural.clone(),
                target.namespace,
                target.name,
                target.subresource,
            )),
            Route::Other(_) => None,
        }
    }

    fn owned(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn paths_lead_to_collections_objects_and_subresources() {
        for (path, expected) in [
            (
                "/apis/coordination.k8s.io/v1/leases",
                ("leases", "", None, None),
            ),
            (
                "/apis/coordination.k8s.io/v1/namespaces/a/leases",
                ("leases", "a", None, None),
            ),
            (
                "/apis/coordination.k8s.io/v1/namespaces/a/leases/x",
                ("leases", "a", owned("x"), None),
            ),
            ("/api/v1/namespaces/a", ("namespaces", "", owned("a"), None)),
            (
                "/api/v1/namespaces/a/status",
                ("namespaces", "", owned("a"), owned("status")),
            ),
            (
                "/api/v1/namespaces/a/pods/p/status",
                ("pods", "a", owned("p"), owned("status")),
            ),
        ] {
            let (plural, namespace, name, subresource) = expected;
            let expected = Some((plural.to_owned(), namespace.to_owned(), name, subresource));
            assert_eq!(resource_target(path), expected, "{path}");
        }
        for path in [
            "/apis",
            "/api/v1",
            "/version",
            "/apis/coordination.k8s.io/v1/leases/x",
        ] {
            assert_eq!(resource_target(path), None, "{path}");
        }
    }

    #[test]
    fn an_empty_pair_in_the_query_is_ignored() {
        let query = Query::parse(Some(
            "&fieldManager=gw&dryRun=All&fieldSelector=metadata.name%3Dx",
        ));
        assert_eq!(query.get("fieldManager"), Some("gw"));
        assert_eq!(query.get("fieldSelector"), Some("metadata.name=x"));
        assert!(query.is_dry_run());
    }

    #[test]
    fn timeouts_are_go_durations() {
        let timeout = |text: &str| Query::parse(Some(text)).timeout();
        assert_eq!(timeout("timeout=1m30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(
            timeout("timeout=2500ms"),
            Ok(Some(Duration::from_millis(2500)))
        );
        assert_eq!(timeout(""), Ok(None));
        assert!(timeout("timeout=soon").is_err());
    }
}
