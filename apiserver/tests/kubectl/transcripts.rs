//! Transcripts: files of commands, for breadth.
//!
//! A line is kubectl's exit code and its arguments. A `~` before the code repeats the command until it ends with that
//! code, for what a real server takes a moment to notice: rights that have just been granted, kinds that have just been
//! defined. In a manifest NAMESPACE stands for the namespace of the test. Times in manifests are so long ago that their
//! ages, which kubectl then tells in years alone, are the same for both servers.

use std::path::Path;

use super::run::{Kubectl, same_on_both};

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubectl/transcripts");

/// One line of a transcript.
struct Step {
    patient: bool,
    code: i32,
    arguments: Vec<String>,
}

impl Step {
    fn parse(line: &str) -> Self {
        let (patient, line) = match line.strip_prefix('~') {
            Some(line) => (true, line),
            None => (false, line),
        };
        let (code, arguments) = line.split_once(' ').unwrap();
        Self {
            patient,
            code: code.parse().unwrap(),
            arguments: words(arguments),
        }
    }

    fn run(&self, kubectl: &Kubectl) {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        if self.patient {
            kubectl.until(&arguments, |said| said.code == self.code);
        } else {
            let said = kubectl.run(&arguments);
            assert_eq!(said.code, self.code, "{said:?}");
        }
    }
}

/// Splits at blanks, but not between single quotes, which are dropped.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn copy_manifests(namespace: &str, folder: &Path) {
    for entry in std::fs::read_dir(MANIFESTS).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let copy = folder.join(path.file_name().unwrap());
            std::fs::write(copy, text.replace("NAMESPACE", namespace)).unwrap();
        }
    }
}

async fn replay(transcript: &str) {
    let steps: Vec<_> = transcript
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(Step::parse)
        .collect();
    same_on_both(|kubectl| {
        copy_manifests(kubectl.namespace(), kubectl.folder());
        for step in &steps {
            step.run(kubectl);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_look_the_same() {
    replay(include_str!("transcripts/leases.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_resources_look_the_same() {
    replay(include_str!("transcripts/custom.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn built_in_kinds_look_the_same() {
    replay(include_str!("transcripts/kinds.txt")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_look_the_same() {
    replay(include_str!("transcripts/rights.txt")).await;
}
