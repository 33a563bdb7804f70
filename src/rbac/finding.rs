//! What is wrong with a set of manifests, as data. How it is found and how it is printed is not known here.

use std::sync::Arc;

use super::manifest::Meta;

/// What kind of wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Class {
    /// Something that is needed is not granted.
    Missing,
    /// A rule is written that grants nothing.
    NeverMatches,
    /// Something is granted that is not needed.
    Excessive,
    /// The workload cannot use what it is granted.
    Workload,
}

/// Which finding: what stays the same when names and places change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    RuleAbsent,
    WrongGroup,
    WrongResource,
    VerbAbsent,
    NamesOnly,
    WrongNamespace,
    OtherSubject,
    RoleAbsent,
    NotBound,
    AccountElsewhere,
    Parity,
    CreateWithNames,
    UnknownResource,
    UnknownVerb,
    UrlsInRole,
    Incomplete,
    Wildcard,
    UnneededVerb,
    UnneededResource,
    ClusterWide,
    UnneededNamespace,
    Secrets,
    Escalation,
    ParityExtra,
    PodName,
    PodNamespace,
    NamespaceDiffers,
    Replicas,
    NoToken,
}

/// A line of a document of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    /// The file, as it was named.
    pub(crate) file: Arc<str>,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The document, from 1.
    pub(crate) document: usize,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Where.
    pub(crate) place: Place,
    /// Which one.
    pub(crate) kind: Kind,
    /// The API groups that it is about, with commas between; `None` if it is not about resources.
    pub(crate) group: Option<String>,
    /// The resources.
    pub(crate) resource: Option<String>,
    /// The verbs.
    pub(crate) verb: Option<String>,
    /// The namespace; `None` for all.
    pub(crate) namespace: Option<String>,
    /// What is wrong, in a sentence without its full stop.
    pub(crate) message: String,
    /// What to write instead: words, or lines of YAML.
    pub(crate) fix: String,
    /// Whether the program does not work because of it.
    pub(crate) blocks: bool,
}

