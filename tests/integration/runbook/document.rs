//! The runbook as sections with blocks of commands, and how blocks are written back. Nothing is run here.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

const FENCE: &str = "```";
/// What blocks may be besides commands: none of them has a line that begins like a command.
const OTHER_LANGUAGES: &[&str] = &["text", "yaml"];
const PROMPT: &str = "$ ";

pub(super) struct Document {
    text: String,
}

/// What stands under a heading, up to the next one of any level.
pub(super) struct Section {
    pub(super) heading: String,
    pub(super) level: usize,
    pub(super) text: String,
    pub(super) blocks: Vec<Block>,
}

/// A fenced block of commands and what they print.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of its opening fence, counted from 1.
    pub(super) line: usize,
    pub(super) drill: Option<String>,
    /// Every number in it differs from run to run.
    pub(super) numbers_vary: bool,
    pub(super) steps: Vec<Step>,
}

/// A command and what it prints on stdout and stderr together.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) line: usize,
    pub(super) command: String,
    pub(super) output: String,
}

pub(super) fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/runbook.md")
}

impl Document {
    pub(super) fn read() -> Self {
        Self {
            text: fs::read_to_string(path()).unwrap(),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        let mut fence: Option<Fence> = None;
        for (line, text) in (1..).zip(self.text.lines()) {
            if fence.is_none() && text.starts_with('#') {
                let heading = text.trim_start_matches('#');
                sections.push(Section {
                    heading: heading.trim().to_owned(),
                    level: text.len() - heading.len(),
                    text: String::new(),
                    blocks: Vec::new(),
                });
                continue;
            }
            let section = sections.last_mut().expect("the runbook has a title");
            section.text += text;
            section.text.push('\n');
            match (&mut fence, text.strip_prefix(FENCE)) {
                (None, Some(info)) => fence = Some(Fence::open(line, info)),
                (None, None) => {}
                (Some(open), None) => open.lines.push((line, text.to_owned())),
                (Some(open), Some(_)) => {
                    if open.is_of_commands() {
                        section.blocks.push(open.block());
                    }
                    fence = None;
                }
            }
        }
        sections
    }

    /// What keeps blocks from being run.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fence: Option<Fence> = None;
        for (line, text) in (1..).zip(self.text.lines()) {
            match (&mut fence, text.strip_prefix(FENCE)) {
                (None, Some(info)) => fence = Some(Fence::open(line, info)),
                (None, None) if text.trim_start().starts_with(PROMPT) => {
                    faults.push(format!("line {line}: a command outside of a block"));
                }
                (None, None) => {}
                (Some(open), None) => open.lines.push((line, text.to_owned())),
                (Some(open), Some(_)) => {
                    faults.extend(open.fault());
                    fence = None;
                }
            }
        }
        if let Some(open) = fence {
            faults.push(format!("line {}: a block without an end", open.line));
        }
        for section in self.sections() {
            let mut drills: Vec<_> = section.blocks.iter().map(|block| &block.drill).collect();
            drills.dedup();
            if drills.len() > 1 {
                faults.push(format!("{}: several drills", section.heading));
            }
        }
        faults
    }

    /// Writes the runbook with other bodies of blocks, by the lines of their fences.
    pub(super) fn write_with(&self, bodies: &BTreeMap<usize, String>) {
        let mut text = String::new();
        let mut skips = false;
        for (line, old) in (1..).zip(self.text.lines()) {
            if skips && old.starts_with(FENCE) {
                skips = false;
            }
            if !skips {
                text += old;
                text.push('\n');
            }
            if let Some(body) = bodies.get(&line) {
                text += body;
                skips = true;
            }
        }
        // As a whole: other tests read it meanwhile.
        let folder = path().parent().unwrap().to_owned();
        let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.persist(path()).unwrap();
    }
}

impl Section {
    /// The drill that its blocks are run in.
    pub(super) fn drill(&self) -> Option<&str> {
        self.blocks.first()?.drill.as_deref()
    }

