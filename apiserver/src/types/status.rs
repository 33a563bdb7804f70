//! `metav1.Status`: the answer to a request that failed, or that left nothing to show.

use super::{
    Field,
    FieldType::{Int32, List, Named, String as Str, Struct},
    StructType,
};

pub(crate) static STATUS: StructType = StructType {
    name: "Status",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.Status",
    doc: "The outcome of a request that is answered with no object.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::always(
            1,
            "metadata",
            Struct(&LIST_META),
            "Version and continuation, where a list was asked for.",
        ),
        Field::omit_empty(2, "status", Str, "Success or Failure."),
        Field::omit_empty(3, "message", Str, "What happened, for people."),
        Field::omit_empty(
            4,
            "reason",
            Named("v1.StatusReason"),
            "What happened, for programs.",
        ),
        Field::pointer(
            5,
            "details",
            Struct(&STATUS_DETAILS),
            "What it happened to; its fields depend on the reason.",
        ),
        Field::omit_empty(6, "code", Int32, "HTTP status code."),
    ],
};

static LIST_META: StructType = StructType {
    name: "ListMeta",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta",
    doc: "Metadata that every list has.",
    fields: &[
        Field::omit_empty(1, "selfLink", Str, "Not filled in by the server any more."),
        Field::omit_empty(2, "resourceVersion", Str, "Version of the list."),
        Field::omit_empty(3, "continue", Str, "Token for the next page."),
    ],
};

static STATUS_DETAILS: StructType = StructType {
    name: "StatusDetails",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails",
    doc: "What a request was about, and what was wrong with it.",
    fields: &[
        Field::omit_empty(1, "name", Str, "Name of the object."),
        Field::omit_empty(2, "group", Str, "Group of the object's resource."),
        Field::omit_empty(3, "kind", Str, "Kind or resource of the object."),
        Field::omit_empty(
            4,
            "causes",
            List(&Struct(&STATUS_CAUSE)),
            "One entry for each fault.",
        ),
        Field::omit_empty(
            5,
            "retryAfterSeconds",
            Int32,
            "Seconds after which the request may be repeated.",
        ),
        Field::omit_empty(6, "uid", Named("types.UID"), "UID of the object."),
    ],
};

static STATUS_CAUSE: StructType = StructType {
    name: "StatusCause",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause",
    doc: "One fault of a request.",
    fields: &[
        Field::omit_empty(
            1,
            "reason",
            Named("v1.CauseType"),
            "The kind of fault, for programs.",
        ),
        Field::omit_empty(2, "message", Str, "The fault, for people."),
        Field::omit_empty(3, "field", Str, "Path of the field that is at fault."),
    ],
};
