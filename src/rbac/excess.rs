//! What is granted and not needed: words of rules, and places where they are bound.

mod wide;

use super::builtin;
use super::finding::{Finding, Kind, Place};
use super::known::Known;
use super::manifest::Word;
use super::missing::{Told, in_place};
use super::never::{Never, joined};
use super::place::{Needed, Runner};
use super::profiles::{Allowed, Program};
use super::resolve::Grant;
use super::yaml::{self, list};

use wide::Wide;

/// Verbs by which somebody becomes somebody else.
const ESCALATING: [&str; 3] = ["bind", "escalate", "impersonate"];

/// Verbs that change an object.
const WRITING: [&str; 5] = ["create", "update", "patch", "delete", "deletecollection"];

/// What else can be written by whoever can write the leases of all namespaces.
const OTHER_LEASES: &str = "node heartbeats (leases in kube-node-lease) and control-plane leases (in kube-system) become writable";

/// All that is too much among what is granted.
pub(crate) fn find<'a>(
    runner: &'a Runner<'a>,
    grants: &'a [Grant<'a>],
    needs: &'a [Needed<'a>],
    known: &'a Known<'a>,
    never: &'a [Never<'a>],
    told: &'a Told<'a>,
) -> Vec<Finding> {
    let mut look = Look {
        runner,
        needs,
        known,
        never,
        told,
        wide: Wide::default(),
        findings: Vec::new(),
    };
    let mut seen: Vec<(*const super::manifest::Rule, Option<&str>)> = Vec::new();
    let mut built_in: Vec<Grant<'_>> = Vec::new();
    for grant in grants {
        if grant.binding.meta.origin.file.as_ref() == builtin::FILE || told.binding(grant.binding) {
            continue;
        }
        if grant.role.meta.origin.file.as_ref() == builtin::FILE {
            built_in.push(*grant);
            continue;
        }
        let key = (std::ptr::from_ref(grant.rule), grant.namespace);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        look.at_rule(grant);
    }
    look.at_built_in(&built_in);
    look.findings.extend(look.wide.findings(runner, grants));
    look.findings
}

struct Look<'a> {
    runner: &'a Runner<'a>,
    needs: &'a [Needed<'a>],
    known: &'a Known<'a>,
    never: &'a [Never<'a>],
    told: &'a Told<'a>,
    wide: Wide<'a>,
    findings: Vec<Finding>,
}

/// Resources of a rule of which the same is too much.
struct Same<'a> {
    kind: Kind,
    line: usize,
    groups: Vec<&'a str>,
    resources: Vec<&'a str>,
    verbs: Vec<&'a str>,
}

/// One API group and resource of a rule.
#[derive(Clone, Copy)]
struct Pair<'a> {
    group: &'a str,
    resource: &'a Word,
}

impl Pair<'_> {
    /// Whether it is what a need is about, wherever that is.
    fn serves(&self, needed: &Needed<'_>, verb: &str) -> bool {
        let asked = needed.requirement;
        let subresource = needed.path.split_once('/').map(|(_, part)| part);
        let word = self.resource.text.as_str();
        (self.group == "*" || asked.group == self.group)
            && (word == "*"
                || needed.path == word
                || (subresource.is_some() && word.strip_prefix("*/") == subresource))
            && (verb == "*" || asked.verb == verb)
    }
}

impl Program {
    /// Whether something in this API group can be too much.
    fn judges(&self, group: &str) -> bool {
        group == "*"
            || self
                .judged
                .as_ref()
                .is_none_or(|groups| groups.iter().any(|other| other == group))
    }

    fn allows(&self, group: &str, path: &str, verb: &str) -> bool {
        let is = |allowed: &str, word: &str| allowed == "*" || allowed == word;
        self.allowed.iter().any(|allowed| match allowed {
            Allowed::Permission {
                group: of,
                resource,
                verb: by,
            } => is(of, group) && is(resource, path) && is(by, verb),
            Allowed::ClusterRole(_) => false,
        })
    }
}

impl<'a> Look<'a> {
    fn is_needed(&self, pair: Pair<'_>, verb: &str) -> bool {
        self.needs.iter().any(|needed| pair.serves(needed, verb))
    }