    /// Whether a command of it is kubectl's, or runs what was printed to be run.
    pub(super) fn calls_kubectl(&self) -> bool {
        let mut steps = self.blocks.iter().flat_map(|block| &block.steps);
        steps.any(|step| step.command.contains("kubectl ") || step.command.ends_with("| sh"))
    }

    /// Its name in links, as GitHub makes it of the heading.
    pub(super) fn anchor(&self) -> String {
        let lower = self.heading.to_lowercase();
        lower
            .chars()
            .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-'))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    }
}

/// A block while it is read.
struct Fence {
    line: usize,
    info: String,
    lines: Vec<(usize, String)>,
}

impl Fence {
    fn open(line: usize, info: &str) -> Self {
        Self {
            line,
            info: info.trim().to_owned(),
            lines: Vec::new(),
        }
    }

    fn language(&self) -> &str {
        self.info.split(' ').next().unwrap_or_default()
    }

    fn is_of_commands(&self) -> bool {
        self.language() == "console"
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.info
            .split(' ')
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn fault(&self) -> Option<String> {
        let line = self.line;
        if self.is_of_commands() {
            let begins_with_command = self
                .lines
                .first()
                .is_some_and(|(_, text)| text.starts_with(PROMPT));
            return match self.setting("drill") {
                None => Some(format!("line {line}: commands without a drill")),
                Some(_) if !begins_with_command => Some(format!(
                    "line {line}: a block that begins without a command"
                )),
                Some(_) => None,
            };
        }
        if !OTHER_LANGUAGES.contains(&self.language()) {
            return Some(format!("line {line}: a block of {:?}", self.language()));
        }
        let has_command = self.lines.iter().any(|(_, text)| text.starts_with(PROMPT));
        has_command.then(|| format!("line {line}: commands that are not run"))
    }

    fn block(&self) -> Block {
        let mut steps: Vec<Step> = Vec::new();
        for (line, text) in &self.lines {
            match (text.strip_prefix(PROMPT), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    line: *line,
                    command: command.to_owned(),
                    output: String::new(),
                }),
                (None, Some(step)) => step.output += &format!("{text}\n"),
                (None, None) => {}
            }
        }
        Block {
            line: self.line,
            drill: self.setting("drill").map(str::to_owned),
            numbers_vary: self.setting("numbers") == Some("vary"),
            steps,
        }
    }
}

#[test]
fn what_cannot_be_run_is_found() {
    let faults = |text: &str| {
        let text = format!("# Title\n{text}");
        Document { text }.faults()
    };
    let good = "```console drill=a\n$ x\ny\n```\n";
    assert_eq!(faults(good), Vec::<String>::new());
    for (text, fault) in [
        ("```console\n$ x\n```\n", "line 2: commands without a drill"),
        ("```sh\nx\n```\n", "line 2: a block of \"sh\""),
        ("```\nx\n```\n", "line 2: a block of \"\""),
        ("```text\n$ x\n```\n", "line 2: commands that are not run"),
        ("    $ x\n", "line 2: a command outside of a block"),
        (
            "```console drill=a\nx\n```\n",
            "line 2: a block that begins without a command",
        ),
        (
            "```console drill=a\n$ x\n",
            "line 2: a block without an end",
        ),
        (
            "```console drill=a\n$ x\n```\n```console drill=b\n$ x\n```\n",
            "Title: several drills",
        ),
    ] {
        assert_eq!(faults(text), [fault]);
    }
}

#[test]
fn a_block_is_commands_and_what_each_prints() {
    let text =
        "# Title\n\n```console drill=a numbers=vary\n$ x | y\none\n\ntwo\n$ echo $?\n1\n```\n";
    let document = Document {
        text: text.to_owned(),
    };
    let step = |line, command: &str, output: &str| Step {
        line,
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(
        document.sections()[0].blocks,
        [Block {
            line: 3,
            drill: Some("a".to_owned()),
            numbers_vary: true,
            steps: vec![step(4, "x | y", "one\n\ntwo\n"), step(8, "echo $?", "1\n")],
        }]
    );
}
