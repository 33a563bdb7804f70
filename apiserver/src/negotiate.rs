//! The form in which a client wants its answer.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::query::Query;
use crate::status::Status;
use crate::table::{IncludeObject, MetaVersion, TableOptions};

/// The form of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Output {
    /// The objects themselves.
    Objects,
    /// Rows and columns, as kubectl prints them.
    Table(TableOptions),
    /// Metadata alone.
    Metadata(MetaVersion),
}

impl Output {
    /// The first form in `Accept` that can be served. Protobuf is not, so clients that offer JSON beside it get JSON.
    pub(crate) fn negotiate(headers: &HeaderMap, query: &Query<'_>) -> Result<Self, Status> {
        let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
            return Ok(Output::Objects);
        };
        if matches!(accept, "application/json" | "*/*") {
            return Ok(Output::Objects);
        }
        let form = accept
            .split(',')
            .find_map(Form::parse)
            .ok_or_else(Status::not_acceptable)?;
        Ok(match form {
            Form::Objects => Output::Objects,
            Form::Metadata(version) => Output::Metadata(version),
            Form::Table(version) => {
                let include = query.include_object.as_deref().unwrap_or_default();
                let include = IncludeObject::parse(include).map_err(Status::bad_request)?;
                Output::Table(TableOptions { version, include })
            }
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Objects,
    Table(MetaVersion),
    Metadata(MetaVersion),
}

impl Form {
    fn parse(clause: &str) -> Option<Form> {
        let mut parts = clause.split(';').map(str::trim);
        if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
            return None;
        }
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
            return Some(Form::Objects);
        };
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

    fn form(accept: &str) -> Option<Form> {
        accept.split(',').find_map(Form::parse)
    }

    #[test]
    fn the_first_form_that_is_served_wins() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                       application/json";
        assert_eq!(form(kubectl), Some(Form::Table(MetaVersion::V1)));
        assert_eq!(
            form("application/vnd.kubernetes.protobuf,application/json"),
            Some(Form::Objects)
        );
        let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        assert_eq!(form(metadata), Some(Form::Metadata(MetaVersion::V1)));
        assert_eq!(
            form("application/json;as=Table;v=v2;g=meta.k8s.io,*/*"),
            Some(Form::Objects)
        );
        assert_eq!(form("application/vnd.kubernetes.protobuf"), None);
    }

    #[test]
    fn what_cannot_be_served_is_not_acceptable() {
        let mut headers = HeaderMap::new();
        headers.insert(
            ACCEPT,
            http::HeaderValue::from_static("application/vnd.kubernetes.protobuf"),
        );
        let refused = Output::negotiate(&headers, &Query::default()).map_err(|status| status.code);
        assert!(matches!(refused, Err(406)), "{refused:?}");
    }
}
