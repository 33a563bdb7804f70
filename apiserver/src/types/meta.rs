//! `metav1.ObjectMeta` and what it is made of.

use super::{
    Field,
    FieldType::{Any, Bool, Int64, List, Map, Named, String as Str, Struct, Time},
    StructType,
};

pub(crate) static OBJECT_META: StructType = StructType {
    name: "ObjectMeta",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    doc: "Metadata that every stored object has.",
    fields: &[
        Field::omit_empty(
            "name",
            Str,
            "Name, unique among the objects of one resource in one namespace. Cannot be changed.",
        ),
        Field::omit_empty(
            "generateName",
            Str,
            "Prefix from which the server makes a unique name when name is empty.",
        ),
        Field::omit_empty(
            "namespace",
            Str,
            "Namespace within which the name must be unique.",
        ),
        Field::omit_empty("selfLink", Str, "Not filled in by the server any more."),
        Field::omit_empty(
            "uid",
            Named("types.UID"),
            "Unique in time and space; set by the server.",
        ),
        Field::omit_empty(
            "resourceVersion",
            Str,
            "Opaque version of the object, for optimistic concurrency and for watches.",
        ),
        Field::omit_empty(
            "generation",
            Int64,
            "Sequence number of the desired state; set by the server.",
        ),
        Field::omit_empty(
            "creationTimestamp",
            Time,
            "When the server created the object.",
        ),
        Field::pointer(
            "deletionTimestamp",
            Time,
            "When the object is to be removed; set by the server on a graceful deletion.",
        ),
        Field::pointer(
            "deletionGracePeriodSeconds",
            Int64,
            "Seconds that the object may take to end before it is removed.",
        ),
        Field::omit_empty(
            "labels",
            Map(&Str),
            "Keys and values by which objects are selected.",
        ),
        Field::omit_empty(
            "annotations",
            Map(&Str),
            "Keys and values that tools keep with the object.",
        ),
        Field::omit_empty(
            "ownerReferences",
            List(&Struct(&OWNER_REFERENCE)),
            "Objects that this one depends on.",
        ),
        Field::omit_empty(
            "finalizers",
            List(&Str),
            "Must be empty before the object is removed.",
        ),
        Field::omit_empty(
            "managedFields",
            List(&Struct(&MANAGED_FIELDS_ENTRY)),
            "Which manager set which fields, and when.",
        ),
    ],
};

pub(crate) static OWNER_REFERENCE: StructType = StructType {
    name: "OwnerReference",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference",
    doc: "Identifies an owning object in the same namespace or a cluster-scoped one.",
    fields: &[
        Field::always("apiVersion", Str, "API version of the owner."),
        Field::always("kind", Str, "Kind of the owner."),
        Field::always("name", Str, "Name of the owner."),
        Field::always("uid", Named("types.UID"), "UID of the owner."),
        Field::pointer(
            "controller",
            Bool,
            "Whether this owner is the managing controller.",
        ),
        Field::pointer(
            "blockOwnerDeletion",
            Bool,
            "Whether the owner stays until this object is gone.",
        ),
    ],
};

pub(crate) static MANAGED_FIELDS_ENTRY: StructType = StructType {
    name: "ManagedFieldsEntry",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry",
    doc: "The fields that one manager set by one kind of operation.",
    fields: &[
        Field::omit_empty(
            "manager",
            Str,
            "Name of the workflow that manages these fields.",
        ),
        Field::omit_empty(
            "operation",
            Named("v1.ManagedFieldsOperationType"),
            "Apply or Update.",
        ),
        Field::omit_empty("apiVersion", Str, "Version that the field names belong to."),
        Field::pointer("time", Time, "When the entry was last changed."),
        Field::omit_empty("fieldsType", Str, "Format of the fields: FieldsV1."),
        Field::pointer("fieldsV1", Any, "The set of fields."),
        Field::omit_empty(
            "subresource",
            Str,
            "Subresource through which the fields were set.",
        ),
    ],
};

pub(crate) static LABEL_SELECTOR: StructType = StructType {
    name: "LabelSelector",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector",
    doc: "Selects objects by their labels; all requirements must hold.",
    fields: &[
        Field::omit_empty(
            "matchLabels",
            Map(&Str),
            "Labels that must have exactly these values.",
        ),
        Field::omit_empty(
            "matchExpressions",
            List(&Struct(&LABEL_SELECTOR_REQUIREMENT)),
            "Further requirements.",
        ),
    ],
};

pub(crate) static LABEL_SELECTOR_REQUIREMENT: StructType = StructType {
    name: "LabelSelectorRequirement",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelectorRequirement",
    doc: "A label key, an operator and values.",
    fields: &[
        Field::always("key", Str, "Label key."),
        Field::always(
            "operator",
            Named("v1.LabelSelectorOperator"),
            "In, NotIn, Exists or DoesNotExist.",
        ),
        Field::omit_empty("values", List(&Str), "Values for In and NotIn."),
    ],
};
