//! A request as the proxy saw it, in Kubernetes' terms: which verb on which resource.

use http::{Method, Uri};

/// A request that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// As RBAC calls it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. For paths
    /// that are no resource the method in lower case.
    pub verb: String,
    /// The plural, with the subresource: `leases`, `remediationrequests/status`. For paths that are no resource the path.
    pub resource: String,
    /// The path with its query.
    pub target: String,
}

impl Seen {
    pub(super) fn new(method: &Method, uri: &Uri) -> Self {
        let target = uri
            .path_and_query()
            .map_or_else(|| uri.path().to_owned(), ToString::to_string);
        let (verb, resource) = resource(uri.path()).map_or_else(
            || (method.as_str().to_lowercase(), uri.path().to_owned()),
            |(resource, named)| (verb(method, named, is_watch(uri)), resource),
        );
        Self {
            verb,
            resource,
            target,
        }
    }

    pub(super) fn is_watch(&self) -> bool {
        self.verb == "watch"
    }
}

/// The resource, and whether the path names one object of it.
fn resource(path: &str) -> Option<(String, bool)> {
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let prefix = match *parts.first()? {
        "api" => 2,
        "apis" => 3,
        _ => return None,
    };
    if parts.len() <= prefix {
        return None;
    }
    parts.drain(..prefix);
    // A namespace by itself is a resource too.
    if parts[0] == "namespaces" && parts.len() > 2 && !matches!(parts[2], "status" | "finalize") {
        parts.drain(..2);
    }
    Some(match parts[..] {
        [plural] => (plural.to_owned(), false),
        [plural, _] => (plural.to_owned(), true),
        [plural, _, subresource, ..] => (format!("{plural}/{subresource}"), true),
        [] => return None,
    })
}

fn is_watch(uri: &Uri) -> bool {
    let mut pairs = uri.query().unwrap_or_default().split('&');
    pairs.any(|pair| matches!(pair, "watch=true" | "watch=1"))
}

fn verb(method: &Method, named: bool, watch: bool) -> String {
    let verb = match (method.as_str(), named) {
        ("GET", _) if watch => "watch",
        ("GET", true) => "get",
        ("GET", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        (other, _) => return other.to_lowercase(),
    };
    verb.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(method: &Method, target: &str) -> String {
        let seen = Seen::new(method, &target.parse().unwrap());
        assert_eq!(seen.target, target);
        format!("{} {}", seen.verb, seen.resource)
    }

    #[test]
    fn requests_have_the_verb_and_resource_of_rbac() {
        const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/a/leases";
        let cases = [
            (Method::GET, format!("{LEASES}/x"), "get leases"),
            (Method::GET, format!("{LEASES}?limit=5"), "list leases"),
            (Method::GET, format!("{LEASES}?&watch=true"), "watch leases"),
            (Method::POST, format!("{LEASES}?"), "create leases"),
            (Method::PUT, format!("{LEASES}/x"), "update leases"),
            (Method::PATCH, format!("{LEASES}/x"), "patch leases"),
            (Method::DELETE, format!("{LEASES}/x"), "delete leases"),
            (Method::DELETE, LEASES.to_owned(), "deletecollection leases"),
            (
                Method::GET,
                "/apis/coordination.k8s.io/v1/leases".to_owned(),
                "list leases",
            ),
            (
                Method::PATCH,
                "/apis/kubernaut.ai/v1alpha1/namespaces/a/remediationrequests/x/status".to_owned(),
                "patch remediationrequests/status",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/a".to_owned(),
                "get namespaces",
            ),
            (
                Method::GET,
                "/api/v1/namespaces".to_owned(),
                "list namespaces",
            ),
            (
                Method::GET,
                "/api/v1/namespaces/a/pods/p".to_owned(),
                "get pods",
            ),
            (Method::GET, "/readyz".to_owned(), "get /readyz"),
            (Method::GET, "/apis".to_owned(), "get /apis"),
            (Method::GET, "/api/v1".to_owned(), "get /api/v1"),
        ];
        for (method, target, expected) in cases {
            assert_eq!(seen(&method, &target), expected, "{target}");
        }
    }
}
