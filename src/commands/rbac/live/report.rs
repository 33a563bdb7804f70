//! What the cluster said, as a table and as JSON. Nothing is asked here.

use anstyle::Style;
use serde_json::{Value, json};

use super::super::check::FailOn;
use super::excess::Found;
use super::review::Subject;
use super::roles::{Roles, Unread};
use super::{Answer, Places, Question, State};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::{Failure, missing_rule};
use crate::output::colour::{self, ATTENTION, ERROR, HINT, PLAIN};
use crate::output::table::{self, Columns};
use crate::output::{self, API_VERSION, OutputError, escape::escape_line};
use crate::rbac::Rule;
use crate::rbac::generate::{Site, roles_for};
use crate::rbac::profiles::gwlock;
use crate::rbac::requirement::Requirement;

/// What came of a check.
pub(super) struct Report<'a> {
    pub(super) question: &'a Question<'a>,
    pub(super) places: Places<'a>,
    pub(super) subject: &'a Option<Subject>,
    pub(super) answers: &'a [Answer<'a>],
    pub(super) roles: &'a Roles,
    pub(super) excess: &'a [Found],
}

impl Answer<'_> {
    fn allowed(&self) -> Option<bool> {
        match self.state {
            State::Allowed(_) => Some(true),
            State::Denied(_) | State::NotServed => Some(false),
            State::Failed { .. } => None,
        }
    }

    /// The rule that grants it, as a role takes it.
    fn rule(&self) -> String {
        let resource = self.requirement.resource_path();
        Rule {
            group: &self.requirement.group,
            resource: &resource,
            verb: &self.requirement.verb,
            namespace: self.namespace.as_deref(),
        }
        .to_string()
    }

    fn resource(&self) -> String {
        let path = self.requirement.resource_path();
        match self.requirement.group.as_ref() {
            "" => path,
            group => format!("{path}.{group}"),
        }
    }

    fn place(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("in namespace {namespace}"),
            None => "in the whole cluster".to_owned(),
        }
    }

    /// What keeps it from being granted, in a sentence without its full stop.
    fn trouble(&self) -> Option<String> {
        let (verb, resource, place) = (&self.requirement.verb, self.resource(), self.place());
        match &self.state {
            State::Allowed(_) => None,
            State::Denied(reason) if reason.is_empty() => {
                Some(format!("may not {verb} {resource} {place}"))
            }
            State::Denied(reason) => Some(format!("may not {verb} {resource} {place}: {reason}")),
            State::NotServed => Some(format!("there is no resource {resource} in this cluster")),
            State::Failed { message, .. } => Some(format!(
                "nobody knows whether {verb} {resource} is allowed {place}: {message}"
            )),
        }
    }

    fn cells(&self, why: bool) -> Vec<String> {
        let allowed = match &self.state {
            State::Allowed(_) => "yes",
            State::Denied(_) => "no",
            State::NotServed => "no such resource",
            State::Failed { .. } => "unknown",
        };
        let need = if self.is_needed() {
            "needed"
        } else {
            "optional"
        };
        let last = match &self.state {
            State::Allowed(reason) if why && reason.is_empty() => "no reason is given".to_owned(),
            State::Allowed(reason) if why => granted_by(reason).to_owned(),
            State::Denied(_) | State::NotServed | State::Failed { .. } if why => String::new(),
            _ => self.requirement.why.to_string(),
        };
        let name = self.requirement.name.as_ref();
        let resource = name.map_or_else(
            || self.resource(),
            |name| format!("{}/{name}", self.resource()),
        );
        vec![
            allowed.to_owned(),
            self.requirement.verb.to_string(),
            resource,
            self.namespace.clone().unwrap_or_else(|| "*".to_owned()),
            need.to_owned(),
            last,
        ]
    }

    fn style(&self) -> Style {
        match self.state {
            State::Allowed(_) => PLAIN,
            _ if self.blocks() => ERROR,
            _ => ATTENTION,
        }
    }

    fn value(&self) -> Value {
        let requirement = self.requirement;
        let (reason, error) = match &self.state {
            State::Allowed(reason) | State::Denied(reason) => (Some(granted_by(reason)), None),
            State::NotServed => (None, Some("there is no such resource")),
            State::Failed { message, .. } => (None, Some(message.as_str())),
        };
        json!({
            "group": requirement.group, "resource": requirement.resource_path(), "verb": requirement.verb,
            "name": requirement.name, "namespace": self.namespace, "needed": self.is_needed(),
            "allowed": self.allowed(), "reason": reason.filter(|reason| !reason.is_empty()), "error": error,
            "why": requirement.why,
        })
    }

    /// What an offline check calls it.
    fn finding(&self) -> Option<Value> {
        if !matches!(self.state, State::Denied(_) | State::NotServed) || !self.is_needed() {
            return None;
        }
        let fix = match self.state {
            State::NotServed => "install what defines it".to_owned(),
            _ => self.rule(),
        };
        Some(json!({
            "class": "missing", "group": self.requirement.group, "resource": self.requirement.resource_path(),
            "verb": self.requirement.verb, "namespace": self.namespace, "rule": "rule-absent", "object": null, "file": null, "document": null, "line": null,
            "message": self.trouble(), "fix": fix,
        }))
    }
}

