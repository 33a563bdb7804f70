//! CustomResourceDefinitions: their checks, the status that the control plane would give them, and the kinds they make.
//!
//! A definition is served from the moment it is stored. Of conversion only the strategy `None` exists: versions of a
//! kind differ in `apiVersion` alone.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::object;
use crate::registry::{
    CustomKind, Origin, Resource, Scope, SelectableField, SelectorWording, Subresource, Verb,
    WriteRules,
};
use crate::schema::Schema;
use crate::table;
use crate::validate::FieldError;

/// Where definitions are stored.
pub(crate) const TABLE: &str = "customresourcedefinitions";

/// Fills in what a definition may leave out.
pub(crate) fn default(definition: &mut Value) {
    let spec = &mut definition["spec"];
    if !spec.is_object() {
        return;
    }
    let kind = spec["names"]["kind"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if let Some(names) = spec["names"].as_object_mut() {
        names
            .entry("singular")
            .or_insert_with(|| kind.to_ascii_lowercase().into());
        names
            .entry("listKind")
            .or_insert_with(|| format!("{kind}List").into());
    }
    if spec.get("conversion").is_none() {
        spec["conversion"] = json!({ "strategy": "None" });
    }
}

/// What is wrong with a definition.
pub(crate) fn validate(definition: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let name = object::text(definition, "name");
    if name != format!("{plural}.{group}") {
        errors.push(FieldError::invalid(
            "metadata.name",
            name,
            "must be spec.names.plural+\".\"+spec.group",
        ));
    }
    for (path, value) in [
        ("spec.group", &spec["group"]),
        ("spec.scope", &spec["scope"]),
        ("spec.names.plural", &spec["names"]["plural"]),
        ("spec.names.kind", &spec["names"]["kind"]),
    ] {
        if text(value).is_empty() {
            errors.push(FieldError::required(path, ""));
        }
    }
    let versions = versions(definition);
    if versions
        .iter()
        .filter(|version| version["storage"] == true)
        .count()
        != 1
    {
        errors.push(FieldError::invalid(
            "spec.versions",
            spec["versions"].clone(),
            "must have exactly one version marked as storage version",
        ));
    }
    for (index, version) in versions.iter().enumerate() {
        let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
        match &version["schema"]["openAPIV3Schema"] {
            Value::Null => errors.push(FieldError::required(path, "schemas are required")),
            schema => errors.extend(Schema::compile(schema, &path).err().into_iter().flatten()),
        }
        let columns = version["additionalPrinterColumns"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        errors.extend(table::validate_columns(
            columns,
            &format!("spec.versions[{index}].additionalPrinterColumns"),
        ));
    }
    errors
}

/// The status of a definition that was just written: its versions are known, its names not yet accepted.
pub(crate) fn first_status(definition: &Value) -> Value {
    json!({
        "conditions": null,
        "acceptedNames": { "plural": "", "kind": "" },
        "storedVersions": [storage_version(definition)],
    })
}

/// The definition as it stands once it is served.
pub(crate) fn established(definition: &Value, stamp: &str) -> Value {
    let mut established = definition.clone();
    let stored = match &definition["status"]["storedVersions"] {
        Value::Array(stored) => stored.clone(),
        _ => Vec::new(),
    };
    let storage = Value::from(storage_version(definition));
    let stored: Vec<Value> = if stored.contains(&storage) {
        stored
    } else {
        stored.into_iter().chain([storage]).collect()
    };
    let since = |condition: &str| {
        let old = definition["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten();
        let mut times = old
            .filter(|old| old["type"] == condition)
            .map(|old| old["lastTransitionTime"].clone());
        times.next().unwrap_or_else(|| stamp.into())
    };
    established["status"] = json!({
        "acceptedNames": definition["spec"]["names"],
        "conditions": [
            {
                "type": "NamesAccepted",
                "status": "True",
                "lastTransitionTime": since("NamesAccepted"),
                "reason": "NoConflicts",
                "message": "no conflicts found",
            },
            {
                "type": "Established",
                "status": "True",
                "lastTransitionTime": since("Established"),
                "reason": "InitialNamesAccepted",
                "message": "the initial names have been accepted",
            },
        ],
        "storedVersions": stored,
    });
    established
}

/// The kinds that a valid definition makes, one for each served version.
pub(crate) fn resources(definition: &Value) -> Vec<Resource> {
    versions(definition)
        .iter()
        .filter(|version| version["served"] == true)
        .map(|version| resource(definition, version))
        .collect()
}

/// Group and plural name of a definition.
pub(crate) fn group_and_plural(definition: &Value) -> (&str, &str) {
    let spec = &definition["spec"];
    (
        spec["group"].as_str().unwrap_or_default(),
        spec["names"]["plural"].as_str().unwrap_or_default(),
    )
}

fn resource(definition: &Value, version: &Value) -> Resource {
    let spec = &definition["spec"];
    let names = &spec["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let texts = |value: &Value| {
        value
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect::<Vec<_>>()
    };
    let schema = version["schema"]["openAPIV3Schema"].clone();
    let compiled = Schema::compile(&schema, "").unwrap_or_else(|_| {
        unreachable!("a definition is stored only after its schemas were compiled once")
    });
    let subresources = version["subresources"].get("status").is_some();
    Resource {
        group: text(&spec["group"]),
        version: text(&version["name"]),
        plural: text(&names["plural"]),
        singular: text(&names["singular"]),
        kind: text(&names["kind"]),
        list_kind: text(&names["listKind"]),
        short_names: texts(&names["shortNames"]),
        categories: texts(&names["categories"]),
        scope: if spec["scope"] == "Cluster" {
            Scope::Cluster
        } else {
            Scope::Namespaced
        },
        verbs: Verb::ALL.to_vec(),
        subresources: if subresources {
            vec![Subresource::Status]
        } else {
            Vec::new()
        },
        selectable_fields: selectable_fields(version),
        selector_wording: SelectorWording::Label,
        write: WriteRules {
            create_on_update: false,
            unconditional_update: false,
            generation: true,
        },
        stored_as: object::text(definition, "name").to_owned(),
        origin: Origin::Custom(Arc::new(CustomKind {
            definition: object::text(definition, "name").to_owned(),
            storage_version: storage_version(definition),
            schema,
            compiled,
            printer_columns: version["additionalPrinterColumns"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        })),
    }
}

/// `selectableFields` names simple paths such as `.spec.fingerprint`.
fn selectable_fields(version: &Value) -> Vec<SelectableField> {
    let fields = version["selectableFields"].as_array().into_iter().flatten();
    fields
        .filter_map(|field| field["jsonPath"].as_str())
        .map(|path| path.trim_start_matches('.'))
        .map(|path| SelectableField {
            name: path.to_owned(),
            pointer: format!("/{}", path.replace('.', "/")),
        })
        .collect()
}

fn versions(definition: &Value) -> &[Value] {
    definition["spec"]["versions"]
        .as_array()
        .map_or(&[], Vec::as_slice)
}

fn storage_version(definition: &Value) -> String {
    let storage = versions(definition)
        .iter()
        .find(|version| version["storage"] == true);
    storage
        .and_then(|version| version["name"].as_str())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        let mut definition = json!({
            "metadata": { "name": "things.example.com" },
            "spec": {
                "group": "example.com",
                "scope": "Namespaced",
                "names": { "plural": "things", "kind": "Thing" },
                "versions": [{
                    "name": "v1",
                    "served": true,
                    "storage": true,
                    "schema": { "openAPIV3Schema": { "type": "object" } },
                    "selectableFields": [{ "jsonPath": ".spec.color" }],
                    "subresources": { "status": {} },
                }],
            },
        });
        default(&mut definition);
        definition
    }

    #[test]
    fn a_definition_makes_a_kind_for_each_served_version() {
        let definition = definition();
        assert_eq!(validate(&definition), []);
        let [thing] = &resources(&definition)[..] else {
            panic!("one version is served")
        };
        assert_eq!(
            (thing.singular.as_str(), thing.list_kind.as_str()),
            ("thing", "ThingList")
        );
        assert!(thing.has_status());
        assert_eq!(
            thing.selectable_fields,
            [SelectableField {
                name: "spec.color".into(),
                pointer: "/spec/color".into()
            }]
        );
    }

    #[test]
    fn a_definition_under_another_name_is_refused() {
        let mut definition = definition();
        definition["metadata"]["name"] = "other".into();
        let errors: Vec<String> = validate(&definition)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            errors,
            ["metadata.name: Invalid value: \"other\": must be spec.names.plural+\".\"+spec.group"]
        );
    }

    #[test]
    fn conditions_keep_the_time_of_their_transition() {
        let first = established(&definition(), "2026-11-23T09:00:00Z");
        let later = established(&first, "2026-11-23T10:00:00Z");
        assert_eq!(later, first);
    }
}
