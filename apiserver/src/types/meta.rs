//! `metav1.ObjectMeta` and what it is made of.

use super::{
    Field,
    FieldType::{Bool, FieldsV1, Int64, List, Map, Named, String as Str, Struct, Time},
    StructType,
};

pub(crate) static OBJECT_META: StructType = StructType {
    name: "ObjectMeta",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
    doc: "Metadata that every stored object has.",
    fields: &[
        Field::omit_empty(
            1,
            "name",
            Str,
            "Name, unique among the objects of one resource in one namespace. Cannot be changed.",
        ),
        Field::omit_empty(
            2,
            "generateName",
            Str,
            "Prefix from which the server makes a unique name when name is empty.",
        ),
        Field::omit_empty(
            3,
            "namespace",
            Str,
            "Namespace within which the name must be unique.",
        ),
        Field::omit_empty(4, "selfLink", Str, "Not filled in by the server any more."),
        Field::omit_empty(
            5,
            "uid",
            Named("types.UID"),
            "Unique in time and space; set by the server.",
        ),
        Field::omit_empty(
            6,
            "resourceVersion",
            Str,
            "Opaque version of the object, for optimistic concurrency and for watches.",
        ),
        Field::omit_empty(
            7,
            "generation",
            Int64,
            "Sequence number of the desired state; set by the server.",
        ),
        Field::omit_empty(
            8,
            "creationTimestamp",
            Time,
            "When the server created the object.",
        ),
        Field::pointer(
            9,
            "deletionTimestamp",
            Time,
            "When the object is to be removed; set by the server on a graceful deletion.",
        ),
        Field::pointer(
            10,
            "deletionGracePeriodSeconds",
            Int64,
            "Seconds that the object may take to end before it is removed.",
        ),
        Field::omit_empty(
            11,
            "labels",
            Map(&Str),
            "Keys and values by which objects are selected.",
        ),
        Field::omit_empty(
            12,
            "annotations",
            Map(&Str),
            "Keys and values that tools keep with the object.",
        ),
        Field::omit_empty(
            13,
            "ownerReferences",
            List(&Struct(&OWNER_REFERENCE)),
            "Objects that this one depends on.",
        ),
        Field::omit_empty(
            14,
            "finalizers",
            List(&Str),
            "Must be empty before the object is removed.",
        ),
        Field::omit_empty(
            17,
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
        Field::always(5, "apiVersion", Str, "API version of the owner."),
        Field::always(1, "kind", Str, "Kind of the owner."),
        Field::always(3, "name", Str, "Name of the owner."),
        Field::always(4, "uid", Named("types.UID"), "UID of the owner."),
        Field::pointer(
            6,
            "controller",
            Bool,
            "Whether this owner is the managing controller.",
        ),
        Field::pointer(
            7,
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
            1,
            "manager",
            Str,
            "Name of the workflow that manages these fields.",
        ),
        Field::omit_empty(
            2,
            "operation",
            Named("v1.ManagedFieldsOperationType"),
            "Apply or Update.",
        ),
        Field::omit_empty(
            3,
            "apiVersion",
            Str,
            "Version that the field names belong to.",
        ),
        Field::pointer(4, "time", Time, "When the entry was last changed."),
        Field::omit_empty(6, "fieldsType", Str, "Format of the fields: FieldsV1."),
        Field::pointer(7, "fieldsV1", FieldsV1, "The set of fields."),
        Field::omit_empty(
            8,
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
            1,
            "matchLabels",
            Map(&Str),
            "Labels that must have exactly these values.",
        ),
        Field::omit_empty(
            2,
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
        Field::always(1, "key", Str, "Label key."),
        Field::always(
            2,
            "operator",
            Named("v1.LabelSelectorOperator"),
            "In, NotIn, Exists or DoesNotExist.",
        ),
        Field::omit_empty(3, "values", List(&Str), "Values for In and NotIn."),
    ],
};

/// The body of a DELETE.
pub(crate) static DELETE_OPTIONS: StructType = StructType {
    name: "DeleteOptions",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions",
    doc: "How an object is deleted.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::pointer(
            1,
            "gracePeriodSeconds",
            Int64,
            "Seconds that the object may take to end.",
        ),
        Field::pointer(
            2,
            "preconditions",
            Struct(&PRECONDITIONS),
            "What must hold for the object to be deleted.",
        ),
        Field::pointer(
            3,
            "orphanDependents",
            Bool,
            "Whether dependents are left alone; see propagationPolicy.",
        ),
        Field::pointer(
            4,
            "propagationPolicy",
            Named("v1.DeletionPropagation"),
            "Orphan, Background or Foreground.",
        ),
        Field::omit_empty(5, "dryRun", List(&Str), "All to delete nothing."),
        Field::pointer(
            6,
            "ignoreStoreReadErrorWithClusterBreakingPotential",
            Bool,
            "Whether an object that cannot be read is deleted all the same.",
        ),
    ],
};

static PRECONDITIONS: StructType = StructType {
    name: "Preconditions",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions",
    doc: "What must hold for an operation to be carried out.",
    fields: &[
        Field::pointer(
            1,
            "uid",
            Named("types.UID"),
            "UID that the object must have.",
        ),
        Field::pointer(
            2,
            "resourceVersion",
            Str,
            "Version that the object must have.",
        ),
    ],
};