    fn at_rule(&mut self, grant: &'a Grant<'a>) {
        let rule = grant.rule;
        let pairs = self.pairs(grant);
        let wild_group = rule.groups.iter().find(|word| word.text == "*");
        let wild_resource = rule.resources.iter().find(|word| word.text == "*");
        let wild_verb = rule.verbs.iter().find(|word| word.text == "*");
        let has_pairs = !pairs.is_empty();
        if has_pairs
            && (wild_group.is_some() || wild_resource.is_some())
            && self.at_wildcard(grant, [wild_group, wild_resource, wild_verb])
        {
            return;
        }
        let mut same: Vec<Same<'_>> = Vec::new();
        for pair in &pairs {
            for one in self.at_pair(grant, *pair, wild_verb) {
                let other = same.iter_mut().find(|other| {
                    other.kind == one.kind
                        && other.verbs == one.verbs
                        // Each resource that is not needed is a line to remove.
                        && (other.line == one.line || one.kind == Kind::UnneededVerb)
                });
                match other {
                    None => same.push(one),
                    Some(other) => {
                        for group in one.groups {
                            if !other.groups.contains(&group) {
                                other.groups.push(group);
                            }
                        }
                        for resource in one.resources {
                            if !other.resources.contains(&resource) {
                                other.resources.push(resource);
                            }
                        }
                    }
                }
            }
        }
        for same in same {
            self.tell(grant, &same);
        }
        self.wide.look(grant, &pairs, self.needs);
    }

