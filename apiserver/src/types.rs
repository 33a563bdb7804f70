//! What fields the built-in kinds have: one table that decoding from JSON, decoding from protobuf
//! and the OpenAPI documents share.
//!
//! Kinds that are not described here are stored as they come; only their metadata is decoded.
//! No behaviour belongs in this module, and no custom resource: those bring their own schema.

pub(crate) mod access;
pub(crate) mod coordination;
pub(crate) mod core;
pub(crate) mod meta;
pub(crate) mod rbac;
mod status;

pub(crate) use status::STATUS;

/// A Go struct of the Kubernetes API.
#[derive(Debug)]
pub(crate) struct StructType {
    /// The Go name, as it stands in the decoder's messages: `LeaseSpec`.
    pub(crate) name: &'static str,
    /// The name in OpenAPI documents: `io.k8s.api.coordination.v1.LeaseSpec`.
    pub(crate) definition: &'static str,
    /// One sentence for `kubectl explain`.
    pub(crate) doc: &'static str,
    pub(crate) fields: &'static [Field],
}

/// One field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    /// The number in protobuf messages; 0 if the field is not part of them.
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) ty: FieldType,
    pub(crate) presence: Presence,
    pub(crate) doc: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FieldType {
    String,
    /// A string with a Go type of its own: `types.UID`.
    Named(&'static str),
    Bool,
    Int32,
    Int64,
    /// Base64 text.
    Bytes,
    Time,
    MicroTime,
    Struct(&'static StructType),
    List(&'static FieldType),
    Map(&'static FieldType),
    /// A set of field names, as `managedFields` has them.
    FieldsV1,
}

/// When a field is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// A pointer with `omitempty`: whatever was sent except null.
    Pointer,
    /// A value with `omitempty`: only when it is not the zero value.
    OmitEmpty,
    /// Always; the zero value stands in for what was not sent.
    Always,
}

impl StructType {
    /// The field of that name; names are case-sensitive.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The Go type with its package, as the decoder's messages name it: `v1.LeaseSpec`.
    pub(crate) fn go_type(&self) -> String {
        format!("v1.{}", self.name)
    }
}

impl Field {
    pub(crate) const fn pointer(
        number: u32,
        name: &'static str,
        ty: FieldType,
        doc: &'static str,
    ) -> Self {
        Self {
            number,
            name,
            ty,
            presence: Presence::Pointer,
            doc,
        }
    }

    pub(crate) const fn omit_empty(
        number: u32,
        name: &'static str,
        ty: FieldType,
        doc: &'static str,
    ) -> Self {
        Self {
            number,
            name,
            ty,
            presence: Presence::OmitEmpty,
            doc,
        }
    }

    pub(crate) const fn always(
        number: u32,
        name: &'static str,
        ty: FieldType,
        doc: &'static str,
    ) -> Self {
        Self {
            number,
            name,
            ty,
            presence: Presence::Always,
            doc,
        }
    }

    /// `apiVersion` of an object.
    pub(crate) const fn api_version() -> Self {
        Self::omit_empty(
            0,
            "apiVersion",
            FieldType::String,
            "Group and version of this representation of the object.",
        )
    }

    /// `kind` of an object.
    pub(crate) const fn kind() -> Self {
        Self::omit_empty(
            0,
            "kind",
            FieldType::String,
            "Name of the REST resource that the object represents.",
        )
    }

    /// `metadata` of an object.
    pub(crate) const fn metadata() -> Self {
        Self::always(
            1,
            "metadata",
            FieldType::Struct(&meta::OBJECT_META),
            "Name, labels and what the server keeps about the object.",
        )
    }
}

impl FieldType {
    /// The Go type, as the decoder's messages name it.
    pub(crate) fn go_type(&self) -> String {
        match self {
            Self::String => "string".to_owned(),
            Self::Named(name) => (*name).to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int32 => "int32".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Bytes => "[]uint8".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::MicroTime => "v1.MicroTime".to_owned(),
            Self::Struct(ty) => ty.go_type(),
            Self::List(item) => format!("[]{}", item.go_type()),
            Self::Map(value) => format!("map[string]{}", value.go_type()),
            Self::FieldsV1 => "v1.FieldsV1".to_owned(),
        }
    }
}

/// The description of a built-in kind, where there is one.
pub(crate) fn of(group: &str, kind: &str) -> Option<&'static StructType> {
    // Every group has this one, as the body of its DELETE requests.
    if kind == "DeleteOptions" {
        return Some(&meta::DELETE_OPTIONS);
    }
    let all: &[&'static StructType] = match group {
        "" => core::KINDS,
        "coordination.k8s.io" => coordination::KINDS,
        "rbac.authorization.k8s.io" => rbac::KINDS,
        "authentication.k8s.io" | "authorization.k8s.io" => access::KINDS,
        _ => &[],
    };
    all.iter().find(|ty| ty.name == kind).copied()
}
