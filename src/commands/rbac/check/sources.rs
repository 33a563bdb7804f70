//! The files of `-f`: which they are, and their text. What is in them is not known here.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::context;
use crate::exit::Exit;
use crate::failure::Failure;

/// A file has at most so many bytes. All manifests of a large cluster are a tenth of that.
const LARGEST: u64 = 64 * 1024 * 1024;

/// What `-` is called in findings.
const STDIN: &str = "<stdin>";

/// What kustomize reads and nobody applies.
const KUSTOMIZATIONS: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];

/// One `-f`.
#[derive(Debug)]
pub(super) struct Source {
    /// As it was given.
    pub(super) given: String,
    pub(super) texts: Vec<Text>,
    /// Files that were left out because kustomize is to read them.
    pub(super) kustomizations: Vec<String>,
}

/// One file.
#[derive(Debug)]
pub(super) struct Text {
    /// What it is called in findings.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads what one `-f` names.
pub(super) fn read(given: &str) -> Result<Source, Failure> {
    let mut source = Source {
        given: given.to_owned(),
        texts: Vec::new(),
        kustomizations: Vec::new(),
    };
    if given == "-" {
        let bytes = context::stdin_bytes(LARGEST + 1);
        let bytes = bytes.map_err(|error| unreadable(STDIN, &error))?;
        source.texts.push(text(STDIN.to_owned(), bytes)?);
        return Ok(source);
    }
    if given.is_empty() {
        return Err(Failure::says(Exit::Usage, "-f names no file: it is empty")
            .hint("-f FILE, -f DIRECTORY, or -f - for stdin"));
    }
    let path = Path::new(given);
    let kind = fs::metadata(path).map_err(|error| unreadable(given, &error))?;
    if !kind.is_dir() {
        source.texts.push(read_file(path)?);
        return Ok(source);
    }
    let mut files = Vec::new();
    list(path, &mut files).map_err(|error| unreadable(given, &error))?;
    files.sort();
    for file in files {
        let is_kustomization = file
            .file_name()
            .is_some_and(|name| KUSTOMIZATIONS.iter().any(|other| name == *other));
        if is_kustomization {
            source.kustomizations.push(file.display().to_string());
        } else {
            source.texts.push(read_file(&file)?);
        }
    }
    if source.texts.is_empty() {
        let message = format!("no manifests in {given}: no file ends with .yaml, .yml or .json");
        let mut failure = Failure::says(Exit::BadInput, message);
        if !source.kustomizations.is_empty() {
            failure = failure.hint(format!(
                "kustomize build {given} | gwlock rbac check -f -   # what kustomize makes of it"
            ));
        }
        return Err(failure);
    }
    Ok(source)
}

/// The manifests below a directory. What is hidden is left out, and no link to a directory is followed: it may lead back.
fn list(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if entry.file_type()?.is_dir() {
            list(&path, files)?;
        } else if is_manifest(&path) && !path.is_dir() {
            files.push(path);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

fn read_file(path: &Path) -> Result<Text, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(&name, &error))?;
    text(name, bytes)
}

fn text(name: String, bytes: Vec<u8>) -> Result<Text, Failure> {
    if bytes.len() as u64 > LARGEST {
        let message = format!("{name} has more than {} MiB", LARGEST / (1024 * 1024));
        return Err(Failure::says(Exit::BadInput, message));
    }
    Ok(Text { name, bytes })
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    Failure::says(Exit::BadInput, format!("cannot read {name}: {error}"))
}
