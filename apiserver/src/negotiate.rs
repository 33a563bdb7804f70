//! The form in which a client wants its answer.

use http::HeaderMap;
use http::header::ACCEPT;

use crate::status::Status;

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// The objects themselves.
    Objects,
    /// Rows and columns, as kubectl prints them.
    Table,
    /// Metadata alone.
    Metadata,
}

impl Output {
    /// The first form in `Accept` that can be served. Protobuf is not, so clients that offer JSON beside it get JSON.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Result<Self, Status> {
        let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else {
            return Ok(Output::Objects);
        };
        if matches!(accept, "application/json" | "*/*") {
            return Ok(Output::Objects);
        }
        accept
            .split(',')
            .find_map(form)
            .ok_or_else(Status::not_acceptable)
    }
}

fn form(clause: &str) -> Option<Output> {
    let mut parts = clause.split(';').map(str::trim);
    if !matches!(parts.next()?, "application/json" | "application/*" | "*/*") {
        return None;
    }
    let mut form = Output::Objects;
    for (name, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
        match (name, value) {
            ("as", "Table") => form = Output::Table,
            ("as", "PartialObjectMetadata" | "PartialObjectMetadataList") => {
                form = Output::Metadata;
            }
            ("as", _) => return None,
            ("v", version) if version != "v1" => return None,
            _ => {}
        }
    }
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(accept: &str) -> Result<Output, u16> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header value"));
        Output::negotiate(&headers).map_err(|status| status.code)
    }

    #[test]
    fn the_first_form_that_is_served_wins() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,\
                       application/json";
        assert_eq!(negotiate(kubectl), Ok(Output::Table));
        assert_eq!(
            negotiate("application/vnd.kubernetes.protobuf,application/json"),
            Ok(Output::Objects)
        );
        assert_eq!(
            negotiate("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"),
            Ok(Output::Metadata)
        );
        assert_eq!(negotiate("application/vnd.kubernetes.protobuf"), Err(406));
    }
}