impl Class {
    /// As it is printed.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NeverMatches => "never-matches",
            Self::Excessive => "excessive",
            Self::Workload => "workload",
        }
    }
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 29] = [
        Self::RuleAbsent,
        Self::WrongGroup,
        Self::WrongResource,
        Self::VerbAbsent,
        Self::NamesOnly,
        Self::WrongNamespace,
        Self::OtherSubject,
        Self::RoleAbsent,
        Self::NotBound,
        Self::AccountElsewhere,
        Self::Parity,
        Self::CreateWithNames,
        Self::UnknownResource,
        Self::UnknownVerb,
        Self::UrlsInRole,
        Self::Incomplete,
        Self::Wildcard,
        Self::UnneededVerb,
        Self::UnneededResource,
        Self::ClusterWide,
        Self::UnneededNamespace,
        Self::Secrets,
        Self::Escalation,
        Self::ParityExtra,
        Self::PodName,
        Self::PodNamespace,
        Self::NamespaceDiffers,
        Self::Replicas,
        Self::NoToken,
    ];

    /// Its class.
    pub(crate) fn class(self) -> Class {
        match self {
            Self::RuleAbsent
            | Self::WrongGroup
            | Self::WrongResource
            | Self::VerbAbsent
            | Self::NamesOnly
            | Self::WrongNamespace
            | Self::OtherSubject
            | Self::RoleAbsent
            | Self::NotBound
            | Self::AccountElsewhere
            | Self::Parity => Class::Missing,
            Self::CreateWithNames
            | Self::UnknownResource
            | Self::UnknownVerb
            | Self::UrlsInRole
            | Self::Incomplete => Class::NeverMatches,
            Self::Wildcard
            | Self::UnneededVerb
            | Self::UnneededResource
            | Self::ClusterWide
            | Self::UnneededNamespace
            | Self::Secrets
            | Self::Escalation
            | Self::ParityExtra => Class::Excessive,
            Self::PodName
            | Self::PodNamespace
            | Self::NamespaceDiffers
            | Self::Replicas
            | Self::NoToken => Class::Workload,
        }
    }

    /// Its name, which is never changed: SARIF knows rules by it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RuleAbsent => "rule-absent",
            Self::WrongGroup => "wrong-api-group",
            Self::WrongResource => "wrong-resource",
            Self::VerbAbsent => "verb-absent",
            Self::NamesOnly => "names-only",
            Self::WrongNamespace => "wrong-namespace",
            Self::OtherSubject => "other-subject",
            Self::RoleAbsent => "role-absent",
            Self::NotBound => "not-bound",
            Self::AccountElsewhere => "account-elsewhere",
            Self::Parity => "parity",
            Self::CreateWithNames => "create-with-names",
            Self::UnknownResource => "unknown-resource",
            Self::UnknownVerb => "unknown-verb",
            Self::UrlsInRole => "urls-in-role",
            Self::Incomplete => "incomplete-rule",
            Self::Wildcard => "wildcard",
            Self::UnneededVerb => "unneeded-verb",
            Self::UnneededResource => "unneeded-resource",
            Self::ClusterWide => "cluster-wide",
            Self::UnneededNamespace => "unneeded-namespace",
            Self::Secrets => "secrets",
            Self::Escalation => "escalation",
            Self::ParityExtra => "parity-extra",
            Self::PodName => "pod-name",
            Self::PodNamespace => "pod-namespace",
            Self::NamespaceDiffers => "namespace-differs",
            Self::Replicas => "replicas",
            Self::NoToken => "no-token",
        }
    }

    /// What it means in general.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::RuleAbsent => "No rule grants what the program needs",
            Self::WrongGroup => "A rule names the resource in another API group",
            Self::WrongResource => "A rule names another resource or lacks the subresource",
            Self::VerbAbsent => "A rule lacks a verb",
            Self::NamesOnly => "A rule is limited to objects of certain names",
            Self::WrongNamespace => "A binding grants in another namespace",
            Self::OtherSubject => "A binding grants to somebody else",
            Self::RoleAbsent => "A binding names a role that does not exist",
            Self::NotBound => "No binding names the role",
            Self::AccountElsewhere => "The ServiceAccount is in another namespace",
            Self::Parity => "Another set of manifests grants what is needed and this one does not",
            Self::ParityExtra => "Another set of manifests does not grant it",
            Self::CreateWithNames => "create is never granted by a rule with resourceNames",
            Self::UnknownResource => "There is no such resource",
            Self::UnknownVerb => "There is no such verb",
            Self::UrlsInRole => "Only a ClusterRole can grant nonResourceURLs",
            Self::Incomplete => "A rule without verbs, API groups or resources grants nothing",
            Self::Wildcard => "A wildcard grants more than is needed",
            Self::UnneededVerb => "A verb is not needed",
            Self::UnneededResource => "A resource is not needed",
            Self::ClusterWide => "What is needed in one namespace is granted in all of them",
            Self::UnneededNamespace => "It is granted in a namespace where it is not needed",
            Self::Secrets => "Secrets can be read or written",
            Self::Escalation => "The program can give itself more rights",
            Self::PodName => "The holder of a lock is not the pod's name from the downward API",
            Self::PodNamespace => "The namespace of locks is not the pod's from the downward API",
            Self::NamespaceDiffers => "The locks are in another namespace than the rule for them",
            Self::Replicas => "Several replicas run without a working lock",
            Self::NoToken => "No token is mounted",
        }
    }
}

impl Place {
    /// A line of an object.
    pub(crate) fn of(meta: &Meta, line: usize) -> Self {
        Self {
            file: Arc::clone(&meta.origin.file),
            document: meta.origin.document,
            line,
        }
    }
}

impl Finding {
    /// A finding that is about no resource yet, and does not keep the program from working.
    pub(crate) fn new(
        kind: Kind,
        place: Place,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            place,
            kind,
            group: None,
            resource: None,
            verb: None,
            namespace: None,
            message: message.into(),
            fix: fix.into(),
            blocks: false,
        }
    }

    /// What it is about.
    pub(crate) fn about(
        mut self,
        group: impl Into<String>,
        resource: impl Into<String>,
        verb: impl Into<String>,
        namespace: Option<&str>,
    ) -> Self {
        self.group = Some(group.into());
        self.resource = Some(resource.into());
        self.verb = Some(verb.into());
        self.namespace = namespace.map(str::to_owned);
        self
    }

    /// The program does not work.
    pub(crate) fn blocking(mut self) -> Self {
        self.blocks = true;
        self
    }
}
