//! What a program may do on an API server: what it needs, what a set of roles grants, and the rule that is missing.
//!
//! Pure: nothing here asks an API server or reads a file.

pub(crate) mod builtin;
mod environment;
mod excess;
pub(crate) mod finding;
pub(crate) mod generate;
pub(crate) mod judge;
mod known;
pub(crate) mod manifest;
mod missing;
mod never;
pub(crate) mod parity;
pub(crate) mod place;
pub mod profiles;
pub mod requirement;
pub(crate) mod resolve;
mod rule;
pub(crate) mod yaml;

use std::collections::BTreeSet;

pub(crate) use rule::{Missing, OfEvidence, Rule};

/// One kind of request: what an API server is asked by a SubjectAccessReview.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The verb.
    pub verb: &'a str,
    /// The API group.
    pub group: &'a str,
    /// The resource, with its subresource.
    pub resource: &'a str,
    /// The one object, if it is known.
    pub name: Option<&'a str>,
    /// `None` for all namespaces.
    pub namespace: Option<&'a str>,
}

/// Which of these requests manifests grant a user: for a test that asks an API server the same.
///
/// # Errors
/// What cannot be read, with line and column.
pub fn granted(
    manifests: &str,
    user: &str,
    questions: &[Question<'_>],
) -> Result<Vec<bool>, String> {
    let objects = manifest::read("manifests", manifests.as_bytes()).map_err(|unreadable| {
        let manifest::Mark { line, column } = unreadable.mark;
        format!("{line}:{column}: {}", unreadable.message)
    })?;
    let model = resolve::Model::new(objects, "default");
    let grants = model.grants_to(&resolve::Identity::user(user));
    let is_granted = |question: &Question<'_>| {
        let asked = resolve::Asked {
            group: question.group,
            resource: question.resource,
            verb: question.verb,
            name: question.name,
            namespace: question.namespace,
        };
        grants.iter().any(|grant| grant.allows(&asked))
    };
    Ok(questions.iter().map(is_granted).collect())
}

/// What is known of an API server's own roles, as objects: for a test that compares them.
#[must_use]
pub fn built_in() -> Vec<serde_json::Value> {
    builtin::values()
}

/// The API groups and resources that are known: for a test that compares them.
#[must_use]
pub fn resources() -> BTreeSet<(String, String)> {
    let known = builtin::resources().iter();
    known
        .map(|known| (known.group.to_owned(), known.path.to_owned()))
        .collect()
}
