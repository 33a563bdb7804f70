//! Manifests as YAML with comments. What stands in them is decided elsewhere.

use std::fmt;

use super::{Body, Content, Manifests, Object, Rule, Variable};
use crate::rbac::requirement::Need;

/// What YAML reads as something else than a text.
const NO_TEXTS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

impl fmt::Display for Manifests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As reasons do, it may come from a file.
        let title = self.title.replace(char::is_control, " ");
        writeln!(f, "# What {title} asks of an API server, and no more.")?;
        for (number, object) in self.objects.iter().enumerate() {
            if number > 0 {
                writeln!(f, "---")?;
            }
            object.fmt(f)?;
        }
        if self.variables.is_empty() {
            return Ok(());
        }
        writeln!(f, "# The pod template of the workload needs:")?;
        writeln!(f, "#")?;
        writeln!(f, "# spec:")?;
        let account = scalar(&self.service_account);
        writeln!(f, "#   serviceAccountName: {account}")?;
        writeln!(f, "#   containers:")?;
        writeln!(f, "#   - env:")?;
        self.variables
            .iter()
            .try_for_each(|variable| variable.fmt(f))
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "apiVersion: {}", self.api_version())?;
        writeln!(f, "kind: {}", self.kind())?;
        writeln!(f, "metadata:")?;
        writeln!(f, "  name: {}", scalar(&self.name))?;
        if let Some(namespace) = &self.namespace {
            writeln!(f, "  namespace: {}", scalar(namespace))?;
        }
        match &self.body {
            Body::ServiceAccount => Ok(()),
            Body::Role(rules) => {
                writeln!(f, "rules:")?;
                rules.iter().try_for_each(|rule| rule.fmt(f))
            }
            Body::Binding {
                account,
                account_namespace,
            } => {
                writeln!(f, "roleRef:")?;
                writeln!(f, "  apiGroup: rbac.authorization.k8s.io")?;
                writeln!(f, "  kind: {}", self.role_kind())?;
                writeln!(f, "  name: {}", scalar(&self.name))?;
                writeln!(f, "subjects:")?;
                writeln!(f, "- kind: ServiceAccount")?;
                writeln!(f, "  name: {}", scalar(account))?;
                writeln!(f, "  namespace: {}", scalar(account_namespace))
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for verb in &self.verbs {
            // A profile may come from a file, and a comment ends with its line.
            let why = verb.why.replace(char::is_control, " ");
            let end = match verb.need {
                Need::Needed => "",
                Need::Optional => "; works without",
            };
            writeln!(f, "# {}: to {why}{end}", verb.verb)?;
        }
        let verbs: Vec<&String> = self.verbs.iter().map(|verb| &verb.verb).collect();
        writeln!(f, "- apiGroups: {}", sequence(&[&self.group]))?;
        writeln!(
            f,
            "  resources: {}",
            sequence(&self.resources.iter().collect::<Vec<_>>())
        )?;
        if !self.names.is_empty() {
            let names: Vec<&String> = self.names.iter().collect();
            writeln!(f, "  resourceNames: {}", sequence(&names))?;
        }
        writeln!(f, "  verbs: {}", sequence(&verbs))
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "#     - name: {}", scalar(&self.name))?;
        match &self.value {
            Content::Field(path) => {
                writeln!(f, "#       valueFrom: {{fieldRef: {{fieldPath: {path}}}}}")
            }
            Content::Text(text) => writeln!(f, "#       value: {}", scalar(text)),
        }
    }
}

fn sequence(items: &[&String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Bare where YAML reads it as the same text: the names of objects nearly always are.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-._".contains(character))
        && !NO_TEXTS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// A JSON string is a YAML one.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
