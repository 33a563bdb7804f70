//! `rbac.authorization.k8s.io/v1`.

use super::{
    Field,
    FieldType::{List, String as Str, Struct},
    StructType, meta,
};

pub(crate) const KINDS: &[&StructType] =
    &[&ROLE, &CLUSTER_ROLE, &ROLE_BINDING, &CLUSTER_ROLE_BINDING];

static ROLE: StructType = StructType {
    name: "Role",
    definition: "io.k8s.api.rbac.v1.Role",
    doc: "Rules that a RoleBinding can grant within one namespace.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "rules",
            List(&Struct(&POLICY_RULE)),
            "What the role allows.",
        ),
    ],
};

static CLUSTER_ROLE: StructType = StructType {
    name: "ClusterRole",
    definition: "io.k8s.api.rbac.v1.ClusterRole",
    doc: "Rules that a RoleBinding or a ClusterRoleBinding can grant.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "rules",
            List(&Struct(&POLICY_RULE)),
            "What the role allows.",
        ),
        Field::pointer(
            3,
            "aggregationRule",
            Struct(&AGGREGATION_RULE),
            "Selects the roles from which a controller fills in the rules.",
        ),
    ],
};

static POLICY_RULE: StructType = StructType {
    name: "PolicyRule",
    definition: "io.k8s.api.rbac.v1.PolicyRule",
    doc: "Verbs on resources or on URLs that are no resources.",
    fields: &[
        Field::always(1, "verbs", List(&Str), "Verbs; '*' stands for all."),
        Field::omit_empty(
            2,
            "apiGroups",
            List(&Str),
            "API groups; '' is the core group, '*' stands for all.",
        ),
        Field::omit_empty(
            3,
            "resources",
            List(&Str),
            "Resources, subresources as resource/subresource; '*' stands for all.",
        ),
        Field::omit_empty(
            4,
            "resourceNames",
            List(&Str),
            "Names that the rule is limited to; empty for no limit.",
        ),
        Field::omit_empty(
            5,
            "nonResourceURLs",
            List(&Str),
            "URL paths; '*' as the last step stands for any rest.",
        ),
    ],
};

static AGGREGATION_RULE: StructType = StructType {
    name: "AggregationRule",
    definition: "io.k8s.api.rbac.v1.AggregationRule",
    doc: "Which cluster roles are combined.",
    fields: &[Field::omit_empty(
        1,
        "clusterRoleSelectors",
        List(&Struct(&meta::LABEL_SELECTOR)),
        "A role that matches any of these selectors is taken in.",
    )],
};

static ROLE_BINDING: StructType = StructType {
    name: "RoleBinding",
    definition: "io.k8s.api.rbac.v1.RoleBinding",
    doc: "Grants a role to subjects within one namespace.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::omit_empty(
            2,
            "subjects",
            List(&Struct(&SUBJECT)),
            "To whom the role is granted.",
        ),
        Field::always(
            3,
            "roleRef",
            Struct(&ROLE_REF),
            "The role that is granted. Cannot be changed.",
        ),
    ],
};

static CLUSTER_ROLE_BINDING: StructType = StructType {
    name: "ClusterRoleBinding",
    definition: "io.k8s.api.rbac.v1.ClusterRoleBinding",
    doc: "Grants a cluster role to subjects in the whole cluster.",
    fields: ROLE_BINDING.fields,
};

static SUBJECT: StructType = StructType {
    name: "Subject",
    definition: "io.k8s.api.rbac.v1.Subject",
    doc: "A user, a group or a service account.",
    fields: &[
        Field::always(1, "kind", Str, "User, Group or ServiceAccount."),
        Field::omit_empty(
            2,
            "apiGroup",
            Str,
            "Empty for service accounts, otherwise rbac.authorization.k8s.io.",
        ),
        Field::always(3, "name", Str, "Name of the subject."),
        Field::omit_empty(4, "namespace", Str, "Namespace of a service account."),
    ],
};

static ROLE_REF: StructType = StructType {
    name: "RoleRef",
    definition: "io.k8s.api.rbac.v1.RoleRef",
    doc: "Names a role.",
    fields: &[
        Field::always(1, "apiGroup", Str, "Group of the role."),
        Field::always(2, "kind", Str, "Role or ClusterRole."),
        Field::always(3, "name", Str, "Name of the role."),
    ],
};
