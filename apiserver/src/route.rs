//! The path of a request: which group, version, resource, namespace, name and subresource it names.

use std::borrow::Cow;

use crate::query::percent_decode;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    /// A collection, an object or a subresource.
    Resource(ResourcePath<'a>),
    /// Anything else: discovery, version, health.
    Other,
}

/// The parts of a resource path; what is absent is empty.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ResourcePath<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) plural: &'a str,
    pub(crate) namespace: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) subresource: &'a str,
}

impl<'a> Route<'a> {
    /// Takes a path apart. Whether its parts exist is another question.
    pub(crate) fn parse(path: &'a str) -> Self {
        let mut parts = path.trim_matches('/').split('/');
        let group = match parts.next() {
            Some("api") => Some(""),
            Some("apis") => parts.next(),
            _ => None,
        };
        let (Some(group), Some(version), Some(first)) = (group, parts.next(), parts.next()) else {
            return Route::Other;
        };
        let (second, third) = (parts.next(), parts.next());
        let path = match (first, second, third) {
            // `/namespaces/x` and `/namespaces/x/status` name the namespace itself.
            ("namespaces", Some(namespace), Some(plural))
                if !matches!(plural, "status" | "finalize") =>
            {
                ResourcePath {
                    group,
                    version,
                    plural,
                    namespace: decode(namespace),
                    name: parts.next().map(decode).unwrap_or_default(),
                    subresource: parts.next().unwrap_or_default(),
                }
            }
            (plural, name, subresource) => ResourcePath {
                group,
                version,
                plural,
                namespace: Cow::Borrowed(""),
                name: name.map(decode).unwrap_or_default(),
                subresource: subresource.unwrap_or_default(),
            },
        };
        if parts.next().is_some() {
            Route::Other
        } else {
            Route::Resource(path)
        }
    }
}

fn decode(segment: &str) -> Cow<'_, str> {
    if segment.contains('%') {
        Cow::Owned(percent_decode(segment))
    } else {
        Cow::Borrowed(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Option<[String; 6]> {
        match Route::parse(path) {
            Route::Resource(path) => Some([
                path.group.into(),
                path.version.into(),
                path.plural.into(),
                path.namespace.into(),
                path.name.into(),
                path.subresource.into(),
            ]),
            Route::Other => None,
        }
    }

    #[test]
    fn paths_are_taken_apart() {
        let cases = [
            ("/api/v1/pods", ["", "v1", "pods", "", "", ""]),
            ("/api/v1/namespaces", ["", "v1", "namespaces", "", "", ""]),
            (
                "/api/v1/namespaces/x",
                ["", "v1", "namespaces", "", "x", ""],
            ),
            (
                "/api/v1/namespaces/x/status",
                ["", "v1", "namespaces", "", "x", "status"],
            ),
            (
                "/api/v1/namespaces/x/pods/p/status",
                ["", "v1", "pods", "x", "p", "status"],
            ),
            (
                "/apis/a.b/v2/namespaces/x/things",
                ["a.b", "v2", "things", "x", "", ""],
            ),
            (
                "/apis/a.b/v2/things/one",
                ["a.b", "v2", "things", "", "one", ""],
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(parts(path), Some(expected.map(String::from)), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/apis/a.b",
            "/apis/a.b/v2",
            "/version",
            "/healthz",
        ] {
            assert_eq!(parts(path), None, "{path}");
        }
    }
}
