//! What each verb does to stored objects.
//!
//! Each write reads, checks and stores within one transaction. How requests come in and how answers are printed is the
//! server's part.

mod create;
mod delete;
mod read;
mod update;

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fields::{Writer, track};
use crate::object::{as_object_mut, meta, whole_seconds};
use crate::registry::Resource;
use crate::request::{Query, Target};
use crate::server::Shared;
use crate::status::Status;
use crate::store::Transaction;
use crate::validate;

pub(crate) use create::create;
pub(crate) use delete::{delete, delete_collection};
pub(crate) use read::{get, list};
pub(crate) use update::{patch, update};

/// A request for objects.
pub(crate) struct Call<'a> {
    pub(crate) server: &'a Shared,
    pub(crate) target: &'a Target,
    pub(crate) query: &'a Query,
    pub(crate) content_type: &'a str,
    pub(crate) manager: &'a str,
    /// When the server began to handle the request: all its stamps show this time.
    pub(crate) started: Timestamp,
    pub(crate) body: Bytes,
}

/// An object and the status code that goes with it.
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) object: Arc<Value>,
    /// Texts for `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    fn new(code: StatusCode, object: Arc<Value>) -> Self {
        Self {
            code,
            object,
            warnings: Vec::new(),
        }
    }
}

impl Call<'_> {
    fn resource(&self) -> &Resource {
        &self.target.resource
    }

    fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    fn is_status(&self) -> bool {
        self.target.subresource.as_deref() == Some("status")
    }

    /// The body as an object of the path's kind and namespace.
    fn object(&self) -> Result<(Value, Vec<String>), Status> {
        let value: Value = match self.content_type {
            "application/yaml" => serde_saphyr::from_slice(&self.body).map_err(|error| {
                Status::bad_request(format!("error decoding the body: {error}"))
            })?,
            _ => serde_json::from_slice(&self.body).map_err(|error| {
                Status::bad_request(format!(
                    "the object provided is unrecognized (must be of type {}): {error}",
                    self.resource().kind
                ))
            })?,
        };
        self.accept(value)
    }

    fn accept(&self, mut value: Value) -> Result<(Value, Vec<String>), Status> {
        let resource = self.resource();
        let api_version = resource.api_version();
        let object = as_object_mut(&mut value);
        for (key, expected) in [
            ("apiVersion", api_version.as_str()),
            ("kind", resource.kind.as_str()),
        ] {
            match object
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
            {
                Some(text) if text != expected => {
                    let what = if key == "kind" { "kind" } else { "API version" };
                    return Err(Status::bad_request(format!(
                        "the {what} in the data ({text}) does not match the expected {what} ({expected})"
                    )));
                }
                _ => drop(object.insert(key.to_owned(), json!(expected))),
            }
        }
        let metadata = crate::object::child_mut(object, "metadata");
        if resource.namespaced {
            match metadata
                .get("namespace")
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
            {
                Some(namespace) if namespace != self.target.namespace => {
                    return Err(Status::bad_request(
                        "the namespace of the provided object does not match the namespace sent on the request",
                    ));
                }
                _ => drop(metadata.insert("namespace".to_owned(), json!(self.target.namespace))),
            }
        } else {
            metadata.remove("namespace");
        }
        let unknown = self.decode(&mut value)?;
        if unknown.is_empty() {
            return Ok((value, Vec::new()));
        }
        match self.query.get("fieldValidation") {
            Some("Strict") => Err(Status::bad_request(self.strict_message(&unknown))),
            Some("Ignore") => Ok((value, Vec::new())),
            _ => Ok((value, unknown)),
        }
    }

    /// Drops fields that the kind does not know and returns their descriptions.
    fn decode(&self, value: &mut Value) -> Result<Vec<String>, Status> {
        match &self.resource().custom {
            Some(custom) => {
                let unknown = custom.schema.prune(value);
                custom.schema.default(value);
                Ok(unknown
                    .into_iter()
                    .map(|path| format!("unknown field \"{path}\""))
                    .collect())
            }
            None if self.resource().kind == "Lease" => {
                validate::decode(value).map_err(Status::bad_request)
            }
            None => Ok(Vec::new()),
        }
    }

    fn strict_message(&self, unknown: &[String]) -> String {
        let resource = self.resource();
        let list = unknown.join(", ");
        if resource.custom.is_some() {
            return format!("strict decoding error: {list}");
        }
        format!(
            "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {list}",
            resource.kind, resource.version, resource.kind
        )
    }

    /// Brings `managedFields` up to date and checks the object as a whole.
    fn finish(&self, old: Option<&Value>, new: &mut Value) -> Result<(), Status> {
        let resource = self.resource();
        let time = whole_seconds(self.started);
        let writer = Writer {
            manager: self.manager,
            api_version: &resource.api_version(),
            subresource: self.target.subresource.as_deref(),
            time: &time,
            own_parents: resource.custom.is_some(),
        };
        track(old, new, writer);
        let errors = validate::object(resource, new, old);
        if errors.is_empty() {
            return Ok(());
        }
        let name = meta(new, "name").unwrap_or_default().to_owned();
        Err(Status::invalid(resource, &name, &errors))
    }

    fn current(&self, transaction: &Transaction<'_>) -> Option<Arc<Value>> {
        transaction.get(&self.resource().key, &self.target.namespace, self.name())
    }

    fn is_dry_run(&self) -> bool {
        self.query.is_dry_run()
    }

    fn store(&self, mut transaction: Transaction<'_>, name: &str, object: Value) -> Arc<Value> {
        if self.is_dry_run() {
            return Arc::new(object);
        }
        let stored = transaction.put(&self.resource().key, &self.target.namespace, name, object);
        drop(transaction);
        self.server.stored(self.resource(), &stored);
        stored
    }
}
