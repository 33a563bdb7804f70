//! The form in which a client wants its answer, and how it is to be written.

mod accept;

use http::HeaderMap;
use http::header::{ACCEPT, USER_AGENT};

use self::accept::Clause;
use crate::protobuf;
use crate::query::Query;
use crate::registry::{Resource, Verb};
use crate::status::Status;
use crate::table::{IncludeObject, MetaVersion, TableOptions};
use crate::types::{self, StructType};

/// What an answer shows, and how it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) form: Form,
    pub(crate) encoding: Encoding,
}

/// What an answer shows of objects.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// The objects themselves.
    Objects,
    /// Rows and columns, as kubectl prints them.
    Table(TableOptions),
    /// The metadata of one object.
    Metadata(MetaVersion),
    /// The metadata of each object of a list.
    MetadataList(MetaVersion),
}

/// How an answer is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Encoding {
    /// Without any space.
    Json,
    /// In lines.
    PrettyJson,
    Yaml,
    /// Messages of this type.
    Protobuf(&'static StructType),
}

const JSON: &str = "application/json";
const YAML: &str = "application/yaml";
/// What can be written, as refusals list it; a watch is written otherwise.
const MEDIA_TYPES: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
const STREAMS: &str =
    "application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch";

impl Output {
    /// The answer that the client likes best of those that can be given. Protobuf is for the kinds that are described;
    /// a watch is JSON.
    ///
    /// # Errors
    /// 406 if there is none.
    pub(crate) fn negotiate(
        headers: &HeaderMap,
        query: &Query<'_>,
        resource: &Resource,
        verb: Verb,
    ) -> Result<Self, Status> {
        let json = match verb {
            Verb::Watch => Encoding::Json,
            _ => Encoding::json(headers, query),
        };
        let accept = accept_of(headers);
        if is_plain(accept) {
            let form = Form::Objects;
            return Ok(Output {
                form,
                encoding: json,
            });
        }
        // The handler of custom kinds stands alone; before the others is a router that knows media types.
        if resource.custom().is_none() && !is_routed(accept) {
            return Err(match verb {
                Verb::List | Verb::Watch => {
                    Status::not_available(&format!("{MEDIA_TYPES}, {STREAMS}"))
                }
                _ => Status::not_available(MEDIA_TYPES),
            });
        }
        let described = match resource.custom() {
            None => types::of(&resource.group, &resource.kind),
            Some(_) => None,
        };
        let encodings = match verb {
            Verb::Watch => [Some(json), None, None],
            _ => [
                Some(json),
                Some(Encoding::Yaml),
                described.map(Encoding::Protobuf),
            ],
        };
        for clause in accept::clauses(accept) {
            for encoding in encodings.into_iter().flatten() {
                if clause.takes(encoding.media_type())
                    && let Some(wanted) = Wanted::of(clause, encoding)
                {
                    let form = wanted.form(query)?;
                    return Ok(Output { form, encoding });
                }
            }
        }
        Err(Status::not_acceptable(match verb {
            Verb::Watch => STREAMS,
            _ => MEDIA_TYPES,
        }))
    }
}

impl Encoding {
    /// How a failure is written, for which no form can be asked. Where nothing fits it is written all the same.
    pub(crate) fn of_failure(headers: &HeaderMap, query: &Query<'_>) -> Self {
        let json = Encoding::json(headers, query);
        let accept = accept_of(headers);
        if is_plain(accept) {
            return json;
        }
        let encodings = [json, Encoding::Yaml, Encoding::Protobuf(&types::STATUS)];
        let clauses = accept::clauses(accept);
        let mut plain = clauses
            .into_iter()
            .filter(|clause| clause.parameter("as").is_none());
        let found = plain.find_map(|clause| {
            encodings
                .into_iter()
                .find(|encoding| clause.takes(encoding.media_type()))
        });
        found.unwrap_or(json)
    }

    /// JSON in lines for those who ask for it, and for browsers and the like, which do not say.
    fn json(headers: &HeaderMap, query: &Query<'_>) -> Self {
        let is_pretty = query.pretty.unwrap_or_else(|| {
            let agent = headers
                .get(USER_AGENT)
                .map_or(&b""[..], |agent| agent.as_bytes());
            [&b"curl"[..], b"Wget", b"Mozilla/5.0"]
                .iter()
                .any(|reader| agent.starts_with(reader))
        });
        if is_pretty {
            Encoding::PrettyJson
        } else {
            Encoding::Json
        }
    }

    /// The type of an answer's body.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Encoding::Json | Encoding::PrettyJson => JSON,
            Encoding::Yaml => YAML,
            Encoding::Protobuf(_) => protobuf::MEDIA_TYPE,
        }
    }
}