impl Found {
    fn value(&self) -> Value {
        let finding = &self.finding;
        json!({
            "class": finding.kind.class().as_str(), "rule": finding.kind.as_str(), "group": finding.group,
            "resource": finding.resource, "verb": finding.verb, "namespace": finding.namespace,
            "object": self.object, "file": null, "document": null, "line": null, "message": finding.message,
            "fix": finding.fix,
        })
    }
}

/// What grants it, in the server's words: `ClusterRoleBinding "b" of ClusterRole "r" to User "u"`.
fn granted_by(reason: &str) -> &str {
    reason.strip_prefix("RBAC: allowed by ").unwrap_or(reason)
}

impl Report<'_> {
    fn blocking(&self) -> impl Iterator<Item = &Answer<'_>> {
        self.answers.iter().filter(|answer| answer.blocks())
    }

    /// What was not answered, of what is needed.
    fn unknown(&self) -> impl Iterator<Item = (&Answer<'_>, Exit, &str)> {
        let needed = self.answers.iter().filter(|answer| answer.is_needed());
        needed.filter_map(|answer| match &answer.state {
            State::Failed { exit, message } => Some((answer, *exit, message.as_str())),
            _ => None,
        })
    }

    fn verdict(&self) -> &'static str {
        if self.blocking().next().is_some() {
            "insufficient"
        } else if self.unknown().next().is_some() {
            "unknown"
        } else {
            "sufficient"
        }
    }

    fn subject(&self) -> &str {
        let subject = self.subject.as_ref();
        subject.map_or("whoever asks", |subject| subject.user.as_str())
    }

    pub(super) fn show(&self) -> Result<(), OutputError> {
        if self.question.output.is_structured() {
            return self.question.output.show(&self.value());
        }
        let why = self.question.why;
        let last = if why { "GRANTED BY" } else { "FOR" };
        let header = vec!["ALLOWED", "VERB", "RESOURCE", "NAMESPACE", "NEED", last];
        let mut columns = Columns::new(header, colour::on_stdout());
        let rows: Vec<(Vec<String>, Style)> = self
            .answers
            .iter()
            .map(|answer| (answer.cells(why), answer.style()))
            .collect();
        rows.iter().for_each(|(cells, _)| columns.measure(cells));
        output::stream(|out| {
            columns.write_header(out)?;
            columns.write_all(out, rows.iter().map(|(cells, style)| (cells, *style)))
        })?;
        self.show_excess()?;
        let mut told: Vec<String> = Vec::new();
        for answer in self.answers {
            // A resource that is not there is asked about for several verbs.
            let trouble = answer.trouble().filter(|trouble| !told.contains(trouble));
            let Some(trouble) = trouble else {
                continue;
            };
            told.push(trouble.clone());
            match &answer.state {
                State::Denied(_) if answer.is_needed() => {}
                State::Denied(_) => {
                    let message = format!("{} {trouble}; it works without", self.subject());
                    output::problem("warning", ATTENTION, &escape_line(&message));
                }
                _ if answer.is_needed() => output::problem("error", ERROR, &escape_line(&trouble)),
                _ => output::problem("warning", ATTENTION, &escape_line(&trouble)),
            }
        }
        self.tell_of_unread_roles();
        Ok(())
    }

    /// What is granted and not needed, or written and never granted, below the answers.
    fn show_excess(&self) -> Result<(), OutputError> {
        if self.excess.is_empty() {
            return Ok(());
        }
        let row = |found: &Found| {
            vec![
                found.finding.kind.class().as_str().to_owned(),
                found.object.clone(),
                found.finding.message.clone(),
            ]
        };
        let rows: Vec<Vec<String>> = self.excess.iter().map(row).collect();
        let header = ["CLASS", "OBJECT", "FINDING"];
        output::data(&format!("\n{}", table::render(&header, &rows)))
    }

    /// Without all of them nothing is said of what is granted and not needed.
    fn tell_of_unread_roles(&self) {
        let unread = &self.roles.unread;
        let Some(first) = unread.first() else {
            return;
        };
        let mut resources: Vec<&str> = unread.iter().map(|unread| unread.resource).collect();
        resources.dedup();
        let message = format!(
            "not compared with what is granted, because {} cannot be listed: {}",
            resources.join(", "),
            first.why
        );
        output::problem("warning", ATTENTION, &escape_line(&message));
        let is_denied = |unread: &&Unread| missing_rule(&unread.why).is_some();
        let denied: Vec<&str> = unread
            .iter()
            .filter(is_denied)
            .map(|unread| unread.resource)
            .collect();
        let readable = gwlock::reads_roles();
        let missing: Vec<&Requirement> = readable
            .iter()
            .filter(|asked| denied.contains(&asked.resource.as_ref()))
            .collect();
        if !missing.is_empty() {
            output::problem("hint", HINT, &self.rules(missing));
        }
    }

    /// The hint with the roles that grant these.
    fn rules<'r>(&self, missing: impl IntoIterator<Item = &'r Requirement>) -> String {
        let site = Site {
            leases: self.places.leases,
            requests: self.places.requests,
            service_account: "gwlock",
        };
        let roles = roles_for(missing, site).trim_end().replace('\n', "\n  ");
        format!("the rules that are missing:\n  {roles}")
    }

    fn value(&self) -> Value {
        let missing = self.answers.iter().filter_map(Answer::finding);
        let findings: Vec<Value> = missing
            .chain(self.excess.iter().map(Found::value))
            .collect();
        let answers: Vec<Value> = self.answers.iter().map(Answer::value).collect();
        let unread = self.roles.unread.iter().map(|unread| {
            json!({"resource": unread.resource, "namespace": unread.namespace, "reason": unread.why})
        });
        json!({
            "apiVersion": API_VERSION, "kind": "RbacReport", "profile": self.question.program.profile.name,
            "subject": self.subject.as_ref().map(|subject| &subject.user), "verdict": self.verdict(),
            "findings": findings, "answers": answers, "notLookedAt": unread.collect::<Vec<_>>(),
        })
    }

    /// How it ends, if not well.
    pub(super) fn failure(&self, context: &Context) -> Option<Failure> {
        let profile = &self.question.program.profile.name;
        let all = self.answers.len();
        let blocking: Vec<&Answer<'_>> = self.blocking().collect();
        if !blocking.is_empty() && self.question.fail_on != FailOn::Excessive {
            let message = format!(
                "insufficient: {} lacks {} of the {all} permissions of {profile}",
                self.subject(),
                blocking.len()
            );
            let failure = Failure::says(Exit::No, message);
            if self.question.output.is_structured() {
                return Some(failure);
            }
            let denied = blocking
                .iter()
                .filter(|answer| matches!(answer.state, State::Denied(_)));
            let denied: Vec<&Requirement> = denied.map(|answer| answer.requirement).collect();
            if denied.is_empty() {
                return Some(failure);
            }
            let failure = failure.hint(self.rules(denied));
            return Some(failure.hint(self.generate(context)));
        }
        let mut unknown = self.unknown();
        let Some((_, exit, message)) = unknown.next() else {
            return self.too_much();
        };
        let failure = match exit {
            Exit::Forbidden => Failure::denied(message),
            _ => Failure::says(exit, message),
        };
        let count = unknown.count() + 1;
        let message = format!(
            "unknown: {count} of the {all} permissions of {profile} could not be asked for"
        );
        Some(failure.reworded(exit, message))
    }

    /// More is granted than is needed, or written than is granted, if that is to fail.
    fn too_much(&self) -> Option<Failure> {
        let fail_on = self.question.fail_on;
        let findings = self.excess.iter().map(|found| &found.finding);
        let count = findings.filter(|finding| fail_on.is_about(finding)).count();
        if count == 0 {
            return None;
        }
        let profile = &self.question.program.profile.name;
        let findings = if count == 1 { "finding" } else { "findings" };
        let message = format!(
            "{} has all that {profile} asks, and {count} {findings} beside",
            self.subject()
        );
        Some(Failure::says(Exit::No, message).hint("--fail-on missing ends with 0 for that"))
    }

    /// The command that prints all that is needed.
    fn generate(&self, context: &Context) -> String {
        let (program, _) = context.called();
        let Places { leases, requests } = self.places;
        let account = self.question.account;
        let account = account
            .filter(|(namespace, _)| namespace == leases)
            .map_or_else(String::new, |(_, name)| format!(" --serviceaccount {name}"));
        let requests = if requests == leases {
            String::new()
        } else {
            format!(" --controller-namespace {requests}")
        };
        format!(
            "{program} rbac generate{} --namespace {leases}{requests}{account}   # all that is needed",
            self.question.profile_flags
        )
    }
}
