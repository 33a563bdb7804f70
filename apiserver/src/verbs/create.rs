//! `create`.

use http::StatusCode;
use serde_json::{Value, json};

use crate::object::{as_object_mut, is_deleting, meta, meta_mut, whole_seconds};
use crate::registry;
use crate::status::Status;

use super::{Answer, Call};

/// Stores a new object.
pub(crate) fn create(call: &Call<'_>) -> Result<Answer, Status> {
    let (object, warnings) = call.object()?;
    if meta(&object, "resourceVersion").is_some_and(|version| !version.is_empty()) {
        return Err(Status::internal(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let answer = insert(call, object)?;
    Ok(Answer { warnings, ..answer })
}

/// The common part of POST and of a PUT that creates.
pub(super) fn insert(call: &Call<'_>, mut object: Value) -> Result<Answer, Status> {
    let resource = call.resource();
    generate_name(call, &mut object);
    if resource.has_status && resource.kind != "Node" {
        as_object_mut(&mut object).remove("status");
    }
    match resource.kind.as_str() {
        "Namespace" => object["status"] = json!({"phase": "Active"}),
        "CustomResourceDefinition" => {
            object["status"] = registry::custom::established(&object, &whole_seconds(call.started));
        }
        _ => {}
    }
    let metadata = meta_mut(&mut object);
    for set_by_the_server in [
        "resourceVersion",
        "deletionTimestamp",
        "selfLink",
        "generation",
    ] {
        metadata.remove(set_by_the_server);
    }
    metadata.insert("uid".to_owned(), json!(call.server.uids().uid()));
    metadata.insert(
        "creationTimestamp".to_owned(),
        json!(whole_seconds(call.started)),
    );
    if resource.has_generation || resource.custom.is_some() {
        metadata.insert("generation".to_owned(), json!(1));
    }
    let transaction = call.server.store.transaction();
    if resource.namespaced {
        let namespaces = registry::key("", "namespaces");
        match transaction.get(&namespaces, "", &call.target.namespace) {
            None => return Err(Status::namespace_not_found(&call.target.namespace)),
            Some(namespace) if is_deleting(&namespace) => {
                let name = meta(&object, "name").unwrap_or_default();
                let message = format!(
                    "{} \"{name}\" is forbidden: unable to create new content in namespace {} because it is being terminated",
                    resource.qualified(),
                    call.target.namespace
                );
                return Err(Status::forbidden(
                    message,
                    name,
                    &resource.group,
                    &resource.plural,
                ));
            }
            Some(_) => {}
        }
    }
    call.finish(None, &mut object)?;
    let name = meta(&object, "name").unwrap_or_default().to_owned();
    if let Some(existing) = transaction.get(&resource.key, &call.target.namespace, &name) {
        return Err(if is_deleting(&existing) {
            Status::being_deleted(resource, &name)
        } else {
            Status::already_exists(resource, &name)
        });
    }
    Ok(Answer::new(
        StatusCode::CREATED,
        call.store(transaction, &name, object),
    ))
}

fn generate_name(call: &Call<'_>, object: &mut Value) {
    let metadata = meta_mut(object);
    let has_name = metadata
        .get("name")
        .and_then(Value::as_str)
        .is_some_and(|name| !name.is_empty());
    if let Some(prefix) = metadata
        .get("generateName")
        .and_then(Value::as_str)
        .filter(|prefix| !has_name && !prefix.is_empty())
    {
        let name = format!("{prefix}{}", call.server.uids().suffix());
        metadata.insert("name".to_owned(), json!(name));
    }
}