fn accept_of(headers: &HeaderMap) -> &str {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// What nearly every client sends, for which nothing is to be weighed.
fn is_plain(accept: &str) -> bool {
    matches!(accept, "" | JSON | "*/*")
}

/// Whether the router lets a request pass: it compares whole media types, and knows no wildcard but one.
fn is_routed(accept: &str) -> bool {
    accept.split(',').any(|clause| {
        let media_type = clause.split(';').next().unwrap_or_default().trim();
        matches!(media_type, "*/*" | JSON | YAML | protobuf::MEDIA_TYPE)
    })
}

/// A form as a clause names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Objects,
    Table(MetaVersion),
    Metadata(MetaVersion),
    MetadataList(MetaVersion),
}

impl Wanted {
    /// `None` where the clause asks for something that is not served in this encoding.
    fn of(clause: Clause<'_>, encoding: Encoding) -> Option<Self> {
        let Some(form) = clause.parameter("as") else {
            return Some(Wanted::Objects);
        };
        if matches!(encoding, Encoding::Protobuf(_)) || clause.parameter("g") != Some("meta.k8s.io")
        {
            return None;
        }
        let version = MetaVersion::from_name(clause.parameter("v")?)?;
        match form {
            "Table" => Some(Wanted::Table(version)),
            "PartialObjectMetadata" => Some(Wanted::Metadata(version)),
            "PartialObjectMetadataList" => Some(Wanted::MetadataList(version)),
            _ => None,
        }
    }

    fn form(self, query: &Query<'_>) -> Result<Form, Status> {
        Ok(match self {
            Wanted::Objects => Form::Objects,
            Wanted::Metadata(version) => Form::Metadata(version),
            Wanted::MetadataList(version) => Form::MetadataList(version),
            Wanted::Table(version) => {
                let include = query.include_object.as_deref().unwrap_or_default();
                let include = IncludeObject::parse(include).map_err(Status::bad_request)?;
                Form::Table(TableOptions { version, include })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn headers(accept: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
        headers
    }

    fn negotiated(plural: &str, verb: Verb, accept: &'static str) -> Result<Output, String> {
        let registry = Registry::built_in();
        let resource = ["coordination.k8s.io", "batch"]
            .iter()
            .find_map(|group| registry.resource(group, "v1", plural))
            .expect("a built-in kind");
        Output::negotiate(&headers(accept), &Query::default(), resource, verb)
            .map_err(|status| status.message)
    }

    fn media_type(plural: &str, verb: Verb, accept: &'static str) -> Result<&'static str, String> {
        negotiated(plural, verb, accept).map(|output| output.encoding.media_type())
    }

    #[test]
    fn the_first_form_that_is_served_wins() {
        let form = |accept| negotiated("leases", Verb::List, accept).map(|output| output.form);
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                       application/json";
        assert!(matches!(
            form(kubectl),
            Ok(Form::Table(TableOptions {
                version: MetaVersion::V1,
                ..
            }))
        ));
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert!(matches!(
            form(metadata),
            Ok(Form::MetadataList(MetaVersion::V1))
        ));
        let newer = "application/json;as=Table;v=v2;g=meta.k8s.io,*/*";
        assert!(matches!(form(newer), Ok(Form::Objects)));
    }

    #[test]
    fn protobuf_is_served_for_described_kinds_and_not_to_watches() {
        let (only, first) = (
            protobuf::MEDIA_TYPE,
            "application/vnd.kubernetes.protobuf,application/json",
        );
        assert_eq!(media_type("leases", Verb::List, only), Ok(only));
        assert_eq!(media_type("leases", Verb::Watch, first), Ok(JSON));
        assert_eq!(media_type("jobs", Verb::List, first), Ok(JSON));
        let refusal = format!("only the following media types are accepted: {MEDIA_TYPES}");
        assert_eq!(media_type("jobs", Verb::List, only), Err(refusal));
    }

    #[test]
    fn a_failure_is_written_as_its_client_reads() {
        let written =
            |accept| Encoding::of_failure(&headers(accept), &Query::default()).media_type();
        assert_eq!(written("application/yaml"), YAML);
        assert_eq!(written(protobuf::MEDIA_TYPE), protobuf::MEDIA_TYPE);
        assert_eq!(
            written("application/yaml;as=Table;v=v1;g=meta.k8s.io"),
            JSON
        );
        assert_eq!(written("text/html"), JSON);
    }

    #[test]
    fn people_read_lines() {
        let is_pretty = |agent, query| {
            let mut headers = HeaderMap::new();
            headers.insert(USER_AGENT, http::HeaderValue::from_static(agent));
            let encoding = Encoding::of_failure(&headers, &Query::parse(query));
            matches!(encoding, Encoding::PrettyJson)
        };
        assert!(is_pretty("curl/8.5.0", ""));
        assert!(!is_pretty("curl/8.5.0", "pretty=false"));
        assert!(is_pretty("kubectl/v1.36.3", "pretty=1"));
        assert!(!is_pretty("kubectl/v1.36.3", ""));
    }
}
