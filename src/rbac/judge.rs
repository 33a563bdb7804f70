//! What a set of manifests is worth for a program: all findings, and whether it is sufficient.

use super::environment;
use super::excess;
use super::finding::{Finding, Kind};
use super::known::Known;
use super::missing;
use super::never;
use super::place::{Needed, Runner};
use super::resolve::Model;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// By their places.
    pub(crate) findings: Vec<Finding>,
    /// What the program can do without, and is not granted, each as a sentence.
    pub(crate) without: Vec<String>,
}

impl Judged {
    /// Whether the program works.
    pub(crate) fn is_sufficient(&self) -> bool {
        !self.findings.iter().any(|finding| finding.blocks)
    }

    /// Adds what came of another place of the program.
    pub(crate) fn extend(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.without.extend(other.without);
    }

    /// By their places; the same finding of several places of the program is one.
    #[must_use]
    pub(crate) fn sorted(mut self) -> Self {
        let by = |a: &Finding, b: &Finding| {
            (&a.place, a.kind, &a.message).cmp(&(&b.place, b.kind, &b.message))
        };
        self.findings.sort_by(by);
        self.findings.dedup();
        self.without.sort();
        self.without.dedup();
        self
    }
}

/// Judges one place of a program.
pub(crate) fn judge(model: &Model, runner: &Runner<'_>) -> Judged {
    let grants = model.grants_to(&runner.who);
    let needs = runner.needs();
    let known = Known::new(runner.program);
    let mut never = never::find(&grants, &needs, &known);
    let is_granted = |needed: &&Needed<'_>| {
        let asked = needed.asked();
        grants.iter().any(|grant| grant.allows(&asked))
    };
    let (needed, optional): (Vec<&Needed<'_>>, Vec<&Needed<'_>>) = needs
        .iter()
        .filter(|needed| !is_granted(needed))
        .partition(|needed| needed.is_needed());
    let mut unmet = Vec::new();
    for needed in needed {
        let explains = never.iter_mut().find(|never| never.explains(needed));
        match explains {
            Some(never) => never.findings.iter_mut().for_each(|it| it.blocks = true),
            None => unmet.push(needed),
        }
    }
    let workload = environment::find(model, runner, &grants, &mut unmet);
    let (mut absent, told) = missing::explain(model, runner, &grants, &unmet);
    // An account in another namespace is the reason why a binding seems to mean somebody else.
    let elsewhere = workload
        .iter()
        .any(|finding| finding.kind == Kind::AccountElsewhere);
    if elsewhere {
        absent.retain(|finding| finding.kind != Kind::OtherSubject);
    }
    // Where the locks were meant to be, their rule is not too much.
    let mut meant = needs.clone();
    if workload
        .iter()
        .any(|finding| finding.kind == Kind::NamespaceDiffers)
    {
        let locks = needs.iter().filter(|needed| needed.is_of_locks());
        meant.extend(locks.map(|needed| Needed {
            namespace: Some(runner.home().to_owned()),
            ..needed.clone()
        }));
    }
    let excessive = excess::find(runner, &grants, &meant, &known, &never, &told);
    let findings = workload
        .into_iter()
        .chain(absent)
        .chain(never.into_iter().flat_map(|never| never.findings))
        .chain(excessive);
    let without = optional.iter().map(|needed| {
        let why = needed.requirement.why.as_ref();
        let why = if why.is_empty() {
            String::new()
        } else {
            format!(" ({why})")
        };
        format!(
            "not granted, and not needed for the rest: {} {}{why}",
            needed.requirement,
            missing::in_place(needed.namespace.as_deref())
        )
    });
    Judged {
        findings: findings.collect(),
        without: without.collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::rbac::manifest;
    use crate::rbac::place::{Namespaces, workloads_of};
    use crate::rbac::profiles::{self, GatewayVersion};

    const PLAIN: &str = include_str!("../../tests/integration/rbac/corpus/clean/plain.yaml");

    /// Pieces that mean something to YAML, to Kubernetes or to RBAC.
    const PIECES: [&str; 16] = [
        "*", "&a ", "*a", "<<: ", "\n", "---\n", "{", "[", "\"", "null", "system:", "delete", "{{",
        "\t", "!!str ", ": ",
    ];

    fn judge_all(text: &str) -> Option<Judged> {
        let objects = manifest::read("a.yaml", text.as_bytes()).ok()?;
        let model = Model::new(objects, "default");
        let program = profiles::find("gateway", GatewayVersion::Current)?;
        let mut judged = Judged::default();
        for workload in workloads_of(&program, &model) {
            let runner = Runner::of_workload(&program, workload, &Namespaces::default());
            judged.extend(judge(&model, &runner));
        }
        Some(judged.sorted())
    }

    #[test]
    fn what_is_right_is_found_to_be() {
        let judged = judge_all(PLAIN).unwrap();
        assert_eq!((judged.findings, judged.without), (Vec::new(), Vec::new()));
    }

    #[test]
    fn without_any_one_line_of_words_something_is_found() {
        let lines: Vec<&str> = PLAIN.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let words = line.trim_start();
            if !(words.starts_with("verbs:")
                || words.starts_with("resources:")
                || words.starts_with("- apiGroups:"))
            {
                continue;
            }
            let mut others = lines.clone();
            let dash;
            if words.starts_with("- ") {
                others.remove(at);
                dash = format!("- {}", others[at].trim_start());
                others[at] = &dash;
            } else {
                others.remove(at);
            }
            let judged = judge_all(&others.join("\n")).unwrap();
            assert!(
                !judged.findings.is_empty(),
                "without line {}: {line}",
                at + 1
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = judge_all(&text);
        }

        #[test]
        fn a_spoilt_manifest_is_judged_or_refused(
            places in prop::collection::vec((any::<Index>(), any::<Index>(), 0usize..40), 1..4),
        ) {
            let mut text: Vec<char> = PLAIN.chars().collect();
            for (at, piece, removed) in places {
                let at = at.index(text.len());
                let end = (at + removed).min(text.len());
                text.splice(at..end, piece.get(&PIECES).chars());
            }
            let text: String = text.into_iter().collect();
            if let Some(judged) = judge_all(&text) {
                let lines = text.lines().count();
                for finding in &judged.findings {
                    prop_assert!(finding.place.line <= lines && finding.place.line > 0);
                    prop_assert!(!finding.fix.is_empty());
                }
            }
        }
    }
}
