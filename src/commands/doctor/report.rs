//! Checks as they are printed.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::Arguments;
use super::facts::Place;
use crate::context::Context;
use crate::doctor::check::{Check, Outcome, Step, verdict};
use crate::output::colour::{self, ATTENTION, ERROR, HEADER, PLAIN};
use crate::output::escape::{escape, escape_line, shell_word};
use crate::output::format::Format;
use crate::output::{self, API_VERSION, OutputError};

const GOOD: Style = AnsiColor::Green.on_default();

/// All checks, in the order of their subjects.
pub(super) struct Report {
    pub(super) checks: Vec<Check>,
    /// `null` where not even the configuration could be read.
    place: Value,
    /// How gwlock was called.
    program: &'static str,
    /// The flags that choose the cluster, each behind a space.
    flags: String,
}

impl Report {
    pub(super) fn new(checks: Vec<Check>, place: Option<Place<'_>>, context: &Context) -> Self {
        let (program, flags) = context.called();
        let place = place.map(|place| {
            json!({
                "namespace": place.lock, "controllerNamespace": place.controller,
                "gatewaySelector": place.selector, "gatewayNamespace": place.gateways,
            })
        });
        Self {
            checks,
            place: place.unwrap_or_default(),
            program,
            flags,
        }
    }

    /// Prints it to stdout.
    pub(super) fn show(&self, arguments: &Arguments) -> Result<(), OutputError> {
        match &arguments.output {
            format if format.is_structured() => format.show(&self.value()),
            Format::Name => output::data(&self.names()),
            format => {
                let styles = if colour::on_stdout() {
                    style
                } else {
                    |_: Outcome| PLAIN
                };
                let header = if colour::on_stdout() { HEADER } else { PLAIN };
                output::data(&self.text(*format == Format::Wide, header, styles))
            }
        }
    }

    /// What is not as it should be, by its name.
    fn names(&self) -> String {
        let wrong = self
            .checks
            .iter()
            .filter(|check| check.outcome >= Outcome::Warning);
        let mut names: Vec<&str> = wrong.map(|check| check.name).collect();
        names.dedup();
        names.join("\n")
    }

    /// As people read it: without what `-o wide` adds, and without colours.
    pub(super) fn plain(&self) -> String {
        self.text(true, PLAIN, |_| PLAIN)
    }

    fn text(&self, wide: bool, header: Style, style: impl Fn(Outcome) -> Style) -> String {
        let width = self
            .checks
            .iter()
            .map(|check| check.name.len())
            .max()
            .unwrap_or_default();
        let mut text = String::new();
        let mut subject = None;
        for check in &self.checks {
            if subject.replace(check.subject) != Some(check.subject) {
                let _ = writeln!(text, "{header}{}{header:#}", check.subject.as_str());
            }
            let style = style(check.outcome);
            let _ = writeln!(
                text,
                "  {style}{:<7}{style:#}   {:<width$}   {}",
                check.outcome.as_str(),
                check.name,
                escape_line(&check.message)
            );
            // What was skipped for lack of rights is skipped for long: its roles would hide everything else.
            if wide || check.outcome != Outcome::Skipped {
                self.write_fix(&mut text, check);
            }
        }
        let _ = writeln!(text, "{}", self.summary());
        text
    }

    fn write_fix(&self, text: &mut String, check: &Check) {
        for (number, step) in check.fix.iter().enumerate() {
            let label = if number == 0 { "fix:" } else { "    " };
            // What a shell reads up to a line of its own has to begin where the line begins.
            let _ = writeln!(text, "            {label} {}", escape(&self.step(step)));
        }
    }

    /// `12 ok, 1 warning, 0 failures, 2 skipped`
    pub(super) fn summary(&self) -> String {
        let [ok, warnings, failures, skipped] = self.counts();
        let end = |count: usize| if count == 1 { "" } else { "s" };
        format!(
            "{ok} ok, {warnings} warning{}, {failures} failure{}, {skipped} skipped",
            end(warnings),
            end(failures)
        )
    }

    fn counts(&self) -> [usize; 4] {
        [
            Outcome::Ok,
            Outcome::Warning,
            Outcome::Failure,
            Outcome::Skipped,
        ]
        .map(|outcome| {
            self.checks
                .iter()
                .filter(|check| check.outcome == outcome)
                .count()
        })
    }

    /// What `-o json` prints.
    pub(super) fn value(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            let fix: Vec<String> = check.fix.iter().map(|step| self.step(step)).collect();
            json!({
                "check": check.name, "subject": check.subject, "result": check.outcome,
                "message": check.message,
                "fix": Some(fix.join("\n")).filter(|fix| !fix.is_empty()),
                "evidence": check.evidence,
            })
        });
        let [ok, warnings, failures, skipped] = self.counts();
        json!({
            "apiVersion": API_VERSION, "kind": "DoctorReport", "verdict": verdict(&self.checks),
            "gwlockVersion": env!("CARGO_PKG_VERSION"), "lookedAt": self.place,
            "summary": {"ok": ok, "warning": warnings, "failure": failures, "skipped": skipped},
            "checks": checks.collect::<Vec<_>>(),
        })
    }

    /// As it is pasted into a shell.
    fn step(&self, step: &Step) -> String {
        let Self { program, flags, .. } = self;
        match step {
            Step::Gwlock(command) => format!("{program} {command}{flags}"),
            Step::Kubectl(command) => format!("kubectl {command}{flags}"),
            Step::KubectlWords(words) => {
                let words: Vec<String> = words.iter().map(|word| shell_word(word)).collect();
                format!("kubectl {}{flags}", words.join(" "))
            }
            Step::Apply(yaml) => format!("kubectl apply{flags} -f - <<'EOF'\n{yaml}\nEOF"),
            Step::Shell(command) => command.clone(),
            Step::Says(text) => format!("# {text}"),
        }
    }
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Ok => GOOD,
        Outcome::Warning => ATTENTION,
        Outcome::Failure => ERROR,
        Outcome::Skipped => Style::new().dimmed(),
    }
}
