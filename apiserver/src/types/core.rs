//! The small kinds of the core group. Pods, services and other large ones are stored as they come.

use super::{
    Field,
    FieldType::{Bool, Bytes, Int32, List, Map, MicroTime, Named, String as Str, Struct, Time},
    StructType,
};

pub(crate) const KINDS: &[&StructType] =
    &[&NAMESPACE, &SERVICE_ACCOUNT, &CONFIG_MAP, &SECRET, &EVENT];

static NAMESPACE: StructType = StructType {
    name: "Namespace",
    definition: "io.k8s.api.core.v1.Namespace",
    doc: "A scope for names.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "spec",
            Struct(&NAMESPACE_SPEC),
            "Desired state of the namespace.",
        ),
        Field::always(
            3,
            "status",
            Struct(&NAMESPACE_STATUS),
            "Observed state of the namespace.",
        ),
    ],
};

static NAMESPACE_SPEC: StructType = StructType {
    name: "NamespaceSpec",
    definition: "io.k8s.api.core.v1.NamespaceSpec",
    doc: "Desired state of a namespace.",
    fields: &[Field::omit_empty(
        1,
        "finalizers",
        List(&Named("v1.FinalizerName")),
        "Must be empty before the namespace is removed.",
    )],
};

static NAMESPACE_STATUS: StructType = StructType {
    name: "NamespaceStatus",
    definition: "io.k8s.api.core.v1.NamespaceStatus",
    doc: "Observed state of a namespace.",
    fields: &[
        Field::omit_empty(
            1,
            "phase",
            Named("v1.NamespacePhase"),
            "Active or Terminating.",
        ),
        Field::omit_empty(
            2,
            "conditions",
            List(&Struct(&NAMESPACE_CONDITION)),
            "Latest observations.",
        ),
    ],
};

static SERVICE_ACCOUNT: StructType = StructType {
    name: "ServiceAccount",
    definition: "io.k8s.api.core.v1.ServiceAccount",
    doc: "An identity for processes that run in pods.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::omit_empty(
            2,
            "secrets",
            List(&Struct(&OBJECT_REFERENCE)),
            "Secrets that pods of this account may use.",
        ),
        Field::omit_empty(
            3,
            "imagePullSecrets",
            List(&Struct(&LOCAL_OBJECT_REFERENCE)),
            "Secrets for pulling images.",
        ),
        Field::pointer(
            4,
            "automountServiceAccountToken",
            Bool,
            "Whether pods get a token mounted.",
        ),
    ],
};

static CONFIG_MAP: StructType = StructType {
    name: "ConfigMap",
    definition: "io.k8s.api.core.v1.ConfigMap",
    doc: "Configuration data for pods to consume.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::pointer(
            4,
            "immutable",
            Bool,
            "Whether the data is closed to changes.",
        ),
        Field::omit_empty(2, "data", Map(&Str), "The data, as text."),
        Field::omit_empty(3, "binaryData", Map(&Bytes), "The data, as base64."),
    ],
};

static SECRET: StructType = StructType {
    name: "Secret",
    definition: "io.k8s.api.core.v1.Secret",
    doc: "Secret data of a certain type.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::pointer(
            5,
            "immutable",
            Bool,
            "Whether the data is closed to changes.",
        ),
        Field::omit_empty(2, "data", Map(&Bytes), "The data, as base64."),
        Field::omit_empty(
            4,
            "stringData",
            Map(&Str),
            "Data as text; written into data, never read back.",
        ),
        Field::omit_empty(3, "type", Named("v1.SecretType"), "What the data is for."),
    ],
};

static EVENT: StructType = StructType {
    name: "Event",
    definition: "io.k8s.api.core.v1.Event",
    doc: "A report of something that happened in the cluster.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "involvedObject",
            Struct(&OBJECT_REFERENCE),
            "What the event is about.",
        ),
        Field::omit_empty(3, "reason", Str, "Short machine-readable reason."),
        Field::omit_empty(4, "message", Str, "Description for people."),
        Field::always(
            5,
            "source",
            Struct(&EVENT_SOURCE),
            "Component that reported the event.",
        ),
        Field::always(
            6,
            "firstTimestamp",
            Time,
            "When the event was first recorded.",
        ),
        Field::always(
            7,
            "lastTimestamp",
            Time,
            "When the event was last recorded.",
        ),
        Field::omit_empty(8, "count", Int32, "How often the event happened."),
        Field::omit_empty(9, "type", Str, "Normal or Warning."),
        Field::always(
            10,
            "eventTime",
            MicroTime,
            "When the event was first observed.",
        ),
        Field::pointer(
            11,
            "series",
            Struct(&EVENT_SERIES),
            "Data of a series of events.",
        ),
        Field::omit_empty(12, "action", Str, "What was done or failed."),
        Field::pointer(
            13,
            "related",
            Struct(&OBJECT_REFERENCE),
            "Second object of a complex action.",
        ),
        Field::always(
            14,
            "reportingComponent",
            Str,
            "Name of the controller that reported the event.",
        ),
        Field::always(15, "reportingInstance", Str, "Instance of that controller."),
    ],
};

static EVENT_SOURCE: StructType = StructType {
    name: "EventSource",
    definition: "io.k8s.api.core.v1.EventSource",
    doc: "Where an event came from.",
    fields: &[
        Field::omit_empty(1, "component", Str, "Component."),
        Field::omit_empty(2, "host", Str, "Node name."),
    ],
};

static OBJECT_REFERENCE: StructType = StructType {
    name: "ObjectReference",
    definition: "io.k8s.api.core.v1.ObjectReference",
    doc: "Enough to find another object.",
    fields: &[
        Field::omit_empty(1, "kind", Str, "Kind."),
        Field::omit_empty(2, "namespace", Str, "Namespace."),
        Field::omit_empty(3, "name", Str, "Name."),
        Field::omit_empty(4, "uid", Named("types.UID"), "UID."),
        Field::omit_empty(5, "apiVersion", Str, "API version."),
        Field::omit_empty(
            6,
            "resourceVersion",
            Str,
            "Version of the object that is meant.",
        ),
        Field::omit_empty(7, "fieldPath", Str, "Part of the object that is meant."),
    ],
};

static NAMESPACE_CONDITION: StructType = StructType {
    name: "NamespaceCondition",
    definition: "io.k8s.api.core.v1.NamespaceCondition",
    doc: "One aspect of the state of a namespace.",
    fields: &[
        Field::always(1, "type", Named("v1.NamespaceConditionType"), "The aspect."),
        Field::always(
            2,
            "status",
            Named("v1.ConditionStatus"),
            "True, False or Unknown.",
        ),
        Field::omit_empty(
            4,
            "lastTransitionTime",
            Time,
            "When the status last changed.",
        ),
        Field::omit_empty(5, "reason", Str, "Why, in one word."),
        Field::omit_empty(6, "message", Str, "Why, for people."),
    ],
};

static LOCAL_OBJECT_REFERENCE: StructType = StructType {
    name: "LocalObjectReference",
    definition: "io.k8s.api.core.v1.LocalObjectReference",
    doc: "Names an object in the same namespace.",
    fields: &[Field::omit_empty(1, "name", Str, "Name.")],
};

static EVENT_SERIES: StructType = StructType {
    name: "EventSeries",
    definition: "io.k8s.api.core.v1.EventSeries",
    doc: "A number of like events.",
    fields: &[
        Field::omit_empty(1, "count", Int32, "How many there were."),
        Field::omit_empty(
            2,
            "lastObservedTime",
            MicroTime,
            "When the last one was observed.",
        ),
    ],
};
