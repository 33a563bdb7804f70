//! Rules that are written and grant nothing: misspelt, incomplete, or of a kind that no request matches.

use super::builtin;
use super::finding::{Finding, Kind, Place};
use super::known::{self, Known};
use super::manifest::{Role, Rule, Word};
use super::place::Needed;
use super::resolve::Grant;
use super::yaml::{Words, list};

/// A rule with words that never match.
#[derive(Debug)]
pub(crate) struct Never<'a> {
    pub(crate) rule: &'a Rule,
    /// The namespaces that it is bound in.
    namespaces: Vec<Option<&'a str>>,
    /// As it was probably meant.
    corrected: Rule,
    pub(crate) findings: Vec<Finding>,
}

impl Never<'_> {
    /// Whether the rule would grant this if it were right.
    pub(crate) fn explains(&self, needed: &Needed<'_>) -> bool {
        let asked = needed.asked();
        let mut namespaces = self.namespaces.iter();
        asked.is_granted_by(&self.corrected) && namespaces.any(|it| asked.is_reached_from(*it))
    }

    /// Whether a resource or a verb of the rule is one that is told of here.
    pub(crate) fn tells_of(&self, word: &Word) -> bool {
        let mut corrected = self.corrected.resources.iter().chain(&self.corrected.verbs);
        !corrected.any(|other| other.text == word.text)
    }
}

/// All of them among what is granted.
pub(crate) fn find<'a>(
    grants: &[Grant<'a>],
    needs: &[Needed<'_>],
    known: &Known<'_>,
) -> Vec<Never<'a>> {
    let mut found: Vec<Never<'a>> = Vec::new();
    for grant in grants {
        if grant.role.meta.origin.file.as_ref() == builtin::FILE {
            continue;
        }
        let same = |never: &&mut Never<'a>| std::ptr::eq(never.rule, grant.rule);
        if let Some(never) = found.iter_mut().find(same) {
            never.namespaces.push(grant.namespace);
            continue;
        }
        let mut look = Look {
            role: grant.role,
            rule: grant.rule,
            needs,
            known,
            corrected: grant.rule.clone(),
            findings: Vec::new(),
        };
        look.at_lists();
        look.at_urls(grant);
        look.at_names();
        look.at_verbs();
        look.at_resources();
        if !look.findings.is_empty() {
            found.push(Never {
                rule: grant.rule,
                namespaces: vec![grant.namespace],
                corrected: look.corrected,
                findings: look.findings,
            });
        }
    }
    found
}

struct Look<'a> {
    role: &'a Role,
    rule: &'a Rule,
    needs: &'a [Needed<'a>],
    known: &'a Known<'a>,
    corrected: Rule,
    findings: Vec<Finding>,
}

