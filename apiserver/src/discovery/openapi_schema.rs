//! The schemas of the kinds, for OpenAPI documents.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::{
    registry::Resource,
    types::{self, FieldType, Presence, StructType, meta},
};

/// The schemas that one document refers to.
#[derive(Debug, Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    /// Adds the schema of a kind and everything that it is made of, and returns a reference to it.
    pub(super) fn add(&mut self, resource: &Resource) -> Value {
        let (name, mut schema) = match (
            resource.custom(),
            types::of(&resource.group, &resource.kind),
        ) {
            (Some(custom), _) => (custom_name(resource), self.custom(&custom.schema)),
            (None, Some(ty)) => {
                let schema = self.structure(ty);
                (ty.definition.to_owned(), schema)
            }
            (None, None) => (undescribed_name(resource), self.undescribed(resource)),
        };
        schema["x-kubernetes-group-version-kind"] =
            json!([{"group": resource.group, "kind": resource.kind, "version": resource.version}]);
        let reference = reference(&name);
        self.0.insert(name, schema);
        reference
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0.into_iter().collect())
    }

    fn structure(&mut self, ty: &'static StructType) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in ty.fields {
            let mut schema = self.field(&field.ty);
            schema["description"] = json!(field.doc);
            properties.insert(field.name.to_owned(), schema);
            let is_value = !matches!(
                field.ty,
                FieldType::Struct(_) | FieldType::Time | FieldType::MicroTime
            );
            if field.presence == Presence::Always && is_value {
                required.push(field.name);
            }
        }
        let mut schema = json!({"description": ty.doc, "type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    fn field(&mut self, ty: &FieldType) -> Value {
        match ty {
            FieldType::String | FieldType::Named(_) => json!({"type": "string"}),
            FieldType::Bool => json!({"type": "boolean"}),
            FieldType::Int32 => json!({"type": "integer", "format": "int32"}),
            FieldType::Int64 => json!({"type": "integer", "format": "int64"}),
            FieldType::Bytes => json!({"type": "string", "format": "byte"}),
            FieldType::Time | FieldType::MicroTime => {
                json!({"type": "string", "format": "date-time"})
            }
            // A reference beside which other keywords stand has to be wrapped.
            FieldType::Struct(ty) => json!({"allOf": [self.refer(ty)]}),
            FieldType::List(item) => json!({"type": "array", "items": self.item(item)}),
            FieldType::Map(value) => {
                json!({"type": "object", "additionalProperties": self.item(value)})
            }
            FieldType::FieldsV1 => {
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
            }
        }
    }

    fn item(&mut self, ty: &FieldType) -> Value {
        match ty {
            FieldType::Struct(ty) => self.refer(ty),
            other => self.field(other),
        }
    }

    fn refer(&mut self, ty: &'static StructType) -> Value {
        if !self.0.contains_key(ty.definition) {
            // The name is taken before its parts are looked at, so that a type may contain itself.
            self.0.insert(ty.definition.to_owned(), Value::Null);
            let schema = self.structure(ty);
            self.0.insert(ty.definition.to_owned(), schema);
        }
        reference(ty.definition)
    }

    fn custom(&mut self, schema: &Value) -> Value {
        let mut schema = if schema.is_object() {
            schema.clone()
        } else {
            json!({"type": "object"})
        };
        self.add_object_fields(&mut schema);
        schema
    }

    /// Kinds whose fields this server does not know.
    fn undescribed(&mut self, resource: &Resource) -> Value {
        let open = || json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        let mut schema = json!({
            "description": format!("{} is stored as it comes, but for its metadata.", resource.kind),
            "type": "object",
            "properties": {"spec": open(), "status": open()},
            "x-kubernetes-preserve-unknown-fields": true,
        });
        self.add_object_fields(&mut schema);
        schema
    }

    /// `apiVersion`, `kind` and `metadata`, which every object has.
    fn add_object_fields(&mut self, schema: &mut Value) {
        let metadata = self.field(&FieldType::Struct(&meta::OBJECT_META));
        for (field, own) in [
            (types::Field::api_version(), json!({"type": "string"})),
            (types::Field::kind(), json!({"type": "string"})),
            (types::Field::metadata(), metadata),
        ] {
            let mut own = own;
            own["description"] = json!(field.doc);
            schema["properties"][field.name] = own;
        }
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The group backwards, the version and the kind: `ai.kubernaut.v1alpha1.RemediationRequest`.
fn custom_name(resource: &Resource) -> String {
    let group: Vec<&str> = resource.group.rsplit('.').collect();
    format!("{}.{}.{}", group.join("."), resource.version, resource.kind)
}

fn undescribed_name(resource: &Resource) -> String {
    let package = match resource.group.split('.').next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    format!(
        "io.k8s.api.{package}.{}.{}",
        resource.version, resource.kind
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn schemas(group: &str, plural: &str) -> (Value, Value) {
        let mut schemas = Schemas::default();
        let reference = schemas.add(Registry::built_in().resource(group, "v1", plural).unwrap());
        (reference, schemas.into_value())
    }

    #[test]
    fn a_lease_is_described_field_by_field() {
        let (reference, schemas) = schemas("coordination.k8s.io", "leases");
        assert_eq!(
            reference,
            json!({"$ref": "#/components/schemas/io.k8s.api.coordination.v1.Lease"})
        );
        let spec = &schemas["io.k8s.api.coordination.v1.LeaseSpec"]["properties"];
        assert_eq!(spec["leaseDurationSeconds"]["format"], "int32");
        assert_eq!(spec["renewTime"]["format"], "date-time");
        let lease = &schemas["io.k8s.api.coordination.v1.Lease"];
        assert_eq!(
            lease["properties"]["spec"]["allOf"],
            json!([{"$ref": "#/components/schemas/io.k8s.api.coordination.v1.LeaseSpec"}])
        );
        assert_eq!(
            lease["x-kubernetes-group-version-kind"],
            json!([{"group": "coordination.k8s.io", "kind": "Lease", "version": "v1"}])
        );
    }

    #[test]
    fn a_role_requires_its_rules() {
        let (_, schemas) = schemas("rbac.authorization.k8s.io", "roles");
        assert_eq!(
            schemas["io.k8s.api.rbac.v1.Role"]["required"],
            json!(["rules"])
        );
        assert_eq!(
            schemas["io.k8s.api.rbac.v1.PolicyRule"]["required"],
            json!(["verbs"])
        );
    }

    #[test]
    fn a_kind_that_is_not_described_is_open() {
        let (reference, schemas) = schemas("", "pods");
        assert_eq!(
            reference,
            json!({"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"})
        );
        assert_eq!(
            schemas["io.k8s.api.core.v1.Pod"]["x-kubernetes-preserve-unknown-fields"],
            true
        );
    }
}
