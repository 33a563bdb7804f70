//! `authentication.k8s.io/v1` and `authorization.k8s.io/v1`: the reviews, which are never stored.

use super::{
    Field,
    FieldType::{Bool, List, Map, String as Str, Struct},
    StructType, meta,
};

pub(crate) const KINDS: &[&StructType] = &[
    &SUBJECT_ACCESS_REVIEW,
    &LOCAL_SUBJECT_ACCESS_REVIEW,
    &SELF_SUBJECT_ACCESS_REVIEW,
    &SELF_SUBJECT_RULES_REVIEW,
    &SELF_SUBJECT_REVIEW,
    &TOKEN_REVIEW,
];

static SUBJECT_ACCESS_REVIEW: StructType = StructType {
    name: "SubjectAccessReview",
    definition: "io.k8s.api.authorization.v1.SubjectAccessReview",
    doc: "Asks whether a user or group can perform an action.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "spec",
            Struct(&SUBJECT_ACCESS_REVIEW_SPEC),
            "The action and who would perform it.",
        ),
        Field::always(
            3,
            "status",
            Struct(&SUBJECT_ACCESS_REVIEW_STATUS),
            "The answer; filled in by the server.",
        ),
    ],
};

static LOCAL_SUBJECT_ACCESS_REVIEW: StructType = StructType {
    name: "LocalSubjectAccessReview",
    definition: "io.k8s.api.authorization.v1.LocalSubjectAccessReview",
    doc: "Asks whether a user or group can perform an action in the namespace of the request.",
    fields: SUBJECT_ACCESS_REVIEW.fields,
};

static SELF_SUBJECT_ACCESS_REVIEW: StructType = StructType {
    name: "SelfSubjectAccessReview",
    definition: "io.k8s.api.authorization.v1.SelfSubjectAccessReview",
    doc: "Asks whether the user who asks can perform an action.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "spec",
            Struct(&SELF_SUBJECT_ACCESS_REVIEW_SPEC),
            "The action.",
        ),
        Field::always(
            3,
            "status",
            Struct(&SUBJECT_ACCESS_REVIEW_STATUS),
            "The answer; filled in by the server.",
        ),
    ],
};

static SUBJECT_ACCESS_REVIEW_SPEC: StructType = StructType {
    name: "SubjectAccessReviewSpec",
    definition: "io.k8s.api.authorization.v1.SubjectAccessReviewSpec",
    doc: "An action and who would perform it.",
    fields: &[
        Field::pointer(
            1,
            "resourceAttributes",
            Struct(&RESOURCE_ATTRIBUTES),
            "An action on a resource.",
        ),
        Field::pointer(
            2,
            "nonResourceAttributes",
            Struct(&NON_RESOURCE_ATTRIBUTES),
            "An action on a URL path.",
        ),
        Field::omit_empty(3, "user", Str, "User name."),
        Field::omit_empty(4, "groups", List(&Str), "Groups of the user."),
        Field::omit_empty(
            5,
            "extra",
            Map(&List(&Str)),
            "What else the authenticator knows.",
        ),
        Field::omit_empty(6, "uid", Str, "UID of the user."),
    ],
};

static SELF_SUBJECT_ACCESS_REVIEW_SPEC: StructType = StructType {
    name: "SelfSubjectAccessReviewSpec",
    definition: "io.k8s.api.authorization.v1.SelfSubjectAccessReviewSpec",
    doc: "An action.",
    fields: &[
        Field::pointer(
            1,
            "resourceAttributes",
            Struct(&RESOURCE_ATTRIBUTES),
            "An action on a resource.",
        ),
        Field::pointer(
            2,
            "nonResourceAttributes",
            Struct(&NON_RESOURCE_ATTRIBUTES),
            "An action on a URL path.",
        ),
    ],
};