/// The texts, with commas between.
pub(crate) fn joined(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    words.join(",")
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

impl Look<'_> {
    fn tell(&mut self, kind: Kind, line: usize, message: String, fix: String) {
        self.tell_of(
            kind,
            line,
            &self.rule.resources.clone(),
            &self.rule.verbs.clone(),
            message,
            fix,
        );
    }

    fn tell_of(
        &mut self,
        kind: Kind,
        line: usize,
        resources: &[Word],
        verbs: &[Word],
        mut message: String,
        fix: String,
    ) {
        let place = Place::of(&self.role.meta, line);
        message.insert_str(0, &format!("{}: ", self.role.meta.title()));
        let finding = Finding::new(kind, place, message, fix).about(
            joined(&self.rule.groups),
            joined(resources),
            joined(verbs),
            self.role.meta.namespace.as_deref(),
        );
        self.findings.push(finding);
    }

    /// The role as a whole is not there, because an API server refuses it.
    fn refuse(&mut self) {
        if let Some(finding) = self.findings.last_mut() {
            finding.blocks = true;
        }
    }

    fn at_lists(&mut self) {
        let rule = self.rule;
        if rule.verbs.is_empty() {
            self.tell(
                Kind::Incomplete,
                rule.line,
                "a rule without verbs grants nothing, and an API server refuses the role"
                    .to_owned(),
                "verbs: [\"get\"]   # those that are needed".to_owned(),
            );
            self.refuse();
        }
        if rule.groups.is_empty() && !rule.resources.is_empty() {
            let message =
                "a rule without apiGroups grants nothing, and an API server refuses the role";
            let mut groups: Vec<&str> = Vec::new();
            for needed in self.needs {
                let group = needed.requirement.group.as_ref();
                let named = rule.resources.iter().any(|word| word.text == needed.path);
                if named && !groups.contains(&group) {
                    groups.push(group);
                }
            }
            let fix = format!("apiGroups: {}", list(&groups));
            self.tell(Kind::Incomplete, rule.line, message.to_owned(), fix);
            self.refuse();
            self.corrected.groups = vec![Word {
                text: "*".to_owned(),
                line: rule.line,
            }];
        }
        if rule.resources.is_empty() && !rule.groups.is_empty() && rule.urls.is_empty() {
            self.tell(
                Kind::Incomplete,
                rule.line,
                "a rule without resources grants nothing, and an API server refuses the role"
                    .to_owned(),
                "resources: […]   # those that are needed".to_owned(),
            );
            self.refuse();
        }
    }

    fn at_urls(&mut self, grant: &Grant<'_>) {
        let rule = self.rule;
        if rule.urls.is_empty() {
            return;
        }
        let urls = joined(&rule.urls);
        if !self.role.meta.is_cluster_wide() {
            let message = format!(
                "a Role cannot grant the path {urls}: it has no namespace, and an API server refuses the role"
            );
            let fix = "move the rule to a ClusterRole that a ClusterRoleBinding binds".to_owned();
            self.tell_of(
                Kind::UrlsInRole,
                rule.urls_line,
                &rule.urls,
                &rule.verbs,
                message,
                fix,
            );
            self.refuse();
            self.refuse();
        } else if grant.namespace.is_some() {
            let message = format!(
                "the path {urls} has no namespace, and {} grants in one",
                grant.binding.meta.title()
            );
            let fix = format!("bind {} by a ClusterRoleBinding", self.role.meta.title());
            self.tell_of(
                Kind::UrlsInRole,
                rule.urls_line,
                &rule.urls,
                &rule.verbs,
                message,
                fix,
            );
        }
    }

    /// The name of an object that is not there yet is not part of the request, so that no list of names has it.
    fn at_names(&mut self) {
        let rule = self.rule;
        let create: Vec<Word> = rule
            .verbs
            .iter()
            .filter(|verb| verb.text == "create")
            .cloned()
            .collect();
        if rule.names.is_empty() || create.is_empty() {
            return;
        }
        // A subresource has its object's name in its path, and some permissions are asked for by name.
        let asked_by_name = |path: &str| {
            self.needs.iter().any(|needed| {
                let asked = needed.requirement;
                asked.name.is_some() && asked.verb == "create" && needed.path == path
            })
        };
        let resources: Vec<Word> = rule
            .resources
            .iter()
            .filter(|word| !word.text.contains('/') && !asked_by_name(&word.text))
            .cloned()
            .collect();
        if resources.is_empty() {
            return;
        }
        let mut message = format!(
            "create of {} is never granted by a rule with resourceNames: the object has no name yet when it is asked",
            joined(&resources)
        );
        // The same list of names keeps the program from objects that it names itself.
        let mut others: Vec<&str> = Vec::new();
        for needed in self.needs {
            let verb = needed.requirement.verb.as_ref();
            let named = resources.iter().any(|word| word.text == needed.path);
            let limited = named && needed.requirement.name.is_none() && verb != "create";
            let written = rule.verbs.iter().any(|word| word.text == verb);
            if limited && written && !others.contains(&verb) {
                others.push(verb);
            }
        }
        let words = Words {
            groups: texts(&rule.groups),
            resources: texts(&resources),
            names: Vec::new(),
            verbs: vec!["create"],
        };
        let fix = if others.is_empty() {
            format!(
                "# a rule of its own, without resourceNames:\n{}",
                words.rule()
            )
        } else {
            message.push_str(&format!(
                "; neither is {} of any but {}",
                others.join(", "),
                joined(&rule.names)
            ));
            format!("remove resourceNames: {}", list(&texts(&rule.names)))
        };
        self.tell_of(
            Kind::CreateWithNames,
            rule.names_line,
            &resources,
            &create,
            message,
            fix,
        );
        self.corrected.names.clear();
    }

    fn at_verbs(&mut self) {
        let rule = self.rule;
        for (at, word) in rule.verbs.iter().enumerate() {
            if known::is_verb(&word.text) {
                continue;
            }
            let Some(meant) = known::meant_verb(&word.text) else {
                continue;
            };
            let message = format!(
                "{:?} is no verb, and matches no request; did you mean {meant:?}?",
                word.text
            );
            let one = [word.clone()];
            let fix = format!("write {meant:?} for {:?}", word.text);
            self.tell_of(
                Kind::UnknownVerb,
                word.line,
                &rule.resources,
                &one,
                message,
                fix,
            );
            meant.clone_into(&mut self.corrected.verbs[at].text);
        }
    }

    fn at_resources(&mut self) {
        let rule = self.rule;
        let groups = texts(&rule.groups);
        for (at, word) in rule.resources.iter().enumerate() {
            let path = word.text.as_str();
            let is_known = groups.iter().any(|group| self.known.is_in(group, path));
            if is_known || path.contains('*') {
                continue;
            }
            let one = [word.clone()];
            if let Some(meant) = self.known.meant(&groups, path) {
                let message = format!(
                    "{path:?} is no resource, and matches no request; did you mean {meant:?}?"
                );
                let fix = format!("write {meant:?} for {path:?}");
                self.tell_of(
                    Kind::UnknownResource,
                    word.line,
                    &one,
                    &rule.verbs,
                    message,
                    fix,
                );
                self.corrected.resources[at].text = meant;
                continue;
            }
            // A resource that is needed and stands in another group is a need that is not met.
            let is_needed = self.needs.iter().any(|needed| needed.path == path);
            let all_known = groups.iter().all(|group| self.known.knows_all_of(group));
            if !is_needed && all_known && self.known.is_anywhere(path) {
                let message = format!(
                    "there is no {path:?} in the API group {}, so this matches no request",
                    list(&groups)
                );
                let fix = format!("name the API group of {path}, or remove it");
                self.tell_of(
                    Kind::UnknownResource,
                    word.line,
                    &one,
                    &rule.verbs,
                    message,
                    fix,
                );
                self.corrected.resources[at].text = format!("{path} ");
            }
        }
    }
}
