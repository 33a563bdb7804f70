//! The small kinds of the core group. Pods, services and other large ones are stored as they come.

use super::{
    Field,
    FieldType::{
        Any, Bool, Bytes, Int32, List, Map, MicroTime, Named, String as Str, Struct, Time,
    },
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
            "spec",
            Struct(&NAMESPACE_SPEC),
            "Desired state of the namespace.",
        ),
        Field::always(
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
            "phase",
            Named("v1.NamespacePhase"),
            "Active or Terminating.",
        ),
        Field::omit_empty("conditions", List(&Any), "Latest observations."),
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
            "secrets",
            List(&Any),
            "Secrets that pods of this account may use.",
        ),
        Field::omit_empty(
            "imagePullSecrets",
            List(&Any),
            "Secrets for pulling images.",
        ),
        Field::pointer(
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
        Field::pointer("immutable", Bool, "Whether the data is closed to changes."),
        Field::omit_empty("data", Map(&Str), "The data, as text."),
        Field::omit_empty("binaryData", Map(&Bytes), "The data, as base64."),
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
        Field::pointer("immutable", Bool, "Whether the data is closed to changes."),
        Field::omit_empty("data", Map(&Bytes), "The data, as base64."),
        Field::omit_empty(
            "stringData",
            Map(&Str),
            "Data as text; written into data, never read back.",
        ),
        Field::omit_empty("type", Named("v1.SecretType"), "What the data is for."),
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
            "involvedObject",
            Struct(&OBJECT_REFERENCE),
            "What the event is about.",
        ),
        Field::omit_empty("reason", Str, "Short machine-readable reason."),
        Field::omit_empty("message", Str, "Description for people."),
        Field::always(
            "source",
            Struct(&EVENT_SOURCE),
            "Component that reported the event.",
        ),
        Field::always("firstTimestamp", Time, "When the event was first recorded."),
        Field::always("lastTimestamp", Time, "When the event was last recorded."),
        Field::omit_empty("count", Int32, "How often the event happened."),
        Field::omit_empty("type", Str, "Normal or Warning."),
        Field::always("eventTime", MicroTime, "When the event was first observed."),
        Field::pointer("series", Any, "Data of a series of events."),
        Field::omit_empty("action", Str, "What was done or failed."),
        Field::pointer(
            "related",
            Struct(&OBJECT_REFERENCE),
            "Second object of a complex action.",
        ),
        Field::always(
            "reportingComponent",
            Str,
            "Name of the controller that reported the event.",
        ),
        Field::always("reportingInstance", Str, "Instance of that controller."),
    ],
};

static EVENT_SOURCE: StructType = StructType {
    name: "EventSource",
    definition: "io.k8s.api.core.v1.EventSource",
    doc: "Where an event came from.",
    fields: &[
        Field::omit_empty("component", Str, "Component."),
        Field::omit_empty("host", Str, "Node name."),
    ],
};

static OBJECT_REFERENCE: StructType = StructType {
    name: "ObjectReference",
    definition: "io.k8s.api.core.v1.ObjectReference",
    doc: "Enough to find another object.",
    fields: &[
        Field::omit_empty("kind", Str, "Kind."),
        Field::omit_empty("namespace", Str, "Namespace."),
        Field::omit_empty("name", Str, "Name."),
        Field::omit_empty("uid", Named("types.UID"), "UID."),
        Field::omit_empty("apiVersion", Str, "API version."),
        Field::omit_empty(
            "resourceVersion",
            Str,
            "Version of the object that is meant.",
        ),
        Field::omit_empty("fieldPath", Str, "Part of the object that is meant."),
    ],
};
