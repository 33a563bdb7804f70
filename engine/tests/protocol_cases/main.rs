//! The protocol, told as cases: `tests/cases/*.txt`, simplest first.
//!
//! A case is a title, why the rule exists, the machine with its settings, and then what happens line by line:
//! a time and an event, followed by what the machine does about it (`>`). The machine's lines are compared exactly.
//! `GWLOCK_BLESS=1 cargo test -p gwlock-engine --test protocol_cases` writes them anew; read the diff.

mod answer;
mod machine;
mod notation;
mod script;

use std::fs;
use std::path::PathBuf;

use script::Case;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_case_goes_as_it_is_told() {
    let bless = std::env::var_os("GWLOCK_BLESS").is_some();
    let mut wrong = String::new();
    let mut told = 0;
    for file in files() {
        let text = fs::read_to_string(&file).expect("a readable file");
        let mut blessed = Vec::new();
        for case in Case::parse_all(&text) {
            told += 1;
            let actual = case.run();
            if actual != case.text() {
                let name = file.file_name().unwrap_or_default().to_string_lossy();
                wrong.push_str(&format!(
                    "--- {name} says\n{}\n--- it went\n{actual}\n\n",
                    case.text()
                ));
            }
            blessed.push(actual);
        }
        if bless {
            fs::write(&file, blessed.join("\n\n") + "\n").expect("a writable file");
        }
    }
    assert!(told > 0, "no case was found in {}", folder().display());
    assert!(
        bless || wrong.is_empty(),
        "\n{wrong}set GWLOCK_BLESS=1 if that is how it has to go"
    );
}
