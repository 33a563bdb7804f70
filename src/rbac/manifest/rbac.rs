//! Roles and bindings as they are written.

use std::collections::BTreeMap;

use super::node::{Node, Unreadable, Word};
use super::{Meta, labels};

/// A Role or a ClusterRole.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) meta: Meta,
    pub(crate) rules: Vec<Rule>,
    /// The line of `rules:`, or of the role's name.
    pub(crate) rules_line: usize,
    /// Whose rules an API server puts in the place of its own.
    pub(crate) aggregates: Option<Vec<Selector>>,
}

/// One rule. Each list comes with the line of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) line: usize,
    pub(crate) verbs: Vec<Word>,
    pub(crate) verbs_line: usize,
    pub(crate) groups: Vec<Word>,
    pub(crate) groups_line: usize,
    pub(crate) resources: Vec<Word>,
    pub(crate) resources_line: usize,
    pub(crate) names: Vec<Word>,
    pub(crate) names_line: usize,
    pub(crate) urls: Vec<Word>,
    pub(crate) urls_line: usize,
}

/// A label selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: BTreeMap<String, String>,
    expressions: Vec<Expression>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

/// A RoleBinding or a ClusterRoleBinding.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub(crate) meta: Meta,
    pub(crate) role: RoleRef,
    pub(crate) subjects: Vec<Subject>,
    /// The line of `subjects:`, or of the binding's name.
    pub(crate) subjects_line: usize,
}

/// The role that a binding names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleRef {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// To whom a binding grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) kind: SubjectKind,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    User,
    Group,
    ServiceAccount,
}

impl Role {
    pub(super) fn read(node: &Node, meta: Meta) -> Result<Self, Unreadable> {
        let rules = node.list("rules")?.iter();
        let aggregates = match node.map("aggregationRule")? {
            Some(rule) if meta.is_cluster_wide() => {
                let selectors = rule.list("clusterRoleSelectors")?.iter();
                Some(
                    selectors
                        .map(|node| Selector::read(node))
                        .collect::<Result<_, _>>()?,
                )
            }
            _ => None,
        };
        Ok(Self {
            rules: rules
                .map(|node| Rule::read(node))
                .collect::<Result<_, _>>()?,
            rules_line: line_of(node, "rules", meta.line),
            aggregates,
            meta,
        })
    }
}

/// The line of a key, or this one if it is not there.
fn line_of(node: &Node, key: &str, otherwise: usize) -> usize {
    node.entry(key).map_or(otherwise, |entry| entry.mark.line)
}

impl Rule {
    fn read(node: &Node) -> Result<Self, Unreadable> {
        node.entries("a rule")?;
        let line = node.mark.line;
        let line_of = |key: &str| line_of(node, key, line);
        Ok(Self {
            line,
            verbs: node.words("verbs")?,
            verbs_line: line_of("verbs"),
            groups: node.words("apiGroups")?,
            groups_line: line_of("apiGroups"),
            resources: node.words("resources")?,
            resources_line: line_of("resources"),
            names: node.words("resourceNames")?,
            names_line: line_of("resourceNames"),
            urls: node.words("nonResourceURLs")?,
            urls_line: line_of("nonResourceURLs"),
        })
    }
}

impl Selector {
    fn read(node: &Node) -> Result<Self, Unreadable> {
        let expressions = node.list("matchExpressions")?.iter();
        let expression = |node: &std::rc::Rc<Node>| {
            let text = |key: &str| {
                let word = node.field(key)?;
                word.map(|word| word.text)
                    .ok_or_else(|| node.unreadable(format!("this expression has no {key}")))
            };
            let operator = text("operator")?;
            if !matches!(
                operator.as_str(),
                "In" | "NotIn" | "Exists" | "DoesNotExist"
            ) {
                return Err(node.unreadable(format!("{operator} is no operator of a selector")));
            }
            let values = node.words("values")?;
            Ok(Expression {
                key: text("key")?,
                operator,
                values: values.into_iter().map(|word| word.text).collect(),
            })
        };
        Ok(Self {
            labels: labels(node, "matchLabels")?,
            expressions: expressions.map(expression).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it selects what has these labels. An empty one selects everything.
    pub(crate) fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        let mut wanted = self.labels.iter();
        wanted.all(|(key, value)| labels.get(key) == Some(value))
            && self.expressions.iter().all(|expression| {
                let value = labels.get(&expression.key);
                let listed = value.is_some_and(|value| expression.values.contains(value));
                match expression.operator.as_str() {
                    "In" => listed,
                    "NotIn" => !listed,
                    "Exists" => value.is_some(),
                    _ => value.is_none(),
                }
            })
    }
}

impl Binding {
    pub(super) fn read(node: &Node, meta: Meta) -> Result<Self, Unreadable> {
        let Some(role) = node.map("roleRef")? else {
            return Err(node.unreadable(format!("{} has no roleRef", meta.title())));
        };
        let text = |key: &str| {
            role.field(key)?
                .ok_or_else(|| role.unreadable(format!("this roleRef has no {key}")))
        };
        let name = text("name")?;
        let role = RoleRef {
            kind: text("kind")?.text,
            line: name.line,
            name: name.text,
        };
        let subjects = node.list("subjects")?.iter();
        Ok(Self {
            role,
            subjects: subjects
                .map(|node| Subject::read(node))
                .collect::<Result<_, _>>()?,
            subjects_line: line_of(node, "subjects", meta.line),
            meta,
        })
    }
}

impl Subject {
    fn read(node: &Node) -> Result<Self, Unreadable> {
        node.entries("a subject")?;
        let text = |key: &str| {
            node.field(key)?
                .ok_or_else(|| node.unreadable(format!("this subject has no {key}")))
        };
        let kind = text("kind")?;
        let kind = match kind.text.as_str() {
            "User" => SubjectKind::User,
            "Group" => SubjectKind::Group,
            "ServiceAccount" => SubjectKind::ServiceAccount,
            other => {
                return Err(node.unreadable(format!("{other} is no kind of a subject")));
            }
        };
        let name = text("name")?;
        Ok(Self {
            kind,
            line: name.line,
            name: name.text,
            namespace: node.field("namespace")?.map(|word| word.text),
        })
    }
}
