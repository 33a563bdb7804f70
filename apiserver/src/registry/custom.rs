//! Custom kinds, from their CustomResourceDefinition.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::schema::{Schema, SchemaError};

use super::{Custom, Resource, key};

/// The served versions of a definition.
pub(crate) fn resources(definition: &Value) -> Result<Vec<Resource>, SchemaError> {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(text).collect()
    };
    let (group, plural, kind) = (
        text(&spec["group"]),
        text(&names["plural"]),
        text(&names["kind"]),
    );
    let served = spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true);
    served
        .map(|version| {
            let schema = Schema::compile(&version["schema"]["openAPIV3Schema"])?;
            let columns = version["additionalPrinterColumns"].as_array().cloned();
            let age =
                json!({"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"});
            let selectable = version["selectableFields"].as_array().into_iter().flatten();
            Ok(Resource {
                group: group.clone(),
                version: text(&version["name"]),
                plural: plural.clone(),
                singular: names["singular"]
                    .as_str()
                    .map_or_else(|| kind.to_lowercase(), str::to_owned),
                kind: kind.clone(),
                short_names: list(&names["shortNames"]),
                categories: list(&names["categories"]),
                namespaced: spec["scope"] == "Namespaced",
                has_status: version["subresources"]["status"].is_object(),
                create_on_update: false,
                unconditional_update: false,
                has_generation: true,
                selectable: selectable
                    .map(|field| text(&field["jsonPath"]).trim_start_matches('.').to_owned())
                    .collect(),
                custom: Some(Arc::new(Custom {
                    schema,
                    columns: columns.unwrap_or_else(|| vec![age]),
                })),
                key: key(&group, &plural),
            })
        })
        .collect()
}

/// What a definition's status says once its kind is served.
pub(crate) fn established(definition: &Value, now: &str) -> Value {
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    let stored: Vec<&Value> = definition["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| &version["name"])
        .collect();
    json!({
        "acceptedNames": definition["spec"]["names"],
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
        "storedVersions": stored,
    })
}