static RESOURCE_ATTRIBUTES: StructType = StructType {
    name: "ResourceAttributes",
    definition: "io.k8s.api.authorization.v1.ResourceAttributes",
    doc: "An action on a resource.",
    fields: &[
        Field::omit_empty(
            1,
            "namespace",
            Str,
            "Namespace; empty for cluster-scoped resources and for all namespaces.",
        ),
        Field::omit_empty(2, "verb", Str, "Verb of the API, or '*'."),
        Field::omit_empty(3, "group", Str, "API group, or '*'."),
        Field::omit_empty(4, "version", Str, "API version, or '*'."),
        Field::omit_empty(5, "resource", Str, "Resource, or '*'."),
        Field::omit_empty(6, "subresource", Str, "Subresource."),
        Field::omit_empty(7, "name", Str, "Name of the object; empty for all."),
        Field::pointer(
            8,
            "fieldSelector",
            Struct(&FIELD_SELECTOR_ATTRIBUTES),
            "Limits the action by fields.",
        ),
        Field::pointer(
            9,
            "labelSelector",
            Struct(&LABEL_SELECTOR_ATTRIBUTES),
            "Limits the action by labels.",
        ),
    ],
};

static FIELD_SELECTOR_ATTRIBUTES: StructType = StructType {
    name: "FieldSelectorAttributes",
    definition: "io.k8s.api.authorization.v1.FieldSelectorAttributes",
    doc: "A field selector, as text or as requirements.",
    fields: &[
        Field::omit_empty(1, "rawSelector", Str, "The selector as text."),
        Field::omit_empty(
            2,
            "requirements",
            List(&Struct(&FIELD_SELECTOR_REQUIREMENT)),
            "The selector as requirements.",
        ),
    ],
};

static FIELD_SELECTOR_REQUIREMENT: StructType = StructType {
    name: "FieldSelectorRequirement",
    definition: "io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement",
    doc: "A field, an operator and values.",
    fields: meta::LABEL_SELECTOR_REQUIREMENT.fields,
};

static LABEL_SELECTOR_ATTRIBUTES: StructType = StructType {
    name: "LabelSelectorAttributes",
    definition: "io.k8s.api.authorization.v1.LabelSelectorAttributes",
    doc: "A label selector, as text or as requirements.",
    fields: &[
        Field::omit_empty(1, "rawSelector", Str, "The selector as text."),
        Field::omit_empty(
            2,
            "requirements",
            List(&Struct(&meta::LABEL_SELECTOR_REQUIREMENT)),
            "The selector as requirements.",
        ),
    ],
};

static NON_RESOURCE_ATTRIBUTES: StructType = StructType {
    name: "NonResourceAttributes",
    definition: "io.k8s.api.authorization.v1.NonResourceAttributes",
    doc: "An action on a URL path.",
    fields: &[
        Field::omit_empty(1, "path", Str, "The path."),
        Field::omit_empty(2, "verb", Str, "HTTP verb in lower case."),
    ],
};

static SUBJECT_ACCESS_REVIEW_STATUS: StructType = StructType {
    name: "SubjectAccessReviewStatus",
    definition: "io.k8s.api.authorization.v1.SubjectAccessReviewStatus",
    doc: "Whether the action is allowed.",
    fields: &[
        Field::always(1, "allowed", Bool, "Whether the action would be allowed."),
        Field::omit_empty(
            4,
            "denied",
            Bool,
            "Whether the action is denied whatever other authorizers say.",
        ),
        Field::omit_empty(2, "reason", Str, "Why."),
        Field::omit_empty(3, "evaluationError", Str, "What went wrong while deciding."),
    ],
};

static SELF_SUBJECT_RULES_REVIEW: StructType = StructType {
    name: "SelfSubjectRulesReview",
    definition: "io.k8s.api.authorization.v1.SelfSubjectRulesReview",
    doc: "Lists what the user who asks can do in a namespace.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "spec",
            Struct(&SELF_SUBJECT_RULES_REVIEW_SPEC),
            "The namespace.",
        ),
        Field::always(
            3,
            "status",
            Struct(&SUBJECT_RULES_REVIEW_STATUS),
            "The rules; filled in by the server.",
        ),
    ],
};

static SELF_SUBJECT_RULES_REVIEW_SPEC: StructType = StructType {
    name: "SelfSubjectRulesReviewSpec",
    definition: "io.k8s.api.authorization.v1.SelfSubjectRulesReviewSpec",
    doc: "A namespace.",
    fields: &[Field::omit_empty(
        1,
        "namespace",
        Str,
        "Namespace to list the rules for.",
    )],
};

