//! A request to the API server by its meaning: an RBAC verb and a resource.

use std::fmt;

use http::{Method, Request};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) verb: &'static str,
    /// With its subresource; empty for what is in no namespace.
    pub(crate) resource: String,
}

impl Asked {
    /// From the method and a path such as `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME/SUBRESOURCE`.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let uri = request.uri();
        let parts = uri
            .path()
            .split('/')
            .skip_while(|part| *part != "namespaces");
        let parts: Vec<&str> = parts.skip(2).collect();
        let is_named = parts.len() > 1;
        let is_watch = uri.query().is_some_and(|query| query.contains("watch="));
        let verb = match *request.method() {
            Method::GET if is_watch => "watch",
            Method::GET if is_named => "get",
            Method::GET => "list",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            _ => "delete",
        };
        let resource = match parts.as_slice() {
            [resource, _, subresource] => format!("{resource}/{subresource}"),
            [resource, ..] => (*resource).to_owned(),
            [] => String::new(),
        };
        Self { verb, resource }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_by_verb_and_resource() {
        let leases = "/apis/coordination.k8s.io/v1/namespaces/ns/leases";
        for (method, path, expected) in [
            (Method::GET, leases.to_owned(), "list leases"),
            (
                Method::GET,
                format!("{leases}?watch=true&resourceVersion=1"),
                "watch leases",
            ),
            (Method::GET, format!("{leases}/a?timeout=5s"), "get leases"),
            (Method::POST, leases.to_owned(), "create leases"),
            (Method::DELETE, format!("{leases}/a"), "delete leases"),
            (
                Method::PUT,
                format!("{leases}/a/status"),
                "update leases/status",
            ),
            (
                Method::PATCH,
                format!("{leases}/a/status"),
                "patch leases/status",
            ),
        ] {
            let request = Request::builder().method(method).uri(&path);
            let asked = Asked::of(&request.body(()).unwrap());
            assert_eq!(asked.to_string(), expected, "{path}");
        }
    }
}
