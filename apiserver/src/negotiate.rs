//! The form in which a client wants its answer.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::protobuf;
use crate::query::Query;
use crate::registry::{Resource, Verb};
use crate::status::Status;
use crate::table::{IncludeObject, MetaVersion, TableOptions};
use crate::types::{self, StructType};

/// The form of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// The objects themselves, as JSON.
    Objects,
    /// The objects themselves, as protobuf.
    Protobuf(&'static StructType),
    /// Rows and columns, as kubectl prints them.
    Table(TableOptions),
    /// Metadata alone.
    Metadata(MetaVersion),
}

impl Output {
    /// The first form in `Accept` that can be served. Protobuf is, for the kinds that are described, but not to
    /// watches.
    pub(crate) fn negotiate(
        headers: &HeaderMap,
        query: &Query<'_>,
        resource: &Resource,
        verb: Verb,
    ) -> Result<Self, Status> {
        let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
            return Ok(Output::Objects);
        };
        if matches!(accept, "application/json" | "*/*") {
            return Ok(Output::Objects);
        }
        let described = match resource.custom() {
            None if verb != Verb::Watch => types::of(&resource.group, &resource.kind),
            _ => None,
        };
        let served = |form: &Form| *form != Form::Protobuf || described.is_some();
        let form = accept
            .split(',')
            .filter_map(Form::parse)
            .find(served)
            .ok_or_else(Status::not_acceptable)?;
        Ok(match (form, described) {
            (Form::Protobuf, Some(described)) => Output::Protobuf(described),
            (Form::Objects | Form::Protobuf, _) => Output::Objects,
            (Form::Metadata(version), _) => Output::Metadata(version),
            (Form::Table(version), _) => {
                let include = query.include_object.as_deref().unwrap_or_default();
                let include = IncludeObject::parse(include).map_err(Status::bad_request)?;
                Output::Table(TableOptions { version, include })
            }
        })
    }

    /// The type of an answer's body.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Output::Protobuf(_) => protobuf::MEDIA_TYPE,
            Output::Objects | Output::Table(_) | Output::Metadata(_) => "application/json",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Objects,
    Protobuf,
    Table(MetaVersion),
    Metadata(MetaVersion),
}

impl Form {
    fn parse(clause: &str) -> Option<Form> {
        let mut parts = clause.split(';').map(str::trim);
        let is_protobuf = match parts.next()? {
            "application/json" | "application/*" | "*/*" => false,
            protobuf::MEDIA_TYPE => true,
            _ => return None,
        };
        let parameters: Vec<(&str, &str)> = parts
            .filter_map(|parameter| parameter.split_once('='))
            .collect();
        let parameter = |name| {
            parameters
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| *value)
        };
        let Some(wanted) = parameter("as") else {
            return Some(if is_protobuf {
                Form::Protobuf
            } else {
                Form::Objects
            });
        };
        if is_protobuf {
            return None;
        }
        let version = MetaVersion::from_name(parameter("v").unwrap_or("v1"))?;
        if parameter("g").is_some_and(|group| group != "meta.k8s.io") {
            return None;
        }
        match wanted {
            "Table" => Some(Form::Table(version)),
            "PartialObjectMetadata" | "PartialObjectMetadataList" => Some(Form::Metadata(version)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn form(accept: &str) -> Option<Form> {
        accept.split(',').find_map(Form::parse)
    }

    #[test]
    fn the_first_form_that_is_understood_wins() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                       application/json";
        assert_eq!(form(kubectl), Some(Form::Table(MetaVersion::V1)));
        assert_eq!(
            form("application/vnd.kubernetes.protobuf,application/json"),
            Some(Form::Protobuf)
        );
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(form(metadata), Some(Form::Metadata(MetaVersion::V1)));
        assert_eq!(
            form("application/json;as=Table;v=v2;g=meta.k8s.io,*/*"),
            Some(Form::Objects)
        );
        assert_eq!(form("text/html"), None);
    }

    #[test]
    fn protobuf_is_served_for_described_kinds_and_not_to_watches() {
        let registry = Registry::built_in();
        let negotiate = |group: &str, plural: &str, verb: Verb, accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
            let resource = registry
                .resource(group, "v1", plural)
                .expect("a built-in kind");
            Output::negotiate(&headers, &Query::default(), resource, verb)
                .map(Output::content_type)
                .map_err(|status| status.code)
        };
        let (only, first) = (
            protobuf::MEDIA_TYPE,
            "application/vnd.kubernetes.protobuf,application/json",
        );
        assert_eq!(
            negotiate("coordination.k8s.io", "leases", Verb::List, only),
            Ok(protobuf::MEDIA_TYPE)
        );
        assert_eq!(
            negotiate("coordination.k8s.io", "leases", Verb::Watch, first),
            Ok("application/json")
        );
        assert_eq!(
            negotiate("batch", "jobs", Verb::List, first),
            Ok("application/json")
        );
        assert_eq!(negotiate("batch", "jobs", Verb::List, only), Err(406));
    }
}