static SUBJECT_RULES_REVIEW_STATUS: StructType = StructType {
    name: "SubjectRulesReviewStatus",
    definition: "io.k8s.api.authorization.v1.SubjectRulesReviewStatus",
    doc: "The rules that apply to a user.",
    fields: &[
        Field::always(
            1,
            "resourceRules",
            List(&Struct(&RESOURCE_RULE)),
            "Actions on resources.",
        ),
        Field::always(
            2,
            "nonResourceRules",
            List(&Struct(&NON_RESOURCE_RULE)),
            "Actions on URL paths.",
        ),
        Field::always(3, "incomplete", Bool, "Whether rules may be missing."),
        Field::omit_empty(
            4,
            "evaluationError",
            Str,
            "What went wrong while collecting.",
        ),
    ],
};

static RESOURCE_RULE: StructType = StructType {
    name: "ResourceRule",
    definition: "io.k8s.api.authorization.v1.ResourceRule",
    doc: "Verbs on resources.",
    fields: &[
        Field::always(1, "verbs", List(&Str), "Verbs."),
        Field::omit_empty(2, "apiGroups", List(&Str), "API groups."),
        Field::omit_empty(3, "resources", List(&Str), "Resources."),
        Field::omit_empty(
            4,
            "resourceNames",
            List(&Str),
            "Names that the rule is limited to.",
        ),
    ],
};

static NON_RESOURCE_RULE: StructType = StructType {
    name: "NonResourceRule",
    definition: "io.k8s.api.authorization.v1.NonResourceRule",
    doc: "Verbs on URL paths.",
    fields: &[
        Field::always(1, "verbs", List(&Str), "Verbs."),
        Field::omit_empty(2, "nonResourceURLs", List(&Str), "URL paths."),
    ],
};

static SELF_SUBJECT_REVIEW: StructType = StructType {
    name: "SelfSubjectReview",
    definition: "io.k8s.api.authentication.v1.SelfSubjectReview",
    doc: "Says who the user who asks is.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "status",
            Struct(&SELF_SUBJECT_REVIEW_STATUS),
            "The user; filled in by the server.",
        ),
    ],
};

static SELF_SUBJECT_REVIEW_STATUS: StructType = StructType {
    name: "SelfSubjectReviewStatus",
    definition: "io.k8s.api.authentication.v1.SelfSubjectReviewStatus",
    doc: "The user who asked.",
    fields: &[Field::always(
        1,
        "userInfo",
        Struct(&USER_INFO),
        "The user.",
    )],
};

static USER_INFO: StructType = StructType {
    name: "UserInfo",
    definition: "io.k8s.api.authentication.v1.UserInfo",
    doc: "A user as the authenticator knows him.",
    fields: &[
        Field::omit_empty(1, "username", Str, "User name."),
        Field::omit_empty(2, "uid", Str, "UID of the user."),
        Field::omit_empty(3, "groups", List(&Str), "Groups of the user."),
        Field::omit_empty(
            4,
            "extra",
            Map(&List(&Str)),
            "What else the authenticator knows.",
        ),
    ],
};

static TOKEN_REVIEW: StructType = StructType {
    name: "TokenReview",
    definition: "io.k8s.api.authentication.v1.TokenReview",
    doc: "Asks whom a bearer token belongs to.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(2, "spec", Struct(&TOKEN_REVIEW_SPEC), "The token."),
        Field::always(
            3,
            "status",
            Struct(&TOKEN_REVIEW_STATUS),
            "The answer; filled in by the server.",
        ),
    ],
};

static TOKEN_REVIEW_SPEC: StructType = StructType {
    name: "TokenReviewSpec",
    definition: "io.k8s.api.authentication.v1.TokenReviewSpec",
    doc: "A token and for whom it should be meant.",
    fields: &[
        Field::omit_empty(1, "token", Str, "The bearer token."),
        Field::omit_empty(
            2,
            "audiences",
            List(&Str),
            "Audiences that the token should be meant for.",
        ),
    ],
};

static TOKEN_REVIEW_STATUS: StructType = StructType {
    name: "TokenReviewStatus",
    definition: "io.k8s.api.authentication.v1.TokenReviewStatus",
    doc: "Whom a token belongs to.",
    fields: &[
        Field::omit_empty(1, "authenticated", Bool, "Whether the token is known."),
        Field::always(
            2,
            "user",
            Struct(&USER_INFO),
            "The user that the token belongs to.",
        ),
        Field::omit_empty(
            4,
            "audiences",
            List(&Str),
            "Audiences that both sides agree on.",
        ),
        Field::omit_empty(3, "error", Str, "Why the token could not be checked."),
    ],
};
