//! Which keywords of JSON schema and which extensions there are, and what becomes of them.

/// What the compiler does with a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    /// Compiled.
    Evaluated,
    /// For people and clients; has no effect on what is stored.
    Documentation,
    /// The real server refuses it with this detail.
    Forbidden(&'static str),
}

/// What becomes of a keyword; `None` if it is unknown.
pub(super) fn keyword(name: &str) -> Option<Keyword> {
    Some(match name {
        "type"
        | "nullable"
        | "default"
        | "enum"
        | "format"
        | "pattern"
        | "minLength"
        | "maxLength"
        | "minimum"
        | "maximum"
        | "exclusiveMinimum"
        | "exclusiveMaximum"
        | "multipleOf"
        | "minItems"
        | "maxItems"
        | "minProperties"
        | "maxProperties"
        | "properties"
        | "required"
        | "additionalProperties"
        | "items"
        | "allOf"
        | "anyOf"
        | "oneOf"
        | "not"
        | "x-kubernetes-preserve-unknown-fields"
        | "x-kubernetes-embedded-resource"
        | "x-kubernetes-int-or-string"
        | "x-kubernetes-list-type"
        | "x-kubernetes-list-map-keys"
        | "x-kubernetes-validations" => Keyword::Evaluated,
        "description" | "title" | "example" | "externalDocs" | "x-kubernetes-map-type" => {
            Keyword::Documentation
        }
        "uniqueItems" => Keyword::Forbidden(
            "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        "$ref" => Keyword::Forbidden("$ref is not supported"),
        "definitions" => Keyword::Forbidden("definitions is not supported"),
        "dependencies" => Keyword::Forbidden("dependencies is not supported"),
        "patternProperties" => Keyword::Forbidden("patternProperties is not supported"),
        "additionalItems" => Keyword::Forbidden("additionalItems is not supported"),
        "id" => Keyword::Forbidden("id is not supported"),
        "$schema" => Keyword::Forbidden("schema is not supported"),
        _ => return None,
    })
}