    /// The pairs of a rule that there are. `deployments` of the core group is none if the rule names `apps` as well.
    fn pairs<'g>(&self, grant: &Grant<'g>) -> Vec<Pair<'g>> {
        let rule = grant.rule;
        let never: Option<&Never<'_>> = self
            .never
            .iter()
            .find(|never| std::ptr::eq(never.rule, rule));
        let mut pairs = Vec::new();
        for resource in &rule.resources {
            if never.is_some_and(|never| never.tells_of(resource)) {
                continue;
            }
            let of_word = |group: &&'g Word| {
                resource.text.contains('*')
                    || self.known.is_in(&group.text, &resource.text)
                    || !rule
                        .groups
                        .iter()
                        .any(|other| self.known.is_in(&other.text, &resource.text))
            };
            for group in rule.groups.iter().filter(of_word) {
                let pair = Pair {
                    group: &group.text,
                    resource,
                };
                // What stands in a wrong group has been told.
                let is_told = self.told.rule(rule)
                    && self.needs.iter().any(|it| it.path == resource.text)
                    && !self.known.is_in(pair.group, &resource.text);
                if self.runner.program.judges(pair.group) && !is_told {
                    pairs.push(pair);
                }
            }
        }
        pairs
    }

    /// What is too much of one pair.
    fn at_pair<'g>(
        &self,
        grant: &Grant<'g>,
        pair: Pair<'g>,
        wild_verb: Option<&'g Word>,
    ) -> Vec<Same<'g>> {
        let rule = grant.rule;
        let path = pair.resource.text.as_str();
        let mut same = Vec::new();
        let one = |kind: Kind, line: usize, verbs: Vec<&'g str>| Same {
            kind,
            line,
            groups: vec![pair.group],
            resources: vec![path],
            verbs,
        };
        let is_secret = pair.group.is_empty() && (path == "secrets" || path == "*");
        let verbs: Vec<&'g Word> = rule
            .verbs
            .iter()
            .filter(|verb| self.is_told_verb(grant, verb))
            .collect();
        let excess: Vec<&'g Word> = verbs
            .iter()
            .copied()
            .filter(|verb| {
                let allowed = self.runner.program.allows(pair.group, path, &verb.text);
                !self.is_needed(pair, &verb.text) && (!allowed || is_secret)
            })
            .collect();
        let texts = |words: &[&'g Word]| -> Vec<&'g str> {
            words.iter().map(|word| word.text.as_str()).collect()
        };
        let (escalating, other): (Vec<&'g Word>, Vec<&'g Word>) = excess
            .iter()
            .copied()
            .partition(|verb| ESCALATING.contains(&verb.text.as_str()));
        if let Some(first) = escalating.first() {
            same.push(one(Kind::Escalation, first.line, texts(&escalating)));
        }
        if let Some(wild) = wild_verb
            && self.is_needed(pair, "*")
        {
            same.push(one(Kind::Wildcard, wild.line, vec!["*"]));
            return same;
        }
        let Some(first) = other.first() else {
            return same;
        };
        let line = pair.resource.line;
        if is_secret {
            same.push(one(Kind::Secrets, line, texts(&other)));
        } else if !self.is_needed(pair, "*") {
            same.push(one(Kind::UnneededResource, line, texts(&other)));
        } else {
            same.push(one(Kind::UnneededVerb, first.line, texts(&other)));
        }
        same
    }

    /// Whether a verb is not told of as misspelt.
    fn is_told_verb(&self, grant: &Grant<'_>, verb: &Word) -> bool {
        let mut never = self.never.iter();
        !never.any(|never| std::ptr::eq(never.rule, grant.rule) && never.tells_of(verb))
    }

    /// A rule for any resource or any API group. `false` if that is allowed.
    fn at_wildcard(&mut self, grant: &Grant<'_>, wild: [Option<&Word>; 3]) -> bool {
        let rule = grant.rule;
        let program = self.runner.program;
        let mut verbs = rule.verbs.iter();
        if verbs.all(|verb| program.allows("*", "*", &verb.text)) {
            return false;
        }
        let Some(first) = wild.into_iter().flatten().map(|word| word.line).min() else {
            return false;
        };
        let served = self.needs.iter().filter(|needed| {
            let asked = needed.asked();
            asked.is_granted_by(rule) && asked.is_reached_from(grant.namespace)
        });
        let fix = yaml::rules(served);
        let (resources, verbs) = (joined(&rule.resources), joined(&rule.verbs));
        let mut message = format!(
            "{} grants {} of {} {}",
            title(grant),
            if wild[2].is_some() {
                "any verb"
            } else {
                &verbs
            },
            match (wild[0].is_some(), wild[1].is_some()) {
                (true, true) => "any resource of any API group".to_owned(),
                (false, true) => format!(
                    "any resource of the API group {}",
                    list(&texts(&rule.groups))
                ),
                _ => format!("{resources} of any API group"),
            },
            in_place(grant.namespace)
        );
        let has_group = |name: &str| {
            let mut groups = rule.groups.iter();
            groups.any(|word| word.text == "*" || word.text == name)
        };
        if wild[1].is_some() && has_group("") {
            message.push_str(": secrets are among them");
        }
        let leases = wild[1].is_some() || rule.resources.iter().any(|word| word.text == "leases");
        if has_group("coordination.k8s.io")
            && leases
            && grant.namespace.is_none()
            && is_writing(&rule.verbs)
        {
            message.push_str(&format!("; {OTHER_LEASES}"));
        }
        self.findings.push(
            Finding::new(
                Kind::Wildcard,
                Place::of(&grant.role.meta, first),
                message,
                if fix.is_empty() {
                    "remove the rule".to_owned()
                } else {
                    format!("# instead:\n{}", fix.join("\n"))
                },
            )
            .about(joined(&rule.groups), resources, verbs, grant.namespace),
        );
        true
    }

    fn tell(&mut self, grant: &Grant<'_>, same: &Same<'_>) {
        let (verbs, resources) = (same.verbs.join(", "), same.resources.join(", "));
        let program = &self.runner.program.profile.name;
        let title = title(grant);
        let place = in_place(grant.namespace);
        let served: Vec<&Needed<'_>> = self
            .needs
            .iter()
            .filter(|needed| same.resources.contains(&needed.path.as_str()))
            .collect();
        let (message, fix) = match same.kind {
            Kind::Escalation => (
                format!(
                    "{title} grants {verbs} of {resources} {place}, by which {program} can give itself any right"
                ),
                format!("remove {verbs}"),
            ),
            Kind::Secrets => (
                format!("{title} grants {verbs} of secrets {place}, and {program} needs none"),
                "remove secrets from the rule".to_owned(),
            ),
            Kind::Wildcard => (
                format!("{title} grants any verb of {resources} {place}"),
                format!("# instead:\n{}", yaml::rules(served.into_iter()).join("\n")),
            ),
            Kind::UnneededVerb => (
                format!(
                    "{title} grants {verbs} of {resources} {place}, and {program} does not need it"
                ),
                format!("remove {verbs}"),
            ),
            _ => (
                format!(
                    "{title} grants {verbs} of {resources} {place}, and {program} does not need it"
                ),
                if grant.rule.resources.len() == 1 {
                    "remove the rule".to_owned()
                } else {
                    format!("remove {resources} from the rule")
                },
            ),
        };
        let finding = Finding::new(
            same.kind,
            Place::of(&grant.role.meta, same.line),
            message,
            fix,
        );
        self.findings.push(finding.about(
            same.groups.join(","),
            same.resources.join(","),
            same.verbs.join(","),
            grant.namespace,
        ));
    }

    /// Roles of the API server itself. Nobody edits those, so that all that is too much is one finding for a binding.
    fn at_built_in(&mut self, grants: &[Grant<'_>]) {
        let mut bindings: Vec<Grant<'_>> = Vec::new();
        for grant in grants {
            if !bindings
                .iter()
                .any(|other| std::ptr::eq(other.binding, grant.binding))
            {
                bindings.push(*grant);
            }
        }
        for bound in bindings {
            let name = bound.binding.role.name.as_str();
            let program = self.runner.program;
            let is_allowed = program
                .allowed
                .iter()
                .any(|allowed| matches!(allowed, Allowed::ClusterRole(other) if other == name));
            if is_allowed {
                continue;
            }
            let own = grants
                .iter()
                .filter(|grant| std::ptr::eq(grant.binding, bound.binding));
            let mut resources: Vec<&str> = Vec::new();
            let mut groups: Vec<&str> = Vec::new();
            for grant in own {
                for pair in self.pairs(grant) {
                    // Nobody needs any verb or any resource.
                    let rule = grant.rule;
                    let is_wild =
                        pair.resource.text == "*" || rule.verbs.iter().any(|it| it.text == "*");
                    if is_wild || !self.at_pair(grant, pair, None).is_empty() {
                        add(&mut resources, &pair.resource.text);
                        add(&mut groups, pair.group);
                    }
                }
            }
            let place = in_place(bound.namespace);
            let everything = resources.contains(&"*");
            let (kind, what) = if everything {
                (Kind::Wildcard, "everything".to_owned())
            } else if resources.is_empty() {
                continue;
            } else if resources.contains(&"secrets") {
                let count = resources.len() - 1;
                (
                    Kind::Secrets,
                    format!(
                        "secrets and {count} other resources that {} does not need",
                        program.profile.name
                    ),
                )
            } else {
                let count = resources.len();
                (
                    Kind::UnneededResource,
                    format!(
                        "more of {count} resources than {} needs",
                        program.profile.name
                    ),
                )
            };
            let message = format!(
                "{} binds ClusterRole {name}, which grants {what} {place}",
                bound.binding.meta.title()
            );
            let needed = self.needs.iter().filter(|needed| {
                let asked = needed.asked();
                grants
                    .iter()
                    .any(|grant| std::ptr::eq(grant.binding, bound.binding) && grant.allows(&asked))
            });
            let rules = yaml::rules(needed);
            let fix = if rules.is_empty() {
                format!("remove {}", bound.binding.meta.title())
            } else {
                format!("# a role of these rules:\n{}", rules.join("\n"))
            };
            let finding = Finding::new(
                kind,
                Place::of(&bound.binding.meta, bound.binding.role.line),
                message,
                fix,
            );
            let finding = finding.about(
                groups.join(","),
                resources.join(","),
                if everything { "*" } else { "" },
                bound.namespace,
            );
            self.findings.push(Finding {
                verb: finding.verb.filter(|verb| !verb.is_empty()),
                ..finding
            });
        }
    }
}

/// The role, and the one that is bound if it is only a part of that.
fn title(grant: &Grant<'_>) -> String {
    let role = grant.role.meta.title();
    let bound = grant.role.meta.name == grant.binding.role.name;
    if bound {
        role
    } else {
        format!("{role}, a part of {},", grant.binding.role.name)
    }
}

fn add<'a>(words: &mut Vec<&'a str>, word: &'a str) {
    if !words.contains(&word) {
        words.push(word);
    }
}

fn texts(words: &[Word]) -> Vec<&str> {
    words.iter().map(|word| word.text.as_str()).collect()
}

fn is_writing(verbs: &[Word]) -> bool {
    verbs
        .iter()
        .any(|verb| verb.text == "*" || WRITING.contains(&verb.text.as_str()))
}
