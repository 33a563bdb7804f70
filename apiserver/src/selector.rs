//! Label and field selectors: which objects a list, a watch or a collection delete means.

mod field;
mod label;

use serde_json::Value;

pub(crate) use field::{FieldSelector, text_of};
pub(crate) use label::LabelSelector;

use crate::query::Query;
use crate::registry::Resource;
use crate::status::Status;

/// The selection of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selector {
    /// Reads the selectors of a request; fields that the kind does not offer are refused.
    pub(crate) fn parse(query: &Query<'_>, resource: &Resource) -> Result<Self, Status> {
        let labels = match query.label_selector.as_deref() {
            Some(text) => LabelSelector::parse(text).map_err(Status::bad_request)?,
            None => LabelSelector::default(),
        };
        let fields = match query.field_selector.as_deref() {
            Some(text) => FieldSelector::parse(text, resource).map_err(Status::bad_request)?,
            None => FieldSelector::default(),
        };
        Ok(Self { labels, fields })
    }

    /// Whether every object is meant.
    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything()
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.fields.matches(object) && self.labels.matches(object)
    }

    /// The one name that can match, where the selection names it.
    pub(crate) fn only_name(&self) -> Option<&str> {
        self.fields.required("/metadata/name")
    }

    /// A field that has to have this text, and the pointer to it.
    pub(crate) fn only_text(&self) -> Option<(&str, &str)> {
        self.fields.required_text()
    }

    /// The one namespace that can match, where the selection names it.
    pub(crate) fn only_namespace(&self) -> Option<&str> {
        self.fields.required("/metadata/namespace")
    }
}
